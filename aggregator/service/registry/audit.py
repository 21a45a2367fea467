"""The audit log: every change, and every request that was refused for who asked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from sqlalchemy import Connection, insert, select

from aggregator.service.store.store import Store
from aggregator.service.store.tables import audit

Outcome = Literal["done", "refused"]
"""What became of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """One line of the log."""

    at_ms: int
    """When. [ms]"""
    who: str
    """The token's id, ``operator@HOST`` at the command line, or ``service``."""
    action: str
    """A verb, or the request's method."""
    target: str
    """What it was done to."""
    outcome: Outcome = "done"
    """What became of it."""
    detail: Mapping[str, object] = field(default_factory=dict)
    """More, never a secret."""
    number: int = 0
    """Its place in the log, as the log gave it."""


def record(connection: Connection, *deeds: Deed) -> None:
    """Write deeds, in the transaction of what was done.

    Parameters
    ----------
    connection : Connection
        In a transaction.
    *deeds : Deed
        What was done.
    """
    rows = [
        {
            "at_ms": deed.at_ms,
            "who": deed.who,
            "action": deed.action,
            "target": deed.target,
            "outcome": deed.outcome,
            "detail": dict(deed.detail),
        }
        for deed in deeds
    ]
    connection.execute(insert(audit), rows)


def read_deeds(store: Store, *, before: int | None, limit: int) -> list[Deed]:
    """Return the latest deeds, newest first.

    Parameters
    ----------
    store : Store
        The store.
    before : int or None
        Number of the deed to go on after.
    limit : int
        At most so many.
    """
    query = select(audit).order_by(audit.c.number.desc()).limit(limit)
    if before is not None:
        query = query.where(audit.c.number < before)
    with store.read() as connection:
        return [Deed(**row) for row in connection.execute(query).mappings()]
