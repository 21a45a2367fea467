"""The study: its runs, what they come to, and the paper's claims judged by them."""

import csv
import json
import re
import struct
from dataclasses import replace

import numpy as np
import pytest
from plotly.offline import get_plotlyjs

from hems.prosumer import Prospect
from scenarios.prosumer import table
from scenarios.prosumer.beside import Found, claims
from scenarios.prosumer.forecasts import Persistence
from scenarios.prosumer.foreseen import Remembered, errors, imperfect
from scenarios.prosumer.methods import METHODS
from scenarios.prosumer.one_hour import OneHour
from scenarios.prosumer.speed import speed
from scenarios.prosumer.study import Case, cases, gain, run, yearly_gain
from scenarios.prosumer.tell import REPORT, tell
from scenarios.report.chart_picture import WIDTH_PX
from scenarios.report.palette import LIGHT

pytestmark = pytest.mark.xdist_group("prosumer")
FIGURES = ["figure-2", "figure-3", "figure-4", "figure-5a", "figure-5b", "figure-6"]


@pytest.fixture(scope="module")
def told(study, found, tmp_path_factory):
    out = tmp_path_factory.mktemp("becchi") / "new"
    return out, tell(study, found, out, forecast="linear", command="gridpact & co")


def test_every_controller_lives_through_the_year_or_the_month(found):
    methods = {outcome.case.method for outcome in found.outcomes.values()}

    assert methods == set(METHODS)
    assert [name for name, each in METHODS.items() if each.searches] == [
        "ga_no_trade",
        "pso_no_trade",
        "ga",
        "pso",
    ]
    assert all(
        (outcome.days == 2) == (outcome.case.stretch == "month")
        for outcome in found.outcomes.values()
    )


def test_without_a_month_nothing_searches():
    assert not any(METHODS[case.method].searches for case in cases(month=False))


def test_with_perfect_forecasts_nobody_earns_more_than_the_milp_of_the_same_rights(found):
    for name, case in ((name, outcome.case) for name, outcome in found.outcomes.items()):
        if case.forecast == "perfect" and case.stretch == "year":
            best = "milp" if METHODS[case.method].trades else "milp_no_trade"
            # what is stored at the end is worth nothing in a plan, and something in the books
            assert gain(found.outcomes, case) <= found.gain(best) + 0.3, name


def test_an_outcome_is_that_of_what_was_lived(study, found):
    case = Case(method="rules")
    lived, outcome = study.live(case), found.outcomes[case.name]

    assert outcome.cash_flow == float(lived.cash_flow[0])
    assert outcome.import_wh - outcome.export_wh == pytest.approx(lived.grid_wh.sum())
    assert outcome.daily.shape == (4,)
    assert outcome.daily[-1] == pytest.approx(lived.income_micro.sum() / 1e6)
    assert outcome.cycles == pytest.approx(np.abs(np.diff(lived.stored_wh)).sum() / 12_000)
    lost = lived.ageing(study.battery.law, study.battery.bank)
    assert outcome.cycle_cost + outcome.calendar_cost == pytest.approx(lost.total[0] / 0.2 * 3000)


def test_the_same_study_again_is_the_same(study, found):
    chosen = [Case(method="ga", stretch="month"), Case(method="rules", forecast="imperfect")]
    for name, again in run(study, chosen).items():
        first = found.outcomes[name]
        assert replace(again, decision_ms=0.0, daily=0) == replace(first, decision_ms=0.0, daily=0)


@pytest.mark.parametrize("forecast", ["perfect", "imperfect"])
def test_a_searchs_year_is_its_month_times_what_a_year_is_to_the_milp(found, forecast):
    case = Case(method="ga", forecast=forecast, stretch="month")
    longer = found.gain("milp") / found.gain("milp", stretch="month")

    assert yearly_gain(found.outcomes, case) == pytest.approx(gain(found.outcomes, case) * longer)


def test_where_the_milp_gains_nothing_a_searchs_year_is_not_known(found):
    same = found.of("none", stretch="month").cash_flow
    best = Case(method="milp", stretch="month")
    outcomes = dict(found.outcomes)
    outcomes[best.name] = replace(outcomes[best.name], cash_flow=same)

    assert yearly_gain(outcomes, Case(method="pso", stretch="month")) is None


