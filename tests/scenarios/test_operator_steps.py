"""The operator's day in single steps, on files and on a real node: `gridpact chain | plan | …`."""

import json
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from aggregator.forecast import Forecast
from aggregator.tables import write_forecast, write_series
from contracts.anvil import anvil_node
from contracts.chain_dev import anvil_chain
from contracts.chain_web3 import rpc_chain
from contracts.client import connect
from contracts.deployment import Deployment
from contracts.embedded import development_accounts
from contracts.promise import Report
from contracts.timegrid import TimeGrid
from scenarios.cli import main

DAY = datetime(2026, 12, 1, tzinfo=UTC)
GRID = TimeGrid(start=DAY, step_s=1800, count=48)
FLEET = """
[battery]
capacity_wh = 100000
power_max_w = 50000
charge_efficiency = 0.9
discharge_efficiency = 0.9
stored_min_wh = 0
stored_max_wh = 100000
stored_wh = 60000
"""


@pytest.fixture
def gridpact(capsys, tmp_path, monkeypatch):
    """Return a function that runs one command in an empty folder and returns what it printed."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments, code=0):
        with pytest.raises(SystemExit) as left:
            main([str(argument) for argument in arguments])
        streams = capsys.readouterr()
        assert left.value.code == code, streams.err
        return streams.out if code == 0 else streams.err

    return run


@pytest.fixture
def files(tmp_path):
    """Write the operator's files: forecast, prices, fleet."""
    price = np.full(48, 40.0)
    price[34:38] = 120.0
    forecast = Forecast(
        grid=GRID,
        demand_wh=np.full(48, 5_000.0),
        production_wh=np.full(48, 6_000.0),
        import_price_per_mwh=np.full(48, 150.0),
        export_price_per_mwh=price,
    )
    write_forecast(tmp_path / "forecast.csv", forecast)
    prices = {"price_per_mwh": price, "imbalance_price_per_mwh": np.full(48, 50.0)}
    write_series(tmp_path / "prices.csv", GRID, prices)
    (tmp_path / "fleet.toml").write_text(FLEET, "utf-8")
    return tmp_path


@pytest.fixture
def node(needs_anvil):
    """Start Anvil two days before the market day; return its URL."""
    with anvil_node(start_timestamp=int((DAY - timedelta(days=2)).timestamp())) as url:
        yield url


def test_operator_plans_bids_publishes_settles_and_looks(gridpact, files, node):
    planned = json.loads(gridpact("plan", "forecast.csv", "--fleet", "fleet.toml", "--json"))
    award = json.loads(gridpact("bid", "plan.json", "--prices", "prices.csv", "--json"))
    again = gridpact(
        *("plan", "forecast.csv", "--fleet", "fleet.toml"),
        *("--award", "award.json", "--out", "replan.json"),
    )
    gridpact("chain", "deploy", "--chain", node)
    (home,) = development_accounts(seed=3, count=1)
    (files / "members.csv").write_text(
        f"account,capacity_wh,grid_power_w\n{home.address},100000,60000\n", "utf-8"
    )
    enrolled = gridpact("chain", "enrol", "members.csv", "--chain", node)
    published = json.loads(
        gridpact("publish", "replan.json", "award.json", "--chain", node, "--json")
    )

    assert planned["status"] == "proved"
    assert award["quantity_wh"] > 0
    assert again.startswith("proved: ")
    assert enrolled == "1 members enrolled\n"
    assert published["commitment_wh"] == award["quantity_wh"]

    deliver(node, files / "deployment.json", home)
    _fund_owner(node, files / "deployment.json")
    settled = json.loads(gridpact("settle", "prices.csv", "--chain", node, "--json"))
    twice = json.loads(gridpact("settle", "prices.csv", "--chain", node, "--json"))
    rows = json.loads(gridpact("status", "--date", "2026-12-01", "--chain", node, "--json"))

    # delivered to the watt-hour: the revenue is the commitment at its price
    price_micro = {slot: 120 if 34 <= slot < 38 else 40 for slot in range(48)}
    assert settled["revenue_micro"] == sum(
        row["commitment_wh"] * price_micro[slot] for slot, row in enumerate(rows)
    )
    assert settled["intervals"] == award["intervals"]
    assert twice == settled
    assert [row["delivered_wh"] for row in rows] == [row["commitment_wh"] for row in rows]
    assert len(gridpact("status", "--date", "2026-12-01", "--chain", node).splitlines()) > 48


def deliver(url, deployment_file, home):
    """Let the only home deliver exactly what was promised, and the day pass."""
    chain = anvil_chain(url, signers=[home])
    fleet = connect(chain, Deployment.load(deployment_file)).fleet
    promised = fleet.schedule(GRID)
    for interval, energy_wh in zip(GRID.intervals, promised.commitment_wh, strict=True):
        chain.set_time((interval + 1) * 1800 - 60)
        report = Report(
            account=home.address, interval=interval, net_export_wh=energy_wh, soc_bp=5000
        )
        fleet.report_all([report])
    chain.set_time(int(GRID.end.timestamp()) + 3600)
    chain.release()


def _fund_owner(url, deployment_file):
    """Mint the owner its money."""
    ledger = connect(rpc_chain(url), Deployment.load(deployment_file))
    owner = ledger.fleet.owner
    ledger.token.mint(owner, 10**9, owner=owner)


def test_deployment_file_that_exists_is_not_overwritten(gridpact, files):
    (files / "deployment.json").write_text("{}", "utf-8")

    said = gridpact("chain", "deploy", "--chain", "http://127.0.0.1:1", code=2)

    assert "deployment.json exists" in said
    assert (files / "deployment.json").read_text("utf-8") == "{}"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: text.replace("demand_wh", "demand_kwh"), "demand_wh"),
        (lambda text: text.replace("5000.0", "nan", 1), "row 2"),
        (lambda text: "\n".join(text.splitlines()[:10] + text.splitlines()[11:]), "row 11"),
        (lambda text: text.replace("+00:00", ""), "zone"),
    ],
)
def test_broken_forecast_is_one_line_with_the_row_and_no_plan(gridpact, files, change, said):
    path = files / "forecast.csv"
    path.write_text(change(path.read_text("utf-8")), "utf-8")

    error = gridpact("plan", "forecast.csv", "--fleet", "fleet.toml", code=1)

    assert error.startswith("gridpact: ")
    assert "forecast.csv" in error
    assert said in error
    assert error.count("\n") == 1
    assert not (files / "plan.json").exists()


def test_publishing_on_another_chain_names_both(gridpact, files, node):
    gridpact("plan", "forecast.csv", "--fleet", "fleet.toml")
    gridpact("bid", "plan.json", "--prices", "prices.csv")
    gridpact("chain", "deploy", "--chain", node)
    path = files / "deployment.json"
    path.write_text(path.read_text("utf-8").replace('"chain_id": 31337', '"chain_id": 5'), "utf-8")

    error = gridpact("publish", "plan.json", "award.json", "--chain", node, code=1)

    assert "31337" in error
    assert "5" in error
    assert error.count("\n") == 1


def test_members_with_a_rating_that_is_no_number_name_the_row(gridpact, files):
    (files / "members.csv").write_text(
        "account,capacity_wh,grid_power_w\n0x01,10 kWh,5000\n", "utf-8"
    )

    error = gridpact("chain", "enrol", "members.csv", "--chain", "http://127.0.0.1:1", code=1)

    assert "row 2" in error
