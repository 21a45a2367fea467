"""What outranks the controller for a while: an order of the operator or of the home's owner."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from hems.agent.reading import Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Steer the battery otherwise until a time; exactly one of its three ways is given.

    Raises
    ------
    ValueError
        If none or more than one is given, or the time has no zone.
    """

    correlation_id: str
    """Names it; the same one is never carried out twice."""
    until: datetime
    """When the controller takes over again, aware."""
    battery_power_w: float | None = None
    """Terminal power to hold, > 0 charges; 0 is standby. [W]"""
    grid_power_w: float | None = None
    """Power to hold at the grid connection, > 0 imports (Burgio 2023, section 2). [W]"""
    follow: bool = False
    """Follow residual demand."""

    def __post_init__(self) -> None:
        ways = [self.battery_power_w is not None, self.grid_power_w is not None, self.follow]
        if sum(ways) != 1:
            msg = f"order {self.correlation_id}: give one of battery power, grid power and follow"
            raise ValueError(msg)
        if self.until.tzinfo is None:
            msg = f"order {self.correlation_id}: until has no time zone; give UTC"
            raise ValueError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenUp:
    """An order that the battery did, and that ended before its time."""

    correlation_id: str
    """The order's."""
    code: str
    """Why, in a word for programs (`devices.error_codes`)."""
    reason: str
    """Why, in a line."""


class OrderDesk(Protocol):
    """Carries orders out: the part of the agent that holds the battery."""

    @property
    def rated_w(self) -> tuple[float, float]:
        """What 100 % of charge and of discharge is. [W]"""
        ...

    async def take(self, order: Order) -> None:
        """Carry an order out, in place of an earlier one; return once the battery does it.

        Raises
        ------
        DeviceError
            If the battery does not take it; what stood before then goes on, but for a stop: then
            it ends, and the controller takes over.
        """
        ...

    async def keep_reserve(self, reserve_soc: float) -> None:
        """Have self-consumption leave this much in the battery, 0..1; raises `DeviceError`."""
        ...

    async def end_order(self) -> Order | None:
        """Let the controller take over now; return the order that stood until then."""
        ...

    async def read(self) -> Reading:
        """Read the devices now; raises `DeviceError` where none answers."""
        ...
