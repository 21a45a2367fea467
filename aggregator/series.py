"""Checks a number or a series passes before anything is computed from it.

A NaN among the costs keeps HiGHS from returning and a NaN bound yields a wrong optimum, so every
value that reaches a model went through here.
"""

import math

import numpy as np

from aggregator.errors import PlanInputError
from devices.arrays import FloatArray


def require_series(
    name: str, values: FloatArray, slots: int, *, minimum: float | None = None
) -> None:
    """Raise unless a series has one finite value per slot, none below ``minimum``.

    Raises
    ------
    PlanInputError
        Naming the series and the first bad slot.
    """
    if values.shape != (slots,):
        msg = f"{name} has shape {values.shape}, the grid has {slots} slots; give one value a slot"
        raise PlanInputError(msg)
    bad = ~np.isfinite(values) if minimum is None else ~(np.isfinite(values) & (values >= minimum))
    if bad.any():
        slot = int(np.argmax(bad))
        wanted = "finite" if minimum is None else f"finite and >= {minimum:g}"
        msg = f"{name} is {values[slot]:g} in slot {slot}; it must be {wanted}"
        raise PlanInputError(msg)


def require_number(
    name: str, value: float, *, minimum: float = -math.inf, maximum: float = math.inf
) -> None:
    """Raise `PlanInputError` unless a number is finite and inside ``minimum..maximum``."""
    if not (math.isfinite(value) and minimum <= value <= maximum):
        msg = f"{name} is {value:g}; it must be finite and in {minimum:g}..{maximum:g}"
        raise PlanInputError(msg)
