"""What is old goes, each kind after a time of its own.

Days of measurements stay for ever, and so do the books: prices, settlements, revenues, reliability,
and every version of the configuration.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Delete,
    Table,
    and_,
    delete,
    exists,
    func,
    select,
    text,
    tuple_,
)

from aggregator.service.store.rollups import due_since_ms
from aggregator.service.store.store import Store
from aggregator.service.store.tables import (
    alarms,
    answers,
    audit,
    commands,
    homes,
    homes_now,
    papers,
    refusals,
    runs,
    telemetry,
    telemetry_1min,
    telemetry_15min,
)
from aggregator.service.store.telemetry import DAY_MS

_AT_ONCE: Final = 1_000
"""Rows that go in one transaction, so that nobody waits for long."""
_OPEN: Final = ("waiting", "sent", "accepted")
"""States of commands whose end is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionSettings:
    """How long what is kept: the table ``[retention]``.

    Raises
    ------
    ValueError
        If a coarser resolution is kept less long than a finer one, too short for late data, or what
        was done less long than what it was done about.
    """

    raw_days: int = 30
    """What gateways told, 9..3650: they keep a message for a week. [d]"""
    minute_days: int = 90
    """Minutes. [d]"""
    quarter_days: int = 1_830
    """Quarter-hours. [d]"""
    history_days: int = 730
    """What became of things: commands and answers to them, resolved alarms, refused messages, runs
    of the market day's steps and the papers that they made, 30..36500. [d]"""
    audit_days: int = 3_650
    """Who did what; not shorter than ``history_days``. [d]"""

    def __post_init__(self) -> None:
        if not 30 <= self.history_days <= self.audit_days <= 36_500:
            msg = (
                f"history_days, audit_days are {self.history_days}, {self.audit_days}; "
                "give 30 or more, the second at least as long as the first"
            )
            raise ValueError(msg)
        if not 9 <= self.raw_days <= self.minute_days <= self.quarter_days <= 36_500:
            msg = (
                f"raw_days, minute_days, quarter_days are {self.raw_days}, {self.minute_days}, "
                f"{self.quarter_days}; give 9 or more, each at least as long as the one before"
            )
            raise ValueError(msg)

    def accepts_from_ms(self, now_ms: int) -> int:
        """Return the time before which nothing is taken: its bins could not be made anew. [ms]"""
        # a day's bin is made of rows from its whole day
        return now_ms - (self.raw_days - 1) * DAY_MS


def forget_old(store: Store, settings: RetentionSettings, *, now_ms: int) -> Iterator[int]:
    """Delete what is older than it is kept for; yield how many rows went in each transaction.

    What has not been rolled up yet stays, and whatever is open. Time is up when measurements of a
    later time are here: our clock alone, which may be wrong, throws nothing away.

    Raises
    ------
    StoreUnavailableError
        If the database does not answer; what went is gone, the rest goes next time.
    """
    with store.read() as connection:
        due_ms = due_since_ms(connection)
        newest_ms = connection.execute(select(func.max(homes_now.c.end_ms))).scalar()
        numbers = list(connection.execute(select(homes.c.number)).scalars())
    if newest_ms is not None:
        now_ms = min(now_ms, newest_ms)
    tables: tuple[tuple[Table, int], ...] = (
        (telemetry, settings.raw_days),
        (telemetry_1min, settings.minute_days),
        (telemetry_15min, settings.quarter_days),
    )
    for table, days in tables:
        before_ms = (now_ms - days * DAY_MS) // DAY_MS * DAY_MS
        if due_ms is not None:
            before_ms = min(before_ms, due_ms)
        for number in numbers:  # a home at a time: nobody waits long, and the key finds its rows
            yield _forget(store, table, number, before_ms)
        if table is telemetry:
            _drop_chunks(store, before_ms)
    history = _history(now_ms - settings.history_days * DAY_MS)
    told = _some(audit, audit.c.at_ms < now_ms - settings.audit_days * DAY_MS)
    for old in (*history, told):
        gone = _AT_ONCE
        while gone:
            with store.write() as connection:
                gone = connection.execute(old).rowcount
            yield gone


def _forget(store: Store, table: Table, home_number: int, before_ms: int) -> int:
    columns = table.c
    when = columns.end_ms <= before_ms if table is telemetry else columns.start_ms < before_ms
    with store.write() as connection:
        old = delete(table).where(columns.home_number == home_number, when)
        return connection.execute(old).rowcount


def _drop_chunks(store: Store, before_ms: int) -> None:
    """Drop what deletions leave of a hypertable: empty chunks, which every query looks at."""
    with store.write() as connection:
        if connection.dialect.name == "postgresql" and _is_hypertable(connection):
            older = text(
                "SELECT drop_chunks('telemetry', older_than => CAST(:before_ms AS bigint))"
            )
            connection.execute(older, {"before_ms": before_ms})


def _is_hypertable(connection: Connection) -> bool:
    """Return whether TimescaleDB, where there is any, keeps the measurements."""
    view = "timescaledb_information.hypertables"
    if connection.execute(select(func.to_regclass(view))).scalar() is None:
        return False
    ours = text(f"SELECT 1 FROM {view} WHERE hypertable_name = 'telemetry'")  # noqa: S608 -- our words
    return connection.execute(ours).scalar() is not None


def _history(before_ms: int) -> tuple[Delete, ...]:
    """Return what deletes some of each kind that ended before."""
    day = datetime.fromtimestamp(before_ms / 1000, UTC).date().isoformat()
    orders, told, faults, steps = commands.c, answers.c, alarms.c, runs.c
    open_order = exists().where(
        orders.correlation_id == told.correlation_id, orders.state.in_(_OPEN)
    )
    # answers have no index by time, but are numbered as they came
    oldest = select(told.number).order_by(told.number).limit(_AT_ONCE).scalar_subquery()
    run_kept = exists().where(steps.number == papers.c.run_number)
    return (
        _some(commands, and_(orders.asked_ms < before_ms, orders.state.not_in(_OPEN))),
        delete(answers).where(told.number.in_(oldest), told.heard_ms < before_ms, ~open_order),
        _some(
            alarms,
            # the first two find it by an index
            and_(
                faults.state == "resolved",
                faults.raised_ms < before_ms,
                faults.resolved_ms < before_ms,
            ),
        ),
        _some(runs, and_(steps.day < day, steps.ended_ms < before_ms)),
        _some(papers, and_(papers.c.day < day, ~run_kept)),
        _some(refusals, refusals.c.last_ms < before_ms),
    )


def _some(table: Table, old: ColumnElement[bool]) -> Delete:
    """Return what deletes some rows of a table."""
    key = tuple_(*table.primary_key.columns)
    some = select(*table.primary_key.columns).where(old).limit(_AT_ONCE)
    return delete(table).where(key.in_(some))
