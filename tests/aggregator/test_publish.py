from dataclasses import replace

import pytest

from aggregator.award import Award
from aggregator.errors import PlanInputError
from aggregator.plan import plan_day, replan
from aggregator.problem import Limit
from aggregator.publish import schedule
from contracts.promise import Schedule


def award_of(grid, quantity_wh):
    return Award(grid=grid, quantity_wh=quantity_wh, price_per_mwh=(60.0,) * grid.count)


def test_a_re_plan_becomes_soc_commitment_and_steering(battery, day):
    forecast = day(demand_wh=[0.0, 0.0, 2_000.0], production_wh=[3_000.0, 0.0, 0.0])
    award = award_of(forecast.grid, (0, 500, 0))

    plan = replan(battery(stored_wh=5_000.0), forecast, award)

    # In: 3 kWh × 0.9 = 2.7 kWh. Out: 0.5 / 0.9 = 0.5556 and 2 / 0.9 = 2.2222 kWh, which would end
    # at 4.9222 kWh, 0.0778 below the start: that much of the evening's load is bought instead.
    assert schedule(plan, award, soc_margin=0.0) == Schedule(
        grid=forecast.grid,
        soc_bp=(7_700, 7_144, 5_000),
        commitment_wh=(0, 500, 0),
        steered=(False, True, True),
    )


def test_where_something_was_sold_homes_may_go_below_the_plan_by_the_margin(battery, day):
    forecast = day(demand_wh=[0.0, 0.0, 2_000.0], production_wh=[3_000.0, 0.0, 0.0])
    award = award_of(forecast.grid, (0, 500, 0))
    plan = replan(battery(stored_wh=5_000.0), forecast, award)

    assert schedule(plan, award).soc_bp == (7_700, 5_144, 5_000)
    assert schedule(plan, award, soc_margin=0.9).soc_bp == (7_700, 0, 5_000)
    with pytest.raises(PlanInputError, match="soc_margin"):
        schedule(plan, award, soc_margin=1.5)


def test_an_empty_battery_that_lets_the_fleet_import_follows(battery, day):
    forecast = day(demand_wh=[1_000.0, 1_000.0])
    award = award_of(forecast.grid, (0, 0))

    plan = replan(battery(), forecast, award)

    assert plan.import_wh.tolist() == pytest.approx([1_000.0, 1_000.0])
    assert schedule(plan, award).steered == (False, False)


def test_charging_from_the_grid_is_steered(battery, day):
    forecast = day(demand_wh=[0.0, 5_000.0], import_price=[20.0, 300.0])
    award = award_of(forecast.grid, (0, 0))

    assert schedule(replan(battery(), forecast, award), award).steered == (True, False)


def test_an_award_for_another_day_is_refused(battery, day):
    plan = plan_day(battery(), day(count=2))

    with pytest.raises(PlanInputError, match="re-plan for this award"):
        schedule(plan, award_of(day(count=3).grid, (0, 0, 0)))


def test_a_plan_that_does_not_deliver_the_award_is_refused_with_the_time(battery, day):
    forecast = day(demand_wh=[0.0, 0.0, 2_000.0], production_wh=[3_000.0, 0.0, 0.0])
    plan = replan(battery(stored_wh=5_000.0), forecast, award_of(forecast.grid, (0, 500, 0)))

    assert schedule(plan, award_of(forecast.grid, (0, 501, 0))).commitment_wh == (0, 501, 0)
    with pytest.raises(PlanInputError) as refused:
        schedule(plan, award_of(forecast.grid, (0, 700, 0)))
    assert str(refused.value) == (
        "plan exports 500 Wh in the interval from 2020-05-20T01:00:00+00:00, "
        "700 Wh are awarded; plan again with --award"
    )


def test_an_award_beyond_the_battery_is_published_once_the_plan_owns_the_breach(battery, day):
    forecast = day(demand_wh=[0.0, 0.0])
    award = award_of(forecast.grid, (0, 50_000))

    plan = replan(battery(stored_wh=5_000.0), forecast, award)

    assert Limit.COMMITMENT_SHORT in {broken.limit for broken in plan.broken}
    assert schedule(plan, award).commitment_wh == (0, 50_000)


def test_a_plan_that_fits_no_schedule_is_refused(battery, day):
    forecast = day(count=2)
    plan = plan_day(battery(), forecast)

    with pytest.raises(PlanInputError, match="plan the day again"):
        schedule(replace(plan, soc=plan.soc + 2.0), award_of(forecast.grid, (0, 0)))
