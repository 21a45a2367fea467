"""Sweeps: their points, their runs in processes, what they leave and what they say of the paper."""

import csv
import hashlib
import json
import signal
import subprocess
import sys
import time
from dataclasses import replace
from datetime import date

import pytest

from scenarios.couraud.cases import CASES
from scenarios.errors import ScenarioInputError
from scenarios.simulation.fleet import Rules
from scenarios.simulation.fleet_run import FleetRun
from scenarios.sweep.claims import claims, levels
from scenarios.sweep.command import NAMES
from scenarios.sweep.picture import write_picture
from scenarios.sweep.results import METRICS, Found, Spread, found, results, write_results
from scenarios.sweep.run import run_points
from scenarios.sweep.sweeps import SWEEPS, Axis, Change, Sweep, changed, points

pytestmark = pytest.mark.xdist_group("sweep")

BASE = FleetRun(first_day=date(2021, 6, 16), days=7, homes=70)
SMALL = FleetRun(
    first_day=date(2021, 6, 16),
    days=3,
    homes=2,
    rules=Rules(report_s=900, decide_s=900),
    controller="self-consumption",  # which is not compiled first
)
TWO = Sweep(
    line="Two steps between reports.",
    axes=(
        Axis(
            name="t_sc_min",
            title="t_sc [min]",
            values=(10, 15),
            changes=(Change(field="rules.report_s", per_unit=60.0),),
        ),
    ),
)
KILLED = """
import sys
from pathlib import Path
from datetime import date
from scenarios.simulation.fleet import Rules
from scenarios.simulation.fleet_run import FleetRun
from scenarios.sweep.sweeps import SWEEPS, Axis, Change, Sweep, points
from scenarios.sweep.run import run_points
rules = Rules(report_s=900, decide_s=900)
alone = "self-consumption"
base = FleetRun(first_day=date(2021, 6, 16), days=3, homes=2, rules=rules, controller=alone)
change = Change(field="rules.report_s", per_unit=60.0)
axis = Axis(name="t_sc_min", title="", values=(10, 15), changes=(change,))
run_points(points(Sweep(line="", axes=(axis,)), base, seeds=1), Path(sys.argv[1]), jobs=1)
"""


class Stopped(Exception):  # noqa: N818 -- it is no error
    """Somebody has had enough."""


