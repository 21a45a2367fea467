"""Many gateways in one process, at the broker over plain sockets, each message at QoS 1.

A gateway here speaks MQTT 3.1.1 in the six packets that it needs, for ten thousand clients of a
library would take the processor that is to be measured. It keeps a message until it has the
service's receipt where it asks for one, else until the broker's acknowledgement, and sends it again
after a cut: what a real gateway does.
"""

import asyncio
import struct
import time
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from msgspec import json

_CONNACK, _PUBLISH, _PUBACK, _SUBACK = 2, 3, 4, 9
_KEEPALIVE_S: Final = 0
"""None: nobody here falls silent without a cut. [s]"""


def _text(value: str) -> bytes:
    body = value.encode()
    return struct.pack("!H", len(body)) + body


def _packet(head: int, body: bytes) -> bytes:
    size, length = b"", len(body)
    while True:
        length, digit = divmod(length, 128)
        size += bytes((digit | (128 if length else 0),))
        if not length:
            return bytes((head,)) + size + body


@dataclass(slots=True)
class Sent:
    """A message that is kept."""

    payload: bytes
    """What it says."""
    first_s: float
    """When it was first sent. [s]"""
    last_s: float
    """When it was last sent. [s]"""
    receipt: bool
    """Whether it waits for the service's receipt, not for the broker's acknowledgement."""
    again_s: float
    """How long it waits before it is sent again. [s]"""


@dataclass(slots=True)
class Tally:
    """What all gateways together saw."""

    sent: int = 0
    """Messages, each counted once."""
    again: int = 0
    """How often one was sent again."""
    done: int = 0
    """Messages that need not be kept any more."""
    waits_s: list[float] = field(default_factory=list)
    """From a message to its receipt, of those that asked for one. [s]"""
    connects: int = 0
    """Connections that were made."""
    took_s: float = 0.0
    """From the first message until none was kept any more. [s]"""


class Gateway(asyncio.Protocol):
    """One of them.

    Parameters
    ----------
    name : str
        Its id.
    root : str
        First levels of its topics.
    tally : Tally
        What all of them saw.
    again_s : float
        After how long without a receipt a message is sent again; then twice as long, and so on:
        who asks again sooner than a busy service answers makes it busier. [s]
    """

    def __init__(self, name: str, *, root: str, tally: Tally, again_s: float = 10.0) -> None:
        self.name = name
        self._again_s = again_s
        self.ready = asyncio.Event()
        self.waiting: OrderedDict[str, Sent] = OrderedDict()
        self._topic = _text(f"{root}/{name}/telemetry")
        self._receipts = f"{root}/{name}/received"
        self._tally = tally
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
        self._mid = 0
        self._mids: dict[int, str] = {}
        self._listens = False

    async def connect(self, port: int, *, listens: bool) -> None:
        """Connect, and hear receipts where it ``listens``; raises `OSError`."""
        self._listens = listens
        loop = asyncio.get_running_loop()
        await loop.create_connection(lambda: self, "127.0.0.1", port)
        async with asyncio.timeout(30):
            await self.ready.wait()
        self._tally.connects += 1
        now_s = time.perf_counter()
        for name, kept in self.waiting.items():
            kept.last_s = now_s
            self._send(name, kept)
            self._tally.again += 1

    async def stay(self, port: int, *, listens: bool) -> None:
        """Connect and, after each cut, connect again, for ever."""
        while True:
            with suppress(OSError, TimeoutError):
                await self.connect(port, listens=listens)
                while self.ready.is_set():
                    await asyncio.sleep(0.2)
                    self._send_again()
            await asyncio.sleep(0.2)

    def tell(self, name: str, payload: bytes, *, receipt: bool) -> None:
        """Send a message and keep it."""
        now_s = time.perf_counter()
        kept = self.waiting[name] = Sent(payload, now_s, now_s, receipt, self._again_s)
        self._tally.sent += 1
        if self.ready.is_set():
            self._send(name, kept)

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.close()

    def _send_again(self) -> None:
        now_s = time.perf_counter()
        for name, kept in self.waiting.items():
            if now_s - kept.last_s > kept.again_s:
                kept.last_s = now_s
                kept.again_s *= 2
                self._send(name, kept)
                self._tally.again += 1

    def _send(self, name: str, kept: Sent) -> None:
        if self._transport is None:
            return
        self._mid = self._mid % 65_535 + 1
        self._mids[self._mid] = name
        body = self._topic + struct.pack("!H", self._mid) + kept.payload
        self._transport.write(_packet(0x32, body))

    def _forget(self, name: str) -> None:
        kept = self.waiting.pop(name, None)
        if kept is None:
            return
        self._tally.done += 1
        if kept.receipt:
            self._tally.waits_s.append(time.perf_counter() - kept.first_s)

    # --- asyncio.Protocol ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Say who it is."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 -- as asyncio promises
        self._transport = transport
        self._buffer = b""
        self._mids.clear()
        head = _text("MQTT") + bytes((4, 0x02)) + struct.pack("!H", _KEEPALIVE_S)
        transport.write(_packet(0x10, head + _text(f"gridpact-{self.name}")))

    def connection_lost(self, exc: Exception | None) -> None:
        """Take note of a cut."""
        del exc
        self._transport = None
        self.ready.clear()

    def data_received(self, data: bytes) -> None:
        """Take what the broker says."""
        self._buffer += data
        while True:
            found = _first_packet(self._buffer)
            if found is None:
                return
            head, body, used = found
            self._buffer = self._buffer[used:]
            self._take(head, body)

    def _take(self, head: int, body: bytes) -> None:
        kind = head >> 4
        if kind == _CONNACK:
            if self._listens and self._transport is not None:
                asked = struct.pack("!H", 1) + _text(self._receipts) + b"\0"
                self._transport.write(_packet(0x82, asked))
            else:
                self.ready.set()
        elif kind == _SUBACK:
            self.ready.set()
        elif kind == _PUBACK:
            name = self._mids.pop(int.from_bytes(body[:2]), "")
            kept = self.waiting.get(name)
            if kept is not None and not kept.receipt:
                self._forget(name)
        elif kind == _PUBLISH:
            length = int.from_bytes(body[:2])
            for name in json.decode(body[2 + length :])["ids"]:
                self._forget(name)


def _first_packet(buffer: bytes) -> tuple[int, bytes, int] | None:
    """Return the first packet's head and body and how long it is, once all of it is there."""
    length, shift = 0, 0
    for place in range(1, min(len(buffer), 5)):
        length |= (buffer[place] & 127) << shift
        shift += 7
        if not buffer[place] & 128:
            whole = place + 1 + length
            return (buffer[0], buffer[place + 1 : whole], whole) if len(buffer) >= whole else None
    return None
