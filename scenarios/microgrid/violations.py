"""Where microgrids broke eq. (4) and (5): since when, for how long, by how much."""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from devices.arrays import BoolArray, FloatArray, IntArray
from scenarios.microgrid.model import Trace

Kind = Literal["over-charge", "over-discharge", "overload"]
KINDS: Final[tuple[Kind, ...]] = ("over-charge", "over-discharge", "overload")
"""Eq. (5) above, eq. (5) below, eq. (4)."""
SOC_TOLERANCE: Final = 1e-3
"""A tenth of a per cent is less than a battery's monitor tells; droop alone moves it as far."""
POWER_TOLERANCE_W: Final = 1e-6
"""Rounding that breaks nothing. [W]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """One time that a constraint was broken without a break between."""

    kind: Kind
    """Which."""
    home: int
    """Which microgrid."""
    start: int
    """First step."""
    steps: int
    """Its length in steps."""
    worst: float
    """Greatest amount: state of charge beyond the window, or power beyond P_max [W]."""


def amounts(trace: Trace, kind: Kind) -> FloatArray:
    """Return by how much a constraint is broken in each step, 0 where it holds, (homes, steps).

    Notes
    -----
    The state of charge counts at the end of a step: what the step did. An overload is what an
    island's balance asks of the inverter; on the grid it keeps to P_max itself.
    """
    microgrid, soc = trace.microgrid, trace.soc[:, 1:]
    if kind == "over-charge":
        return _beyond(soc - microgrid.soc_max, SOC_TOLERANCE)
    if kind == "over-discharge":
        return _beyond(microgrid.soc_min - soc, SOC_TOLERANCE)
    return _beyond(trace.flows.overload_w, POWER_TOLERANCE_W)


def _beyond(values: FloatArray, tolerance: float) -> FloatArray:
    return np.where(values > tolerance, values, 0.0)


def violations(trace: Trace) -> list[Violation]:
    """Return all of them by kind, home and time."""
    found = []
    for kind in KINDS:
        over = amounts(trace, kind)
        for home in range(over.shape[0]):
            for start, end in zip(*runs(over[home] > 0), strict=True):
                found.append(
                    Violation(
                        kind=kind,
                        home=home,
                        start=int(start),
                        steps=int(end - start),
                        worst=float(over[home, start:end].max()),
                    )
                )
    return found


def runs(broken: BoolArray) -> tuple[IntArray, IntArray]:
    """Return the first step of each run of true steps, and the step after its last."""
    edges = np.diff(np.concatenate(([False], broken, [False])).astype(np.int8))
    return np.flatnonzero(edges > 0), np.flatnonzero(edges < 0)


def broken_cycles(trace: Trace) -> dict[Kind, tuple[BoolArray, BoolArray]]:
    """Return by kind in which cycles a constraint held at first, and in which of these it broke.

    Notes
    -----
    Each of shape (homes, cycles). Held at first is judged by what the controller knew: the state of
    charge at the beginning, and the balance measured in the step before.
    """
    microgrid, around = trace.microgrid, trace.surroundings
    count, steps = trace.grid.count, trace.cycle_steps
    begins = np.arange(0, count, steps)
    soc = trace.soc[:, begins]
    asked_w = np.abs(np.stack([around.measured_w(int(begin)) for begin in begins], axis=1))
    held: dict[Kind, BoolArray] = {
        "over-charge": soc <= microgrid.soc_max + SOC_TOLERANCE,
        "over-discharge": soc >= microgrid.soc_min - SOC_TOLERANCE,
        "overload": asked_w <= microgrid.power_max_w + POWER_TOLERANCE_W,
    }
    return {
        kind: (fine, fine & np.logical_or.reduceat(amounts(trace, kind) > 0, begins, axis=1))
        for kind, fine in held.items()
    }
