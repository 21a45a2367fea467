"""Homes: the two fleets of 70, a home of the trial, five measured houses, and an Australian one."""

from dataclasses import dataclass
from datetime import UTC, timedelta
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from contracts.timegrid import TimeGrid
from devices.arrays import FloatArray
from scenarios.data.files.tables import (
    naive_times,
    read_columns,
    require_powers,
    require_steps,
    require_watts,
)
from scenarios.errors import DataRequestError

HomeSet = Literal["bootstrap", "crest"]
HOME_FILES: dict[HomeSet, str] = {
    "bootstrap": "bootstrap_uk_measured_70hh_1min_30d.parquet",
    "crest": "synthetic_crest22_70hh_1min_30d.parquet",
}
FINDHORN_FILE = "findhorn_one_house_1min_2019-05-13_7d.csv.gz"
MEASURED_FILE = "uk_measured_1min_5houses_REFIT_UKDALE_IDEAL.parquet"
AUSGRID_FILE = "au_ausgrid_customer12_30min_2011-07_2012-06.csv.gz"

HOMES_IN_FILE = 70
"""Homes of either set."""
DATED_LATER = timedelta(days=364)
"""How much later the homes are dated, to where all prices are real; weekdays stay."""
LOCAL = ZoneInfo("Europe/London")


def home_loads_w(folder: Path, *, home_set: HomeSet, homes: int, grid: TimeGrid) -> FloatArray:
    """Return the load of the first homes of a set, on a grid of the year it is dated to.

    Parameters
    ----------
    folder : Path
        Folder of the data files.
    home_set : {"bootstrap", "crest"}
        Resampled from measured minutes, or from the CREST model.
    homes : int
        How many homes, in the order of the file.
    grid : TimeGrid
        Minutes, 364 days after those of the file.

    Returns
    -------
    FloatArray, shape (homes, minutes)
        [W]
    """
    if not 1 <= homes <= HOMES_IN_FILE:
        msg = f"homes is {homes}, the real sets have 1..{HOMES_IN_FILE}; or use the generator"
        raise DataRequestError(msg)
    columns = [f"hh_{home:02d}_W" for home in range(homes)]
    rows = local_minutes(folder, HOME_FILES[home_set], columns, grid)
    loads_w = np.ascontiguousarray(rows.to_numpy(dtype=np.float64).T)
    require_watts(loads_w, name=HOME_FILES[home_set])
    return loads_w


def local_minutes(folder: Path, name: str, columns: list[str], grid: TimeGrid) -> pd.DataFrame:
    """Return the rows of a naive local minute file that are dated to a grid.

    Notes
    -----
    The files lie within summer time, so that local minutes and UTC minutes run in step.
    """
    frame = read_columns(folder, name, columns)
    index = naive_times(pd.DatetimeIndex(frame.index), name=name)
    require_steps(index, step_s=60, name=name)
    start = pd.Timestamp(grid.start.astimezone(LOCAL).replace(tzinfo=None) - DATED_LATER)
    first = int((start - index[0]).total_seconds()) // 60
    if first < 0 or first + grid.count > len(frame):
        end = start + timedelta(minutes=grid.count)
        msg = (
            f"{name} holds {index[0]} to {index[-1]}, {start} to {end} is needed; "
            "choose a day inside, or complete the file"
        )
        raise DataRequestError(msg)
    rows = frame.iloc[first : first + grid.count]
    require_powers(rows, name=name, first_row=first)
    return rows


def findhorn_house(folder: Path) -> pd.DataFrame:
    """Return a home of the trial: ``load_w`` and ``pv_w`` by UTC minute. [W]"""
    columns = ["local_time_naive", "demand_Wh_per_min", "pv_Wh_per_min"]
    frame = read_columns(folder, FINDHORN_FILE, columns)
    index = naive_times(frame["local_time_naive"], name=FINDHORN_FILE)
    require_steps(index, step_s=60, name=FINDHORN_FILE)
    house = pd.DataFrame(
        {
            "load_w": frame["demand_Wh_per_min"].to_numpy() * 60,
            "pv_w": frame["pv_Wh_per_min"].to_numpy() * 60,
        },
        index=index.tz_localize(LOCAL).tz_convert(UTC),
    )
    require_powers(house, name=FINDHORN_FILE)
    return house


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredHouses:
    """Five measured houses, gaps kept."""

    load_w: pd.DataFrame
    """A column per house, NaN where nothing was measured, by UTC minute. [W]"""
    missing_minutes: dict[str, int]
    """Minutes without a value between a house's first and last."""


def measured_houses(folder: Path) -> MeasuredHouses:
    """Return the five measured UK houses.

    Notes
    -----
    The file's times are naive UTC: the hour that spring's clocks skip holds values, and mornings
    come an hour later in winter. REFIT's sensors clip at 6 kW.
    """
    houses = ["IDEAL_House175", "IDEAL_House65", "REFIT_House2", "REFIT_House20", "UKDALE_House2"]
    frame = read_columns(folder, MEASURED_FILE, houses).astype(np.float64)
    index = naive_times(pd.DatetimeIndex(frame.index), name=MEASURED_FILE)
    frame.index = index.tz_localize(UTC)
    frame.columns = pd.Index([f"{house}_w" for house in houses])
    return MeasuredHouses(
        load_w=frame, missing_minutes={str(house): _missing(frame[house]) for house in frame}
    )


def _missing(load_w: "pd.Series[float]") -> int:
    """Return the number of minutes without a value between the first and the last."""
    held = load_w.dropna()
    span = pd.DatetimeIndex(held.index)
    return int((span[-1] - span[0]).total_seconds()) // 60 + 1 - len(held)


def ausgrid_home(folder: Path) -> pd.DataFrame:
    """Return an Australian solar home: ``load_w`` and ``pv_w`` by UTC half-hour. [W]

    Notes
    -----
    The file writes 48 rows on every local day. The rows of spring's missing hour are empty and are
    dropped; those of autumn's repeated hour hold both passages and are halved onto each.
    """
    # The file's time column has no name, as pandas writes an index.
    frame = read_columns(folder, AUSGRID_FILE, ["Unnamed: 0", "GC_kW", "GG_kW"])
    index = naive_times(frame["Unnamed: 0"], name=AUSGRID_FILE)
    require_steps(index, step_s=1800, name=AUSGRID_FILE)
    home = pd.DataFrame(
        {"load_w": frame["GC_kW"].to_numpy() * 1000, "pv_w": frame["GG_kW"].to_numpy() * 1000},
        index=index,
    )
    require_powers(home, name=AUSGRID_FILE)
    return unfold_local(home, zone="Australia/Sydney")


def unfold_local(frame: pd.DataFrame, *, zone: str) -> pd.DataFrame:
    """Turn 48 rows on every local day into the half-hours that day really had."""
    index = pd.DatetimeIndex(frame.index)
    passes = [
        index.tz_localize(
            zone, ambiguous=np.full(len(index), fill_value=first), nonexistent="NaT"
        ).tz_convert(UTC)
        for first in (True, False)
    ]
    twice = np.asarray(passes[0] != passes[1]) & np.asarray(passes[0].notna())
    halved = frame.mul(np.where(twice, 0.5, 1.0), axis=0)
    first = halved.set_axis(passes[0])
    second = halved[twice].set_axis(passes[1][twice])
    whole: pd.DataFrame = pd.concat([first[first.index.notna()], second]).sort_index()
    return whole
