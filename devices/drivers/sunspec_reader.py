"""A SunSpec inverter or meter without a battery, read only: the sun's inverter, a branch's meter.

Whatever it is, it stands in a branch of the house and tells that branch's `MeterState`: a meter
what it carries, an inverter without a meter what it produces.
"""

import asyncio
from collections.abc import Mapping
from typing import Final

from devices.battery import MeterState
from devices.drivers.modbus_link import ModbusLink
from devices.drivers.sunspec import SunSpecSettings
from devices.drivers.sunspec_codec import Block
from devices.drivers.sunspec_device import SunSpecDevice
from devices.drivers.sunspec_translate import number
from devices.errors import DeviceRefusedError, DeviceReplyError
from devices.registry import Device, Site
from devices.settings import read_settings

_INVERTERS: Final = (701, 103, 102, 101, 113, 112, 111)
_METERS: Final = (203, 202, 201, 204, 213, 212, 211, 214)
_MOST_W: Final = 1e6
"""No branch of a house carries more: beyond it a value is damage. [W]"""
_HZ: Final = (40.0, 70.0)
"""Frequencies that a grid or an island can have: others tell swapped words and wrong scales."""


class SunSpecReader:
    """See `devices.battery.Meter`.

    Parameters
    ----------
    link : ModbusLink
        The connection; closed with this.
    export_positive : bool
        Whether the meter's model shows export as > 0.
    """

    def __init__(self, link: ModbusLink, *, export_positive: bool) -> None:
        self._link = link
        self._device = SunSpecDevice(link)
        self._export_positive = export_positive
        self._busy = asyncio.Lock()

    async def read_meter(self) -> MeterState:
        """Return what its branch carries; at night, when it sleeps, an inverter may be silent.

        Raises
        ------
        DeviceError
            If it does not answer, has neither meter nor inverter, or shows what cannot be.
        """
        async with self._busy:
            meter, inverter = await self._models()
            models = tuple(sorted(each for each in (meter, inverter) if each is not None))
            blocks = await self._device.read_steady(models)
        pv_w = 0.0 if inverter is None else max(self._power_w(blocks[inverter]), 0.0)
        if meter is None:
            return MeterState(load_w=0.0, pv_w=pv_w, grid_power_w=-pv_w)
        shown_w = self._power_w(blocks[meter])
        grid_power_w = -shown_w if self._export_positive else shown_w
        return MeterState(
            load_w=max(grid_power_w + pv_w, 0.0), pv_w=pv_w, grid_power_w=grid_power_w
        )

    async def close(self) -> None:
        """Let go of the connection: nothing was ever written."""
        await self._link.close()

    async def _models(self) -> tuple[int | None, int | None]:
        """Return the models of a meter and of an inverter, of which it has one at least."""
        if not self._device.places:
            await self._device.scan()
        have = self._device.places
        meter = next((each for each in _METERS if each in have), None)
        inverter = next((each for each in _INVERTERS if each in have), None)
        if meter is None and inverter is None:
            there = ", ".join(map(str, sorted(have)))
            msg = f"{self._link.name}: neither inverter nor meter among its models {there}"
            raise DeviceRefusedError(msg)
        return meter, inverter

    def _power_w(self, block: Block) -> float:
        """Return an AC power that can be. [W]"""
        power_w, hz = number(block, "W"), number(block, "Hz")
        if power_w is None or abs(power_w) > _MOST_W or (hz and not _HZ[0] <= hz <= _HZ[1]):
            where = f"{self._link.name}: SunSpec {block.get('ID')}"
            msg = f"{where} shows {power_w} W at {hz} Hz, which cannot be; ask again"
            raise DeviceReplyError(msg)
        return power_w


async def open_reader(settings: Mapping[str, object], site: Site) -> Device:
    """Open a SunSpec device for reading; nothing is asked yet.

    Parameters
    ----------
    settings : Mapping
        As of the driver ``sunspec``; what they say of a battery is not used.
    site : Site
        Name, clock.

    Raises
    ------
    DeviceConfigError
        If a setting cannot be used.
    """
    taken = read_settings(SunSpecSettings, settings, where=site.where)
    link = ModbusLink(
        name=site.name,
        address=taken.address,
        unit=taken.unit,
        timeout_s=taken.timeout_s,
        clock=site.clock,
    )
    reader = SunSpecReader(link, export_positive=taken.meter_export_positive)
    return Device(name=site.name, driver="sunspec", connection=reader, meter=reader)
