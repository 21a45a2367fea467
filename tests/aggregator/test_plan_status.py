"""The status of a plan is what was shown, not what the solver called itself (§12)."""

from dataclasses import replace

import numpy as np
import pytest

from aggregator.errors import PlanInputError
from aggregator.plan import PlanStatus, plan_day
from aggregator.solver import Solution


@pytest.fixture
def stopped(monkeypatch):
    """Return a setter of what the solver has when its time is over."""

    def stop(cell_wh, bound):
        solution = Solution(cell_wh=np.array(cell_wh), bound=bound)
        monkeypatch.setattr("aggregator.plan.solve", lambda problem, time_limit_s: solution)

    return stop


@pytest.fixture
def spread(day):
    """Cheap, then dear: the best plan buys early, which self-consumption would not."""
    return day(demand_wh=[0.0, 3_000.0], import_price=[50.0, 400.0])


@pytest.fixture
def sunny(day):
    """A surplus and a later load: the best plan is self-consumption."""
    return day(demand_wh=[0.0, 3_000.0], production_wh=[2_000.0, 0.0], import_price=200.0)


def test_the_best_plan_without_its_bound_is_a_heuristic(stopped, battery, spread):
    best = plan_day(battery(), spread)
    stopped(best.charge_wh - best.discharge_wh, None)

    assert plan_day(battery(), spread).status == PlanStatus(kind="heuristic")


def test_the_distance_to_the_bound_is_the_gap(stopped, battery, spread):
    best = plan_day(battery(), spread)
    stopped(best.charge_wh - best.discharge_wh, best.objective - 0.05)

    status = plan_day(battery(), spread).status

    assert status.kind == "gap"
    assert status.gap == pytest.approx(0.05)
    assert str(status) == "gap(0.05)"


def test_a_course_that_misses_its_claimed_optimum_is_not_called_proved(stopped, battery, spread):
    best = plan_day(battery(), spread)
    stopped([0.0, 0.0], best.objective)

    plan = plan_day(battery(), spread)

    # Idle, 3 kWh are bought at 0.4; bought at 0.05 they cost 3 / 0.81 × 0.05 = 0.185185.
    assert plan.status.kind == "gap"
    assert plan.status.gap == pytest.approx(1.2 - 0.185185, abs=1e-3)


def test_a_course_worse_than_self_consumption_and_without_bound_falls_back(stopped, battery, sunny):
    stopped([0.0, 0.0], None)

    plan = plan_day(battery(), sunny)

    assert plan.status == PlanStatus(kind="fallback")
    assert "dearer" in plan.reason
    assert plan.charge_wh == pytest.approx(np.array([1_800.0, 0.0]))


def test_a_bounded_course_worse_than_self_consumption_gives_way_with_the_bound_kept(
    stopped, battery, sunny
):
    best = plan_day(battery(), sunny)
    stopped([0.0, 0.0], best.objective)

    plan = plan_day(battery(), sunny)

    assert plan.status == PlanStatus(kind="proved")
    assert plan.follows.all()


def test_a_course_beyond_power_and_capacity_is_brought_back_inside(stopped, battery, sunny):
    stopped([1_800.0, -1_800.0 - 2e-3], None)

    plan = plan_day(battery(), sunny)

    assert plan.soc.min() >= 0.0
    assert plan.discharge_wh[1] == pytest.approx(plan.charge_wh[0])


def test_what_no_plan_can_be_is_refused(battery, day):
    plan = plan_day(battery(), day())

    with pytest.raises(PlanInputError, match="plan status is 'optimal'"):
        PlanStatus(kind="optimal")
    with pytest.raises(PlanInputError, match="plan gap"):
        PlanStatus(kind="gap", gap=float("nan"))
    with pytest.raises(PlanInputError, match="plan soc is nan in slot 0"):
        replace(plan, soc=np.array([np.nan, 0.0]))
    with pytest.raises(PlanInputError, match=r"plan follows has shape \(3,\)"):
        replace(plan, follows=np.zeros(3, dtype=np.bool_))
    with pytest.raises(PlanInputError, match="time_limit_s"):
        plan_day(battery(), day(), time_limit_s=float("nan"))
