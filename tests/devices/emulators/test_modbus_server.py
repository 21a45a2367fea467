"""Emulated Modbus devices, byte by byte."""

import asyncio
import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.battery_model import BatteryModel
from devices.emulators.faults import Fault, FaultPlan
from devices.emulators.house import EmulatedHome
from devices.emulators.modbus_frames import (
    RefusalError,
    crc16,
    request_of,
    rtu_frame,
    take_rtu,
    take_tcp,
)
from devices.emulators.solaredge import SolarEdgeEmulator
from devices.hand_clock import HandClock


def solaredge(faults=None):
    clock = HandClock()
    home = EmulatedHome(
        model=BatteryModel.lfp(1),
        soc=0.5,
        clock=clock.monotonic_s,
        demand=lambda _: (500.0, 0.0),
    )
    return SolarEdgeEmulator(home, clock=clock, faults=faults)


async def talk(emulator, *requests):
    """Send requests one by one and return the answers, in hexadecimal."""
    await emulator.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", emulator.settings["port"])
    answers = []
    for request in requests:
        writer.write(bytes.fromhex(request))
        async with asyncio.timeout(20):
            head = await reader.readexactly(6)
            answers.append((head + await reader.readexactly(head[5])).hex(" "))
    writer.close()
    await writer.wait_closed()
    await emulator.stop()
    return answers


def test_captured_writes_are_answered_as_the_inverter_did():
    """Requests and answers as printed in evcc's issue 11904, after remote control is on."""
    answers = asyncio.run(
        talk(
            solaredge(),
            "00 01 00 00 00 06 01 06 e0 04 00 04",
            "00 94 00 00 00 06 01 06 e0 0d 00 07",
            "00 95 00 00 00 0b 01 10 e0 10 00 02 04 00 00 00 00",
            "00 75 00 00 00 0b 01 10 e0 10 00 02 04 40 00 45 9c",
            "00 76 00 00 00 06 01 03 e0 10 00 02",
        )
    )

    assert answers[1:] == [
        "00 94 00 00 00 06 01 06 e0 0d 00 07",
        "00 95 00 00 00 06 01 10 e0 10 00 02",
        "00 75 00 00 00 06 01 10 e0 10 00 02",
        "00 76 00 00 00 07 01 03 04 40 00 45 9c",
    ]


def test_exceptions_are_those_of_the_inverter():
    answers = asyncio.run(
        talk(
            solaredge(),
            "00 01 00 00 00 06 01 03 e2 00 00 02",  # a battery that is not there
            "00 02 00 00 00 06 01 06 e0 0b 00 3c",  # half of a pair
            "00 03 00 00 00 06 01 06 e0 05 00 09",  # a value that it does not take
            "00 04 00 00 00 06 01 04 e0 00 00 01",  # input registers
            "00 05 00 00 00 06 01 03 e0 00 00 7e",  # 126 registers
        )
    )

    assert answers == [
        "00 01 00 00 00 03 01 83 02",
        "00 02 00 00 00 03 01 86 02",
        "00 03 00 00 00 03 01 86 04",
        "00 04 00 00 00 03 01 84 01",
        "00 05 00 00 00 03 01 83 03",
    ]


def test_the_command_reads_as_nothing_while_remote_control_is_off():
    answers = asyncio.run(talk(solaredge(), "00 01 00 00 00 06 01 03 e0 0d 00 01"))

    assert answers == ["00 01 00 00 00 05 01 03 02 ff ff"]


def test_a_fault_that_modbus_cannot_show_is_refused_at_the_start():
    with pytest.raises(ValueError, match="unauthorised cannot be shown"):
        asyncio.run(solaredge(FaultPlan.always(Fault.UNAUTHORISED)).start())


def test_the_serial_checksum_is_that_of_the_standard():
    """The check value of CRC-16/MODBUS over the digits 1 to 9 is 0x4B37."""
    assert crc16(b"123456789") == b"\x37\x4b"
    assert rtu_frame(1, b"\x03\x02\x00\x07").hex(" ") == "01 03 02 00 07 f9 86"


@given(st.binary(max_size=300))
def test_random_octets_raise_nothing_but_what_is_answered(octets):
    for take in (take_tcp, take_rtu):
        with contextlib.suppress(ValueError):
            take(octets)
    with contextlib.suppress(RefusalError):
        request_of(octets)
