import threading

import numpy as np
import pyomo.environ as pyo
import pytest

from aggregator.errors import PlanInputError, PlanUnavailableError
from aggregator.model import build
from aggregator.outcome import objective, outcome
from aggregator.plan import plan_day
from aggregator.problem import PlanOptions, Problem
from aggregator.solver import _run, solve


@pytest.fixture
def problem(battery, day):
    return Problem(
        battery=battery(stored_wh=5_000.0),
        forecast=day(demand_wh=[2_000.0, 500.0], export_price=[40.0, 90.0]),
        options=PlanOptions(),
        committed_wh=np.zeros(2),
        bidding=True,
    )


def test_the_bound_meets_the_objective_summed_without_the_solver(problem):
    solution = solve(problem, time_limit_s=10.0)

    assert objective(problem, outcome(problem, solution.cell_wh)) == pytest.approx(solution.bound)


def test_nothing_is_printed(problem, capfd):
    solve(problem, time_limit_s=10.0)

    assert capfd.readouterr() == ("", "")


def test_plans_made_in_threads_are_those_made_alone(battery, day):
    forecast = day(demand_wh=[2_000.0, 500.0] * 6, import_price=30.0, export_price=40.0)
    alone = plan_day(battery(), forecast)
    plans = []

    threads = [
        threading.Thread(target=lambda: plans.append(plan_day(battery(), forecast)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)

    assert [plan.cost for plan in plans] == [alone.cost] * 4


def test_no_time_at_all_is_unavailable(problem):
    with pytest.raises(PlanUnavailableError, match="allow more time"):
        solve(problem, time_limit_s=0.0)


def test_a_cost_that_is_not_finite_never_reaches_the_solver(problem):
    m = build(problem)
    m.cost.expr = m.cost.expr + float("nan") * m.charge_kwh[0]

    with pytest.raises(PlanInputError, match="objective"):
        _run(m, 10.0)


def test_a_bound_that_is_not_a_number_never_reaches_the_solver(problem):
    m = build(problem)
    m.charge_kwh[0].setub(float("nan"))

    with pytest.raises(ValueError, match="non-finite"):
        _run(m, 10.0)


def test_a_limit_on_the_day_before_the_first_interval_does_not_exist(problem):
    m = build(problem)

    assert sorted(m.rise) == [1]
    assert pyo.value(m.balance[0].upper) == pytest.approx(2.0)
