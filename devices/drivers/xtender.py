"""Studer Xtender behind an Xcom-232i or Xcom-LAN: battery, meter and transfer relay.

What the system does by itself is what its installer saved in flash. A set-point lies over it in
RAM; giving it up copies the saved values back, so that it needs no memory of ours.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from devices.battery import BatteryLimits, BatteryState, MeterState
from devices.drivers.scom_line import ScomLine
from devices.drivers.xtender_codec import (
    CHARGE_GAINS,
    FEED_GAINS,
    Conversion,
    Currents,
    XtenderReading,
    battery_state,
    meter_state,
)
from devices.drivers.xtender_objects import (
    BATTERY_V,
    BSP_C,
    BSP_SOC,
    BSP_SOH,
    CHARGE_A,
    FEED_A,
    FEED_DOWN_TO_V,
    FEED_START_MIN,
    FEED_STOP_MIN,
    FEEDING_ALLOWED,
    INPUT_KW,
    OUTPUT_KW,
    RELAY_STATE,
    UNIT_SOC,
    WATCHDOG,
    WATCHDOG_S,
    Parameter,
)
from devices.drivers.xtender_registers import XtenderRegisters
from devices.drivers.xtender_relay import XtenderConnection, XtenderRelay
from devices.drivers.xtender_settings import XtenderSettings
from devices.errors import DeviceRefusedError, DeviceReplyError
from devices.registry import Device, Site
from devices.settings import read_settings
from devices.steered import SteeredBattery

_STEERED: Final = (FEED_START_MIN, FEED_STOP_MIN, FEEDING_ALLOWED, CHARGE_A)
"""What tells a set-point from the installer's settings."""
_RELEASED: Final = (
    FEED_START_MIN, FEED_STOP_MIN, FEEDING_ALLOWED, FEED_A, FEED_DOWN_TO_V, CHARGE_A, WATCHDOG,
    WATCHDOG_S,
)  # fmt: skip
"""What a set-point may have changed; in this order no step on the way is more than either end."""
_ALL_DAY: Final = (0.0, 1440.0)
"""Forced feeding from midnight to midnight: the device's clock may show any time. [min]"""


async def read_system(registers: XtenderRegisters, settings: XtenderSettings) -> XtenderReading:
    """Return what the devices say of powers and battery, or raise `DeviceError`."""
    input_kw = await registers.total(INPUT_KW) * settings.input_sign
    output_kw = await registers.total(OUTPUT_KW)
    if not settings.bsp:
        soc_percent = await registers.info(UNIT_SOC)
        return XtenderReading(input_kw=input_kw, output_kw=output_kw, soc_percent=soc_percent)
    soc = await registers.monitor(BSP_SOC)
    if soc is None:
        msg = f"{registers.name}: the battery monitor tells no state of charge; see to it"
        raise DeviceReplyError(msg)
    return XtenderReading(
        input_kw=input_kw,
        output_kw=output_kw,
        soc_percent=soc,
        soh_percent=await registers.monitor(BSP_SOH),
        temperature_c=await registers.monitor(BSP_C),
    )


