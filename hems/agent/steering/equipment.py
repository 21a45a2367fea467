"""The home's devices: opened when they answer, read together, closed for good.

A part that is slow delays no other: it is asked again only once it has answered.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Final, Generic, TypeVar

from devices.battery import (
    Battery,
    BatteryLimits,
    BatteryState,
    LimitedBattery,
    Meter,
    MeterState,
)
from devices.clock import Clock
from devices.dead_man import open_watched
from devices.errors import DeviceConfigError, DeviceError, DeviceUnavailableError
from devices.inverter_readings import InverterState, ReserveKeeper
from devices.registry import Device, Site, open_device
from devices.switches import Relay, RelayState
from devices.write_log import WriteLog
from hems.agent.mqtt.backoff import Backoff
from hems.agent.reading import Reading
from hems.agent.seeing.branches import told_apart

T = TypeVar("T")
Answers = Mapping[str, DeviceError]
"""Why parts of a reading are missing, by the part's name in `Reading`."""
ANSWER_SHARE: Final = 0.8
"""Part of a device cycle that answers are waited for."""
BRANCHES: Final = ("pv", "load")
"""Devices that measure one branch of the house, apart from its connection."""
BRANCH_S: Final = 10.0
"""How long the last reading of a silent branch serves. [s]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where a home's devices stand in its configuration."""

    where: str
    """What messages call the file."""
    battery: Mapping[str, object]
    """The table ``[battery]``."""
    meter: Mapping[str, object] | None = None
    """The table ``[meter]``; None where the battery's device is the meter, too."""
    pv: Mapping[str, object] | None = None
    """The table ``[pv]``; None where the meter tells production."""
    load: Mapping[str, object] | None = None
    """The table ``[load]``; None where the meter tells the load."""
    relay: bool = False
    """Whether the battery's device has a relay that the agent may open."""

    @property
    def optional(self) -> tuple[str, ...]:
        """Parts of a reading that this home has beyond meter and battery."""
        branches = tuple(each for each in BRANCHES if getattr(self, each) is not None)
        return (*branches, *(("relay",) if self.relay else ()))


Opens = Callable[[Mapping[str, object], Site], Awaitable[Device]]
"""Opens a device: `open_watched`, or `open_branch`."""


async def open_branch(table: Mapping[str, object], site: Site) -> Device:
    """Open what measures a branch; a SunSpec device needs no battery for that.

    Raises
    ------
    DeviceError
        As `devices.registry.open_device`.
    """
    if table.get("driver") != "sunspec":
        return await open_device(table, site)
    from devices.drivers.sunspec_reader import open_reader  # noqa: PLC0415 -- loads pymodbus

    return await open_reader({key: each for key, each in table.items() if key != "driver"}, site)


class _Opened:
    """One device, opened when first asked; after a failure not before a pause is over."""

    def __init__(
        self, table: Mapping[str, object], site: Site, opens: Opens = open_watched
    ) -> None:
        self._opens = opens
        self._table = table
        self._site = site
        self._device: Device | None = None
        self._busy = asyncio.Lock()
        self._backoff = Backoff(site.clock)
        self._error: DeviceError | None = None
        self._closed = False

    async def device(self) -> Device:
        """Return the open device, or raise `DeviceError`."""
        async with self._busy:
            if self._closed:
                msg = f"{self._site.name}: is closed, the gateway stops; start it again"
                raise DeviceUnavailableError(msg)
            if self._device is None:
                if self._error is not None and not self._backoff.over:
                    raise self._error
                self._device = await self._open()
            return self._device

    async def _open(self) -> Device:
        try:
            device = await self._opens(self._table, self._site)
        except DeviceError as error:
            self._error = error
            self._backoff.failed()
            raise
        self._error = None
        self._backoff.worked()
        return device

    async def close(self) -> None:
        """Return it to its own control and let go of it; it is not opened again."""
        self._closed = True  # an order that waits for the lock must not open it behind us
        async with self._busy:
            device, self._device = self._device, None
            if device is not None:
                await device.close()


