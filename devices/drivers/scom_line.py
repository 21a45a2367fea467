"""A line to a Studer gateway: a serial port (Xcom-232i) or a TCP connection (Xcom-LAN)."""

import asyncio
import contextlib
import errno
import math
import os
import termios
from typing import Final, Protocol

import serial

from devices.drivers.scom_codec import Frame, FrameReader, encode, error_of
from devices.errors import DeviceUnavailableError

TRIES: Final = 2
"""How often a request is sent that stays without an answer: a frame damaged on the line is one."""
PAUSE_S: Final = 1.0
"""How long an Xcom-LAN is left alone after a burst of questions. [s]"""
_CHUNK: Final = 4096


class Wire(Protocol):
    """Carries bytes both ways."""

    def send(self, content: bytes) -> None:
        """Send some bytes; OSError where the line is gone."""
        ...

    async def receive(self) -> bytes:
        """Return bytes as soon as there are any; OSError where the line is gone."""
        ...

    def discard(self) -> None:
        """Forget what came in and was not asked for."""
        ...

    async def close(self) -> None:
        """Let go of the line."""
        ...


class SerialWire:
    """A serial port; see `Wire`. POSIX only: the event loop watches the port's descriptor.

    Parameters
    ----------
    path : str
        The port, such as ``/dev/ttyUSB0``.
    baud : int
        Its speed. [Bd]
    parity : str
        ``E`` for even, as the gateway wants it; ``N`` for a pseudo-terminal, which has none.

    Raises
    ------
    OSError
        If the port cannot be opened, or is used by another program.
    """

    def __init__(self, path: str, *, baud: int, parity: str) -> None:
        try:
            self._port = serial.Serial(
                path, baud, parity=parity, timeout=0, write_timeout=0, exclusive=True
            )
        except termios.error as error:
            msg = f"it cannot do {baud} Bd with parity {parity} ({error.args[-1]})"
            raise OSError(msg) from error

    def send(self, content: bytes) -> None:
        """See `Wire`."""
        if self._port.write(content) != len(content):
            msg = "it takes no more bytes"
            raise OSError(msg)

    async def receive(self) -> bytes:
        """See `Wire`."""
        while not (content := self._read()):
            await self._readable()
        return content

    def discard(self) -> None:
        """See `Wire`."""
        while self._read():
            pass

    async def close(self) -> None:
        """See `Wire`."""
        self._port.close()

    def _read(self) -> bytes:
        return bytes(self._port.read(_CHUNK))

    async def _readable(self) -> None:
        loop = asyncio.get_running_loop()
        there: asyncio.Future[None] = loop.create_future()
        descriptor = self._port.fileno()

        def tell() -> None:
            if not there.done():
                there.set_result(None)

        loop.add_reader(descriptor, tell)
        try:
            await there
        finally:
            loop.remove_reader(descriptor)


class TcpWire:
    """A gateway that listens on TCP; see `Wire`. Made with `connect`."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def connect(cls, host: str, port: int) -> "TcpWire":
        """Return a connection, or raise OSError."""
        return cls(*await asyncio.open_connection(host, port))

    def send(self, content: bytes) -> None:
        """See `Wire`."""
        self._writer.write(content)

    async def receive(self) -> bytes:
        """See `Wire`."""
        content = await self._reader.read(_CHUNK)
        if not content:
            msg = "the gateway closed it"
            raise OSError(msg)
        return content

    def discard(self) -> None:
        """See `Wire`; here late bytes stay in the stream, and `FrameReader` skips them."""

    async def close(self) -> None:
        """See `Wire`."""
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()


class ScomLine:
    """Ask devices behind a gateway, one request at a time; opens the line when it is needed.

    Parameters
    ----------
    name : str
        What messages call the device.
    port : str
        A serial port's path, or ``tcp://HOST:PORT``.
    baud, parity : int, str
        See `SerialWire`.
    timeout_s : float
        How long an answer may take; the vendor says 2 s at most. [s]
    burst_s : float
        How long an Xcom-LAN is asked before it is left alone for a while; the vendor says 5 s at
        most. Like the time-out in the loop's time: it is the line's, not the battery's. [s]
    """

    def __init__(
        self,
        name: str,
        port: str,
        *,
        baud: int,
        parity: str,
        timeout_s: float,
        burst_s: float = 4.0,
    ) -> None:
        self.name = name
        self._port = port
        self._baud = baud
        self._parity = parity
        self._timeout_s = timeout_s
        self._burst_s = burst_s
        self._is_tcp = port.startswith("tcp://")
        self._began_s = self._used_s = -math.inf
        self._wire: Wire | None = None
        self._busy = asyncio.Lock()

    async def ask(self, request: Frame) -> bytes:
        """Return the content of the answer to a request.

        Raises
        ------
        DeviceUnavailableError
            If the line cannot be opened, breaks, or nothing answers in time.
        DeviceError
            What the device refused the request with.
        """
        async with self._busy:
            await self._pause()
            answer = await self._answer(request)
            self._used_s = asyncio.get_running_loop().time()
        if answer.is_error:
            raise error_of(answer, f"{self.name} {request.destination}.{request.object_id}")
        return answer.content

    async def close(self) -> None:
        """Let go of the line; the next request opens it again."""
        wire, self._wire = self._wire, None
        if wire is not None:
            await wire.close()

    async def _pause(self) -> None:
        """Leave an Xcom-LAN's line to the vendor's portal from time to time, which shares it."""
        loop = asyncio.get_running_loop()
        if loop.time() - self._used_s >= PAUSE_S:
            self._began_s = loop.time()
        elif self._is_tcp and loop.time() - self._began_s >= self._burst_s:
            await asyncio.sleep(PAUSE_S)
            self._began_s = loop.time()

    async def _answer(self, request: Frame) -> Frame:
        """Send a request until it is answered; repeating does no harm, a write sets a value."""
        for _ in range(TRIES - 1):
            try:
                return await self._once(request)
            except DeviceUnavailableError:
                continue
        return await self._once(request)

    async def _once(self, request: Frame) -> Frame:
        try:
            async with asyncio.timeout(self._timeout_s):
                wire = await self._opened()
                wire.discard()
                wire.send(encode(request))
                return await self._received(wire, request)
        except TimeoutError as error:
            msg = (
                f"{self.name} at {self._port}: no answer from {request.destination} within "
                f"{self._timeout_s:g} s; see whether it is on and the line is right"
            )
            raise DeviceUnavailableError(msg) from error
        except OSError as error:
            await self.close()
            what = f"{self.name}: line {self._port} cannot be used"
            msg = f"{what} ({_reason(error)}); see to the cable"
            raise DeviceUnavailableError(msg) from error

    async def _opened(self) -> Wire:
        if self._wire is None:
            host, colon, port = self._port.removeprefix("tcp://").rpartition(":")
            if self._is_tcp and colon:
                self._wire = await TcpWire.connect(host.strip("[]"), int(port))
            else:
                self._wire = SerialWire(self._port, baud=self._baud, parity=self._parity)
        return self._wire

    async def _received(self, wire: Wire, request: Frame) -> Frame:
        """Return the answer, past whatever else is on the line: others may share it."""
        frames = FrameReader()
        while True:
            for frame in frames.feed(await wire.receive()):
                if frame.answers(request):
                    return frame


def _reason(error: OSError) -> str:
    """Return in plain words why a line cannot be used."""
    number = error.errno
    if number == errno.EAGAIN:
        return "another program has it for its exclusive use"
    return (
        os.strerror(number) if number is not None and number > 0 else error.strerror or str(error)
    )
