"""What failed how often: commands counted by their end, code, battery model and home."""

from typing import Any, Final

from pydantic import BaseModel
from sqlalchemy import ColumnElement, Connection, Select, case, func, select

from aggregator.service.commands.states import FAILED
from aggregator.service.store.tables import commands, devices, homes

HOMES_MOST: Final = 100
"""Homes in a diagnosis, those that failed most."""


class StateCount(BaseModel):
    """How many commands came to an end of one kind."""

    state: str
    """waiting, sent, accepted, done, refused, expired or unanswered."""
    code: str | None
    """Why, in a word for programs."""
    commands: int
    """How many."""
    late: int
    """Of which the answer came after its time."""


class Tally(BaseModel):
    """How one model's or one home's commands went."""

    name: str
    """The battery's model, empty where it is not configured; or the home's id."""
    commands: int
    """How many were given."""
    failed: int
    """How many were refused, expired or not answered."""
    repeated: int
    """How many had to be sent more than once."""


class Diagnosis(BaseModel):
    """How commands went that were given within a time."""

    from_ms: int
    """From here. [ms]"""
    to_ms: int
    """Until here. [ms]"""
    commands: int
    """How many were given."""
    by_code: list[StateCount]
    """By state and code, the most frequent first."""
    by_model: list[Tally]
    """By the battery's model, the one that failed most first."""
    by_home: list[Tally]
    """By home, the one that failed most first; at most a hundred, all with a failure."""


def diagnose(connection: Connection, *, from_ms: int, to_ms: int) -> Diagnosis:
    """Return how commands went.

    Parameters
    ----------
    connection : Connection
        Of `Store.read`.
    from_ms, to_ms : int
        When they were given. [ms]
    """
    own = commands.c
    within = (own.asked_ms >= from_ms) & (own.asked_ms < to_ms)
    count = func.count().label("commands")
    by_code = (
        select(own.state, own.code, count, func.sum(case((own.late, 1), else_=0)).label("late"))
        .where(within)
        .group_by(own.state, own.code)
        .order_by(count.desc(), own.state, own.code)
    )
    counted = [StateCount.model_validate(row) for row in _rows(connection, by_code)]
    return Diagnosis(
        from_ms=from_ms,
        to_ms=to_ms,
        commands=sum(each.commands for each in counted),
        by_code=counted,
        by_model=_tallies(connection, _by_model(within)),
        by_home=_tallies(connection, _by_home(within)),
    )


def _by_model(within: ColumnElement[bool]) -> "Select[*tuple[Any, ...]]":
    batteries = (
        select(devices.c.home_number, func.min(devices.c.model).label("model"))
        .where(devices.c.kind == "battery", devices.c.retired.is_(False))
        .group_by(devices.c.home_number)
        .subquery()
    )
    owned = batteries.c.home_number == commands.c.home_number
    name = func.coalesce(batteries.c.model, "")
    return _tallied(name, within).select_from(commands.outerjoin(batteries, owned))


def _by_home(within: ColumnElement[bool]) -> "Select[*tuple[Any, ...]]":
    of_home = homes.c.number == commands.c.home_number
    query = _tallied(homes.c.id, within).select_from(commands.join(homes, of_home))
    return query.having(_FAILED > 0).limit(HOMES_MOST)


_FAILED: Final = func.sum(case((commands.c.state.in_(FAILED), 1), else_=0))


def _tallied(name: ColumnElement[str], within: ColumnElement[bool]) -> "Select[*tuple[Any, ...]]":
    """Return a query that counts commands by a name, the one that failed most first."""
    query: Select[*tuple[Any, ...]] = (
        select(
            name.label("name"),
            func.count().label("commands"),
            _FAILED.label("failed"),
            func.sum(case((commands.c.sends > 1, 1), else_=0)).label("repeated"),
        )
        .where(within)
        .group_by(name)
        .order_by(_FAILED.desc(), name)
    )
    return query


def _tallies(connection: Connection, query: "Select[*tuple[Any, ...]]") -> list[Tally]:
    return [Tally.model_validate(row) for row in _rows(connection, query)]


def _rows(connection: Connection, query: "Select[*tuple[Any, ...]]") -> list[dict[str, Any]]:
    return [dict(row) for row in connection.execute(query).mappings()]
