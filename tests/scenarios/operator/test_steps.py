"""The operator's day in single steps, on files and on a real node."""

import json
from datetime import UTC, datetime

import numpy as np

from aggregator.tables import write_series
from contracts.client import connect
from contracts.connection.chain_web3 import rpc_chain
from contracts.deployment import Deployment
from contracts.local.chain_dev import anvil_chain
from contracts.promise import Report
from contracts.timegrid import TimeGrid

ADDRESSES = "deployments/31337.json"
ACCOUNT = "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf"
DAY = datetime(2026, 12, 1, tzinfo=UTC)
GRID = TimeGrid(start=DAY, step_s=1800, count=48)


def test_operator_plans_bids_publishes_settles_and_looks(gridpact, files, node, one_line):
    planned = json.loads(gridpact("plan", "forecast.csv", "--fleet", "fleet.toml", "--json"))
    award = json.loads(gridpact("bid", "plan.json", "--prices", "prices.csv", "--json"))
    again = gridpact(
        *("plan", "forecast.csv", "--fleet", "fleet.toml"),
        *("--award", "award.json", "--out", "replan.json"),
    )
    gridpact("chain", "deploy", "--chain", node)
    home = rpc_chain(node).unlocked()[2]
    (files / "members.csv").write_text(
        f"account,capacity_wh,grid_power_w\n{home},100000,60000\n", "utf-8-sig"
    )
    enrolled = gridpact("chain", "enrol", "members.csv", "--chain", node)
    published = json.loads(
        gridpact("publish", "replan.json", "award.json", "--chain", node, "--json")
    )

    assert planned["status"] == "proved"
    assert award["quantity_wh"] > 0
    assert again.startswith("proved: ")
    assert enrolled == "1 member enrolled\n"
    assert published["commitment_wh"] == award["quantity_wh"]
    minted = gridpact("chain", "mint", "1000", "--chain", node)
    bonded = gridpact("chain", "bond", "50.5", "--chain", node)
    assert minted == "the owner holds 1000.000000\n"
    assert bonded == "the bond holds 50.500000\n"
    early = gridpact("settle", "prices.csv", "--chain", node)
    assert f"{award['intervals']} promised intervals are not over yet" in early
    assert "already" in gridpact("chain", "enrol", "members.csv", "--chain", node, code=1)

    deliver(node, files / ADDRESSES, home)
    settled = json.loads(gridpact("settle", "prices.csv", "--chain", node, "--json"))
    told = gridpact("settle", "prices.csv", "--chain", node)
    twice = json.loads(gridpact("settle", "prices.csv", "--chain", node, "--json"))
    rows = json.loads(gridpact("status", "--date", "2026-12-01", "--chain", node, "--json"))

    # delivered to the watt-hour: the revenue is the commitment at its price
    price_micro = {slot: 120 if 34 <= slot < 38 else 40 for slot in range(48)}
    assert settled["revenue_micro"] == sum(
        row["commitment_wh"] * price_micro[slot] for slot, row in enumerate(rows)
    )
    assert settled["intervals"] == award["intervals"]
    assert settled["before"] == 0
    assert twice == settled | {"before": award["intervals"]}
    assert told.startswith(f"0 settled now, {award['intervals']} before: revenue ")
    assert (settled["not_over"], settled["other_prices"]) == (0, 0)
    assert [row["delivered_wh"] for row in rows] == [row["commitment_wh"] for row in rows]
    table = gridpact("status", "--date", "2026-12-01", "--chain", node)
    assert all(f" 2026-12-01 {start:%H:%M} " in table for start in GRID.starts())
    assert max(map(len, table.splitlines())) <= 80

    claim = ("chain", "claim", "--account", home, "--date", "2026-12-01", "--chain", node)
    assert gridpact(*claim) == f"{home} was paid {settled['pool_micro'] / 1e6:.6f}\n"
    assert gridpact(*claim) == f"{home} was paid 0.000000\n"
    gone = one_line(gridpact(*claim, "--zone", "Europe/Nowhere", code=1))
    assert "Europe/Nowhere" in gone
    stranger = gridpact(*claim, "--account", ACCOUNT, code=1)
    assert f"holds the key of {ACCOUNT}" in one_line(stranger)
    prices = (files / "prices.csv").read_text("utf-8")
    (files / "prices.csv").write_text(prices.replace("120.0", "121.0"), "utf-8")
    assert "4 settled at other prices or readings" in gridpact(
        "settle", "prices.csv", "--chain", node
    )


