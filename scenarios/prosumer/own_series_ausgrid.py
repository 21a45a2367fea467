"""The files of Ausgrid's 300 solar homes: a row per customer, day and category, 48 half-hours.

Category GC is general consumption, CL a controlled load, GG the panels' gross production; all in
kWh per half-hour. A column is named by its half-hour's end, by the clock on the wall.
"""

from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from devices.arrays import BoolArray, FloatArray
from scenarios.data.files.homes import unfold_local
from scenarios.errors import DataFormatError, DataGapError
from scenarios.prosumer.own_series import HOUR_S, Hourly, Reading, hourly_means, read_powers
from scenarios.prosumer.own_series_text import Table, read_table
from scenarios.prosumer.own_series_units import numbers

ZONE: Final = "Australia/Sydney"
HEADER: Final = ("customer", "generator capacity", "postcode", "consumption category", "date")
CATEGORIES: Final = {"load": ("GC", "CL"), "pv": ("GG",)}
"""What makes up a quantity."""
HALF_HOURS: Final = 48
W_OF_KWH: Final = 2000.0
"""Mean power of a kWh in a half-hour. [W]"""
CATEGORY, DATE = HEADER.index("consumption category"), HEADER.index("date")


def is_ausgrid(path: Path) -> bool:
    """Tell whether a file's header is that of the 300 homes."""
    with path.open("rb") as file:
        start = file.read(4096).decode("utf-8", errors="replace").casefold()
    return ",".join(HEADER[:2]) in start.replace('"', "").replace(", ", ",")


def read_any(path: Path, quantity: str, reading: Reading, *, customer: int | None) -> Hourly:
    """Return mean powers of hours of a file of either form. [W]

    Parameters
    ----------
    path, quantity, reading
        As in `scenarios.prosumer.own_series.read_powers`.
    customer : int | None
        Which of Ausgrid's homes, where the file is of theirs.
    """
    if not path.is_file() or not is_ausgrid(path):
        return read_powers(path, quantity, reading)
    if customer is None:
        msg = f"{path.name} holds many homes of Ausgrid; name one with --customer 1"
        raise DataFormatError(msg)
    return read_ausgrid(path, quantity, customer)


def read_ausgrid(path: Path, quantity: str, customer: int) -> Hourly:
    """Return a customer's mean powers of hours. [W]

    Parameters
    ----------
    path : Path
        The file.
    quantity : str
        ``load``, controlled loads included, or ``pv``.
    customer : int
        Its number, 1 to 300.

    Raises
    ------
    DataError
        If the file has no such customer, a day is missing, or a value is missing or wrong.
    """
    table = _of_customer(read_table(path), customer)
    categories = np.char.upper(table.columns[CATEGORY])
    rows = np.isin(categories, CATEGORIES[quantity])
    if not rows.any():
        held = ", ".join(sorted(set(categories.tolist())))
        msg = f"{table.name} has no {quantity} of customer {customer}, only {held}; name another"
        raise DataFormatError(msg)
    days = _days(table)
    by_day = pd.DataFrame(_half_hours_w(table, rows), index=days[rows])
    sums_w = by_day.groupby(level=0).sum(min_count=1, skipna=False)
    index = pd.date_range(sums_w.index[0], sums_w.index[-1], freq="D")
    if len(index) != len(sums_w):
        missing = index[~index.isin(sums_w.index)][0]
        msg = (
            f"{table.name} has no {quantity} of customer {customer} on {missing:%Y-%m-%d}; "
            "name another with --customer"
        )
        raise DataGapError(msg)
    half_hours = pd.date_range(index[0], periods=HALF_HOURS * len(index), freq="30min")
    local = pd.DataFrame({quantity: sums_w.to_numpy().ravel()}, index=half_hours)
    series_w = unfold_local(local, zone=ZONE)[quantity]
    if series_w.isna().any():
        time = series_w.index[int(np.argmax(series_w.isna()))]
        msg = (
            f"{table.name}: {quantity} of customer {customer} at {time} is missing; "
            "name another with --customer"
        )
        raise DataGapError(msg)
    start_s = int(series_w.index[0].timestamp())
    told = f"{quantity}: {'+'.join(CATEGORIES[quantity])} of customer {customer} of {table.name}"
    hourly = hourly_means(start_s, HOUR_S // 2, series_w.to_numpy(dtype=np.float64))
    return replace(hourly, told=(f"{told}, half-hours in kWh by the clock of {ZONE}",))


def _of_customer(table: Table, customer: int) -> Table:
    """Return the rows of a customer, or raise `DataFormatError`."""
    header = tuple(name.casefold() for name in table.header)
    if header[: len(HEADER)] != HEADER or len(header) < len(HEADER) + HALF_HOURS:
        msg = f"{table.name} has not the header {','.join(HEADER)},0:30,...,0:00; fetch it again"
        raise DataFormatError(msg)
    rows = np.flatnonzero(table.columns[0] == str(customer))
    if not rows.size:
        held = ", ".join(sorted(set(table.columns[0].tolist()), key=lambda n: (len(n), n))[:8])
        msg = f"{table.name} has no customer {customer}; give --customer, it has {held}, ..."
        raise DataFormatError(msg)
    columns = tuple(column[rows] for column in table.columns)
    return replace(table, columns=columns, line=table.line[rows])


def _days(table: Table) -> pd.DatetimeIndex:
    """Return the day of each row."""
    texts = pd.Series(table.columns[DATE])
    form = "%d-%b-%Y" if texts.str.contains("[A-Za-z]").all() else "%d/%m/%Y"
    # a year of two digits is of this century
    years = texts.str.replace(r"([-/])(\d\d)$", r"\g<1>20\2", regex=True)
    days = pd.to_datetime(years, format=form, errors="coerce")
    if days.isna().any():
        row = int(np.argmax(days.isna()))
        raise table.refuse(row, f"date {texts.iloc[row]!r} cannot be read; write day/month/year")
    return pd.DatetimeIndex(days)


def _half_hours_w(table: Table, rows: BoolArray) -> FloatArray:
    """Return mean powers of some rows' half-hours, NaN where a cell is empty, (rows, 48). [W]"""
    begin = len(HEADER)
    values = np.stack([numbers(table, begin + i)[rows] for i in range(HALF_HOURS)], axis=1)
    below = np.argwhere(values < 0)
    if below.size:
        row, place = (int(i) for i in below[0])
        what = f"{table.header[begin + place]} is {values[row, place]:g}, must be >= 0; mend it"
        raise table.refuse(int(np.flatnonzero(rows)[row]), what)
    return values * W_OF_KWH
