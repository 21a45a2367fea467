"""The operator's day in single steps, on files and on a real node: `gridpact chain | plan | …`."""

import json
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from click import ClickException

from aggregator.forecast import Forecast
from aggregator.tables import write_forecast, write_series
from contracts.anvil import anvil_node
from contracts.chain_dev import anvil_chain
from contracts.chain_web3 import rpc_chain
from contracts.client import connect
from contracts.deployment import Deployment
from contracts.options import market_day
from contracts.promise import Report
from contracts.timegrid import TimeGrid
from scenarios.cli import main

ADDRESSES = "deployments/31337.json"
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
    assert enrolled == "1 members enrolled\n"
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
    twice = json.loads(gridpact("settle", "prices.csv", "--chain", node, "--json"))
    rows = json.loads(gridpact("status", "--date", "2026-12-01", "--chain", node, "--json"))

    # delivered to the watt-hour: the revenue is the commitment at its price
    price_micro = {slot: 120 if 34 <= slot < 38 else 40 for slot in range(48)}
    assert settled["revenue_micro"] == sum(
        row["commitment_wh"] * price_micro[slot] for slot, row in enumerate(rows)
    )
    assert settled["intervals"] == award["intervals"]
    assert twice == settled
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
    assert again == settled
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


def one_line(error):
    """Return a message for the user, once it is seen to be one line."""
    assert error.startswith("gridpact: ")
    assert error.count("\n") == 1
    return error


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
    path = files / ADDRESSES
    path.write_text(path.read_text("utf-8").replace('"chain_id": 31337', '"chain_id": 5'), "utf-8")

    error = gridpact("publish", "plan.json", "award.json", "--chain", node, code=1)

    assert "31337" in error
    assert "5" in error
    assert error.count("\n") == 1


ACCOUNT = "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf"
HEAD = b"account,capacity_wh,grid_power_w\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (HEAD + f"{ACCOUNT},10 kWh,5000\n".encode(), "row 2: invalid literal"),
        (HEAD + b"0x01,10,5000\n", "row 2: '0x01' is no address"),
        (HEAD + f"0x{0:040x},10,5000\n".encode(), "is no address"),
        (HEAD + f"{ACCOUNT[:-1]}F,10,5000\n".encode(), "is no address"),
        (HEAD + f"{ACCOUNT},10,50\n{ACCOUNT},-1,50\n".encode(), "row 3: member"),
        (HEAD + f"{ACCOUNT},10,{2**32}\n".encode(), "row 2: member"),
        (HEAD + f"{ACCOUNT},10,50\n{ACCOUNT},1,50\n".encode(), "is in row 2 too"),
        (HEAD + f"{ACCOUNT},10\n".encode(), "row 2: cells are missing"),
        (HEAD, "lists no members"),
        (b"", "no column account"),
        (HEAD + b"\xff\xfe", "UTF-8"),
    ],
)
def test_members_that_cannot_be_enrolled_are_one_line(gridpact, files, text, said):
    (files / "members.csv").write_bytes(text)

    error = gridpact("chain", "enrol", "members.csv", "--chain", "http://127.0.0.1:1", code=1)

    assert said in one_line(error)
    assert "members.csv" in error


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--owner", "0x01"),
        ("--market", "nobody"),
        ("--token", f"0x{0:040x}"),
        ("--fee-bp", "10001"),
        ("--fee-bp", "-1"),
        ("--interval-s", "1200"),
    ],
)
def test_terms_that_no_contract_takes_are_wrong_use(gridpact, files, option, value):
    said = gridpact("chain", "deploy", "--chain", "http://127.0.0.1:1", option, value, code=2)

    assert option in said
    assert not (files / "deployments").exists()


@pytest.mark.parametrize("option", ["--deployment", "--deployments"])
def test_a_deployment_that_could_not_be_kept_is_not_sent(gridpact, files, option):
    # nobody listens at this port: the refusal must come first
    given = ("--chain", "http://127.0.0.1:1", option, "/proc/of")

    assert "cannot be written" in one_line(gridpact("chain", "deploy", *given, code=1))


def test_a_token_without_code_is_refused_before_anything_is_sent(gridpact, files, node):
    sent = rpc_chain(node).now_s()

    error = gridpact("chain", "deploy", "--chain", node, "--token", ACCOUNT, code=1)

    assert ACCOUNT in one_line(error)
    assert rpc_chain(node).now_s() == sent
    assert not (files / "deployments").exists()


