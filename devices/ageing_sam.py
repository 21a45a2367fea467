"""Battery ageing as the System Advisor Model (SAM) counts it, for runs that are held against it.

One battery at a time: each cycle's cost depends on how many came before. `devices.ageing` is for
fleets. The algorithms are SAM's, the code is not.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from devices.ageing_law import DATA
from devices.arrays import FloatArray, IntArray
from devices.battery_efficiency import require_range, require_rising

WAIT_POINTS = 0.002
"""A range this much below the one before still closes it. [percentage points]"""
IDLE = 1e-9
"""Changes of the state of charge below this are no current."""
REFERENCE_K = 296.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SamLaw:
    """Capacity over cycles by depth, and over time by temperature and state of charge.

    Raises
    ------
    ValueError
        If an axis does not rise or has fewer than two points.
    """

    depths: FloatArray
    """Depths of the rows, 0..1, rising, shape (rows,); none: cycles cost nothing."""
    cycles: tuple[FloatArray, ...]
    """Numbers of cycles of each row, rising."""
    capacity: tuple[FloatArray, ...]
    """Capacity left at ``cycles``, share of nominal."""
    q0: float
    """Capacity at the start of the calendar's law, share of nominal; may exceed 1."""
    a: float
    """Loss in the first day at the reference. [1/√d]"""
    b: float
    """Dependence on temperature. [K]"""
    c: float
    """Dependence on the state of charge. [K]"""
    adds: bool = True
    """True: losses add up (since December 2024); False: the worse of the two counts (before)."""
    own_depth: bool = True
    """True: each cycle's own depth counts (since December 2021); False: their mean (before)."""
    sources: Mapping[str, str]
    """Where the numbers come from."""

    def __post_init__(self) -> None:
        if self.depths.size:
            require_rising("cycle depths", self.depths)
        for numbers in self.cycles:
            require_rising("cycles", numbers)
            if numbers.size < 2:
                msg = "ageing: a row of cycles needs two points"
                raise ValueError(msg)

    @classmethod
    def lfp(cls, *, adds: bool = True, own_depth: bool = True) -> "SamLaw":
        """Return SAM's lithium iron phosphate with graphite; switches as the fields say."""
        return cls.load(DATA / "sam_lfp.json", adds=adds, own_depth=own_depth)

    @classmethod
    def load(cls, path: Path, *, adds: bool = True, own_depth: bool = True) -> "SamLaw":
        """Return the law of a JSON file; its form is in ``docs/ageing.md``.

        Raises
        ------
        ValueError
            If the file lacks a part or a number cannot be used.
        """
        return _read(path, adds, own_depth)

    def capacity_after(self, depth: FloatArray, cycles: FloatArray) -> FloatArray:
        """Return c(D, n): the capacity that cycles of a depth leave, share of nominal.

        Notes
        -----
        Along straight lines in n, going on beyond a row's end, then in D; D = 0 costs nothing and
        beyond the deepest row nothing more.
        """
        if not self.depths.size:
            return np.ones(depth.shape)
        rows = np.stack(
            [
                np.ones(depth.shape),
                *(_along(n, q, cycles) for n, q in zip(self.cycles, self.capacity, strict=True)),
            ]
        )
        knots = np.concatenate([[0.0], self.depths])
        above = np.minimum(np.searchsorted(knots, depth), knots.size - 1)
        below = np.maximum(above - 1, 0)
        wide = np.where(above > below, knots[above] - knots[below], 1.0)
        share = np.clip((depth - knots[below]) / wide, 0.0, 1.0)
        at = np.arange(depth.size)
        between: FloatArray = rows[below, at] * (1 - share) + rows[above, at] * share
        return between

    def calendar_rate(self, soc: FloatArray, temperature_c: FloatArray | float) -> FloatArray:
        """Return k: the loss after a day at a state of charge and a temperature. [1/√d]"""
        kelvin = np.asarray(temperature_c) + 273.15
        reference = 1 / REFERENCE_K
        exponent = self.b * (1 / kelvin - reference) + self.c * (soc / kelvin - reference)
        rate: FloatArray = self.a * np.exp(exponent)
        return rate


@dataclass(frozen=True, slots=True, kw_only=True)
class SamState:
    """What one battery remembers of its past."""

    soc: float
    """State of charge at the end, 0..1."""
    charging: bool | None
    """Which way the last current went; None before the first."""
    open_points: tuple[float, ...]
    """Depths of discharge at turning points whose cycles are not closed. [%]"""
    cycles: int
    """Cycles counted, whatever their range."""
    depth_sum: float
    """Sum of their ranges, 0..1 each."""
    cycle_capacity: float
    """Capacity that cycles left, share of nominal."""
    calendar_square: float
    """Square of the loss by time."""
    capacity: float
    """Capacity left, share of nominal; never grows."""

    @classmethod
    def new(cls, soc: float) -> "SamState":
        """Return a new battery at a state of charge, 0..1."""
        return cls(
            soc=soc,
            charging=None,
            open_points=((1 - soc) * 100,),
            cycles=0,
            depth_sum=0.0,
            cycle_capacity=1.0,
            calendar_square=0.0,
            capacity=1.0,
        )


