"""A user's own CSV of load, production or prices, as whole UTC hours.

Nothing is guessed: a unit, a zone or a column that is not told is asked for in one line that names
file, line and remedy. Only short holes of load and production are filled, and that is said.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, NoReturn

import numpy as np

from devices.arrays import FloatArray, IntArray
from scenarios.data.files.tables import MEDIAN_LOAD_RANGE_W
from scenarios.errors import DataFormatError, DataGapError
from scenarios.prosumer.own_series_text import Table, read_table
from scenarios.prosumer.own_series_times import Times, read_times
from scenarios.prosumer.own_series_units import (
    ENERGY_UNITS,
    POWER_UNITS,
    numbers,
    per_mwh,
    price_unit_of_header,
    unit_of_header,
    watts,
)

HOUR_S = 3600
MINUTE_S = 60
FILL_MAX_S: Final = 2 * HOUR_S
"""Longest hole of load or production that is filled by a straight line. [s]"""
STANDBY: Final = 0.03
"""What an inverter itself takes at night, over its peak; counts as no production."""
EXPORT_WORDS: Final = (
    "export",
    "feed",
    "sell",
    "sale",
    "inject",
    "einspeis",
    "immission",
    "vendita",
)
"""What tells a price of export in a column's name."""


WEATHER: Final = {
    ("irradiance", "radiation", "ghi", "global"): (-20.0, 1500.0, 1000.0),
    ("temp",): (-60.0, 60.0, 30.0),
}
"""What tells columns of irradiance [W/m²] and of temperature [°C], between what they lie, and what
they are divided by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How a file is read where it does not say so itself."""

    zone: str | None = None
    """IANA name of the zone of times without an offset."""
    unit: str | None = None
    """Unit of the values: W, kW, Wh or kWh per step; EUR/MWh and the like for prices."""
    column: str | None = None
    """The column to read, where several could be meant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hourly:
    """A series of whole UTC hours."""

    first_hour: int
    """Number of the first hour, counted from 1970 in UTC."""
    values: FloatArray
    """Mean power or price of each hour, shape (hours,). [W or currency/MWh]"""
    told: tuple[str, ...] = field(default=())
    """What was read and what was filled, a line each."""

    @property
    def hours(self) -> range:
        """Numbers of the hours."""
        return range(self.first_hour, self.first_hour + self.values.size)

    def within(self, hours: range) -> FloatArray:
        """Return the values of some of its hours."""
        begin = hours.start - self.first_hour
        return self.values[begin : begin + len(hours)]


def read_powers(path: Path, quantity: str, reading: Reading) -> Hourly:
    """Return mean powers of hours. [W]

    Parameters
    ----------
    path : Path
        The file.
    quantity : str
        ``load`` or ``pv``: the column's name is looked for, and options bear it.
    reading : Reading
        How it is read.

    Raises
    ------
    DataError
        If the file is missing, or a unit, zone, column, time or value is missing or wrong.
    """
    table = read_table(path)
    times = read_times(table, reading.zone)
    place = _column(table, times, quantity, reading)
    unit = (reading.unit or unit_of_header(table.header[place]) or "").lower()
    if unit not in POWER_UNITS and unit not in ENERGY_UNITS:
        _ask_unit(table, place, quantity, unit)
    values = numbers(table, place)
    _require_counts(table, place, values)
    powers_w = watts(values, unit, times.step_s)
    _require_signs(table, place, values, least=-STANDBY if quantity == "pv" else 0.0)
    powers_w = np.where(powers_w < 0, 0.0, powers_w)
    if quantity == "load":
        _require_size(table, place, powers_w)
    told = f"{quantity}: {table.header[place]} of {table.name} in {unit}, a row every "
    grid_w, filled = _on_steps(table, times, powers_w, filled_to_s=FILL_MAX_S)
    lines = (f"{told}{times.step_s // 60} min", *_filled_line(quantity, filled))
    return replace(hourly_means(int(times.start_s[0]), times.step_s, grid_w), told=lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """What a file of prices tells."""

    imported: Hourly
    """Of import, or the market's where there is one column. [currency/MWh]"""
    exported: Hourly | None
    """Of export; None where the file has one column. [currency/MWh]"""


