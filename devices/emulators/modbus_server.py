"""A Modbus device on a real socket or pseudo-terminal, with what goes wrong on its wire."""

import asyncio
import os
import tty
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Final, Protocol

from devices.clock import Clock
from devices.emulators.faults import Fault, FaultPlan
from devices.emulators.modbus_frames import (
    DEVICE_BUSY,
    DEVICE_FAILURE,
    READ,
    RefusalError,
    Request,
    answer_to,
    refusal,
    request_of,
    rtu_frame,
    take_rtu,
    take_tcp,
    tcp_frame,
)
from devices.listening import let_connect, stop_listening

READ_FAULTS: Final = frozenset(
    {
        Fault.NOT_IMPLEMENTED_VALUE,
        Fault.WRONG_SCALE_FACTOR,
        Fault.WORDS_SWAPPED,
        Fault.STUCK_SENSOR,
    }
)
"""Faults of the values in an answer; the registers inject them."""
WRITE_FAULTS: Final = frozenset({Fault.WRITE_IGNORED, Fault.WRITE_LATE})
"""Faults of what becomes of a write."""
WIRE_FAULTS: Final = frozenset(
    {Fault.TIMEOUT, Fault.HALF_ANSWER, Fault.BUSY, Fault.SERVER_ERROR, Fault.REBOOT}
)
"""Faults that any request can show."""
LATE_S: Final = 2.0
"""How much later a late write takes effect. [s]"""
REBOOT_S: Final = 5.0
"""How long a restart takes. [s]"""

_EXCEPTIONS: Final = {Fault.BUSY: DEVICE_BUSY, Fault.SERVER_ERROR: DEVICE_FAILURE}


class Registers(Protocol):
    """What a device's registers hold and do."""

    def read(self, address: int, count: int, fault: Fault | None) -> tuple[int, ...]:
        """Return registers, spoiled as ``fault`` says, or raise `RefusalError`."""
        ...

    def check(self, address: int, values: tuple[int, ...]) -> None:
        """Raise `RefusalError` if a write is not taken."""
        ...

    def write(self, address: int, values: tuple[int, ...]) -> None:
        """Do a write that `check` has let pass."""
        ...

    def reboot(self) -> None:
        """Start anew with the device's own settings."""
        ...


class ModbusServer:
    """Answer for one unit, on TCP or a pseudo-terminal; silent for every other unit.

    Parameters
    ----------
    registers : Registers
        What it reads and writes.
    unit : int
        Its unit identifier.
    clock : Clock
        For late writes, restarts and idle connections.
    plan : Callable[[], FaultPlan]
        Returns what to inject, asked once per request.
    serial : bool
        Speak RTU on a pseudo-terminal instead of TCP.
    one_client : bool
        Drop a second connection at once while there is one.
    idle_s : float, optional
        Close a connection on which nothing is asked for so long. [s]
    answer_s : float
        How long an answer takes, in real time. [s]
    """

    def __init__(
        self,
        registers: Registers,
        *,
        unit: int,
        clock: Clock,
        plan: Callable[[], FaultPlan],
        serial: bool = False,
        one_client: bool = False,
        idle_s: float | None = None,
        answer_s: float = 0.0,
    ) -> None:
        self.answer_s = answer_s
        """How long an answer takes, in real time. [s]"""
        self._registers = registers
        self._unit = unit
        self._clock = clock
        self._plan = plan
        self._serial = serial
        self._one_client = one_client
        self._idle_s = idle_s
        self._server: asyncio.Server | None = None
        self._line: tuple[int, int] | None = None
        self._talks: set[_TcpTalk] = set()
        self._late: deque[tuple[float, Request]] = deque()
        self._up_s = -float("inf")
        self.port = 0
        """Port that it listens on."""
        self.path = ""
        """Path of its end of the serial line."""

    @property
    def offered(self) -> frozenset[Fault]:
        """The faults that it can show."""
        wire = Fault.WRONG_CHECKSUM if self._serial else Fault.REFUSED_CONNECTION
        return READ_FAULTS | WRITE_FAULTS | WIRE_FAULTS | {wire}

    @property
    def up(self) -> bool:
        """Whether it is there: not in the middle of a restart."""
        return self._clock.monotonic_s() >= self._up_s

    async def start(self, host: str, port: int) -> None:
        """Begin to listen: on a socket, where port 0 takes a free one, or on a line of its own."""
        loop = asyncio.get_running_loop()
        if not self._serial:
            self._server = await loop.create_server(lambda: _TcpTalk(self), host, port)
            self.port = self._server.sockets[0].getsockname()[1]
            return
        ours, theirs = os.openpty()
        tty.setraw(theirs)  # kept open, so that a client that leaves does not end the line
        os.set_blocking(ours, False)
        self._line = (ours, theirs)
        self.path = os.ttyname(theirs)
        loop.add_reader(ours, _RtuTalk(self, ours).readable)

    async def stop(self) -> None:
        """Stop listening and drop every connection."""
        server, self._server = self._server, None
        if server is not None:
            await stop_listening(server)
        self.drop_all()
        await let_connect()
        if server is not None:
            await server.wait_closed()
        if self._line is not None:
            asyncio.get_running_loop().remove_reader(self._line[0])
            for end in self._line:
                os.close(end)
            self._line = None

    def drop_all(self) -> None:
        """Drop every connection."""
        for talk in list(self._talks):
            talk.abort()

    def enter(self, talk: "_TcpTalk") -> bool:
        """Return whether a new connection may stay."""
        if self._server is None or not self.up or (self._one_client and self._talks):
            return False
        self._talks.add(talk)
        if self._idle_s is not None:
            talk.watch(self._clock, self._idle_s)
        return True

    def leave(self, talk: "_TcpTalk") -> None:
        """Take note that a connection is over."""
        self._talks.discard(talk)

    def answer(self, unit: int, pdu: bytes) -> tuple[bytes | None, Fault | None]:
        """Return the answer to a request, None for silence, and the fault to show on the wire."""
        self._do_late()
        if unit != self._unit or not self.up:
            return None, None
        fault: Fault | None = None
        try:
            request = request_of(pdu)
            offered = READ_FAULTS if request.function == READ else WRITE_FAULTS
            fault = self._plan().next_fault(self.offered - READ_FAULTS - WRITE_FAULTS | offered)
            if fault in (Fault.TIMEOUT, Fault.REFUSED_CONNECTION):
                return None, fault
            if fault is Fault.REBOOT:
                self._restart()
                return None, fault
            return answer_to(request, self._do(request, fault)), fault
        except RefusalError as error:
            return refusal(pdu[0] if pdu else 0, error.code), fault

    def _do(self, request: Request, fault: Fault | None) -> tuple[int, ...]:
        """Do a request and return the registers that it reads."""
        if fault in _EXCEPTIONS:
            raise RefusalError(_EXCEPTIONS[fault])
        if request.function == READ:
            return self._registers.read(request.address, request.count, fault)
        self._registers.check(request.address, request.values)
        if fault is Fault.WRITE_LATE:
            self._late.append((self._clock.monotonic_s() + LATE_S, request))
        elif fault is not Fault.WRITE_IGNORED:
            self._registers.write(request.address, request.values)
        return ()

    def _do_late(self) -> None:
        """Do the late writes that are due: seen at the next request at the earliest."""
        while self._late and self._late[0][0] <= self._clock.monotonic_s():
            _, request = self._late.popleft()
            self._registers.write(request.address, request.values)

    def _restart(self) -> None:
        self._late.clear()
        self._up_s = self._clock.monotonic_s() + REBOOT_S
        self._registers.reboot()
        self.drop_all()


