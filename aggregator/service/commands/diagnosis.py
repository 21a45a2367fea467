"""What failed how often: commands counted by end, code, kind, battery model, home and order."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, Final

from pydantic import BaseModel
from sqlalchemy import ColumnElement, Connection, Row, Select, case, func, select

from aggregator.service.commands.states import FAILED
from aggregator.service.store.tables import commands, devices, homes

HOMES_MOST: Final = 100
"""Homes in a diagnosis, those that failed most."""
ORDERS_MOST: Final = 50
"""Orders in a diagnosis, those that failed at most homes."""
READ: Final = "read"
"""Kind of an order that asks for a quantity; of the others it is what they write."""
_AT_ONCE: Final = 1_000


class StateCount(BaseModel):
    """How many commands came to an end of one kind."""

    state: str
    """waiting, sent, accepted, done, aborted, refused, expired or unanswered."""
    code: str | None
    """Why, in a word for programs."""
    commands: int
    """How many."""
    late: int
    """Of which the answer came after its time."""


class Tally(BaseModel):
    """How the commands of one model, home or kind went."""

    name: str
    """The battery's model, empty where it is not configured; the home's id; or the kind."""
    commands: int
    """How many were given."""
    failed: int
    """How many were refused, expired, aborted or not answered."""
    repeated: int
    """How many had to be sent more than once."""


class FailedOrder(BaseModel):
    """An order of which something failed."""

    request_id: str
    """Its id, by which its commands and their answers are found."""
    target: str
    """As it was asked."""
    kind: str
    """What was asked: ``charge`` and the like, or ``read``."""
    asked_ms: int
    """When it was given. [ms]"""
    failed: int
    """At how many homes it was refused, expired, aborted or not answered."""


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
    by_kind: list[Tally]
    """By what was asked, the kind that failed most first."""
    orders: list[FailedOrder]
    """Orders, those that failed at most homes first; at most fifty, all with a failure."""


_Count = tuple[int, int, int]
"""Commands, those that failed, those that were sent more than once."""
_FAILED: Final = commands.c.state.in_(FAILED)
_COUNT: Final = (
    func.count().label("commands"),
    func.sum(case((_FAILED, 1), else_=0)).label("failed"),
    func.sum(case((commands.c.sends > 1, 1), else_=0)).label("repeated"),
)
KIND: Final = func.coalesce(commands.c.body["write"].as_string(), READ)
"""A command's kind."""


def diagnose(connection: Connection, *, from_ms: int, to_ms: int) -> Diagnosis:
    """Return how commands went.

    Parameters
    ----------
    connection : Connection
        Of `Store.read`.
    from_ms, to_ms : int
        When they were given. [ms]
    """
    within = (commands.c.asked_ms >= from_ms) & (commands.c.asked_ms < to_ms)
    ends = _ends(connection, within)
    by_home, by_model = _homes(connection, within)
    return Diagnosis(
        from_ms=from_ms,
        to_ms=to_ms,
        commands=sum(row.commands for row in ends),
        by_code=_codes(ends),
        by_model=by_model,
        by_home=by_home,
        by_kind=_tallies((row.kind, (row.commands, row.failed, row.repeated)) for row in ends),
        orders=_orders(connection, within),
    )


def batteries_by_home() -> "Select[*tuple[Any, ...]]":
    """Return a query for the model of each home's battery, the first by name of several."""
    return (
        select(devices.c.home_number, func.min(devices.c.model).label("model"))
        .where(devices.c.kind == "battery", devices.c.retired.is_(False))
        .group_by(devices.c.home_number)
    )


def _ends(connection: Connection, within: ColumnElement[bool]) -> "list[Row[Any]]":
    """Return commands counted by state, code and kind."""
    own = commands.c
    late = func.sum(case((own.late, 1), else_=0)).label("late")
    query = select(own.state, own.code, KIND.label("kind"), late, *_COUNT)
    return list(connection.execute(query.where(within).group_by(own.state, own.code, KIND)))


def _codes(ends: "list[Row[Any]]") -> list[StateCount]:
    found: dict[tuple[str, str | None], list[int]] = defaultdict(lambda: [0, 0])
    for row in ends:
        count = found[row.state, row.code]
        count[0] += row.commands
        count[1] += row.late
    ordered = sorted(found, key=lambda each: (-found[each][0], each[0], each[1] or ""))
    return [
        StateCount(
            state=state, code=code, commands=found[state, code][0], late=found[state, code][1]
        )
        for state, code in ordered
    ]


def _homes(connection: Connection, within: ColumnElement[bool]) -> tuple[list[Tally], list[Tally]]:
    """Return commands counted by home, those with a failure, and by the model of their battery."""
    number = commands.c.home_number
    query = select(number, *_COUNT).where(within).group_by(number)
    counted = {row[0]: (row[1], row[2], row[3]) for row in connection.execute(query)}
    models: dict[int, str] = {row[0]: row[1] for row in connection.execute(batteries_by_home())}
    failed = sorted((each for each in counted if counted[each][1]), key=lambda n: -counted[n][1])
    # a few more than are shown, so that homes with the same count are shown in their order
    least = counted[failed[:HOMES_MOST][-1]][1] if failed else 0
    shown = [each for each in failed if counted[each][1] >= least]
    names = _names(connection, shown)
    by_home = _tallies((names[each], counted[each]) for each in shown)[:HOMES_MOST]
    return by_home, _tallies((models.get(each, ""), counted[each]) for each in counted)


def _names(connection: Connection, numbers: list[int]) -> dict[int, str]:
    found: dict[int, str] = {}
    for first in range(0, len(numbers), _AT_ONCE):
        some = homes.c.number.in_(numbers[first : first + _AT_ONCE])
        query = select(homes.c.number, homes.c.id).where(some)
        found |= {row[0]: row[1] for row in connection.execute(query)}
    return found


def _tallies(counts: Iterable[tuple[str, _Count]]) -> list[Tally]:
    """Return counts added up by name, the one that failed most first."""
    sums: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for name, count in counts:
        own = sums[name]
        for place, part in enumerate(count):
            own[place] += part
    found = [
        Tally(name=name, commands=given, failed=failed, repeated=repeated)
        for name, (given, failed, repeated) in sums.items()
    ]
    return sorted(found, key=lambda each: (-each.failed, each.name))


def _orders(connection: Connection, within: ColumnElement[bool]) -> list[FailedOrder]:
    own = commands.c
    failed = _COUNT[1]
    query = (
        select(own.request_id, func.min(own.correlation_id).label("one"), failed)
        .where(within)  # a condition on the state would have its index used, over all times
        .group_by(own.request_id)
        .having(failed > 0)
        .order_by(failed.desc(), own.request_id)
        .limit(ORDERS_MOST)
    )
    found = connection.execute(query).all()
    ones = own.correlation_id.in_([row.one for row in found])
    asked = select(own.request_id, own.target, KIND.label("kind"), own.asked_ms).where(ones)
    by_order = {row.request_id: row._mapping for row in connection.execute(asked)}
    return [FailedOrder(failed=row.failed, **by_order[row.request_id]) for row in found]
