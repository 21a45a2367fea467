"""The day that the figures show, with its half-hours and minutes."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from contracts.timegrid import TimeGrid
from scenarios.data.calendar import market_grid
from scenarios.simulation.fleet_records import INTERVALS, MINUTES

Columns = dict[str, npt.NDArray[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One day of a scenario."""

    grid: TimeGrid
    """Its half-hours."""
    slots: Columns
    """`scenarios.simulation.fleet_records.interval_columns`."""
    minutes: Columns
    """Sums of the fleet by the minute, and the watched members."""

    def member(self, number: int) -> Columns:
        """Return a watched member's columns: load, pv, battery and grid power, stored energy."""
        begin = f"home{number}_"
        return {
            name.removeprefix(begin): values
            for name, values in self.minutes.items()
            if name.startswith(begin)
        }


def read_day(folder: Path, day: date) -> Day:
    """Return a day of the scenario in ``folder``."""
    return Day(
        grid=market_grid(day),
        slots=_columns(folder / INTERVALS / f"{day}.parquet"),
        minutes=_columns(folder / MINUTES / f"{day}.parquet"),
    )


def telling_day(folder: Path) -> date:
    """Return a usual day: of those with a promise the one whose promised energy is the median.

    Days on which import is paid for (a negative retail price) are left out where there are others:
    the plan then moves energy to and fro to burn it.
    """
    paths = sorted((folder / INTERVALS).glob("*.parquet"))
    tables = [pq.read_table(path) for path in paths]
    promised = np.array([each["commitment_wh"].to_numpy().sum() for each in tables])
    dear = np.array([each["import_price_per_mwh"].to_numpy().min() >= 0 for each in tables])
    for usual in (dear & (promised > 0), promised > 0, np.ones_like(dear)):
        days = np.flatnonzero(usual)
        if days.size:
            break
    order = days[np.argsort(promised[days], kind="stable")]
    return date.fromisoformat(paths[int(order[order.size // 2])].stem)


def _columns(path: Path) -> Columns:
    table = pq.read_table(path)
    return {name: table[name].to_numpy() for name in table.column_names}
