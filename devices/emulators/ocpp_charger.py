"""An emulated EV charger that dials its central system, with a car on its cable."""

import asyncio
import base64
import logging
import socket
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from typing import Any, Final

from ocpp.exceptions import OCPPError  # ocpp ships no types
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.typing import Subprotocol

from devices.clock import Clock
from devices.emulators.car import CarState, EmulatedCar
from devices.emulators.faults import Fault, FaultPlan
from devices.emulators.house import EmulatedHome
from devices.emulators.ocpp_dialects import DIALECTS, Dialect
from devices.emulators.ocpp_line import READ_FAULTS, WIRE_FAULTS, WRITE_FAULTS, FaultyLine

LATE_S: Final = 2.0
"""How much later a late write takes effect. [s]"""
REBOOT_S: Final = 5.0
"""How long a restart takes. [s]"""
SAMPLE_S: Final = 60.0
"""Pause between two meter values that it sends by itself. [s]"""
VOLTAGE_V: Final = 230.0
"""Of a phase. [V]"""
_REDIAL_S: Final = 0.05


class ChargerEmulator:
    """See `devices.emulators.emulator.Emulator`.

    Here the device dials: ``port`` is where the central system, our driver, will listen. Profiles
    are lost in a restart, as with chargers that keep them in memory; a profile whose duration is
    over is forgotten.

    Parameters
    ----------
    home : EmulatedHome
        The house; the car is not part of its load.
    clock : Clock
        Measures durations and the pauses between meter values.
    host, port : str, int
        Where to dial; 0 finds a free port and keeps to it.
    faults : FaultPlan, optional
        What to inject into the answers to requests.
    version : str
        ``1.6`` or ``2.0.1``.
    charge_point : str
        Its identity.
    password : str, optional
        Proves its identity.
    """

    def __init__(
        self,
        home: EmulatedHome,
        *,
        clock: Clock,
        host: str = "127.0.0.1",
        port: int = 0,
        faults: FaultPlan | None = None,
        version: str = "1.6",
        charge_point: str = "charger",
        password: str | None = None,
    ) -> None:
        self.home = home
        self.car = EmulatedCar(clock=clock.monotonic_s)
        """The car on its cable."""
        self.faults = faults or FaultPlan.none()
        self.writes: Counter[str] = Counter()
        self._clock = clock
        self._host = host
        self._port = port
        self._dialect: Dialect = DIALECTS[version]()
        self._charge_point = charge_point
        self._password = password
        self._task: asyncio.Task[None] | None = None
        self._up_s = 0.0
        self._shown: CarState | None = None
        self._late: list[tuple[float, Callable[[], None]]] = []
        self._silent = logging.Logger("gridpact.ocpp", level=logging.CRITICAL + 1)

    @property
    def offered(self) -> frozenset[Fault]:
        """The faults that it can show."""
        return READ_FAULTS | WRITE_FAULTS | WIRE_FAULTS

    @property
    def settings(self) -> Mapping[str, object]:
        """The table of a configuration that it reaches, ``driver`` included."""
        return {
            "driver": "ocpp-charger",
            "host": self._host,
            "port": self._port,
            "charge_point": self._charge_point,
            "power_max_w": self.car.power_max_w,
        }

    async def start(self) -> None:
        """Begin to dial, again and again until somebody answers."""
        self.faults.require(self.offered)
        if self._port == 0:
            with socket.create_server((self._host, 0)) as free:
                self._port = free.getsockname()[1]
        self._task = asyncio.get_running_loop().create_task(self._live())

    async def stop(self) -> None:
        """Hang up and dial no more."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    def seen_car(self) -> CarState:
        """Return the car's state, late writes done."""
        now_s = self._clock.monotonic_s()
        for due_s, write in list(self._late):
            if due_s <= now_s:
                self._late.remove((due_s, write))
                write()
        return self.car.state()

    async def _live(self) -> None:
        url = f"ws://{self._host}:{self._port}/{self._charge_point}"
        headers = {}
        if self._password is not None:
            proof = base64.b64encode(f"{self._charge_point}:{self._password}".encode())
            headers["Authorization"] = f"Basic {proof.decode()}"
        while True:
            await self._clock.sleep(max(self._up_s - self._clock.monotonic_s(), 0.0))
            with suppress(OSError, InvalidHandshake, ConnectionClosed, TimeoutError):
                async with connect(
                    url,
                    subprotocols=[Subprotocol(self._dialect.version)],
                    additional_headers=headers,
                    close_timeout=0.2,
                    logger=self._silent,
                ) as dialled:
                    await self._talk(dialled)
            await asyncio.sleep(_REDIAL_S)

    async def _talk(self, dialled: ClientConnection) -> None:
        """Answer and report until the connection ends."""
        line = FaultyLine(dialled, choose=self._choose, reboot=self._reboot)
        point = self._dialect.point(line, self._silent)
        point.route_map = {
            "GetCompositeSchedule": {"_on_action": self._composite},
            "SetChargingProfile": {"_on_action": lambda **asked: self._set(line, asked)},
            "ClearChargingProfile": {"_on_action": lambda **_: self._clear(line)},
            "TriggerMessage": {
                "_on_action": lambda **_: self._dialect.reply("TriggerMessage", status="Accepted"),
                "_after_action": lambda **asked: self._triggered(point, line.fault, asked),
            },
        }
        reporter = asyncio.get_running_loop().create_task(self._report(point))
        try:
            await point.start()
        finally:
            reporter.cancel()
            await asyncio.gather(reporter, return_exceptions=True)

    async def _report(self, point: Any) -> None:  # noqa: ANN401 -- ocpp ships no types
        """Say what a charger says by itself."""
        now = self._clock.utc()
        await point.call(self._dialect.boot(), suppress=False)
        await point.call(self._dialect.status(self.seen_car(), now), suppress=False)
        await point.call(self._dialect.begin(self.seen_car(), now), suppress=False)
        while True:
            await self._clock.sleep(SAMPLE_S)
            await self._measure(point, None)

    async def _measure(self, point: Any, fault: Fault | None) -> None:  # noqa: ANN401 -- as above
        """Tell the car's state and its meter values."""
        if fault is not Fault.STUCK_SENSOR or self._shown is None:
            self._shown = self.seen_car()
        now = self._clock.utc()
        await point.call(self._dialect.status(self._shown, now), suppress=False)
        await point.call(self._dialect.measured(self._shown, now, fault), suppress=False)

    def _choose(self, offered: frozenset[Fault]) -> Fault | None:
        return self.faults.next_fault(offered)  # of the plan that is there by then

    def _triggered(
        self,
        point: Any,  # noqa: ANN401 -- ocpp ships no types
        fault: Fault | None,
        asked: Mapping[str, object],
    ) -> Coroutine[Any, Any, None]:
        async def tell() -> None:
            # the central system may be gone, or may not take what a fault makes of it
            with suppress(ConnectionClosed, OCPPError, TimeoutError):
                if asked["requested_message"] == "StatusNotification":
                    now = self._clock.utc()
                    await point.call(self._dialect.status(self.seen_car(), now), suppress=False)
                else:
                    await self._measure(point, fault)

        return tell()

    def _composite(self, *, charging_rate_unit: str = "W", **_: object) -> object:
        limit_w = self.seen_car().limit_w
        limit = limit_w if charging_rate_unit == "W" else limit_w / VOLTAGE_V / 3
        period = {"startPeriod": 0, "limit": round(limit, 1), "numberPhases": 3}
        return self._dialect.reply(
            "GetCompositeSchedule",
            status="Accepted",
            schedule_start=self._clock.utc().isoformat(),
            schedule={"chargingRateUnit": charging_rate_unit, "chargingSchedulePeriod": [period]},
        )

    def _set(self, line: FaultyLine, asked: Mapping[str, Any]) -> object:
        limit, unit, phases, duration_s = self._dialect.limit(asked)
        limit_w = limit if unit == "W" else limit * VOLTAGE_V * phases
        until_s = self._clock.monotonic_s() + duration_s
        self._write(line, "SetChargingProfile", lambda: self.car.limit(limit_w, until_s=until_s))
        return self._dialect.reply("SetChargingProfile", status="Accepted")

    def _clear(self, line: FaultyLine) -> object:
        self._write(line, "ClearChargingProfile", lambda: self.car.limit(float("inf")))
        return self._dialect.reply("ClearChargingProfile", status="Accepted")

    def _write(self, line: FaultyLine, name: str, write: Callable[[], None]) -> None:
        self.writes[name] += 1
        if line.fault is Fault.WRITE_LATE:
            self._late.append((self._clock.monotonic_s() + LATE_S, write))
        elif line.fault is not Fault.WRITE_IGNORED:
            self.seen_car()
            write()

    def _reboot(self) -> None:
        self._late.clear()
        self.car.limit(float("inf"))
        self._up_s = self._clock.monotonic_s() + REBOOT_S
