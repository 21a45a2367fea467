"""The linear program of one home in compiled code: a bounded primal simplex on a small tableau.

At four blocks a home's program has eleven rows. With the battery idle it is feasible, so that no
first phase is needed, neither at the root of a tree nor where a node forbids a flow: the flow above
its cap then takes what a home cannot help (see `hems.mpc_branch`). numba compiles this file;
arrays are allocated once a call of `hems.mpc_tree` and serve all homes.

Columns are those of `hems.mpc_program`, then a slack for each row of stored energy. Rows: balance
per block, stored energy per block, even pace, owed export, state of charge.
"""

from collections.abc import Callable
from typing import NamedTuple, ParamSpec, TypeVar, cast

import numba
import numpy as np

from devices.arrays import BoolArray, FloatArray, IntArray
from hems.mpc_program import (
    CHARGE,
    DEVIATIONS,
    DISCHARGE,
    EXPORT,
    EXPORT_OVER,
    IMPORT,
    IMPORT_OVER,
    KINDS,
)

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

FLOWS = len(KINDS)
ENDS = 3
"""Rows after those of the blocks: even pace, owed export, state of charge."""
REDUCED_COST_TOLERANCE = 1e-9
"""A column whose reduced cost is this small does not improve the plan. [micro/Wh]"""
PIVOT_TOLERANCE = 1e-9
"""Coefficients below this are zero: those of the program are shares and efficiencies."""
CAREFUL_AFTER = 60
"""Pivots after which the first column that improves enters (Bland): no cycle lasts then."""
PIVOTS_MAX = 500
"""Pivots of one program at most, where 5 to 30 are usual; beyond, it counts as unsolved."""


class Home(NamedTuple):
    """Numbers of one home's program that all nodes of its tree share."""

    need_wh: FloatArray
    """Load less production, shape (blocks,). [Wh]"""
    ends_wh: FloatArray
    """Right-hand sides of the last three rows, shape (3,). [Wh]"""
    high: FloatArray
    """Upper bounds of the program's columns. [Wh]"""
    cost: FloatArray
    """Objective, 0 for slacks. [micro/Wh]"""
    eta_c: float
    """Cells over terminals when charging."""
    eta_d: float
    """Terminals over cells when discharging."""
    pace: float
    """Share of the first block in the horizon."""


class Tableau(NamedTuple):
    """Workspace of the simplex: the program seen from its present basis."""

    entries: FloatArray
    """Coefficients, shape (rows, columns)."""
    reduced: FloatArray
    """Reduced costs, shape (columns,). [micro/Wh]"""
    low: FloatArray
    """Lower bounds of the columns. [Wh]"""
    high: FloatArray
    """Upper bounds of the columns. [Wh]"""
    at_high: BoolArray
    """True for a column outside the basis that stands at its upper bound."""
    basic: BoolArray
    """True for a column in the basis."""
    basis: IntArray
    """Column of each row, shape (rows,)."""
    value: FloatArray
    """Value of that column, shape (rows,). [Wh]"""


