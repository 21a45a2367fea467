"""Modbus from the device's side: requests taken apart, answers put together, on TCP and RTU."""

import struct
from dataclasses import dataclass
from typing import Final

READ: Final = 3
WRITE_ONE: Final = 6
WRITE_MANY: Final = 16

ILLEGAL_FUNCTION: Final = 1
ILLEGAL_ADDRESS: Final = 2
ILLEGAL_VALUE: Final = 3
DEVICE_FAILURE: Final = 4
DEVICE_BUSY: Final = 6

_MOST_READ: Final = 125
_MOST_WRITTEN: Final = 123
_LONGEST: Final = 260


class RefusalError(Exception):
    """A request that is answered with an exception code."""

    def __init__(self, code: int) -> None:
        super().__init__(f"exception code {code}")
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a client asks of one unit."""

    function: int
    """3 reads holding registers, 6 writes one, 16 writes several."""
    address: int
    """First register."""
    count: int
    """How many."""
    values: tuple[int, ...] = ()
    """What is to be written."""


def request_of(pdu: bytes) -> Request:
    """Return what a request asks for.

    Raises
    ------
    RefusalError
        If it is not understood.
    """
    if len(pdu) < 5 or pdu[0] not in (READ, WRITE_ONE, WRITE_MANY):
        raise RefusalError(ILLEGAL_FUNCTION)
    function, address, number = struct.unpack_from(">BHH", pdu)
    if function == WRITE_ONE:
        return Request(function=function, address=address, count=1, values=(number,))
    if function == READ:
        if not 1 <= number <= _MOST_READ:
            raise RefusalError(ILLEGAL_VALUE)
        return Request(function=function, address=address, count=number)
    if not 1 <= number <= _MOST_WRITTEN or len(pdu) != 6 + 2 * number or pdu[5] != 2 * number:
        raise RefusalError(ILLEGAL_VALUE)
    values = struct.unpack_from(f">{number}H", pdu, 6)
    return Request(function=function, address=address, count=number, values=values)


def answer_to(request: Request, registers: tuple[int, ...]) -> bytes:
    """Return the answer to a request that was done."""
    if request.function == READ:
        count = len(registers)
        return struct.pack(f">BB{count}H", READ, 2 * count, *registers)
    last = request.values[0] if request.function == WRITE_ONE else request.count
    return struct.pack(">BHH", request.function, request.address, last)


def refusal(function: int, code: int) -> bytes:
    """Return the answer to a request that was not done."""
    return bytes((function | 0x80, code))


def take_tcp(octets: bytes) -> tuple[int, bytes, int, bytes] | None:
    """Return octets used, transaction, unit and request of the first TCP frame, None if cut off.

    Raises
    ------
    ValueError
        If this is no Modbus.
    """
    if len(octets) < 7:
        return None
    protocol, length, unit = struct.unpack_from(">HHB", octets, 2)
    if protocol != 0 or not 2 <= length <= _LONGEST:
        msg = "no Modbus frame"
        raise ValueError(msg)
    end = 6 + length
    return None if len(octets) < end else (end, octets[:2], unit, octets[7:end])


def tcp_frame(transaction: bytes, unit: int, pdu: bytes) -> bytes:
    """Return an answer as it goes over TCP."""
    return transaction + struct.pack(">HHB", 0, len(pdu) + 1, unit) + pdu


def take_rtu(octets: bytes) -> tuple[int, int, bytes] | None:
    """Return octets used, unit and request of the first RTU frame, None if cut off.

    Raises
    ------
    ValueError
        If the checksum is wrong or the function unknown: what came is to be thrown away.
    """
    if len(octets) < 8:
        return None
    length = 8
    if octets[1] == WRITE_MANY:
        length = 9 + octets[6]
    if len(octets) < length:
        return None
    frame = octets[:length]
    if crc16(frame[:-2]) != frame[-2:]:
        msg = "wrong checksum"
        raise ValueError(msg)
    return length, frame[0], frame[1:-2]


def rtu_frame(unit: int, pdu: bytes) -> bytes:
    """Return an answer as it goes over a serial line."""
    body = bytes((unit,)) + pdu
    return body + crc16(body)


def crc16(octets: bytes) -> bytes:
    """Return the checksum of a serial frame, low octet first (polynomial 0xA001, start 0xFFFF)."""
    crc = 0xFFFF
    for octet in octets:
        crc ^= octet
        for _ in range(8):
            crc = (crc >> 1) ^ (0xA001 if crc & 1 else 0)
    return struct.pack("<H", crc)
