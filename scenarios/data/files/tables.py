"""Read a table and refuse it in one line when it is not as promised."""

from collections.abc import Sequence
from datetime import UTC
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from contracts.timegrid import TimeGrid
from devices.arrays import FloatArray, IntArray
from scenarios.errors import DataFormatError, DataGapError, DataUnavailableError

FETCH = "fetch it as docs/data.md says, or leave the folder out to use the generator"

MEDIAN_LOAD_RANGE_W = (5.0, 20_000.0)
"""A median load outside says that the unit is not W: kW lies below, mW above. [W]"""


def data_file(folder: Path, name: str) -> Path:
    """Return the path of a data file, or raise `DataUnavailableError`."""
    if not folder.is_dir():
        msg = f"data folder {folder} does not exist; {FETCH}"
        raise DataUnavailableError(msg)
    path = folder / name
    if not path.is_file():
        msg = f"data folder {folder} has no file {name}; {FETCH}"
        raise DataUnavailableError(msg)
    return path


def read_columns(folder: Path, name: str, columns: Sequence[str]) -> pd.DataFrame:
    """Return some columns of a Parquet file (with its index) or of a CSV file.

    Raises
    ------
    DataUnavailableError
        If folder or file is missing.
    DataFormatError
        If the file cannot be read, or lacks a column.
    """
    path = data_file(folder, name)
    try:
        held = _held_columns(path)
        missing = [column for column in columns if column not in held]
        if not missing:
            about = path.stat()
            return _kept(path, tuple(columns), (about.st_mtime_ns, about.st_size)).copy()
    except (pa.ArrowException, pd.errors.ParserError, EOFError, OSError, ValueError) as error:
        msg = f"{name} cannot be read ({str(error).splitlines()[0]}); fetch it again"
        raise DataFormatError(msg) from error
    msg = f"{name} has no column {missing[0]!r} but {', '.join(held[:8])}; rename it in the file"
    raise DataFormatError(msg)


@lru_cache(maxsize=8)
def _kept(path: Path, columns: tuple[str, ...], _stamp: tuple[int, int]) -> pd.DataFrame:
    """Return columns of a file, read again only once it has changed: a run asks each day."""
    if path.suffix == ".parquet":
        return pd.read_parquet(path, columns=list(columns))
    return pd.read_csv(path, usecols=list(columns))


def column_names(folder: Path, name: str) -> list[str]:
    """Return the names of a file's columns, in their order."""
    return _held_columns(data_file(folder, name))


def _held_columns(path: Path) -> list[str]:
    """Return the names of a file's columns without reading its rows."""
    if path.suffix == ".parquet":
        return [str(column) for column in pq.read_schema(path).names]
    return [str(column) for column in pd.read_csv(path, nrows=0).columns]


def aware_utc(times: "pd.Series[str]", *, name: str) -> pd.DatetimeIndex:
    """Return times that carry their offset, in UTC, or raise `DataFormatError`."""
    try:
        index = pd.DatetimeIndex(pd.to_datetime(times, format="ISO8601"))
    except ValueError as error:
        msg = f"{name}: {str(error).splitlines()[0]}; {_first_bare(times)}"
        raise DataFormatError(msg) from error
    if index.tz is None:
        msg = f"{name}: {_first_bare(times)}"
        raise DataFormatError(msg)
    return index.tz_convert(UTC)


def _first_bare(times: "pd.Series[str]") -> str:
    """Say which time lacks its offset, and how one is written."""
    text = times.astype(str)
    bare = np.flatnonzero(~text.str.contains(r"(?:Z|[+-]\d\d:?\d\d)$", regex=True).to_numpy())
    row = int(bare[0]) if bare.size else 0
    return (
        f"row {row + 1}: time {text.iloc[row]!r} must carry its offset from UTC, "
        "as in 2020-05-20T12:30:00+00:00"
    )


