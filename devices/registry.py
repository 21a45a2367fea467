"""From a configuration's driver name to an open device; a vendor's module loads when named."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Protocol, cast

from devices.battery import Battery, Meter
from devices.clock import Clock
from devices.errors import DeviceConfigError
from devices.guarded_writes import POLL_S, GuardedWrites
from devices.inverter_readings import InverterReadings, ReserveKeeper
from devices.switches import EvCharger, Relay
from devices.write_log import WriteLog


class Closable(Protocol):
    """Lets go of a device, after returning it to what it does by itself."""

    async def close(self) -> None:
        """Return the device to its own control and let go of the connection."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """An open device: what it can do is there, what it cannot is None."""

    name: str
    """Its name in the configuration."""
    driver: str
    """Name of its driver."""
    connection: Closable
    """Closes it."""
    battery: Battery | None = None
    """Its battery."""
    meter: Meter | None = None
    """Its meter at the grid connection."""
    relay: Relay | None = None
    """Its transfer relay."""
    charger: EvCharger | None = None
    """Its EV charger."""
    inverter: InverterReadings | None = None
    """What its inverter measures besides power."""
    reserve: ReserveKeeper | None = None
    """Keeps a share of the battery's energy back."""

    async def close(self) -> None:
        """Return the device to its own control and let go of it."""
        await self.connection.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What the caller hands to every driver."""

    name: str
    """Name of the device in the configuration, and of its counts in the log."""
    where: str
    """What messages call its table, such as ``home.toml [battery]``."""
    clock: Clock
    """The time."""
    log: WriteLog
    """Where writes are counted."""
    read_only: bool = False
    """Refuse every write."""

    def writes(self, *, poll_s: float = POLL_S) -> GuardedWrites:
        """Return what the device's writes go through; ``poll_s`` as in `GuardedWrites`. [s]"""
        return GuardedWrites(
            self.name,
            log=self.log,
            clock=self.clock,
            read_only=self.read_only,
            poll_s=poll_s,
        )


class Driver(Protocol):
    """Opens one kind of device: the ``open_device`` of a module in `devices.drivers`."""

    async def __call__(self, settings: Mapping[str, object], site: Site) -> Device:
        """Return the open device, or raise `DeviceError`."""
        ...


DRIVERS: dict[str, str] = {
    "abb-react2": "devices.drivers.react2:open_react2",
    "ocpp-charger": "devices.drivers.ocpp_charger:open_charger",
    "solaredge": "devices.drivers.solaredge:open_solaredge",
    "solaredge-grid-services": "devices.drivers.grid_services:open_grid_services",
    "sonnen-v1": "devices.drivers.sonnen:open_v1",
    "sonnen-v2": "devices.drivers.sonnen:open_v2",
    "studer-xtender": "devices.drivers.xtender:open_xtender",
    "sunspec": "devices.drivers.sunspec:open_sunspec",
    "sunspec-adapter": "devices.drivers.sunspec_adapter:open_adapter",
}
"""Where each driver is: ``module:function``."""

EMULATORS: dict[str, str] = {
    "abb-react2": "devices.emulators.react2:React2Emulator",
    "ocpp-charger": "devices.emulators.ocpp_charger:ChargerEmulator",
    "solaredge": "devices.emulators.solaredge:SolarEdgeEmulator",
    "solaredge-grid-services": "devices.emulators.grid_services:GridServicesEmulator",
    "sonnen-v1": "devices.emulators.sonnen:SonnenV1Emulator",
    "sonnen-v2": "devices.emulators.sonnen:SonnenV2Emulator",
    "studer-xtender": "devices.emulators.xtender:XtenderEmulator",
    "sunspec": "devices.emulators.sunspec:SunSpecEmulator",
    "sunspec-adapter": "devices.emulators.sunspec_adapter:AdapterEmulator",
}
"""Where each emulator is: ``module:class`` (see `devices.emulators.emulator.Emulator`)."""


async def open_device(settings: Mapping[str, object], site: Site) -> Device:
    """Open the device that a configuration's table describes.

    Parameters
    ----------
    settings : Mapping
        The table: ``driver`` names the driver, the rest are its settings.
    site : Site
        Name, clock, counts.

    Raises
    ------
    DeviceConfigError
        If no such driver exists or it cannot use the settings.
    DeviceError
        If the device cannot be reached where its driver has to ask it something first.
    """
    name = settings.get("driver")
    if name is None:
        msg = f'{site.where} names no driver; add driver = "...", one of {", ".join(DRIVERS)}'
        raise DeviceConfigError(msg)
    if not isinstance(name, str) or name not in DRIVERS:
        msg = f"{site.where}: driver is {name!r}; give one of {', '.join(DRIVERS)}"
        raise DeviceConfigError(msg)
    rest = {key: value for key, value in settings.items() if key != "driver"}
    driver = cast("Driver", resolve(DRIVERS[name]))
    return await driver(rest, site)


def resolve(place: str) -> object:
    """Return what stands at ``module:name``, imported now."""
    module, _, name = place.partition(":")
    found: object = getattr(import_module(module), name)
    return found
