"""Orders as they were given, each with how many of its homes are how far."""

from collections import defaultdict
from typing import Annotated, Final

from fastapi import Query
from pydantic import BaseModel
from sqlalchemy import Connection, Row, func, select

from aggregator.service.commands.routes import WholeOrder
from aggregator.service.rest.access import Access
from aggregator.service.rest.guard import guarded_router, needs
from aggregator.service.rest.parts import Parts
from aggregator.service.store.tables import commands
from aggregator.service.store.telemetry import DAY_MS

ORDERS_DAYS: Final = 30
"""Older orders are found by their commands alone."""
ORDERS_PAGE: Final = 50
"""Orders of a page."""

router = guarded_router()
"""This route."""

OrderCursor = Annotated[
    str | None,
    Query(pattern=r"^[0-9]{1,15}~[\x21-\x7e]{1,64}$", description="`next` of the page before."),
]
"""Where a page of orders goes on."""


class OrderSummary(WholeOrder):
    """An order, and what became of it."""

    late: int
    """How many of its homes answered after their time."""


class OrdersPage(BaseModel):
    """Orders, newest first."""

    items: list[OrderSummary]
    """The page."""
    next: str | None
    """The next page's ``cursor``."""


@router.get("/api/orders", **needs(Access.VIEWER))
def list_orders(parts: Parts, cursor: OrderCursor = None) -> OrdersPage:
    """Return the last month's orders, newest first, each in one line however many homes it has."""
    since_ms = parts.clock_ms() - ORDERS_DAYS * DAY_MS
    with parts.store.read() as connection:
        given = _given(connection, since_ms, cursor)
        items = _summaries(connection, given[:ORDERS_PAGE])
    following = None
    if len(given) > ORDERS_PAGE:
        following = f"{items[-1].asked_ms}~{items[-1].request_id}"
    return OrdersPage(items=items, next=following)


def _given(
    connection: Connection, since_ms: int, cursor: str | None
) -> "list[Row[tuple[str, int, str]]]":
    """Return orders by id, time and one of their commands, one more than a page has."""
    own, asked = commands.c.request_id, func.min(commands.c.asked_ms)
    query = select(own, asked.label("at_ms"), func.min(commands.c.correlation_id).label("one"))
    query = query.where(commands.c.asked_ms >= since_ms).group_by(own)
    if cursor is not None:
        at_ms, _, last = cursor.partition("~")
        earlier = (asked < int(at_ms)) | ((asked == int(at_ms)) & (own < last))
        query = query.having(earlier)
    query = query.order_by(asked.desc(), own.desc()).limit(ORDERS_PAGE + 1)
    return list(connection.execute(query))


def _summaries(
    connection: Connection, given: "list[Row[tuple[str, int, str]]]"
) -> list[OrderSummary]:
    """Return the orders with their commands counted."""
    of_orders = commands.c.request_id.in_([each.request_id for each in given])
    counting = select(
        commands.c.request_id, commands.c.state, commands.c.late, func.count().label("homes")
    )
    counting = counting.where(of_orders).group_by(
        commands.c.request_id, commands.c.state, commands.c.late
    )
    states: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    late: dict[str, int] = defaultdict(int)
    for row in connection.execute(counting):
        states[row.request_id][row.state] += row.homes
        late[row.request_id] += row.homes if row.late else 0
    ones = select(commands).where(commands.c.correlation_id.in_([each.one for each in given]))
    by_order = {row.request_id: row for row in connection.execute(ones)}
    return [
        OrderSummary(
            request_id=each.request_id,
            target=by_order[each.request_id].target,
            body=by_order[each.request_id].body,
            asked_by=by_order[each.request_id].asked_by,
            asked_ms=each.at_ms,
            expires_ms=by_order[each.request_id].expires_ms,
            homes=sum(states[each.request_id].values()),
            states=dict(states[each.request_id]),
            late=late[each.request_id],
        )
        for each in given
    ]
