"""Driver of a storage behind a SunSpec adapter (Burgio et al. 2023, §2.3): MQTT over TLS."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from devices.adapter.messages import COMMAND, CONFIGURATION
from devices.adapter.monitoring import NOT_CONFIGURED
from devices.battery import BatteryLimits, BatteryState
from devices.drivers.sunspec_adapter_codec import (
    Answer,
    battery_power_w_of,
    check_answer,
    encode_document,
    follow_document,
    hold_document,
    read_document,
    soc_of,
)
from devices.drivers.sunspec_adapter_session import AdapterSession
from devices.errors import DeviceError
from devices.guarded_writes import GuardedWrites, Register, Value
from devices.mqtt_client import client_context
from devices.quantities import Quantity
from devices.registry import Device, Site
from devices.requests import LONGEST_S, MINUTE_S, SELF_CONSUMPTION, Action
from devices.settings import read_settings
from devices.steered import SteeredBattery

_COMMAND: Final = Register(name="command", budget_per_day=None)
"""Held in the adapter's memory; what wears in the inverter is budgeted by the adapter itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AdapterSettings:
    """Settings of the driver ``sunspec-adapter``."""

    host: str
    """Host name or address of the adapter."""
    ca_file: Path
    """Certificate of the adapter's authority."""
    storage: str
    """Manufacturer of the storage, as the adapter knows it: ``solaredge``, ``sonnen``, ..."""
    address: str
    """Address of the storage, as the adapter reaches it."""
    rated_w: float
    """Rated power of the storage, which percentages are of. [W]"""
    port: int = 8883
    """Port of the adapter's broker."""
    model: str = "unknown"
    """Model of the storage, for people."""
    storage_port: int | None = None
    """Port of the storage; None for the manufacturer's usual one."""
    unit: int | None = None
    """Modbus unit of the storage; None for the usual one."""
    soc_min_percent: float = 5.0
    """State of charge below which it is not discharged on command. [%]"""
    capacity_wh: float | None = None
    """Capacity, for adapters that do not tell it. [Wh]"""
    watchdog_s: float = 60.0
    """Interval of a write: how long a command outlives a gateway that hangs. [s]"""
    interval_unit_s: float = MINUTE_S
    """What one of ``interval`` is to the adapter. [s]"""
    timeout_s: float = 10.0
    """How long an answer may take. [s]"""
    check_name: bool = True
    """Whether the certificate must carry ``host``; False for an adapter whose address moves."""
    cert_file: Path | None = None
    """The gateway's certificate, for adapters that ask for one."""
    key_file: Path | None = None
    """Its key."""
    gateway: str | None = None
    """What marks this gateway's requests, other than any other gateway's; None draws one."""
    answers_writes: bool = True
    """False for an adapter that only speaks the paper's tables: it repeats no ``id``, answers no
    write and tells no mode, so that a write cannot be read back."""

    def __post_init__(self) -> None:
        if not 1 <= self.rated_w <= 1e7:
            msg = f"rated_w is {self.rated_w:g}; give the storage's rated power in W"
            raise ValueError(msg)
        if not 0 < self.watchdog_s <= LONGEST_S:
            msg = f"watchdog_s is {self.watchdog_s:g}; give more than 0 and at most {LONGEST_S:g} s"
            raise ValueError(msg)
        if not (self.timeout_s > 0 and self.interval_unit_s > 0):
            msg = "timeout_s and interval_unit_s must be > 0"
            raise ValueError(msg)
        if not 0 <= self.soc_min_percent <= 100:
            msg = f"soc_min_percent is {self.soc_min_percent:g}; give 0 to 100"
            raise ValueError(msg)
        if (self.cert_file is None) != (self.key_file is None):
            msg = "cert_file and key_file go together; give both or none"
            raise ValueError(msg)


