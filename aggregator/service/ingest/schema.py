"""What a gateway may say, and what becomes of it in the store (pure; docs/mqtt.md)."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Final, TypeVar

import msgspec
from msgspec import Meta, Struct

from aggregator.service.store.channels import BATTERY_POWER, CHANNELS, GRID, LOAD, PV, SOC

TELEMETRY: Final = "telemetry"
STATUS: Final = "status"
ANSWERS: Final = ("acknowledgement", "outcome")
KINDS: Final = (TELEMETRY, STATUS, *ANSWERS)
"""Last levels of the topics that are listened to."""
PAYLOAD_MOST: Final = 262_144
"""Largest message that is read. [bytes]"""
FUTURE_MS: Final = 600_000
"""How far ahead of ours a gateway's clock may be. [ms]"""
_ROUNDING: Final = 1e-9
"""How far outside of its extremes a mean may lie for having been summed up."""

_Id = Annotated[str, Meta(min_length=1, max_length=128, pattern=r"^[\x21-\x7e]+\Z")]
_Seconds = Annotated[float, Meta(ge=0, le=1e11)]


class _Row(Struct, gc=False):
    timestamp: _Seconds
    device: str
    details: str
    quantity: str
    unit: str
    min: float
    max: float
    avg: float
    last: float
    direction: str | None = None


class _Telemetry(Struct):
    id: _Id
    device: str
    timestamp: _Seconds
    period_s: Annotated[float, Meta(ge=0.001, le=86_400)]
    rows: Annotated[list[_Row], Meta(max_length=1_000)]
    dropped: Annotated[int, Meta(ge=0, le=2**62)] = 0
    receipt: bool = False


class _Answer(Struct):
    id: _Id
    device: str
    timestamp: _Seconds
    correlation_id: Annotated[str, Meta(pattern=r"^[\x21-\x7e]{1,64}\Z")] | None = None


Message = TypeVar("Message", _Telemetry, _Answer)

_TELEMETRY: Final = msgspec.json.Decoder(_Telemetry)
_ANSWER: Final = msgspec.json.Decoder(_Answer)
_BODY: Final = msgspec.json.Decoder(dict[str, Any])
_CHANNELS: Final = {
    (each.device, each.details, each.quantity.value, each.unit, direction): (
        each.number,
        sign,
        each.least,
        each.most,
    )
    for each in CHANNELS
    for direction in (None, "absorbed", "delivered")
    if (sign := each.sign(direction)) is not None
}
_KNOWN: Final = {key[:4] for key in _CHANNELS}

Figures = tuple[int, int, int, float, float, float, float]
"""End of the period [ms], channel, period [ms], low, high, mean, last: in our signs."""


class Reason(StrEnum):
    """Why a message is not taken."""

    MALFORMED = "malformed"
    """It is no such message."""
    TOO_LARGE = "too-large"
    """It is longer than any gateway's."""
    WRONG_DEVICE = "wrong-device"
    """It came on another gateway's topic."""
    UNKNOWN_HOME = "unknown-home"
    """Nobody entered its home, and homes are not admitted by themselves."""
    UNKNOWN_QUANTITY = "unknown-quantity"
    """There is no such quantity, or its unit is another."""
    BAD_DIRECTION = "bad-direction"
    """The quantity has no direction, or another one."""
    INCONSISTENT = "inconsistent"
    """Mean or last value lie outside of the extremes."""
    OUT_OF_RANGE = "out-of-range"
    """No home has such a value."""
    TOO_OLD = "too-old"
    """It is older than measurements are kept."""
    IN_FUTURE = "in-future"
    """Its clock is ahead of ours."""


class Refused(Exception):  # noqa: N818 -- no error of ours: it is counted, and nobody sees it
    """A message that is not taken.

    Parameters
    ----------
    reason : Reason
        Why.
    detail : str
        With the value.
    message_id : str, optional
        Which, where that much could be read.
    """

    def __init__(self, reason: Reason, detail: str, *, message_id: str | None = None) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = "".join(each if each.isprintable() else "?" for each in detail[:200])
        self.message_id = message_id


@dataclass(frozen=True, slots=True)
class Told:
    """Measurements of one message."""

    id: str
    """The message's own."""
    rows: list[Figures]
    """What was measured."""
    end_ms: int
    """When its period ended. [ms]"""
    dropped: int
    """Messages that the gateway had to give up so far."""
    wants_receipt: bool
    """Whether the gateway keeps it until we say that it is in the store."""

    def now(self) -> tuple[float | None, ...]:
        """Return soc, battery, load, PV and grid power; None for what was not told."""
        last = {row[1]: row[6] for row in self.rows if row[0] == self.end_ms}
        soc = last.get(SOC)
        return (
            None if soc is None else soc / 100,
            *(last.get(number) for number in (BATTERY_POWER, LOAD, PV, GRID)),
        )


