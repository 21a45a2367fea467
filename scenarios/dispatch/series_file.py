"""A year of power from a CSV file: a value a line in kW, with or without header and times."""

import csv
import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np

from devices.arrays import FloatArray
from scenarios.dispatch.series_times import begin_of
from scenarios.errors import DataFormatError, DataUnavailableError

YEARS_H = (8760, 8784)
"""Hours of a year, and of a leap year."""
STARTS = {8760: datetime(2018, 1, 1), 8784: datetime(2024, 1, 1)}  # noqa: DTZ001 -- a plant's own clock
"""A year's start where a file has no times: a Monday, as in SAM."""
STEPS_PER_HOUR_MAX = 60
DELIMITERS = (";", "\t")
"""What parts the columns if the first line has it; else a comma does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class YearFile:
    """A year of power."""

    path: Path
    """Where it was read."""
    power_w: FloatArray
    """Mean power of each step. [W]"""
    step_s: float
    """Length of a step. [s]"""
    start: datetime
    """Midnight at which it begins, on the plant's own clock."""
    timed: bool
    """Its times said so."""
    zone: timedelta | None = None
    """By how much that clock is ahead of UTC, where its times say so."""


def read_year(path: Path, *, signed: bool = False) -> YearFile:
    """Return a year of power from a file in kW.

    Parameters
    ----------
    path : Path
        CSV with commas, semicolons or tabs: the power, or a time (ISO 8601) and the power. The
        number of its rows tells the step. Where no comma parts the columns it may be the decimals'.
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
    columns = len(rows[0][1]) if rows else 1
    values = np.array([_value(path, row, columns, signed=signed) for row in rows])
    hours = next((h for h in YEARS_H if values.size and values.size % h == 0), 0)
    per_hour = values.size // hours if hours else 0
    if not 0 < per_hour <= STEPS_PER_HOUR_MAX or 3600 % per_hour:
        msg = (
            f"{path}: {values.size} values{_hole(rows)}; give a year: 8760, in a leap year 8784, "
            f"times a whole number of steps per hour (up to {STEPS_PER_HOUR_MAX})"
        )
        raise DataFormatError(msg)
    step_s, timed = 3600 / per_hour, columns > 1
    start, zone = STARTS[hours], None
    if timed:
        start, zone = begin_of(path, [(line, cells[0]) for line, cells in rows], step_s)
    return YearFile(
        path=path, power_w=values * 1000, step_s=step_s, start=start, timed=timed, zone=zone
    )


def require_together(one: YearFile, other: YearFile) -> None:
    """Raise unless two years go step by step together.

    Raises
    ------
    DataFormatError
        If they differ in their step, in the day on which they begin, or in their clock.
    """
    if one.power_w.size != other.power_w.size:
        msg = (
            f"{other.path} has {other.power_w.size} values, {one.path} {one.power_w.size}; "
            "give both in the same step"
        )
        raise DataFormatError(msg)
    begins = [f"{year.start:%d %B}" for year in (one, other)]
    if begins[0] != begins[1]:
        msg = (
            f"{other.path} begins on {begins[1]}, {one.path} on {begins[0]}; give both from the "
            "same day on (without times a year begins on 1 January)"
        )
        raise DataFormatError(msg)
    if one.zone is not None and other.zone is not None and one.zone != other.zone:
        msg = (
            f"{other.path} goes by UTC{_hours(other.zone)}, {one.path} by UTC{_hours(one.zone)}; "
            "give both by the same clock"
        )
        raise DataFormatError(msg)


def _hours(ahead: timedelta) -> str:
    return f"{ahead.total_seconds() / 3600:+g} h"


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
    head = text.partition("\n")[0]
    delimiter = next((each for each in DELIMITERS if each in head), ",")
    lines = enumerate(csv.reader(text.splitlines(), delimiter=delimiter), start=1)
    rows = [(line, cells) for line, cells in lines if any(cell.strip() for cell in cells)]
    if delimiter != ",":
        rows = [(line, [*cells[:-1], cells[-1].replace(",", ".")]) for line, cells in rows]
    return rows[1:] if rows and not _is_number(rows[0][1][-1]) else rows


def _hole(rows: list[tuple[int, list[str]]]) -> str:
    """Return where the first empty line is, if there is one between others."""
    for (line, _), (after, _) in pairwise(rows):
        if after != line + 1:
            return f" (line {line + 1} is empty)"
    return ""


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _value(path: Path, row: tuple[int, list[str]], columns: int, *, signed: bool) -> float:
    """Return a line's power. [kW]"""
    line, cells = row
    text = cells[-1].strip()
    if len(cells) > 2:
        msg = (
            f"{path}: line {line} has {len(cells)} columns; give the power, or a time and the power"
        )
        raise DataFormatError(msg)
    if len(cells) != columns:
        msg = f"{path}: line {line} has {len(cells)} columns, others {columns}; give as many in all"
        raise DataFormatError(msg)
    value = float(text) if _is_number(text) else math.nan
    if not math.isfinite(value) or (value < 0 and not signed):
        wanted = "a finite number" if signed else "a finite number of kW, 0 or more"
        msg = f"{path}: line {line} is {text!r}; give {wanted}"
        raise DataFormatError(msg)
    return value
