"""What is asked of a storage by message: Burgio et al. 2023, Tables 3 and 4, decoded without I/O.

A SunSpec adapter and a gateway are asked in the same words. Keys and texts may carry stray spaces,
as the paper's listings do. ``id``, which the answer repeats, is ours.
"""

import json
import math
import re
from dataclasses import dataclass
from enum import Enum
from typing import Final, TypeVar

from devices.errors import DeviceRefusedError
from devices.quantities import Quantity

MINUTE_S: Final = 60.0
"""Unit of ``interval``: Table 4 prints "60 [min]", without a unit in the message itself. [s]"""
LONGEST_S: Final = 24 * 3600.0
"""Longest interval that is taken: a set-point for more than a day is a slip. [s]"""
_MOST_BYTES: Final = 8192
# Table 4 prints {"write": "profile": "self-consumption"}, which is no JSON: it is read as meant.
_PROFILE_AS_PRINTED: Final = re.compile(r'"write"\s*:\s*"profile"\s*:\s*"')

Id = str | int | None
"""What a request may carry so that its answer is known."""


class Action(Enum):
    """What can be written: Table 4, by the names that messages carry."""

    CHARGE = "charge"
    """Charge at a share of the rated power for an interval."""
    DISCHARGE = "discharge"
    """Discharge at a share of the rated power for an interval."""
    PROFILE = "profile"
    """Follow a preset profile; there is one, self-consumption, with a reserve."""
    STOP = "stop"
    """Stay in standby."""


SELF_CONSUMPTION: Final = "self-consumption"
"""The one profile, and the mode of a battery that follows residual demand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadRequest:
    """One line of Table 3."""

    quantity: Quantity
    """What is asked."""
    id: Id = None
    """What the answer repeats."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteRequest:
    """One line of Table 4."""

    action: Action
    """What is to be done."""
    power_percent: float = 0.0
    """Share of the rated power, 0..100. [%]"""
    interval_s: float | None = None
    """How long; None for a stop or a profile that stands until the next write. [s]"""
    backup_soc: float | None = None
    """Reserve that a profile keeps, 0..1; None leaves the storage's own."""
    id: Id = None
    """What the answer repeats."""


Found = TypeVar("Found", bound=Enum)


def decode_document(payload: bytes, what: str) -> dict[str, object]:
    """Return a message's object with stray spaces taken off keys and texts.

    Raises
    ------
    DeviceRefusedError
        If the bytes are no JSON object or far too long.
    """
    if len(payload) > _MOST_BYTES:
        msg = f"{what}: {len(payload)} bytes are too long; send at most {_MOST_BYTES}"
        raise DeviceRefusedError(msg)
    try:
        text = payload.decode("utf-8")
        as_meant = _PROFILE_AS_PRINTED.sub('"write":"profile","profile":"', text)
        document = _stripped(json.loads(as_meant))
    except (ValueError, RecursionError) as error:
        msg = f"{what}: {payload[:60]!r} is no JSON; send an object as in the paper's tables"
        raise DeviceRefusedError(msg) from error
    if not isinstance(document, dict):
        msg = f"{what}: {payload[:60]!r} is no JSON object; send one"
        raise DeviceRefusedError(msg)
    return document


def decode_command(
    payload: bytes, *, interval_unit_s: float = MINUTE_S
) -> "ReadRequest | WriteRequest":
    """Return what a command message asks.

    Parameters
    ----------
    payload : bytes
        The message.
    interval_unit_s : float
        What one of ``interval`` is. [s]

    Raises
    ------
    DeviceRefusedError
        If it is neither a line of Table 3 nor one of Table 4.
    """
    document = decode_document(payload, "command")
    marked = request_id(document)
    if "read" in document:
        return ReadRequest(quantity=named(Quantity, document["read"], "command: read"), id=marked)
    if "write" not in document:
        msg = f"command: {', '.join(document) or 'nothing'} given; send read or write"
        raise DeviceRefusedError(msg)
    action = named(Action, document["write"], "command: write")
    if action is Action.PROFILE:
        return _profile(document, marked)
    needed = action is not Action.STOP
    interval_s = _interval_s(document, interval_unit_s, needed=needed)
    percent = number(document.get("power"), "command: power", low=0, high=100) if needed else 0.0
    return WriteRequest(action=action, power_percent=percent, interval_s=interval_s, id=marked)


def request_id(document: dict[str, object]) -> Id:
    """Return what a request wants repeated; nothing where it is no short text or number."""
    marked = document.get("id")
    if isinstance(marked, str) and len(marked) <= 64:
        return marked
    return marked if isinstance(marked, int) and abs(marked) < 2**63 else None


def named(kind: type[Found], value: object, where: str) -> Found:
    """Return the member of ``kind`` that a message names, whatever the case of its letters."""
    for member in kind:
        if isinstance(value, str) and value.strip().lower() == str(member.value).lower():
            return member
    known = ", ".join(str(member.value) for member in kind)
    msg = f"{where} is {value!r}; send one of {known}"
    raise DeviceRefusedError(msg)


def number(value: object, where: str, *, low: float, high: float) -> float:
    """Return a number within bounds, which a message may carry as a text.

    Raises
    ------
    DeviceRefusedError
        If it is none, or beyond its bounds.
    """
    try:
        found = float(value) if isinstance(value, int | float | str) else math.nan
    except (ValueError, OverflowError):
        found = math.nan
    if isinstance(value, bool) or not low <= found <= high:
        msg = f"{where} is {value!r}; send a number from {low:g} to {high:g}"
        raise DeviceRefusedError(msg)
    return found


def _profile(document: dict[str, object], marked: Id) -> WriteRequest:
    profile = document.get("profile", SELF_CONSUMPTION)
    if not isinstance(profile, str) or profile.lower() != SELF_CONSUMPTION:
        msg = f"command: profile is {profile!r}; the one profile is {SELF_CONSUMPTION}"
        raise DeviceRefusedError(msg)
    backup = document.get("backup")
    if backup is not None:
        backup = number(backup, "command: backup", low=0, high=100) / 100
    return WriteRequest(action=Action.PROFILE, backup_soc=backup, id=marked)


def _interval_s(document: dict[str, object], unit_s: float, *, needed: bool) -> float | None:
    interval = document.get("interval")
    if interval is None and not needed:
        return None
    interval_s = number(interval, "command: interval", low=0, high=LONGEST_S / unit_s) * unit_s
    if interval_s <= 0:
        msg = f"command: interval is {interval!r}; send more than 0"
        raise DeviceRefusedError(msg)
    return interval_s


def _stripped(value: object) -> object:
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, list):
        return [_stripped(each) for each in value]
    if isinstance(value, dict):
        return {str(key).strip(): _stripped(each) for key, each in value.items()}
    return value
