"""`gridpact chain status`: what there is, on one screen and as JSON."""

import json

from contracts.client import connect
from contracts.connection.chain_web3 import rpc_chain
from contracts.deployment import Deployment


def test_a_fleet_is_shown_with_terms_books_members_and_balances(
    gridpact, node, tmp_path, kept_account
):
    gridpact("chain", "deploy", "--chain", node, "--fee-bp", "750")
    gridpact("chain", "mint", "1000", "--chain", node)
    gridpact("chain", "bond", "50", "--chain", node)
    chain = rpc_chain(node)
    owner, market, *homes = chain.unlocked()[:5]
    rows = "".join(f"{home},100,60\n" for home in homes)
    (tmp_path / "members.csv").write_text(f"account,capacity_wh,grid_power_w\n{rows}", "utf-8")
    gridpact("chain", "enrol", "members.csv", "--chain", node)
    deployment = Deployment.load(tmp_path / "deployments" / "31337.json")
    connect(chain, deployment).fleet.retire(homes[0])

    found = json.loads(gridpact("chain", "status", "--chain", node, "--json"))
    shown = gridpact("chain", "status", "--chain", node)

    assert (found["chain_id"], found["file"]) == (31337, "deployments/31337.json")
    assert found["timestamp"] == chain.now_s()
    assert (found["fleet"]["address"], found["fleet"]["owner"]) == (deployment.fleet, owner)
    assert found["fleet"]["intervalS"] == 1800
    assert (found["settlement"]["feeBp"], found["settlement"]["market"]) == (750, market)
    assert found["books"]["bond_micro"] == 50_000_000
    assert found["members"] == 2
    assert [(each["address"], each["role"], each["money_micro"]) for each in found["accounts"]] == [
        (kept_account, "key kept here", 0),
        (market, "market", 0),
        (owner, "owner", 950_000_000),
    ]
    assert all(each in shown for each in (owner, market, "bond 50.00", "feeBp 750"))
    assert max(map(len, shown.splitlines())) <= 80
    assert len(shown.splitlines()) <= 24


def test_a_chain_without_contracts_is_shown_as_such(gridpact, node):
    found = json.loads(gridpact("chain", "status", "--chain", node, "--json"))
    shown = gridpact("chain", "status", "--chain", node)

    assert (found["file"], found["accounts"], "fleet" in found) == (None, [], False)
    assert "run `gridpact chain deploy`" in shown


def test_an_address_file_that_is_named_must_be_there(gridpact, node):
    said = gridpact("chain", "status", "--chain", node, "--deployment", "none.json", code=1)

    assert "no deployment at none.json" in said


def test_a_node_that_is_silent_is_told(gridpact):
    assert "no answer from" in gridpact("chain", "status", "--chain", "http://127.0.0.1:1", code=1)
