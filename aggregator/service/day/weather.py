"""The step ``weather`` (Taiyo): irradiation and temperature, for the forecast."""

import asyncio
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

import numpy as np
from sqlalchemy import Connection, func, select

from aggregator.service.day.desk import Desk
from aggregator.service.day.errors import StepInputError
from aggregator.service.day.fleet_series import slot_of_day
from aggregator.service.day.made import Made, Rows, ms, span_ms
from aggregator.service.store.tables import homes, weather
from contracts.timegrid import TimeGrid
from devices.arrays import FloatArray
from devices.clock import Clock
from devices.feeds.weather import HOUR, WeatherHour
from devices.feeds.weather_settings import WeatherSettings, open_weather

IRRADIANCE, TEMPERATURE = "irradiance_w_per_m2", "temperature_c"
"""Quantities of the table of weather."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WeatherInputs:
    """What a source says of a day and of the days before that nothing is known of."""

    source: str
    """Its name."""
    hours: tuple[WeatherHour, ...]
    """What it says."""
    wanted: int
    """Hours that were asked for."""
    kept: tuple[tuple[int, str, float, int], ...] = field(metadata={"unhashed": True})
    """Start, quantity, value and time of fetching of what is in the store of these hours."""
    now_ms: int = field(metadata={"unhashed": True})
    """The present. [ms]"""


def gather_weather(desk: Desk, day: date) -> WeatherInputs:
    """Ask for the weather of a day; where a forecast has nothing to learn from, of those before."""
    grid = desk.grid(day)
    with desk.store.read() as connection:
        settings = _placed(connection, desk.weather)
        before = grid.start - timedelta(days=desk.settings.history_days)
        known = connection.scalar(
            select(func.count())
            .select_from(weather)
            .where(weather.c.start_ms >= ms(before), weather.c.start_ms < ms(grid.start))
        )
    if settings.source == "none":
        msg = "no source of weather; name one in [weather], or leave the step out"
        raise StepInputError(msg)
    begin = grid.start if known else before
    name, hours = asyncio.run(
        _ask(
            settings,
            desk.clock,
            TimeGrid(start=begin, step_s=3600, count=round((grid.end - begin) / HOUR)),
        )
    )
    columns = weather.c
    query = (
        select(columns.start_ms, columns.quantity, columns.value, columns.fetched_ms)
        .where(columns.source == name)
        .where(columns.start_ms >= ms(begin), columns.start_ms < span_ms(grid)[1])
        .order_by(columns.quantity, columns.start_ms)
    )
    with desk.store.read() as connection:
        kept = tuple((*row,) for row in connection.execute(query))
    return WeatherInputs(
        source=name,
        hours=tuple(hours),
        wanted=round((grid.end - begin) / HOUR),
        kept=kept,
        now_ms=desk.now_ms(),
    )


def _placed(connection: Connection, settings: WeatherSettings) -> WeatherSettings:
    """Return settings with a place: the mean of the homes' where none is named."""
    if settings.latitude_deg is not None:
        return settings
    columns = homes.c
    query = select(func.avg(columns.latitude_deg), func.avg(columns.longitude_deg))
    latitude, longitude = connection.execute(
        query.where(~columns.retired, columns.latitude_deg.is_not(None))
    ).one()
    return replace(settings, latitude_deg=latitude, longitude_deg=longitude)


async def _ask(
    settings: WeatherSettings, clock: Clock, grid: TimeGrid
) -> tuple[str, list[WeatherHour]]:
    source = open_weather(settings, clock=clock)
    if source is None:
        return settings.source, []
    return source.name, await source.weather(grid.start, grid.end)


def make_weather(inputs: WeatherInputs) -> Made:
    """Return the hours' rows; an hour that is told anew replaces what was told before."""
    kept = {(start, quantity): (value, at) for start, quantity, value, at in inputs.kept}
    rows = []
    for hour in inputs.hours:
        told = {IRRADIANCE: hour.irradiance_w_per_m2, TEMPERATURE: hour.temperature_c}
        for quantity, value in told.items():
            before, at_ms = kept.get((ms(hour.begin), quantity), (None, 0))
            rows.append(
                {
                    "source": inputs.source,
                    "quantity": quantity,
                    "start_ms": ms(hour.begin),
                    "step_ms": 3_600_000,
                    "value": value,
                    "fetched_ms": at_ms if value == before else inputs.now_ms,
                }
            )
    missing = inputs.wanted - len(inputs.hours)
    starts = [ms(hour.begin) for hour in inputs.hours]
    first_ms, last_ms = min(starts, default=0), max(starts, default=-1)
    columns = weather.c
    replaced = (columns.start_ms >= first_ms) & (columns.start_ms <= last_ms)
    return Made(
        line=f"{len(inputs.hours)} hours of {inputs.source}"
        + (f", {missing} not known" if missing else ""),
        finished=not missing,
        rows=[
            Rows(table=weather, replaces=(columns.source == inputs.source) & replaced, rows=rows)
        ],
    )


def weather_of_day(
    connection: Connection, quantity: str, grid: TimeGrid, *, zone: str
) -> FloatArray:
    """Return a quantity of each slot of a day of 24 hours, NaN where unknown, shape (slots,)."""
    begin_ms, end_ms = span_ms(grid)
    columns = weather.c
    query = (
        select(columns.start_ms, columns.value)
        .where(columns.quantity == quantity)
        .where(columns.start_ms > begin_ms - 3_600_000, columns.start_ms < end_ms)
        .order_by(columns.fetched_ms)
    )
    hours = {row.start_ms: row.value for row in connection.execute(query)}
    values = np.full(86_400 // grid.step_s, np.nan)
    for start, place in zip(grid.starts(), slot_of_day(grid, zone), strict=True):
        values[place] = hours.get(ms(start) // 3_600_000 * 3_600_000, np.nan)
    return values
