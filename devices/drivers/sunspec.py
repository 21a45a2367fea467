"""Any battery with SunSpec models, over Modbus TCP or RTU: read, steered by model 704 or 124."""

import asyncio
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from devices.battery import BatteryLimits, BatteryState, MeterState
from devices.clock import Clock
from devices.drivers.inverter_blocks import INVERTER_MODELS, inverter_of
from devices.drivers.modbus_link import ModbusLink, SerialAddress, TcpAddress
from devices.drivers.sunspec_codec import Block
from devices.drivers.sunspec_device import SunSpecDevice
from devices.drivers.sunspec_translate import (
    Plan,
    following,
    limits_of,
    meter_of,
    number,
    plan_of,
    rating_models,
    references_w,
    state_of,
)
from devices.errors import DeviceRefusedError, DeviceReplyError
from devices.guarded_writes import GuardedWrites, Register, Value
from devices.inverter_readings import InverterState
from devices.registry import Device, Site
from devices.settings import read_settings
from devices.steered import SteeredBattery

STORED_BUDGET: Final = 20
"""Writes a day of points that a device may keep in flash; the standard does not say which."""
_RESERVED, _RESERVE = 124, "MinRsvPct"
_PERMISSION: Final = "ChaGriSet"
"""Whether model 124's battery may charge from the grid: its owner's word, lent to a set-point."""
_STORED: Final = frozenset({_PERMISSION, _RESERVE})
_TIMERS: Final = {704: "WSetRvrtTms", 124: "InOutWRte_RvrtTms"}
_SWITCHES: Final = {704: "WSetEna", 124: "StorCtl_Mod"}


@dataclass(frozen=True, slots=True, kw_only=True)
class SunSpecSettings:
    """Settings of the driver ``sunspec``; give ``host`` or ``serial``."""

    host: str | None = None
    """Name or address of the device on the network."""
    port: int = 502
    """Its port."""
    serial: str | None = None
    """The serial line instead, such as ``/dev/ttyUSB0``."""
    baud: int = 9600
    """Bits per second on the line."""
    parity: str = "N"
    """Parity on the line: ``N``, ``E`` or ``O``."""
    stop_bits: int = 1
    """Stop bits on the line."""
    unit: int = 1
    """Its unit identifier."""
    timeout_s: float = 3.0
    """How long an answer may take. [s]"""
    watchdog_s: float = 60.0
    """After what time without renewal the device is to give up a set-point. [s]"""
    control: str = "auto"
    """Model to steer with: ``704``, ``124``, or ``auto``, 704 before 124."""
    battery_power: str = "auto"
    """Model that tells the battery's power: ``714``, ``160``, ``802``, ``ac`` (the inverter's AC
    side is the battery's alone), or ``auto``: 714 or 160 where they tell battery from sun, else
    ``ac``."""
    charge_from_grid: bool = True
    """Whether model 124's permission to charge from the grid is set when charging."""
    meter_export_positive: bool = False
    """True where the meter's model shows export as > 0, as SolarEdge's does."""

    def __post_init__(self) -> None:
        if (self.host is None) == (self.serial is None):
            msg = "give host or serial, one of them"
            raise ValueError(msg)
        if not (self.timeout_s > 0 and 10 <= self.watchdog_s <= 3600):
            msg = "timeout_s must be > 0 and watchdog_s in 10..3600"
            raise ValueError(msg)
        if self.control not in ("auto", "704", "124"):
            msg = f"control is {self.control!r}; give auto, 704 or 124"
            raise ValueError(msg)
        if self.battery_power not in ("auto", "714", "160", "802", "ac"):
            msg = f"battery_power is {self.battery_power!r}; give auto, 714, 160, 802 or ac"
            raise ValueError(msg)

    @property
    def address(self) -> TcpAddress | SerialAddress:
        """Where the device is."""
        if self.serial is None:
            return TcpAddress(host=str(self.host), port=self.port)
        return SerialAddress(
            path=self.serial, baud=self.baud, parity=self.parity, stop_bits=self.stop_bits
        )


async def open_sunspec(settings: Mapping[str, object], site: Site) -> Device:
    """Open a device with SunSpec models; see `SunSpecSettings`."""
    taken = read_settings(SunSpecSettings, settings, where=site.where)
    link = new_link(taken, site)
    try:
        await link.limits()
    except BaseException:
        await link.close()
        raise
    battery = SteeredBattery(link, clock=site.clock)
    return Device(
        name=site.name,
        driver="sunspec",
        connection=battery,
        battery=battery,
        meter=link if link.metered else None,
        inverter=link if link.inverts else None,
        reserve=link if link.keeps_reserve else None,
    )


