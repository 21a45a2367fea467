"""Installed costs: what the paper's own table allows, and years to pay."""

import pytest

from scenarios.couraud.cases import CASES
from scenarios.couraud.costs import PUBLIC_COST, implied_cost, implied_range, years_to_pay
from scenarios.couraud.paper import HOMES, TABLE_II


def test_scenarios_with_the_same_batteries_agree_on_one_cost_though_one_has_no_plant():
    low, high = implied_range((1, 2, 3, 4))

    # 2722 x 12 x 12.5 from scenario 2, 3689 x 12 x 9.5 from scenario 4
    assert (low, high) == (408_300.0, 420_546.0)


@pytest.mark.parametrize("number", [1, 2, 3, 4, 5])
def test_the_implied_cost_gives_the_papers_years_back(number):
    cost = implied_cost().installed(
        CASES[number].arrangement, homes=HOMES, panels_w=0.0, batteries_wh=0.0
    )

    printed = TABLE_II[number]
    years = years_to_pay(cost, printed.total * 12, 365)
    assert years is not None
    assert round(years) == printed.roi_years


def test_public_figures_go_by_rating_and_capacity():
    cost = PUBLIC_COST.installed(
        CASES[4].arrangement, homes=2, panels_w=5_000.0, batteries_wh=20_600.0
    )

    assert cost == pytest.approx(5_000 * 1.70 + 20_600 * 0.52)


@pytest.mark.parametrize(("cost", "total"), [(0.0, 10.0), (10.0, 0.0), (10.0, -1.0)])
def test_what_costs_or_earns_nothing_has_no_years(cost, total):
    assert years_to_pay(cost, total, 30) is None
