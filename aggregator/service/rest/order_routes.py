"""Commands, alarms and the audit log."""

from typing import Annotated, Literal

from fastapi import Path, Query
from sqlalchemy import ColumnElement, or_, select

from aggregator.service.registry.audit import read_deeds
from aggregator.service.registry.writing import home_number
from aggregator.service.rest.access import Access
from aggregator.service.rest.alarms import AlarmDesk
from aggregator.service.rest.guard import guarded_router, needs
from aggregator.service.rest.inputs import PAGE, HomeId, Limit, Number, NumberCursor
from aggregator.service.rest.order_filter import Wanted
from aggregator.service.rest.order_shapes import (
    Alarm,
    AlarmsPage,
    CommandsPage,
    DeedsPage,
    GivenCommand,
    ShownDeed,
)
from aggregator.service.rest.orders import Order, OrderBody, Placed
from aggregator.service.rest.parts import Asker, Parts, RestParts
from aggregator.service.rest.problem import RefusedError
from aggregator.service.store.tables import alarms, commands, homes

router = guarded_router()
"""These routes."""

RequestId = Annotated[str, Path(pattern=r"^[\x21-\x7e]{1,64}$", description="The order's.")]
"""A path's order."""
AlarmState = Literal["raised", "acknowledged", "resolved"]
"""What became of an alarm."""


CommandCursor = Annotated[
    str | None,
    Query(pattern=r"^[0-9]{1,15}~[\x21-\x7e]{1,64}$", description="`next` of the page before."),
]
"""Where a page of commands goes on."""


@router.post("/api/commands", status_code=202, **needs(Access.OPERATOR))
def give_command(parts: Parts, asker: Asker, body: OrderBody) -> Placed:
    """Give a command to a home, a group or the fleet; what becomes of it is under its id."""
    if parts.orders is None:
        raise RefusedError(503, "commands are not carried out by this process; start it with them")
    now_ms = parts.clock_ms()
    order = Order(
        target=body.target,
        command=body.command,
        who=asker.token_id,
        at_ms=now_ms,
        expires_ms=now_ms + round(body.expires_in_s * 1000),
    )
    return parts.orders.place(order)


@router.get("/api/commands", **needs(Access.VIEWER))
def list_commands(
    parts: Parts,
    wanted: Wanted,
    cursor: CommandCursor = None,
    limit: Limit = PAGE,
) -> CommandsPage:
    """Return commands, newest first; those of a diagnosis' line where its words are given."""
    return _commands(parts, wanted, cursor, limit)


@router.get("/api/commands/{request}", **needs(Access.VIEWER))
def show_order(
    parts: Parts, request: RequestId, cursor: CommandCursor = None, limit: Limit = PAGE
) -> CommandsPage:
    """Return an order's commands, one per gateway."""
    page = _commands(parts, commands.c.request_id == request, cursor, limit)
    if not page.items and cursor is None:
        raise RefusedError(404, f"order {request!r} is unknown; list commands for their ids")
    return page


@router.get("/api/homes/{home}/commands", **needs(Access.HOME))
def list_home_commands(
    parts: Parts, home: HomeId, cursor: CommandCursor = None, limit: Limit = PAGE
) -> CommandsPage:
    """Return a home's commands, newest first."""
    return _commands(parts, commands.c.home_number == _number(parts, home), cursor, limit)


@router.get("/api/alarms", **needs(Access.VIEWER))
def list_alarms(
    parts: Parts,
    state: Annotated[AlarmState | None, Query(description="Those in this state.")] = None,
    cursor: NumberCursor = None,
    limit: Limit = PAGE,
) -> AlarmsPage:
    """Return alarms, newest first."""
    return _alarms(parts, None if state is None else alarms.c.state == state, cursor, limit)


@router.get("/api/homes/{home}/alarms", **needs(Access.HOME))
def list_home_alarms(
    parts: Parts, home: HomeId, cursor: NumberCursor = None, limit: Limit = PAGE
) -> AlarmsPage:
    """Return a home's alarms, newest first."""
    return _alarms(parts, alarms.c.home_number == _number(parts, home), cursor, limit)


@router.post("/api/alarms/{number}/acknowledge", status_code=204, **needs(Access.OPERATOR))
def acknowledge_alarm(parts: Parts, asker: Asker, number: Number) -> None:
    """Mark an alarm as seen."""
    _desk(parts).acknowledge(number, who=asker.token_id, at_ms=parts.clock_ms())


@router.post("/api/alarms/{number}/resolve", status_code=204, **needs(Access.OPERATOR))
def resolve_alarm(parts: Parts, asker: Asker, number: Number) -> None:
    """Mark an alarm as over."""
    _desk(parts).resolve(number, who=asker.token_id, at_ms=parts.clock_ms())


@router.get("/api/audit", **needs(Access.OPERATOR))
def list_audit(parts: Parts, cursor: NumberCursor = None, limit: Limit = PAGE) -> DeedsPage:
    """Return who changed what, and who was refused, newest first."""
    found = read_deeds(parts.store, before=cursor, limit=limit + 1)
    items = [ShownDeed.model_validate(each, from_attributes=True) for each in found[:limit]]
    return DeedsPage(items=items, next=items[-1].number if len(found) > limit else None)


def _desk(parts: RestParts) -> AlarmDesk:
    if parts.alarms is None:
        raise RefusedError(503, "alarms are not kept by this process; start it with them")
    return parts.alarms


def _number(parts: RestParts, home: str) -> int:
    with parts.store.read() as connection:
        return home_number(connection, home)


def _commands(
    parts: RestParts, where: ColumnElement[bool] | None, cursor: str | None, limit: int
) -> CommandsPage:
    """Return a page of commands; the cursor is the last one's time and id."""
    asked, own = commands.c.asked_ms, commands.c.correlation_id
    query = select(commands, homes.c.id.label("home")).join(
        homes, homes.c.number == commands.c.home_number
    )
    query = query.order_by(asked.desc(), own.desc()).limit(limit + 1)
    if where is not None:
        query = query.where(where)
    if cursor is not None:
        asked_ms, _, last = cursor.partition("~")
        # the first condition lets the index be used
        query = query.where(asked <= int(asked_ms), or_(asked < int(asked_ms), own < last))
    with parts.store.read() as connection:
        rows = connection.execute(query).mappings().all()
    items = [GivenCommand.model_validate(dict(row)) for row in rows[:limit]]
    following = f"{items[-1].asked_ms}~{items[-1].correlation_id}" if len(rows) > limit else None
    return CommandsPage(items=items, next=following)


def _alarms(
    parts: RestParts, where: ColumnElement[bool] | None, cursor: int | None, limit: int
) -> AlarmsPage:
    """Return a page of alarms."""
    query = select(alarms, homes.c.id.label("home")).outerjoin(
        homes, homes.c.number == alarms.c.home_number
    )
    query = query.order_by(alarms.c.number.desc()).limit(limit + 1)
    if where is not None:
        query = query.where(where)
    if cursor is not None:
        query = query.where(alarms.c.number < cursor)
    with parts.store.read() as connection:
        rows = connection.execute(query).mappings().all()
    items = [Alarm.model_validate(dict(row)) for row in rows[:limit]]
    return AlarmsPage(items=items, next=items[-1].number if len(rows) > limit else None)
