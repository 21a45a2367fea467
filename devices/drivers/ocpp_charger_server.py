"""The central system that an OCPP charger dials: a WebSocket server for one charge point."""

import asyncio
import base64
import hmac
import itertools
import logging
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Final
from urllib.parse import unquote

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request as HttpRequest
from websockets.http11 import Response
from websockets.typing import Subprotocol

from devices.drivers.ocpp_charger_codec import V16, V201
from devices.drivers.ocpp_charger_frames import (
    Answer,
    Failure,
    Frame,
    Request,
    decode_frame,
    encode_frame,
)
from devices.errors import (
    DeviceConfigError,
    DeviceError,
    DeviceRefusedError,
    DeviceReplyError,
    DeviceUnauthorisedError,
    DeviceUnavailableError,
)

_VERSIONS: Final = {"ocpp2.0.1": V201, "ocpp1.6": V16}
_MOST_OCTETS: Final = 256 * 1024
"""No charger has more to say in one message."""
_FAREWELL_S: Final = 1.0
_PASSING: Final = frozenset({"InternalError", "GenericError"})
"""OCPP's reasons that may be gone when it is asked again."""

Hear = Callable[[str, Request], "dict[str, object] | None"]
"""Takes a version and a request of the charger; returns the payload of its answer, or None."""


class Session:
    """One connection of the charger: requests of both sides, one of ours at a time.

    Parameters
    ----------
    socket : ServerConnection
        The connection, open.
    name : str
        What messages call the charger.
    timeout_s : float
        Bounds each request of ours. [s]
    hear : Hear
        Takes the charger's requests.
    """

    def __init__(
        self, socket: ServerConnection, *, name: str, timeout_s: float, hear: Hear
    ) -> None:
        self._socket = socket
        self._name = name
        self._timeout_s = timeout_s
        self._hear = hear
        self._numbers = itertools.count(1)
        self._one_at_a_time = asyncio.Lock()
        self._waiting: tuple[str, asyncio.Future[Frame]] | None = None
        self.version = _VERSIONS[str(socket.subprotocol)]
        """OCPP version that both ends chose."""

    async def run(self) -> None:
        """Take what the charger sends, until it leaves."""
        async for raw in self._socket:
            try:
                frame = decode_frame(raw)
            except DeviceReplyError as error:
                self._settle(None, error)
                continue
            if isinstance(frame, Request):
                await self._socket.send(encode_frame(self._answer(frame)))
            else:
                self._settle(frame.number, frame)

    async def ask(self, action: str, payload: Mapping[str, object]) -> Mapping[str, object]:
        """Return what the charger answers to a request.

        Raises
        ------
        DeviceUnavailableError
            If it does not answer in time, leaves, or fails inside.
        DeviceReplyError
            If what it sends meanwhile is no OCPP.
        DeviceRefusedError, DeviceUnauthorisedError
            If it does not know, or does not allow, what is asked.
        """
        place = f"{self._name} {action}"
        async with self._one_at_a_time:
            number = str(next(self._numbers))
            answer: asyncio.Future[Frame] = asyncio.get_running_loop().create_future()
            self._waiting = number, answer
            try:
                async with asyncio.timeout(self._timeout_s):
                    await self._socket.send(
                        encode_frame(Request(number=number, action=action, payload=payload))
                    )
                    frame = await answer
            except TimeoutError as error:
                msg = f"{place}: no answer within {self._timeout_s:g} s; ask again"
                raise DeviceUnavailableError(msg) from error
            except ConnectionClosed as error:
                msg = f"{place}: the charger left; it dials in again by itself"
                raise DeviceUnavailableError(msg) from error
            finally:
                self._waiting = None
        return _payload(frame, place)

    def drop(self) -> None:
        """Cut the connection: nobody is at its other end any more."""
        self._socket.transport.abort()

    def leave(self) -> None:
        """Tell whoever waits for an answer that none will come."""
        msg = f"{self._name}: the charger left before it answered; it dials in again by itself"
        self._settle(None, DeviceUnavailableError(msg))

    def _answer(self, request: Request) -> Frame:
        try:
            payload = self._hear(self.version, request)
        except DeviceReplyError as error:
            code = "FormationViolation" if self.version == V16 else "FormatViolation"
            return Failure(number=request.number, code=code, text=str(error)[:255])
        if payload is None:
            return Failure(number=request.number, code="NotImplemented", text=request.action[:255])
        return Answer(number=request.number, payload=payload)

    def _settle(self, number: str | None, outcome: Frame | DeviceError) -> None:
        """Hand an answer to whoever waits for it; an answer that comes too late is nobody's."""
        if self._waiting is None:
            return
        wanted, answer = self._waiting
        if answer.done() or number not in {None, wanted}:
            return
        if isinstance(outcome, DeviceError):
            answer.set_exception(outcome)
        else:
            answer.set_result(outcome)


