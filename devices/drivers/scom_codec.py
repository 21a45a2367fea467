"""Studer's serial protocol (scom): frames, checksums, values and error codes; no input or output.

A frame is a start byte, a header of 13 bytes with a checksum of its own, and the data with theirs;
everything is little-endian. A device does not answer a frame whose checksum is wrong.
"""

import math
import struct
from collections.abc import Mapping
from enum import Enum, IntEnum
from functools import lru_cache
from itertools import accumulate
from types import MappingProxyType
from typing import Final, NamedTuple

from devices.errors import (
    DeviceError,
    DeviceRefusedError,
    DeviceReplyError,
    DeviceUnauthorisedError,
    DeviceUnavailableError,
)

START: Final = 0xAA
HEADER_BYTES: Final = 14
DATA_BYTES_MAX: Final = 240
HOST: Final = 1
"""Our own address on the line."""

_HEADER: Final = struct.Struct("<BIIH")
_SERVICE: Final = struct.Struct("<BBHIH")
_WHOLE: Final = struct.Struct("<xBIIHxxBBHIH")
_ERROR_FLAG: Final = 1
_ANSWER_FLAG: Final = 2
_FLAG_BYTES: Final = (1, 2, 4)


class Service(IntEnum):
    """What a request does."""

    READ = 1
    WRITE = 2


class ObjectType(IntEnum):
    """What a request is about."""

    INFO = 1
    """A measurement; read only."""
    PARAMETER = 2
    """A setting."""


class PropertyId(IntEnum):
    """What of an object is read or written."""

    INFO_VALUE = 1
    """Value of an info as the document has it; client libraries read it as 5."""
    SAVED = 5
    """Value of a parameter in flash, which bears a thousand writes."""
    MINIMUM = 6
    MAXIMUM = 7
    UNSAVED = 0x0D
    """Value of a parameter in RAM, which a reset of the device loses."""


class Format(Enum):
    """How a value is written; the enum's value is its `struct` format."""

    BOOL = "<B"
    ENUM = "<H"
    INT32 = "<i"
    FLOAT = "<f"


class Frame(NamedTuple):
    """A request or an answer, in the protocol's own terms.

    A tuple, because a frozen dataclass of nine fields takes longer to make than to decode.
    """

    source: int
    """Address of the sender; 1 is the host."""
    destination: int
    """Address of the receiver."""
    service: int
    """See `Service`."""
    object_type: int
    """See `ObjectType`."""
    object_id: int
    """Number of the info or parameter."""
    property_id: int
    """See `PropertyId`."""
    content: bytes = b""
    """The value, or an error's code."""
    frame_flags: int = 0
    """State of the gateway; 0 in requests."""
    service_flags: int = 0
    """Bit 0 tells an error, bit 1 an answer."""

    @property
    def is_answer(self) -> bool:
        """Whether a device sent it."""
        return bool(self.service_flags & _ANSWER_FLAG)

    @property
    def is_error(self) -> bool:
        """Whether its content is an error's code."""
        return bool(self.service_flags & _ERROR_FLAG)

    def answers(self, request: "Frame") -> bool:
        """Return whether this is the answer to ``request``: the protocol numbers no requests."""
        return (
            self.is_answer
            and self.source == request.destination
            and self.object_id == request.object_id
            and self.service == request.service
            and self.property_id == request.property_id
            and self.object_type == request.object_type
        )

    def answer(self, content: bytes = b"", *, error: bool = False, frame_flags: int = 0) -> "Frame":
        """Return an answer to this request, as a device sends it."""
        return Frame(
            source=self.destination,
            destination=self.source,
            service=self.service,
            object_type=self.object_type,
            object_id=self.object_id,
            property_id=self.property_id,
            content=content,
            frame_flags=frame_flags,
            service_flags=_ANSWER_FLAG | (_ERROR_FLAG if error else 0),
        )


def checksum(content: bytes) -> bytes:
    """Return the two bytes A and B: A sums the bytes from 0xFF on, B sums each A; modulo 256."""
    last = 0xFF + sum(content)
    # `accumulate` also gives the 0xFF that A begins with, which B does not count: + 1 modulo 256
    return bytes((last & 0xFF, (sum(accumulate(content, initial=0xFF)) + 1) & 0xFF))


# a line carries few different headers: flags, two addresses and a length
_header_checksum = lru_cache(maxsize=256)(checksum)


def encode(frame: Frame) -> bytes:
    """Return a frame as it goes over the line.

    Raises
    ------
    DeviceRefusedError
        If a field is out of its range; nothing can be sent.
    """
    try:
        data = (
            _SERVICE.pack(
                frame.service_flags,
                frame.service,
                frame.object_type,
                frame.object_id,
                frame.property_id,
            )
            + frame.content
        )
        header = _HEADER.pack(frame.frame_flags, frame.source, frame.destination, len(data))
    except struct.error as error:
        msg = f"scom frame {frame}: {error}; give values that fit"
        raise DeviceRefusedError(msg) from error
    if len(data) > DATA_BYTES_MAX:
        msg = f"scom frame of {len(data)} bytes of data; send {DATA_BYTES_MAX} at most"
        raise DeviceRefusedError(msg)
    return b"\xaa" + header + _header_checksum(header) + data + checksum(data)


