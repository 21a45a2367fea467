"""What is asked of a SunSpec adapter, on its two topics for requests: decoded, without I/O.

Topics, requests and configuration are those of Burgio et al. 2023, Tables 2 to 4, §3.2 and §3.3.
Keys and texts may carry stray spaces, as the paper's listings do. These fields are ours: ``id``,
which the answer repeats, and ``port`` and ``unit`` of a configuration.
"""

import json
import math
import re
from dataclasses import dataclass
from enum import Enum
from typing import Final, TypeVar

from devices.errors import DeviceRefusedError

CONFIGURATION: Final = "/sunadp/configuration"
"""Topic on which the adapter is told which storage it serves."""
COMMAND: Final = "/sunadp/command"
"""Topic of reads and writes."""
MONITORING: Final = "/sunadp/monitoring"
"""Topic on which the adapter answers and reports."""

MINUTE_S: Final = 60.0
"""Unit of ``interval``: Table 4 prints "60 [min]", without a unit in the message itself. [s]"""
LONGEST_S: Final = 24 * 3600.0
"""Longest interval that is taken: a set-point for more than a day is a slip. [s]"""
_MOST_BYTES: Final = 8192
# Table 4 prints {"write": "profile": "self-consumption"}, which is no JSON: it is read as meant.
_PROFILE_AS_PRINTED: Final = re.compile(r'"write"\s*:\s*"profile"\s*:\s*"')

Id = str | int | None
"""What a request may carry so that its answer is known."""


class Quantity(Enum):
    """What can be read: Table 3, by the names that messages carry."""

    FREQUENCY = "Frequency"
    """Frequency at the point of connection. [Hz]"""
    PHASE_VOLTAGE = "Phase voltage"
    """Voltages from line to neutral, one for each phase. [V]"""
    LINE_CURRENT = "Line current"
    """Currents of the lines, one for each phase. [A]"""
    ACTIVE_POWER = "Active power"
    """Power of the battery at its terminals, absorbed or delivered. [W]"""
    REACTIVE_POWER = "Reactive power"
    """Reactive power of the inverter, absorbed or delivered. [var]"""
    STATE_OF_CHARGE = "State of charge"
    """State of charge. [%]"""


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
class StorageConfig:
    """Which storage the adapter serves: the configuration message."""

    storage: str
    """Manufacturer, in small letters: it chooses the way to talk to the storage."""
    model: str
    """The storage's model; for people."""
    host: str
    """Address of the storage in the house's network."""
    port: int | None = None
    """Its port; None for the manufacturer's usual one."""
    unit: int | None = None
    """Its Modbus unit; None for the manufacturer's usual one."""
    rated_w: float
    """Rated power, ``crate.max``: what percentages are of. [W]"""
    soc_min: float = 0.0
    """State of charge below which it is not discharged on command, ``soc.mins``; 0..1."""


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
        document = json.loads(_PROFILE_AS_PRINTED.sub('"write":"profile","profile":"', text))
    except (ValueError, RecursionError) as error:
        msg = f"{what}: {payload[:60]!r} is no JSON; send an object as in the paper's tables"
        raise DeviceRefusedError(msg) from error
    if not isinstance(document, dict):
        msg = f"{what}: {payload[:60]!r} is no JSON object; send one"
        raise DeviceRefusedError(msg)
    cleaned = _stripped(document)
    return cleaned if isinstance(cleaned, dict) else {}


def decode_configuration(payload: bytes) -> StorageConfig:
    """Return the storage that a configuration message names.

    Raises
    ------
    DeviceRefusedError
        If something necessary is missing or out of range.
    """
    document = decode_document(payload, "configuration")
    host, port = _address(document.get("address"))
    rate, soc = (_table(document, key) for key in ("crate", "soc"))
    given_port, unit = document.get("port"), document.get("unit")
    if given_port is not None:
        port = int(number(given_port, "configuration: port", low=1, high=65_535))
    return StorageConfig(
        storage=_text(document, "storage").lower(),
        model=_text(document, "model"),
        host=host,
        port=port,
        unit=None if unit is None else int(number(unit, "configuration: unit", low=0, high=255)),
        rated_w=number(rate.get("max"), "configuration: crate.max", low=1, high=1e7),
        soc_min=number(soc.get("mins", 0), "configuration: soc.mins", low=0, high=100) / 100,
    )


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


def _address(value: object) -> tuple[str, int | None]:
    """Return host and port of an address, which §3.3 puts into a list of one."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if not isinstance(value, str) or not value or len(value) > 253 or re.search(r"[\s/@]", value):
        msg = f"configuration: address is {value!r}; send the storage's host name or IP address"
        raise DeviceRefusedError(msg)
    host, colon, port = value.rpartition(":")
    if not colon or ":" in host:  # no port, or an IPv6 address
        return value, None
    return host, int(number(port, "configuration: port", low=1, high=65_535))


def _text(document: dict[str, object], key: str) -> str:
    value = document.get(key)
    if not isinstance(value, str) or not value:
        msg = f"configuration: {key} is {value!r}; send a text"
        raise DeviceRefusedError(msg)
    return value


def _table(document: dict[str, object], key: str) -> dict[str, object]:
    value = document.get(key)
    return value if isinstance(value, dict) else {}


def _stripped(value: object) -> object:
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, list):
        return [_stripped(each) for each in value]
    if isinstance(value, dict):
        return {str(key).strip(): _stripped(each) for key, each in value.items()}
    return value
