"""The Modbus client on real sockets and pseudo-terminals: bytes, errors, connections."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from devices.clock import SystemClock
from devices.drivers.modbus_link import (
    IllegalAddressError,
    ModbusLink,
    SerialAddress,
    TcpAddress,
)
from devices.drivers.solaredge_codec import float_words, long_words
from devices.emulators.faults import Fault, FaultPlan
from devices.emulators.modbus_frames import ILLEGAL_ADDRESS, RefusalError
from devices.emulators.modbus_server import ModbusServer
from devices.errors import DeviceRefusedError, DeviceReplyError, DeviceUnavailableError
from devices.hand_clock import HandClock


class Plain:
    """Three hundred registers that hold what is written."""

    def __init__(self):
        self.words = list(range(300))
        self.asked = []

    def read(self, address, count, fault):
        self.asked.append((address, count))
        if address + count > 300:
            raise RefusalError(ILLEGAL_ADDRESS)
        return tuple(self.words[address : address + count])

    def check(self, address, values):
        if address + len(values) > 300:
            raise RefusalError(ILLEGAL_ADDRESS)

    def write(self, address, values):
        self.words[address : address + len(values)] = values

    def reboot(self):
        self.words = list(range(300))


@asynccontextmanager
async def linked(
    *,
    plan=None,
    unit=1,
    asked_unit=1,
    serial=False,
    clock=None,
    pause_s=0.0,
    answers_s=5.0,
    **wire,
):
    """Start a device of plain registers and a link to it."""
    clock, registers = clock or SystemClock(), Plain()
    plan = plan or FaultPlan.none()
    server = ModbusServer(
        registers, unit=unit, clock=clock, plan=lambda: plan, serial=serial, **wire
    )
    await server.start("127.0.0.1", 0)
    tcp = TcpAddress(host="127.0.0.1", port=server.port)
    link = ModbusLink(
        name="plain",
        address=SerialAddress(path=server.path) if serial else tcp,
        unit=asked_unit,
        timeout_s=answers_s,
        clock=clock,
        pause_s=pause_s,
    )
    try:
        yield link, registers, server
    finally:
        await link.close()
        await server.stop()


@asynccontextmanager
async def played(answer):
    """Start a device that answers by hand and a link to it."""
    talks = []

    async def talk(reader, writer):
        talks.append(asyncio.current_task())
        await answer(reader, writer)
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    address = TcpAddress(host="127.0.0.1", port=server.sockets[0].getsockname()[1])
    link = ModbusLink(name="x", address=address, unit=1, timeout_s=0.2, clock=SystemClock())
    try:
        yield link
    finally:
        await link.close()
        await asyncio.gather(*talks)
        server.close()
        await server.wait_closed()


@pytest.mark.parametrize("serial", [False, True], ids=("tcp", "rtu"))
def test_registers_are_read_in_pieces_and_written_at_once(serial):
    async def run():
        async with linked(serial=serial) as (link, registers, _):
            found = await link.read(10, 260)
            await link.write(20, [7])
            await link.write(21, [8, 9])
            return found, registers.asked, registers.words[19:24], link.requests

    found, asked, words, requests = asyncio.run(run())

    assert found == tuple(range(10, 270))
    assert asked == [(10, 125), (135, 125), (260, 10)]
    assert words == [19, 7, 8, 9, 23]
    assert requests == 5


def test_writes_are_the_bytes_of_the_vendors_example():
    """SolarEdge's own example: 900 s, mode 4, 1500 W to discharge; low word first."""
    frames = []

    async def answer(reader, writer):
        while len(head := await reader.read(6)) == 6:
            rest = await reader.readexactly(head[5])
            frames.append((head + rest).hex(" "))
            writer.write(head[:4] + b"\0\6" + rest[:6])

    async def run():
        async with played(answer) as link:
            await link.write(0xE00B, long_words(900))
            await link.write(0xE00D, [4])
            await link.write(0xE010, float_words(1500.0))

    asyncio.run(run())

    assert frames == [
        "00 01 00 00 00 0b 01 10 e0 0b 00 02 04 03 84 00 00",
        "00 02 00 00 00 06 01 06 e0 0d 00 04",
        "00 03 00 00 00 0b 01 10 e0 10 00 02 04 80 00 44 bb",
    ]


@pytest.mark.parametrize(
    ("fault", "serial", "error"),
    [
        (Fault.TIMEOUT, False, DeviceUnavailableError),
        (Fault.TIMEOUT, True, DeviceUnavailableError),
        (Fault.REFUSED_CONNECTION, False, DeviceUnavailableError),
        (Fault.HALF_ANSWER, False, DeviceUnavailableError),
        (Fault.HALF_ANSWER, True, DeviceUnavailableError),
        (Fault.WRONG_CHECKSUM, True, DeviceUnavailableError),
        (Fault.BUSY, False, DeviceUnavailableError),
        (Fault.SERVER_ERROR, True, DeviceUnavailableError),
    ],
)
def test_a_fault_on_the_wire_is_no_answer_and_the_next_request_gets_one(fault, serial, error):
    async def run():
        async with linked(plan=FaultPlan.once(fault), serial=serial, answers_s=0.5) as (link, _, _):
            with pytest.raises(error, match="plain"):
                await link.read(3, 2)
            return await link.read(3, 2)

    assert asyncio.run(run()) == (3, 4)


