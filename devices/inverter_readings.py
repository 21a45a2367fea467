"""What an inverter measures at its connection, and its reserve: optional abilities (§5)."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class InverterState:
    """What an inverter measures where it is connected; None or empty where it does not tell."""

    frequency_hz: float | None = None
    """Frequency. [Hz]"""
    phase_voltages_v: tuple[float, ...] = ()
    """Line to neutral, one for each phase. [V]"""
    line_currents_a: tuple[float, ...] = ()
    """One for each phase. [A]"""
    reactive_power_var: float | None = None
    """Reactive power, > 0 absorbs. [var]"""


class InverterReadings(Protocol):
    """Tells what its inverter measures."""

    async def read_inverter(self) -> InverterState:
        """Return the present measurements, or raise `devices.errors.DeviceError`."""
        ...


class ReserveKeeper(Protocol):
    """Keeps a share of its energy back while it follows residual demand."""

    async def set_reserve(self, reserve_soc: float) -> None:
        """Let self-consumption take the battery no lower than ``reserve_soc``, 0..1."""
        ...