def test_the_mpc_of_one_interval_does_what_no_controller_does(found):
    assert found.gain("mpc") == pytest.approx(0.0, abs=1e-6)


def test_the_mpc_knows_one_price_for_all(study):
    seen = prospect_of(study, homes=2)
    prices = np.array([[100.0, 100.0], [200.0, 100.0]])

    with pytest.raises(ValueError, match="homes pay different prices in an hour; plan them apart"):
        OneHour().plan(replace(seen, import_price_per_mwh=prices))


def prospect_of(study, *, homes):
    """Return some homes that know two hours."""
    bank = study.battery.bank.pick(np.zeros(homes, dtype=np.int64))
    return Prospect(
        bank=bank,
        stored_wh=bank.capacity_wh / 2,
        load_wh=np.full((homes, 2), 300.0),
        pv_wh=np.zeros((homes, 2)),
        import_price_per_mwh=np.full((1, 2), 300.0),
        export_price_per_mwh=np.full((1, 2), 100.0),
        day=np.zeros(2, dtype=np.int64),
        shortfall_wh=np.zeros(homes),
    )


def test_an_hour_is_forecast_once_for_all_planners(study):
    class Counting:
        asked = 0

        def forecast(self, history_wh, horizon, *, first_hour):
            self.asked += 1
            return Persistence().forecast(history_wh, horizon, first_hour=first_hour)

    series, counting = study.series, Counting()
    kept = Remembered(asked=counting, last_hour=series.first_hour + series.hours - 1)
    now = series.first_hour + 48

    long, short = (
        kept.forecast(series.load_wh[:, :48], hours, first_hour=now) for hours in (72, 24)
    )

    assert counting.asked == 1
    assert (short == long[:, :24]).all()


@pytest.mark.parametrize("method", ["knn", "linear", "persistence", "worsened"])
def test_an_imperfect_forecast_is_wrong_and_a_perfect_one_is_not(study, method):
    span = {"begin": study.begin, "hours": 48, "horizon_h": 24, "every": 7}

    wrong = errors(imperfect(study.series, method), study.series, **span)
    right = errors(study.perfect, study.series, **span)

    assert all(0.05 < np.mean(wrong[name]) < 3 for name in ("load", "pv"))
    assert right == {"load": [0.0] * 24, "pv": [0.0] * 24}


def test_plans_are_timed_on_the_same_hours(study):
    found = speed(replace(study, hours=1))

    assert found.rules_ms > 0
    assert found.speedup_rules_milp == found.milp_ms / found.rules_ms
    assert found.speedup_rules_numpy_milp == found.milp_ms / found.rules_numpy_ms


def verdicts(found: Found) -> list[str]:
    return [claim.verdict for claim in claims(found)]


def with_cash(found: Found, **amounts: float) -> Found:
    """Return the same with the cash flows of some runs of the year changed."""
    outcomes = dict(found.outcomes)
    for name, amount in amounts.items():
        method, _, rest = name.partition("__")
        forecast, _, horizon = rest.partition("__")
        case = Case(
            method=method, forecast=forecast or "perfect", horizon_h=int(horizon) if horizon else 72
        )
        outcomes[case.name] = replace(outcomes[case.name], cash_flow=amount)
    return replace(found, outcomes=outcomes)


@pytest.fixture
def papers(found) -> Found:
    """Return cash flows as the paper's figures show them."""
    return with_cash(
        found,
        none=-80.0,
        rules=-40.0,
        rules__perfect__24=-45.0,
        rules__imperfect=-50.0,
        rules_no_countermeasures__imperfect=-120.0,
        milp_no_trade=-38.0,
    )


def test_on_the_papers_own_figures_its_claims_hold(papers):
    assert verdicts(papers)[:5] == ["holds"] * 5
    assert verdicts(papers)[6] == "holds"


