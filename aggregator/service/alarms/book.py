"""Alarms in the store: raised once, acknowledged and resolved with who and when."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, case, func, insert, select, update

from aggregator.service.alarms.rules import Rule
from aggregator.service.registry.audit import Deed, record
from aggregator.service.registry.errors import RegistryAbsentError
from aggregator.service.store.store import Store
from aggregator.service.store.tables import alarms, audit

FLEET: Final = 0
"""Number of what is no home's."""
SERVICE: Final = "service"
"""Who resolves what is over by itself."""
RAISED: Final = "raised"
"""State: nobody has seen it."""
ACKNOWLEDGED: Final = "acknowledged"
"""State: somebody has seen it."""
RESOLVED: Final = "resolved"
"""State: it is over, or somebody said so."""
OVER: Final = "over"
"""Deed of the service: what somebody had resolved while its cause went on is over now."""
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

        It is raised again when its cause was over and comes back.
        """
        values = {"state": RESOLVED, "resolved_ms": _after_told(at_ms), "resolved_by": who}
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
    """Write that alarms of a kind are over.

    What somebody resolved before stays as it is; that its cause is over goes into the audit log.

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
    of_kind = alarms.c.kind == kind
    over = update(alarms).where(of_kind, _STANDING).values(
        state=RESOLVED, resolved_ms=_after_told(at_ms), resolved_by=SERVICE
    )  # fmt: skip
    for of_homes in _wheres(sorted(numbers)):
        connection.execute(over.where(of_homes))
        for number in connection.execute(_latest(of_kind, of_homes)).scalars().all():
            record(connection, Deed(
                at_ms=at_ms, who=SERVICE, action=OVER, target=f"alarm {number}"
            ))  # fmt: skip


def raised(connection: Connection) -> dict[str, list[int]]:
    """Return by kind where alarms are not raised anew; `FLEET` for what is no home's.

    That is where one stands, and where somebody resolved one whose cause was not over since.
    """
    still = alarms.c.number, alarms.c.kind, alarms.c.home_number
    found: dict[str, list[int]] = {}
    for _, kind, home in connection.execute(select(*still).where(_STANDING)):
        found.setdefault(kind, []).append(home or FLEET)
    said = connection.execute(_latest().add_columns(*still[1:], alarms.c.resolved_ms)).all()
    if said:
        since_ms = min(row.resolved_ms for row in said)
        deeds = select(audit.c.target).where(
            audit.c.at_ms >= since_ms, audit.c.who == SERVICE, audit.c.action == OVER
        )
        over = set(connection.execute(deeds).scalars())
        for row in said:
            if f"alarm {row.number}" not in over:
                found.setdefault(row.kind, []).append(row.home_number or FLEET)
    return found


_STANDING: Final = alarms.c.state.in_((RAISED, ACKNOWLEDGED))


def _after_told(at_ms: int) -> Any:  # noqa: ANN401 -- an expression of SQL
    """Return when an alarm is over: later than it was told, so that its end is told too."""
    return case((alarms.c.told_ms >= at_ms, alarms.c.told_ms + 1), else_=at_ms)


def _latest(*of: ColumnElement[bool]) -> Any:  # noqa: ANN401 -- numbers, a query
    """Return the alarms that are the latest of their kind and home and that a person resolved."""
    latest = select(func.max(alarms.c.number)).where(*of).group_by(
        alarms.c.kind, alarms.c.home_number
    )  # fmt: skip
    by_a_person = (alarms.c.state == RESOLVED) & (alarms.c.resolved_by != SERVICE)
    return select(alarms.c.number).where(alarms.c.number.in_(latest), by_a_person)


def _wheres(of_homes: Sequence[int]) -> Iterator[ColumnElement[bool]]:
    """Yield what finds alarms of homes, some at a time."""
    if FLEET in of_homes:
        yield alarms.c.home_number.is_(None)
    for first in range(0, len(of_homes), _AT_ONCE):
        yield alarms.c.home_number.in_(of_homes[first : first + _AT_ONCE])
