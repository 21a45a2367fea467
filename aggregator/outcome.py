"""What a course of the battery leads to: flows, cost, broken limits. Plain arithmetic, no solver.

A plan is fixed by the energy into the cells; everything else follows from it here, for the solver's
plan as for the fallback. So the balance and the storage recursion close to rounding, opposed flows
cannot occur, and what the solver claims is checked against an independent sum.
"""

from dataclasses import dataclass

import numpy as np

from aggregator.intraday_terms import deviation_wh
from aggregator.model import HELD, MINOR
from aggregator.problem import RESOLUTION_WH, Breach, Limit, Problem
from devices.arrays import BoolArray, FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The fleet's day under one course of the battery; every array has shape (slots,)."""

    charge_wh: FloatArray
    """E_C, into the cells, >= 0. [Wh]"""
    discharge_wh: FloatArray
    """E_D, out of the cells, >= 0. [Wh]"""
    import_wh: FloatArray
    """E_i, >= 0. [Wh]"""
    export_wh: FloatArray
    """E_e, >= 0. [Wh]"""
    stored_wh: FloatArray
    """Energy in the cells at each interval's end. [Wh]"""
    follows: BoolArray
    """True where the battery does what following residual demand would do."""


def outcome(problem: Problem, cell_wh: FloatArray) -> Outcome:
    """Return what a course of the battery leads to.

    Parameters
    ----------
    problem : Problem
        Battery and day.
    cell_wh : FloatArray, shape (slots,)
        E_C − E_D, energy into the cells; brought within power and capacity first. [Wh]

    Notes
    -----
    Net import is balance (2) of Couraud 2021; its positive part is E_i, its negative part E_e.
    """
    cell_wh = _feasible(problem, cell_wh)
    import_less_export_wh = problem.battery.terminal_wh(cell_wh) - problem.forecast.surplus_wh
    stored_wh = problem.battery.stored_wh + np.cumsum(cell_wh)
    return Outcome(
        charge_wh=np.maximum(cell_wh, 0.0),
        discharge_wh=np.maximum(-cell_wh, 0.0),
        import_wh=np.maximum(import_less_export_wh, 0.0),
        export_wh=np.maximum(-import_less_export_wh, 0.0),
        stored_wh=np.clip(stored_wh, 0.0, problem.battery.capacity_wh),
        follows=_follows(problem, cell_wh),
    )


def followed_cell_wh(problem: Problem) -> FloatArray:
    """Return the course that needs no solver: self-consumption, and commitments as far as possible.

    Returns
    -------
    FloatArray, shape (slots,)
        Energy into the cells when the battery follows surplus less commitment. [Wh]
    """
    battery, step_s = problem.battery, problem.forecast.grid.step_s
    left_wh = problem.forecast.surplus_wh - problem.committed_wh
    stored_wh = battery.stored_wh
    cell_wh = np.zeros_like(left_wh)
    for slot, wanted_wh in enumerate(left_wh):
        cell_wh[slot] = battery.followed_wh(stored_wh, float(wanted_wh), step_s)
        stored_wh += cell_wh[slot]
    return cell_wh


def cost(problem: Problem, result: Outcome) -> float:
    """Return eq. (1): Σ π_i E_i − π_e E_e. [currency]"""
    import_micro = problem.forecast.import_price_per_mwh * result.import_wh
    export_micro = problem.forecast.export_price_per_mwh * result.export_wh
    return float((import_micro - export_micro).sum()) / 1e6


def objective(problem: Problem, result: Outcome) -> float:
    """Return what the model minimises: cost, breaches, tie-break, trades. [currency]"""
    breach_micro = sum(
        problem.breach_price_per_mwh(limit) * float(wh.sum())
        for limit, wh in excess_wh(problem, result).items()
    )
    reached = cost(problem, result) + breach_micro / 1e6 + tie_break_cost(problem, result)
    if problem.trading is None:
        return reached
    net_export_wh = result.export_wh - result.import_wh
    position_wh = problem.trading.best_wh(net_export_wh)
    return reached + float(problem.trading.micro(position_wh, net_export_wh).sum()) / 1e6


