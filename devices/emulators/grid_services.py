"""An emulated cloud: SolarEdge's Grid Services call of Burgio 2023 (§3.2), for one battery."""

import asyncio
import json
import math
import uuid
from collections import Counter, deque
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from devices.clock import Clock
from devices.drivers.grid_services_codec import CHARGE, DerEvent, decode_event, encode_time
from devices.emulators.faults import Fault, FaultPlan
from devices.emulators.house import EmulatedHome
from devices.emulators.http_server import WRITE_FAULTS, HttpAnswer, HttpRequest, HttpServer
from devices.errors import DeviceError
from devices.settings import read_secret

PATH: Final = "/v1/commands/schedule-der-event"
WINDOW_S: Final = 60.0
"""Over which calls are counted. [s]"""


class GridServicesEmulator:
    """See `devices.emulators.emulator.Emulator`.

    Parameters
    ----------
    home : EmulatedHome
        Battery, sun and house.
    clock : Clock
        The time.
    host, port : str, int
        Where to listen; port 0 takes a free one.
    faults : FaultPlan, optional
        What goes wrong.
    der_id : str
        Identity of the battery; the default is the paper's.
    rated_w : float
        What 100 percent of a command is. [W]
    token_file : Path, optional
        File with the token that calls need as ``Authorization: Bearer``, an assumption; None takes
        any.
    calls_per_minute : int, optional
        Calls that a minute may see before 429 is answered; None counts none.
    status : str
        What is said of an event: "Delivered" is the paper's.

    Notes
    -----
    A new event puts the one before aside. When it ends, the battery follows residual demand, which
    is an assumption.
    """

    def __init__(  # noqa: PLR0913 -- options, all by keyword
        self,
        home: EmulatedHome,
        *,
        clock: Clock,
        host: str = "127.0.0.1",
        port: int = 0,
        faults: FaultPlan | None = None,
        der_id: str = "90e8dcc3-c70d-4725-a348-01a33b5f0612",
        rated_w: float = 4_000.0,
        token_file: Path | None = None,
        calls_per_minute: int | None = None,
        status: str = "Delivered",
    ) -> None:
        self.home = home
        self.faults = faults or FaultPlan.none()
        self.writes: Counter[str] = Counter()
        self._clock = clock
        self._host = host
        self._der_id = der_id
        self._rated_w = rated_w
        self._token_file = token_file
        self._token = None if token_file is None else read_secret(token_file)
        self._calls_per_minute = calls_per_minute
        self._status = status
        self._calls_s: deque[float] = deque()
        self._waiting: asyncio.Task[None] | None = None
        self._server = HttpServer(self, clock=clock, host=host, port=port)

    @property
    def offered(self) -> frozenset[Fault]:
        """See `Emulator`."""
        return frozenset(WRITE_FAULTS)

    @property
    def settings(self) -> Mapping[str, object]:
        """See `Emulator`."""
        table: dict[str, object] = {
            "driver": "solaredge-grid-services",
            "url": f"http://{self._host}:{self._server.port}/v1",
            "der_id": self._der_id,
            "rated_w": self._rated_w,
        }
        if self._token_file is not None:
            table["token_file"] = str(self._token_file)
        return table

    async def start(self) -> None:
        """See `Emulator`."""
        await self._server.start()

    async def stop(self) -> None:
        """See `Emulator`."""
        if self._waiting is not None:
            self._waiting.cancel()
        await self._server.stop()

    def reboot(self) -> None:
        """See `HttpDevice`: a cloud that restarts keeps its events."""

    def answer(self, request: HttpRequest) -> HttpAnswer:
        """See `HttpDevice`."""
        if request.path != PATH or request.method != "POST":
            return _problem(404, "not found")
        given = request.headers.get("authorization", "")
        if self._token is not None and given != f"Bearer {self._token}":
            return _problem(401, "unauthorized")
        wait_s = self._wait_s()
        if wait_s > 0:
            pause = {"Retry-After": str(math.ceil(wait_s))}
            return HttpAnswer(status=429, headers=pause)
        try:
            event = decode_event(request.body, "event")
        except DeviceError as error:
            return _problem(400, str(error))
        if event.der_id != self._der_id:
            return _problem(404, "no such DER")
        return self._confirm(event, self._clock.utc())

    def _wait_s(self) -> float:
        """Count a call, and return how long to wait if there were too many. [s]"""
        if self._calls_per_minute is None:
            return 0.0
        now_s = self._clock.monotonic_s()
        while self._calls_s and self._calls_s[0] <= now_s - WINDOW_S:
            self._calls_s.popleft()
        if len(self._calls_s) >= self._calls_per_minute:
            return self._calls_s[0] + WINDOW_S - now_s
        self._calls_s.append(now_s)
        return 0.0

    def _confirm(self, event: DerEvent, now: datetime) -> HttpAnswer:
        """Return the confirmation in the paper's form, the event in whole seconds."""
        length = timedelta(seconds=math.floor((event.end - event.start).total_seconds()))
        name = "chargePowerPercent" if event.command == CHARGE else "dischargePowerPercent"
        confirmation = {
            "id": str(uuid.uuid5(uuid.NAMESPACE_OID, f"{self._der_id} {event.start} {event.end}")),
            "derType": "storage",
            "derSerial": "73170C77-0D-STORAGE",
            "commandUri": event.command,
            "createdOn": encode_time(now),
            "startTime": encode_time(event.start),
            "endTime": encode_time(event.start + length),
            "status": self._status,
            "statusMessage": None,
            "statusTime": encode_time(now),
            "parameters": {name: str(event.percent)},
        }
        body = json.dumps(confirmation).encode()
        return HttpAnswer(body=body, effect=lambda: self._schedule(event, length))

    def _schedule(self, event: DerEvent, length: timedelta) -> None:
        self.writes[PATH] += 1
        if self._waiting is not None:
            self._waiting.cancel()
        wait_s = (event.start - self._clock.utc()).total_seconds()
        if wait_s <= 0:
            self._begin(event, length.total_seconds() + wait_s)
            return
        self._waiting = asyncio.get_running_loop().create_task(
            self._later(wait_s, event, length.total_seconds())
        )

    async def _later(self, wait_s: float, event: DerEvent, length_s: float) -> None:
        await self._clock.sleep(wait_s)
        self._begin(event, length_s)

    def _begin(self, event: DerEvent, length_s: float) -> None:
        if length_s <= 0:
            return
        sign = 1 if event.command == CHARGE else -1
        power_w = sign * event.percent / 100 * self._rated_w
        until_s = self.home.now_s + length_s
        self.home.steer(lambda _load_w, _pv_w: power_w, until_s=until_s)


def _problem(status: int, message: str) -> HttpAnswer:
    return HttpAnswer(body=json.dumps({"message": message}).encode(), status=status)
