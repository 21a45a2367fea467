"""What steps are made of and make: values out of the store, and rows to go into it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import date, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from sqlalchemy import ColumnElement, Connection, Table, delete, insert, select

from aggregator.service.day.errors import StepInputError
from aggregator.service.store.tables import papers
from contracts.timegrid import TimeGrid

if TYPE_CHECKING:
    from aggregator.files import Json

FLEET: Final = 0
"""What the table of revenues calls the fleet itself; homes' numbers begin at 1."""
PASSING: Final = frozenset({"deliveries"})
"""Papers that are made anew all day: only the latest is kept."""
_CHUNK: Final = 5_000
"""Rows that are inserted at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Rows of a table that take the place of what is there."""

    table: Table
    """Which."""
    replaces: ColumnElement[bool]
    """What goes."""
    rows: Sequence[Mapping[str, object]]
    """What comes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What a step makes; it is written whole or not at all."""

    line: str
    """What happened, for people."""
    papers: "Mapping[str, Json]" = field(default_factory=dict)
    """By kind; the latest of a day counts."""
    rows: Sequence[Rows] = ()
    """Rows."""
    finished: bool = True
    """Whether nothing is to come any more, so that it need not be tried again."""


def write_made(connection: Connection, made: Made, *, day: date, run_number: int) -> None:
    """Write what a step made; a paper that is there already is not written again.

    Parameters
    ----------
    connection : Connection
        In a transaction of `Store.write`.
    made : Made
        What it made.
    day : date
        Whose.
    run_number : int
        By which run.
    """
    for each in made.rows:
        connection.execute(delete(each.table).where(each.replaces))
        for first in range(0, len(each.rows), _CHUNK):
            part = [dict(row) for row in each.rows[first : first + _CHUNK]]
            connection.execute(insert(each.table), part)
    for kind, body in made.papers.items():
        if find_paper(connection, kind, day) != body:
            if kind in PASSING:
                before = (papers.c.kind == kind) & (papers.c.day == day.isoformat())
                connection.execute(delete(papers).where(before))
            row = {"kind": kind, "day": day.isoformat(), "run_number": run_number, "body": body}
            connection.execute(insert(papers), row)


def find_paper(connection: Connection, kind: str, day: date) -> "Json | None":
    """Return the latest paper of a kind of a day; None where there is none."""
    columns = papers.c
    query = select(columns.body).where(columns.kind == kind, columns.day == day.isoformat())
    found: Json | None = connection.scalar(query.order_by(columns.run_number.desc()).limit(1))
    return found


def need_paper(connection: Connection, kind: str, day: date, *, by: str) -> "Json":
    """Return the latest paper of a kind of a day, or raise which step makes it.

    Raises
    ------
    StepInputError
        Where there is none.
    """
    found = find_paper(connection, kind, day)
    if found is None:
        msg = f"{day}: there is no {kind} yet; run the step {by} first"
        raise StepInputError(msg)
    return found


def input_hash(inputs: object) -> str:
    """Return the hash of all that a step was made of.

    Fields marked ``unhashed`` are left out: the present, and what earlier runs of the same step
    have done already, which changes no row.
    """
    text = json.dumps(_plain(inputs), sort_keys=True, separators=(",", ":"))
    return sha256(text.encode()).hexdigest()


def span_ms(grid: TimeGrid) -> tuple[int, int]:
    """Return begin and end of a grid. [ms]"""
    return ms(grid.start), ms(grid.end)


def ms(utc: datetime) -> int:
    """Return a time as the store has it. [ms]"""
    return round(utc.timestamp() * 1000)


def _plain(value: object) -> Any:  # noqa: ANN401 -- JSON is any
    if is_dataclass(value) and not isinstance(value, type):
        kept = [each.name for each in fields(value) if not each.metadata.get("unhashed")]
        return {name: _plain(getattr(value, name)) for name in kept}
    if isinstance(value, np.ndarray):
        # NaN is no JSON, yet it is what holes are
        return [None if isinstance(each, float) and each != each else each for each in _flat(value)]  # noqa: PLR0124 -- NaN
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if value is None or isinstance(value, str | int | float | bool):
        return value
    return str(value)


def _flat(values: "np.ndarray[Any, Any]") -> list[object]:
    return [*values.shape, *values.ravel().tolist()]