@dataclass(frozen=True, slots=True)
class Answered:
    """An acknowledgement or an outcome."""

    id: str
    """The message's own."""
    correlation_id: str | None
    """Which command it answers."""
    at_ms: int
    """When it was said. [ms]"""
    body: dict[str, Any]
    """All of it."""


def read_telemetry(sender: str, payload: bytes, *, from_ms: int, now_ms: int) -> Told:
    """Return what a message on ``ROOT/SENDER/telemetry`` tells.

    Parameters
    ----------
    sender : str
        The topic's id.
    payload : bytes
        The message.
    from_ms : int
        Older rows are not taken. [ms]
    now_ms : int
        The present. [ms]

    Raises
    ------
    Refused
        If it is not such a message, all of it.
    """
    message = _decoded(_TELEMETRY, sender, payload)
    period_ms = round(message.period_s * 1000)
    until_ms = now_ms + FUTURE_MS
    try:
        rows = [_figures(row, period_ms) for row in message.rows]
        _check_times(rows, from_ms, until_ms)
    except Refused as refused:
        refused.message_id = message.id
        raise
    end_ms = max((row[0] for row in rows), default=round(message.timestamp * 1000))
    return Told(message.id, rows, end_ms, message.dropped, message.receipt)


def read_answer(sender: str, payload: bytes) -> Answered:
    """Return an acknowledgement or an outcome.

    Raises
    ------
    Refused
        If it is none.
    """
    message = _decoded(_ANSWER, sender, payload)
    if b"\\u0000" in payload:  # PostgreSQL keeps no such text
        raise Refused(Reason.MALFORMED, "a text with a null", message_id=message.id)
    body = _parsed(_BODY, payload)
    at_ms = round(message.timestamp * 1000)
    return Answered(message.id, message.correlation_id, at_ms, body)


def read_status(payload: bytes) -> bool:
    """Return whether a gateway is online.

    Raises
    ------
    Refused
        If it says something else.
    """
    if payload not in {b"online", b"offline"}:
        raise Refused(Reason.MALFORMED, f"status {payload[:40]!r}")
    return payload == b"online"


def _decoded(decoder: "msgspec.json.Decoder[Message]", sender: str, payload: bytes) -> "Message":
    """Return a message that is one of its kind and its sender's own."""
    message: Message = _parsed(decoder, payload)
    if message.device != sender:
        detail = f"{message.device[:64]!r} on the topic of {sender!r}"
        raise Refused(Reason.WRONG_DEVICE, detail, message_id=message.id)
    return message


def _parsed(decoder: "msgspec.json.Decoder[Any]", payload: bytes) -> Any:  # noqa: ANN401 -- the decoder's
    if len(payload) > PAYLOAD_MOST:
        raise Refused(Reason.TOO_LARGE, f"{len(payload)} bytes")
    try:
        return decoder.decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Refused(Reason.MALFORMED, str(error)) from error


def _check_times(rows: list[Figures], from_ms: int, until_ms: int) -> None:
    for row in rows:
        if not from_ms <= row[0] <= until_ms:
            reason = Reason.TOO_OLD if row[0] < from_ms else Reason.IN_FUTURE
            raise Refused(reason, f"a row's time is {row[0] / 1000:.0f}")


def _figures(row: _Row, period_ms: int) -> Figures:
    """Return a row in our signs."""
    key = (row.device, row.details, row.quantity, row.unit, row.direction)
    found = _CHANNELS.get(key)
    if found is None:
        reason = Reason.BAD_DIRECTION if key[:4] in _KNOWN else Reason.UNKNOWN_QUANTITY
        raise Refused(reason, repr(key))
    number, sign, least, most = found
    low, high, mean, last = row.min, row.max, row.avg, row.last
    if sign < 0:
        low, high, mean, last = -high, -low, -mean, -last
    if not low <= mean <= high:
        mean = _within(mean, low, high)
    if not (least <= low <= last <= high <= most):
        inside = low <= last <= high
        reason = Reason.OUT_OF_RANGE if inside else Reason.INCONSISTENT
        raise Refused(reason, f"{row.quantity} {low:g} {last:g} {high:g}")
    return (round(row.timestamp * 1000), number, period_ms, low, high, mean, last)


def _within(mean: float, low: float, high: float) -> float:
    """Return a mean that rounding put beside its extremes between them."""
    slack = _ROUNDING * max(abs(low), abs(high), 1.0)
    if low <= high and low - slack <= mean <= high + slack:
        return min(max(mean, low), high)
    raise Refused(Reason.INCONSISTENT, f"mean {mean:g} outside of {low:g}..{high:g}")
