"""A tap between two programs on this machine: what goes over the wire, as it goes."""

import asyncio
import json
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from devices.listening import stop_listening

_CHUNK: Final = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """Bytes that went one way without a word from the other side in between."""

    request: bool
    """True from the client, False from the server."""
    data: bytes
    """The bytes."""


class WireTap:
    """Relay TCP connections to a port of this machine and keep what is said.

    Parameters
    ----------
    port : int
        Where the server listens, on 127.0.0.1.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self._server: asyncio.Server | None = None
        self._heard: list[Heard] = []
        self._relays: set[asyncio.Task[None]] = set()

    @property
    def port(self) -> int:
        """Where clients connect to instead."""
        return 0 if self._server is None else int(self._server.sockets[0].getsockname()[1])

    def take(self) -> tuple[Heard, ...]:
        """Return what was said since the last time."""
        taken, self._heard = tuple(self._heard), []
        return taken

    async def start(self) -> None:
        """Begin to listen."""
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)

    async def stop(self) -> None:
        """Stop listening and end every relay."""
        if self._server is not None:
            await stop_listening(self._server)
        for task in self._relays:
            task.cancel()
        if self._relays:
            await asyncio.wait(self._relays)

    async def __aenter__(self) -> "WireTap":
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._relays.add(task)
            task.add_done_callback(self._relays.discard)
        # only stop() cancels; start_server's own callback cannot bear it
        with suppress(OSError, asyncio.CancelledError):
            await self._join(reader, writer)
        writer.transport.abort()

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Relay both ways between a client and the server until either ends."""
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            await asyncio.gather(
                self._relay(reader, far_writer, request=True),
                self._relay(far_reader, writer, request=False),
            )
        finally:
            far_writer.transport.abort()

    async def _relay(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, request: bool
    ) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(_CHUNK):
                self._keep(data, request=request)
                writer.write(data)
                await writer.drain()
        if writer.can_write_eof() and not writer.transport.is_closing():
            writer.write_eof()

    def _keep(self, data: bytes, *, request: bool) -> None:
        """Keep bytes, joined to those before if the other side said nothing in between."""
        if self._heard and self._heard[-1].request == request:
            data = self._heard.pop().data + data
        self._heard.append(Heard(request=request, data=data))


def http_lines(heard: Heard) -> list[str]:
    """Return a request line or status line of HTTP, and the body on a line of its own."""
    head, _, body = heard.data.partition(b"\r\n\r\n")
    first = head.split(b"\r\n", 1)[0].decode("latin-1")
    if not heard.request:
        first = first.removeprefix("HTTP/1.1 ")
    text = body.decode("utf-8", "replace").strip()
    return [first, compact(text)] if text else [first]


def modbus_lines(heard: Heard) -> list[str]:
    """Return the frames of Modbus TCP in hexadecimal, one a line."""
    lines, data = [], heard.data
    while len(data) >= 6:
        length = 6 + int.from_bytes(data[4:6])
        lines.append(data[:length].hex(" "))
        data = data[length:]
    return lines


def compact(text: str) -> str:
    """Return JSON on one line, cut where it is long, and every other text as it is."""
    with suppress(ValueError):
        text = json.dumps(json.loads(text))
    return text if len(text) <= 400 else f"{text[:400]} ... ({len(text)} characters)"
