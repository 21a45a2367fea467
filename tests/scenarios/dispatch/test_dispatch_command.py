"""`gridpact dispatch` on files of all forms, and what it says of files that cannot be used."""

import csv
import json
from datetime import datetime, timedelta, timezone

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


def hours_of(year, zone=None, count=None):
    begin = datetime(year, 1, 1, tzinfo=zone)
    count = count or (datetime(year + 1, 1, 1, tzinfo=zone) - begin) // timedelta(hours=1)
    return [(begin + timedelta(hours=hour)).isoformat() for hour in range(count)]


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
    long = asked(files, "--policy", "Grid_Power_Target", *options)

    assert named.exit_code == 0, named.output
    assert named.output == numbered.output == long.output


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
        ("1", "--room-c", "35"),
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
    times = hours_of(2024)[:-24]
    cut = read_year(write(tmp_path / "c.csv", np.ones(8760), times=times))

    assert (quarter.step_s, quarter.start.weekday(), quarter.timed) == (900, 0, False)
    assert (leap.step_s, leap.start.year % 4) == (3600, 0)
    # 2024 less a day is taken for the next common year that begins on the same weekday
    assert (cut.start.year, cut.start.weekday(), cut.timed) == (2029, 0, True)


def test_file_of_a_spreadsheet_is_read_whatever_its_commas(tmp_path):
    plain = read_year(write(tmp_path / "a.csv", np.full(8760, 1.5)))
    times = hours_of(2023)
    text = "\n".join(f"{time};1,5" for time in times)
    (tmp_path / "b.csv").write_text("\ufeffZeit;kW\n" + text, encoding="utf-8")
    (tmp_path / "c.csv").write_text(text.replace(";", "\t"), encoding="utf-8")

    for name in ("b.csv", "c.csv"):
        assert read_year(tmp_path / name).power_w.tolist() == plain.power_w.tolist()


def test_times_may_have_a_zone_go_by_summer_time_or_leave_a_leap_day_out(tmp_path):
    winter = timezone(timedelta(hours=1))
    zoned = read_year(write(tmp_path / "z.csv", np.ones(8760), times=hours_of(2023, winter)))
    begin = datetime(2023, 1, 1)  # noqa: DTZ001 -- a local clock
    summer = [
        (begin + timedelta(hours=hour + (2000 <= hour < 7000))).isoformat() for hour in range(8760)
    ]
    turned = read_year(write(tmp_path / "s.csv", np.ones(8760), times=summer))
    no_29th = [time for time in hours_of(2024) if "-02-29T" not in time]
    left = read_year(write(tmp_path / "l.csv", np.ones(8760), times=no_29th))

    assert (zoned.start, zoned.zone) == (begin, timedelta(hours=1))
    assert (turned.start, turned.zone) == (begin, None)
    assert (left.start.year, left.start.weekday()) == (2029, 0)


@pytest.mark.parametrize(
    ("times", "message"),
    [
        (hours_of(2023)[5:] + hours_of(2024)[:5], "line 1 begins at 05:00; give a year from a mid"),
        (
            hours_of(2023)[1:] + hours_of(2024)[:1],
            "line 1 begins at 01:00; give a year from a midn",
        ),
        (
            hours_of(2023)[:99] + hours_of(2023, count=8785)[124:],
            "line 100 has the time '2023-01-0",
        ),
        (
            [*hours_of(2023)[:9], *reversed(hours_of(2023)[9:11]), *hours_of(2023)[11:]],
            "line 11 has the time '2023-01-01T09:00:00', not 3600 s after",
        ),
        (
            [*hours_of(2023)[:8759], "2023-12-31T23:00Z"],
            "line 8760 has the time '2023-12-31T23:00Z'",
        ),
    ],
)
def test_times_that_leave_a_gap_or_go_back_are_told_with_their_line(
    files, tmp_path, capsys, times, message
):
    bad = write(tmp_path / "bad.csv", np.ones(8760), times=times)

    with pytest.raises(SystemExit) as ended:
        main(["dispatch", "--load", str(bad), "--pv", str(files / "pv.csv"), "--policy", "1"])

    assert ended.value.code == 1
    assert message in capsys.readouterr().err


def test_years_that_do_not_go_together_are_refused(files, tmp_path, capsys):
    east, west = (timezone(timedelta(hours=hours)) for hours in (1, 0))
    begin = datetime(2023, 4, 1)  # noqa: DTZ001 -- a local clock
    april = [(begin + timedelta(hours=hour)).isoformat() for hour in range(8760)]
    write(tmp_path / "april.csv", np.ones(8760), times=april)
    write(tmp_path / "east.csv", np.ones(8760), times=hours_of(2023, east))
    write(tmp_path / "west.csv", np.ones(8760), times=hours_of(2023, west))
    told = []
    for load, pv in (("april.csv", files / "pv.csv"), ("east.csv", tmp_path / "west.csv")):
        with pytest.raises(SystemExit):
            main(["dispatch", "--load", str(tmp_path / load), "--pv", str(pv), "--policy", "1"])
        told.append(capsys.readouterr().err)

    assert "begins on 01 January, " in told[0]
    assert "april.csv on 01 April; give both from the same day on" in told[0]
    assert "west.csv goes by UTC+0 h, " in told[1]
    assert "east.csv by UTC+1 h; give both by the same clock" in told[1]


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda lines: [*lines[:9], "nan", *lines[10:]], "line 10 is 'nan'; give a finite number"),
        (lambda lines: [*lines[:9], "-2", *lines[10:]], "line 10 is '-2'; give a finite number of"),
        (lambda lines: [*lines[:9], "x", *lines[10:]], "line 10 is 'x'"),
        (lambda lines: ["a,b,c", *["1,2,3"] * 8760], "line 2 has 3 columns; give the power, or"),
        (lambda lines: lines[:-1], "8759 values; give a year: 8760"),
        (lambda lines: ["soon,1"] + ["later,1"] * 8759, "time 'soon'; give ISO 8601"),
        (lambda lines: [*lines[:499], "", *lines[500:]], "8759 values (line 500 is empty); give a"),
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
