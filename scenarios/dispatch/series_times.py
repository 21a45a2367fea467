"""The times beside a year of power: when it begins, and that no row is missing or out of place."""

import calendar
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from scenarios.errors import DataFormatError

HOUR_S, DAY_S = 3600.0, 86_400.0
COMMON_YEAR_S = 8760 * HOUR_S
TURNS_OF_THE_CLOCK = 2
"""A year's changes between winter and summer time."""


def begin_of(
    path: Path, times: list[tuple[int, str]], step_s: float
) -> tuple[datetime, timedelta | None]:
    """Return the midnight at which a year begins, and how far its clock is ahead of UTC.

    Parameters
    ----------
    path : Path
        The file, for messages.
    times : list of (int, str)
        Each row's line and time (ISO 8601), with its offset from UTC or without.
    step_s : float
        Length of a step. [s]

    Raises
    ------
    DataFormatError
        If a time is none, or not a step after the one before. An hour more or less is let pass
        where times without an offset go by summer time; so is a 29 February left out.
    """
    moments = [_moment(path, line, text) for line, text in times]
    first = moments[0]
    start = _midnight(path, times[0][0], first, step_s)
    for (line, text), moment in zip(times, moments, strict=True):
        if (moment.tzinfo is None) != (first.tzinfo is None):
            msg = f"{path}: line {line} has the time {text!r}; give all with an offset, or none"
            raise DataFormatError(msg)
    cut = len(times) * step_s == COMMON_YEAR_S and calendar.isleap(start.year) and start.month == 1
    wrong = _first_wrong(moments, step_s, cut=cut)
    if wrong is not None:
        line, text = times[wrong]
        msg = (
            f"{path}: line {line} has the time {text!r}, not {step_s:g} s after the one before; "
            "give every step once, in order"
        )
        raise DataFormatError(msg)
    return (_common(start) if cut else start), first.utcoffset()


def _moment(path: Path, line: int, text: str) -> datetime:
    try:
        return datetime.fromisoformat(text.strip())
    except ValueError as error:
        msg = (
            f"{path}: line {line} has the time {text!r}; give ISO 8601: 2024-01-01T00:00 (and "
            "decimals with a point, or semicolons between columns)"
        )
        raise DataFormatError(msg) from error


def _midnight(path: Path, line: int, first: datetime, step_s: float) -> datetime:
    """Return the midnight that the first step begins at, or begins less than a step after."""
    start = first.replace(tzinfo=None, hour=0, minute=0, second=0, microsecond=0)
    if (first.replace(tzinfo=None) - start).total_seconds() >= step_s:
        msg = (
            f"{path}: line {line} begins at {first:%H:%M}; give a year from a midnight on, by the "
            "place's own clock, with the beginning of each step"
        )
        raise DataFormatError(msg)
    return start


def _first_wrong(moments: list[datetime], step_s: float, *, cut: bool) -> int | None:
    """Return the first row that is not where its number says, within half a step."""
    late_s = np.array([(moment - moments[0]).total_seconds() for moment in moments])
    late_s -= np.arange(late_s.size) * step_s
    if cut:  # a 29 February may be left out
        late_s[late_s > DAY_S / 2] -= DAY_S
    summer = moments[0].tzinfo is None
    # an hour early only where the year began in summer, and then never late
    hour_s = -HOUR_S if late_s.max() < step_s / 2 else HOUR_S
    turned = (np.abs(late_s - hour_s) < step_s / 2) & summer
    wrong = np.flatnonzero((np.abs(late_s) >= step_s / 2) & ~turned)
    turns = 1 + np.flatnonzero(np.diff(turned.astype(int)))
    if turns.size > TURNS_OF_THE_CLOCK:
        wrong = np.append(wrong, turns[0])
    return int(wrong.min()) if wrong.size else None


def _common(start: datetime) -> datetime:
    """Return the start of the next common year with the same weekdays.

    A leap year less a day is taken as SAM takes it.
    """
    year = start.year
    while calendar.isleap(year) or datetime(year, 1, 1).weekday() != start.weekday():  # noqa: DTZ001
        year += 1
    return start.replace(year=year)
