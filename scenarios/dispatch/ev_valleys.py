"""Smart charging that fills the valleys of a load: the least peak, without a solver.

``fill_valleys(base_w, sessions, *, step_s) -> SmartCharge``.
"""

from itertools import pairwise
from typing import Final

import numba
import numpy as np

from devices.arrays import FloatArray, IntArray
from scenarios.dispatch.ev_sessions import ChargingSessions
from scenarios.dispatch.ev_stays import SmartCharge, Stays
from scenarios.errors import ScenarioInputError

ROUNDS: Final = 2_000
"""Rounds over all sessions before the plan is taken as it stands."""
STILL_W: Final = 1e-7
"""A round that changes no power by more ends. [W]"""


def fill_valleys(base_w: FloatArray, sessions: ChargingSessions, *, step_s: int) -> SmartCharge:
    """Return the charging that makes base and cars together as level as the stays allow.

    Parameters
    ----------
    base_w : FloatArray, shape (steps,)
        What is drawn beside the cars, < 0 where PV exceeds it; from second 0 on. [W]
    sessions : ChargingSessions
        Who charges; each gets what it wants by its departure, or all that fits (``short_wh``).
    step_s : int
        Length of a step. [s]

    Returns
    -------
    SmartCharge
        Its ``above_best_w`` is proved; nearly 0 but for rounds that ran out.

    Raises
    ------
    ScenarioInputError
        If the base is not finite, or a session reaches beyond it.

    Notes
    -----
    The sum of the squares of the total load is minimised session by session: with the others held,
    a session's best is to fill up to one level, found exactly among the sorted corners. The sum is
    convex and each limit belongs to one session alone, so rounds converge to its minimum. A
    session's choices are a polymatroid's bases, hence all sessions' sums are, and there the minimum
    of squares is least in every convex measure at once: the peak as well, of each day and of all.
    ``above_best_w`` is √(2·g), g the linear bound of Frank and Wolfe on the half sum of squares.
    """
    if not np.isfinite(base_w).all():
        step = int(np.argmin(np.isfinite(base_w)))
        msg = f"base load at step {step + 1} is {base_w[step]:g}; give finite watts"
        raise ScenarioInputError(msg)
    stays = Stays.of(sessions, step_s=step_s, steps=base_w.size)
    sums_w = stays.energy_wh * (3600 / step_s)
    power_w = np.zeros(stays.step.size)
    total_w = np.array(base_w, dtype=np.float64)
    order, groups = _groups(stays)
    gap = 0.0
    for low, high in pairwise(groups):
        group = (stays.begins, stays.step, stays.limit_w, sums_w, order[low:high])
        _fill(total_w, power_w, *group)
        gap = max(gap, _gap(total_w, power_w, *group))
    return SmartCharge(stays=stays, power_w=power_w, above_best_w=float(np.sqrt(2 * gap)))


def _groups(stays: Stays) -> tuple[IntArray, IntArray]:
    """Return the sessions by arrival, and where groups begin that no stay joins: mostly days."""
    first, last = stays.step[stays.begins[:-1]], stays.step[stays.begins[1:] - 1]
    order = np.argsort(first, kind="stable")
    reach = np.maximum.accumulate(last[order])
    apart = np.flatnonzero(first[order][1:] > reach[:-1]) + 1
    return order, np.concatenate([[0], apart, [order.size]])


@numba.njit(cache=True)
def _fill(  # noqa: PLR0917 -- compiled code takes no keywords
    total_w: FloatArray,
    power_w: FloatArray,
    begins: IntArray,
    step: IntArray,
    limit_w: FloatArray,
    sums_w: FloatArray,
    sessions: IntArray,
) -> None:
    """Let sessions fill their valleys, one after the other, until nothing changes."""
    for _ in range(ROUNDS):
        change = 0.0
        for session in sessions:
            low, high = begins[session], begins[session + 1]
            for place in range(low, high):
                total_w[step[place]] -= power_w[place]
            level = _level(total_w, step[low:high], limit_w[low:high], sums_w[session])
            for place in range(low, high):
                wanted = min(max(level - total_w[step[place]], 0.0), limit_w[place])
                change = max(change, abs(wanted - power_w[place]))
                power_w[place] = wanted
                total_w[step[place]] += wanted
        if change <= STILL_W:
            return


@numba.njit(cache=True)
def _level(total_w: FloatArray, step: IntArray, limit_w: FloatArray, wanted_w: float) -> float:
    """Return the level at which what lies between load and limits comes to a sum."""
    count = step.size
    corner = np.empty(2 * count)
    for i in range(count):
        corner[i] = total_w[step[i]]
        corner[count + i] = total_w[step[i]] + limit_w[i]
    order = np.argsort(corner)
    level, filled, slope = float(corner[order[0]]), 0.0, 0
    for i in range(2 * count):
        rise = slope * (corner[order[i]] - level)
        if filled + rise >= wanted_w and slope > 0:
            break
        filled += rise
        level = float(corner[order[i]])
        slope += 1 if order[i] < count else -1
    if slope > 0:
        level += (wanted_w - filled) / slope
    return level


@numba.njit(cache=True)
def _gap(  # noqa: PLR0917 -- compiled code takes no keywords
    total_w: FloatArray,
    power_w: FloatArray,
    begins: IntArray,
    step: IntArray,
    limit_w: FloatArray,
    sums_w: FloatArray,
    sessions: IntArray,
) -> float:
    """Return what the squares could fall by at most if the total were its own price. [W²]"""
    gap = 0.0
    for session in sessions:
        low, high = begins[session], begins[session + 1]
        price = np.empty(high - low)
        for place in range(low, high):
            price[place - low] = total_w[step[place]]
            gap += power_w[place] * total_w[step[place]]
        left = sums_w[session]
        for i in np.argsort(price):
            taken = min(left, limit_w[low + i])
            gap -= taken * price[i]
            left -= taken
    return gap
