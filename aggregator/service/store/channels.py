"""What is measured, each with its number in the store and its sign (docs/mqtt.md, Telemetry)."""

from dataclasses import dataclass
from typing import Final

from devices.quantities import ABSORBED, DELIVERED, UNITS, Quantity

SIGNS: Final = {ABSORBED: 1.0, DELIVERED: -1.0}
"""§3: power into a thing is positive."""


@dataclass(frozen=True, slots=True)
class Channel:
    """One measurand."""

    number: int
    """Its number in the store; never given to another."""
    device: str
    """``storage`` or ``meter``."""
    details: str
    """Which part of it."""
    quantity: Quantity
    """What."""
    least: float
    """Least value, in our sign and unit."""
    most: float
    """Greatest value."""
    directed: bool = False
    """Whether messages give it a direction."""
    is_production: bool = False
    """Whether what is delivered counts as positive (§3: ``pv_w`` is a magnitude)."""

    @property
    def unit(self) -> str:
        """Its unit, in messages and in the store."""
        return UNITS[self.quantity]

    @property
    def name(self) -> str:
        """What requests call it, such as ``storage.L1.Phase voltage``."""
        return ".".join(part for part in (self.device, self.details, self.quantity.value) if part)

    def sign(self, direction: str | None) -> float | None:
        """Return what turns figures of a direction into ours; None where it may not be given."""
        if not self.directed:
            return 1.0 if direction is None else None
        sign = SIGNS.get(direction or "")
        return -sign if self.is_production and sign is not None else sign


_POWER: Final = 1e9
"""Nothing in a home has a gigawatt."""


def _phases(first: int, quantity: Quantity, least: float, most: float) -> tuple[Channel, ...]:
    return tuple(
        Channel(first + phase, "storage", f"L{phase + 1}", quantity, least, most)
        for phase in range(3)
    )


CHANNELS: Final[tuple[Channel, ...]] = (
    Channel(1, "storage", "", Quantity.ACTIVE_POWER, -_POWER, _POWER, directed=True),
    Channel(2, "storage", "", Quantity.STATE_OF_CHARGE, 0.0, 100.0),
    Channel(3, "storage", "", Quantity.FREQUENCY, 0.0, 1e3),
    *_phases(4, Quantity.PHASE_VOLTAGE, 0.0, 1e5),
    *_phases(7, Quantity.LINE_CURRENT, -1e6, 1e6),
    Channel(10, "storage", "", Quantity.REACTIVE_POWER, -_POWER, _POWER, directed=True),
    Channel(11, "meter", "consumption", Quantity.ACTIVE_POWER, -_POWER, _POWER, directed=True),
    Channel(
        12,
        "meter",
        "production",
        Quantity.ACTIVE_POWER,
        -_POWER,
        _POWER,
        directed=True,
        is_production=True,
    ),
    Channel(13, "meter", "grid", Quantity.ACTIVE_POWER, -_POWER, _POWER, directed=True),
    Channel(14, "storage", "", Quantity.TEMPERATURE, -60.0, 150.0),
)
"""All of them; a new one is added at the end, with a migration that inserts its row."""
CHANNEL_OF: Final = {
    (each.device, each.details, each.quantity.value, each.unit): each for each in CHANNELS
}
"""By what messages say."""
BATTERY_POWER, SOC, LOAD, PV, GRID = 1, 2, 11, 12, 13
"""Numbers of what the view of the fleet shows."""
