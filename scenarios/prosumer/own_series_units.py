"""Units and numbers of a user's table: from the header or an option, never guessed."""

import re
from collections.abc import Mapping
from typing import Final, NoReturn

import numpy as np

from devices.arrays import FloatArray
from scenarios.errors import DataFormatError
from scenarios.prosumer.own_series_text import Table

POWER_UNITS: Final[Mapping[str, float]] = {"w": 1.0, "kw": 1e3, "mw": 1e6}
"""Units of power, in W."""
ENERGY_UNITS: Final[Mapping[str, float]] = {"wh": 1.0, "kwh": 1e3, "mwh": 1e6}
"""Units of energy per step, in Wh."""
PRICE_UNITS: Final[Mapping[str, float]] = {
    "/mwh": 1.0,
    "/kwh": 1e3,
    "ct/kwh": 10.0,
    "c/kwh": 10.0,
    "p/kwh": 10.0,
}
"""Units of price, in currency/MWh; before a slash may stand a currency's name."""
_UNIT_AT_END = re.compile(r"(?:^|[\s_(\[/])(m|k)?(w|wh)[\s)\]]*$", re.IGNORECASE)
_PRICE_AT_END = re.compile(r"(\w*|[€£$])\s*(?:_per_|/)\s*(mwh|kwh)[\s)\]]*$", re.IGNORECASE)
_CENTS = ("ct", "cent", "cents", "c", "p", "pence", "ore")
_NUMBER = re.compile(r"\s*([-+]?\d+(?:\.\d+)?)\s*([^\s\d.]\S*)\s*")


def unit_of_header(header: str) -> str | None:
    """Return the unit of energy or power that a column's name ends with, or None."""
    found = _UNIT_AT_END.search(header)
    return None if found is None else f"{found[1] or ''}{found[2]}".lower()


def price_unit_of_header(header: str) -> str | None:
    """Return the unit of price that a column's name ends with, or None."""
    found = _PRICE_AT_END.search(header)
    if found is None:
        return None
    money = found[1].split("_")[-1].casefold()
    return f"{'ct' if money in _CENTS else ''}/{found[2].lower()}"


def watts(values: FloatArray, unit: str, step_s: int) -> FloatArray:
    """Return mean powers of values in a unit of power, or of energy per step. [W]"""
    if unit in POWER_UNITS:
        return values * POWER_UNITS[unit]
    return values * (ENERGY_UNITS[unit] * 3600 / step_s)


def per_mwh(unit: str) -> float:
    """Return how many currency/MWh one of a unit is, or raise `DataFormatError`."""
    money, slash, energy = unit.casefold().replace("_per_", "/").partition("/")
    key = f"{'ct' if money in _CENTS else ''}{slash}{energy}"
    if key not in PRICE_UNITS:
        msg = f"price unit {unit!r} is unknown; use one of EUR/MWh, EUR/kWh, ct/kWh"
        raise DataFormatError(msg)
    return PRICE_UNITS[key]


def quantity(text: str, units: Mapping[str, float], *, name: str) -> float:
    """Return a number with its unit, as ``6kWh``, in the unit whose factor is 1.

    Raises
    ------
    DataFormatError
        If it is not written so, or not >= 0.
    """
    found = _NUMBER.fullmatch(text.replace(",", "."))
    if found is None or found[2].casefold() not in units or float(found[1]) < 0:
        known = ", ".join(units)
        msg = f"{name} is {text!r}; write a number >= 0 and its unit, one of: {known}"
        raise DataFormatError(msg)
    return float(found[1]) * units[found[2].casefold()]


def price(text: str, *, name: str) -> float:
    """Return a price written as ``0.12/kWh`` or ``120 EUR/MWh``. [currency/MWh]"""
    found = _NUMBER.fullmatch(text.replace(",", ".").replace(" ", ""))
    if found is None:
        msg = f"{name} is {text!r}; write a number and its unit, as 0.12/kWh"
        raise DataFormatError(msg)
    return float(found[1]) * per_mwh(found[2])


def numbers(table: Table, place: int) -> FloatArray:
    """Return a column's numbers, NaN where a cell is empty, or raise `DataFormatError`.

    A decimal comma is read where another character separates columns.
    """
    cells = table.columns[place]
    if table.separator != ",":
        both = np.char.find(cells, ",") >= 0
        both &= np.char.find(cells, ".") >= 0
        if both.any():
            _refuse(table, place, int(np.argmax(both)), "write no thousands separator")
        cells = np.char.replace(cells, ",", ".")
    empty = (cells == "") | np.isin(np.char.lower(cells), ("nan", "na", "n/a", "null", "-"))
    try:
        values = np.where(empty, "nan", cells).astype(np.float64)
    except ValueError:
        row = _first_word(cells, empty)
        remedy = "write a number, with a point or no comma in a file separated by commas"
        _refuse(table, place, row, remedy)
    if np.isinf(values).any():
        _refuse(table, place, int(np.argmax(np.isinf(values))), "write a finite number")
    return values


def _first_word(cells: np.ndarray, empty: np.ndarray) -> int:
    """Return the first row that is no number."""
    for row, (cell, nothing) in enumerate(zip(cells, empty, strict=True)):
        if not nothing:
            try:
                float(cell)
            except ValueError:
                return row
    return 0


def _refuse(table: Table, place: int, row: int, remedy: str) -> NoReturn:
    what = f"{table.header[place]} is {str(table.columns[place][row])!r}; {remedy}"
    raise table.refuse(row, what)
