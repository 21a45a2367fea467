"""The paper's claims, judged: on the paper's own figures all hold, and each can fail."""

import json
from dataclasses import replace

import numpy as np
import pytest

from scenarios.couraud.beside import claims, sensitivity
from scenarios.couraud.paper import CONSUMPTION_RATE, SUPPLIED_TIME, TABLE_II
from scenarios.couraud.results import Result, Supply
from scenarios.report.judged import Claim


def printed(number: int) -> Result:
    """Return the paper's own figures of a scenario."""
    row, rate = TABLE_II[number], CONSUMPTION_RATE.get(number, 0.5)
    time = SUPPLIED_TIME.get(number, 0.5)
    return Result(
        number=number,
        days=30,
        homes=70,
        baseline=5000.0,
        bill=5000.0 - row.bill_reduction,
        site_bill=0.0,
        market_revenue=row.market_revenue,
        imbalance_cost=0.0,
        plant_value=500.0,
        export_error=0.09,
        supply=Supply(
            production_ratio=1.0,
            own_rate=rate,
            own_time=time,
            no_import_rate=rate,
            no_import_time=time,
            fleet_rate=0.64,
            fleet_time=0.64,
        ),
        peak_to_average=np.full(70, 20.0),
        credits_micro=0,
        fee_micro=0,
        dust_micro=0,
        revenue_micro=0,
        energy_balance_error_wh=0.0,
    )


@pytest.fixture
def results() -> dict[int, Result]:
    return {number: printed(number) for number in TABLE_II}


def verdicts(results) -> list[str]:
    return [claim.verdict for claim in claims(results, "GBP")]


def test_on_the_papers_own_figures_every_claim_holds(results):
    assert verdicts(results) == ["holds"] * 9


@pytest.mark.parametrize(
    ("total_4", "verdict"), [(100.0, "holds"), (-150.0, "holds"), (-300.0, "does not hold")]
)
def test_over_a_scenario_that_loses_only_a_better_one_is_more(results, total_4, verdict):
    results[2] = replace(results[2], bill=5000.0, market_revenue=-200.0)
    results[4] = replace(results[4], bill=5000.0, market_revenue=total_4)

    assert verdicts(results)[1] == verdict


@pytest.mark.parametrize(
    ("number", "change", "place", "verdict"),
    [
        (1, {"bill": 0.0}, 0, "does not hold"),
        (2, {"market_revenue": 3600.0}, 1, "holds in part"),
        (2, {"market_revenue": 3700.0}, 1, "does not hold"),
        (3, {"market_revenue": 1000.0}, 2, "holds in part"),
        (1, {"bill": 2000.0}, 3, "holds in part"),
        (4, {"export_error": 0.11}, 7, "does not hold"),
        (4, {"export_error": None}, 7, "does not hold"),
        (4, {"peak_to_average": np.full(70, 60.0)}, 8, "does not hold"),
    ],
)
def test_a_figure_that_breaks_a_claim_is_said_to(results, number, change, place, verdict):
    results[number] = replace(results[number], **change)

    assert verdicts(results)[place] == verdict


@pytest.mark.parametrize(
    ("change", "place", "verdict"),
    [
        ({"own_rate": 0.3}, 4, "holds in part"),
        ({"own_rate": 0.2}, 4, "does not hold"),
        ({"own_time": 0.5}, 5, "holds in part"),
        ({"own_time": 0.2}, 5, "does not hold"),
        ({"fleet_rate": 0.6}, 6, "does not hold"),
    ],
)
def test_a_rate_that_breaks_a_claim_is_said_to(results, change, place, verdict):
    results[4] = replace(results[4], supply=replace(results[4].supply, **change))

    assert verdicts(results)[place] == verdict


def test_reasons_carry_the_figures_that_they_stand_on(results):
    _, over_central, *_ = claims(results, "GBP")

    assert over_central.ours == "+36\N{NO-BREAK SPACE}%"
    assert over_central.reason == (
        "Bills fall by £2,887 against £0, the market brings £802 against £2,722, net of imbalance "
        "and of the £0 that the central site pays for its own draw, from the plant over the wire "
        "or from the grid."
    )


def test_sweeps_bring_their_own_claims(tmp_path):
    claim = {"paper": "falls", "here": "falls", "verdict": "holds", "because": "so", "holds": True}
    sweep = {
        "about": "Minutes between reports.",
        "claims": [claim],
        "points": [{"figures": {"asked": {"days": 7, "homes": 20}}}],
    }
    (tmp_path / "sweep-t-sc").mkdir()
    (tmp_path / "sweep-t-sc" / "results.json").write_text(json.dumps(sweep))

    assert sensitivity(tmp_path) == [
        Claim(
            text="Minutes between reports. 7 days of 20 homes.",
            printed="falls",
            ours="falls",
            verdict="holds",
            reason="so",
        )
    ]
    assert sensitivity(tmp_path / "nothing") == []
