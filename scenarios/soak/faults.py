"""What breaks in a soak, when and for how long, drawn by a seed; a line to a node that breaks."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import numpy as np

from devices.listening import stop_listening

LEDGER: Final = ("ledger refuses", "ledger hangs", "ledger answers late", "ledger talks nonsense")
"""Faults of the line to the node."""
REORGANISES: Final = "ledger reorganises"
"""Blocks from the fault's begin on are gone at its end."""
REPORTED_S: Final = 900.0
"""So much longer a reorganisation reaches back, so that it takes a report with it. [s]"""
KINDS: Final = (
    *LEDGER,
    REORGANISES,
    "broker killed",
    "battery gone",
    "battery refuses",
    "battery talks garbage",
    "battery ignores writes",
    "meter gone",
    "disk full",
    "clock an hour ahead",
    "clock an hour behind",
    "agent killed",
)
"""Everything that breaks."""
QUIET_BEGIN_S: Final = 600.0
"""Nothing breaks so long after the beginning, or a twelfth of the soak. [s]"""
QUIET_END_S: Final = 900.0
"""Nothing breaks so long before the end, or a twelfth of the soak. [s]"""
_LATE_S: Final = 0.5
"""How late a late answer comes, in real time. [s]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """Something that breaks for a while."""

    kind: str
    """One of `KINDS`."""
    begin_s: float
    """When, since the soak began. [s]"""
    end_s: float
    """Until when. [s]"""


def drawn(seed: int, *, hours: float, every_s: float) -> list[Break]:
    """Return what breaks, one after another: each kind once before any comes again.

    Parameters
    ----------
    seed : int
        Start of the draws.
    hours : float
        How long the soak goes. [h]
    every_s : float
        From a fault to the next, on average. [s]
    """
    draws = np.random.default_rng(seed)
    quiet_s = hours * 300
    last_s = hours * 3600 - min(QUIET_END_S, quiet_s)
    found: list[Break] = []
    kinds: list[str] = []
    begin_s = min(QUIET_BEGIN_S, quiet_s)
    while True:
        if not kinds:
            kinds = [KINDS[place] for place in draws.permutation(len(KINDS))]
        kind = kinds.pop()
        length_s = float(draws.uniform(0.2, 0.7)) * every_s
        if kind == REORGANISES:
            length_s += REPORTED_S
        if begin_s + length_s > last_s:
            return found
        found.append(Break(kind=kind, begin_s=begin_s, end_s=begin_s + length_s))
        begin_s += length_s + float(draws.uniform(0.2, 0.9)) * every_s


class Wire:
    """A TCP line to a node that passes, refuses, hangs, answers late or talks nonsense.

    Parameters
    ----------
    url : str
        The node.
    """

    def __init__(self, url: str) -> None:
        host, _, port = url.removeprefix("http://").partition(":")
        self._node = (host, int(port))
        self._server: asyncio.Server | None = None
        self._lines: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self.mode = ""
        """One of `LEDGER`; empty passes."""

    async def start(self) -> str:
        """Begin to listen; return the address."""
        self._server = await asyncio.start_server(self._begin, "127.0.0.1", 0)
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def set_mode(self, mode: str) -> None:
        """Break, or mend; lines that stand are cut."""
        self.mode = mode
        for each in self._lines.values():
            each.close()

    async def stop(self) -> None:
        """Listen no more."""
        self.set_mode("ledger refuses")
        if self._server is not None:
            await stop_listening(self._server)
            self.set_mode("ledger refuses")  # whoever came in meanwhile
            await self._server.wait_closed()
        await asyncio.gather(*self._lines, return_exceptions=True)

    def _begin(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self._serve(reader, writer))
        self._lines[task] = writer
        task.add_done_callback(self._lines.pop)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            await self._speak(reader, writer)
        writer.close()

    async def _speak(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.mode == "ledger refuses":
            return
        if self.mode == "ledger hangs":
            while await reader.read(65_536):
                pass
            return
        if self.mode == "ledger talks nonsense":
            await reader.read(65_536)
            body = b'{"jsonrpc": "2.0", "id": 1, "result": "0xzz"}'
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            await writer.drain()
            return
        there, to_node = await asyncio.open_connection(*self._node)
        try:
            late_s = _LATE_S if self.mode == "ledger answers late" else 0.0
            ways = (_carry(reader, to_node, 0.0), _carry(there, writer, late_s))
            tasks = [asyncio.ensure_future(each) for each in ways]
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for each in tasks:
                each.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        finally:
            to_node.close()


async def _carry(source: asyncio.StreamReader, sink: asyncio.StreamWriter, late_s: float) -> None:
    while data := await source.read(65_536):
        if late_s:
            await asyncio.sleep(late_s)
        sink.write(data)
        await sink.drain()


def counted(breaks: Sequence[Break]) -> dict[str, int]:
    """Return how often each kind breaks."""
    return {kind: sum(each.kind == kind for each in breaks) for kind in KINDS}
