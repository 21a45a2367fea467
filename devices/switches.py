"""What a transfer relay and an EV charger are to everything that steers one (§5)."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayState:
    """What a transfer relay tells of itself."""

    closed: bool
    """True while the house hangs on the grid, False in island mode."""


class Relay(Protocol):
    """Joins a house to the grid and parts it from it."""

    async def read_relay(self) -> RelayState:
        """Return the present state, or raise `devices.errors.DeviceError`."""
        ...

    async def set_relay(self, *, closed: bool) -> None:
        """Join the house to the grid, or let it go; closed is the state to return to."""
        ...

    async def rejoin(self) -> None:
        """Have the relay do what its owner wants, whatever a controller told it last."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargerState:
    """What an EV charger tells of itself and of the car."""

    connected: bool
    """True while a car is plugged in."""
    charging: bool
    """True while energy flows."""
    charger_power_w: float
    """Power into the car, > 0 charges; < 0 where the car feeds the house. [W]"""
    session_wh: float
    """Energy into the car since it was plugged in. [Wh]"""
    limit_w: float | None
    """Greatest power allowed now; None where nothing limits it but the charger. [W]"""


class EvCharger(Protocol):
    """Reads and limits one charger."""

    async def read_charger(self) -> ChargerState:
        """Return the present state, or raise `devices.errors.DeviceError`."""
        ...

    async def set_limit(self, limit_w: float, *, valid_s: float) -> None:
        """Allow the car at most ``limit_w`` for ``valid_s``, then whatever it wants. [W, s]"""
        ...

    async def unlimit(self) -> None:
        """Allow the car whatever it and the charger want."""
        ...
