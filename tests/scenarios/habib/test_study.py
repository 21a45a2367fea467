"""The study: what it lives through, how sure it is, and what it tells."""

import csv
import json
import re
import struct

import numpy as np
import pytest
from click.testing import CliRunner
from plotly.offline import get_plotlyjs

from hems.fuzzy.habib import HabibFuzzy
from scenarios.habib.beside import claims
from scenarios.habib.breaks import CYCLES_MIN, breaks, ratio
from scenarios.habib.command import lines
from scenarios.habib.methods import COMPARED, METHODS
from scenarios.habib.study import START_ELSE, live
from scenarios.habib.surfaces import BALANCES_W, SOCS, surfaces
from scenarios.habib.tell import REPORT
from scenarios.microgrid.violations import amounts
from scenarios.report.chart_picture import WIDTH_PX
from scenarios.report.palette import LIGHT
from scenarios.scenario_command import scenario

CHARTS = {
    "surfaces",
    "commands-rules-sunny",
    "powers-rules-sunny",
    "prices",
    "commands-fuzzy-cloudy",
    "powers-fuzzy-cloudy",
    "commands-fuzzy-sunny",
    "powers-fuzzy-sunny",
    "commands-rules-cloudy",
    "breaks",
    "differences",
}


def test_every_controller_lives_through_everything(found):
    assert set(found.outcomes) == {
        (stretch, method) for stretch in ("trials", "month", "year") for method in METHODS
    }
    assert set(found.shown) == {(sky, method) for sky in ("sunny", "cloudy") for method in METHODS}
    assert {(each.method, each.cycle_min) for each in found.broken} == {
        (method, minutes) for method in COMPARED for minutes in CYCLES_MIN
    }
    assert all(took > 0 for took in found.decision_us.values())


def test_the_balance_closes_in_every_minute_of_the_days(found):
    for shown in found.shown.values():
        assert np.abs(shown.trace.imbalance_w).max() <= 1e-9


def test_a_shown_day_is_its_row_of_all_tests_where_both_begin_alike(found):
    row = found.pair.cloudy
    together = live(found.held.buildings, "fuzzy", START_ELSE)

    alone = found.shown["cloudy", "fuzzy"].trace

    assert alone.flows.stored_wh[0].tolist() == together.flows.stored_wh[row].tolist()


def test_a_building_that_never_leaves_the_grid_is_no_island_and_never_overloaded(found):
    for stretch in found.stretches:
        figures = found.mean(stretch, "connected")
        assert (figures["island_share"], figures["overload_share"]) == (0.0, 0.0)
        assert (figures["curtailed_wh"], figures["unserved_wh"]) == (0.0, 0.0)


def test_a_steady_relay_switches_less(found):
    fuzzy, steady = (found.mean("month", each)["switchings"] for each in ("fuzzy", "fuzzy_steady"))

    assert steady < fuzzy


def test_chances_are_those_counted_by_hand(found):
    trace = live(found.held.buildings, "rules", START_ELSE)
    over = amounts(trace, "overload") > 0
    around = found.held.buildings.around
    held = broke = 0
    for row in range(over.shape[0]):
        for begin in range(0, 480, 10):
            last = max(begin - 1, 0)
            if abs(around.pv_w[row, last] - around.load_w[row, last]) <= 4000:
                held += 1
                broke += bool(over[row, begin : begin + 10].any())

    (overload,) = (
        each for each in breaks(trace, found.held.day, "rules") if each.kind == "overload"
    )

    assert overload.cycles == held
    assert overload.chance.value == pytest.approx(broke / held)
    assert overload == found.breaking("rules")["overload"]


def test_an_interval_holds_its_ratio_and_is_nothing_where_all_days_are_alike():
    day = np.array([0, 1, 2, 0, 1, 2])

    alike = ratio(np.full(6, 2.0), np.full(6, 8.0), day)
    apart = ratio(np.array([0.0, 2, 4, 0, 2, 4]), np.full(6, 8.0), day)

    assert (alike.low, alike.value, alike.high) == (0.25, 0.25, 0.25)
    assert (apart.low, apart.value, apart.high) == (0.0, 0.25, 0.5)
    assert ratio(np.zeros(6), np.zeros(6), day).value == 0.0