def new_link(settings: SunSpecSettings, site: Site) -> "SunSpecBattery":
    """Return the link of a device, not yet connected."""
    modbus = ModbusLink(
        name=site.name,
        address=settings.address,
        unit=settings.unit,
        timeout_s=settings.timeout_s,
        clock=site.clock,
    )
    return SunSpecBattery(modbus, settings=settings, writes=site.writes(), clock=site.clock)


class SunSpecBattery:
    """See `devices.steered.BatteryLink` and `devices.battery.Meter`.

    Parameters
    ----------
    link : ModbusLink
        The connection; closed with this.
    settings : SunSpecSettings
        What is read and written how.
    writes : GuardedWrites
        Through which every write goes.
    clock : Clock
        The time.
    """

    def __init__(
        self, link: ModbusLink, *, settings: SunSpecSettings, writes: GuardedWrites, clock: Clock
    ) -> None:
        self._link = link
        self._device = SunSpecDevice(link)
        self._settings = settings
        self._writes = writes
        self._clock = clock
        self._busy = asyncio.Lock()
        self._plan: Plan | None = None
        self._limits: BatteryLimits | None = None
        self._references_w: tuple[float | None, float | None] = (None, None)
        self._timed = self._reserved = False
        self._permission: float | None = None
        self._connections = 0

    @property
    def name(self) -> str:
        """What messages call the device."""
        return self._link.name

    @property
    def refresh_s(self) -> float | None:
        """Half the reversion time; None where the device has none. [s]"""
        return self._settings.watchdog_s / 2 if self._timed else None

    @property
    def metered(self) -> bool:
        """Whether the device has a meter at the grid connection."""
        return self._plan is not None and self._plan.meter is not None

    @property
    def inverts(self) -> bool:
        """Whether a model tells what the inverter measures."""
        return not set(INVERTER_MODELS).isdisjoint(self._device.places)

    @property
    def keeps_reserve(self) -> bool:
        """Whether model 124 has a reserve to be written."""
        return self._reserved

    @property
    def requests(self) -> int:
        """Modbus requests sent since the start."""
        return self._link.requests

    async def limits(self) -> BatteryLimits:
        """See `devices.steered.BatteryLink`."""
        async with self._busy:
            return (await self._known())[1]

    async def read(self) -> BatteryState:
        """See `devices.steered.BatteryLink`."""
        async with self._busy:
            plan, limits = await self._known()
            blocks = await self._device.read_steady(plan.state_models)
            return state_of(blocks, plan, limits, name=self.name)

    async def read_meter(self) -> MeterState:
        """See `devices.battery.Meter`."""
        async with self._busy:
            plan, limits = await self._known()
            blocks = await self._device.read_steady(plan.meter_models)
            positive = self._settings.meter_export_positive
            return meter_of(blocks, plan, limits, export_positive=positive, name=self.name)

    async def read_inverter(self) -> InverterState:
        """See `devices.inverter_readings.InverterReadings`."""
        async with self._busy:
            await self._known()
            for model in INVERTER_MODELS:
                if model in self._device.places:
                    return inverter_of(model, (await self._device.read_steady((model,)))[model])
        return InverterState()

    async def set_reserve(self, reserve_soc: float) -> None:
        """See `devices.inverter_readings.ReserveKeeper`.

        Raises
        ------
        DeviceRefusedError
            If it is no share, or the device has no reserve; nothing is written.
        """
        self._writes.require_writable()
        if not (0 <= reserve_soc <= 1 and self._reserved):
            msg = f"{self.name}: cannot keep a reserve of {reserve_soc:g}; give 0..1 to model 124"
            raise DeviceRefusedError(msg)
        async with self._busy:
            block = (await self._device.read_steady((_RESERVED,)))[_RESERVED]
            share = {_RESERVE: 100 * reserve_soc}
            await self._put(_RESERVED, share, block, renew=False, essential=False)

    async def command(self, battery_power_w: float, *, hold_s: float) -> None:
        """See `devices.steered.BatteryLink`; the sign is turned in `_set_points`."""
        self._writes.require_writable()
        async with self._busy:
            plan, _ = await self._known()
            if plan.control is None:
                msg = f"{self.name}: it has no SunSpec model for control (704, 124); only read it"
                raise DeviceRefusedError(msg)
            block = (await self._device.read_steady((plan.control,)))[plan.control]
            if (
                following({plan.control: block}, plan)
                or self._link.connections != self._connections
            ):
                self._writes.forget()  # somebody ended what we wrote, or it may have restarted
                self._connections = self._link.connections
            if self._permission is None and battery_power_w > 0:
                self._permission = number(block, _PERMISSION)
            await self._send(
                plan.control, self._set_points(plan.control, battery_power_w, hold_s), block
            )

    async def release(self) -> None:
        """See `devices.steered.BatteryLink`."""
        self._writes.require_writable()
        async with self._busy:
            plan, _ = await self._known()
            if plan.control is None:
                return
            self._writes.forget()
            block = (await self._device.read_steady((plan.control,)))[plan.control]
            off = {_SWITCHES[plan.control]: 0.0}
            await self._put(plan.control, off, block, renew=False, essential=True)

    async def restore(self) -> None:
        """See `devices.steered.RestoringLink`: a ban of charging from the grid."""
        found, self._permission = self._permission, None
        if found == 0 and self._plan is not None and self._plan.control == 124:
            async with self._busy:
                block = (await self._device.read_steady((124,)))[124]
                await self._put(124, {_PERMISSION: 0.0}, block, renew=False, essential=True)

    async def close(self) -> None:
        """See `devices.steered.BatteryLink`."""
        await self._link.close()

    def _set_points(
        self, model_id: int, battery_power_w: float, hold_s: float
    ) -> list[dict[str, float]]:
        """Return the writes that hold a power, in their order: values before what enables them."""
        timer_s = float(math.ceil(min(hold_s, self._settings.watchdog_s)))
        timer = {_TIMERS[model_id]: timer_s} if self._timed else {}
        if model_id == 704:
            return [
                {"WSetEnaRvrt": 0.0},
                timer,
                {"WSet": -battery_power_w},
                {"WSetMod": 1.0},
                {"WSetEna": 1.0},
            ]
        charge_w, discharge_w = self._references_w
        if not charge_w or not discharge_w:
            msg = f"{self.name}: no power of which model 124's rates are percent; ask again"
            raise DeviceReplyError(msg)
        # both sides of the window at one power pin the battery to it
        rates = {
            "OutWRte": -100 * battery_power_w / discharge_w,
            "InWRte": 100 * battery_power_w / charge_w,
        }
        permit = battery_power_w > 0 and self._settings.charge_from_grid
        return [{_PERMISSION: 1.0} if permit else {}, timer, rates, {"StorCtl_Mod": 3.0}]

    async def _send(
        self, model_id: int, steps: Sequence[Mapping[str, float]], block: Block
    ) -> None:
        """Write set-points in their order; what starts the timer is written even if it stands."""
        starters = {_TIMERS[model_id], "WSetEna", "OutWRte"} if self._timed else set()
        for step in steps:
            there = {name: value for name, value in step.items() if block.get(name) is not None}
            if there:
                renew = not starters.isdisjoint(there)
                await self._put(model_id, there, block, renew=renew, essential=False)

    async def _put(
        self,
        model_id: int,
        values: Mapping[str, float],
        block: Block,
        *,
        renew: bool,
        essential: bool,
    ) -> None:
        """Write points that stand side by side, and see them written."""
        budget = STORED_BUDGET if _STORED & values.keys() else None
        names = tuple(values)
        steps = [self._device.step(model_id, name, block) for name in names]
        await self._writes.put(
            Register(name=f"{model_id}.{'+'.join(names)}", budget_per_day=budget),
            tuple(values.values()),
            send=partial(self._device.put, model_id, values, block),
            read_back=partial(self._read_back, model_id, names),
            same=partial(_close, steps),
            renew=renew,
            essential=essential,
        )

    async def _read_back(self, model_id: int, names: tuple[str, ...]) -> Value:
        block = (await self._device.read_steady((model_id,)))[model_id]
        return tuple(math.nan if (found := number(block, n)) is None else found for n in names)

    async def _known(self) -> tuple[Plan, BatteryLimits]:
        """Return what the device is, asked once, and again when its models have moved."""
        if self._plan is None or self._limits is None or not self._device.places:
            await self._device.scan()
            have = self._device.places.keys()
            ratings = rating_models(have)
            blocks = await self._device.read_steady(ratings) if ratings else {}
            wanted = self._settings
            plan = plan_of(
                have, blocks, control=wanted.control, power=wanted.battery_power, name=self.name
            )
            self._limits = limits_of(
                blocks, plan, from_grid=wanted.charge_from_grid, name=self.name
            )
            self._references_w = references_w(blocks)
            control = blocks.get(plan.control or 0, {})
            if _RESERVED in have:
                held = (
                    blocks.get(_RESERVED)
                    or (await self._device.read_steady((_RESERVED,)))[_RESERVED]
                )
                self._reserved = number(held, _RESERVE) is not None
            self._timed = number(control, _TIMERS.get(plan.control or 0, "")) is not None
            self._plan = plan
        return self._plan, self._limits


def _close(steps: Sequence[float], wanted: Value, found: Value) -> bool:
    """Return whether numbers read back are those written, to half of what the device resolves."""
    if not (isinstance(wanted, tuple) and isinstance(found, tuple)):
        return False
    pairs = zip(wanted, found, steps, strict=True)
    return all(abs(float(a) - float(b)) <= 0.51 * step for a, b, step in pairs)