class XtenderLink:
    """See `devices.steered.BatteryLink`.

    Each command looks at what the devices hold and do, and corrects the currents by the power that
    is measured at their terminals: the loop over currents is closed here.

    Parameters
    ----------
    registers : XtenderRegisters
        The system.
    settings : XtenderSettings
        How to use it.
    """

    def __init__(self, registers: XtenderRegisters, settings: XtenderSettings) -> None:
        self._registers = registers
        self._settings = settings
        self._conversion = Conversion(units=settings.units, battery_v=48.0, grid_v=settings.grid_v)
        self._told: Currents | None = None
        self._learnt_charge = self._learnt_feed = False

    @property
    def name(self) -> str:
        """What messages call the system."""
        return self._registers.name

    @property
    def refresh_s(self) -> float | None:
        """How often the loop closes, and at least twice in the watchdog's delay. [s]"""
        watchdog_s = self._settings.watchdog_s
        return min(self._settings.loop_s, watchdog_s / 2 if watchdog_s else self._settings.loop_s)

    async def limits(self) -> BatteryLimits:
        """Return the settings' limits inside those that the installer saved."""
        settings = self._settings
        battery_v = await self._registers.info(BATTERY_V)
        ceiling = await self._ceiling()
        charge_w = ceiling.charge_a * settings.units * battery_v
        feed_w = ceiling.feed_a * settings.units * settings.grid_v
        return BatteryLimits(
            charge_max_w=min(settings.charge_max_w, charge_w),
            discharge_max_w=min(settings.discharge_max_w, feed_w),
            capacity_wh=settings.capacity_wh,
            exports_to_grid=settings.feeds_grid,
        )

    async def read(self) -> BatteryState:
        """Return the present state; an island follows by nature, whatever it was told."""
        reading = await read_system(self._registers, self._settings)
        following = await self._is_island() or not await self._is_steered()
        return battery_state(reading, following=following)

    async def command(self, battery_power_w: float, *, hold_s: float) -> None:
        """Hold a terminal power, corrected by what is measured. [W]

        The devices end a command only through their watchdog, which resets them; ``hold_s`` is
        therefore left to the caller, who releases in time. [s]

        Raises
        ------
        DeviceRefusedError
            If the transfer relay is open: then the house decides what the battery does.
        """
        del hold_s
        registers = self._registers
        registers.require_writable()
        if await self._is_island():
            msg = f"{self.name}: in island mode the battery takes the balance; close the relay"
            raise DeviceRefusedError(msg)
        registers.forget()  # a reset or the installer may have changed what was written
        await self._learn()
        currents = self._conversion.currents(self._safe(battery_power_w), await self._ceiling())
        self._told = None
        if self._settings.watchdog_s:
            await registers.put(WATCHDOG_S, self._settings.watchdog_s, renew=True)
            await registers.put(WATCHDOG, 1.0)
        await (self._feed(currents) if currents.feed_a else self._charge(currents))
        self._told = currents

    async def release(self) -> None:
        """Bring back what the installer saved."""
        self._registers.require_writable()
        self._told = None
        self._registers.forget()
        await self._registers.restore(_RELEASED)

    async def close(self) -> None:
        """Let go of the line."""
        await self._registers.close()

    async def _charge(self, currents: Currents) -> None:
        """Charge, or rest at 0 A: the current first, so that no greater one flows meanwhile."""
        await self._registers.put(CHARGE_A, currents.charge_a)
        await self._registers.put(FEEDING_ALLOWED, 0.0)

    async def _feed(self, currents: Currents) -> None:
        """Feed from the battery: currents and voltage first, then the permission to."""
        put, floor_v = self._registers.put, self._settings.feed_down_to_v
        await put(CHARGE_A, 0.0)
        await put(FEED_A, currents.feed_a)
        if floor_v is not None:
            await put(FEED_DOWN_TO_V, floor_v)
        await put(FEED_START_MIN, _ALL_DAY[0])
        await put(FEED_STOP_MIN, _ALL_DAY[1])
        await put(FEEDING_ALLOWED, 1.0)

    async def _learn(self) -> None:
        """Take voltage and gains from what the devices do with what they were told."""
        battery_v = await self._registers.info(BATTERY_V)
        if not 5 < battery_v < 100:
            msg = f"{self.name}: a battery of {battery_v:g} V; see to the measurement"
            raise DeviceReplyError(msg)
        self._conversion = replace(self._conversion, battery_v=battery_v)
        if self._told is None or not await self._is_steered():
            return
        reading = await read_system(self._registers, self._settings)
        gains = self._conversion.learned(self._told, reading.battery_power_w)
        self._conversion = replace(self._conversion, charge_gain=gains[0], feed_gain=gains[1])
        self._learnt_charge |= self._told.charge_a > 0
        self._learnt_feed |= self._told.feed_a > 0

    def _safe(self, battery_power_w: float) -> float:
        """Return a power that keeps the limits even if the first guess of a gain is the worst. [W]

        Until the loop has closed once the currents are a guess, so that a power at the limit is
        approached from below.
        """
        settings = self._settings
        if battery_power_w > 0 and not self._learnt_charge:
            return min(battery_power_w, settings.charge_max_w * CHARGE_GAINS[1] / CHARGE_GAINS[2])
        if battery_power_w < 0 and not self._learnt_feed:
            return max(battery_power_w, -settings.discharge_max_w * FEED_GAINS[1] / FEED_GAINS[2])
        return battery_power_w

    async def _ceiling(self) -> Currents:
        """Return the currents that the installer saved: the battery's and the grid's limits."""
        feed_a = await self._least(FEED_A) if self._settings.feeds_grid else 0.0
        return Currents(charge_a=await self._least(CHARGE_A), feed_a=feed_a)

    async def _least(self, parameter: Parameter) -> float:
        registers = self._registers
        return min([await registers.saved(parameter, unit) for unit in registers.units])

    async def _is_island(self) -> bool:
        return await self._registers.info(RELAY_STATE) == 0

    async def _is_steered(self) -> bool:
        """Return whether any Xtender holds anything but what its installer saved."""
        registers = self._registers
        for parameter in _STEERED:
            for unit in registers.units:
                difference = await registers.present(parameter, unit) - await registers.saved(
                    parameter, unit
                )
                if abs(difference) > parameter.tolerance:
                    return True
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class XtenderMeter:
    """See `devices.battery.Meter`; `xtender_codec.meter_state` says how far it tells."""

    registers: XtenderRegisters
    """The system."""
    settings: XtenderSettings
    """How to read it."""

    async def read_meter(self) -> MeterState:
        """Return the present reading."""
        return meter_state(await read_system(self.registers, self.settings))


async def open_xtender(settings: Mapping[str, object], site: Site) -> Device:
    """Open a system of Xtenders; nothing is sent before it is used.

    Parameters
    ----------
    settings : Mapping
        See `XtenderSettings`.
    site : Site
        Name, clock, counts.

    Raises
    ------
    DeviceConfigError
        If a setting cannot be used.
    """
    chosen = read_settings(XtenderSettings, settings, where=site.where)
    line = ScomLine(
        site.name,
        chosen.port,
        baud=chosen.baud,
        parity=chosen.parity,
        timeout_s=chosen.timeout_s,
    )
    registers = XtenderRegisters(line, site.writes(), units=chosen.units)
    battery = SteeredBattery(XtenderLink(registers, chosen), clock=site.clock)
    relay = XtenderRelay(registers)
    return Device(
        name=site.name,
        driver="studer-xtender",
        connection=XtenderConnection(battery=battery, relay=relay, clock=site.clock),
        battery=battery,
        meter=XtenderMeter(registers=registers, settings=chosen),
        relay=relay,
    )
