"""Orders as a whole, what gateways answered to them, and what failed how often."""

from fastapi import APIRouter
from pydantic import BaseModel
from sqlalchemy import func, select

from aggregator.service.commands.diagnosis import Diagnosis, diagnose
from aggregator.service.rest.access import Access
from aggregator.service.rest.guard import guarded_router, needs
from aggregator.service.rest.inputs import PAGE, Limit, NumberCursor, TimeMs
from aggregator.service.rest.order_routes import RequestId
from aggregator.service.rest.parts import Parts, RestParts
from aggregator.service.rest.problem import RefusedError
from aggregator.service.store.tables import answers, commands, homes


class WholeOrder(BaseModel):
    """An order to one home or many."""

    request_id: str
    """Its id."""
    target: str
    """As it was asked: ``fleet``, ``group:NAME``, ``home:ID`` or ``device:HOME/DEVICE``."""
    body: dict[str, object]
    """What."""
    asked_by: str
    """The token's id."""
    asked_ms: int
    """When it was given. [ms]"""
    expires_ms: int
    """Until when it may be begun. [ms]"""
    homes: int
    """Gateways that it went to."""
    states: dict[str, int]
    """How many of them are in which state."""


class GivenAnswer(BaseModel):
    """A gateway's answer to a command, as it came."""

    number: int
    """Its place among all answers."""
    home: str
    """Whose."""
    correlation_id: str
    """The command's."""
    kind: str
    """acknowledgement or outcome."""
    at_ms: int
    """When, by the gateway's clock. [ms]"""
    heard_ms: int
    """When, by ours. [ms]"""
    body: dict[str, object]
    """All of it, with the ``rows`` of a read."""


class AnswersPage(BaseModel):
    """Answers, newest first."""

    items: list[GivenAnswer]
    """The page."""
    next: int | None
    """The next page's ``cursor``."""


def orders_router() -> APIRouter:
    """Return the routes."""
    router = guarded_router()
    router.get("/api/orders/{request}", **needs(Access.VIEWER))(show_whole_order)
    router.get("/api/orders/{request}/answers", **needs(Access.VIEWER))(list_answers)
    router.get("/api/diagnosis/commands", **needs(Access.VIEWER))(show_diagnosis)
    return router


def show_whole_order(parts: Parts, request: RequestId) -> WholeOrder:
    """Return an order and how many of its commands are in which state."""
    of_order = commands.c.request_id == request
    counted = select(commands.c.state, func.count()).where(of_order).group_by(commands.c.state)
    with parts.store.read() as connection:
        first = connection.execute(select(commands).where(of_order).limit(1)).mappings().first()
        states: dict[str, int] = {row[0]: row[1] for row in connection.execute(counted)}
    if first is None:
        raise _unknown(request)
    return WholeOrder(homes=sum(states.values()), states=states, **first)


def list_answers(
    parts: Parts, request: RequestId, cursor: NumberCursor = None, limit: Limit = PAGE
) -> AnswersPage:
    """Return what gateways answered to an order, newest first, second answers and late ones too."""
    by_command = (answers.c.correlation_id == commands.c.correlation_id) & (
        answers.c.home_number == commands.c.home_number
    )
    query = (
        select(answers, homes.c.id.label("home"))
        .join(commands, by_command)
        .join(homes, homes.c.number == answers.c.home_number)
        .where(commands.c.request_id == request)
        .order_by(answers.c.number.desc())
        .limit(limit + 1)
    )
    if cursor is not None:
        query = query.where(answers.c.number < cursor)
    with parts.store.read() as connection:
        rows = connection.execute(query).mappings().all()
    if not rows:
        _check_known(parts, request)
    items = [GivenAnswer.model_validate(dict(row)) for row in rows[:limit]]
    return AnswersPage(items=items, next=items[-1].number if len(rows) > limit else None)


def show_diagnosis(parts: Parts, from_ms: TimeMs, to_ms: TimeMs) -> Diagnosis:
    """Return what failed how often of what was ordered within a time, and which orders did."""
    if to_ms <= from_ms:
        raise RefusedError(422, f"to_ms {to_ms} is not after from_ms {from_ms}; swap them")
    with parts.store.read() as connection:
        return diagnose(connection, from_ms=from_ms, to_ms=to_ms)


def _check_known(parts: RestParts, request: str) -> None:
    known = select(commands.c.request_id).where(commands.c.request_id == request).limit(1)
    with parts.store.read() as connection:
        if connection.execute(known).first() is None:
            raise _unknown(request)


def _unknown(request: str) -> RefusedError:
    return RefusedError(404, f"order {request!r} is unknown; list commands for their ids")
