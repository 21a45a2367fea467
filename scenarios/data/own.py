"""A user's own fleet: three or four CSV files whose times carry their offset from UTC.

``load_w.csv`` and ``pv_w.csv`` hold ``utc_start`` and a column per home, the same in both, a row
per minute [W]; ``prices.csv`` holds ``utc_start`` and the three prices, a row per half-hour or hour
[currency/MWh]; ``plant_w.csv``, which may be left out, ``utc_start``, ``plant_pv_w`` and
``plant_wind_w`` [W].
"""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from contracts.timegrid import TimeGrid
from devices.arrays import FloatArray
from scenarios.data.calendar import market_grid, minute_grid, require_fleet
from scenarios.data.files.tables import (
    aware_utc,
    column_names,
    on_grid,
    read_columns,
    require_powers,
    require_steps,
    require_watts,
)
from scenarios.data.fleet_data import CURRENCY, FleetData
from scenarios.errors import DataFormatError, DataRequestError

LOAD_FILE, PV_FILE = "load_w.csv", "pv_w.csv"
PLANT_FILE, PRICES_FILE = "plant_w.csv", "prices.csv"
TIME = "utc_start"
PRICES = ("day_ahead_price_per_mwh", "import_price_per_mwh", "imbalance_price_per_mwh")


def is_own_folder(folder: Path) -> bool:
    """Tell whether a folder is a user's own, not the set that `scenarios.data.real` reads."""
    return (folder / LOAD_FILE).is_file()


def load_own_fleet_data(
    folder: Path, *, day: date, homes: int, history_days: int = 2, currency: str = CURRENCY
) -> FleetData:
    """Return the fleet of a user's own files, the first ``homes`` columns of them.

    Parameters
    ----------
    folder, day, homes
        As in `scenarios.data.source.fleet_data`; a home's PV rating is its greatest minute.
    history_days : int
        Local days of minutes before the market day; fewer where the file does not reach back.
    currency : str
        Of the prices.
    """
    require_fleet(homes=homes, seed=0)
    names = _home_names(folder, homes)
    load = _minutes(folder, LOAD_FILE, names)
    grid, slots = _reachable(load, day, history_days=history_days), market_grid(day)
    load_w = _cut(load, grid, name=LOAD_FILE)
    require_watts(load_w, name=LOAD_FILE)
    pv_w = _cut(_minutes(folder, PV_FILE, names), grid, name=PV_FILE)
    plant_pv_w, plant_wind_w = _plant(folder, grid)
    day_ahead, retail, imbalance = _prices_per_mwh(folder, slots)
    return FleetData(
        minute_grid=grid,
        market_grid=slots,
        load_w=load_w,
        pv_w=pv_w,
        plant_pv_w=plant_pv_w,
        plant_wind_w=plant_wind_w,
        day_ahead_price_per_mwh=day_ahead,
        import_price_per_mwh=retail,
        imbalance_price_per_mwh=imbalance,
        pv_rating_w=np.maximum(pv_w.max(axis=1), 1.0),
        source="real",
        provenance=(f"{homes} homes, plant and prices of the user's own files",),
        currency=currency,
    )


def _home_names(folder: Path, homes: int) -> list[str]:
    """Return the columns of the first homes."""
    names = [name for name in column_names(folder, LOAD_FILE) if name != TIME]
    if len(names) < homes:
        msg = f"{LOAD_FILE} holds {len(names)} homes, {homes} were asked; ask for {len(names)}"
        raise DataRequestError(msg)
    return names[:homes]


def _minutes(folder: Path, name: str, columns: list[str]) -> pd.DataFrame:
    """Return columns of a minute file by UTC minute."""
    frame = read_columns(folder, name, [TIME, *columns])
    index = aware_utc(frame[TIME], name=name)
    require_steps(index, step_s=60, name=name)
    return frame[columns].set_axis(index)


def _reachable(frame: pd.DataFrame, day: date, *, history_days: int) -> TimeGrid:
    """Return the minutes of a day with as many days of history as the file reaches back."""
    first = pd.DatetimeIndex(frame.index)[0].to_pydatetime()
    for days in range(history_days, -1, -1):
        grid = minute_grid(day, history_days=days)
        if grid.start >= first:
            return grid
    msg = f"{LOAD_FILE} begins at {first}, after {day} does; choose a later day"
    raise DataRequestError(msg)


def _cut(frame: pd.DataFrame, grid: TimeGrid, *, name: str) -> FloatArray:
    """Return the minutes of a grid, shape (columns, minutes)."""
    first = int(
        (grid.start - pd.DatetimeIndex(frame.index)[0].to_pydatetime()) / timedelta(minutes=1)
    )
    rows = frame.iloc[max(first, 0) : first + grid.count]
    if first < 0 or len(rows) != grid.count:
        msg = f"{name} has no rows for all of {grid.start} to {grid.end}; complete the file"
        raise DataFormatError(msg)
    require_powers(rows, name=name, first_row=first)
    return np.ascontiguousarray(rows.to_numpy(dtype=np.float64).T)


def _prices_per_mwh(folder: Path, slots: TimeGrid) -> list[FloatArray]:
    """Return the three prices in the order of `PRICES`, each of shape (slots,)."""
    frame = read_columns(folder, PRICES_FILE, [TIME, *PRICES])
    frame.index = aware_utc(frame[TIME], name=PRICES_FILE)
    return [on_grid(frame[price], slots, name=PRICES_FILE) for price in PRICES]


def _plant(folder: Path, grid: TimeGrid) -> tuple[FloatArray, FloatArray]:
    """Return the aggregator's own PV and wind, or nothing where there is no file."""
    if not (folder / PLANT_FILE).is_file():
        return np.zeros(grid.count), np.zeros(grid.count)
    frame = _minutes(folder, PLANT_FILE, ["plant_pv_w", "plant_wind_w"])
    pv_w, wind_w = _cut(frame, grid, name=PLANT_FILE)
    return pv_w, wind_w