def compiled(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Return ``function`` compiled at its first call; the result is kept on disk."""
    compile_function = numba.njit(cache=True, nogil=True, error_model="numpy")
    return cast("Callable[Arguments, Result]", compile_function(function))


@compiled
def put(place: FloatArray | IntArray, numbers: FloatArray | IntArray) -> None:
    """Copy ``numbers`` to the beginning of ``place``.

    A loop, as all through these files: an assignment of slices has numba compile what words its
    error, for a third of the whole time.
    """
    for i in range(len(numbers)):
        place[i] = numbers[i]


@compiled
def start(t: Tableau, home: Home) -> None:
    """Set up the program with the battery idle: a feasible basis, its tableau, reduced costs.

    Net export of a block is the house's surplus less what the battery takes, so that all rows but
    the balances are written in the battery's columns alone: they are free of the other basic ones.
    """
    blocks = len(home.need_wh)
    t.entries[:, :] = 0.0
    t.at_high[:] = False
    for b in range(blocks):
        _start_balance(t, home, b)
        stored, slack = blocks + b, FLOWS * blocks + DEVIATIONS + b
        for earlier in range(b + 1):
            t.entries[stored, CHARGE * blocks + earlier] = -1.0
            t.entries[stored, DISCHARGE * blocks + earlier] = 1.0
        t.entries[stored, slack] = 1.0
        t.basis[stored], t.value[stored] = slack, 0.0
    _start_ends(t, home)
    for j in range(len(t.reduced)):
        total = home.cost[j]
        for i in range(len(t.basis)):
            total -= home.cost[t.basis[i]] * t.entries[i, j]
        t.reduced[j] = total
    t.basic[:] = False
    for i in range(len(t.basis)):
        t.basic[t.basis[i]] = True


@compiled
def _start_balance(t: Tableau, home: Home, b: int) -> None:
    """Set up the balance of a block, read from the side on which the idle house draws or gives."""
    blocks = len(home.need_wh)
    sign = 1.0 if home.need_wh[b] >= 0 else -1.0
    kind, over = (IMPORT, IMPORT_OVER) if sign > 0 else (EXPORT, EXPORT_OVER)
    for flow, coefficient in (
        (IMPORT, sign),
        (IMPORT_OVER, sign),
        (EXPORT, -sign),
        (EXPORT_OVER, -sign),
        (CHARGE, -sign / home.eta_c),
        (DISCHARGE, sign * home.eta_d),
    ):
        t.entries[b, flow * blocks + b] = coefficient
    flow_wh, column = abs(home.need_wh[b]), kind * blocks + b
    if flow_wh <= t.high[column]:
        t.basis[b], t.value[b] = column, flow_wh
    else:
        t.at_high[column] = True
        t.basis[b], t.value[b] = over * blocks + b, flow_wh - t.high[column]


@compiled
def _start_ends(t: Tableau, home: Home) -> None:
    """Set up the rows of even pace, owed export and state of charge."""
    blocks = len(home.need_wh)
    even, first = 2 * blocks, FLOWS * blocks
    owed, soc = even + 1, even + 2
    even_wh, owed_wh = 0.0, -home.ends_wh[1]
    for b in range(blocks):
        charge, discharge = CHARGE * blocks + b, DISCHARGE * blocks + b
        share = (1.0 if b == 0 else 0.0) - home.pace
        even_wh -= share * home.need_wh[b]
        owed_wh -= home.need_wh[b]
        t.entries[even, charge] = -share / home.eta_c
        t.entries[even, discharge] = share * home.eta_d
        t.entries[owed, charge], t.entries[owed, discharge] = -1.0 / home.eta_c, home.eta_d
        t.entries[soc, charge], t.entries[soc, discharge] = 1.0, -1.0
    # of the deviations, what is ahead of the pace and what is missing come first
    for row, missing, excess, excess_wh in (
        (even, first + 1, first, even_wh),
        (owed, first + 2, first + 3, owed_wh),
        (soc, first + 4, first + 5, -home.ends_wh[2]),
    ):
        t.entries[row, missing], t.entries[row, excess] = 1.0, -1.0
        t.basis[row], t.value[row] = missing, -excess_wh
        if excess_wh > 0:
            for j in range(t.entries.shape[1]):
                t.entries[row, j] *= -1.0
            t.basis[row], t.value[row] = excess, excess_wh


@compiled
def simplex(t: Tableau) -> bool:
    """Go from a feasible basis to an optimal one; return whether it was reached."""
    for pivots in range(PIVOTS_MAX):
        column = _entering(t, pivots >= CAREFUL_AFTER)
        if column < 0:
            return True
        direction = -1.0 if t.at_high[column] else 1.0
        row, step_wh = _leaving(t, column, direction)
        if not np.isfinite(step_wh):
            return False
        for i in range(len(t.value)):
            t.value[i] -= direction * t.entries[i, column] * step_wh
        if row < 0:
            t.at_high[column] = not t.at_high[column]
        else:
            _exchange(t, row, column, direction * step_wh)
    return False


@compiled
def _entering(t: Tableau, careful: bool) -> int:
    """Return the column that improves most, or when careful the first that does; -1 if none."""
    best, chosen = REDUCED_COST_TOLERANCE, -1
    for j in range(len(t.reduced)):
        if t.basic[j] or t.high[j] <= t.low[j]:
            continue
        gain = t.reduced[j] if t.at_high[j] else -t.reduced[j]
        if gain > best:
            chosen = j
            if careful:
                break
            best = gain
    return chosen


@compiled
def _leaving(t: Tableau, column: int, direction: float) -> tuple[int, float]:
    """Return the row whose column first meets a bound as ``column`` moves, and how far it gets.

    Row -1 is ``column`` itself, which meets its other bound first. [Wh]
    """
    step_wh, row, size = t.high[column] - t.low[column], -1, 0.0
    for i in range(len(t.basis)):
        slope = direction * t.entries[i, column]
        if slope > PIVOT_TOLERANCE:
            room_wh = (t.value[i] - t.low[t.basis[i]]) / slope
        elif slope < -PIVOT_TOLERANCE:
            room_wh = (t.value[i] - t.high[t.basis[i]]) / slope
        else:
            continue
        room_wh = max(room_wh, 0.0)
        if room_wh < step_wh or (room_wh == step_wh and abs(slope) > size):
            step_wh, row, size = room_wh, i, abs(slope)
    return row, step_wh


@compiled
def _exchange(t: Tableau, row: int, column: int, moved_wh: float) -> None:
    """Take ``column``, which moved, into the basis for that of ``row``, which met a bound."""
    gone = t.basis[row]
    t.basic[gone], t.basic[column] = False, True
    t.at_high[gone] = moved_wh * t.entries[row, column] < 0 or (
        moved_wh == 0.0 and t.value[row] >= t.high[gone]
    )
    from_wh = t.high[column] if t.at_high[column] else t.low[column]
    t.basis[row], t.value[row] = column, from_wh + moved_wh
    t.at_high[column] = False
    pivot = t.entries[row, column]
    for j in range(len(t.reduced)):
        t.entries[row, j] /= pivot
    for i in range(len(t.basis)):
        times = t.entries[i, column]
        if i != row and times != 0.0:
            for j in range(len(t.reduced)):
                t.entries[i, j] -= times * t.entries[row, j]
    times = t.reduced[column]
    for j in range(len(t.reduced)):
        t.reduced[j] -= times * t.entries[row, j]


@compiled
def read(t: Tableau, cost: FloatArray, found_wh: FloatArray) -> float:
    """Write the columns of the program to ``found_wh``; return the objective. [micro]"""
    for j in range(len(found_wh)):
        found_wh[j] = t.high[j] if t.at_high[j] else 0.0
    for i in range(len(t.basis)):
        if t.basis[i] < len(found_wh):
            found_wh[t.basis[i]] = t.value[i]
    total = 0.0
    for j in range(len(found_wh)):
        total += cost[j] * found_wh[j]
    return total
