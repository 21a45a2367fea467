"""The steps ``forecast`` and ``score`` (Mirai): what the fleet will do, and how far off it was."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
from sqlalchemy import Connection, select

from aggregator.files import Json
from aggregator.service.day.desk import Desk
from aggregator.service.day.errors import StepInputError
from aggregator.service.day.fleet_series import (
    CHANNEL_OF,
    days_before,
    fleet_day_wh,
    homes_heard,
    slot_of_day,
)
from aggregator.service.day.forecast_models import GAP_DAYS, Past, by_neighbours, by_regression
from aggregator.service.day.made import Made, Rows, ms, span_ms
from aggregator.service.day.weather import IRRADIANCE, TEMPERATURE, weather_of_day
from aggregator.service.store.channels import LOAD, PV
from aggregator.service.store.tables import forecast_scores, forecasts
from contracts.timegrid import TimeGrid
from devices.arrays import FloatArray, IntArray

KNN, LINEAR = "knn", "linear"
"""Sources of the tables of forecasts and scores."""
_LESS: Final = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastInputs:
    """The fleet's past, and how its forecasts did so far."""

    grid: TimeGrid
    """The day."""
    place: IntArray
    """Which slot of a day of 24 hours each of its slots is."""
    homes: Mapping[str, int]
    """Homes that tell, by quantity."""
    past: Mapping[str, Past]
    """By quantity."""
    errors: Mapping[str, Mapping[str, float]]
    """Mean absolute error by quantity and source over the days that were scored. [Wh]"""
    neighbours: int
    """Of the forecast by neighbours."""


def gather_forecast(desk: Desk, day: date) -> ForecastInputs:
    """Read what a day is forecast from: days up to the one before yesterday."""
    settings = desk.settings
    days = days_before(day, settings.history_days + GAP_DAYS, last=0)
    grid = desk.grid(day)
    with desk.store.read() as connection:
        weather = {
            quantity: np.stack(
                [
                    weather_of_day(connection, quantity, desk.grid(each), zone=settings.zone)
                    for each in days
                ]
            )
            for quantity in (IRRADIANCE, TEMPERATURE)
        }
        past = {
            quantity: Past(
                energy_wh=_energy_wh(connection, desk, channel, days),
                # the sun keeps no weekend
                weekend=np.array([channel == LOAD and each.weekday() >= 5 for each in days]),
                irradiance_w_per_m2=weather[IRRADIANCE],
                temperature_c=weather[TEMPERATURE],
            )
            for quantity, channel in CHANNEL_OF.items()
        }
        week = days_before(day, min(7, settings.history_days), last=GAP_DAYS)
        heard = {
            quantity: max(
                homes_heard(connection, channel, each, zone=settings.zone) for each in week
            )
            for quantity, channel in CHANNEL_OF.items()
        }
        errors = _errors(connection, days_before(day, settings.score_days, last=GAP_DAYS))
    return ForecastInputs(
        grid=grid,
        place=slot_of_day(grid, settings.zone),
        homes=heard,
        past=past,
        errors=errors,
        neighbours=settings.neighbours,
    )


def _energy_wh(connection: Connection, desk: Desk, channel: int, days: list[date]) -> FloatArray:
    zone, step_s = desk.settings.zone, desk.settings.step_s
    known = [
        fleet_day_wh(connection, channel, each, zone=zone, step_s=step_s)
        for each in days[:-GAP_DAYS]
    ]
    energy_wh = np.stack(known)
    if channel == PV and np.isnan(energy_wh).all():
        energy_wh = np.zeros_like(energy_wh)  # nobody has a meter for it
    unknown = np.full((GAP_DAYS, energy_wh.shape[1]), np.nan)
    return np.concatenate([energy_wh, unknown])


def _errors(connection: Connection, days: list[date]) -> dict[str, dict[str, float]]:
    columns = forecast_scores.c
    query = select(columns.quantity, columns.source, columns.mean_absolute)
    found: dict[str, dict[str, list[float]]] = {}
    for row in connection.execute(query.where(columns.day.in_([str(day) for day in days]))):
        found.setdefault(row.quantity, {}).setdefault(row.source, []).append(row.mean_absolute)
    return {
        quantity: {source: sum(each) / len(each) for source, each in sorted(by_source.items())}
        for quantity, by_source in sorted(found.items())
    }


def better(errors: Mapping[str, float]) -> str:
    """Return the source that was less far off; neighbours until both were scored."""
    if {KNN, LINEAR} <= errors.keys() and errors[LINEAR] < errors[KNN] - _LESS:
        return LINEAR
    return KNN


