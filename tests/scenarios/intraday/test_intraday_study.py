"""The study of what trading through the day adds, and its command."""

import csv
import json
from dataclasses import replace
from datetime import date

import pytest
from click.testing import CliRunner

from scenarios.errors import ScenarioInputError
from scenarios.intraday.command import intraday
from scenarios.intraday.firming import Intraday
from scenarios.intraday.study import MONEY, NEVER_S, Study, variants
from scenarios.scenario_command import SCENARIOS
from scenarios.simulation.fleet import Rules
from scenarios.simulation.fleet_run import FleetRun

RUN = FleetRun(first_day=date(2021, 6, 16), days=2, homes=3, rules=Rules(seed=5))
FEW = ("--homes", "2", "--days", "1", "--every", "6", "--jobs", "1", "--from", "2021-06-16")


def test_variants_differ_in_nothing_but_what_they_may_trade():
    settings = Intraday(every_s=7200, spread_per_mwh=2.0)

    ahead, again, traded = (point.run for point in variants(RUN, settings))

    assert ahead == RUN
    assert again == replace(RUN, intraday=replace(settings, gate_closure_s=NEVER_S))
    assert traded == replace(RUN, intraday=settings)


def test_a_gate_that_is_never_open_leaves_nothing_to_study():
    with pytest.raises(ScenarioInputError, match="nothing could be traded"):
        variants(RUN, Intraday(gate_closure_s=NEVER_S))


def test_what_is_added_is_the_difference_and_is_said_in_parts():
    def figures(total, **other):
        return {
            **dict.fromkeys(MONEY, 1.0),
            **dict.fromkeys(("committed_wh", "bought_wh", "uncommitted_export_wh"), 2e6),
            "mean_export_error": None,
            "stored_change_wh": 0.0,
            "total": total,
            **other,
        }

    found = Study(
        figures={
            "day-ahead": figures(100.0),
            "planned-again": figures(98.0, bill_reduction=-1.0),
            "traded": figures(103.0, trade_revenue=4.0, stored_change_wh=-1500.0),
        }
    )

    assert found.added("traded", over="planned-again")["total"] == 5.0
    lines = found.lines()
    assert "mean export error [%]               -               -               -" in lines[4]
    assert lines[-4] == (
        "planning again: total -2.00 GBP (-2.0%); bill reduction -2.00, day ahead revenue +0.00, "
        "trade revenue +0.00, imbalance cost +0.00"
    )
    assert lines[-2].startswith("both together: total +3.00 GBP (+3.0%)")
    assert lines[-1].startswith("the batteries end -1.5 kWh apart")


def test_the_command_leaves_the_three_runs_and_what_trading_adds(
    tmp_path, monkeypatch, needs_pyrevm
):
    monkeypatch.delenv("GRIDPACT_DATA", raising=False)
    out = tmp_path / "study"

    printed = CliRunner().invoke(intraday, [*FEW, "--out", str(out), "--json"])
    again = CliRunner().invoke(intraday, [*FEW, "--out", str(out)])

    assert (printed.exit_code, again.exit_code) == (0, 0)
    read = json.loads((out / "results.json").read_text())
    assert json.loads(printed.stdout) == read
    runs = read["variants"]
    assert list(runs) == ["day-ahead", "planned-again", "traded"]
    assert [runs[name]["replans"] for name in runs] == [0, 3, 3]
    assert runs["planned-again"]["trades"] == 0 < runs["traded"]["trades"]
    added = read["added"]["both_together"]
    assert added["total"] == runs["traded"]["total"] - runs["day-ahead"]["total"]
    rows = list(csv.DictReader((out / "results.csv").read_text().splitlines()))
    assert [row["variant"] for row in rows] == list(runs)
    assert again.stdout.splitlines()[-1] == f"results: {out}"


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--every", "nan"),
        ("--every", "0"),
        ("--spread", "20"),
        ("--spread", "nan"),
        ("--jobs", "0"),
    ],
)
def test_a_number_out_of_its_range_is_wrong_use_and_nothing_is_written(tmp_path, option, value):
    out = tmp_path / "study"

    assert CliRunner().invoke(intraday, [option, value, "--out", str(out)]).exit_code == 2
    assert not out.exists()


def test_it_is_among_the_scenarios():
    assert SCENARIOS["intraday"].load("intraday") is intraday