class AdapterLink:
    """See `devices.steered.BatteryLink`.

    Parameters
    ----------
    settings : AdapterSettings
        The storage and the way to its adapter.
    site : Site
        Name, clock, counts.
    """

    def __init__(self, settings: AdapterSettings, site: Site) -> None:
        self._settings = settings
        self._name = site.name
        self._clock = site.clock
        self._writes: GuardedWrites = site.writes()
        will = None if site.read_only else encode_document(follow_document(), marked=None)
        self._session = AdapterSession(
            name=site.name,
            host=settings.host,
            port=settings.port,
            tls=client_context(
                settings.ca_file,
                cert_file=settings.cert_file,
                key_file=settings.key_file,
                check_name=settings.check_name,
            ),
            timeout_s=settings.timeout_s,
            will=will,
            repeats_id=settings.answers_writes,
            gateway=settings.gateway,
        )
        self._configured_on = 0
        self._told: BatteryLimits | None = None
        self._held_until_s: float | None = None

    @property
    def name(self) -> str:
        """See `devices.steered.BatteryLink`."""
        return self._name

    @property
    def refresh_s(self) -> float:
        """See `devices.steered.BatteryLink`."""
        return self._settings.watchdog_s / 2

    @property
    def session(self) -> AdapterSession:
        """The session with the adapter."""
        return self._session

    async def limits(self) -> BatteryLimits:
        """See `devices.steered.BatteryLink`."""
        await self._ready()
        rated_w = self._settings.rated_w
        told = self._told or BatteryLimits(charge_max_w=rated_w, discharge_max_w=rated_w)
        return BatteryLimits(
            charge_max_w=min(told.charge_max_w, rated_w),
            discharge_max_w=min(told.discharge_max_w, rated_w),
            capacity_wh=told.capacity_wh or self._settings.capacity_wh,
            charges_from_grid=told.charges_from_grid,
            exports_to_grid=told.exports_to_grid,
        )

    async def read(self) -> BatteryState:
        """See `devices.steered.BatteryLink`."""
        charge = await self._read(Quantity.STATE_OF_CHARGE)
        power = await self._read(Quantity.ACTIVE_POWER)
        return BatteryState(
            soc=soc_of(charge, self._name),
            battery_power_w=battery_power_w_of(power, self._name, rated_w=self._settings.rated_w),
            following=self._follows(power),
        )

    async def command(self, battery_power_w: float, *, hold_s: float) -> None:
        """See `devices.steered.BatteryLink`."""
        settings = self._settings
        action = Action.CHARGE if battery_power_w >= 0 else Action.DISCHARGE
        # a hundredth of a per cent is finer than any battery holds
        percent = round(min(100 * abs(battery_power_w) / settings.rated_w, 100.0), 2)
        interval_s = min(hold_s, settings.watchdog_s)
        document = hold_document(action, percent, interval_s / settings.interval_unit_s)
        # the interval starts anew with each write, so each is sent
        await self._put((action.value, percent), document, essential=False)
        self._held_until_s = self._clock.monotonic_s() + interval_s

    async def release(self) -> None:
        """See `devices.steered.BatteryLink`."""
        await self._put((SELF_CONSUMPTION, 0.0), follow_document(), essential=True)
        self._held_until_s = None

    async def close(self) -> None:
        """See `devices.steered.BatteryLink`."""
        await self._session.close()

    async def _put(
        self, value: tuple[str, float], document: Mapping[str, object], *, essential: bool
    ) -> None:
        async def send() -> None:
            await self._ask(document)

        async def standing() -> Value:
            answer = await self._read(Quantity.STATE_OF_CHARGE)
            return (answer.mode or "", answer.power_percent or 0.0)

        await self._writes.put(
            _COMMAND,
            value,
            send=send,
            read_back=standing if self._settings.answers_writes else None,
            renew=True,
            essential=essential,
        )

    async def _read(self, quantity: Quantity) -> Answer:
        return await self._ask(read_document(quantity), quantity)

    async def _ask(
        self, document: Mapping[str, object], quantity: Quantity | None = None
    ) -> Answer:
        """Return the answer to a command; an adapter that forgot its storage is told again."""
        await self._ready()
        answer = await self._session.request(COMMAND, document, quantity=quantity)
        if answer.code == NOT_CONFIGURED:
            await self._configure()
            answer = await self._session.request(COMMAND, document, quantity=quantity)
        check_answer(answer, self._name)
        return answer

    async def _ready(self) -> None:
        """Connect and tell the adapter its storage; a reader only tells one that knows none."""
        await self._session.connect()
        if self._session.connections != self._configured_on and not self._writes.read_only:
            await self._configure()

    async def _configure(self) -> None:
        settings = self._settings
        document: dict[str, object] = {
            "timestamp": int(self._clock.utc().timestamp()),
            "storage": settings.storage,
            "model": settings.model,
            "address": settings.address,
            "crate": {"max": settings.rated_w},
            "soc": {"mins": settings.soc_min_percent},
        }
        if settings.storage_port is not None:
            document["port"] = settings.storage_port
        if settings.unit is not None:
            document["unit"] = settings.unit
        connection = self._session.connections
        answer = await self._session.request(CONFIGURATION, document)
        check_answer(answer, self._name)
        self._told = answer.limits
        self._writes.forget()
        self._configured_on = connection

    def _follows(self, answer: Answer) -> bool:
        """Return whether the battery follows by itself: as told, or as far as we know."""
        if answer.mode is not None:
            return answer.mode == SELF_CONSUMPTION
        until_s = self._held_until_s
        return until_s is None or self._clock.monotonic_s() >= until_s


async def open_adapter(settings: Mapping[str, object], site: Site) -> Device:
    """Open a storage behind a SunSpec adapter.

    Parameters
    ----------
    settings : Mapping
        See `AdapterSettings`.
    site : Site
        Name, clock, counts.

    Raises
    ------
    DeviceConfigError
        If the settings cannot be used, or the adapter is not the one that ``ca_file`` vouches for.
    DeviceError
        If the adapter or its storage do not answer.
    """
    link = AdapterLink(read_settings(AdapterSettings, settings, where=site.where), site)
    try:
        await link.limits()
    except DeviceError as error:
        if not error.retry:
            await link.close()
            raise
    battery = SteeredBattery(link, clock=site.clock)
    return Device(name=site.name, driver="sunspec-adapter", connection=battery, battery=battery)