def files(folder):
    """Return the digest of every result of a sweep by its path."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "checkpoint.npz"
    }


@pytest.fixture(scope="module")
def swept(tmp_path_factory, needs_pyrevm):
    out = tmp_path_factory.mktemp("swept")
    runs = points(TWO, SMALL, seeds=1)
    return out, runs, run_points(runs, out, jobs=1)


@pytest.mark.parametrize("name", SWEEPS)
def test_every_sweep_has_runs_that_differ_in_nothing_but_its_settings(name):
    runs = points(SWEEPS[name], BASE, seeds=2)

    count = 2
    for axis in SWEEPS[name].axes:
        count *= len(axis.values)
    assert len(runs) == len({run.folder for run in runs}) == count
    assert {run.seed for run in runs} == {0, 1} == {run.run.rules.seed for run in runs}
    fields = {change.field for axis in SWEEPS[name].axes for change in axis.changes}
    for point in runs:
        restored = point.run
        for field in fields | {"rules.seed"}:
            value = BASE
            for part in field.split("."):
                value = getattr(value, part)
            restored = changed(restored, field, value)
        assert restored == BASE


def test_the_command_knows_the_sweeps_by_name():
    assert tuple(SWEEPS) == NAMES


def test_an_accuracy_is_what_the_error_leaves_and_hours_are_seconds():
    runs = points(SWEEPS["forecast"], BASE, seeds=1)

    asked = {
        point.values: (point.run.rules.forecast_error, point.run.rules.forecast_step_s)
        for point in runs
    }
    assert asked[0.2, 2.0] == (0.8, 7200)
    assert asked[0.9, 0.5] == (0.1, 1800)
    assert asked[1.0, 4.0] == (0.0, 14400)


def test_a_battery_of_the_papers_size_is_the_papers_battery():
    runs = {p.values[0]: p.run.battery for p in points(SWEEPS["battery"], BASE, seeds=1)}

    assert runs[10.3] == BASE.battery
    assert (runs[20.0].capacity_wh, round(runs[20.0].power_w)) == (20_000.0, 10_291)


def test_a_sweep_needs_a_seed_and_a_job(tmp_path):
    with pytest.raises(ScenarioInputError, match="0 seeds"):
        points(TWO, SMALL, seeds=0)
    with pytest.raises(ScenarioInputError, match="0 jobs"):
        run_points(points(TWO, SMALL, seeds=1), tmp_path, jobs=0)


def test_a_sweep_that_is_done_is_read_and_not_lived_through_again(swept):
    out, runs, figures = swept
    before, told = files(out), []

    again = run_points(runs, out, jobs=1, progress=lambda *at: told.append(at))

    assert (again, files(out)) == (figures, before)
    assert told == [(2 * 3 * 1440, 2 * 3 * 1440)]


def test_a_sweep_that_is_killed_and_begun_again_leaves_the_same_bytes(tmp_path, swept):
    with subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path)]) as running:
        until = time.monotonic() + 120
        while running.poll() is None and time.monotonic() < until:
            if list(tmp_path.glob("points/*/checkpoint.npz")):
                break
            time.sleep(0.05)
        running.send_signal(signal.SIGKILL)
        running.wait(timeout=60)
    assert list(tmp_path.glob("points/*/checkpoint.npz"))

    figures = run_points(swept[1], tmp_path, jobs=1)

    assert figures == swept[2]
    assert files(tmp_path) == files(swept[0])


def test_a_sweep_that_is_stopped_stops_its_runs_and_keeps_their_days(tmp_path, swept):
    def progress(done, _):
        if done:
            raise Stopped

    endless = [replace(p, run=replace(p.run, days=1000)) for p in swept[1]]
    with pytest.raises(Stopped):
        run_points(endless, tmp_path, jobs=1, progress=progress)

    # Returned at all: a run of a thousand days was not waited for.
    assert not list(tmp_path.glob("points/*/summary.json"))


def test_a_run_that_cannot_be_is_told_from_its_worker(tmp_path):
    missing = replace(SMALL, first_day=date(2020, 5, 11), folder=tmp_path / "nowhere")

    with pytest.raises(ScenarioInputError, match="nowhere"):
        run_points(points(TWO, missing, seeds=1)[:1], tmp_path, jobs=1)


def test_results_hold_every_run_and_the_means_and_are_the_same_bytes(tmp_path, swept):
    _, runs, figures = swept
    means = found(TWO, runs, figures)
    whole = results("two", TWO, runs, figures, claims=[])

    for folder in (tmp_path / "a", tmp_path / "b"):
        folder.mkdir()
        write_results(folder, TWO, runs, figures, whole=whole)
        write_picture(folder / "two.png", TWO, means, about="2 homes", levels={2: 1.0})

    assert files(tmp_path / "a") == files(tmp_path / "b")
    read = json.loads((tmp_path / "a" / "results.json").read_text())
    assert [point["figures"] for point in read["points"]] == figures
    assert [row["t_sc_min"] for row in read["means"]] == [10, 15]
    assert read["means"][0]["total"]["mean"] == figures[0]["total"]
    rows = list(csv.DictReader((tmp_path / "a" / "results.csv").read_text().splitlines()))
    assert [float(row["total"]) for row in rows] == [each["total"] for each in figures]
    assert (tmp_path / "a" / "two.png").read_bytes().startswith(b"\x89PNG")


def run_of(homes=10, **metric):
    """Return what a run's summary holds, where only some figures matter."""
    return {**dict.fromkeys(METRICS, 1.0), "asked": {"homes": homes}, **metric}


