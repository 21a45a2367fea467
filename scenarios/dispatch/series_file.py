"""A year of power from a CSV file: a value a line in kW, with or without header and times."""

import calendar
import csv
import math
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

from devices.arrays import FloatArray
from scenarios.errors import DataFormatError, DataUnavailableError

YEARS_H = (8760, 8784)
"""Hours of a year, and of a leap year."""
STARTS = {8760: datetime(2018, 1, 1), 8784: datetime(2024, 1, 1)}  # noqa: DTZ001 -- a plant's own clock
"""A year's start where a file has no times: a Monday, as in SAM."""
STEPS_PER_HOUR_MAX = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class YearFile:
    """A year of power."""

    power_w: FloatArray
    """Mean power of each step. [W]"""
    step_s: float
    """Length of a step. [s]"""
    start: datetime
    """Midnight at which it begins, on the plant's own clock."""
    timed: bool
    """Its times said so."""


def read_year(path: Path, *, signed: bool = False) -> YearFile:
    """Return a year of power from a file in kW.

    Parameters
    ----------
    path : Path
        CSV with commas or semicolons: the power, or a time (ISO 8601) and the power. The number of
        its rows tells the step.
    signed : bool
        Values below 0 may be.

    Raises
    ------
    DataUnavailableError
        If there is no such file.
    DataFormatError
        If a value, a time or their number cannot be used; the message names the line.
    """
    rows = _rows(path)
    values = np.array([_value(path, line, cells, signed=signed) for line, cells in rows])
    hours = next((h for h in YEARS_H if values.size and values.size % h == 0), 0)
    per_hour = values.size // hours if hours else 0
    if not 0 < per_hour <= STEPS_PER_HOUR_MAX or 3600 % per_hour:
        msg = (
            f"{path}: {values.size} values; give a year: 8760, in a leap year 8784, times a whole "
            f"number of steps per hour (up to {STEPS_PER_HOUR_MAX})"
        )
        raise DataFormatError(msg)
    timed = len(rows[0][1]) > 1
    start = _start(path, *rows[0], hours) if timed else STARTS[hours]
    return YearFile(power_w=values * 1000, step_s=3600 / per_hour, start=start, timed=timed)


def _rows(path: Path) -> list[tuple[int, list[str]]]:
    """Return each line's number and cells, less a header and empty lines."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        msg = f"{path}: no such file; give a CSV file of powers in kW"
        raise DataUnavailableError(msg) from error
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{path}: cannot be read as text ({error}); give a CSV file of powers in kW"
        raise DataFormatError(msg) from error
    delimiter = ";" if ";" in text.partition("\n")[0] else ","
    lines = enumerate(csv.reader(text.splitlines(), delimiter=delimiter), start=1)
    rows = [(line, cells) for line, cells in lines if any(cell.strip() for cell in cells)]
    return rows[1:] if rows and not _is_number(rows[0][1][-1]) else rows


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _value(path: Path, line: int, cells: list[str], *, signed: bool) -> float:
    """Return a line's power. [kW]"""
    text = cells[-1].strip()
    if len(cells) > 2:
        msg = (
            f"{path}: line {line} has {len(cells)} columns; give the power, or a time and the power"
        )
        raise DataFormatError(msg)
    value = float(text) if _is_number(text) else math.nan
    if not math.isfinite(value) or (value < 0 and not signed):
        wanted = "a finite number" if signed else "a finite number of kW, 0 or more"
        msg = f"{path}: line {line} is {text!r}; give {wanted}"
        raise DataFormatError(msg)
    return value


def _start(path: Path, line: int, cells: list[str], hours: int) -> datetime:
    """Return the midnight that a file's first time falls after."""
    try:
        first = datetime.fromisoformat(cells[0].strip())
    except ValueError as error:
        msg = f"{path}: line {line} has the time {cells[0]!r}; give ISO 8601: 2024-01-01T00:00"
        raise DataFormatError(msg) from error
    start = first.replace(tzinfo=None, hour=0, minute=0, second=0, microsecond=0)
    if hours == YEARS_H[0] and calendar.isleap(start.year) and start.month == 1:
        # a leap year less a day, as SAM takes it: a common year with the same weekdays
        year = start.year
        while calendar.isleap(year) or datetime(year, 1, 1).weekday() != start.weekday():  # noqa: DTZ001
            year += 1
        start = start.replace(year=year)
    return start
