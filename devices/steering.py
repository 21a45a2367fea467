"""What takes a set-point: a battery, a charger, or a connection that can only steer."""

from collections.abc import Awaitable
from typing import Protocol, runtime_checkable

from devices.errors import DeviceRefusedError
from devices.registry import Device
from devices.switches import EvCharger


@runtime_checkable
class Steers(Protocol):
    """Takes set-points as a battery does; some services cannot tell what became of them."""

    def set_power(self, battery_power_w: float, *, valid_s: float) -> Awaitable[object]:
        """See `devices.battery.Battery`."""
        ...

    def follow(self) -> Awaitable[object]:
        """See `devices.battery.Battery`."""
        ...


def steering_of(device: Device) -> Steers | EvCharger:
    """Return what takes a device's set-points.

    Raises
    ------
    DeviceRefusedError
        If nothing does.
    """
    if device.battery is not None:
        return device.battery
    if device.charger is not None:
        return device.charger
    if isinstance(device.connection, Steers):
        return device.connection
    msg = f"{device.name} has neither battery nor charger; name a device that has"
    raise DeviceRefusedError(msg)


async def hold(steering: Steers | EvCharger, power_w: float, *, valid_s: float) -> None:
    """Hold a battery at a power, or a car below one, for ``valid_s``. [W, s]"""
    if isinstance(steering, Steers):
        await steering.set_power(power_w, valid_s=valid_s)
    else:
        await steering.set_limit(power_w, valid_s=valid_s)


async def let_go(steering: Steers | EvCharger) -> None:
    """Return a battery to self-consumption, or let a car have what it wants."""
    if isinstance(steering, Steers):
        await steering.follow()
    else:
        await steering.unlimit()
