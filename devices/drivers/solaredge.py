"""SolarEdge StorEdge over Modbus TCP: battery blocks, storage control, the SunSpec meter."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

from devices.battery import BatteryLimits, BatteryState, MeterState
from devices.drivers.inverter_blocks import INVERTER_MODELS, inverter_of
from devices.drivers.modbus_link import IllegalAddressError, ModbusLink, TcpAddress
from devices.drivers.solaredge_codec import (
    AC_CHARGE_ALWAYS,
    AC_CHARGE_POLICY,
    BATTERY_BASES,
    CHARGE_LIMIT,
    COMMAND_MODE,
    COMMAND_TIMEOUT,
    CONTROL_COUNT,
    CONTROL_FIRST,
    DEFAULT_MODE,
    DISCHARGE_LIMIT,
    RATING_COUNT,
    RATING_OFFSET,
    READING_COUNT,
    READING_OFFSET,
    STORAGE_MODE,
    CommandMode,
    SolarEdgeControl,
    SolarEdgeRating,
    SolarEdgeReading,
    StorageMode,
    command_for,
    decode_control,
    decode_rating,
    decode_reading,
    float_of,
    float_words,
    follows,
    long_of,
    long_words,
    power_of,
    state_of,
)
from devices.drivers.sunspec_device import SunSpecDevice
from devices.drivers.sunspec_translate import Plan, meter_of
from devices.errors import DeviceRefusedError, DeviceReplyError
from devices.guarded_writes import GuardedWrites, Register, Value, exactly, within
from devices.inverter_readings import InverterState
from devices.registry import Device, Site
from devices.settings import read_settings
from devices.steered import SteeredBattery

STORED_BUDGET: Final = 10
"""Writes a day of the registers that the inverter keeps in flash: E004, E005, E00A."""
_STORED: Final = {
    STORAGE_MODE: "E004 storage control mode",
    AC_CHARGE_POLICY: "E005 AC charge policy",
    DEFAULT_MODE: "E00A default mode",
}
_VOLATILE: Final = {  # E00B to E011 are not kept, says the vendor
    COMMAND_TIMEOUT: "E00B command timeout",
    COMMAND_MODE: "E00D command mode",
    CHARGE_LIMIT: "E00E charge limit",
    DISCHARGE_LIMIT: "E010 discharge limit",
}
_FLOATS: Final = frozenset({CHARGE_LIMIT, DISCHARGE_LIMIT})
_INVERTERS: Final = (103, 102, 101)
_METERS: Final = (203, 202, 201)
_LIMIT_STEP_W: Final = 0.5
_BATTERY: Final = 802
"""Stands for the battery block among the SunSpec models of a meter's reading."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SolarEdgeSettings:
    """Settings of the driver ``solaredge``."""

    host: str
    """Name or address of the inverter."""
    port: int = 1502
    """Its port: 1502 with SetApp, 502 with a display."""
    unit: int = 1
    """Its unit identifier."""
    battery: int = 1
    """Which of its batteries: 1, 2 or 3."""
    timeout_s: float = 3.0
    """How long an answer may take. [s]"""
    watchdog_s: float = 120.0
    """After what time without renewal the inverter is to give up a set-point, 60..120. [s]"""
    charge_from_grid: bool = True
    """Whether charging may take from the grid; otherwise it takes what the sun leaves over."""
    export_to_grid: bool = True
    """Whether discharging may feed the grid; otherwise it gives what the house takes."""

    def __post_init__(self) -> None:
        if self.battery not in BATTERY_BASES:
            msg = f"battery is {self.battery}; give 1, 2 or 3"
            raise ValueError(msg)
        if not (self.timeout_s > 0 and 60 <= self.watchdog_s <= 120):
            msg = "timeout_s must be > 0 and watchdog_s in 60..120"
            raise ValueError(msg)


