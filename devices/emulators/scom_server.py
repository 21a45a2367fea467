"""Where an emulated gateway listens: a pseudo-terminal as its serial line, or TCP."""

import asyncio
import os
import tty
from collections.abc import Callable
from typing import cast

from devices.drivers.scom_codec import Frame, FrameReader
from devices.listening import stop_listening

Answer = Callable[[Frame], bytes]
"""Returns the bytes that go back for a request; none where no answer comes."""


class ScomServer:
    """Take frames off a line and send what answers them.

    Parameters
    ----------
    answer : Callable[[Frame], bytes]
        Answers a request.
    latency_s : float
        How long an answer takes, in real time. [s]
    """

    def __init__(self, answer: Answer, *, latency_s: float) -> None:
        self._answer = answer
        self._latency_s = latency_s
        self._terminal: tuple[int, int] | None = None
        self._server: asyncio.Server | None = None
        self._clients: set[asyncio.Transport] = set()

    def open_terminal(self) -> str:
        """Return the path of a pseudo-terminal that is listened on from now."""
        ours, theirs = os.openpty()
        tty.setraw(theirs)  # the terminal is to carry bytes, not lines
        os.set_blocking(ours, False)
        self._terminal = ours, theirs
        frames = FrameReader()

        def arrived() -> None:
            self._receive(os.read(ours, 4096), frames, self._send_to_terminal)

        asyncio.get_running_loop().add_reader(ours, arrived)
        return os.ttyname(theirs)

    async def listen(self, host: str, port: int) -> int:
        """Return the TCP port that is listened on from now; port 0 takes a free one."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Client(self), host, port)
        return int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Stop listening and drop every connection."""
        if self._terminal is not None:
            ours, theirs = self._terminal
            self._terminal = None
            asyncio.get_running_loop().remove_reader(ours)
            os.close(ours)
            os.close(theirs)
        if self._server is not None:
            await stop_listening(self._server)
            for client in tuple(self._clients):
                client.abort()
            await self._server.wait_closed()
            self._server = None

    def _receive(
        self, content: bytes, frames: FrameReader, send: Callable[[bytes], object]
    ) -> None:
        for frame in frames.feed(content):
            raw = b"" if frame.is_answer else self._answer(frame)
            if raw and self._latency_s > 0:
                asyncio.get_running_loop().call_later(self._latency_s, send, raw)
            elif raw:
                send(raw)

    def _send_to_terminal(self, content: bytes) -> None:
        if self._terminal is not None:
            os.write(self._terminal[0], content)


class _Client(asyncio.Protocol):
    """One TCP connection."""

    def __init__(self, server: ScomServer) -> None:
        self._server = server
        self._frames = FrameReader()
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._server._clients.add(self._transport)

    def connection_lost(self, _: Exception | None) -> None:
        self._server._clients.discard(self._transport)

    def data_received(self, data: bytes) -> None:
        self._server._receive(data, self._frames, self._transport.write)