class _TcpTalk(asyncio.Protocol):
    """One connection."""

    def __init__(self, server: ModbusServer) -> None:
        self._server = server
        self._transport: asyncio.Transport | None = None
        self._octets = b""
        self._last_s = 0.0
        self._watch: tuple[Clock, asyncio.Task[None]] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 -- what a stream server hands out
        self._transport = transport
        if not self._server.enter(self):
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        if self._watch is not None:
            self._watch[1].cancel()
        self._server.leave(self)

    def data_received(self, data: bytes) -> None:
        if self._watch is not None:
            self._last_s = self._watch[0].monotonic_s()
        self._octets += data
        try:
            while (taken := take_tcp(self._octets)) is not None:
                used, transaction, unit, pdu = taken
                self._octets = self._octets[used:]
                self._send(transaction, unit, pdu)
        except ValueError:
            self.abort()

    def abort(self) -> None:
        """Drop the connection."""
        self._server.leave(self)
        if self._transport is not None:
            self._transport.abort()

    def watch(self, clock: Clock, idle_s: float) -> None:
        """Close the connection when nothing is asked for ``idle_s``. [s]"""
        self._last_s = clock.monotonic_s()

        async def close_idle() -> None:
            while (left_s := self._last_s + idle_s - clock.monotonic_s()) > 0:
                await clock.sleep(left_s)
            self.abort()

        self._watch = clock, asyncio.get_running_loop().create_task(close_idle())

    def _send(self, transaction: bytes, unit: int, pdu: bytes) -> None:
        answer, fault = self._server.answer(unit, pdu)
        if self._transport is None or self._transport.is_closing():
            return
        if fault is Fault.REFUSED_CONNECTION:
            self.abort()
        if answer is None:
            return
        frame = tcp_frame(transaction, unit, answer)
        if fault is Fault.HALF_ANSWER:
            self._transport.write(frame[: len(frame) // 2])
            self._transport.close()
            return
        if self._server.answer_s > 0:
            loop = asyncio.get_running_loop()
            loop.call_later(self._server.answer_s, self._transport.write, frame)
            return
        self._transport.write(frame)


class _RtuTalk:
    """The device's end of a serial line."""

    def __init__(self, server: ModbusServer, end: int) -> None:
        self._server = server
        self._end = end
        self._octets = b""

    def readable(self) -> None:
        """Take what came and answer what is whole."""
        with suppress(OSError):  # nobody at the other end
            self._octets += os.read(self._end, 1024)
        try:
            while (taken := take_rtu(self._octets)) is not None:
                used, unit, pdu = taken
                self._octets = self._octets[used:]
                self._send(unit, pdu)
        except ValueError:
            self._octets = b""

    def _send(self, unit: int, pdu: bytes) -> None:
        answer, fault = self._server.answer(unit, pdu)
        if answer is None:
            return
        frame = rtu_frame(unit, answer)
        if fault is Fault.HALF_ANSWER:
            frame = frame[: len(frame) // 2]
        if fault is Fault.WRONG_CHECKSUM:
            frame = frame[:-1] + bytes((frame[-1] ^ 0x55,))
        os.write(self._end, frame)