async def open_solaredge(settings: Mapping[str, object], site: Site) -> Device:
    """Open a StorEdge inverter; see `SolarEdgeSettings`."""
    taken = read_settings(SolarEdgeSettings, settings, where=site.where)
    modbus = ModbusLink(
        name=site.name,
        address=TcpAddress(host=taken.host, port=taken.port),
        unit=taken.unit,
        timeout_s=taken.timeout_s,
        clock=site.clock,
    )
    link = SolarEdgeBattery(modbus, settings=taken, writes=site.writes())
    try:
        await link.limits()
        metered = await link.find_meter()
    except BaseException:
        await link.close()
        raise
    battery = SteeredBattery(link, clock=site.clock)
    return Device(
        name=site.name,
        driver="solaredge",
        connection=battery,
        battery=battery,
        meter=link if metered else None,
        inverter=link,
    )


class SolarEdgeBattery:
    """See `devices.steered.BatteryLink` and `devices.battery.Meter`.

    Parameters
    ----------
    link : ModbusLink
        The connection; closed with this.
    settings : SolarEdgeSettings
        What is read and written how.
    writes : GuardedWrites
        Through which every write goes.

    Notes
    -----
    The export control mode (E000) is the grid operator's business and never written. After closing,
    remote control (E004) stays on, with self-consumption as its command and as its default.
    """

    def __init__(
        self, link: ModbusLink, *, settings: SolarEdgeSettings, writes: GuardedWrites
    ) -> None:
        self._link = link
        self._settings = settings
        self._writes = writes
        self._base = BATTERY_BASES[settings.battery]
        self._sunspec = SunSpecDevice(link)
        self._plan: Plan | None = None
        self._limits: BatteryLimits | None = None
        self._connections = 0
        self._policy: int | None = None

    @property
    def name(self) -> str:
        """What messages call the device."""
        return self._link.name

    @property
    def refresh_s(self) -> float | None:
        """Half the time after which the inverter gives up a command. [s]"""
        return self._settings.watchdog_s / 2

    async def limits(self) -> BatteryLimits:
        """See `devices.steered.BatteryLink`."""
        if self._limits is None:
            rating = await self._rating()
            self._limits = BatteryLimits(
                charge_max_w=rating.max_charge_continuous_w,
                discharge_max_w=rating.max_discharge_continuous_w,
                capacity_wh=rating.rated_energy_wh,
                charges_from_grid=self._settings.charge_from_grid,
                exports_to_grid=self._settings.export_to_grid,
            )
        return self._limits

    async def find_meter(self) -> bool:
        """Look for inverter and meter in the chain of SunSpec models; return whether both are."""
        await self._sunspec.scan()
        have = self._sunspec.places
        inverter = next((each for each in _INVERTERS if each in have), None)
        meter = next((each for each in _METERS if each in have), None)
        if inverter is None or meter is None:
            return False
        self._plan = Plan(
            inverter=inverter, ports=_BATTERY, store=_BATTERY, control=None, meter=meter
        )
        return True

    async def read(self) -> BatteryState:
        """See `devices.steered.BatteryLink`."""
        limits = await self.limits()
        return state_of(await self._reading(), await self._control(), limits, name=self.name)

    async def read_meter(self) -> MeterState:
        """See `devices.battery.Meter`; SolarEdge's meter shows export as > 0."""
        if self._plan is None and not await self.find_meter():
            msg = f"{self.name}: no meter among its SunSpec models; read the battery alone"
            raise DeviceRefusedError(msg)
        plan, limits = self._plan, await self.limits()
        assert plan is not None  # noqa: S101 -- found above
        models = [each for each in (plan.inverter, plan.meter) if each is not None]
        blocks = await self._sunspec.read_steady(models)
        power_w = power_of((await self._reading()).power_w, limits, name=self.name)
        battery = {"ID": _BATTERY, "W": -power_w}  # as a SunSpec port shows it
        return meter_of(
            {**blocks, _BATTERY: battery}, plan, limits, export_positive=True, name=self.name
        )

    async def read_inverter(self) -> InverterState:
        """See `devices.inverter_readings.InverterReadings`."""
        if not self._sunspec.places:
            await self._sunspec.scan()
        for model in INVERTER_MODELS:
            if model in self._sunspec.places:
                return inverter_of(model, (await self._sunspec.read_steady((model,)))[model])
        return InverterState()

    async def command(self, battery_power_w: float, *, hold_s: float) -> None:
        """See `devices.steered.BatteryLink`.

        The limit goes before the mode that uses it, so that no old limit works in a new mode.
        """
        self._writes.require_writable()
        wanted = self._settings
        control = await self._control()
        ours = control.storage_mode == StorageMode.REMOTE and not follows(control)
        if not ours or self._link.connections != self._connections:
            self._writes.forget()  # somebody ended what we wrote, or it may have restarted
        self._connections = self._link.connections
        mode, register, limit_w = command_for(
            battery_power_w, from_grid=wanted.charge_from_grid, to_grid=wanted.export_to_grid
        )
        await self._put(DEFAULT_MODE, CommandMode.SELF_CONSUMPTION)
        if mode is CommandMode.CHARGE_PV_AND_AC:
            if self._policy is None:
                self._policy = int(str(await self._read_back(AC_CHARGE_POLICY)))
            await self._put(AC_CHARGE_POLICY, AC_CHARGE_ALWAYS)
        await self._put(STORAGE_MODE, StorageMode.REMOTE)
        await self._put(COMMAND_TIMEOUT, math.ceil(min(hold_s, wanted.watchdog_s)))
        await self._put(register, limit_w)
        await self._put(COMMAND_MODE, mode, renew=True)  # starts the timer anew

    async def release(self) -> None:
        """See `devices.steered.BatteryLink`; the limits are lifted once they bind no command."""
        self._writes.require_writable()
        limits = await self.limits()
        self._writes.forget()
        if (await self._control()).storage_mode != StorageMode.REMOTE:
            return  # not under our control, so it is under its own
        await self._put(COMMAND_MODE, CommandMode.SELF_CONSUMPTION, essential=True)
        await self._put(CHARGE_LIMIT, limits.charge_max_w, essential=True)
        await self._put(DISCHARGE_LIMIT, limits.discharge_max_w, essential=True)

    async def restore(self) -> None:
        """See `devices.steered.RestoringLink`: the owner's policy of charging from AC."""
        found, self._policy = self._policy, None
        if found is not None:
            await self._put(AC_CHARGE_POLICY, found, essential=True)

    async def close(self) -> None:
        """See `devices.steered.BatteryLink`."""
        await self._link.close()

    async def _rating(self) -> SolarEdgeRating:
        where = f"{self.name}: no battery {self._settings.battery} (no rated energy)"
        try:
            found = await self._link.read(self._base + RATING_OFFSET, RATING_COUNT)
        except IllegalAddressError as error:
            msg = f"{where}; name another in the settings"
            raise DeviceRefusedError(msg) from error
        rating = decode_rating(found)
        if rating is None:
            msg = f"{where}; it may be asleep: ask again, or name another in the settings"
            raise DeviceReplyError(msg)
        return rating

    async def _reading(self) -> SolarEdgeReading:
        return decode_reading(await self._link.read(self._base + READING_OFFSET, READING_COUNT))

    async def _control(self) -> SolarEdgeControl:
        return decode_control(await self._link.read(CONTROL_FIRST, CONTROL_COUNT))

    async def _put(
        self, register: int, value: float, *, renew: bool = False, essential: bool = False
    ) -> None:
        """Write a register and see it written; stored ones within their budget."""
        stored = register in _STORED
        await self._writes.put(
            Register(
                name=_STORED[register] if stored else _VOLATILE[register],
                budget_per_day=STORED_BUDGET if stored else None,
            ),
            value,
            send=partial(self._link.write, register, _words(register, value)),
            read_back=partial(self._read_back, register),
            same=within(_LIMIT_STEP_W) if register in _FLOATS else exactly,
            renew=renew,
            essential=essential,
        )

    async def _read_back(self, register: int) -> Value:
        if register in _FLOATS:
            found = float_of(*await self._link.read(register, 2))
            return math.nan if found is None else found
        if register == COMMAND_TIMEOUT:
            return long_of(*await self._link.read(register, 2))
        return (await self._link.read(register, 1))[0]


def _words(register: int, value: float) -> tuple[int, ...]:
    """Return the registers of a value."""
    if register in _FLOATS:
        return float_words(value)
    return long_words(int(value)) if register == COMMAND_TIMEOUT else (int(value),)