class _Part(Generic[T]):
    """One part of a reading; at most one question is under way."""

    def __init__(self, ask: Callable[[], Awaitable[T | None]]) -> None:
        self._ask = ask
        self.task: asyncio.Task[T | None] | None = None

    def begin(self) -> asyncio.Task[T | None]:
        """Ask, unless an earlier question is still unanswered."""
        if self.task is None:
            self.task = asyncio.ensure_future(self._ask_it())
        return self.task

    async def _ask_it(self) -> T | None:
        return await self._ask()

    def take(self) -> T | DeviceError | None:
        """Return the answer, once, or what went wrong; None as long as there is none."""
        if self.task is None or not self.task.done():
            return None
        task, self.task = self.task, None
        try:
            return task.result()
        except DeviceError as error:
            return error

    async def end(self) -> None:
        """Ask no more."""
        if self.task is not None:
            self.task.cancel()
            await asyncio.gather(self.task, return_exceptions=True)
            self.task = None


class Equipment:
    """The open devices of one home.

    Parameters
    ----------
    places : Places
        Their tables.
    clock : Clock
        The time.
    log : WriteLog
        Where writes are counted.
    read_only : bool
        Refuse every write.
    """

    def __init__(
        self, places: Places, *, clock: Clock, log: WriteLog, read_only: bool = False
    ) -> None:
        self._clock = clock

        def opened(
            name: str, table: Mapping[str, object], *, read_only: bool, opens: Opens = open_watched
        ) -> _Opened:
            where = f"{places.where} [{name}]"
            site = Site(name=name, where=where, clock=clock, log=log, read_only=read_only)
            return _Opened(table, site, opens)

        self._battery = opened("battery", places.battery, read_only=read_only)
        self._meter = self._battery
        if places.meter is not None:
            self._meter = opened("meter", places.meter, read_only=True)
        self._asked_limits = Backoff(clock)
        self.limits: BatteryLimits | None = None
        """What the battery can do; None until it has told."""
        self._branches = {
            name: opened(name, table, read_only=True, opens=open_branch)
            for name in BRANCHES
            if (table := getattr(places, name)) is not None
        }
        self._last: dict[str, tuple[float, MeterState]] = {}
        self._parts: dict[
            str, _Part[MeterState] | _Part[BatteryState] | _Part[InverterState] | _Part[RelayState]
        ]
        self._parts = {
            "meter": _Part(self._read_meter),
            "battery": _Part(self._read_battery),
            "inverter": _Part(self._read_inverter),
        }
        self._parts |= {name: _Part(partial(self.branch, name)) for name in self._branches}
        if places.relay:
            self._parts["relay"] = _Part(self._read_relay)

    async def read(self, *, within_s: float) -> tuple[Reading, Answers]:
        """Return what answers within a time, and why the rest does not. [s]

        What comes later is part of a later reading.
        """
        waiting = {part.begin() for part in self._parts.values()}
        limit = asyncio.ensure_future(self._clock.sleep(within_s))
        try:
            while waiting and not limit.done():
                await asyncio.wait({*waiting, limit}, return_when=asyncio.FIRST_COMPLETED)
                waiting = {each for each in waiting if not each.done()}
        finally:
            limit.cancel()
        return self._taken()

    def _taken(self) -> tuple[Reading, Answers]:
        found = {name: part.take() for name, part in self._parts.items()}
        errors = {name: each for name, each in found.items() if isinstance(each, DeviceError)}
        meter, battery, inverter = found["meter"], found["battery"], found["inverter"]
        pv, load = (self._fresh(name, found.get(name)) for name in BRANCHES)
        relay = found.get("relay")
        if isinstance(meter, MeterState):
            meter = told_apart(meter, pv=pv, load=load)
        reading = Reading(
            utc=self._clock.utc(),
            monotonic_s=self._clock.monotonic_s(),
            meter=meter if isinstance(meter, MeterState) else None,
            battery=battery if isinstance(battery, BatteryState) else None,
            inverter=inverter if isinstance(inverter, InverterState) else None,
            pv=pv,
            load=load,
            relay=relay if isinstance(relay, RelayState) else None,
        )
        return reading, errors

    def _fresh(self, name: str, found: object) -> MeterState | None:
        """Return what a branch reads, or read a moment ago: some answer each other cycle only."""
        now_s = self._clock.monotonic_s()
        if isinstance(found, MeterState):
            self._last[name] = (now_s, found)
        at_s, last = self._last.get(name, (-math.inf, None))
        return last if now_s - at_s <= BRANCH_S else None

    async def open(self) -> None:
        """Open what answers; the rest is opened when it does.

        Raises
        ------
        DeviceError
            Of the first device that does not open.
        """
        await self.battery()
        await self._metering_device()
        for branch in self._branches.values():
            _metering(await branch.device())
        if "relay" in self._parts:
            await self.relay()

    async def battery(self) -> Battery:
        """Return the battery, or raise `DeviceError`."""
        device = await self._battery.device()
        if device.battery is None:
            msg = f"[battery] is a {device.driver}, which steers no battery; name another driver"
            raise DeviceConfigError(msg)
        return device.battery

    async def ask_limits(self) -> None:
        """Ask the battery what it can do, where it tells such a thing."""
        battery = await self.battery()
        self._asked_limits.failed()  # asked again after a pause, unless it answers
        if isinstance(battery, LimitedBattery):
            with suppress(DeviceError):
                self.limits = await battery.limits()

    async def meter(self) -> MeterState:
        """Return what the meter reads now, or raise `DeviceError`."""
        return await self._read_meter()

    async def branch(self, name: str) -> MeterState:
        """Return what ``pv`` or ``load`` reads now, or raise `DeviceError`."""
        return await _metering(await self._branches[name].device()).read_meter()

    async def relay(self) -> Relay:
        """Return the transfer relay, or raise `DeviceError`."""
        device = await self._battery.device()
        if device.relay is None:
            msg = f"[battery] is a {device.driver}, which has no relay; take [relay] out"
            raise DeviceConfigError(msg)
        return device.relay

    async def reserve(self) -> ReserveKeeper | None:
        """Return what keeps a share of the battery's energy back; None where nothing does."""
        return (await self._battery.device()).reserve

    async def close(self) -> None:
        """Return the battery to self-consumption and let go of everything.

        Raises
        ------
        DeviceError
            If the battery could not be brought back; its dead-man, where it has one, goes on.
        """
        try:
            await self._battery.close()
        finally:
            for part in self._parts.values():
                await part.end()
            if self._meter is not self._battery:
                await self._meter.close()
            for branch in self._branches.values():
                await branch.close()

    async def _read_battery(self) -> BatteryState:
        battery = await self.battery()
        state = await battery.read()
        if self.limits is None and self._asked_limits.over:
            await self.ask_limits()
        return state

    async def _read_meter(self) -> MeterState:
        return await (await self._metering_device()).read_meter()

    async def _read_relay(self) -> RelayState:
        return await (await self.relay()).read_relay()

    async def _metering_device(self) -> Meter:
        return _metering(await self._meter.device())

    async def _read_inverter(self) -> InverterState | None:
        for each in (self._battery, self._meter):
            device = await each.device()
            if device.inverter is not None:
                return await device.inverter.read_inverter()
        return None


def _metering(device: Device) -> Meter:
    """Return a device's meter, or raise `DeviceConfigError`."""
    if device.meter is None:
        msg = f"{device.name} ({device.driver}) has no meter; add a table [meter] that has one"
        raise DeviceConfigError(msg)
    return device.meter
