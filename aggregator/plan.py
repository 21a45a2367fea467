"""The day-ahead plan and the re-plan after the market has cleared."""

from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np

from aggregator.award import Award
from aggregator.errors import PlanInputError, PlanUnavailableError
from aggregator.forecast import Forecast
from aggregator.outcome import breaches, cost, followed_cell_wh, objective, outcome
from aggregator.problem import Breach, PlanOptions, Problem
from aggregator.series import require_number, require_series
from aggregator.solver import RELATIVE_GAP, solve
from aggregator.virtual_battery import VirtualBattery
from contracts.timegrid import TimeGrid
from devices.arrays import BoolArray, FloatArray

StatusKind = Literal["proved", "gap", "heuristic", "fallback"]
"""What is known of a plan, see `PlanStatus`."""
PROVED_GAP = 1e-4
"""A gap up to this, plus twice the solver's relative gap, counts as proved. [currency]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanStatus:
    """How good a plan is known to be (§12)."""

    kind: StatusKind
    """``proved``: no plan is cheaper. ``gap``: none is cheaper by more than ``gap``. ``heuristic``:
    from the solver, but nothing is shown. ``fallback``: the solver had nothing
    better than a battery that follows."""
    gap: float = 0.0
    """How much dearer than the best plan it may be, for ``gap``. [currency]"""

    def __post_init__(self) -> None:
        if self.kind not in get_args(StatusKind):
            msg = f"plan status is {self.kind!r}; it must be one of {get_args(StatusKind)}"
            raise PlanInputError(msg)
        require_number("plan gap", self.gap, minimum=0.0)

    def __str__(self) -> str:
        return f"gap({self.gap:.4g})" if self.kind == "gap" else self.kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The virtual battery's day; every array has shape (slots,)."""

    grid: TimeGrid
    """The market's intervals."""
    charge_wh: FloatArray
    """E_C, into the cells, >= 0. [Wh]"""
    discharge_wh: FloatArray
    """E_D, out of the cells, >= 0. [Wh]"""
    import_wh: FloatArray
    """E_i of the fleet, >= 0. [Wh]"""
    export_wh: FloatArray
    """E_e of the fleet, >= 0: what may be bid. [Wh]"""
    soc: FloatArray
    """State of charge at each interval's end, 0..1."""
    follows: BoolArray
    """True where the battery merely follows residual demand, as far as it can: S^t = 0, eq. (5)."""
    cost: float
    """Σ π_i E_i − π_e E_e, eq. (1): without breaches and tie-break. [currency]"""
    objective: float
    """What was minimised: cost, price of breaches, tie-break. [currency]"""
    bound: float | None
    """No plan has a smaller objective; None where nothing was shown. [currency]"""
    status: PlanStatus
    """How good it is known to be."""
    broken: tuple[Breach, ...]
    """Soft limits it had to break."""
    reason: str = ""
    """Why there is only a fallback; empty otherwise."""

    def __post_init__(self) -> None:
        for name in ("charge_wh", "discharge_wh", "import_wh", "export_wh", "soc"):
            require_series(f"plan {name}", getattr(self, name), self.grid.count, minimum=0.0)
        if self.follows.shape != (self.grid.count,):
            msg = f"plan follows has shape {self.follows.shape}, the grid {self.grid.count} slots"
            raise PlanInputError(msg)


def plan_day(
    battery: VirtualBattery,
    forecast: Forecast,
    *,
    options: PlanOptions | None = None,
    time_limit_s: float = 20.0,
) -> Plan:
    """Plan a market day at forecast prices: phase 1.

    Parameters
    ----------
    battery : VirtualBattery
        The fleet's battery, at the day's start.
    forecast : Forecast
        Energy and prices of the day.
    options : PlanOptions, optional
        End target, limits, tie-break.
    time_limit_s : float
        Time for the solver; the best plan found by then is returned. [s]

    Returns
    -------
    Plan
        Always a plan; its status says how good it is.

    Notes
    -----
    Couraud 2021, eq. (1)-(4).
    """
    problem = Problem(
        battery=battery,
        forecast=forecast,
        options=options or PlanOptions(),
        committed_wh=np.zeros(forecast.grid.count),
        bidding=True,
    )
    return best_plan(problem, time_limit_s)