def test_a_gap_is_the_mean_of_the_tests_differences(found):
    first, second = (found.outcomes["trials", each].cost for each in ("fuzzy", "rules"))

    gap = found.gap("cost", "fuzzy", "rules")

    assert gap.difference.value == pytest.approx((first - second).mean())
    assert gap.less_share == (first < second).mean()


def test_surfaces_are_what_the_rules_answer():
    answers = surfaces()
    rules = HabibFuzzy().rules

    for name, level in (("Low price", 0.0), ("High price", 1.0)):
        current_a, relay = answers[name]
        asked = {"power_balance": BALANCES_W[[3, 40]] / 4000, "soc": SOCS[[7, 7]]}
        found = rules.infer({**asked, "price": np.full(2, level)})
        assert current_a[7, [3, 40]] == pytest.approx(found[:, 0] * 4000 / 48)
        assert relay[7, [3, 40]] == pytest.approx(found[:, 1])


def test_every_claim_is_judged_and_told_with_a_reason(found):
    judged = claims(found)

    assert len(judged) == 12
    assert {claim.verdict for claim in judged} <= {"holds", "holds in part", "does not hold"}
    assert all(claim.reason and claim.printed and claim.ours for claim in judged)
    assert not any("nan" in claim.ours + claim.reason for claim in judged)


def test_the_files_hold_the_same_figures(told):
    out, results = told
    rows = list(csv.DictReader((out / "table.csv").read_text().splitlines()))

    assert json.loads((out / "results.json").read_text()) == results
    assert [float(row["cost"]) for row in rows] == [row["cost"] for row in results["runs"]]
    assert len(rows) == 4 * len(METHODS)
    broken = list(csv.DictReader((out / "breaks.csv").read_text().splitlines()))
    assert len(broken) == len(COMPARED) * len(CYCLES_MIN) * 3


def test_the_page_loads_nothing_and_names_what_is_generated(told):
    page = (told[0] / REPORT).read_text()
    own = page.replace(get_plotlyjs(), "")

    assert re.findall(r'(?:src|href|action|data)\s*=\s*"(?!data:)[^"]*"', own) == []
    assert "Generated data: nothing was measured" in own
    assert "--days 2 --buildings 1 --year-buildings 0" in own
    assert "$" not in re.sub(r"<style>.*?</style>|<script.*?</script>", "", own, flags=re.DOTALL)


def test_the_page_carries_all_charts_in_known_colours_with_pictures_beside_it(told):
    page = (told[0] / REPORT).read_text()
    carried = re.search(r'<script type="application/json" id="charts">(.*?)</script>', page, re.S)

    assert set(json.loads(carried[1])) == CHARTS
    assert set(re.findall(r'"@([a-z-]+)"', carried[1])) <= set(LIGHT)
    for name in CHARTS:
        head = (told[0] / f"{name}.png").read_bytes()[:24]
        assert head[:8] == b"\x89PNG\r\n\x1a\n"
        assert struct.unpack(">I", head[16:20]) == (WIDTH_PX,)


@pytest.mark.parametrize("width", [390, 1280])
def test_a_browser_draws_every_chart_and_never_scrolls_sideways(told, shown, width):
    assert shown((told[0] / REPORT).read_text(), width) == '{"over":0,"drawn":true}'


def test_a_terminal_is_told_every_run_and_every_claim(told):
    out, results = told

    printed = lines(results, out / REPORT).splitlines()

    assert printed[0] == "data: generated"
    assert sum(line.startswith("month   Fuzzy  ") for line in printed) == 1
    for claim in results["claims"]:
        assert sum(line.startswith(f"{claim['verdict']}: {claim['text']}") for line in printed) == 1
    assert printed[-1] == f"report: {out / REPORT}"


def test_more_days_than_the_month_has_are_told(tmp_path):
    done = CliRunner().invoke(
        scenario, ["run", "habib2023", "--days", "31", "--out", str(tmp_path)]
    )

    assert done.exit_code == 2
    assert "the month has 30" in done.output