def decode(raw: bytes) -> Frame:
    """Return the frame that ``raw`` is, from its start byte to its last checksum.

    Raises
    ------
    DeviceReplyError
        If it is cut off, has a wrong length or a wrong checksum.
    """
    length = _data_bytes(raw)
    if length is None or len(raw) != HEADER_BYTES + length + 2:
        msg = f"scom frame {raw[:32].hex(' ')} of {len(raw)} bytes is none; ask again"
        raise DeviceReplyError(msg)
    data = raw[HEADER_BYTES:-2]
    if raw[-2:] != checksum(data):
        msg = f"scom frame {raw[:32].hex(' ')}: wrong checksum of its data; ask again"
        raise DeviceReplyError(msg)
    flags, source, destination, _, service_flags, service, kind, object_id, property_id = (
        _WHOLE.unpack_from(raw)
    )
    content = data[_SERVICE.size :]
    # in their order, which takes half the time of by name
    return Frame(
        source, destination, service, kind, object_id, property_id, content, flags, service_flags
    )


def _data_bytes(raw: bytes) -> int | None:
    """Return how many bytes of data a whole header announces; None where it is no header."""
    if len(raw) < HEADER_BYTES or raw[0] != START or raw[12:14] != _header_checksum(raw[1:12]):
        return None
    length = raw[10] | raw[11] << 8
    return length if _SERVICE.size <= length <= DATA_BYTES_MAX else None


class FrameReader:
    """Find frames in a stream of bytes; what is none is skipped."""

    def __init__(self) -> None:
        self._kept = b""

    def feed(self, received: bytes) -> list[Frame]:
        """Return the frames that are complete with ``received``."""
        self._kept += received
        found: list[Frame] = []
        while (start := self._kept.find(START)) >= 0:
            self._kept = self._kept[start:]
            if len(self._kept) < HEADER_BYTES:
                return found
            length = _data_bytes(self._kept)
            if length is not None and len(self._kept) < HEADER_BYTES + length + 2:
                return found
            # what begins like a frame and is none may still hide the start of one
            used = 1
            if length is not None:
                try:
                    found.append(decode(self._kept[: HEADER_BYTES + length + 2]))
                    used = HEADER_BYTES + length + 2
                except DeviceReplyError:
                    used = 1
            self._kept = self._kept[used:]
        self._kept = b""
        return found


def encode_value(kind: Format, value: float) -> bytes:
    """Return a value as a frame's content.

    Raises
    ------
    DeviceRefusedError
        If it does not fit the format.
    """
    try:
        return struct.pack(kind.value, value if kind is Format.FLOAT else round(value))
    except (struct.error, ValueError, OverflowError) as error:
        msg = f"scom value {value} is no {kind.name} ({error}); give one that fits"
        raise DeviceRefusedError(msg) from error


def decode_value(kind: Format, content: bytes) -> float | None:
    """Return the value of a frame's content; None where the device says that it has none.

    Raises
    ------
    DeviceReplyError
        If the content has not the format's length.

    Notes
    -----
    A device that does not measure something sends NaN. Flags and choices are taken in whatever
    length they come: gateways of different age send one, two or four bytes.
    """
    # compared by identity: hashing an enum's member for a set takes longer than to decode it
    if (kind is Format.BOOL or kind is Format.ENUM) and len(content) in _FLAG_BYTES:
        return float(int.from_bytes(content, "little"))
    try:
        value = float(struct.unpack(kind.value, content)[0])
    except struct.error as error:
        msg = f"scom value {content.hex(' ')!r} is no {kind.name}; ask again"
        raise DeviceReplyError(msg) from error
    return value if math.isfinite(value) else None


ERRORS: Final[Mapping[int, tuple[str, type[DeviceError]]]] = MappingProxyType(
    {
        0x01: ("malformed frame", DeviceReplyError),
        0x02: ("device not found", DeviceUnavailableError),
        0x03: ("device does not respond", DeviceUnavailableError),
        0x11: ("service not supported", DeviceRefusedError),
        0x12: ("argument not supported", DeviceRefusedError),
        0x13: ("gateway busy", DeviceUnavailableError),
        0x21: ("object type not supported", DeviceRefusedError),
        0x22: ("object not supported", DeviceRefusedError),
        0x23: ("property not supported", DeviceRefusedError),
        0x24: ("wrong data length", DeviceRefusedError),
        0x25: ("property is read only", DeviceRefusedError),
        0x26: ("data not understood", DeviceRefusedError),
        0x27: ("value too small", DeviceRefusedError),
        0x28: ("value too big", DeviceRefusedError),
        0x29: ("write failed", DeviceRefusedError),
        0x2A: ("read failed", DeviceUnavailableError),
        0x2B: ("access denied", DeviceUnauthorisedError),
        0x2C: ("object not supported by the gateway", DeviceRefusedError),
        0x2D: ("multicast read", DeviceRefusedError),
    }
)
"""What a device refuses with, and what that means to us: ask again, or not."""


def error_of(answer: Frame, who: str) -> DeviceError:
    """Return the error that an error answer tells, to be raised by the caller."""
    if not answer.content:
        return DeviceReplyError(f"{who}: an error without a code; ask again")
    code = int.from_bytes(answer.content[:2], "little")
    text, kind = ERRORS.get(code, ("unknown error", DeviceRefusedError))
    remedy = "ask again" if kind.retry else "see the device's parameter list and firmware"
    return kind(f"{who}: {text} (0x{code:02X}); {remedy}")