class CentralSystem:
    """Let one charge point dial in, and hand out its connection.

    Parameters
    ----------
    name : str
        What messages call the charger.
    charge_point : str
        The identity that ends the path which the charger dials.
    password : str, optional
        What it has to know, with its identity as user name; None lets it in without.
    timeout_s : float
        Bounds each request, and the wait for the charger to dial in. [s]
    hear : Hear
        Takes the charger's requests.
    joined : Callable[[], None]
        Called when the charger has dialled in anew: whatever was known of it may be lost.
    """

    def __init__(
        self,
        *,
        name: str,
        charge_point: str,
        password: str | None,
        timeout_s: float,
        hear: Hear,
        joined: Callable[[], None],
    ) -> None:
        self._name = name
        self._charge_point = charge_point
        self._password = password
        self._timeout_s = timeout_s
        self._hear = hear
        self._joined = joined
        self._server: Server | None = None
        self._session: Session | None = None
        self._present = asyncio.Event()
        # this package says what went wrong by its errors and writes no log
        self._silent = logging.Logger("gridpact.ocpp", level=logging.CRITICAL + 1)

    async def start(self, host: str, port: int) -> int:
        """Begin to listen; return the port, which 0 leaves to the system.

        Raises
        ------
        DeviceConfigError
            If nothing can listen there.
        """
        try:
            self._server = await serve(
                self._serve,
                host,
                port,
                subprotocols=[Subprotocol(each) for each in _VERSIONS],
                process_request=self._admit,
                max_size=_MOST_OCTETS,
                close_timeout=_FAREWELL_S,
                logger=self._silent,
            )
        except (OSError, OverflowError) as error:
            msg = f"{self._name}: cannot listen on {host}:{port} ({error}); choose another port"
            raise DeviceConfigError(msg) from error
        found: int = next(iter(self._server.sockets)).getsockname()[1]
        return found

    async def session(self) -> Session:
        """Return the charger's connection, waiting a moment for it to dial in.

        Raises
        ------
        DeviceUnavailableError
            If it does not.
        """
        try:
            async with asyncio.timeout(self._timeout_s):
                await self._present.wait()
        except TimeoutError as error:
            msg = (
                f"{self._name}: charge point {self._charge_point} has not dialled in; "
                "see the central system's address in its settings"
            )
            raise DeviceUnavailableError(msg) from error
        assert self._session is not None  # noqa: S101 -- present means there is one
        return self._session

    async def stop(self) -> None:
        """Say goodbye to the charger and stop listening."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    def _admit(self, connection: ServerConnection, request: HttpRequest) -> Response | None:
        """Let in our charge point alone."""
        identity = unquote(request.path.partition("?")[0].rstrip("/").rpartition("/")[2])
        if identity != self._charge_point:
            return connection.respond(HTTPStatus.NOT_FOUND, "unknown charge point\n")
        if self._password is None:
            return None
        wanted = base64.b64encode(f"{self._charge_point}:{self._password}".encode()).decode()
        given = request.headers.get("Authorization", "")
        if hmac.compare_digest(given.encode(), f"Basic {wanted}".encode()):
            return None
        refusal = connection.respond(HTTPStatus.UNAUTHORIZED, "wrong password\n")
        refusal.headers["WWW-Authenticate"] = 'Basic realm="charge point"'
        return refusal

    async def _serve(self, socket: ServerConnection) -> None:
        before = self._session
        session = Session(socket, name=self._name, timeout_s=self._timeout_s, hear=self._hear)
        self._session = session
        self._joined()
        self._present.set()
        try:
            if before is not None:  # a charger that lost its network dials anew before we notice
                before.drop()
            await session.run()
        except ConnectionClosed:
            pass  # it left without a goodbye: chargers do
        finally:
            session.leave()
            if self._session is session:
                self._session = None
                self._present.clear()


def _payload(frame: Frame, place: str) -> Mapping[str, object]:
    """Return what was asked for, or raise why it is not given."""
    if not isinstance(frame, Failure):
        return frame.payload
    said = f"{place}: the charger answered {frame.code} {frame.text}".rstrip()
    if frame.code in _PASSING:
        msg = f"{said}; ask again"
        raise DeviceUnavailableError(msg)
    if frame.code == "SecurityError":
        msg = f"{said}; see the charger's security settings"
        raise DeviceUnauthorisedError(msg)
    msg = f"{said}; see what the charger supports"
    raise DeviceRefusedError(msg)
