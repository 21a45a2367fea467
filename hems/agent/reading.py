"""What one device cycle of a gateway saw, and who is told of it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from devices.battery import BatteryState, MeterState
from devices.inverter_readings import InverterState
from devices.switches import RelayState


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What the devices of a home told in one cycle; None where one did not answer."""

    utc: datetime
    """When, aware, by the computer's clock, which may jump."""
    monotonic_s: float
    """When, by the clock that does not jump. [s]"""
    meter: MeterState | None = None
    """The meter at the grid connection, with what ``[pv]`` and ``[load]`` measure apart."""
    battery: BatteryState | None = None
    """The battery."""
    inverter: InverterState | None = None
    """What the inverter measures at its connection."""
    pv: MeterState | None = None
    """The sun's inverter, where it is a device of its own."""
    load: MeterState | None = None
    """The load's own meter, where there is one."""
    relay: RelayState | None = None
    """The transfer relay, where the agent may open it."""


class Listener(Protocol):
    """Is told of every reading; quick, and never waits."""

    def add(self, reading: Reading) -> None:
        """Take up a reading."""
        ...
