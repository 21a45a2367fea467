"""The fleet as it is, a day of it, what was measured, what was settled."""

from typing import Annotated

from fastapi import Header, Query, Response
from pydantic import BaseModel
from sqlalchemy import select

from aggregator.service.rest.access import Access
from aggregator.service.rest.day import FleetDay
from aggregator.service.rest.fleet import Fleet
from aggregator.service.rest.guard import guarded_router, needs
from aggregator.service.rest.inputs import PAGE, Day, HomeId, Limit, NumberCursor, TimeMs
from aggregator.service.rest.parts import Parts
from aggregator.service.rest.problem import RefusedError
from aggregator.service.rest.series import (
    BINS_MOST,
    CHANNEL_OF_NAME,
    ChannelName,
    Resolution,
    Series,
)
from aggregator.service.store.tables import settlements

SERIES_MOST = 5000
"""Entries of a series at most."""

router = guarded_router()
"""These routes."""


class Settled(BaseModel):
    """A settled interval."""

    interval: int
    """Its number on the ledger."""
    start_ms: int
    """When it began. [ms]"""
    commitment_wh: int
    """What was promised. [Wh]"""
    delivered_wh: int
    """What was delivered. [Wh]"""
    price_micro_per_mwh: int
    """Clearing price. [micro/MWh]"""
    imbalance_price_micro_per_mwh: int
    """Price of what was not delivered as promised. [micro/MWh]"""
    revenue_micro: int
    """What it earned. [micro]"""
    fee_micro: int
    """The aggregator's part. [micro]"""
    loss_micro: int
    """What it lost. [micro]"""
    transaction: str | None
    """The transaction that settled it."""


class SettledPage(BaseModel):
    """Settled intervals, newest first."""

    items: list[Settled]
    """The page."""
    next: int | None
    """The next page's ``cursor``."""


@router.get("/api/fleet", response_model=Fleet, **needs(Access.VIEWER))
def show_fleet(
    parts: Parts,
    if_none_match: Annotated[str | None, Header()] = None,
    accept_encoding: Annotated[str, Header()] = "",
) -> Response:
    """Return all homes in use as lists; at most a second old for a thousand homes."""
    shown = parts.fleet.show(parts.clock_ms())
    headers = {"ETag": shown.etag, "Vary": "Accept-Encoding", "Cache-Control": "private, no-cache"}
    if if_none_match is not None and shown.etag in if_none_match:
        return Response(None, 304, headers)
    if "gzip" not in accept_encoding:
        return Response(shown.body, 200, headers, "application/json")
    headers["Content-Encoding"] = "gzip"
    return Response(shown.packed, 200, headers, "application/json")


@router.get("/api/fleet/day", **needs(Access.VIEWER))
def show_day(parts: Parts, day: Day) -> FleetDay:
    """Return a market day by its intervals: price, plan, promised, delivered, state of charge."""
    return parts.day.day(day)


@router.get("/api/homes/{home}/series", response_model=Series, **needs(Access.HOME))
def show_series(
    *,
    parts: Parts,
    home: HomeId,
    channel: Annotated[ChannelName, Query(description="Of what.")],
    from_ms: TimeMs,
    to_ms: TimeMs,
    resolution: Resolution = Resolution.AUTO,
    limit: Annotated[int, Query(ge=1, le=SERIES_MOST, description="Entries at most.")] = BINS_MOST,
) -> Response:
    """Return what was measured in a home from one time until another."""
    if to_ms <= from_ms:
        raise RefusedError(422, f"to_ms {to_ms} is not after from_ms {from_ms}; swap them")
    of = CHANNEL_OF_NAME[channel.value]
    found = parts.series.read(home, of, (from_ms, to_ms), resolution=resolution, limit=limit)
    return Response(found, 200, None, "application/json")


@router.get("/api/settlement", **needs(Access.VIEWER))
def list_settled(parts: Parts, cursor: NumberCursor = None, limit: Limit = PAGE) -> SettledPage:
    """Return what was settled, newest first."""
    query = select(settlements).order_by(settlements.c.interval_number.desc()).limit(limit + 1)
    if cursor is not None:
        query = query.where(settlements.c.interval_number < cursor)
    with parts.store.look() as connection:
        rows = connection.execute(query).mappings().all()
    items = [Settled(interval=row["interval_number"], **row) for row in rows[:limit]]
    return SettledPage(items=items, next=items[-1].interval if len(rows) > limit else None)
