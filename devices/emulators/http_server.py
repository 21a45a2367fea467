"""An HTTP device on a real socket, and what goes wrong between it and its client."""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from aiohttp import web

from devices.clock import Clock
from devices.emulators.faults import Fault, FaultPlan
from devices.listening import stop_listening

BOTH_FAULTS: Final = frozenset(
    {
        Fault.TIMEOUT,
        Fault.REFUSED_CONNECTION,
        Fault.HALF_ANSWER,
        Fault.BUSY,
        Fault.UNAUTHORISED,
        Fault.TOO_MANY,
        Fault.SERVER_ERROR,
        Fault.HTML_INSTEAD_OF_JSON,
        Fault.REBOOT,
    }
)
"""What any request can show."""
READ_FAULTS: Final = BOTH_FAULTS | {Fault.NOT_IMPLEMENTED_VALUE, Fault.STUCK_SENSOR}
"""What a request that reads can show."""
WRITE_FAULTS: Final = BOTH_FAULTS | {Fault.WRITE_IGNORED, Fault.WRITE_LATE}
"""What a request that changes something can show."""

LATE_S: Final = 3.0
"""When a late write takes effect. [s]"""
REBOOT_S: Final = 10.0
"""How long a device that restarts is gone. [s]"""
RETRY_AFTER_S: Final = 5
"""The pause that a device asks for that is asked too often. [s]"""
_PAGE: Final = b"<!DOCTYPE html><html><body><h1>Please sign in</h1></body></html>"


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRequest:
    """What arrived."""

    method: str
    """Verb, in capitals."""
    path: str
    """Path without the query."""
    query: Mapping[str, str]
    """Query, decoded."""
    headers: Mapping[str, str]
    """Headers, their names in small letters."""
    body: bytes
    """Body."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpAnswer:
    """What a device in good health answers, and what the request then does to it."""

    body: bytes = b""
    """Body."""
    status: int = 200
    """Status."""
    content_type: str = "application/json"
    """Content-Type."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Further headers."""
    effect: Callable[[], None] | None = None
    """What the request changes; None if it only reads."""


class HttpDevice(Protocol):
    """What speaks behind an `HttpServer`."""

    faults: FaultPlan
    """What is injected."""

    @property
    def offered(self) -> frozenset[Fault]:
        """The faults that its protocol can show."""
        ...

    def answer(self, request: HttpRequest) -> HttpAnswer:
        """Return the answer and its effect; changes nothing itself."""
        ...

    def reboot(self) -> None:
        """Lose what a restart loses."""
        ...


