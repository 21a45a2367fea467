"""Times of a user's table in UTC: with an offset, local with a zone, or days and ordinal hours."""

import re
from dataclasses import dataclass
from datetime import UTC
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pandas as pd

from devices.arrays import BoolArray, IntArray
from scenarios.errors import DataFormatError, DataGapError
from scenarios.prosumer.own_series_text import Table, Texts

TIME_NAMES: Final = ("time", "date", "start", "period", "zeit", "datum", "data", "heure", "hora")
"""What names of columns of times begin or end with."""
HOUR_NAMES: Final = ("hour", "ora", "stunde", "heure", "hora", "ora/hour")
"""Names of columns of ordinal hours of a local day."""
STEPS_S: Final = tuple(60 * minutes for minutes in (1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60))
"""Steps that hours are made of. [s]"""
_OFFSET = re.compile(r".*\d(?:Z|[+-]\d\d:?\d\d)$")
_DAY_FIRST = re.compile(r"(\d{1,2})([./-])(\d{1,2})\2(\d{4}|\d{2})(?:[ T](\d{1,2}:\d\d(:\d\d)?))?")
_EPOCH = re.compile(r"\d{10}(\d{3})?")
_COMPACT = re.compile(r"\d{8}")
_ISO = re.compile(r"\d{4}-\d\d")


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """When the rows of a table begin."""

    start_s: IntArray
    """Seconds since 1970, rising, shape (rows,). [s]"""
    step_s: int
    """Shortest time from row to row. [s]"""
    columns: tuple[int, ...]
    """Places of the columns that tell them."""


def read_times(table: Table, zone: str | None) -> Times:
    """Return when rows begin.

    Parameters
    ----------
    table : Table
        The table.
    zone : str | None
        IANA name of the zone of times that carry no offset.

    Raises
    ------
    DataFormatError
        If a time cannot be read, does not exist, comes twice or goes back, or no zone is known.
    DataGapError
        If an hour that comes twice in autumn comes once here.
    """
    place = _time_column(table)
    hour = next((i for i, name in enumerate(table.header) if name.casefold() in HOUR_NAMES), None)
    if hour is not None and hour != place:
        index = _ordinal_hours(table, place, hour, zone)
        columns: tuple[int, ...] = (place, hour)
    else:
        index, columns = _stamps(table, place, zone), (place,)
    start_s = index.tz_convert(None).to_numpy(dtype="datetime64[s]").astype(np.int64)
    return Times(start_s=start_s, step_s=_step_s(table, start_s), columns=columns)


