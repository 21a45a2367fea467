"""The fleet's past out of the quarter-hours of its homes."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import Connection, func, select

from aggregator.service.day.made import span_ms
from aggregator.service.store.channels import LOAD, PV, SOC
from aggregator.service.store.tables import homes, telemetry_15min
from aggregator.service.store.telemetry import QUARTER_MS
from contracts.timegrid import TimeGrid
from devices.arrays import FloatArray, IntArray

QUARTER_S: Final = QUARTER_MS // 1000
"""Step of the roll-up that days are made of. [s]"""
QUARTER_H: Final = QUARTER_S / 3600
"""The same. [h]"""
HEARD_SHARE: Final = 0.5
"""Part of the homes that must have told of a quarter, so that the rest counts like them."""
CHANNEL_OF: Final = {"demand_wh": LOAD, "production_wh": PV}
"""Which channel a forecast quantity is measured by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """Homes' quarter-hours of a day."""

    numbers: tuple[int, ...]
    """The homes' numbers."""
    values: FloatArray
    """Means, NaN where nothing was told, shape (homes, quarters)."""


def slot_of_day(grid: TimeGrid, zone: str) -> IntArray:
    """Return at which slot of a day of 24 hours the clock on the wall shows each slot."""
    place = ZoneInfo(zone)
    local = [start.astimezone(place) for start in grid.starts()]
    return np.array([(each.hour * 3600 + each.minute * 60) // grid.step_s for each in local])


def fleet_day_wh(
    connection: Connection, channel_number: int, day: date, *, zone: str, step_s: int
) -> FloatArray:
    """Return the energy of a mean home in each slot of a day of 24 hours, NaN where unknown.

    Parameters
    ----------
    connection : Connection
        Of `Store.read`.
    channel_number : int
        A power.
    day : date
        A local day; an hour that the clock showed twice is the mean of both, one that it skipped
        is unknown.
    zone : str
        Its zone.
    step_s : int
        Length of a slot. [s]

    Returns
    -------
    FloatArray, shape (slots of 24 hours,)
        Energy per home. [Wh]
    """
    grid = TimeGrid.local_day(day, zone=zone, step_s=step_s)
    quarters_w = _mean_home_w(connection, channel_number, grid)
    by_slot_wh = quarters_w.reshape(grid.count, -1).sum(axis=1) * QUARTER_H
    place, slots = slot_of_day(grid, zone), 86_400 // step_s
    known = np.isfinite(by_slot_wh)
    total = np.bincount(place[known], weights=by_slot_wh[known], minlength=slots)
    count = np.bincount(place[known], minlength=slots)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _mean_home_w(connection: Connection, channel_number: int, grid: TimeGrid) -> FloatArray:
    """Return the mean over homes of each quarter, NaN where too few told. [W]"""
    begin_ms, end_ms = span_ms(grid)
    columns = telemetry_15min.c
    found = connection.execute(
        select(columns.start_ms, func.avg(columns.mean), func.count())
        .where(columns.channel_number == channel_number)
        .where(columns.start_ms >= begin_ms, columns.start_ms < end_ms)
        # the key begins with the home: with their numbers the database goes from range to range
        .where(columns.home_number.in_(select(homes.c.number).where(~homes.c.retired)))
        .group_by(columns.start_ms)
    ).all()
    mean_w = np.full((end_ms - begin_ms) // QUARTER_MS, np.nan)
    most = max((count for *_, count in found), default=0)
    for start_ms, mean, count in found:
        if count >= HEARD_SHARE * most:
            mean_w[(start_ms - begin_ms) // QUARTER_MS] = mean
    return mean_w


def homes_heard(connection: Connection, channel_number: int, day: date, *, zone: str) -> int:
    """Return how many homes in use told a channel on a day."""
    begin_ms, end_ms = span_ms(TimeGrid.local_day(day, zone=zone))
    columns = telemetry_15min.c
    return int(
        connection.scalar(
            select(func.count(columns.home_number.distinct()))
            .where(columns.channel_number == channel_number)
            .where(columns.start_ms >= begin_ms, columns.start_ms < end_ms)
            .where(columns.home_number.in_(select(homes.c.number).where(~homes.c.retired)))
        )
        or 0
    )


def home_quarters(
    connection: Connection, channel_number: int, grid: TimeGrid, numbers: tuple[int, ...]
) -> Means:
    """Return the quarter-hours of homes over a grid."""
    begin_ms, end_ms = span_ms(grid)
    columns = telemetry_15min.c
    row_of = {number: row for row, number in enumerate(numbers)}
    values = np.full((len(numbers), (end_ms - begin_ms) // QUARTER_MS), np.nan)
    found = connection.execute(
        select(columns.home_number, columns.start_ms, columns.mean)
        .where(columns.channel_number == channel_number)
        .where(columns.start_ms >= begin_ms, columns.start_ms < end_ms)
        .where(columns.home_number.in_(numbers))
    )
    for number, start_ms, mean in found:
        values[row_of[number], (start_ms - begin_ms) // QUARTER_MS] = mean
    return Means(numbers=numbers, values=values)


def soc_at(connection: Connection, at_ms: int, *, within_ms: int) -> dict[int, float]:
    """Return each home's state of charge at a time, 0..1: the last that it told before.

    Parameters
    ----------
    connection : Connection
        Of `Store.read`.
    at_ms : int
        When. [ms]
    within_ms : int
        How long before is looked. [ms]
    """
    columns = telemetry_15min.c
    found = connection.execute(
        select(columns.home_number, columns.last)
        .where(columns.channel_number == SOC)
        .where(columns.start_ms >= at_ms - within_ms, columns.start_ms < at_ms)
        .where(columns.home_number.in_(select(homes.c.number).where(~homes.c.retired)))
        .order_by(columns.start_ms)
    )
    return {number: min(max(last / 100, 0.0), 1.0) for number, last in found}


def days_before(day: date, count: int, *, last: int) -> list[date]:
    """Return ``count`` days that end ``last`` days before ``day``, oldest first."""
    return [day - timedelta(days=last + back) for back in reversed(range(count))]


def fleet_soc(connection: Connection, grid: TimeGrid) -> FloatArray:
    """Return the homes' mean state of charge at each interval's end, NaN where nobody told it.

    Parameters
    ----------
    connection : Connection
        Of `Store.read`.
    grid : TimeGrid
        The intervals.
    """
    begin_ms, end_ms = span_ms(grid)
    columns = telemetry_15min.c
    found = connection.execute(
        select(columns.start_ms, func.avg(columns.last))
        .where(columns.channel_number == SOC)
        .where(columns.start_ms >= begin_ms, columns.start_ms < end_ms)
        .where(columns.home_number.in_(select(homes.c.number).where(~homes.c.retired)))
        .group_by(columns.start_ms)
    )
    quarters = np.full((end_ms - begin_ms) // QUARTER_MS, np.nan)
    for start_ms, percent in found:
        quarters[(start_ms - begin_ms) // QUARTER_MS] = percent / 100
    return quarters.reshape(grid.count, -1)[:, -1]
