"""What the operator asks of a gateway, decoded without I/O.

Reads and writes are those of Burgio et al. 2023, Tables 3 and 4 (see `devices.requests`). Ours are
``power reference`` (section 2 of the paper: a power to hold at the grid connection), ``release``,
and what every command carries: ``device``, ``correlation_id`` and ``expires``.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from devices.errors import DeviceRefusedError
from devices.requests import (
    MINUTE_S,
    ReadRequest,
    WriteRequest,
    decode_command,
    decode_document,
    number,
)
from hems.agent.mqtt.settings import CommandSettings
from hems.errors import CommandRefusedError

POWER_REFERENCE: Final = "power reference"
"""The write that holds a power at the grid connection."""
RELEASE: Final = "release"
"""The write that lets the controller take over again."""
POWER_BOUND_W: Final = 1e6
"""No home's connection carries more. [W]"""
_MARK: Final = re.compile(r"[\x21-\x7e]{1,64}")
_LATEST_S: Final = 2.0**33
_SKEW_S: Final = 300.0
"""By so much another computer's clock may be ahead of ours. [s]"""


class Why(StrEnum):
    """Why a command is not carried out: ``code`` of its answers, beside those of devices."""

    MALFORMED = "malformed"
    """It is no command, or asks what is out of bounds."""
    WRONG_DEVICE = "wrong-device"
    """It is addressed to another gateway."""
    RETAINED = "retained"
    """It was published to be kept by the broker."""
    REPEATED = "repeated"
    """Its correlation id was received before; it is not carried out again."""
    EXPIRED = "expired"
    """It came, or its turn came, after it had expired."""
    CLOCK = "clock"
    """The gateway does not know the time."""
    BUSY = "busy"
    """Too many commands are waiting or remembered."""
    MEMORY = "memory"
    """The gateway's disk does not let it remember commands."""
    RESTARTED = "restarted"
    """The gateway was restarted while it was carried out."""
    SUPERSEDED = "superseded"
    """A stop came after it and overtook it."""
    REFUSED = "refused"
    """The storage does not do or tell this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerReference:
    """Hold a power at the grid connection."""

    grid_power_w: float
    """What to hold, > 0 imports. [W]"""
    interval_s: float
    """How long. [s]"""


@dataclass(frozen=True, slots=True)
class Release:
    """Let the controller take over now."""


Request = ReadRequest | WriteRequest | PowerReference | Release
"""What can be asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One command, well-formed."""

    correlation_id: str
    """Names it; its answers carry the same."""
    expires_s: float
    """When it must not be begun any more, Unix time. [s]"""
    request: Request
    """What is asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """What MQTT 5 tells of a message beside its payload."""

    correlation: bytes | None = None
    """Its correlation data."""
    expires_in_s: float | None = None
    """What is left of its message expiry interval. [s]"""


def decode(
    payload: bytes,
    envelope: Envelope,
    *,
    device_id: str,
    now_s: float,
    settings: CommandSettings,
) -> Command:
    """Return the command that a message is.

    Parameters
    ----------
    payload : bytes
        The message.
    envelope : Envelope
        What came beside it.
    device_id : str
        This gateway's id.
    now_s : float
        When it came, Unix time. [s]
    settings : CommandSettings
        Bounds.

    Raises
    ------
    CommandRefusedError
        If it is none, is another gateway's, or asks what is out of bounds; never anything else.
    """
    named: str | None = None
    try:
        document = decode_document(payload, "command")
        named = _correlation_id(document, envelope.correlation)
        _check_device(document, device_id, named)
        return Command(
            correlation_id=named,
            expires_s=_expires_s(document, envelope, now_s=now_s, settings=settings),
            request=_request(document, payload, settings),
        )
    except DeviceRefusedError as error:
        raise CommandRefusedError(Why.MALFORMED, str(error), correlation_id=named) from error


def correlation_of(payload: bytes, envelope: Envelope) -> str | None:
    """Return what a message calls itself; None where that cannot be read."""
    try:
        return _correlation_id(decode_document(payload, "command"), envelope.correlation)
    except DeviceRefusedError:
        return None


def _correlation_id(document: Mapping[str, object], beside: bytes | None) -> str:
    inside = document.get("correlation_id")
    if inside is None and beside is not None:
        inside = beside.decode("ascii", "replace")
    if isinstance(inside, int) and not isinstance(inside, bool) and abs(inside) < 2**63:
        inside = str(inside)
    if not isinstance(inside, str) or not _MARK.fullmatch(inside):
        msg = (
            f"command: correlation_id is {_shown(inside)}; send up to 64 visible ASCII characters, "
            "new ones with each command"
        )
        raise DeviceRefusedError(msg)
    if beside is not None and beside != inside.encode():
        msg = f"command: correlation_id is {inside!r} inside and {beside[:64]!r} beside; send one"
        raise DeviceRefusedError(msg)
    return inside


def _check_device(document: Mapping[str, object], device_id: str, named: str) -> None:
    device = document.get("device")
    if device != device_id:
        reason = f"command: device is {_shown(device)}, this one is {device_id!r}; address it"
        raise CommandRefusedError(Why.WRONG_DEVICE, reason, correlation_id=named)


def _expires_s(
    document: Mapping[str, object],
    envelope: Envelope,
    *,
    now_s: float,
    settings: CommandSettings,
) -> float:
    """Return when a command expires, the earlier where it says so twice."""
    said = []
    if "expires" in document:
        said.append(number(document["expires"], "command: expires", low=0, high=_LATEST_S))
    if envelope.expires_in_s is not None:
        said.append(now_s + envelope.expires_in_s)
    if not said:
        msg = "command: it never expires; send expires, the Unix time until which it may be begun"
        raise DeviceRefusedError(msg)
    expires_s = min(said)
    if expires_s > now_s + settings.expire_most_h * 3600 + _SKEW_S:
        msg = (
            f"command: expires is {expires_s - now_s:.0f} s from now; send at most "
            f"{settings.expire_most_h * 3600:g} s"
        )
        raise DeviceRefusedError(msg)
    return expires_s


def _request(document: Mapping[str, object], payload: bytes, settings: CommandSettings) -> Request:
    write = document.get("write")
    asked = write.lower() if isinstance(write, str) and "read" not in document else None
    if asked == RELEASE:
        return Release()
    if asked == POWER_REFERENCE:
        power_w = document.get("power_w")
        return PowerReference(
            grid_power_w=number(
                power_w, "command: power_w", low=-POWER_BOUND_W, high=POWER_BOUND_W
            ),
            interval_s=_bounded_s(_minutes_s(document), settings),
        )
    request = decode_command(payload)
    if isinstance(request, WriteRequest) and request.interval_s is not None:
        _bounded_s(request.interval_s, settings)
    return request


def _minutes_s(document: Mapping[str, object]) -> float:
    interval = document.get("interval")
    return number(interval, "command: interval", low=0, high=1e9) * MINUTE_S


def _bounded_s(interval_s: float, settings: CommandSettings) -> float:
    if not 0 < interval_s <= settings.longest_min * MINUTE_S:
        msg = (
            f"command: interval is {interval_s / MINUTE_S:g}; send more than 0 and at most "
            f"{settings.longest_min:g} minutes"
        )
        raise DeviceRefusedError(msg)
    return interval_s


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:80]}..."
