"""EV chargers over OCPP 1.6 and 2.0.1 (JSON over WebSocket): the charger dials, we answer.

A limit is a charging profile with a duration: when it is over, the charger forgets it by itself,
whether we live or not. That is the watchdog; nothing renews a limit but the caller.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from devices.drivers.http_link import require_timeout
from devices.drivers.ocpp_charger_codec import (
    V16,
    ChargerSeen,
    after_request,
    decode_limit_w,
    to_state,
)
from devices.drivers.ocpp_charger_frames import Request
from devices.drivers.ocpp_charger_requests import (
    Limit,
    clear_profile,
    composite,
    limit_of,
    reply_to,
    set_profile,
    trigger,
)
from devices.drivers.ocpp_charger_server import CentralSystem, Session
from devices.errors import DeviceRefusedError, DeviceUnavailableError
from devices.guarded_writes import Register, Value
from devices.registry import Device, Site
from devices.settings import read_secret, read_settings
from devices.switches import ChargerState

PROFILE: Final = Register(name="ChargingProfile", budget_per_day=2_880)
"""Chargers keep default profiles through a restart, on levelled flash of a small computer: one
every half minute is what a limit by the minute and its corrections need, and far below wear."""
FRESH_S: Final = 10.0
"""Meter values older than this are asked for anew. [s]"""
ROUNDED_S: Final = 2.0
"""How much longer than asked a profile may stand: both its ends are whole seconds. [s]"""
STALE_S: Final = 300.0
"""Meter values older than this tell nothing of a car that charges. [s]"""
_MEASURES: Final = frozenset({"MeterValues", "TransactionEvent"})
_STATUS: Final = frozenset({"StatusNotification"})


@dataclass(frozen=True, slots=True, kw_only=True)
class OcppChargerSettings:
    """Table of a charger in a configuration."""

    host: str
    """Address of this computer that the charger dials, such as 192.168.1.10."""
    port: int = 9000
    """Port to listen on. The charger dials ``ws://host:port/charge_point``."""
    charge_point: str = "charger"
    """The charger's identity; others are not let in."""
    password_file: Path | None = None
    """File whose first line is the charger's password; without one it needs none."""
    connector: int = 1
    """Connector (1.6) or EVSE (2.0.1) that the car hangs on."""
    whole_station: bool = False
    """Limit the whole charger instead of the connector: for chargers that only know that."""
    unit: str = "W"
    """How limits are told: W, or A for chargers that refuse watts."""
    phases: int = 3
    """Phases that a limit in A holds for."""
    voltage_v: float = 230.0
    """Voltage of a phase, for limits in A. [V]"""
    power_max_w: float = 22_000.0
    """The charger's rating: greater limits are sent as this one. [W]"""
    read_back: bool = True
    """Ask for the composite schedule after each write; False for chargers that have none."""
    timeout_s: float = 10.0
    """Bounds each request, and the wait for the charger to dial in. [s]"""

    def __post_init__(self) -> None:
        require_timeout(self.timeout_s)
        if not 0 <= self.port < 65_536 or not self.charge_point or self.connector < 1:
            msg = "port must be 0..65535, charge_point not empty, connector from 1"
            raise ValueError(msg)
        if self.unit not in {"W", "A"} or self.phases not in {1, 2, 3}:
            msg = f"unit {self.unit} with {self.phases} phases; give W or A, and 1..3 phases"
            raise ValueError(msg)
        for name in ("voltage_v", "power_max_w"):
            value = getattr(self, name)
            if not 0 < value < math.inf:
                msg = f"{name} is {value:g}; give a positive number"
                raise ValueError(msg)