def make_forecast(inputs: ForecastInputs) -> Made:
    """Return both forecasts of each quantity, and the paper of the better ones."""
    grid = inputs.grid
    chosen: dict[str, str] = {}
    homes = dict(inputs.homes)
    body: Json = {"start_ms": ms(grid.start), "step_s": grid.step_s, "homes": homes}
    rows: list[dict[str, object]] = []
    for quantity, past in inputs.past.items():
        expected = {
            KNN: by_neighbours(past, neighbours=inputs.neighbours),
            LINEAR: by_regression(past),
        }
        chosen[quantity] = better(inputs.errors.get(quantity, {}))
        for source, mean_home_wh in expected.items():
            values = np.round(mean_home_wh[inputs.place] * homes[quantity], 3).tolist()
            rows += _rows(grid, quantity, source, values)
            if source == chosen[quantity]:
                body[quantity] = values
    body["sources"] = chosen
    columns = forecasts.c
    begin_ms, end_ms = span_ms(grid)
    total = {quantity: sum(body[quantity]) / 1000 for quantity in inputs.past}
    return Made(
        line=f"{homes['demand_wh']} homes: demand {total['demand_wh']:.1f} kWh "
        f"by {chosen['demand_wh']}, production {total['production_wh']:.1f} kWh "
        f"by {chosen['production_wh']}",
        papers={"forecast": body},
        rows=[
            Rows(
                table=forecasts,
                replaces=columns.source.in_([KNN, LINEAR])
                & (columns.start_ms >= begin_ms)
                & (columns.start_ms < end_ms),
                rows=rows,
            )
        ],
    )


def _rows(
    grid: TimeGrid, quantity: str, source: str, values: list[float]
) -> list[dict[str, object]]:
    # made of what was known when the day before began, whenever it was reckoned
    made_ms = ms(grid.start) - 86_400_000
    return [
        {
            "source": source,
            "quantity": quantity,
            "start_ms": ms(start),
            "made_ms": made_ms,
            "step_ms": grid.step_s * 1000,
            "value": value,
        }
        for start, value in zip(grid.starts(), values, strict=True)
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreInputs:
    """What was forecast of a day, and what came."""

    day: date
    """The day."""
    expected_wh: Mapping[str, Mapping[str, FloatArray]]
    """By quantity and source, shape (slots,). [Wh]"""
    came_wh: Mapping[str, FloatArray]
    """By quantity, NaN where unknown, shape (slots,). [Wh]"""


def gather_score(desk: Desk, day: date) -> ScoreInputs:
    """Read what was forecast of a day and what came of it."""
    desk.require_told(day)
    grid = desk.grid(day)
    begin_ms, end_ms = span_ms(grid)
    zone, step_s = desk.settings.zone, desk.settings.step_s
    columns = forecasts.c
    query = (
        select(columns.quantity, columns.source, columns.start_ms, columns.value)
        .where(columns.source.in_([KNN, LINEAR]), columns.quantity.in_(list(CHANNEL_OF)))
        .where(columns.start_ms >= begin_ms, columns.start_ms < end_ms)
    )
    place = slot_of_day(grid, zone)
    with desk.store.read() as connection:
        found: dict[str, dict[str, FloatArray]] = {}
        for quantity, source, start_ms, value in connection.execute(query):
            series = found.setdefault(quantity, {}).setdefault(source, np.full(grid.count, np.nan))
            series[(start_ms - begin_ms) // (1000 * step_s)] = value
        came = {
            quantity: fleet_day_wh(connection, channel, day, zone=zone, step_s=step_s)[place]
            * homes_heard(connection, channel, day, zone=zone)
            for quantity, channel in CHANNEL_OF.items()
        }
    if not found:
        msg = f"{day}: nothing was forecast; run the step forecast first"
        raise StepInputError(msg)
    return ScoreInputs(day=day, expected_wh=found, came_wh=came)


def make_scores(inputs: ScoreInputs) -> Made:
    """Return how far off each forecast was over the slots that are known."""
    rows = []
    for quantity, by_source in sorted(inputs.expected_wh.items()):
        came = inputs.came_wh[quantity]
        for source, expected in sorted(by_source.items()):
            known = np.isfinite(came) & np.isfinite(expected)
            if known.any():
                off = expected[known] - came[known]
                total = float(np.abs(came[known]).sum())
                rows.append(
                    {
                        "source": source,
                        "quantity": quantity,
                        "day": inputs.day.isoformat(),
                        "mean_absolute": round(float(np.abs(off).mean()), 3),
                        "bias": round(float(off.mean()), 3),
                        "relative": round(float(np.abs(off).sum()) / total, 6) if total else None,
                        "slots": int(known.sum()),
                    }
                )
    told = ", ".join(f"{row['source']} {row['quantity']} {_percent(row)}" for row in rows)
    return Made(
        line=told or "nothing was measured",
        finished=bool(rows),
        rows=[
            Rows(
                table=forecast_scores,
                replaces=(forecast_scores.c.day == inputs.day.isoformat())
                & forecast_scores.c.source.in_([KNN, LINEAR]),
                rows=rows,
            )
        ],
    )


def _percent(row: Mapping[str, object]) -> str:
    relative = row["relative"]
    return f"{relative:.0%} off" if isinstance(relative, float) else "nothing came"