def zone_of(name: str) -> ZoneInfo:
    """Return a zone, or raise `DataFormatError`."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        msg = f"time zone {name!r} is unknown; use a name as Europe/Rome or UTC"
        raise DataFormatError(msg) from error


def _time_column(table: Table) -> int:
    for place, name in enumerate(table.header):
        plain = name.casefold()
        if any(plain.startswith(each) or plain.endswith(each) for each in TIME_NAMES):
            return place
    first = str(table.columns[0][0])
    if _DAY_FIRST.fullmatch(first) or _EPOCH.fullmatch(first) or _ISO.match(first):
        return 0
    msg = f"{table.name} has no column of times but {', '.join(table.header[:8])}; name it time"
    raise DataFormatError(msg)


def _stamps(table: Table, place: int, zone: str | None) -> pd.DatetimeIndex:
    """Return times of one column, in UTC."""
    cells = table.columns[place]
    if _EPOCH.fullmatch(str(cells[0])):
        per_s = 1000 if len(str(cells[0])) == 13 else 1
        seconds = pd.to_numeric(pd.Series(cells), errors="coerce") // per_s
        since = pd.to_timedelta(seconds, unit="s")
        return _parsed(table, place, since + pd.Timestamp(0, tz=UTC))
    offset = np.array([_OFFSET.match(str(cell)) is not None for cell in cells])
    if offset.all():
        index = pd.to_datetime(pd.Series(cells), format="ISO8601", utc=True, errors="coerce")
        return _parsed(table, place, index)
    if offset.any():
        raise table.refuse(int(np.argmin(offset)), "time without the offset that others carry")
    return _local(table, _naive(table, place), zone)


def _naive(table: Table, place: int) -> pd.DatetimeIndex:
    """Return times as a clock on the wall shows them."""
    cells = table.columns[place]
    form = _form(table, cells)
    return _parsed(table, place, pd.to_datetime(pd.Series(cells), format=form, errors="coerce"))


def _parsed(table: Table, place: int, times: "pd.Series[pd.Timestamp]") -> pd.DatetimeIndex:
    """Return times, or name the first that is none."""
    unread = times.isna().to_numpy()
    if unread.any():
        row = int(np.argmax(unread))
        what = f"time {str(table.columns[place][row])!r} cannot be read; write 2022-10-30T02:00"
        raise table.refuse(row, f"{what}, or with its offset 2022-10-30T02:00+01:00")
    return pd.DatetimeIndex(times)


def _form(table: Table, cells: Texts) -> str:
    """Return how times without an offset are written."""
    first = _DAY_FIRST.fullmatch(str(cells[0]))
    if _COMPACT.fullmatch(str(cells[0])):
        return "%Y%m%d"
    if first is None:
        return "ISO8601"
    found = [_DAY_FIRST.fullmatch(str(cell)) for cell in cells]
    fronts = [int(match[1]) for match in found if match]
    middles = [int(match[3]) for match in found if match]
    point = first[2]
    if point == "." or max(fronts) > 12:
        order = "%d{0}%m{0}"
    elif max(middles) > 12:
        order = "%m{0}%d{0}"
    else:
        what = f"{str(cells[0])!r} may be day or month first; write 2022-10-30"
        raise table.refuse(0, what)
    clock = "" if first[5] is None else " %H:%M:%S" if first[6] else " %H:%M"
    return order.format(point) + ("%Y" if len(first[4]) == 4 else "%y") + clock


def _local(table: Table, naive: pd.DatetimeIndex, zone: str | None) -> pd.DatetimeIndex:
    """Return local times in UTC: a skipped hour is refused, one that comes twice is told apart."""
    if zone is None:
        msg = f"{table.name}: times carry no offset from UTC; say where with --tz, as Europe/Rome"
        raise DataFormatError(msg)
    place = zone_of(zone)
    passes = [
        naive.tz_localize(place, ambiguous=np.full(len(naive), first), nonexistent="NaT")
        for first in (True, False)
    ]
    skipped = np.asarray(passes[0].isna())
    if skipped.any():
        row = int(np.argmax(skipped))
        what = f"{naive[row]} does not exist in {zone}, clocks went forward"
        raise table.refuse(row, f"{what}; if the file keeps one time all year, give --tz UTC")
    twice = np.asarray(passes[0] != passes[1])
    first_pass = _first_passes(table, naive, twice, zone)
    aware = naive.tz_localize(place, ambiguous=first_pass, nonexistent="NaT")
    return aware.tz_convert(UTC)


def _first_passes(table: Table, naive: pd.DatetimeIndex, twice: BoolArray, zone: str) -> BoolArray:
    """Return which times of an hour that comes twice belong to its first passage."""
    first = np.zeros(len(naive), dtype=np.bool_)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], twice, [False]]).astype(np.int8)))
    for begin, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        back = np.flatnonzero(np.diff(naive[begin:end].to_numpy()) <= np.timedelta64(0))
        if not back.size:
            msg = (
                f"{table.name} line {table.line[begin]}: {naive[begin]} comes twice in {zone}, "
                "here once; give both passages, or times with their offset"
            )
            raise DataGapError(msg)
        first[begin : begin + int(back[0]) + 1] = True
    return first


def _ordinal_hours(table: Table, place: int, hour: int, zone: str | None) -> pd.DatetimeIndex:
    """Return the beginnings of hours counted from local midnight, the first being 1."""
    cells = table.columns[hour]
    whole = np.char.isdigit(cells)
    ordinal = np.where(whole, cells, "0").astype(np.int64)
    bad = (ordinal < 1) | (ordinal > 25)
    if bad.any():
        row = int(np.argmax(bad))
        what = f"{table.header[hour]} is {str(cells[row])!r}; count a day's hours from 1"
        raise table.refuse(row, what)
    since = pd.to_timedelta(ordinal - 1, unit="h")
    days = _naive(table, place)
    if (days != days.normalize()).any():  # a clock beside the count: both lead back to midnight
        days = (days - since).round("D")
    return _local(table, days, zone) + since


def _step_s(table: Table, start_s: IntArray) -> int:
    """Return the usual step, or refuse rows that do not keep to it. [s]"""
    if start_s.size < 2:
        msg = f"{table.name} has one row, too few to tell its step; complete the file"
        raise DataFormatError(msg)
    steps_s = np.diff(start_s)
    bad = np.flatnonzero(steps_s <= 0)
    if bad.size:
        row = int(bad[0]) + 1
        what = (
            "the same time as the row before" if not steps_s[row - 1] else "a time that goes back"
        )
        raise table.refuse(row, f"{what}; sort the file and drop rows that come twice")
    step_s = int(np.median(steps_s))
    if step_s not in STEPS_S:
        msg = f"{table.name}: a row every {step_s} s; export it in whole parts of an hour"
        raise DataFormatError(msg)
    odd = np.flatnonzero(steps_s % step_s)
    if odd.size:
        row = int(odd[0]) + 1
        what = f"{steps_s[row - 1]} s after the row before, others {step_s} s; mend the time"
        raise table.refuse(row, what)
    return step_s