class OcppCharger:
    """See `devices.switches.EvCharger`.

    Parameters
    ----------
    settings : OcppChargerSettings
        Its table.
    site : Site
        Name, clock, counts.
    password : str, optional
        What the charger has to know.
    """

    def __init__(
        self, settings: OcppChargerSettings, site: Site, *, password: str | None = None
    ) -> None:
        self._settings = settings
        self._name = site.name
        self._clock = site.clock
        self._writes = site.writes()
        self._seen = ChargerSeen()
        self._held: tuple[float, float] | None = None
        self._sent_until_s = (
            -math.inf
        )  # until when a limit may stand, also one that was not seen to
        self._cleared = False
        self._awaited: frozenset[str] = frozenset()
        self._told = asyncio.Event()
        self._busy = asyncio.Lock()
        self._central = CentralSystem(
            name=site.name,
            charge_point=settings.charge_point,
            password=password,
            timeout_s=settings.timeout_s,
            hear=self._hear,
            joined=self._forget,
        )

    async def start(self) -> None:
        """Begin to listen for the charger."""
        await self._central.start(self._settings.host, self._settings.port)

    async def read_charger(self) -> ChargerState:
        """See `devices.switches.EvCharger`."""
        session = await self._central.session()
        await self._refresh(session)
        self._require_fresh()
        limit_w = await self._limit_w(session) if self._settings.read_back else self._held_w()
        if limit_w >= self._settings.power_max_w - self._step_w:
            limit_w = math.inf
        return to_state(
            self._seen,
            limit_w=None if math.isinf(limit_w) else limit_w,
            power_max_w=self._settings.power_max_w,
            name=self._name,
        )

    async def set_limit(self, limit_w: float, *, valid_s: float) -> None:
        """See `devices.switches.EvCharger`; a limit beyond the rating is sent as the rating.

        Raises
        ------
        DeviceRefusedError
            If the limit is negative or not finite, or the validity not positive and finite;
            nothing is sent. Also if the charger does not take it.
        DeviceError
            If the charger does not answer, or takes the limit and does not show it.
        """
        if not (0 <= limit_w < math.inf and 0 < valid_s < math.inf):
            msg = f"{self._name}: cannot limit to {limit_w} W for {valid_s} s; nothing sent"
            raise DeviceRefusedError(msg)
        settings = self._settings
        limit = limit_of(
            min(limit_w, settings.power_max_w),
            unit=settings.unit,
            voltage_v=settings.voltage_v,
            phases=settings.phases,
        )
        until_s = self._clock.monotonic_s() + valid_s
        async with self._busy:
            if self._held == (self._watts(limit), until_s):
                return  # the charger holds this very limit until this very moment
            self._held, self._cleared = None, False
            await self._writes.put(
                PROFILE,
                self._watts(limit),
                send=lambda: self._send(limit, until_s),
                read_back=self._look() if settings.read_back else None,
                same=self._close,
                renew=True,  # each limit starts its duration anew
            )
            self._held = self._watts(limit), until_s

    async def unlimit(self) -> None:
        """See `devices.switches.EvCharger`; limits of others stay."""
        async with self._busy:
            if not self._cleared:
                await self._clear_ours(self._held)
                self._held, self._cleared = None, True
                self._sent_until_s = -math.inf

    async def close(self) -> None:
        """Take back a limit that may still stand, and let go of the charger.

        Raises
        ------
        DeviceError
            If the charger did not take it back; its duration ends it.
        """
        try:
            if self._clock.monotonic_s() < self._sent_until_s + ROUNDED_S:
                await self.unlimit()
        finally:
            self._sent_until_s = -math.inf
            await self._central.stop()

    @property
    def _step_w(self) -> float:
        """What a limit is rounded to. [W]"""
        settings = self._settings
        return 1.0 if settings.unit == "W" else 0.1 * settings.voltage_v * settings.phases

    def _watts(self, limit: Limit) -> float:
        if limit.unit == "W":
            return limit.value
        return limit.value * self._settings.voltage_v * limit.phases

    def _held_w(self) -> float:
        """Return the limit that we know to stand, infinite without one. [W]"""
        if self._held is None or self._clock.monotonic_s() >= self._held[1]:
            return math.inf
        return self._held[0]

    def _close(self, wanted: Value, found: Value) -> bool:
        """Return whether a limit read back is the one sent; none at all is the rating."""
        if not isinstance(wanted, int | float) or not isinstance(found, int | float):
            return False
        return abs(min(found, self._settings.power_max_w) - wanted) <= self._step_w

    def _look(self) -> Callable[[], Awaitable[float]]:
        async def look() -> float:
            return await self._limit_w(await self._central.session())

        return look

    async def _limit_w(self, session: Session) -> float:
        settings = self._settings
        answer = await session.ask(
            "GetCompositeSchedule",
            composite(session.version, connector=settings.connector, unit=settings.unit),
        )
        if answer.get("status") != "Accepted":
            msg = f"{self._name} tells no composite schedule; set read_back = false"
            raise DeviceRefusedError(msg)
        return decode_limit_w(answer, w_per_phase_a=settings.voltage_v, phases=settings.phases)

    async def _send(self, limit: Limit, until_s: float) -> None:
        session = await self._central.session()
        payload = set_profile(
            session.version,
            limit,
            connector=self._settings.connector,
            station=self._settings.whole_station,
            now=self._clock.utc(),
            valid_s=max(until_s - self._clock.monotonic_s(), 1.0),
        )
        self._sent_until_s = max(self._sent_until_s, until_s)
        answer = await session.ask("SetChargingProfile", payload)
        if answer.get("status") != "Accepted":
            msg = (
                f"{self._name} answered {str(answer.get('status'))[:20]} to a charging profile; "
                "try unit or whole_station of its settings"
            )
            raise DeviceRefusedError(msg)

    async def _clear_ours(self, held: tuple[float, float] | None) -> None:
        """Clear our profile and see that the limit that it held, if we know it, is gone."""

        def gone(_: Value, found: Value) -> bool:
            return held is None or held[0] >= self._settings.power_max_w or found != held[0]

        await self._writes.put(
            PROFILE,
            math.inf,
            send=self._clear,
            read_back=self._look() if self._settings.read_back else None,
            same=gone,
            renew=True,
            essential=True,
        )

    async def _clear(self) -> None:
        session = await self._central.session()
        # «Unknown» says that there is no such profile: what was wanted
        await session.ask("ClearChargingProfile", clear_profile(session.version))

    async def _refresh(self, session: Session) -> None:
        """Have the charger say what it has not said lately; one that cannot is taken as it is."""
        if self._seen.connected is None:
            await self._have_told(session, "StatusNotification", _STATUS)
        told_s = self._seen.measured_s
        if self._seen.connected and (
            told_s is None or self._clock.monotonic_s() - told_s > FRESH_S
        ):
            measures = "MeterValues" if session.version == V16 else "TransactionEvent"
            await self._have_told(session, measures, _MEASURES)

    async def _have_told(self, session: Session, message: str, awaited: frozenset[str]) -> None:
        """Ask for a message and wait until it comes, or until it takes too long."""
        self._told.clear()
        self._awaited = awaited
        payload = trigger(session.version, message, connector=self._settings.connector)
        try:
            answer = await session.ask("TriggerMessage", payload)
            if answer.get("status") == "Accepted":
                async with asyncio.timeout(self._settings.timeout_s):
                    await self._told.wait()
        except (DeviceRefusedError, TimeoutError):
            return  # not every charger can be asked; what it told before has to do

    def _require_fresh(self) -> None:
        """Refuse to tell the power of a car that charges from values that are too old."""
        told_s = self._seen.measured_s
        if not self._seen.charging or told_s is None:
            return
        age_s = self._clock.monotonic_s() - told_s
        if age_s > STALE_S:
            msg = f"{self._name} measured last {age_s:.0f} s ago; shorten its MeterValues interval"
            raise DeviceUnavailableError(msg)

    def _hear(self, version: str, request: Request) -> dict[str, object] | None:
        self._seen = after_request(
            self._seen,
            request.action,
            request.payload,
            connector=self._settings.connector,
            now_s=self._clock.monotonic_s(),
        )
        if request.action in self._awaited:
            self._told.set()
        return reply_to(request.action, request.payload, version=version, now=self._clock.utc())

    def _forget(self) -> None:
        """Take nothing for known: the charger was away and may have restarted."""
        self._writes.forget()
        self._cleared = False
        self._seen = ChargerSeen()


async def open_charger(settings: Mapping[str, object], site: Site) -> Device:
    """Listen for an OCPP charger (see `OcppChargerSettings`); it dials in when it likes."""
    read = read_settings(OcppChargerSettings, settings, where=site.where)
    password = None if read.password_file is None else read_secret(read.password_file)
    charger = OcppCharger(read, site, password=password)
    await charger.start()
    return Device(name=site.name, driver="ocpp-charger", connection=charger, charger=charger)
