"""What a battery and a meter are to everything that steers or reads one (§5).

Set-points are at the AC terminals, > 0 charges (§3). Each holds for a stated time; when that has
passed, the device returns to self-consumption by itself.
"""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable


@dataclass(frozen=True, slots=True, kw_only=True)
class BatteryState:
    """What a battery tells of itself."""

    soc: float
    """State of charge, 0..1 of nominal capacity."""
    battery_power_w: float
    """Power at the terminals, > 0 charges. [W]"""
    following: bool
    """True while the battery follows residual demand by itself."""
    soh: float | None = None
    """State of health, 0..1 of the capacity when new; None where the device does not tell."""
    temperature_c: float | None = None
    """Temperature of the cells; None where the device does not tell. [°C]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatteryLimits:
    """What a battery can do, whoever asks."""

    charge_max_w: float
    """Greatest power that it takes, >= 0. [W]"""
    discharge_max_w: float
    """Greatest power that it gives, >= 0. [W]"""
    capacity_wh: float | None = None
    """Nominal capacity; None where the device does not tell. [Wh]"""
    charges_from_grid: bool = True
    """False where it only takes what the sun leaves over, whatever the set-point."""
    exports_to_grid: bool = True
    """False where it only gives what the house takes, whatever the set-point: no forced export."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterState:
    """What a home's meter reads."""

    load_w: float
    """Consumption, >= 0. [W]"""
    pv_w: float
    """Production, >= 0. [W]"""
    grid_power_w: float
    """Power at the grid connection, > 0 imports. [W]"""
    import_wh: float | None = None
    """Energy ever imported, a counter that only grows; None where the meter has none. [Wh]"""
    export_wh: float | None = None
    """Energy ever exported, likewise; a meter has both counters or neither. [Wh]"""


class Battery(Protocol):
    """Reads and steers one battery; implementations hold the connection."""

    async def read(self) -> BatteryState:
        """Return the present state, or raise `devices.errors.DeviceError`."""
        ...

    async def set_power(self, battery_power_w: float, *, valid_s: float) -> None:
        """Hold a terminal power for ``valid_s``, then return to self-consumption. [W, s]"""
        ...

    async def follow(self) -> None:
        """Return to self-consumption: follow residual demand until told otherwise."""
        ...


@runtime_checkable
class LimitedBattery(Battery, Protocol):
    """A battery that tells what it can do."""

    async def limits(self) -> BatteryLimits:
        """Return what the battery can do, or raise `devices.errors.DeviceError`."""
        ...


class Meter(Protocol):
    """Reads one home's grid connection."""

    async def read_meter(self) -> MeterState:
        """Return the present reading, or raise `devices.errors.DeviceError`."""
        ...
