"""A user's own home: every controller on three CSV files, and a report that says why."""

import json
from pathlib import Path

import numpy as np
import pytest

from scenarios.cli import main
from scenarios.prosumer.my_home import NONE, Comparison, Earned
from scenarios.prosumer.my_home_words import reasons, verdict

pytestmark = pytest.mark.xdist_group("my-home")

DAYS = 12


@pytest.fixture(scope="session")
def files(tmp_path_factory) -> Path:
    """Write a home of some days over the end of summer time, in three forms."""
    folder = tmp_path_factory.mktemp("home")
    rng, hours = np.random.default_rng(4), np.arange(24 * DAYS)
    start = np.datetime64("2022-10-21T22:00:00")
    times = start + hours * np.timedelta64(3600, "s")
    sun = np.maximum(np.sin((hours % 24 - 7) / 12 * np.pi), 0) * rng.uniform(0.3, 1, hours.size)
    load, pv = rng.exponential(400, hours.size), 2500 * sun
    price = 250 + 150 * np.sin((hours % 24 - 14) / 24 * 2 * np.pi)

    def rome(place):
        # clocks go back at 2022-10-30T01:00Z
        summer = times[place] < np.datetime64("2022-10-30T01:00:00")
        local = times[place] + np.timedelta64(7200 if summer else 3600, "s")
        return f"{local.astype(object):%d/%m/%Y %H:%M}"

    write(
        folder / "load.csv",
        "time,load_kwh",
        [f"{t}Z,{v / 1e3:.5f}" for t, v in zip(times, load, strict=True)],
    )
    write(
        folder / "pv.csv",
        "Data;Produzione [W]",
        [f"{rome(n)};{v:.2f}".replace(".", ",") for n, v in enumerate(pv)],
    )
    write(
        folder / "prices.csv",
        "time,price_eur_per_mwh",
        [f"{t}Z,{v:.3f}" for t, v in zip(times, price, strict=True)],
    )
    return folder


def write(path, header, lines):
    path.write_text("\n".join([header, *lines]))


def run(files, *more, out, load="load.csv"):
    """Return the exit code of the command."""
    given = ["--load", str(files / load), "--pv", str(files / "pv.csv")]
    given += ["--prices", str(files / "prices.csv"), "--battery", "6kWh", "--out", str(out)]
    with pytest.raises(SystemExit) as ended:
        main(["scenario", "run", "my-home", *given, *more])
    return ended.value.code


@pytest.fixture(scope="session")
def told(files, tmp_path_factory):
    """Return results.json of all controllers, and the folder."""
    out = tmp_path_factory.mktemp("out")
    assert run(files, "--tz", "Europe/Rome", "--charges", "0.1/kWh", out=out) == 0
    return json.loads((out / "results.json").read_text()), out


def test_the_command_compares_all_controllers(told):
    results, _ = told
    named = {(each["controller"], each["knows_all"]) for each in results["earned"]}

    assert results["hours"] == 24 * (DAYS - 1)
    assert named == {
        (name, knows)
        for name in (NONE, "rules", "rules alone", "worth", "trade")
        for knows in (False, True)
    } | {("optimum", True), ("optimum, trade", True)}


def test_who_knows_all_and_plans_best_earns_most(told):
    results, _ = told
    cash = {
        each["controller"]: each["cash_flow"] - each["left"]
        for each in results["earned"]
        if each["knows_all"]
    }

    assert cash["optimum, trade"] >= cash["optimum"] - 0.01
    assert cash["optimum"] > cash[NONE]
    assert cash["worth"] == pytest.approx(cash["optimum"], rel=0.02)


def test_how_far_forecasts_were_off_is_told(told):
    results, _ = told

    assert {name: len(each) for name, each in results["forecast_errors"].items()} == {
        "load": 24,
        "pv": 24,
    }
    assert results["verdict"][-1].startswith("Forecasts missed load by ")


def test_a_home_without_panels_is_compared_too(files, tmp_path):
    hours = (files / "load.csv").read_text().splitlines()[1:]
    write(files / "dark.csv", "time,pv_w", [line.split(",")[0] + ",0" for line in hours])

    code = run(
        files, "--feed-in", "0/kWh", "--no-optimum", "--pv", str(files / "dark.csv"), out=tmp_path
    )

    assert code == 0
    told = json.loads((tmp_path / "results.json").read_text())
    assert set(told["forecast_errors"]) == {"load"}
    assert " pv by" not in told["verdict"][-1]


def test_a_battery_of_no_plan_knows_as_much_whatever_is_told_to_it(told):
    results, _ = told
    nets = [each["cash_flow"] for each in results["earned"] if each["controller"] == NONE]

    assert nets[0] == nets[1]


def test_the_report_is_one_page_that_names_the_best(told):
    results, out = told
    page = (out / "report.html").read_text(encoding="utf-8")

    assert results["verdict"][0].split(" (")[0].removeprefix("Best: ") in page
    assert "$" not in page.split("<script>")[0]
    assert "load.csv in kwh" in page
    assert "://" not in page.split("<script>")[0]


def test_the_report_is_drawn_on_a_wide_and_a_narrow_screen(told, request):
    _, out = told
    shown = request.getfixturevalue("shown")
    page = (out / "report.html").read_text(encoding="utf-8")

    for width in (1200, 400):
        assert json.loads(shown(page, width)) == {"over": 0, "drawn": True}


def test_the_terminal_says_it_in_lines(files, tmp_path, capsys):
    assert (
        run(files, "--tz", "Europe/Rome", "--feed-in", "0.1/kWh", "--no-optimum", out=tmp_path) == 0
    )

    shown = capsys.readouterr().out
    assert "days are those of Europe/Rome" in shown
    assert "export earns 0.1 EUR/kWh always" in shown
    assert "no battery" in shown
    assert f"report: {tmp_path / 'report.html'}" in shown


