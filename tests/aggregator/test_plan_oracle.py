"""The plan against an oracle that shares no code with it: one LP for every mode of every interval.

With the modes fixed (charging or discharging, importing or exporting) the problem is a linear
programme of a few columns, written here for HiGHS directly; the best of all is the optimum.
"""

import itertools
import math

import highspy
import numpy as np
import pytest

from aggregator.model import add_exclusivity, build
from aggregator.plan import plan_day
from aggregator.problem import PlanOptions, Problem
from aggregator.solver import solve

PLAIN = PlanOptions(smoothing_per_mwh=0.0)


def cheapest(battery, forecast):
    """Return the least cost over all modes, the end at least where it started. [currency]"""
    modes = itertools.product((True, False), repeat=2 * forecast.grid.count)
    found = (mode_cost(battery, forecast, mode) for mode in modes)
    return min(cost for cost in found if cost is not None)


def mode_cost(battery, forecast, mode):
    """Return the least cost with one flow of each pair open, None if that is impossible."""
    n = forecast.grid.count
    most_kwh = battery.power_max_w * forecast.grid.step_h / 1000
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    columns = {name: [] for name in "cdie"}
    for t in range(n):
        charging, importing = mode[t], mode[n + t]
        bounds = {
            "c": most_kwh * charging, "d": most_kwh * (not charging),
            "i": 1e6 * importing, "e": 1e6 * (not importing),
        }  # fmt: skip
        price = {"i": forecast.import_price_per_mwh[t], "e": -forecast.export_price_per_mwh[t]}
        for name, upper in bounds.items():
            columns[name].append(
                solver.addVariable(lb=0.0, ub=float(upper), obj=float(price.get(name, 0.0)) / 1000)
            )
    c, d, i, e = (columns[name] for name in "cdie")
    stored = battery.stored_wh / 1000
    for t in range(n):
        surplus_kwh = float(forecast.production_wh[t] - forecast.demand_wh[t]) / 1000
        eta_c, eta_d = battery.charge_efficiency, battery.discharge_efficiency
        solver.addConstr(i[t] - e[t] + eta_d * d[t] - (1 / eta_c) * c[t] == -surplus_kwh)
        moved = sum(c[: t + 1]) - sum(d[: t + 1])
        low = battery.stored_min_wh / 1000 if t < n - 1 else stored
        solver.addConstr(moved >= low - stored)
        solver.addConstr(moved <= battery.stored_max_wh / 1000 - stored)
    solver.run()
    optimal = solver.getModelStatus() == highspy.HighsModelStatus.kOptimal
    return solver.getInfo().objective_function_value if optimal else None


@pytest.mark.parametrize("seed", range(24))
def test_the_plan_costs_what_the_best_of_all_modes_costs(battery, day, seed):
    rng = np.random.default_rng(seed)
    fleet = battery(
        power_max_w=rng.uniform(1_000, 8_000),
        charge_efficiency=rng.uniform(0.7, 1.0),
        discharge_efficiency=rng.uniform(0.7, 1.0),
        stored_min_wh=1_000.0,
        stored_max_wh=9_000.0,
        stored_wh=rng.uniform(1_000, 9_000),
    )
    centre = (-30.0, 30.0, 100.0)[seed % 3]
    forecast = day(
        demand_wh=rng.uniform(0, 5_000, 3).tolist(),
        production_wh=rng.uniform(0, 5_000, 3).tolist(),
        import_price=rng.normal(centre, 50, 3).tolist(),
        export_price=rng.normal(centre, 50, 3).tolist(),
    )

    plan = plan_day(fleet, forecast, options=PLAIN)

    assert plan.cost == pytest.approx(cheapest(fleet, forecast), abs=2e-5)
    assert plan.status.kind == "proved"
    assert plan.broken == ()


@pytest.mark.parametrize(
    ("bought", "sold", "binaries"),
    [(100.0, 50.0, False), (30.0, 40.0, True), (-20.0, -30.0, True)],
)
def test_binaries_are_added_only_where_the_relaxation_needs_them(
    battery, day, monkeypatch, bought, sold, binaries
):
    added = []
    monkeypatch.setattr("aggregator.solver.add_exclusivity", recorded(added))
    problem = Problem(
        battery=battery(stored_wh=5_000.0),
        forecast=day(
            demand_wh=[1_000.0, 0.0], production_wh=[0.0, 1_000.0], import_price=bought,
            export_price=sold,
        ),
        options=PLAIN,
        committed_wh=np.zeros(2),
        bidding=True,
    )  # fmt: skip

    solution = solve(problem, time_limit_s=10.0)

    assert bool(added) is binaries
    assert solution.bound is not None
    assert math.isfinite(solution.bound)


def recorded(added):
    """Return the real function, with a record of its calls."""

    def add(m, problem):
        added.append(problem)
        add_exclusivity(m, problem)

    return add


def test_the_model_is_built_without_being_solved(battery, day):
    problem = Problem(
        battery=battery(), forecast=day(), options=PLAIN, committed_wh=np.zeros(2), bidding=True
    )

    m = build(problem)

    assert {v.name for v in m.component_objects() if v.ctype.__name__ == "Var"} == {
        "charge_kwh", "discharge_kwh", "import_kwh", "export_kwh", "stored_kwh", "excess_kwh",
        "swing_kwh",
    }  # fmt: skip
    assert m.charge_kwh[0].value is None
