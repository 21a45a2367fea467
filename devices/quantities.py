"""What is measured at a home's storage and meter, and what is told of many samples (pure).

The quantities are those of Burgio et al. 2023, Table 3; of each, minimum, maximum, average and last
value are told, and whether it was absorbed or delivered (§2.3).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final


class Quantity(Enum):
    """What can be read: Table 3, by the names that messages carry."""

    FREQUENCY = "Frequency"
    """Frequency at the point of connection. [Hz]"""
    PHASE_VOLTAGE = "Phase voltage"
    """Voltages from line to neutral, one for each phase. [V]"""
    LINE_CURRENT = "Line current"
    """Currents of the lines, one for each phase. [A]"""
    ACTIVE_POWER = "Active power"
    """Power of the battery at its terminals, absorbed or delivered. [W]"""
    REACTIVE_POWER = "Reactive power"
    """Reactive power of the inverter, absorbed or delivered. [var]"""
    STATE_OF_CHARGE = "State of charge"
    """State of charge. [%]"""
    TEMPERATURE = "Temperature"
    """Temperature of the battery, not in Table 3. [°C]"""


UNITS: Final[Mapping[Quantity, str]] = {
    Quantity.FREQUENCY: "Hz",
    Quantity.PHASE_VOLTAGE: "V",
    Quantity.LINE_CURRENT: "A",
    Quantity.ACTIVE_POWER: "W",
    Quantity.REACTIVE_POWER: "var",
    Quantity.STATE_OF_CHARGE: "%",
    Quantity.TEMPERATURE: "°C",
}
"""Unit of each quantity in messages."""
_DIRECTED: Final = (Quantity.ACTIVE_POWER, Quantity.REACTIVE_POWER)

ABSORBED: Final = "absorbed"
"""What goes into the storage; the sign is in this word, not in the numbers."""
DELIVERED: Final = "delivered"
"""What comes out of the storage."""


@dataclass(slots=True)
class Window:
    """Values of one quantity since the last report; one value for each phase (pure)."""

    _low: list[float] = field(default_factory=list)
    _high: list[float] = field(default_factory=list)
    _sum: list[float] = field(default_factory=list)
    _last: list[float] = field(default_factory=list)
    _count: int = 0

    def add(self, values: tuple[float, ...]) -> None:
        """Take one more sample; one with another number of phases starts anew."""
        if len(values) != len(self._last):
            self.clear()
            self._low, self._high, self._sum = list(values), list(values), [0.0] * len(values)
        self._low = [min(pair) for pair in zip(self._low, values, strict=True)]
        self._high = [max(pair) for pair in zip(self._high, values, strict=True)]
        self._sum = [sum(pair) for pair in zip(self._sum, values, strict=True)]
        self._last = list(values)
        self._count += 1

    def __bool__(self) -> bool:
        return self._count > 0

    def clear(self) -> None:
        """Forget every sample."""
        self._low, self._high, self._sum, self._last, self._count = [], [], [], [], 0

    def figures(self, sign: float) -> dict[str, object]:
        """Return minimum, maximum, average and last value in the direction ``sign`` (1 or -1)."""
        low, high = (self._low, self._high) if sign > 0 else (self._high, self._low)
        average = [total / max(self._count, 1) for total in self._sum]
        named = {"min": low, "max": high, "avg": average, "last": self._last}
        return {name: _shown([sign * each for each in values]) for name, values in named.items()}


def _shown(values: list[float]) -> object:
    """Return one number, or a list where there are phases; None where nothing was measured."""
    rounded = [round(value, 3) + 0.0 for value in values]  # + 0.0 makes -0.0 a plain zero
    if len(rounded) == 1:
        return rounded[0]
    return rounded or None


def directed(quantity: Quantity, window: Window) -> tuple[str | None, dict[str, object]]:
    """Return a quantity's direction, that of its last value, and its figures in that direction.

    Parameters
    ----------
    quantity : Quantity
        What was measured; only powers have a direction.
    window : Window
        Samples, at least one; power > 0 is absorbed.
    """
    last = window.figures(1.0)["last"]
    delivers = quantity in _DIRECTED and isinstance(last, float) and last < 0
    direction = (DELIVERED if delivers else ABSORBED) if quantity in _DIRECTED else None
    return direction, window.figures(-1.0 if delivers else 1.0)
