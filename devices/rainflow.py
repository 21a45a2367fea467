"""Rainflow counting of many series at once: full cycles, and half cycles for what is left over.

All series lie one after the other in flat arrays, with the number of their home beside them. A
cycle is counted when its range lies between two that are no smaller: every such range of a pass is
taken out at once, so that a few passes over arrays replace a walk from point to point.
"""

from dataclasses import dataclass, fields

import numpy as np

from devices.arrays import BoolArray, FloatArray, IntArray

SHARE_OF_PASS = 0.02
"""After a pass that closed fewer cycles per point than this, the rest is walked."""
WALKED_POINTS = 48
"""So many points are walked at once: faster than passes over arrays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trail:
    """Points of the series of some homes, in order of home and time; fields are (points,).

    Beside the state of charge stand three meters that run on from point to point, so that what
    happened between two points is a difference. They stand still while the charge does: where on a
    plateau a point lies makes no difference.
    """

    home: IntArray
    """Home of each point, rising."""
    soc: FloatArray
    """State of charge."""
    moving_h: FloatArray
    """Time since the start in which the charge changed. [h]"""
    throughput: FloatArray
    """Sum of the changes of charge since the start, both ways."""
    heat_ch: FloatArray
    """Integral of the temperature over ``moving_h``. [°C h]"""

    def pick(self, chosen: IntArray | BoolArray) -> "Trail":
        """Return some of the points."""
        return Trail(**{field.name: getattr(self, field.name)[chosen] for field in fields(self)})

    def then(self, later: "Trail") -> "Trail":
        """Return these points and ``later`` ones, home by home."""
        home = np.concatenate([self.home, later.home])
        order = np.argsort(home, kind="stable")
        return Trail(
            **{
                field.name: np.concatenate([getattr(self, field.name), getattr(later, field.name)])[
                    order
                ]
                for field in fields(self)
            }
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Cycles:
    """Counted cycles; every field has shape (cycles,)."""

    home: IntArray
    """Home of each cycle."""
    count: FloatArray
    """1 for a full cycle, 0.5 for a half."""
    depth: FloatArray
    """Range of the state of charge, 0..1."""
    mean_soc: FloatArray
    """Middle of the range, 0..1."""
    c_rate: FloatArray
    """Mean change of charge while it changed, over capacity. [1/h]"""
    temperature_c: FloatArray
    """Mean temperature while the charge changed. [°C]"""


def turning_points(home: IntArray, soc: FloatArray) -> IntArray:
    """Return where series turn, with the first and the last point of each.

    Parameters
    ----------
    home : IntArray, shape (points,)
        Home of each point, rising.
    soc : FloatArray, shape (points,)
        State of charge.

    Returns
    -------
    IntArray, shape (turning points,)
        Positions, rising. Of a plateau its end; a series that never moves keeps its first point.
    """
    same = home[1:] == home[:-1]
    step = np.diff(soc)
    moves = np.flatnonzero(same & (step != 0))
    up = step[moves] > 0
    turns = (up[1:] != up[:-1]) & (home[moves[1:]] == home[moves[:-1]])
    first = np.concatenate([[True], ~same]) if home.size else np.zeros(0, dtype=np.bool_)
    keep = first.copy()
    keep[moves[1:][turns]] = True
    if moves.size:
        last = np.concatenate([home[moves[1:]] != home[moves[:-1]], [True]])
        keep[moves[last] + 1] = True
    return np.flatnonzero(keep)


def count(trail: Trail) -> tuple[Cycles, Trail]:
    """Count what is closed in the turning points of some homes.

    Parameters
    ----------
    trail : Trail
        Turning points; see `turning_points`.

    Returns
    -------
    tuple[Cycles, Trail]
        Full cycles, and half cycles that no later point can change; and the points that are left,
        whose ranges shrink from one to the next. `halves` counts these, too.

    Notes
    -----
    The same cycles as the three-point rule of ASTM E1049-85, 5.4.4; C. McInnes and P. Meehan,
    *Equivalence of four-point and three-point rainflow cycle counting algorithms*, International
    Journal of Fatigue 30 (2008). A series may be counted in pieces: put what is left before the
    turning points of the next piece.
    """
    left, starts, ends = _close(trail.home, trail.soc)
    ranges = _ranges(trail.home[left], trail.soc[left])
    # while ranges grow, the older end of each takes part in nothing that is still to come
    final = np.append(ranges[:-1] <= ranges[1:], [False, False])[: left.size]
    grown = np.flatnonzero(final)
    closed = _between(trail, starts, ends, 1.0)
    settled = _between(trail, left[grown], left[grown + 1], 0.5)
    return _joined(closed, settled), trail.pick(left[~final])


def halves(left: Trail) -> Cycles:
    """Return the half cycles of the points that `count` left, as if the series ended there."""
    starts = np.flatnonzero(left.home[1:] == left.home[:-1])
    return _between(left, starts, starts + 1, 0.5)


def _ranges(home: IntArray, soc: FloatArray) -> FloatArray:
    """Return the ranges between neighbours; NaN from one home to the next."""
    return np.where(home[1:] == home[:-1], np.abs(np.diff(soc)), np.nan)


def _close(home: IntArray, soc: FloatArray) -> tuple[IntArray, IntArray, IntArray]:
    """Return the points left, and both ends of each full cycle."""
    left = np.arange(home.size)
    starts: list[IntArray] = []
    ends: list[IntArray] = []
    while left.size > WALKED_POINTS:
        ranges = _ranges(home[left], soc[left])
        # NaN compares false: the ends of a series close nothing
        inner = np.flatnonzero((ranges[:-2] > ranges[1:-1]) & (ranges[1:-1] <= ranges[2:])) + 1
        starts.append(left[inner])
        ends.append(left[inner + 1])
        keep = np.ones(left.size, dtype=np.bool_)
        keep[inner] = keep[inner + 1] = False
        few = inner.size < SHARE_OF_PASS * left.size
        left = left[keep]
        if few:
            break
    left, more_starts, more_ends = _walk(left, home, soc)
    return left, np.concatenate([*starts, more_starts]), np.concatenate([*ends, more_ends])


def _walk(left: IntArray, home: IntArray, soc: FloatArray) -> tuple[IntArray, IntArray, IntArray]:
    """Do what `_close` does from point to point: linear in the worst of series, slow in all."""
    of, at = home[left].tolist(), soc[left].tolist()
    stack: list[int] = []
    starts: list[int] = []
    ends: list[int] = []
    for point in range(len(at)):
        stack.append(point)
        while len(stack) > 3 and of[stack[-4]] == of[point]:
            a, b, c = stack[-4:-1]
            inner = abs(at[c] - at[b])
            if not abs(at[b] - at[a]) > inner <= abs(at[point] - at[c]):
                break
            starts.append(b)
            ends.append(c)
            del stack[-3:-1]
    places = [np.array(which, dtype=np.int64) for which in (stack, starts, ends)]
    return left[places[0]], left[places[1]], left[places[2]]


def _between(trail: Trail, starts: IntArray, ends: IntArray, share: float) -> Cycles:
    """Return the cycles between pairs of points."""
    first, last = trail.soc[starts], trail.soc[ends]
    moving_h = trail.moving_h[ends] - trail.moving_h[starts]
    throughput = trail.throughput[ends] - trail.throughput[starts]
    heat_ch = trail.heat_ch[ends] - trail.heat_ch[starts]
    return Cycles(
        home=trail.home[starts],
        count=np.full(starts.size, share),
        depth=np.abs(last - first),
        mean_soc=(first + last) / 2,
        c_rate=throughput / moving_h,
        temperature_c=heat_ch / moving_h,
    )


def _joined(one: Cycles, other: Cycles) -> Cycles:
    return Cycles(
        **{
            field.name: np.concatenate([getattr(one, field.name), getattr(other, field.name)])
            for field in fields(one)
        }
    )
