"""`gridpact dispatch` on files of all forms, and what it says of files that cannot be used."""

import csv
import json
from datetime import datetime, timedelta

import numpy as np
import pytest
from click.testing import CliRunner

from hems.dispatch.paper import input_dispatch
from scenarios.cli import main
from scenarios.dispatch.command import dispatch as command
from scenarios.dispatch.plant import DispatchBattery
from scenarios.dispatch.run import dispatch
from scenarios.dispatch.series_file import read_year


def write(path, values, head="", times=None, delimiter=","):
    rows = [f"{value:.6f}" for value in values]
    if times is not None:
        rows = [f"{time}{delimiter}{row}" for time, row in zip(times, rows, strict=True)]
    path.write_text(head + "\n".join(rows) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def files(campus_year, tmp_path_factory):
    folder = tmp_path_factory.mktemp("year")
    load_w, pv_w = campus_year
    times = [datetime(2023, 1, 1) + timedelta(hours=hour) for hour in range(8760)]  # noqa: DTZ001
    write(folder / "load.csv", load_w / 1000)
    write(folder / "pv.csv", pv_w / 1000, "time;kW\n", [t.isoformat() for t in times], ";")
    return folder


def asked(files, *options):
    load, pv = str(files / "load.csv"), str(files / "pv.csv")
    return CliRunner().invoke(command, ["--load", load, "--pv", pv, *options])


def test_figures_of_a_year_are_those_of_the_run(files):
    got = asked(files, "--policy", "input", "--battery", "25.2kWh/13.8kW", "--json")
    load, pv = read_year(files / "load.csv"), read_year(files / "pv.csv")
    ran = dispatch(
        load.power_w,
        pv.power_w,
        step_s=3600,
        battery=DispatchBattery(capacity_wh=25_200, power_max_w=13_800),
        policy=input_dispatch(),
        start=pv.start,
    )

    assert got.exit_code == 0, got.output
    told, summary = json.loads(got.output), ran.summary()
    assert told["demand_peak_kw"]["annual"] == summary.demand_peak_kw[0].annual
    assert told["demand_peak_kw"]["by_month"] == list(summary.demand_peak_kw[0].by_month)
    assert {name: told[name] for name in told if name not in ("demand_peak_kw", "by_year")} == {
        "policy": "input",
        **{
            name: getattr(summary, name)[0]
            for name in (
                "battery_to_load_kwh",
                "grid_to_load_kwh",
                "pv_to_load_kwh",
                "round_trip_efficiency",
                "cycles",
                "capacity_left",
            )
        },
    }


def test_policies_go_by_the_numbers_of_the_paper_and_shares_by_percent(files):
    named = asked(files, "--policy", "grid-target", "--soc-min", "0.2", "--battery", "60", "--json")
    options = ("--soc-min", "20%", "--battery", "60 kWh", "--power-kw", "30", "--json")
    numbered = asked(files, "--policy", "3", *options)

    assert named.exit_code == 0, named.output
    assert numbered.output == named.output


def test_settings_of_a_policy_change_what_it_does(files, tmp_path):
    write(tmp_path / "wish.csv", np.tile([3.0] * 12 + [-3.0] * 12, 365))
    hours = [1] * 12 + [2] * 12
    (tmp_path / "manual.toml").write_text(
        f"weekday = {hours}\n[[period]]\ncharge_from_grid = true\n"
        "grid_charge_percent_per_h = 10\n[[period]]\ndischarge = true\n"
    )
    runs = [
        ("3", "--target-kw", "20"),
        ("3", "--target-kw", "20,20,20,20,20,20,20,20,20,20,20,15"),
        ("3", "--target-kw", "20", "--grid-charging"),
        ("4", "--schedule", str(tmp_path / "wish.csv")),
        ("5", "--manual", str(tmp_path / "manual.toml")),
        ("1", "--coupling", "dc"),
        ("1", "--power-kw", "3"),
        ("1", "--power-kw", "3", "--limits", "current"),
        ("1", "--generation", "2020"),
        ("2", "--generation", "2020"),
    ]
    found = []
    for run in runs:
        got = asked(files, "--policy", *run, "--json")
        assert got.exit_code == 0, got.output
        found.append(json.loads(got.output)["battery_to_load_kwh"])

    assert len(set(found)) == len(runs)


def test_table_and_file_of_flows_are_for_people(files, tmp_path):
    out = tmp_path / "flows.csv"

    got = asked(files, "--policy", "manual", "--years", "2", "--out", str(out))

    assert got.exit_code == 0, got.output
    assert "capacity left after 2 y" in got.output
    with out.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * 8760
    assert rows[0]["start"] == "2023-01-01T00:00:00"
    assert set(rows[0]) >= {"load_kw", "grid_import_kw", "battery_to_load_kw", "soc"}


def test_step_and_calendar_come_from_the_rows(tmp_path):
    quarter = read_year(write(tmp_path / "q.csv", np.ones(8760 * 4), "kW\n"))
    leap = read_year(write(tmp_path / "l.csv", np.ones(8784)))
    times = [f"2024-01-01T{hour % 24:02}:00" for hour in range(8760)]
    cut = read_year(write(tmp_path / "c.csv", np.ones(8760), times=times))

    assert (quarter.step_s, quarter.start.weekday(), quarter.timed) == (900, 0, False)
    assert (leap.step_s, leap.start.year % 4) == (3600, 0)
    # 2024 less a day is taken for the next common year that begins on the same weekday
    assert (cut.start.year, cut.start.weekday(), cut.timed) == (2029, 0, True)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda lines: [*lines[:9], "nan", *lines[10:]], "line 10 is 'nan'; give a finite number"),
        (lambda lines: [*lines[:9], "-2", *lines[10:]], "line 10 is '-2'; give a finite number of"),
        (lambda lines: [*lines[:9], "x", *lines[10:]], "line 10 is 'x'"),
        (lambda lines: ["a,b,c", *["1,2,3"] * 8760], "line 2 has 3 columns; give the power, or"),
        (lambda lines: lines[:-1], "8759 values; give a year: 8760"),
        (lambda lines: ["soon,1"] + ["later,1"] * 8759, "time 'soon'; give ISO 8601"),
        (lambda lines: lines * 4, "has 8760 values,"),
        (lambda lines: [], "0 values; give a year"),
    ],
)
def test_bad_file_is_told_in_one_line_with_its_place(files, tmp_path, capsys, spoil, message):
    bad = tmp_path / "bad.csv"
    lines = (files / "load.csv").read_text(encoding="utf-8").split()
    bad.write_text("\n".join(spoil(lines)), encoding="utf-8")

    with pytest.raises(SystemExit) as ended:
        main(["dispatch", "--load", str(bad), "--pv", str(files / "pv.csv"), "--policy", "1"])

    error = capsys.readouterr().err
    assert ended.value.code == 1
    assert message in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--policy", "6"), "'6'; give look-ahead, look-behind"),
        (("--policy", "1", "--battery", "big"), "give kWh and kW: 60kWh/30kW, or 60"),
        (("--policy", "1", "--battery", "0kWh/1kW"), "give kWh and kW"),
        (("--policy", "1", "--soc-min", "-1"), "give 0 to 1, or a percentage"),
        (("--policy", "3", "--target-kw", "1,2"), "give one number of kW, or twelve"),
        (("--policy", "4", "--schedule", "/no/such.csv"), "no such file; give a CSV file"),
        (("--policy", "5", "--manual", "/no/such.toml"), "no such file; give a TOML file"),
        (("--policy", "1", "--soc-min", "0.97"), "soc_min is 0.97; give 0 <= soc_min"),
        (("--policy", "1", "--out", "/no/such/flows.csv"), "cannot be written"),
    ],
)
def test_wrong_option_is_told_with_its_remedy(files, capsys, options, message):
    load, pv = str(files / "load.csv"), str(files / "pv.csv")

    with pytest.raises(SystemExit) as ended:
        main(["dispatch", "--load", load, "--pv", pv, *options])

    assert ended.value.code in {1, 2}
    assert message in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("weekday = [1]", "weekday is no list of 24 whole numbers"),
        ("[[period]]\ndischarge = true", "'weekday' is missing"),
        (f"weekday = {[2] * 24}\n[[period]]\n", "names period 2; there are 1 to 1"),
        (f"weekday = {[1] * 24}\n[[period]]\nfly = 1\n", "unexpected keyword argument 'fly'"),
        ("weekday = ", "see docs/dispatch.md for its form"),
    ],
)
def test_manual_dispatch_that_is_none_is_refused(files, tmp_path, capsys, text, message):
    (tmp_path / "manual.toml").write_text(text, encoding="utf-8")
    load, pv = str(files / "load.csv"), str(files / "pv.csv")

    with pytest.raises(SystemExit):
        main(["dispatch", "--load", load, "--pv", pv, "--policy", "5",
              "--manual", str(tmp_path / "manual.toml")])  # fmt: skip

    assert message in capsys.readouterr().err