def replan(
    battery: VirtualBattery,
    forecast: Forecast,
    award: Award,
    *,
    options: PlanOptions | None = None,
    time_limit_s: float = 20.0,
) -> Plan:
    """Plan the day again for what the market awarded: phase 2; the rest is as for `plan_day`.

    Parameters
    ----------
    forecast : Forecast
        Energy and prices of the day; its export prices give way to the award.
    award : Award
        What the market took, on the forecast's grid.

    Returns
    -------
    Plan
        Its net export is the award, unless ``broken`` says otherwise.

    Notes
    -----
    Couraud 2021, section II: π_e = 0 where nothing was awarded, E_e = E_c where something was.
    """
    if award.grid != forecast.grid:
        msg = f"award is on {award.grid}, the forecast on {forecast.grid}; clear the same day"
        raise PlanInputError(msg)
    committed_wh = np.array(award.quantity_wh, dtype=np.float64)
    price = np.where(committed_wh > 0, np.array(award.price_per_mwh), 0.0)
    problem = Problem(
        battery=battery,
        forecast=replace(forecast, export_price_per_mwh=price),
        options=options or PlanOptions(),
        committed_wh=committed_wh,
        bidding=False,
    )
    return best_plan(problem, time_limit_s)


def follow_day(battery: VirtualBattery, forecast: Forecast) -> Plan:
    """Return the day of a fleet that sells nothing: every battery follows its home.

    Parameters
    ----------
    battery : VirtualBattery
        The fleet's battery, at the day's start.
    forecast : Forecast
        Energy and prices of the day.
    """
    problem = Problem(
        battery=battery,
        forecast=replace(forecast, export_price_per_mwh=np.zeros(forecast.grid.count)),
        options=PlanOptions(),
        committed_wh=np.zeros(forecast.grid.count),
        bidding=False,
    )
    return _plan(problem, followed_cell_wh(problem), None)


def best_plan(problem: Problem, time_limit_s: float) -> Plan:
    """Return the solver's plan; while unproved, the course that needs no solver may beat it.

    Parameters
    ----------
    problem : Problem
        Battery, day, and what is bid, promised or traded.
    time_limit_s : float
        Time for the solver. [s]
    """
    require_number("time_limit_s", time_limit_s, minimum=0.0)
    try:
        solution = solve(problem, time_limit_s=time_limit_s)
    except PlanUnavailableError as error:
        return _plan(problem, followed_cell_wh(problem), None, fallback=str(error))
    plan = _plan(problem, solution.cell_wh, solution.bound)
    if plan.status.kind == "proved":
        return plan
    dearer = "" if solution.bound is not None else "what the solver had found in time was dearer"
    followed = _plan(problem, followed_cell_wh(problem), solution.bound, fallback=dearer)
    return min(plan, followed, key=lambda candidate: candidate.objective)


def _plan(
    problem: Problem, cell_wh: FloatArray, bound: float | None, *, fallback: str = ""
) -> Plan:
    """Return the plan of a course, its status from its own objective and the solver's bound."""
    result = outcome(problem, cell_wh)
    reached = objective(problem, result)
    status = PlanStatus(kind="fallback") if fallback else _status(reached, bound)
    return Plan(
        grid=problem.forecast.grid,
        charge_wh=result.charge_wh,
        discharge_wh=result.discharge_wh,
        import_wh=result.import_wh,
        export_wh=result.export_wh,
        soc=result.stored_wh / problem.battery.capacity_wh,
        follows=result.follows,
        cost=cost(problem, result),
        objective=reached,
        bound=bound,
        status=status,
        broken=breaches(problem, result),
        reason=fallback,
    )


def _status(reached: float, bound: float | None) -> PlanStatus:
    """Return what the distance from objective to bound shows."""
    if bound is None:
        return PlanStatus(kind="heuristic")
    gap = reached - bound
    if gap <= PROVED_GAP + 2 * RELATIVE_GAP * abs(reached):
        return PlanStatus(kind="proved")
    return PlanStatus(kind="gap", gap=gap)
