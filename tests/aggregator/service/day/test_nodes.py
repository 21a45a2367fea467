"""A market day on a chain of nodes: the service signs, and homes report for themselves."""

from dataclasses import replace
from datetime import timedelta

import pytest
import requests
from sqlalchemy import update

from aggregator.service.day.settings import LedgerSettings
from aggregator.service.store.tables import homes, ledger_states, revenues, settlements
from contracts.client import Terms, connect, deploy
from contracts.deployment import Deployment
from contracts.errors import LedgerError
from contracts.keystore import find_keystore, new_keystore, unlock
from contracts.local.anvil import anvil_node
from contracts.local.chain_dev import anvil_chain
from contracts.local.embedded import development_accounts
from contracts.promise import Member, Report

PASSPHRASE = "only to try it"
MONEY_MICRO = 10**12


@pytest.fixture
def node(world, tmp_path, needs_anvil):
    """Return a node with our contracts, whose owner's key is in a file."""
    keys = tmp_path / "keys"
    owner = new_keystore(keys, PASSPHRASE, created=world.desk.clock.utc(), light=True).address
    market, *members = development_accounts(7, 1 + len(world.numbers))
    begin_s = int(world.desk.clock.utc().timestamp()) - 3600
    with anvil_node(start_timestamp=begin_s) as url:
        signer = unlock(find_keystore(keys, owner), PASSPHRASE)
        chain = anvil_chain(url, signers=[signer, market, *members])
        terms = Terms(interval_s=3600, fee_bp=1000)
        deployment = deploy(chain, owner=owner, market=market.address, terms=terms)
        deployment.save(tmp_path / "deployment.json")
        ledger = connect(chain, deployment)
        ledger.fleet.enrol(
            [
                Member(account=each.address, capacity_wh=10_300, grid_power_w=23_000)
                for each in members
            ]
        )
        ledger.token.mint(owner, MONEY_MICRO, owner=owner)
        chain.release()
        yield url, chain, ledger, [each.address for each in members]


def use_node(world, tmp_path, url, accounts):
    """Let the service use a node, and know the homes' accounts."""
    secret = tmp_path / "passphrase"
    secret.write_text(f"{PASSPHRASE}\n")
    secret.chmod(0o600)
    ledger = LedgerSettings(
        url=url,
        deployment_file=tmp_path / "deployment.json",
        keys=tmp_path / "keys",
        passphrase_file=secret,
    )
    hourly = replace(world.desk.settings, step_s=3600)
    world.desk = replace(world.desk, ledger=ledger, settings=hourly)
    with world.desk.store.write() as connection:
        for number, account in zip(world.numbers, accounts, strict=False):
            row = update(homes).where(homes.c.number == number)
            connection.execute(row.values(account=account))


def status_of(url, transaction):
    """Return how the node says that a transaction went."""
    asked = {"jsonrpc": "2.0", "id": 1, "method": "eth_getTransactionReceipt"}
    answer = requests.post(url, json={**asked, "params": [transaction]}, timeout=30)
    return answer.json()["result"]["status"]


def test_homes_that_report_themselves_are_watched_and_paid(world, tmp_path, node, hour, local_day):
    url, chain, ledger, accounts = node
    use_node(world, tmp_path, url, accounts)
    world.done("prices", "forecast", "plan", "offer", "award")
    first = world.done("publish")
    again = world.done("publish")
    lived, grid = world.live_the_day(), world.desk.grid(local_day)
    export_wh = -lived.grid_power_w.reshape(3, grid.count, 4).sum(axis=2) / 4
    told_wh = [[round(each) for each in home] for home in export_wh.tolist()]

    promised = [slot for slot, wh in enumerate(world.paper("schedule")["commitment_wh"]) if wh]
    for slot in promised:
        interval = grid.intervals[slot]
        chain.set_time((interval + 1) * grid.step_s - 60)
        reports = [
            Report(account=account, interval=interval, net_export_wh=told_wh[home][slot], soc_bp=1)
            for home, account in enumerate(accounts)
        ]
        assert not [
            each for each in ledger.fleet.report_all(reports) if isinstance(each, LedgerError)
        ]
    chain.set_time(int((grid.end + timedelta(hours=1)).timestamp()))
    chain.release()
    world.set_time(hour(local_day, 26))
    world.done("watch", "imbalance", "settle", "revenue")

    assert (first[0][:10], again[0][:13]) == ("published:", "stood already")
    deliveries = world.paper("deliveries")["deliveries"]
    assert [each["delivered_wh"] for each in deliveries] == [
        sum(home[slot] for home in told_wh) if slot in promised else 0 for slot in range(grid.count)
    ]
    rows, earned = world.rows(settlements), world.rows(revenues)
    assert rows
    assert {status_of(url, row["transaction"]) for row in rows} == {"0x1"}
    assert [row["revenue_micro"] for row in earned[1:]] == [
        sum(ledger.settlement.credit_micro(account, each) for each in grid.intervals)
        for account in accounts
    ]
    assert world.rows(ledger_states) == []
    world.done("settle", "revenue")
    assert (world.rows(settlements), world.rows(revenues)) == (rows, earned)


def test_a_node_that_is_away_fails_the_step_in_one_line_without_the_key(world, tmp_path):
    owner = new_keystore(
        tmp_path / "keys", PASSPHRASE, created=world.desk.clock.utc(), light=True
    ).address
    deployment = Deployment(
        chain_id=31_337, interval_s=3600, owner=owner, fleet=owner, settlement=owner, token=owner
    )
    deployment.save(tmp_path / "deployment.json")
    use_node(world, tmp_path, "http://127.0.0.1:9", [])
    world.done("prices", "forecast", "plan", "offer", "award")

    (run,) = world.run("publish")

    assert run.state == "failed"
    assert "127.0.0.1:9" in run.line
    assert PASSPHRASE not in run.line