def test_a_lost_connection_is_noticed_at_once():
    async def run():
        loop = asyncio.get_running_loop()
        plan = FaultPlan.once(Fault.REFUSED_CONNECTION)
        async with linked(plan=plan) as (link, _, _):
            begin_s = loop.time()
            with pytest.raises(DeviceUnavailableError, match="connection lost"):
                await link.read(0, 1)
            return loop.time() - begin_s

    assert asyncio.run(run()) < 0.2  # its time-out


def test_a_refused_address_is_told_from_other_refusals():
    async def run():
        async with linked() as (link, _, _):
            with pytest.raises(IllegalAddressError, match="read of 9 registers at 299 refused"):
                await link.read(299, 9)
            with pytest.raises(IllegalAddressError, match="write of 2 registers at 299 refused"):
                await link.write(299, [1, 2])
            with pytest.raises(DeviceRefusedError, match="0 registers in one write"):
                await link.write(0, [])

    asyncio.run(run())


def test_a_device_is_silent_when_another_unit_is_asked():
    async def run():
        async with linked(asked_unit=9, answers_s=0.5) as (link, _, _):
            with pytest.raises(DeviceUnavailableError, match="no answer"):
                await link.read(0, 1)

    asyncio.run(run())


def test_a_second_client_of_a_device_for_one_is_dropped_until_the_first_leaves():
    async def run():
        async with linked(one_client=True) as (link, _, server):
            address = TcpAddress(host="127.0.0.1", port=server.port)
            other = ModbusLink(
                name="other",
                address=address,
                unit=1,
                timeout_s=5.0,
                clock=SystemClock(),
                pause_s=0.0,
            )
            await link.read(0, 1)
            with pytest.raises(DeviceUnavailableError, match="other"):
                await other.read(0, 1)
            await link.close()
            await asyncio.sleep(0.05)
            found = await other.read(5, 1)
            await other.close()
            return found

    assert asyncio.run(run()) == (5,)


def test_an_idle_connection_that_the_device_closed_is_made_anew_at_the_next_request():
    async def run():
        clock = HandClock()
        async with linked(clock=clock, idle_s=120.0) as (link, _, _):
            await link.read(0, 1)
            await clock.advance(121)
            found = await link.read(7, 1)
            return found, link.connections

    assert asyncio.run(run()) == ((7,), 2)


def test_a_device_is_left_alone_for_a_moment_after_its_connection_ended():
    async def run():
        clock = HandClock()
        async with linked(clock=clock, pause_s=1.0) as (link, _, _):
            await link.read(0, 1)
            await link.close()
            waiting = asyncio.ensure_future(link.read(7, 1))
            await asyncio.sleep(0.05)
            early = waiting.done()
            await clock.advance(1.0)
            return early, await waiting

    assert asyncio.run(run()) == (False, (7,))


def test_nobody_at_the_address_is_said_in_a_line():
    async def run():
        address = TcpAddress(host="127.0.0.1", port=1)
        link = ModbusLink(name="x", address=address, unit=1, timeout_s=0.2, clock=SystemClock())
        with pytest.raises(DeviceUnavailableError, match=r"x: no connection to .*reachable$"):
            await link.read(0, 1)

    asyncio.run(run())


def test_a_serial_line_that_is_not_there_is_said_in_a_line():
    async def run():
        address = SerialAddress(path="/dev/no-such-line")
        link = ModbusLink(name="x", address=address, unit=1, timeout_s=0.2, clock=SystemClock())
        with pytest.raises(DeviceUnavailableError, match="no-such-line"):
            await link.read(0, 1)

    asyncio.run(run())


def test_an_answer_of_another_length_is_no_answer_and_ends_the_connection():
    async def answer(reader, writer):
        head = await reader.readexactly(12)
        writer.write(head[:4] + b"\0\5\1\3\2\0\7")
        await reader.read()

    async def run():
        async with played(answer) as link:
            with pytest.raises(DeviceReplyError, match="of 2 registers at 0 answered with 1"):
                await link.read(0, 2)

    asyncio.run(run())


def test_requests_of_several_callers_go_one_at_a_time():
    async def run():
        async with linked(one_client=True) as (link, _, _):
            found = await asyncio.gather(*(link.read(index, 1) for index in range(20)))
            return found, link.connections

    assert asyncio.run(run()) == ([(index,) for index in range(20)], 1)


def test_garbage_is_no_answer():
    async def answer(reader, writer):
        await reader.read(12)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async def run():
        async with played(answer) as link:
            with pytest.raises(DeviceUnavailableError):
                await link.read(0, 2)

    asyncio.run(run())
