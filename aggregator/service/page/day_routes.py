"""What the page draws of a market day besides its runs: when steps are due, papers, forecasts."""

import math
from datetime import date, datetime, timedelta
from typing import Annotated, Final
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Path
from pydantic import BaseModel
from sqlalchemy import Connection, select

from aggregator.files import Json
from aggregator.service.day.desk import Desk
from aggregator.service.day.fleet_series import (
    CHANNEL_OF,
    fleet_day_wh,
    homes_heard,
    slot_of_day,
)
from aggregator.service.day.made import find_paper, ms, span_ms
from aggregator.service.day.steps import STEPS, When
from aggregator.service.day.view import MarketDay
from aggregator.service.rest.access import Access
from aggregator.service.rest.guard import needs
from aggregator.service.rest.parts import Parts, RestParts
from aggregator.service.rest.problem import RefusedError
from aggregator.service.store.tables import forecasts
from contracts.timegrid import TimeGrid

SHOWN: Final = ("forecast", "plan", "offer", "award", "replan")
"""Papers that the page draws."""
_AHEAD: Final = {When.BEFORE: -1, When.DURING: 0, When.AFTER: 1}
_OfDay = Annotated[
    date, Path(ge=date(2000, 1, 1), le=date(2100, 1, 1), description="A local market day.")
]


class ShownStep(BaseModel):
    """A step of a day."""

    name: str
    """Which."""
    when: str
    """On which day it is due: the day before, on the day, the day after."""
    due_ms: int
    """When it is due. [ms]"""
    each_min: int | None
    """How often it is run from then on; null for once. [min]"""
    needs: list[str]
    """Steps that must be done before."""
    on_ledger: bool
    """Whether it writes to the ledger."""
    sourceless: bool
    """Whether no source is configured for it, so that it is run by hand alone."""


class ShownDay(BaseModel):
    """A day's steps and what was made of it."""

    day: date
    """The local day."""
    zone: str
    """Its time zone."""
    scheduled: bool
    """Whether steps are run by the clock; else by hand alone."""
    start_ms: list[int]
    """When each interval begins. [ms]"""
    end_ms: int
    """When the last one ends. [ms]"""
    steps: list[ShownStep]
    """In the order in which they are due."""
    papers: dict[str, Json | None]
    """By kind; null for what is not made yet."""


class ShownForecast(BaseModel):
    """What was forecast of a quantity, and what came; a value per interval, null where unknown."""

    quantity: str
    """Of what, with its unit."""
    expected: dict[str, list[float | None]]
    """By source."""
    came: list[float | None]
    """What came of all homes that tell it."""


def market_day(parts: RestParts) -> MarketDay | None:
    """Return the market days that this process runs, None where it runs none."""
    return parts.day if isinstance(parts.day, MarketDay) else None


def add_day_routes(router: APIRouter) -> None:
    """Add the routes of a market day.

    Parameters
    ----------
    router : APIRouter
        The page's.
    """

    @router.get("/api/page/day/{day}", **needs(Access.VIEWER))
    def show_day(parts: Parts, day: _OfDay) -> ShownDay:
        """Return when the steps of a day are due, and what they made of it."""
        desk = _desk(parts)
        grid = desk.grid(day)
        with desk.store.read() as connection:
            papers = {kind: find_paper(connection, kind, day) for kind in SHOWN}
        return ShownDay(
            day=day,
            zone=desk.settings.zone,
            scheduled=desk.prices is not None,
            start_ms=[ms(start) for start in grid.starts()],
            end_ms=ms(grid.end),
            steps=_steps(desk, day, grid),
            papers=papers,
        )

    @router.get("/api/page/day/{day}/forecasts", **needs(Access.VIEWER))
    def show_forecasts(parts: Parts, day: _OfDay) -> list[ShownForecast]:
        """Return what was forecast of a day, and what came so far."""
        desk = _desk(parts)
        with desk.store.read() as connection:
            return [_forecast(connection, desk, day, quantity) for quantity in CHANNEL_OF]


def _desk(parts: RestParts) -> Desk:
    running = market_day(parts)
    if running is None:
        raise RefusedError(503, "this process runs no market days; ask one with the part day")
    return running.desk


def _steps(desk: Desk, day: date, grid: TimeGrid) -> list[ShownStep]:
    settings, zone = desk.settings, ZoneInfo(desk.settings.zone)
    sourceless = {
        "weather": desk.weather.source == "none",
        "prices": desk.prices is None,
        "imbalance": desk.imbalance is None,
    }
    shown = []
    for name, step in STEPS.items():
        during = step.when is When.DURING
        on = day + timedelta(days=_AHEAD[step.when])
        due = grid.start if during else datetime.combine(on, settings.at(name), zone)
        shown.append(
            ShownStep(
                name=name,
                when=step.when,
                due_ms=ms(due),
                each_min=settings.watch_each_min if during else None,
                needs=list(step.needs),
                on_ledger=step.on_ledger,
                sourceless=sourceless.get(name, False),
            )
        )
    # sorted() keeps the order of what is due at one time: one makes what the next one needs
    return sorted(shown, key=lambda each: each.due_ms)


def _forecast(connection: Connection, desk: Desk, day: date, quantity: str) -> ShownForecast:
    settings, grid = desk.settings, desk.grid(day)
    begin_ms, end_ms = span_ms(grid)
    columns = forecasts.c
    found = connection.execute(
        select(columns.source, columns.start_ms, columns.value)
        .where(columns.quantity == quantity)
        .where(columns.start_ms >= begin_ms, columns.start_ms < end_ms)
        .order_by(columns.source)
    )
    expected: dict[str, list[float | None]] = {}
    for source, start_ms, value in found:
        series = expected.setdefault(source, [None] * grid.count)
        series[(start_ms - begin_ms) // (1000 * grid.step_s)] = value
    came: list[float | None] = [None] * grid.count
    if desk.now_ms() > begin_ms:
        channel, zone = CHANNEL_OF[quantity], settings.zone
        of_home_wh = fleet_day_wh(connection, channel, day, zone=zone, step_s=grid.step_s)
        total_wh = of_home_wh[slot_of_day(grid, zone)]
        total_wh *= homes_heard(connection, channel, day, zone=zone)
        came = [None if math.isnan(each) else round(each, 3) for each in total_wh.tolist()]
    return ShownForecast(quantity=quantity, expected=expected, came=came)