class HttpServer:
    """Serve one `HttpDevice`.

    Parameters
    ----------
    device : HttpDevice
        Answers.
    clock : Clock
        Measures reboots, and when late writes take effect.
    host : str
        Address to listen at.
    port : int
        Port; 0 takes a free one.
    reaction_s : float
        When a write takes effect, after its answer. [s]
    """

    def __init__(
        self, device: HttpDevice, *, clock: Clock, host: str, port: int, reaction_s: float = 0.0
    ) -> None:
        self._device = device
        self._clock = clock
        self._host = host
        self._wanted_port = port
        self._reaction_s = reaction_s
        self._runner: web.AppRunner | None = None
        self._listener: asyncio.Server | None = None
        self._port: int | None = None
        self._down_until_s = float("-inf")
        self._last: dict[str, bytes] = {}
        self._later: set[asyncio.Task[None]] = set()

    @property
    def port(self) -> int:
        """Port it listens at; before it is started, the one it was given."""
        return self._wanted_port if self._port is None else self._port

    async def start(self) -> None:
        """Begin to listen.

        Raises
        ------
        ValueError
            If the fault plan names what the device cannot show.
        """
        self._device.faults.require(self._device.offered)
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._serve)
        # a client that has gone takes its waiting handler with it
        runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0)
        await runner.setup()
        assert runner.server is not None  # noqa: S101 -- as setup() leaves it
        self._listener = await asyncio.get_running_loop().create_server(
            runner.server, self._host, self._wanted_port
        )
        self._runner = runner
        self._port = int(self._listener.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Stop listening, drop every connection and every late write."""
        self._forget_late_writes()
        listener, self._listener = self._listener, None
        if listener is not None:
            await stop_listening(listener)
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    async def _serve(self, incoming: web.Request) -> web.StreamResponse:
        if self._clock.monotonic_s() < self._down_until_s:
            return _drop(incoming)
        request = HttpRequest(
            method=incoming.method,
            path=incoming.path,
            query=dict(incoming.query),
            headers={key.lower(): value for key, value in incoming.headers.items()},
            body=await incoming.read(),
        )
        answer = self._device.answer(request)
        can = READ_FAULTS if answer.effect is None else WRITE_FAULTS
        fault = self._device.faults.next_fault(self._device.offered & can)
        if fault in _UNSERVED:
            return self._refuse(incoming, fault)
        self._take_effect(answer.effect, fault)
        body = self._body(request.path, answer, fault)
        if fault is Fault.TIMEOUT:
            await asyncio.Event().wait()  # until the client goes or the server stops
        if fault is Fault.HALF_ANSWER:
            return _break_off(incoming, body)
        page = fault is Fault.HTML_INSTEAD_OF_JSON
        return web.Response(
            status=200 if page else answer.status,
            body=body,
            content_type="text/html" if page else answer.content_type,
            headers=dict(answer.headers),
        )

    def _refuse(self, incoming: web.Request, fault: Fault | None) -> web.StreamResponse:
        """Answer a request that is not served at all."""
        if fault is Fault.REBOOT:
            self._down_until_s = self._clock.monotonic_s() + REBOOT_S
            self._forget_late_writes()
            self._device.reboot()
        if fault in {Fault.REBOOT, Fault.REFUSED_CONNECTION}:
            return _drop(incoming)
        pause = {"Retry-After": str(RETRY_AFTER_S)}
        if fault is Fault.TOO_MANY:
            return web.Response(status=429, headers=pause)
        if fault is Fault.BUSY:
            return web.Response(status=503, headers=pause)
        return web.Response(status=401 if fault is Fault.UNAUTHORISED else 500)

    def _take_effect(self, effect: Callable[[], None] | None, fault: Fault | None) -> None:
        """Do what the request asks for: now, later or never."""
        if effect is None or fault is Fault.WRITE_IGNORED:
            return
        wait_s = LATE_S if fault is Fault.WRITE_LATE else self._reaction_s
        if wait_s <= 0:
            effect()
            return
        task = asyncio.get_running_loop().create_task(self._after(wait_s, effect))
        self._later.add(task)
        task.add_done_callback(self._later.discard)

    def _forget_late_writes(self) -> None:
        for task in self._later:
            task.cancel()

    async def _after(self, wait_s: float, effect: Callable[[], None]) -> None:
        await self._clock.sleep(wait_s)
        effect()

    def _body(self, path: str, answer: HttpAnswer, fault: Fault | None) -> bytes:
        """Return the body, spoilt as the fault says."""
        if fault is Fault.HTML_INSTEAD_OF_JSON:
            return _PAGE
        if answer.effect is not None:
            return answer.body
        if fault is Fault.STUCK_SENSOR:
            return self._last.get(path, answer.body)
        if answer.status == 200:
            self._last[path] = answer.body
        return without_values(answer.body) if fault is Fault.NOT_IMPLEMENTED_VALUE else answer.body


_UNSERVED: Final = frozenset(
    {
        Fault.REFUSED_CONNECTION,
        Fault.BUSY,
        Fault.UNAUTHORISED,
        Fault.TOO_MANY,
        Fault.SERVER_ERROR,
        Fault.REBOOT,
    }
)


def without_values(body: bytes) -> bytes:
    """Return a JSON document with null for each number; what is no JSON comes back as it is."""

    def blank(value: object) -> object:
        if isinstance(value, dict):
            return {key: blank(each) for key, each in value.items()}
        if isinstance(value, list):
            return [blank(each) for each in value]
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return None if number else value

    try:
        return json.dumps(blank(json.loads(body))).encode()
    except ValueError:
        return body


def _drop(incoming: web.Request) -> web.StreamResponse:
    """Close the connection before a byte is answered."""
    if incoming.transport is not None:
        incoming.transport.abort()
    return web.Response(status=500)  # nobody is there to get it


def _break_off(incoming: web.Request, body: bytes) -> web.StreamResponse:
    """Answer half of what was promised, and close the connection."""
    whole = body or b"..."
    head = (
        f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(whole)}\r\n\r\n"
    )
    if incoming.transport is not None:
        incoming.transport.write(head.encode() + whole[: len(whole) // 2])
        incoming.transport.close()
    return web.Response(status=500)  # nobody is there to get it