REFUSED = {
    "no zone": ([], "pv.csv: times carry no offset from UTC; say where with --tz"),
    "one price": (["--tz", "Europe/Rome"], "prices.csv has one price; say what export earns"),
    "battery": (["--battery", "6"], "--battery is '6'; write a number >= 0 and its unit"),
    "power": (
        ["--power", "3kWh"],
        "--power is '3kWh'; write a number >= 0 and its unit, one of: w",
    ),
    "zone": (["--tz", "Italy/Rome"], "time zone 'Italy/Rome' is unknown"),
    "feed-in": (["--tz", "UTC", "--feed-in", "8"], "--feed-in is '8'; write a number and its unit"),
    "column": (["--load-column", "x"], "load.csv has no column 'x' but time, load_kwh"),
    "weights": (
        ["--tz", "Europe/Rome", "--charges", "0/kWh", "--load-weights", "none.npz"],
        "none.npz does not exist; train one with",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_left_open_is_asked_for_in_one_line(files, tmp_path, capsys, case):
    more, message = REFUSED[case]

    assert run(files, *more, out=tmp_path) == 1

    told = capsys.readouterr().err
    assert message in told
    assert told.startswith("gridpact: ")
    assert told.count("\n") == 1


def test_a_battery_of_nothing_is_wrong_use(files, tmp_path, capsys):
    assert run(files, "--battery", "0kWh", out=tmp_path) == 2
    assert "give the capacity of the one you have" in capsys.readouterr().err


def test_files_of_different_times_are_refused_with_their_spans(files, tmp_path, capsys):
    write(
        files / "late.csv",
        "time,load_kwh",
        [f"2024-01-0{d}T0{h}:00Z,0.3" for d in (1,) for h in range(5)],
    )

    more = ["--tz", "Europe/Rome", "--charges", "0.1/kWh"]
    assert run(files, *more, out=tmp_path, load="late.csv") == 1

    told = capsys.readouterr().err
    assert "the files share 0 hours, 72 are needed: late.csv 2024-01-01T00:00:00Z to" in told


def earned(name, **fields):
    """Return what a controller came to."""
    values = {
        "about": "a way",
        "trades": False,
        "knows_all": False,
        "cash_flow": 0.0,
        "ageing_cost": 0.0,
        "import_kwh": 0.0,
        "export_kwh": 0.0,
        "import_price": 0.0,
        "export_price": 0.0,
        "left": 0.0,
        "peak_import_w": 0.0,
        "full_cycles": 0.0,
        "daily_cash_flow": (),
    }
    return Earned(controller=name, **(values | fields))


def made(name, *, imports, exports, **fields):
    """Return one whose cash flow follows from energies and prices."""
    (bought, paid), (sold, got) = imports, exports
    left = fields.get("left", 0.0)
    return earned(
        name,
        import_kwh=bought,
        import_price=paid,
        export_kwh=sold,
        export_price=got,
        cash_flow=sold * got - bought * paid + left,
        **fields,
    )


def test_reasons_add_up_to_the_whole_difference_the_greatest_first():
    best = made("rules", imports=(800, 0.30), exports=(900, 0.12), ageing_cost=12.0, left=0.5)
    none = made(NONE, imports=(900, 0.35), exports=(950, 0.10), ageing_cost=10.0)

    parts = reasons(best, none, "EUR")

    assert sum(part.amount for part in parts) == pytest.approx(best.net - none.net)
    sizes = [abs(part.amount) for part in parts]
    assert sizes == sorted(sizes, reverse=True)
    assert parts[0].about == "it pays €0.300 for a kWh instead of €0.350"


def test_where_no_plan_earns_most_that_is_what_is_said():
    none = made(NONE, imports=(900, 0.3), exports=(900, 0.1))
    worse = made("rules", imports=(910, 0.3), exports=(900, 0.1))
    found = Comparison(hours=240, without_battery=-300.0, earned=(none, worse))

    said = verdict(found, "EUR")

    assert said[0].startswith("Keep plain self-consumption: over 10 days no controller earns more")
    assert said[1] == ("Next is rules, €3.00 behind: it imports 910 kWh instead of 900 (−€3.00).")


def test_who_earns_as_much_as_the_optimum_has_nothing_left_to_learn():
    none = made(NONE, imports=(900, 0.3), exports=(900, 0.1))
    rules = made("rules", imports=(890, 0.3), exports=(900, 0.1))

    def said(most):
        bound = made("optimum", imports=(most, 0.3), exports=(900, 0.1), knows_all=True)
        found = Comparison(hours=240, without_battery=-300.0, earned=(none, rules, bound))
        return verdict(found, "EUR")[-1]

    assert said(895).endswith("Nothing is left to be earned by knowing more.")
    assert said(880).endswith("€6.00 more than self-consumption, of which 50% is reached.")


def test_a_best_that_trades_is_told_apart_from_one_that_does_not():
    none = made(NONE, imports=(900, 0.3), exports=(900, 0.1))
    rules = made("rules", imports=(890, 0.3), exports=(900, 0.1))
    trade = made("trade", imports=(900, 0.25), exports=(900, 0.1), trades=True)
    found = Comparison(hours=240, without_battery=-300.0, earned=(none, rules, trade))

    said = verdict(found, "EUR")

    assert found.best(trades=False) is rules
    assert said[0].endswith("it earns €3.00 more than plain self-consumption.")
    assert any("Free to buy and sell, trade earns €45.00 more" in each for each in said)