def read_prices(path: Path, reading: Reading) -> Prices:
    """Return prices of import and export, or one price. [currency/MWh]

    Raises
    ------
    DataError
        As `read_powers`; holes of prices are never filled.
    """
    table = read_table(path)
    times = read_times(table, reading.zone)
    others = [i for i in range(len(table.header)) if i not in times.columns]
    exports = [i for i in others if any(w in table.header[i].casefold() for w in EXPORT_WORDS)]
    place = _column(table, times, "price", reading, without=exports)
    series = []
    for each in (place, *exports[:1]):
        unit = reading.unit or price_unit_of_header(table.header[each])
        if unit is None:
            msg = (
                f"price {table.header[each]!r} of {table.name} bears no unit; give --price-unit "
                "EUR/MWh, EUR/kWh or ct/kWh"
            )
            raise DataFormatError(msg)
        values = numbers(table, each) * per_mwh(unit)
        grid, _ = _on_steps(table, times, values, filled_to_s=0)
        told = (f"price: {table.header[each]} of {table.name} in {unit}",)
        series.append(replace(hourly_means(int(times.start_s[0]), times.step_s, grid), told=told))
    return Prices(imported=series[0], exported=series[1] if len(series) > 1 else None)


def read_weather(path: Path, reading: Reading) -> tuple[Hourly, ...]:
    """Return irradiance and temperature of hours, each where the file has a column of it.

    In kW/m² and in 30 °C, so that both are about 0..1.

    Raises
    ------
    DataError
        As `read_powers`, or if the file has neither.
    """
    table = read_table(path)
    times = read_times(table, reading.zone)
    found = []
    for words, (least, most, scale) in WEATHER.items():
        place = next(
            (i for i, name in enumerate(table.header) if any(w in name.casefold() for w in words)),
            None,
        )
        if place is None or place in times.columns:
            continue
        values = numbers(table, place)
        odd = (values < least) | (values > most)
        if odd.any():
            row = int(np.argmax(odd))
            what = f"{table.header[place]} is {values[row]:g}, must be {least:g}..{most:g}"
            raise table.refuse(row, f"{what}; W/m² and °C are read")
        grid, _ = _on_steps(table, times, values, filled_to_s=FILL_MAX_S)
        found.append(hourly_means(int(times.start_s[0]), times.step_s, grid / scale))
    if not found:
        msg = f"{table.name} has no column of irradiance or temperature; name them so"
        raise DataFormatError(msg)
    return tuple(found)


def common_hours(series: Sequence[Hourly], *, names: Sequence[str], least: int) -> range:
    """Return the hours that all series hold, or raise `DataFormatError`."""
    begin = max(each.hours.start for each in series)
    end = min(each.hours.stop for each in series)
    if end - begin < least:
        spans = "; ".join(
            f"{name} {_day(each.hours.start)} to {_day(each.hours.stop)}"
            for name, each in zip(names, series, strict=True)
        )
        msg = (
            f"the files share {max(end - begin, 0)} hours, {least} are needed: {spans}; "
            "give files of the same time"
        )
        raise DataFormatError(msg)
    return range(begin, end)


