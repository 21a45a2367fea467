"""What an operator may get wrong, and is told in one line."""

import json
import subprocess
import sys
from datetime import UTC, datetime

import pytest
from click import ClickException

from contracts.commands.options import market_day
from contracts.connection.chain_web3 import rpc_chain

ADDRESSES = "deployments/31337.json"
DAY = datetime(2026, 12, 1, tzinfo=UTC)
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
        (
            HEAD + f"{ACCOUNT},10 kWh,5000\n".encode(),
            "row 2: capacity_wh is '10 kWh'; give whole Wh",
        ),
        (HEAD + f"{ACCOUNT},10300.5,5000\n".encode(), "capacity_wh is '10300.5'; give whole Wh"),
        (HEAD + f"{ACCOUNT},10300,5 kW\n".encode(), "grid_power_w is '5 kW'; give whole W"),
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
def test_members_that_cannot_be_enrolled_are_one_line(gridpact, files, text, said, one_line):
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
def test_a_deployment_that_could_not_be_kept_is_not_sent(gridpact, files, option, one_line):
    # nobody listens at this port: the refusal must come first
    given = ("--chain", "http://127.0.0.1:1", option, "/proc/of")

    assert "cannot be written" in one_line(gridpact("chain", "deploy", *given, code=1))


def test_a_token_without_code_is_refused_before_anything_is_sent(gridpact, files, node, one_line):
    sent = rpc_chain(node).now_s()

    error = gridpact("chain", "deploy", "--chain", node, "--token", ACCOUNT, code=1)

    assert ACCOUNT in one_line(error)
    assert rpc_chain(node).now_s() == sent
    assert not (files / "deployments").exists()


def test_a_deployment_with_an_address_that_is_none_is_one_line(gridpact, files, one_line):
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
def test_a_price_beyond_the_contract_names_its_slot(gridpact, files, price, one_line):
    text = (files / "prices.csv").read_text("utf-8").replace("120.0", price, 1)
    (files / "prices.csv").write_text(text, "utf-8")

    error = gridpact("settle", "prices.csv", "--chain", "http://127.0.0.1:1", code=1)

    assert "from 2026-12-01T17:00:00+00:00" in one_line(error)


def test_an_hourly_fleet_takes_no_half_hours(gridpact, files, node, one_line):
    gridpact("plan", "forecast.csv", "--fleet", "fleet.toml")
    gridpact("bid", "plan.json", "--prices", "prices.csv")
    gridpact("chain", "deploy", "--chain", node, "--interval-s", "3600")

    published = gridpact("publish", "plan.json", "award.json", "--chain", node, code=1)
    settled = gridpact("settle", "prices.csv", "--chain", node, code=1)

    assert "1800 s, the fleet intervals of 3600 s" in one_line(published)
    assert "1800 s, the fleet intervals of 3600 s" in one_line(settled)


def test_an_award_that_the_plan_does_not_deliver_is_not_published(gridpact, files, one_line):
    gridpact("plan", "forecast.csv", "--fleet", "fleet.toml")
    gridpact("bid", "plan.json", "--prices", "prices.csv", "--award-share", "0.5")

    error = gridpact("publish", "plan.json", "award.json", "--chain", "http://x", code=1)

    assert "plan again with --award" in one_line(error)


def test_two_wishes_for_the_end_exclude_each_other(gridpact, files):
    given = ("forecast.csv", "--fleet", "fleet.toml", "--end-soc", "0.5", "--free-end")

    assert "exclude each other" in gridpact("plan", *given, code=2)
    assert not (files / "plan.json").exists()


def test_a_fleet_described_twice_is_refused(gridpact, files, one_line):
    (files / "fleet.toml").write_text(FLEET + "[[homes]]\nsoc = 0.5\n", "utf-8")

    error = gridpact("plan", "forecast.csv", "--fleet", "fleet.toml", code=1)

    assert "both battery and homes" in one_line(error)


def test_a_broken_limit_is_told_with_its_time(gridpact, files):
    given = ("forecast.csv", "--fleet", "fleet.toml", "--export-limit-w", "0", "--end-soc", "1")

    (files / "fleet.toml").write_text(FLEET.replace("power_max_w = 50000", "power_max_w = 1"))

    assert "broken: export above limit, from 2026-12-01T00:00+00:00, " in gridpact("plan", *given)


@pytest.mark.parametrize(
    ("module", "extra", "arguments"),
    [
        ("amqtt", "adapter", ("scenario", "run", "burgio-1")),
        ("cryptography", "adapter", ("scenario", "run", "burgio-1")),
        ("pyomo", "aggregator", ("plan", "forecast.csv", "--fleet", "fleet.toml")),
    ],
)
def test_a_missing_module_names_the_extra_that_brings_it(files, module, extra, arguments):
    # a process of its own, in which nothing has been imported and the module cannot be
    script = (
        "import sys; sys.modules[sys.argv[1]] = None; "
        "from scenarios.cli import main; main(sys.argv[2:])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, module, *arguments],
        cwd=files,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    said = f"gridpact: {module} is not installed; install gridpact[{extra}]\n"
    assert (done.returncode, done.stderr) == (1, said)