def test_a_reading_at_the_boundary_outweighs_reports_that_differ_from_it(gridpact, files, node):
    gridpact("plan", "forecast.csv", "--fleet", "fleet.toml")
    gridpact("bid", "plan.json", "--prices", "prices.csv")
    gridpact(
        *("plan", "forecast.csv", "--fleet", "fleet.toml"),
        *("--award", "award.json", "--out", "replan.json"),
    )
    gridpact("chain", "deploy", "--chain", node)
    home = rpc_chain(node).unlocked()[2]
    (files / "members.csv").write_text(
        f"account,capacity_wh,grid_power_w\n{home},100000,60000\n", "utf-8"
    )
    gridpact("chain", "enrol", "members.csv", "--chain", node)
    gridpact("chain", "mint", "1000", "--chain", node)
    gridpact("publish", "replan.json", "award.json", "--chain", node)
    deliver(node, files / ADDRESSES, home)
    rows = json.loads(gridpact("status", "--date", "2026-12-01", "--chain", node, "--json"))
    delivered = np.array([row["delivered_wh"] for row in rows], dtype=float)
    read_wh = delivered.copy()
    sold = np.flatnonzero(delivered)
    read_wh[sold[0]] *= 0.9
    write_series(files / "boundary.csv", GRID, {"net_export_wh": np.round(read_wh)})

    command = ("settle", "prices.csv", "--boundary", "boundary.csv", "--chain", node)
    settled = json.loads(gridpact(*command, "--json"))
    again = json.loads(gridpact(*command, "--json"))
    without = gridpact("settle", "prices.csv", "--chain", node)

    slot = sold[0]
    paid = sum(
        row["commitment_wh"] * (120 if 34 <= place < 38 else 40) for place, row in enumerate(rows)
    )
    missing_wh = int(delivered[slot] - np.round(read_wh[slot]))
    assert settled["scaled"] == 1
    assert settled["revenue_micro"] == paid - missing_wh * 50
    assert again == settled | {"before": settled["intervals"]}
    assert "1 settled by the boundary's reading" in without


def test_the_owner_s_key_need_not_be_in_the_node(gridpact, files, node):
    (files / "passphrase").write_text("only for this test", "utf-8")
    (files / "passphrase").chmod(0o600)
    kept = ("--keys", files / "keys", "--passphrase-file", files / "passphrase")
    owner = json.loads(gridpact("chain", "account", "new", "--light", "--json", *kept))["address"]
    chain = rpc_chain(node)
    bank, market, *_ = chain.unlocked()
    chain.give(bank, [owner], 10**18)
    signed = ("--chain", node, "--account", owner, *kept)
    gridpact("plan", "forecast.csv", "--fleet", "fleet.toml")
    gridpact("bid", "plan.json", "--prices", "prices.csv")
    gridpact(
        *("plan", "forecast.csv", "--fleet", "fleet.toml"),
        *("--award", "award.json", "--out", "replan.json"),
    )

    gridpact("chain", "deploy", "--market", market, *signed)
    gridpact("chain", "mint", "1000", *signed)
    gridpact("chain", "bond", "500", *signed)
    published = json.loads(gridpact("publish", "replan.json", "award.json", "--json", *signed))
    held = anvil_chain(node, signers=[])
    held.set_time(int(GRID.end.timestamp()) + 3600)
    held.release()
    settled = json.loads(gridpact("settle", "prices.csv", "--json", *signed))

    # nobody reports, so that all that was sold at 120 is bought back at 50
    assert settled["intervals"] == 4
    assert settled["revenue_micro"] == published["commitment_wh"] * (120 - 50) > 0


def deliver(url, deployment_file, home):
    """Let the only home deliver exactly what was promised, and the day pass."""
    chain = anvil_chain(url, signers=[])
    fleet = connect(chain, Deployment.load(deployment_file)).fleet
    promised = fleet.schedule(GRID)
    for interval, energy_wh in zip(GRID.intervals, promised.commitment_wh, strict=True):
        chain.set_time((interval + 1) * 1800 - 60)
        report = Report(account=home, interval=interval, net_export_wh=energy_wh, soc_bp=5000)
        fleet.report_all([report])
    chain.set_time(int(GRID.end.timestamp()) + 3600)
    chain.release()