def hourly_means(start_s: int, step_s: int, values: FloatArray) -> Hourly:
    """Return the means of whole UTC hours of values that hold for a step each."""
    # by the minute, so that a zone of a half-hour's offset needs no case of its own
    minutes = np.repeat(values, step_s // MINUTE_S)
    before = -(start_s // MINUTE_S) % 60
    whole = (minutes.size - before) // 60
    means: FloatArray = minutes[before : before + max(whole, 0) * 60].reshape(-1, 60).mean(axis=1)
    return Hourly(first_hour=-(-start_s // HOUR_S), values=means)


def _column(
    table: Table, times: Times, quantity: str, reading: Reading, *, without: Sequence[int] = ()
) -> int:
    """Return the place of the one column that is meant."""
    if reading.column is not None:
        return table.column(reading.column)
    taken = {*times.columns, *without}
    places = [i for i in range(len(table.header)) if i not in taken]
    named = [i for i in places if quantity in table.header[i].casefold()]
    found = named if len(named) == 1 else places
    if len(found) == 1:
        return found[0]
    held = ", ".join(table.header[i] for i in found[:8]) or "none"
    msg = f"{table.name}: which column is the {quantity}? name one with --{quantity}-column: {held}"
    raise DataFormatError(msg)


def _ask_unit(table: Table, place: int, quantity: str, unit: str) -> NoReturn:
    what = f"has the unknown unit {unit!r}" if unit else "bears no unit"
    msg = (
        f"{quantity} {table.header[place]!r} of {table.name} {what}; "
        f"give --{quantity}-unit W, kW, Wh or kWh (per row)"
    )
    raise DataFormatError(msg)


def _require_counts(table: Table, place: int, values: FloatArray) -> None:
    """Refuse a meter's counter, which never falls and stands far above what it counts up."""
    known = values[np.isfinite(values)]
    steps = np.diff(known)
    if known.size >= 48 and (steps >= 0).all() and known[0] > 100 * max(float(steps.max()), 1e-9):
        what = f"{table.header[place]} never falls: a counter; give the energy of each row"
        raise table.refuse(0, what)


def _require_signs(table: Table, place: int, values: FloatArray, *, least: float) -> None:
    """Refuse values below a share of the greatest."""
    below = values < least * np.nanmax(values, initial=0.0)
    if below.any():
        row = int(np.argmax(below))
        what = f"{table.header[place]} is {values[row]:g}, must be >= 0; turn its sign or mend it"
        raise table.refuse(row, f"{what} (net of a meter is neither load nor production)")


def _require_size(table: Table, place: int, powers_w: FloatArray) -> None:
    """Refuse a load whose median shows that its unit is another."""
    low_w, high_w = MEDIAN_LOAD_RANGE_W
    median_w = float(np.nanmedian(powers_w)) if np.isfinite(powers_w).any() else 0.0
    if not low_w <= median_w <= high_w:
        msg = (
            f"{table.name}: the median of {table.header[place]} is {median_w:g} W, not in "
            f"{low_w:g}..{high_w:g} W; give its unit with --load-unit"
        )
        raise DataFormatError(msg)


def _on_steps(
    table: Table, times: Times, values: FloatArray, *, filled_to_s: int
) -> tuple[FloatArray, int]:
    """Return values of every step from first to last, and how many were filled."""
    place = (times.start_s - times.start_s[0]) // times.step_s
    held = np.full(int(place[-1]) + 1, np.nan)
    held[place] = values
    known = np.isfinite(held)
    if known.all():
        return held, 0
    edges = np.flatnonzero(np.diff(np.concatenate([[True], known, [True]]).astype(np.int8)))
    for begin, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        at_end = begin == 0 or end == held.size
        if at_end or (end - begin) * times.step_s > filled_to_s:
            _refuse_hole(table, times, place, range(begin, end))
    held[~known] = np.interp(np.flatnonzero(~known), np.flatnonzero(known), held[known])
    return held, int((~known).sum())


def _refuse_hole(table: Table, times: Times, place: IntArray, hole: range) -> NoReturn:
    row = int(np.searchsorted(place, hole.start))
    start = np.datetime64(int(times.start_s[0]) + hole.start * times.step_s, "s")
    minutes = len(hole) * times.step_s // 60
    msg = (
        f"{table.name} line {table.line[row]}: {minutes} min from {start}Z on have no value; "
        f"complete the file (load and production are filled up to {FILL_MAX_S // 60} min inside it)"
    )
    raise DataGapError(msg)


def _filled_line(quantity: str, filled: int) -> tuple[str, ...]:
    return (
        (f"{quantity}: {filled} rows were missing and are straight lines here",) if filled else ()
    )


def _day(hour: int) -> str:
    return f"{np.datetime64(hour * HOUR_S, 's')}Z"
