"""Series of a market day as CSV: a ``start`` column, then one column per series.

::

    start,demand_wh,production_wh,import_price_per_mwh,export_price_per_mwh
    2020-05-20T00:00:00+01:00,17500,0,152.3,31.8
"""

import csv
import io
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from aggregator.errors import FileError
from aggregator.files import read_text, write_text
from aggregator.forecast import Forecast
from contracts.timegrid import TimeGrid
from devices.arrays import FloatArray

START = "start"
"""Column of the slots' beginnings, ISO 8601 with zone."""
FORECAST_COLUMNS = ("demand_wh", "production_wh", "import_price_per_mwh", "export_price_per_mwh")
"""Columns of a forecast."""


def read_forecast(path: Path, *, grid: TimeGrid | None = None) -> Forecast:
    """Read a forecast, or raise `FileError`; see `read_series`."""
    found, series = read_series(path, FORECAST_COLUMNS, grid=grid)
    return Forecast(grid=found, **series)


def write_forecast(path: Path, forecast: Forecast) -> None:
    """Write a forecast, starts in UTC."""
    series = {name: getattr(forecast, name) for name in FORECAST_COLUMNS}
    write_series(path, forecast.grid, series)


def read_series(
    path: Path, columns: tuple[str, ...], *, grid: TimeGrid | None = None
) -> tuple[TimeGrid, dict[str, FloatArray]]:
    """Read columns of numbers over equal slots.

    Parameters
    ----------
    path : Path
        A CSV file with a header; columns not asked for are ignored.
    columns : tuple[str, ...]
        Names of the wanted columns; one that ends in ``_wh`` must not be negative, unless it begins
        with ``net_``.
    grid : TimeGrid, optional
        The slots to take out of the file; without it all rows are taken, and their spacing is the
        step.

    Returns
    -------
    tuple[TimeGrid, dict[str, FloatArray]]
        The slots, and each column as an array of shape (slots,).

    Raises
    ------
    FileError
        Naming the row: a missing column, a naive time, a gap, a number missing or not finite.
    """
    reader = csv.DictReader(io.StringIO(read_text(path)))
    _require_columns(path, reader.fieldnames or [], columns)
    rows = [(reader.line_num, row) for row in reader]
    starts = [_start(path, number, row[START]) for number, row in rows]
    whole = _spacing(path, [number for number, _ in rows], starts, grid)
    taken = _take(path, whole, grid)
    series = {
        name: np.array([_number(path, number, name, row[name]) for number, row in rows[taken]])
        for name in columns
    }
    return grid or whole, series


def require_step(path: Path, grid: TimeGrid, interval_s: int) -> None:
    """Raise `FileError` unless the slots of a file are the intervals of the fleet."""
    if grid.step_s != interval_s:
        problem = f"has slots of {grid.step_s} s, the fleet intervals of {interval_s} s"
        raise FileError(path, problem, "give one row per interval of the fleet")


def write_series(path: Path, grid: TimeGrid, series: Mapping[str, FloatArray]) -> None:
    """Write columns of numbers over a grid, starts in UTC, numbers in full precision."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([START, *series])
    columns = [values.tolist() for values in series.values()]
    for start, *values in zip(grid.starts(), *columns, strict=True):
        writer.writerow([start.isoformat(), *values])
    write_text(path, text.getvalue())


def _require_columns(path: Path, found: Sequence[str], wanted: tuple[str, ...]) -> None:
    """Raise for a column that is missing, showing what is there."""
    for name in (START, *wanted):
        if name not in found:
            problem = f"no column {name} among {', '.join(found) or 'none'}"
            remedy = "energies are in Wh, prices per MWh, named as " + ",".join((START, *wanted))
            raise FileError(path, problem, remedy, row=1)


def _start(path: Path, number: int, text: str | None) -> datetime:
    """Return the beginning of a slot in UTC."""
    remedy = "write it like 2020-05-20T00:00:00+01:00"
    try:
        start = datetime.fromisoformat(text or "")
    except ValueError as error:
        raise FileError(path, f"start {text!r} is not a time", remedy, row=number) from error
    if start.tzinfo is None:
        raise FileError(path, f"start {text!r} has no zone", remedy, row=number)
    return start.astimezone(UTC)


def _number(path: Path, number: int, name: str, text: str | None) -> float:
    """Return a finite number, not negative if it is an energy."""
    remedy = "give one number per slot, without gaps"
    try:
        value = float(text or "")
    except ValueError as error:
        raise FileError(path, f"{name} is {text!r}", remedy, row=number) from error
    if not math.isfinite(value):
        raise FileError(path, f"{name} is {value}", remedy, row=number)
    if name.endswith("_wh") and not name.startswith("net_") and value < 0:
        raise FileError(path, f"{name} is {value:g}", "energy is a magnitude >= 0", row=number)
    return value


def _spacing(
    path: Path, numbers: list[int], starts: list[datetime], grid: TimeGrid | None
) -> TimeGrid:
    """Return the grid of all rows, or raise at the first row out of step."""
    if len(starts) < 2 and not (starts and grid):
        problem = f"has {len(starts)} rows of data"
        raise FileError(path, problem, "give at least two, one per market interval")
    step = timedelta(seconds=grid.step_s) if grid else starts[1] - starts[0]
    for index, start in enumerate(starts):
        wanted = starts[0] + index * step
        if start != wanted or step <= timedelta(0):
            problem = f"start is {start.isoformat()}, expected {wanted.isoformat()}"
            remedy = "rows must follow each other in equal steps, without gap or repetition"
            raise FileError(path, problem, remedy, row=numbers[index])
    try:
        return TimeGrid(start=starts[0], step_s=int(step.total_seconds()), count=len(starts))
    except ValueError as error:
        raise FileError(path, str(error), "start on a whole step", row=numbers[0]) from error


def _take(path: Path, whole: TimeGrid, grid: TimeGrid | None) -> slice:
    """Return which rows of the file a grid takes."""
    if grid is None:
        return slice(None)
    first = grid.first_interval - whole.first_interval
    if first < 0 or first + grid.count > whole.count:
        problem = f"covers {whole.start.isoformat()} to {whole.end.isoformat()}"
        remedy = f"it must cover {grid.start.isoformat()} to {grid.end.isoformat()}"
        raise FileError(path, problem, remedy)
    return slice(first, first + grid.count)
