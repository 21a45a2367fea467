"""How often a limit that held when a cycle began is broken before it ends, and how sure that is."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from devices.arrays import FloatArray, IntArray
from scenarios.microgrid.model import Trace
from scenarios.microgrid.violations import KINDS, Kind, Violation, broken_cycles, violations

CYCLES_MIN: Final = (1, 2, 5, 10, 20, 30)
"""Cycles that are compared; the paper's is 10. [min]"""
DRAWS: Final = 2000
"""Times that the days are drawn anew."""
INTERVAL: Final = (0.025, 0.975)
"""Quantiles of the 95 % interval."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A figure and the interval in which 95 % of redrawn sets of days put it."""

    value: float
    """The figure."""
    low: float
    """Lower end."""
    high: float
    """Upper end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """How one limit fares under one controller at one length of cycle."""

    method: str
    """Key of `METHODS`."""
    cycle_min: int
    """From one decision to the next. [min]"""
    kind: Kind
    """Which limit."""
    cycles: int
    """Cycles in which it held at first."""
    chance: Estimate
    """Share of these in which it broke."""
    times: int
    """Violations, with those that span cycles counted once."""
    median_min: float
    """Their median length, 0 without any. [min]"""
    longest_min: float
    """The longest. [min]"""
    worst: float
    """Greatest amount: state of charge beyond the window, or power beyond P_max [W]."""


def breaks(trace: Trace, day: IntArray, method: str) -> list[Break]:
    """Return how the limits fared in a run.

    Parameters
    ----------
    trace : Trace
        The run.
    day : IntArray, shape (rows,)
        Day of each row: rows of a day share its weather and are drawn together.
    method : str
        Key of `METHODS`.
    """
    found, broken = violations(trace), broken_cycles(trace)
    step_min = trace.grid.step_s / 60
    return [
        _break(
            [each for each in found if each.kind == kind],
            method=method,
            kind=kind,
            cycle_min=round(trace.cycle_steps * step_min),
            step_min=step_min,
            counted=tuple(each.sum(axis=1).astype(np.float64) for each in broken[kind]),
            day=day,
        )
        for kind in KINDS
    ]


def _break(
    found: list[Violation],
    *,
    method: str,
    kind: Kind,
    cycle_min: int,
    step_min: float,
    counted: tuple[FloatArray, ...],
    day: IntArray,
) -> Break:
    held, broke = counted
    lengths = [each.steps * step_min for each in found]
    return Break(
        method=method,
        cycle_min=cycle_min,
        kind=kind,
        cycles=int(held.sum()),
        chance=ratio(broke, held, day),
        times=len(found),
        median_min=float(np.median(lengths)) if lengths else 0.0,
        longest_min=max(lengths, default=0.0),
        worst=max((each.worst for each in found), default=0.0),
    )


def ratio(over: FloatArray, under: FloatArray, day: IntArray) -> Estimate:
    """Return Σ over / Σ under with its interval, days drawn with replacement.

    Parameters
    ----------
    over, under : FloatArray, shape (rows,)
        What is summed; 0 where nothing is under.
    day : IntArray, shape (rows,)
        Day of each row.
    """
    tops, bottoms = (np.bincount(day, weights=each) for each in (over, under))
    drawn = np.random.default_rng(0).integers(tops.size, size=(DRAWS, tops.size))
    sums = bottoms[drawn].sum(axis=1)
    shares = tops[drawn].sum(axis=1) / np.where(sums > 0, sums, 1.0)
    low, high = np.quantile(shares, INTERVAL)
    total = bottoms.sum()
    return Estimate(
        value=float(tops.sum() / total) if total > 0 else 0.0, low=float(low), high=float(high)
    )
