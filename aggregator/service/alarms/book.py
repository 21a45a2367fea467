"""Alarms in the store: raised once, acknowledged and resolved with who and when."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, insert, select, update

from aggregator.service.alarms.rules import Rule
from aggregator.service.registry.audit import Deed, record
from aggregator.service.registry.errors import RegistryAbsentError
from aggregator.service.store.store import Store
from aggregator.service.store.tables import alarms, homes

FLEET: Final = 0
"""Number of what is no home's."""
SERVICE: Final = "service"
"""Who resolves what is over by itself."""
RAISED: Final = "raised"
"""State: nobody has seen it."""
ACKNOWLEDGED: Final = "acknowledged"
"""State: somebody has seen it."""
RESOLVED: Final = "resolved"
"""State: it is over."""
_AT_ONCE: Final = 5_000


@dataclass(frozen=True, slots=True)
class AlarmBook:
    """Takes what operators say of alarms: see `aggregator.service.rest.alarms.AlarmDesk`."""

    store: Store
    """The database."""

    def acknowledge(self, number: int, *, who: str, at_ms: int) -> None:
        """See `aggregator.service.rest.alarms.AlarmDesk`."""
        values = {"state": ACKNOWLEDGED, "acknowledged_ms": at_ms, "acknowledged_by": who}
        self._change(number, alarms.c.state == RAISED, values, Deed(
            at_ms=at_ms, who=who, action="acknowledge", target=f"alarm {number}"
        ))  # fmt: skip

    def resolve(self, number: int, *, who: str, at_ms: int) -> None:
        """See `aggregator.service.rest.alarms.AlarmDesk`.

        It is raised again when its cause was over and comes back, or after a new start.
        """
        values = {"state": RESOLVED, "resolved_ms": at_ms, "resolved_by": who}
        self._change(number, alarms.c.state != RESOLVED, values, Deed(
            at_ms=at_ms, who=who, action="resolve", target=f"alarm {number}"
        ))  # fmt: skip

    def _change(
        self, number: int, where: ColumnElement[bool], values: Mapping[str, object], deed: Deed
    ) -> None:
        with self.store.write() as connection:
            of = alarms.c.number == number
            if connection.execute(update(alarms).where(of, where).values(values)).rowcount:
                record(connection, deed)
            elif connection.execute(select(alarms.c.number).where(of)).first() is None:
                msg = f"alarm {number} is unknown; see the list of alarms"
                raise RegistryAbsentError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginning:
    """Alarms of one rule that begin."""

    rule: Rule
    """Which."""
    homes: Sequence[int]
    """Numbers of homes, or `FLEET`."""
    values: Sequence[float]
    """What was measured there."""
    note: str = ""
    """More, for all of them."""


def write_beginning(connection: Connection, begins: Beginning, at_ms: int) -> None:
    """Write alarms that begin.

    Parameters
    ----------
    connection : Connection
        In a transaction of `Store.write`.
    begins : Beginning
        Which.
    at_ms : int
        When. [ms]
    """
    rule = begins.rule
    rows: list[dict[str, Any]] = [
        {
            "home_number": number or None,
            "line": rule.line.format(value=value, limit=rule.above) + begins.note,
        }
        for number, value in zip(begins.homes, begins.values, strict=True)
    ]
    same = {"kind": rule.kind, "state": RAISED, "severity": rule.severity, "raised_ms": at_ms}
    if rows:
        connection.execute(insert(alarms).values(same), rows)


def write_end(connection: Connection, kind: str, numbers: Iterable[int], at_ms: int) -> None:
    """Write that alarms of a kind are over; what somebody resolved before stays as it is.

    Parameters
    ----------
    connection : Connection
        In a transaction of `Store.write`.
    kind : str
        Which.
    numbers : iterable of int
        Numbers of homes, or `FLEET`.
    at_ms : int
        When. [ms]
    """
    of_homes = sorted(numbers)
    still = (alarms.c.kind == kind) & alarms.c.state.in_((RAISED, ACKNOWLEDGED))
    over = update(alarms).where(still).values(
        state=RESOLVED, resolved_ms=at_ms, resolved_by=SERVICE
    )  # fmt: skip
    if FLEET in of_homes:
        connection.execute(over.where(alarms.c.home_number.is_(None)))
    for first in range(0, len(of_homes), _AT_ONCE):
        some = of_homes[first : first + _AT_ONCE]
        connection.execute(over.where(alarms.c.home_number.in_(some)))


def standing(connection: Connection) -> dict[str, list[int]]:
    """Return the homes of alarms that are not over, by kind; `FLEET` for what is no home's."""
    still = alarms.c.state.in_((RAISED, ACKNOWLEDGED))
    found: dict[str, list[int]] = {}
    for kind, home in connection.execute(select(alarms.c.kind, alarms.c.home_number).where(still)):
        found.setdefault(kind, []).append(home or FLEET)
    return found


def untold(connection: Connection, since_ms: int) -> "Sequence[Row[Any]]":
    """Return alarms that were not told yet, with their home's id, the earliest first.

    Parameters
    ----------
    connection : Connection
        Of `Store.read`.
    since_ms : int
        Older ones are nobody's news. [ms]
    """
    query: Any = (
        select(alarms, homes.c.id.label("home"))
        .outerjoin(homes, homes.c.number == alarms.c.home_number)
        # all states, so that the index is used
        .where(alarms.c.state.in_((RAISED, ACKNOWLEDGED, RESOLVED)))
        .where(alarms.c.raised_ms > since_ms, alarms.c.told_ms.is_(None))
        .order_by(alarms.c.number)
    )
    return connection.execute(query).all()


def mark_told(connection: Connection, numbers: Sequence[int], at_ms: int) -> None:
    """Write that alarms were told.

    Parameters
    ----------
    connection : Connection
        In a transaction of `Store.write`.
    numbers : sequence of int
        Which.
    at_ms : int
        When. [ms]
    """
    for first in range(0, len(numbers), _AT_ONCE):
        of = alarms.c.number.in_(numbers[first : first + _AT_ONCE])
        connection.execute(update(alarms).where(of).values(told_ms=at_ms))
