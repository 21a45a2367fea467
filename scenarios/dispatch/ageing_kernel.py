"""SAM's ageing of one battery, step by step, in compiled code; `devices.ageing_sam` is the law.

A capacity that many steps share is looked at after each, as in SAM, not after a stretch.
"""

from typing import NamedTuple

import numpy as np

from devices.ageing_sam import REFERENCE_K, WAIT_POINTS, SamLaw
from devices.arrays import FloatArray, IntArray
from hems.mpc_kernel import compiled

POINTS_MAX = 50_004
"""Ranges that wait are each `WAIT_POINTS` below the one before, so no more can be open."""
CYCLES, DEPTHS, BY_USE, BY_TIME, LEFT, OPEN, CHARGES, PAST = range(8)
"""What a battery remembers of its past: cycles counted, the sum of their depths, capacity that they
left, loss by time, capacity left, turning points open, and which way the last current went."""


class Table(NamedTuple):
    """A `SamLaw`'s cycles in arrays of one shape."""

    depths: FloatArray
    """Depths of the rows after 0, shape (rows,)."""
    cycles: FloatArray
    """Numbers of cycles, shape (rows, points)."""
    capacity: FloatArray
    """Capacity left at ``cycles``, shape (rows, points)."""
    points: IntArray
    """Points of each row that count, shape (rows,)."""
    own_depth: bool
    """See `SamLaw.own_depth`."""


class Calendar(NamedTuple):
    """A `SamLaw`'s loss by time, and what it does with both losses."""

    q0: float
    """See `SamLaw.q0`."""
    a: float
    """See `SamLaw.a`."""
    b: float
    """See `SamLaw.b`. [K]"""
    c: float
    """See `SamLaw.c`. [K]"""
    adds: bool
    """See `SamLaw.adds`."""


def table_of(law: SamLaw) -> Table:
    """Return a law's cycles as compiled code takes them."""
    rows, width = len(law.cycles), max((row.size for row in law.cycles), default=1)
    cycles, capacity = np.zeros((rows, width)), np.ones((rows, width))
    for row, (numbers, left) in enumerate(zip(law.cycles, law.capacity, strict=True)):
        cycles[row, : numbers.size], capacity[row, : left.size] = numbers, left
    points = np.array([row.size for row in law.cycles], dtype=np.int64)
    return Table(law.depths, cycles, capacity, points, law.own_depth)


@compiled
def unworn(past: FloatArray) -> None:
    """Set the memory of a new battery."""
    past[:] = 0.0
    past[BY_USE] = past[LEFT] = 1.0


@compiled
def _row_left(table: Table, row: int, cycles: float) -> float:
    """Return what a row of the table leaves, going on along its last two points."""
    last = table.points[row] - 1
    at, left = table.cycles[row], table.capacity[row]
    if cycles > at[last]:
        slope = (left[last] - left[last - 1]) / (at[last] - at[last - 1])
        return float(left[last] + slope * (cycles - at[last]))
    return float(np.interp(cycles, at[: last + 1], left[: last + 1]))


@compiled
def capacity_after(table: Table, depth: float, cycles: float) -> float:
    """Return c(D, n); see `SamLaw.capacity_after`."""
    rows = table.depths.size
    above = 0
    while above < rows and table.depths[above] < depth:
        above += 1
    if rows == 0 or depth <= 0:
        return 1.0
    if above == rows:
        return _row_left(table, rows - 1, cycles)
    shallow = 0.0 if above == 0 else table.depths[above - 1]
    low = 1.0 if above == 0 else _row_left(table, above - 1, cycles)
    share = (depth - shallow) / (table.depths[above] - shallow)
    return float(low + share * (_row_left(table, above, cycles) - low))


@compiled
def _count(table: Table, past: FloatArray, depth: float) -> None:
    """Count a cycle and take what it costs."""
    past[CYCLES] += 1
    past[DEPTHS] += depth
    number = past[CYCLES]
    counted = depth if table.own_depth else past[DEPTHS] / number
    cost = capacity_after(table, counted, number) - capacity_after(table, counted, number + 1)
    past[BY_USE] = max(past[BY_USE] - max(cost, 0.0), 0.0)


@compiled
def turn(table: Table, past: FloatArray, points: FloatArray, depth_percent: float) -> None:
    """Take a turning point, and count the cycles that it closes."""
    count = int(past[OPEN])
    points[count] = depth_percent
    count += 1
    while count > 2:
        closing = abs(points[count - 2] - points[count - 3])
        if abs(points[count - 1] - points[count - 2]) + WAIT_POINTS < closing:
            break
        _count(table, past, closing / 100)
        points[count - 3] = points[count - 1]
        count -= 2
    past[OPEN] = count


@compiled
def pass_time(  # noqa: PLR0917 -- compiled code takes no keywords
    law: Calendar, past: FloatArray, soc: float, celsius: float, step_d: float
) -> None:
    """Take what a step's time costs, and add up what is left.

    Notes
    -----
    dq ← dq + k²Δt/(2 dq), the first step k√Δt: not quite the root of the sum of k²Δt, which
    `devices.ageing_sam` takes, but within 0.001 of it.
    """
    kelvin = celsius + 273.15
    exponent = law.b * (1 / kelvin - 1 / REFERENCE_K) + law.c * (soc / kelvin - 1 / REFERENCE_K)
    rate = law.a * np.exp(exponent)
    lost = past[BY_TIME]
    past[BY_TIME] = (
        rate * np.sqrt(step_d) if lost == 0 else lost + rate * rate * step_d / (2 * lost)
    )
    by_time = law.q0 - past[BY_TIME]
    if law.adds:
        left = 1 - max(0.0, 1 - past[BY_USE]) - max(0.0, 1 - by_time)
    else:
        left = min(past[BY_USE], by_time)
    past[LEFT] = max(min(past[LEFT], left), 0.0)
