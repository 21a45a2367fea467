"""From what was told to minutes, quarter-hours and days, bin by bin, as often as anything is new.

Each bin in which a row was written is marked (`aggregator.service.store.tables.rollups_due`). A
roll-up takes the marks of one bin, makes its rows anew out of all that lie below it, and marks the
larger bin around it. So late data go up to the day by themselves, and doing it twice changes
nothing.
"""

from itertools import pairwise
from typing import Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Table,
    and_,
    delete,
    func,
    literal,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from aggregator.service.store.store import Store
from aggregator.service.store.tables import rollups_due, telemetry
from aggregator.service.store.telemetry import ROLLUPS, mark_due

SETTLED_MS: Final = 5_000
"""How long after its end a bin is rolled up: most gateways have spoken by then. [ms]"""
MARKS_MOST: Final = 2_000
"""Marks that are worked off in one transaction."""
_SIZES: Final = tuple(ROLLUPS)
_BELOW: Final = {_SIZES[0]: telemetry} | {size: ROLLUPS[less] for less, size in pairwise(_SIZES)}
_ABOVE: Final = dict(pairwise(_SIZES))


def roll_up(store: Store, *, now_ms: int, most: int = MARKS_MOST) -> int:
    """Roll up all bins that are over; return how many, a home's and a size's counted each.

    Parameters
    ----------
    store : Store
        Where.
    now_ms : int
        The present. [ms]
    most : int
        Marks that are worked off in one transaction, so that nobody waits for long; all of a
        bin's go together.

    Raises
    ------
    StoreUnavailableError
        If the database does not answer; the marks of its transaction stay.
    """
    done = 0
    while found := roll_some(store, now_ms=now_ms, most=most):
        done += found
    return done


def roll_some(store: Store, *, now_ms: int, most: int = MARKS_MOST) -> int:
    """Roll up in one transaction, finest bins first; see `roll_up`."""
    for size_ms in _SIZES:
        found = _roll_next(store, size_ms, now_ms - size_ms - SETTLED_MS, most)
        if found:
            return found
    return 0


def due_since_ms(connection: Connection) -> int | None:
    """Return where the oldest bin starts that waits to be rolled up; None where none does. [ms]"""
    found: int | None = connection.execute(select(func.min(rollups_due.c.start_ms))).scalar()
    return found


def _roll_next(store: Store, size_ms: int, over_ms: int, most: int) -> int:
    """Roll up the oldest marked bins of a size that start no later than ``over_ms``."""
    due = rollups_due.c
    over = and_(due.size_ms == size_ms, due.start_ms <= over_ms)
    starts = select(due.start_ms).where(over).order_by(due.start_ms)
    with store.write() as connection:
        first_ms = connection.execute(starts.limit(1)).scalar()
        if first_ms is None:
            return 0
        beyond_ms = connection.execute(starts.offset(most).limit(1)).scalar()
        last_ms = over_ms if beyond_ms is None else max(first_ms, beyond_ms - 1)
        # PostgreSQL: from here on whoever writes into these bins waits and then marks them anew
        ours = update(rollups_due).where(over, due.start_ms <= last_ms).values(taken=True)
        count = connection.execute(ours).rowcount
        taken = and_(due.size_ms == size_ms, due.taken)
        _make(connection, ROLLUPS[size_ms], _rows(_BELOW[size_ms], size_ms, taken))
        if size_ms in _ABOVE:
            _mark_above(connection, _ABOVE[size_ms], taken)
        connection.execute(delete(rollups_due).where(taken))
    return count


def _mark_above(connection: Connection, above_ms: int, taken: ColumnElement[bool]) -> None:
    due = rollups_due.c
    rows = connection.execute(select(due.start_ms, due.home_number).where(taken))
    bins = {(start_ms // above_ms * above_ms, home) for start_ms, home in rows}
    mark_due(connection, [(above_ms, start_ms, home) for start_ms, home in sorted(bins)])


def _rows(below: Table, size_ms: int, taken: ColumnElement[bool]) -> "Select[tuple[object, ...]]":
    """Return the bin's rows, out of the rows below it of the homes that are marked."""
    due, given = rollups_due.c, below.c
    if below is telemetry:
        covered, last_ms = given.period_ms, given.end_ms
        inside = and_(given.end_ms > due.start_ms, given.end_ms <= due.start_ms + size_ms)
    else:
        covered, last_ms = given.covered_ms, given.last_ms
        inside = and_(given.start_ms >= due.start_ms, given.start_ms < due.start_ms + size_ms)
    newest = func.first_value(given.last).over(
        partition_by=(given.home_number, given.channel_number, due.start_ms),
        order_by=last_ms.desc(),
    )
    each = (
        select(
            given.home_number,
            given.channel_number,
            due.start_ms,
            covered.label("covered_ms"),
            last_ms.label("last_ms"),
            given.low,
            given.high,
            given.mean,
            newest.label("newest"),
        )
        .select_from(rollups_due.join(below, and_(given.home_number == due.home_number, inside)))
        .where(taken)
        .subquery()
    ).c
    whole_ms = func.sum(each.covered_ms)
    return select(
        each.home_number,
        each.channel_number,
        each.start_ms,
        whole_ms,
        func.max(each.last_ms),
        func.min(each.low),
        func.max(each.high),
        func.sum(each.mean * each.covered_ms) / (whole_ms * literal(1.0)),
        func.max(each.newest),
    ).group_by(each.home_number, each.channel_number, each.start_ms)


def _make(connection: Connection, table: Table, rows: "Select[tuple[object, ...]]") -> None:
    """Write a bin's rows over what was there."""
    make = sqlite_insert if connection.dialect.name == "sqlite" else postgres_insert
    statement = make(table).from_select([column.name for column in table.columns], rows)
    kept = [column for column in table.columns if not column.primary_key]
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=list(table.primary_key.columns),
            set_={column.name: statement.excluded[column.name] for column in kept},
        )
    )
