"""Pyomo to HiGHS in memory: silent, and safe beside other threads.

Pyomo's own HiGHS interfaces redirect the process's stdout and stderr while they solve; two planning
threads then deadlock and other threads lose lines. A linear model needs only the few calls below.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import highspy
import numpy as np
import pyomo.environ as pyo
from pyomo.repn import generate_standard_repn

from aggregator.errors import PlanInputError, PlanUnavailableError
from aggregator.model import add_exclusivity, build
from aggregator.problem import Problem
from devices.arrays import FloatArray

RELATIVE_GAP = 1e-6
"""Relative gap at which branch and bound stops."""
EXCLUSIVE_KWH = 1e-6
"""Energy up to which two opposed flows count as one; the solver's feasibility is 1e-7. [kWh]"""
WHOLE = 1e-9
"""How far from 0 or 1 the relaxation may leave what is to be a binary."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Solution:
    """What the solver found."""

    cell_wh: FloatArray
    """E_C − E_D, energy into the cells, shape (slots,). [Wh]"""
    bound: float | None
    """No plan has a smaller objective; None where the solver has shown nothing. [currency]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """One call of HiGHS."""

    bound: float
    """Proved lower bound of the objective, −inf when there is none. [currency / 1000]"""
    run_time_s: float
    """Time the solver says it took. [s]"""


def solve(problem: Problem, *, time_limit_s: float) -> Solution:
    """Return the cheapest plan, or the best one found in time.

    Raises
    ------
    PlanUnavailableError
        If the solver has not even solved the relaxation when it stops.

    Notes
    -----
    The relaxation comes first. When it never uses two opposed flows at once it satisfies the
    exclusivity it was freed of, hence is the optimum; binaries are needed only where a price is
    negative, π_e > π_i, or a limit makes energy a burden.
    """
    m = build(problem)
    relaxed = _run(m, time_limit_s)
    if _is_exclusive(m, problem):
        return _solution(m, relaxed.bound)
    course = _solution(m, relaxed.bound)
    add_exclusivity(m, problem)
    try:
        run = _run(m, max(time_limit_s - relaxed.run_time_s, 0.0))
    except PlanUnavailableError:
        # What the cells did in the relaxation is a course as well; its bound says how good.
        return course
    return _solution(m, max(run.bound, relaxed.bound))


def _solution(m: pyo.ConcreteModel, bound: float) -> Solution:
    """Return what the model's variables hold now."""
    cell_kwh = _values(m.charge_kwh) - _values(m.discharge_kwh)
    shown = bound / 1000 if math.isfinite(bound) else None
    return Solution(cell_wh=cell_kwh * 1000, bound=shown)


def _is_exclusive(m: pyo.ConcreteModel, problem: Problem) -> bool:
    """Tell whether no interval charges and discharges, imports and exports, or half settles."""
    cells_kwh = np.minimum(_values(m.charge_kwh), _values(m.discharge_kwh))
    grid_kwh = np.minimum(_values(m.import_kwh), _values(m.export_kwh))
    opposed_kwh = max(cells_kwh.max(), grid_kwh.max())
    return bool(opposed_kwh <= EXCLUSIVE_KWH and (problem.trading is None or _is_settled(m)))


def _is_settled(m: pyo.ConcreteModel) -> bool:
    """Tell whether every interval of a plan that trades is committed, or is not."""
    committed = _values(m.committed)
    return bool(np.abs(committed - np.rint(committed)).max() <= WHOLE)


def _values(variable: pyo.Var) -> FloatArray:
    """Return a solved variable's values in the order of its index."""
    return np.array([variable[t].value for t in variable.index_set()], dtype=np.float64)


def _run(m: pyo.ConcreteModel, time_limit_s: float) -> _Run:
    """Solve, write the best solution into the model's variables and return what is proved."""
    columns = list(m.component_data_objects(pyo.Var, active=True))
    solver = _translate(m, columns)
    solver.setOptionValue("time_limit", float(time_limit_s))
    solver.run()
    status, info = solver.getModelStatus(), solver.getInfo()
    if info.primal_solution_status != highspy.SolutionStatus.kSolutionStatusFeasible:
        why = solver.modelStatusToString(status).lower()
        msg = f"the solver found no plan in {time_limit_s:g} s ({why}); allow more time"
        raise PlanUnavailableError(msg)
    for column, value in zip(columns, solver.getSolution().col_value, strict=True):
        column.set_value(value, skip_validation=True)
    optimal = status == highspy.HighsModelStatus.kOptimal
    is_mip = any(column.is_binary() for column in columns)
    relaxed_bound = info.objective_function_value if optimal else -math.inf
    return _Run(
        bound=info.mip_dual_bound if is_mip else relaxed_bound, run_time_s=solver.getRunTime()
    )


def _translate(m: pyo.ConcreteModel, columns: list[pyo.Var]) -> highspy.Highs:
    """Return HiGHS loaded with a linear model, column by column in the order given."""
    solver = highspy.Highs()  # type: ignore[no-untyped-call]
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("mip_rel_gap", RELATIVE_GAP)
    number = {id(column): index for index, column in enumerate(columns)}
    lower, upper = zip(*(column.bounds for column in columns), strict=True)
    solver.addVars(len(columns), _bounds(lower, -math.inf), _bounds(upper, math.inf))
    binary = np.array([i for i, c in enumerate(columns) if c.is_binary()], dtype=np.int32)
    integer = np.full(binary.size, highspy.HighsVarType.kInteger)
    solver.changeColsIntegrality(binary.size, binary, integer)
    cost = np.zeros(len(columns))
    objective = generate_standard_repn(m.cost.expr)
    for column, coefficient in zip(objective.linear_vars, objective.linear_coefs, strict=True):
        cost[number[id(column)]] = coefficient
    _require_finite("objective", cost)
    solver.changeObjectiveOffset(float(objective.constant))
    solver.changeColsCost(len(columns), np.arange(len(columns), dtype=np.int32), cost)
    _add_rows(solver, m, number)
    return solver


def _add_rows(solver: highspy.Highs, m: pyo.ConcreteModel, number: dict[int, int]) -> None:
    """Pass every constraint to the solver in one call."""
    rows = list(m.component_data_objects(pyo.Constraint, active=True))
    forms = [generate_standard_repn(row.body) for row in rows]
    start = np.cumsum([0, *(len(form.linear_vars) for form in forms)])
    column = [number[id(variable)] for form in forms for variable in form.linear_vars]
    coefficient = np.array([c for form in forms for c in form.linear_coefs], dtype=np.float64)
    constant = np.array([form.constant for form in forms], dtype=np.float64)
    _require_finite("constraints", coefficient)
    _require_finite("constraints", constant)
    lower = _bounds([pyo.value(row.lower) for row in rows], -math.inf) - constant
    upper = _bounds([pyo.value(row.upper) for row in rows], math.inf) - constant
    solver.addRows(
        len(rows),
        lower,
        upper,
        coefficient.size,
        start[:-1].astype(np.int32),
        np.array(column, dtype=np.int32),
        coefficient,
    )


def _bounds(values: Sequence[float | None], missing: float) -> FloatArray:
    """Return bounds as an array, ``missing`` where there is none; Pyomo has refused NaN."""
    return np.array([missing if v is None else v for v in values], dtype=np.float64)


def _require_finite(part: str, values: FloatArray) -> None:
    """Refuse what HiGHS would not return from."""
    if not np.isfinite(values).all():
        msg = f"the plan's {part} hold a number that is not finite; check battery and forecast"
        raise PlanInputError(msg)