def naive_times(times: "pd.Series[str] | pd.DatetimeIndex", *, name: str) -> pd.DatetimeIndex:
    """Return times that are promised without an offset, or raise `DataFormatError`."""
    index = pd.DatetimeIndex(pd.to_datetime(times))
    if index.tz is not None:
        msg = f"{name} row 1: time {index[0]} carries a zone; this file's times are naive"
        raise DataFormatError(msg)
    return index


def require_steps(index: pd.DatetimeIndex, *, step_s: int, name: str) -> None:
    """Raise `DataGapError` unless rows follow each other every ``step_s``. [s]"""
    steps_s = np.diff(_seconds(index))
    bad = np.flatnonzero(steps_s != step_s)
    if bad.size:
        row = int(bad[0]) + 1
        msg = (
            f"{name} row {row + 1} ({index[row]}) is {steps_s[row - 1]:g} s after the one before, "
            f"must be {step_s} s; complete the file"
        )
        raise DataGapError(msg)


def require_powers(frame: pd.DataFrame, *, name: str, first_row: int = 0) -> None:
    """Raise for the first power that is missing or negative; row 0 is the file's ``first_row``."""
    values = frame.to_numpy(dtype=np.float64)
    bad = np.argwhere(~(np.isfinite(values) & (values >= 0)))
    if not bad.size:
        return
    row, column = (int(i) for i in bad[0])
    value = values[row, column]
    where = f"{name} row {first_row + row + 1} ({frame.index[row]}): {frame.columns[column]}"
    if np.isnan(value):
        msg = f"{where} is missing; fill it in the file or use another day"
        raise DataGapError(msg)
    msg = f"{where} is {value:g}, must be >= 0; turn its sign or mend it in the file"
    raise DataFormatError(msg)


def require_watts(loads_w: FloatArray, *, name: str) -> None:
    """Raise if the median load shows that the file's unit is not W."""
    low_w, high_w = MEDIAN_LOAD_RANGE_W
    median_w = float(np.median(loads_w))
    if not low_w <= median_w <= high_w:
        msg = (
            f"{name} row 1 on: median load {median_w:g} is not in {low_w:g}..{high_w:g} W; "
            "if the file is in kW, multiply it by 1000"
        )
        raise DataFormatError(msg)


def on_grid(series: "pd.Series[float]", grid: TimeGrid, *, name: str) -> FloatArray:
    """Return the values of a UTC series at the slots of a grid, held within the series' own step.

    Raises
    ------
    DataGapError
        If a slot has no value: nothing is filled in.
    """
    starts = pd.date_range(grid.start, periods=grid.count, freq=f"{grid.step_s}s")
    index = pd.DatetimeIndex(series.index)
    if index.has_duplicates:
        msg = f"{name}: time {index[index.duplicated()][0]} comes twice; drop one row in the file"
        raise DataFormatError(msg)
    if len(index) < 2:
        msg = f"{name} has {len(index)} rows, too few to tell its step; complete the file"
        raise DataFormatError(msg)
    held = starts.floor(_step(index))
    values = np.asarray(series.reindex(held), dtype=np.float64)
    bad = np.flatnonzero(~np.isfinite(values))
    if bad.size:
        time = held[int(bad[0])]
        rows = np.flatnonzero(index == time)
        row = f"row {rows[0] + 1} " if rows.size else ""
        msg = f"{name} {row}({time}): {series.name} is missing; choose another day"
        raise DataGapError(msg)
    return values


def _step(index: pd.DatetimeIndex) -> pd.Timedelta:
    """Return the shortest step of a series."""
    return pd.Timedelta(seconds=int(np.diff(_seconds(index)).min()))


def _seconds(index: pd.DatetimeIndex) -> IntArray:
    """Return times as seconds since 1970, or since a local 1970 where they are naive."""
    naive = index if index.tz is None else index.tz_convert(None)
    return naive.to_numpy(dtype="datetime64[s]").astype(np.int64)
