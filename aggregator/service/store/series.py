"""Series out of the store: the database writes their lists as JSON, so that no row is touched here.

A day of minutes is 1,440 rows of six figures. Fetched one by one they cost a request most of its
time, and SQLite gives every other thread a turn at each of them.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from sqlalchemy import BigInteger, Connection, Integer, Select, Text, bindparam, cast, func, select

from aggregator.service.store.tables import homes, telemetry
from aggregator.service.store.telemetry import DAY_MS, ROLLUPS

_FIGURES: Final = ("covered_ms", "mean", "low", "high", "last")
_RANGE: Final = ("home", "channel", "start_ms", "end_ms", "most")


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesLists:
    """A series, oldest first, as JSON arrays with one entry per bin or period; in our signs."""

    count: int
    """Entries of each."""
    start_ms: str
    """Where each begins. [ms]"""
    covered_ms: str
    """How long was measured in each. [ms]"""
    mean: str
    """Means over the time that was measured."""
    low: str
    """Least values."""
    high: str
    """Greatest values."""
    last: str
    """Latest values."""
    next_ms: int | None
    """Where the first begins that there was no room for. [ms]"""


def read_series(
    connection: Connection,
    home: str,
    channel_number: int,
    *,
    start_ms: int,
    end_ms: int,
    size_ms: int | None,
    most: int,
) -> SeriesLists:
    """Return one home's series of one channel; empty also where there is no such home.

    Parameters
    ----------
    connection : Connection
        Of `Store.look` or `Store.read`.
    home : str
        Whose: its id.
    channel_number : int
        Which of `aggregator.service.store.channels.CHANNELS`.
    start_ms, end_ms : int
        From and until; bins and periods that begin there. [ms]
    size_ms : int, optional
        Size of the bins, a key of `ROLLUPS`; None for what was told. [ms]
    most : int
        Entries at most.
    """
    given = dict(zip(_RANGE, (home, channel_number, start_ms, end_ms, most), strict=True))
    arrays, following = series_queries(connection.dialect.name, size_ms)
    count, *lists = connection.execute(arrays, given).one()
    next_ms: int | None = None
    if count == most:
        next_ms = connection.execute(following, given).scalar()
    named = zip(("start_ms", *_FIGURES), lists, strict=True)
    # PostgreSQL makes nothing of no rows, and SQLite an empty list
    return SeriesLists(count=count, next_ms=next_ms, **{name: of or "[]" for name, of in named})


@cache
def series_queries(
    dialect: str, size_ms: int | None
) -> "tuple[Select[*tuple[Any, ...]], Select[*tuple[Any, ...]]]":
    """Return what asks for the lists, and for where the first begins that follows on them.

    Parameters
    ----------
    dialect : str
        ``sqlite`` or ``postgresql``.
    size_ms : int, optional
        Size of the bins; see `read_series`. [ms]
    """
    rows = _raw() if size_ms is None else _binned(size_ms)
    most = bindparam("most", type_=Integer)
    some = rows.limit(most).subquery()
    array = func.json_group_array if dialect == "sqlite" else func.json_agg
    lists = (cast(array(some.c[name]), Text) for name in ("start_ms", *_FIGURES))
    after = rows.with_only_columns(rows.selected_columns.start_ms)
    return select(func.count(), *lists), after.offset(most).limit(1)


def _binned(size_ms: int) -> "Select[*tuple[Any, ...]]":
    """Return a range of the key of a table of bins."""
    columns = ROLLUPS[size_ms].c
    return (
        select(columns.start_ms, *(columns[name] for name in _FIGURES))
        .where(columns.home_number == _NUMBER, columns.channel_number == bindparam("channel"))
        .where(columns.start_ms >= bindparam("start_ms"), columns.start_ms < bindparam("end_ms"))
        .order_by(columns.start_ms)
    )


def _raw() -> "Select[*tuple[Any, ...]]":
    """Return a range of the key of what was told."""
    columns = telemetry.c
    begins_ms = columns.end_ms - columns.period_ms
    figures = (columns[name] for name in _FIGURES[1:])
    return (
        select(begins_ms.label("start_ms"), columns.period_ms.label("covered_ms"), *figures)
        .where(columns.home_number == _NUMBER, columns.channel_number == bindparam("channel"))
        # the key is by end: the second bound keeps the search within a day of the first
        .where(columns.end_ms > bindparam("start_ms"))
        .where(columns.end_ms <= bindparam("end_ms", type_=BigInteger) + DAY_MS)
        .where(begins_ms >= bindparam("start_ms"), begins_ms < bindparam("end_ms"))
        .order_by(columns.end_ms)
    )


_NUMBER: Final = select(homes.c.number).where(homes.c.id == bindparam("home")).scalar_subquery()