@pytest.mark.parametrize(
    ("amounts", "place", "verdict"),
    [
        ({"rules": -90.0}, 0, "does not hold"),
        ({"rules__perfect__24": -39.0}, 1, "does not hold"),
        ({"rules_no_countermeasures__imperfect": -70.0}, 2, "does not hold"),
        ({"rules__imperfect": -90.0}, 3, "holds in part"),
        ({"rules__imperfect": -130.0}, 3, "does not hold"),
        ({"milp_no_trade": -20.0}, 4, "holds in part"),
        ({"milp_no_trade": 60.0}, 4, "does not hold"),
    ],
)
def test_a_cash_flow_that_breaks_a_claim_is_said_to(papers, amounts, place, verdict):
    assert verdicts(with_cash(papers, **amounts))[place] == verdict


@pytest.mark.parametrize(
    ("rules_ms", "verdict"), [(0.075, "holds"), (0.2, "holds in part"), (2.0, "does not hold")]
)
def test_the_speed_is_judged_by_the_factor_of_twenty(papers, rules_ms, verdict):
    slower = replace(papers, speed=replace(papers.speed, rules_ms=rules_ms))

    assert verdicts(slower)[6] == verdict


def test_the_table_holds_every_run_and_the_same_as_json(told, found):
    out, figures = told
    rows = list(csv.DictReader((out / "table.csv").read_text().splitlines()))

    assert json.loads((out / "results.json").read_text()) == figures
    assert [row["case"] for row in rows] == list(found.outcomes)
    assert [float(row["gain"]) for row in rows] == [row["gain"] for row in figures["runs"]]
    assert rows[0]["share_of_milp"] == "0.0"


def test_the_curves_end_where_their_runs_do(told, found):
    rows = list(csv.DictReader((told[0] / "curves.csv").read_text().splitlines()))

    assert len(rows) == 4
    assert rows[3]["ga-perfect-month"] == ""
    assert float(rows[3]["rules-perfect-year"]) == pytest.approx(
        found.of("rules").daily[3], abs=1e-4
    )


def test_the_page_loads_nothing_from_anywhere_and_names_what_is_generated(told):
    page = (told[0] / REPORT).read_text()
    own = page.replace(get_plotlyjs(), "")

    assert re.findall(r'(?:src|href|action|data)\s*=\s*"(?!data:)[^"]*"', own) == []
    assert "https://" not in own
    assert "Generated data: nothing was measured" in own
    assert "gridpact &amp; co" in own
    assert "$" not in re.sub(r"<style>.*?</style>|<script.*?</script>", "", own, flags=re.DOTALL)


def test_the_page_carries_all_figures_in_known_colours(told):
    page = (told[0] / REPORT).read_text()
    drawn = re.search(r'<script type="application/json" id="charts">(.*?)</script>', page, re.S)

    assert list(json.loads(drawn[1])) == FIGURES
    assert set(re.findall(r'"@([a-z-]+)"', drawn[1])) <= set(LIGHT)


def test_every_figure_lies_beside_the_page_as_a_picture(told):
    for name in FIGURES:
        head = (told[0] / f"{name}.png").read_bytes()[:24]
        assert struct.unpack(">I", head[16:20]) == (WIDTH_PX,)


def test_a_study_without_searches_has_no_section_of_them(study, found, tmp_path):
    year = {
        name: outcome for name, outcome in found.outcomes.items() if outcome.case.stretch == "year"
    }

    told = tell(
        replace(study, known="published"),
        replace(found, outcomes=year),
        tmp_path,
        forecast="linear",
        command="c",
    )

    assert len(told["claims"]) == 8
    assert not (tmp_path / "figure-5a.png").exists()
    assert "prices that the market has published" in (tmp_path / REPORT).read_text()


def test_a_row_that_the_milp_leaves_nothing_to_share_has_no_share(found):
    even = with_cash(found, none=0.0, milp=-1.0)
    rows = {row["case"]: row for row in table.rows(even)}

    assert rows["rules_trade-perfect-year"]["share_of_milp"] is None
    assert "–" in table.html(even, list(rows.values()), "perfect", "year")


@pytest.mark.parametrize("width", [390, 1280])
def test_a_browser_draws_every_chart_and_never_scrolls_sideways(told, shown, width):
    assert shown((told[0] / REPORT).read_text(), width) == '{"over":0,"drawn":true}'