def test_a_deployment_with_an_address_that_is_none_is_one_line(gridpact, files):
    body = {"chain_id": 1, "interval_s": 1800, "owner": ACCOUNT, "fleet": "0x2"}
    body |= {"settlement": ACCOUNT, "token": ACCOUNT}
    (files / "own.json").write_text(json.dumps(body), "utf-8")
    given = ("--chain", "http://127.0.0.1:1", "--deployment", "own.json")

    error = gridpact("chain", "mint", "1", *given, code=1)

    assert "fleet is no address" in one_line(error)


@pytest.mark.parametrize("amount", ["0", "1e-7", "nan", "inf", "1e13", "ten"])
@pytest.mark.parametrize("command", ["mint", "bond"])
def test_amounts_that_are_no_money_are_wrong_use(gridpact, files, command, amount):
    said = gridpact("chain", command, amount, "--chain", "http://127.0.0.1:1", code=2)

    assert "is no amount of money" in said


@pytest.mark.parametrize(
    ("day", "zone"),
    [
        (DAY, "Europe/Nowhere"),
        (DAY, ""),
        (DAY, "Europe"),
        (datetime(9999, 12, 31, tzinfo=UTC), "UTC"),
        (datetime(1, 1, 1, tzinfo=UTC), "Asia/Tokyo"),
        (datetime(1969, 7, 20, tzinfo=UTC), "UTC"),
        (datetime(2011, 12, 30, tzinfo=UTC), "Pacific/Apia"),
    ],
)
def test_a_day_that_no_market_has_is_told(day, zone):
    with pytest.raises(ClickException, match=f"no market day {day.date()}"):
        market_day(day, zone, step_s=1800)


def test_a_date_that_is_none_is_wrong_use(gridpact, files):
    given = ("--date", "2026-02-30", "--chain", "http://127.0.0.1:1")

    assert "2026-02-30" in gridpact("status", *given, code=2)


@pytest.mark.parametrize("price", ["1000000001", "-1e300"])
def test_a_price_beyond_the_contract_names_its_slot(gridpact, files, price):
    text = (files / "prices.csv").read_text("utf-8").replace("120.0", price, 1)
    (files / "prices.csv").write_text(text, "utf-8")

    error = gridpact("settle", "prices.csv", "--chain", "http://127.0.0.1:1", code=1)

    assert "from 2026-12-01T17:00:00+00:00" in one_line(error)


def test_an_hourly_fleet_takes_no_half_hours(gridpact, files, node):
    gridpact("plan", "forecast.csv", "--fleet", "fleet.toml")
    gridpact("bid", "plan.json", "--prices", "prices.csv")
    gridpact("chain", "deploy", "--chain", node, "--interval-s", "3600")

    published = gridpact("publish", "plan.json", "award.json", "--chain", node, code=1)
    settled = gridpact("settle", "prices.csv", "--chain", node, code=1)

    assert "1800 s, the fleet intervals of 3600 s" in one_line(published)
    assert "1800 s, the fleet intervals of 3600 s" in one_line(settled)


def test_an_award_that_the_plan_does_not_deliver_is_not_published(gridpact, files):
    gridpact("plan", "forecast.csv", "--fleet", "fleet.toml")
    gridpact("bid", "plan.json", "--prices", "prices.csv", "--award-share", "0.5")

    error = gridpact("publish", "plan.json", "award.json", "--chain", "http://x", code=1)

    assert "plan again with --award" in one_line(error)


def test_two_wishes_for_the_end_exclude_each_other(gridpact, files):
    given = ("forecast.csv", "--fleet", "fleet.toml", "--end-soc", "0.5", "--free-end")

    assert "exclude each other" in gridpact("plan", *given, code=2)
    assert not (files / "plan.json").exists()


def test_a_fleet_described_twice_is_refused(gridpact, files):
    (files / "fleet.toml").write_text(FLEET + "[[homes]]\nsoc = 0.5\n", "utf-8")

    error = gridpact("plan", "forecast.csv", "--fleet", "fleet.toml", code=1)

    assert "both battery and homes" in one_line(error)


def test_a_broken_limit_is_told_with_its_time(gridpact, files):
    given = ("forecast.csv", "--fleet", "fleet.toml", "--export-limit-w", "0", "--end-soc", "1")

    (files / "fleet.toml").write_text(FLEET.replace("power_max_w = 50000", "power_max_w = 1"))

    assert "broken: export above limit, from 2026-12-01T00:00+00:00, " in gridpact("plan", *given)
