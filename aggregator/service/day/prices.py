"""The step ``prices`` and ``imbalance`` (Okane): what the market publishes, kept in the store."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import Connection, select

from aggregator.service.day.desk import Desk
from aggregator.service.day.errors import StepInputError
from aggregator.service.day.made import Made, Rows, ms, span_ms
from aggregator.service.store.tables import prices
from contracts.timegrid import TimeGrid
from devices.arrays import FloatArray
from devices.clock import Clock
from devices.errors import DeviceReplyError
from devices.feeds.price_book import DAYS_BACK_MOST, price_to_go_by
from devices.feeds.prices import PriceSeries, PriceSlot, series_of
from devices.feeds.settings import PriceSettings, open_prices

DAY_AHEAD, IMBALANCE = "day-ahead", "imbalance"
"""Quantities of the table of prices. [currency/MWh]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceInputs:
    """What a source says of a day, and what it said before."""

    source: str
    """Its name."""
    quantity: str
    """What its prices are of."""
    grid: TimeGrid
    """The day."""
    slots: tuple[tuple[int, int, float], ...]
    """Start, step and price of what is published, and of what was while that is silent."""
    fetched_ms: tuple[int, ...] = field(metadata={"unhashed": True})
    """When each was first heard. [ms]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class GoBy:
    """Prices of a day to go by."""

    price_per_mwh: FloatArray
    """One per interval, NaN where none is known, shape (slots,). [currency/MWh]"""
    stood_in: int
    """Intervals whose price is an earlier day's."""


def gather_day_ahead(desk: Desk, day: date) -> PriceInputs:
    """Ask the day-ahead market for a day's prices."""
    return _asked(desk, day, desk.prices, DAY_AHEAD)


def gather_imbalance(desk: Desk, day: date) -> PriceInputs:
    """Ask for a day's prices of deviations."""
    return _asked(desk, day, desk.imbalance, IMBALANCE)


def _asked(desk: Desk, day: date, settings: PriceSettings | None, quantity: str) -> PriceInputs:
    if settings is None:
        table = "prices" if quantity == DAY_AHEAD else "imbalance"
        msg = f"no source of {quantity} prices; name one in [{table}]"
        raise StepInputError(msg)
    grid = desk.grid(day)
    name, found = asyncio.run(_ask(settings, desk.clock, grid))
    begin_ms, end_ms = span_ms(grid)
    columns = prices.c
    query = (
        select(columns.start_ms, columns.step_ms, columns.price_per_mwh, columns.fetched_ms)
        .where(columns.source == name, columns.quantity == quantity)
        .where(columns.start_ms >= begin_ms, columns.start_ms < end_ms)
        .order_by(columns.start_ms)
    )
    with desk.store.read() as connection:
        rows = {row.start_ms: (*row,) for row in connection.execute(query)}
    for slot in found.slots():
        # a slot may reach over midnight: the other day has its other part
        start_ms, last_ms = max(ms(slot.begin), begin_ms), min(ms(slot.end), end_ms)
        told = (start_ms, last_ms - start_ms, slot.price_per_mwh)
        if told[0] not in rows or rows[told[0]][:3] != told:
            rows[told[0]] = (*told, desk.now_ms())
    known = sorted(rows.values())
    return PriceInputs(
        source=name,
        quantity=quantity,
        grid=grid,
        slots=tuple((start_ms, step_ms, price) for start_ms, step_ms, price, _ in known),
        fetched_ms=tuple(at_ms for *_, at_ms in known),
    )


async def _ask(settings: PriceSettings, clock: Clock, grid: TimeGrid) -> tuple[str, PriceSeries]:
    source = open_prices(settings, clock=clock)
    try:
        return source.name, await source.prices(grid.start, grid.end)
    finally:
        await source.close()


def make_prices(inputs: PriceInputs) -> Made:
    """Return the day's prices: what is published, and what was while that is silent."""
    begin_ms, end_ms = span_ms(inputs.grid)
    covered_ms = sum(step_ms for _, step_ms, _ in inputs.slots)
    missing = (end_ms - begin_ms - covered_ms) // (1000 * inputs.grid.step_s)
    columns = prices.c
    return Made(
        line=f"{len(inputs.slots)} prices of {inputs.source}"
        + (f", {missing} intervals not published yet" if missing else ""),
        finished=missing <= 0,
        rows=[
            Rows(
                table=prices,
                replaces=(columns.source == inputs.source)
                & (columns.quantity == inputs.quantity)
                & (columns.start_ms >= begin_ms)
                & (columns.start_ms < end_ms),
                rows=[
                    {
                        "source": inputs.source,
                        "quantity": inputs.quantity,
                        "start_ms": start_ms,
                        "step_ms": step_ms,
                        "price_per_mwh": price,
                        "fetched_ms": at_ms,
                    }
                    for (start_ms, step_ms, price), at_ms in zip(
                        inputs.slots, inputs.fetched_ms, strict=True
                    )
                ],
            )
        ],
    )


def prices_to_go_by(
    connection: Connection,
    quantity: str,
    grid: TimeGrid,
    *,
    zone: str,
    days_back: int,
) -> GoBy:
    """Return a day's prices out of the store, by the rule for stale ones.

    Where none is published the same local time of the day before stands in, up to ``days_back``.
    """
    columns = prices.c
    begin_ms = ms(grid.start - timedelta(days=DAYS_BACK_MOST + 1))
    query = (
        select(columns.start_ms, columns.step_ms, columns.price_per_mwh)
        .where(columns.quantity == quantity)
        .where(columns.start_ms >= begin_ms, columns.start_ms < span_ms(grid)[1])
        # where sources were changed, what was fetched last counts
        .order_by(columns.start_ms, columns.fetched_ms)
    )
    latest = {row.start_ms: row for row in connection.execute(query)}
    series = _series([_slot(*row) for row in latest.values()])
    place = ZoneInfo(zone)
    known = [
        price_to_go_by(series, start, zone=place, days_back=days_back) for start in grid.starts()
    ]
    return GoBy(
        price_per_mwh=np.array([np.nan if each is None else each.price_per_mwh for each in known]),
        stood_in=sum(each is not None and each.origin != "market" for each in known),
    )


def _slot(start_ms: int, step_ms: int, price_per_mwh: float) -> PriceSlot:
    begin = datetime.fromtimestamp(start_ms / 1000, UTC)
    return PriceSlot(
        begin=begin, end=begin + timedelta(milliseconds=step_ms), price_per_mwh=price_per_mwh
    )


def _series(slots: list[PriceSlot]) -> PriceSeries:
    try:
        return series_of(slots, currency="")
    except DeviceReplyError as error:
        msg = f"prices in the store contradict each other ({error}); fetch the day's again"
        raise StepInputError(msg) from error