def test_means_are_over_the_seeds_and_per_home_where_homes_vary():
    sweep = replace(TWO, per_home=True)
    runs = points(sweep, SMALL, seeds=2)
    figures = [run_of(total=wanted, mean_export_error=None) for wanted in (10.0, 30.0, 5.0, 7.0)]

    ten, fifteen = found(sweep, runs, figures)

    assert (ten.values, fifteen.values) == ((10,), (15,))
    assert ten.spread["total"] == Spread(mean=2.0, least=1.0, most=3.0)
    assert fifteen.spread["total"] == Spread(mean=0.6, least=0.5, most=0.7)
    assert (ten.totals, fifteen.totals) == ((1.0, 3.0), (0.5, 0.7))
    assert ten.spread["mean_export_error"] is None
    assert ten.spread["self_consumption_rate"] == Spread(mean=1.0, least=1.0, most=1.0)


def at(total, *values):
    """Return a point with a total and nothing else of interest."""
    same = Spread(mean=0.1, least=0.1, most=0.1)
    of_total = Spread(mean=total, least=total, most=total)
    spread = {**dict.fromkeys(METRICS, same), "total": of_total}
    return Found(values=values, spread=spread, totals=(total, total))


@pytest.mark.parametrize(
    ("totals", "verdict"),
    [
        ((30.0, 20.0, 10.0), "holds"),
        ((30.0, 31.0, 10.0), "holds from end to end"),
        ((30.0, 31.0, 32.0), "does not hold"),
    ],
)
def test_the_claim_that_totals_fall_with_t_sc_is_judged_by_every_step(totals, verdict):
    series = [at(total, t) for total, t in zip(totals, (1, 5, 15), strict=True)]

    (said,) = claims("t-sc", series, {})

    assert said["verdict"] == verdict
    assert said["holds"] is (verdict == "holds")


@pytest.mark.parametrize(
    ("early", "late", "lower"), [((20.0, 40.0), (24.0, 38.0), "1 of 2"), ((9.0,), (8.0,), "1 of 1")]
)
def test_draws_that_do_not_agree_and_a_lone_one_are_no_answer(early, late, lower):
    first, middle, last = at(30.0, 1), at(32.0, 5), at(31.0, 15)

    (said,) = claims("t-sc", [replace(first, totals=early), middle, replace(last, totals=late)], {})

    assert said["verdict"] == "cannot be told from the draws"
    assert f"from end to end in {lower} draws" in said["here"]


def test_totals_are_held_against_scenarios_2_and_3_where_they_are_known():
    said = claims("t-sc", [at(30.0, 1), at(20.0, 15)], {2: 19.0, 3: 25.0})

    assert [each["holds"] for each in said] == [True, True, False]
    assert "least 20.00 at 15" in said[2]["here"]


def test_accuracy_is_held_against_the_step_and_its_least_beside_the_papers():
    series = [at(10.0, 0.2, 1.0), at(12.0, 0.2, 2.0), at(30.0, 1.0, 1.0), at(29.0, 1.0, 2.0)]

    first, least = claims("forecast", series, {})

    assert first["holds"] is True
    assert "varies by 18.50, over the steps by 0.50" in first["here"]
    assert "least 10.00 at 0.2 and 1, best 30.00 at 1 and 1 (33.3 %)" in least["here"]
    assert claims("battery", series, {}) == []


def test_only_scenarios_of_the_same_days_homes_data_and_draw_are_set_beside(tmp_path):
    kept = [("2", 2, 7, 0), ("3", 3, 7, 0), ("4", 4, 7, 0)]
    others = [("three", 3, 30, 0), ("zz other draw", 3, 7, 1)]
    for folder, number, days, seed in kept + others:
        run = replace(
            BASE, days=days, arrangement=CASES[number].arrangement, rules=Rules(seed=seed)
        )
        (tmp_path / folder).mkdir()
        summary = {"asked": run.asked(), "total": 100.0 * number + days + 1000.0 * seed}
        (tmp_path / folder / "summary.json").write_text(json.dumps(summary))

    assert levels(tmp_path, BASE.asked()) == {2: 207.0, 3: 307.0}
    assert levels(None, BASE.asked()) == {}
