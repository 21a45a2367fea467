"""What JSON bodies of real devices hold: read leniently, refused with the place that is wrong."""

import json
import math
import re
from collections.abc import Mapping
from typing import Final

from devices.errors import DeviceReplyError

POWER_BOUND_W: Final = 1e6
"""No home's power: beyond it a value is damage or a marker such as 0x80000000. [W]"""
DEEPEST: Final = 50
"""No device nests deeper; the parser's own guard against it is the interpreter's stack."""
_SHOWN: Final = 40
_STRING: Final = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_BRACKET: Final = re.compile(r"[\[\]{}]")


def parse_json(body: bytes, where: str) -> object:
    """Return the document of a body in UTF-8 or, as older loggers send it, Latin-1.

    Parameters
    ----------
    body : bytes
        As received.
    where : str
        What messages call it, such as ``sonnen /api/v1/status``.

    Raises
    ------
    DeviceReplyError
        If it is no JSON; a page for people is named as one.
    """
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = body.decode("latin-1")
    if text.lstrip().startswith("<"):
        msg = f"{where} answered a page for people instead of JSON; see host, port and path"
        raise DeviceReplyError(msg)
    if _depth(text) > DEEPEST:
        msg = f"{where} answered {text[:_SHOWN]!r}, nested too deep; ask again"
        raise DeviceReplyError(msg)
    try:
        # NaN and Infinity are no JSON, yet some firmware sends them for "not there"
        return json.loads(text, parse_constant=lambda _: None)
    except ValueError as error:
        msg = f"{where} answered {text[:_SHOWN]!r}, which is no JSON; ask again"
        raise DeviceReplyError(msg) from error


def _depth(text: str) -> int:
    """Return how deep brackets nest outside of strings."""
    deepest = depth = 0
    for bracket in _BRACKET.findall(_STRING.sub("", text)):
        depth += 1 if bracket in "[{" else -1
        deepest = max(deepest, depth)
    return deepest


def table_of(value: object, where: str) -> Mapping[str, object]:
    """Return ``value`` if it is a JSON object, or raise `DeviceReplyError`."""
    if not isinstance(value, dict):
        msg = f"{where} is {_show(value)}, not an object; ask again"
        raise DeviceReplyError(msg)
    return value


def number_of(table: Mapping[str, object], key: str) -> float | None:
    """Return a finite number, however it is written; None where there is none."""
    value = table.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def number_within(
    table: Mapping[str, object], key: str, *, low: float, high: float, where: str
) -> float:
    """Return a number that has to be there, in ``low..high``.

    Raises
    ------
    DeviceReplyError
        If it is missing, null, no number or out of range.
    """
    number = number_of(table, key)
    if number is None or not low <= number <= high:
        msg = f"{where}: {key} is {_show(table.get(key))}, must be {low:g}..{high:g}; ask again"
        raise DeviceReplyError(msg)
    return number


def power_of(table: Mapping[str, object], key: str, *, where: str) -> float:
    """Return a power that has to be there, of a home's size, or raise `DeviceReplyError`. [W]"""
    return number_within(table, key, low=-POWER_BOUND_W, high=POWER_BOUND_W, where=where)


def soc_percent_of(table: Mapping[str, object], key: str, *, where: str) -> float:
    """Return a state of charge that has to be there, in 0..100. [%]

    A point beyond either end is what gauges round to and is cut; more is damage.

    Raises
    ------
    DeviceReplyError
        If it is missing, null, no number or out of range.
    """
    return min(max(number_within(table, key, low=-1, high=101, where=where), 0.0), 100.0)


def text_of(table: Mapping[str, object], key: str) -> str | None:
    """Return a text, a whole number written as one; None where there is neither."""
    value = table.get(key)
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return None


def _show(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