def tie_break_cost(problem: Problem, result: Outcome) -> float:
    """Return the tie-break's part of the objective, as ``aggregator.model`` has it. [currency]"""
    earliness = 1 - np.arange(problem.forecast.grid.count) / problem.forecast.grid.count
    swing_wh = np.abs(np.diff(result.export_wh)).sum() if problem.bidding else 0.0
    exchange_wh = (earliness * (result.import_wh + result.export_wh)).sum()
    cells_wh = (result.charge_wh + result.discharge_wh).sum()
    room_wh = problem.battery.capacity_wh - result.stored_wh[-1]
    weighted_wh = float(swing_wh + MINOR * (exchange_wh + cells_wh + HELD * room_wh))
    return problem.options.smoothing_per_mwh * weighted_wh / 1e6


def excess_wh(problem: Problem, result: Outcome) -> dict[Limit, FloatArray]:
    """Return by how much each limit is exceeded in each interval, arrays of shape (slots,). [Wh]"""
    battery, options = problem.battery, problem.options
    net_export_wh = result.export_wh - result.import_wh
    position_wh = problem.committed_wh
    if problem.trading is not None:
        position_wh = problem.trading.best_wh(net_export_wh)
    short_wh, over_wh = deviation_wh(position_wh, net_export_wh)
    end_short_wh = np.zeros_like(short_wh)
    if problem.end_stored_wh is not None:
        end_short_wh[-1] = problem.end_stored_wh - result.stored_wh[-1]
    above_wh = {
        Limit.STORED_LOW: battery.stored_min_wh - result.stored_wh,
        Limit.STORED_HIGH: result.stored_wh - battery.stored_max_wh,
        Limit.END_LOW: end_short_wh,
        Limit.IMPORT_HIGH: result.import_wh - problem.grid_limit_wh(options.import_limit_w),
        Limit.EXPORT_HIGH: result.export_wh - problem.grid_limit_wh(options.export_limit_w),
        Limit.COMMITMENT_SHORT: short_wh,
        Limit.COMMITMENT_OVER: over_wh,
    }
    return {limit: np.maximum(wh, 0.0) for limit, wh in above_wh.items()}


def breaches(problem: Problem, result: Outcome) -> tuple[Breach, ...]:
    """Return every limit exceeded by what the wire can show, in order of limit and interval."""
    first = problem.forecast.grid.first_interval
    return tuple(
        Breach(limit=limit, interval=first + int(slot), amount_wh=float(wh[slot]))
        for limit, wh in excess_wh(problem, result).items()
        for slot in np.flatnonzero(wh > RESOLUTION_WH)
    )


def _feasible(problem: Problem, cell_wh: FloatArray) -> FloatArray:
    """Return a course without the solver's last rounding beyond power and capacity. [Wh]"""
    battery = problem.battery
    most_wh = battery.cell_max_wh(problem.forecast.grid.step_s)
    stored_wh, kept_wh = battery.stored_wh, np.zeros_like(cell_wh)
    for slot, wanted_wh in enumerate(np.clip(cell_wh, -most_wh, most_wh)):
        after_wh = min(max(stored_wh + wanted_wh, 0.0), battery.capacity_wh)
        kept_wh[slot] = after_wh - stored_wh
        stored_wh = after_wh
    return kept_wh


def _follows(problem: Problem, cell_wh: FloatArray) -> BoolArray:
    """Tell where following the surplus from the same state would do the same, shape (slots,)."""
    battery, step_s = problem.battery, problem.forecast.grid.step_s
    before_wh = battery.stored_wh + np.cumsum(cell_wh) - cell_wh
    followed_wh = [
        battery.followed_wh(float(stored_wh), float(surplus_wh), step_s)
        for stored_wh, surplus_wh in zip(before_wh, problem.forecast.surplus_wh, strict=True)
    ]
    return np.abs(np.array(followed_wh) - cell_wh) < RESOLUTION_WH
