"""Find devices in a house: by the names they announce, and at the one address the user names.

Nothing here scans a network. `browse` listens to what announces itself; `probe_sunspec` speaks to
one address, read-only.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from zeroconf import ServiceStateChange, Zeroconf
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo

from devices.adapter.announce import SERVICE
from devices.announce import Interfaces, open_zeroconf
from devices.clock import Clock
from devices.drivers.modbus_link import ModbusLink, TcpAddress
from devices.drivers.sunspec_device import SunSpecDevice
from devices.errors import DeviceReplyError

SERVICES: Final = (SERVICE,)
"""Service types that are listened for: SunSpec adapters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundService:
    """Something that announced itself."""

    name: str
    """Its name, without the service type."""
    service: str
    """Its service type."""
    host: str
    """Its host name."""
    addresses: tuple[str, ...]
    """Its addresses, in order."""
    port: int
    """Its port."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundSunSpec:
    """What answered as a SunSpec device."""

    host: str
    """The address that was asked."""
    port: int
    """Its port."""
    unit: int
    """Its Modbus unit."""
    manufacturer: str
    """Who made it."""
    model: str
    """What it is."""
    version: str
    """Its firmware."""
    serial: str
    """Its serial number."""
    models: tuple[int, ...]
    """Its SunSpec models, in the order of its chain."""


async def browse(
    seconds: float,
    *,
    services: Sequence[str] = SERVICES,
    interfaces: Interfaces = None,
) -> tuple[FoundService, ...]:
    """Return what announces itself within a time.

    Parameters
    ----------
    seconds : float
        How long to listen. [s]
    services : sequence of str
        Service types.
    interfaces : sequence of str, optional
        Addresses of the interfaces to listen on; None for all.

    Raises
    ------
    DeviceConfigError
        If an interface is none of this machine.
    """
    names: dict[str, str] = {}

    def heard(
        zeroconf: Zeroconf,
        service_type: str,
        name: str,
        state_change: ServiceStateChange,
    ) -> None:
        if state_change is ServiceStateChange.Removed:
            names.pop(name, None)
        else:
            names[name] = service_type

    zeroconf = open_zeroconf(interfaces)
    try:
        async with AsyncServiceBrowser(zeroconf.zeroconf, list(services), handlers=[heard]):
            await asyncio.sleep(seconds)
            asked = [_resolve(zeroconf.zeroconf, name, names[name]) for name in sorted(names)]
            found = await asyncio.gather(*asked)
    finally:
        await zeroconf.async_close()
    return tuple(each for each in found if each is not None)


async def _resolve(zeroconf: Zeroconf, name: str, service: str) -> FoundService | None:
    """Return address and port of a name; None where it does not tell them within a second."""
    info = AsyncServiceInfo(service, name)
    if not await info.async_request(zeroconf, 1_000) or info.port is None:
        return None
    return FoundService(
        name=name.removesuffix(f".{service}"),
        service=service,
        host=(info.server or "").rstrip("."),
        addresses=tuple(sorted(info.parsed_addresses())),
        port=info.port,
    )


async def probe_sunspec(
    host: str, *, clock: Clock, port: int = 502, unit: int = 1, timeout_s: float = 3.0
) -> FoundSunSpec:
    """Ask one address whether it is a SunSpec device, and which; reads only.

    Parameters
    ----------
    host : str
        The address, as the user named it.
    clock : Clock
        For pauses between connections.
    port, unit : int
        Modbus port and unit.
    timeout_s : float
        How long each answer may take. [s]

    Raises
    ------
    DeviceUnavailableError
        If nothing answers there.
    DeviceRefusedError
        If it is no SunSpec device.
    DeviceReplyError
        If its chain makes no sense.
    """
    link = ModbusLink(
        name=f"device at {host}:{port}",
        address=TcpAddress(host=host, port=port),
        unit=unit,
        timeout_s=timeout_s,
        clock=clock,
    )
    try:
        device = SunSpecDevice(link)
        await device.scan()
        places = [place for several in device.places.values() for place in several]
        if 1 not in device.places:
            msg = f"{link.name} has no common SunSpec model; its chain is {list(device.places)}"
            raise DeviceReplyError(msg)
        common = await device.read(1)
    finally:
        await link.close()
    manufacturer, model, version, serial = (
        str(common[point] or "") for point in ("Mn", "Md", "Vr", "SN")
    )
    return FoundSunSpec(
        host=host,
        port=port,
        unit=unit,
        manufacturer=manufacturer,
        model=model,
        version=version,
        serial=serial,
        models=tuple(each.model_id for each in sorted(places, key=lambda place: place.address)),
    )