def advance(
    law: SamLaw,
    state: SamState,
    soc: FloatArray,
    *,
    step_h: float,
    temperature_c: FloatArray | float = 20.0,
) -> SamState:
    """Age one battery by a stretch of its use.

    Parameters
    ----------
    law : SamLaw
        How it ages.
    state : SamState
        Its past.
    soc : FloatArray, shape (steps,)
        State of charge at the end of each step, 0..1.
    step_h : float
        Length of a step. [h]
    temperature_c : FloatArray | float
        Temperature of the cells in each step, or one for all. [°C]

    Returns
    -------
    SamState
        The same however a series is cut into stretches, but for rounding and for the moments at
        which the capacity, which never grows, is looked at.
    """
    require_range("state of charge", soc, 0.0, 1.0)
    path = np.concatenate([[state.soc], soc])
    fed, charging = _turns(path, charging=state.charging)
    points, ranges = _close(state.open_points, ((1 - path[fed]) * 100).tolist())
    depth = np.array(ranges) / 100
    rate = law.calendar_rate(soc, temperature_c)
    square = state.calendar_square + float(np.sum(rate * rate)) * step_h / 24
    cycle_capacity = state.cycle_capacity - _cycle_cost(law, state, depth)
    by_time = law.q0 - np.sqrt(square) if square else 1.0
    left = _together(law, cycle_capacity, float(by_time))
    return SamState(
        soc=float(path[-1]),
        charging=charging,
        open_points=points,
        cycles=state.cycles + depth.size,
        depth_sum=state.depth_sum + float(depth.sum()),
        cycle_capacity=cycle_capacity,
        calendar_square=square,
        capacity=min(state.capacity, left),
    )


def _together(law: SamLaw, by_use: float, by_time: float) -> float:
    """Return the capacity that use and time leave together."""
    if law.adds:
        return 1 - max(0.0, 1 - by_use) - max(0.0, 1 - by_time)
    return min(by_use, by_time)


def _turns(path: FloatArray, *, charging: bool | None) -> tuple[IntArray, bool | None]:
    """Return the steps before which the current changed its sign, and its last sign."""
    step = np.diff(path)
    moves = np.flatnonzero(np.abs(step) > IDLE)
    if not moves.size:
        return moves, charging
    up = step[moves] > 0
    before = up[0] if charging is None else charging
    turns = up != np.concatenate([[before], up[:-1]])
    return moves[turns], bool(up[-1])


def _close(
    open_points: tuple[float, ...], fed: list[float]
) -> tuple[tuple[float, ...], list[float]]:
    """Return the points that stay open, and the ranges of the cycles that were closed."""
    stack, ranges = [*open_points], []
    for depth in fed:
        stack.append(depth)
        while len(stack) > 2:
            closing = abs(stack[-2] - stack[-3])
            if abs(stack[-1] - stack[-2]) + WAIT_POINTS < closing:
                break
            ranges.append(closing)
            del stack[-3:-1]
    return tuple(stack), ranges


def _cycle_cost(law: SamLaw, state: SamState, depth: FloatArray) -> float:
    """Return what some cycles cost, in their order, as a share of nominal capacity."""
    if not depth.size:
        return 0.0
    number = state.cycles + np.arange(1.0, depth.size + 1)
    counted = depth
    if not law.own_depth:
        counted = (state.depth_sum + np.cumsum(depth)) / number
    before, after = law.capacity_after(counted, number), law.capacity_after(counted, number + 1)
    return float(np.maximum(before - after, 0.0).sum())


def _along(cycles: FloatArray, capacity: FloatArray, at: FloatArray) -> FloatArray:
    """Interpolate a row, and go on along its last two points."""
    inside = np.interp(at, cycles, capacity)
    slope = (capacity[-1] - capacity[-2]) / (cycles[-1] - cycles[-2])
    beyond: FloatArray = capacity[-1] + slope * (at - cycles[-1])
    return np.where(at > cycles[-1], beyond, inside)


@cache
def _read(path: Path, adds: bool, own_depth: bool) -> SamLaw:
    try:
        data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        rows = data["cycles"]
        return SamLaw(
            depths=np.array([row["depth"] for row in rows], dtype=np.float64),
            cycles=tuple(np.array(row["cycles"], dtype=np.float64) for row in rows),
            capacity=tuple(np.array(row["capacity"], dtype=np.float64) for row in rows),
            **{name: float(data["calendar"][name]) for name in ("q0", "a", "b", "c")},
            adds=adds,
            own_depth=own_depth,
            sources=data["sources"],
        )
    except (KeyError, TypeError, ValueError) as error:
        msg = f"ageing law {path.name}: {error}; see docs/ageing.md for its form"
        raise ValueError(msg) from error
