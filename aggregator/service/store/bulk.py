"""Many rows at once, the quick way of each database."""

import struct
from collections.abc import Sequence
from functools import cache
from itertools import chain
from typing import Any, Final

import numpy as np
from msgspec import json
from sqlalchemy import Connection, Table
from sqlalchemy.types import BigInteger, Boolean, Float, Integer, SmallInteger

Row = tuple[Any, ...]
"""Values in the order of the table's columns."""

_ARRAY_OF: Final = (
    (SmallInteger, "smallint"),
    (BigInteger, "bigint"),
    (Integer, "integer"),
    (Float, "double precision"),
    (Boolean, "boolean"),
)
_BINARY_OF: Final = {
    "smallint": ">i2",
    "bigint": ">i8",
    "integer": ">i4",
    "double precision": ">f8",
}
_COPY_HEAD: Final = b"PGCOPY\n\xff\r\n\0" + struct.pack("!ii", 0, 0)
_COPY_END: Final = struct.pack("!h", -1)
_VALUES_MOST: Final = 999
"""Values in one statement that every SQLite takes."""


def insert_rows(connection: Connection, table: Table, rows: Sequence[Row], then: str) -> int:
    """Insert rows, or do what ``then`` says where their key is there; return how many it touched.

    Parameters
    ----------
    connection : Connection
        In a transaction of `Store.write`.
    table : Table
        Where to.
    rows : sequence of tuple
        All of its columns; no key twice.
    then : str
        The end of the statement, such as ``ON CONFLICT DO NOTHING``.
    """
    if not rows:
        return 0
    names = ", ".join(column.name for column in table.columns)
    driver = _driver_of(connection)
    head = f"INSERT INTO {table.name} ({names})"
    if connection.dialect.name == "sqlite":
        return _insert_sqlite(driver, head, then, rows)
    kinds = [_array_of(column.type) for column in table.columns]
    arrays = ", ".join(f"%s::{kind}[]" for kind in kinds)
    columns = [_array(kind, of) for kind, of in zip(kinds, zip(*rows, strict=True), strict=True)]
    statement = f"{head} SELECT * FROM unnest({arrays}) {then}"  # noqa: S608 -- our own names
    return int(driver.execute(statement, columns).rowcount)


def copy_rows(connection: Connection, table: Table, rows: Sequence[Row]) -> int:
    """Insert very many rows and return how many; those whose key is there already are left out.

    Parameters
    ----------
    connection : Connection
        In a transaction of `Store.write`.
    table : Table
        Where to.
    rows : sequence of tuple
        All of its columns; numbers, none of them missing.
    """
    if connection.dialect.name == "sqlite":
        return insert_rows(connection, table, rows, "ON CONFLICT DO NOTHING")
    cursor = _driver_of(connection).cursor()
    # COPY itself refuses a key that is there
    cursor.execute(
        f"CREATE TEMP TABLE IF NOT EXISTS {table.name}_coming (LIKE {table.name}) "
        "ON COMMIT DELETE ROWS"
    )
    with cursor.copy(f"COPY {table.name}_coming FROM STDIN (FORMAT binary)") as copy:
        copy.write(binary_rows(table, rows))
    cursor.execute(
        f"INSERT INTO {table.name} SELECT * FROM {table.name}_coming ON CONFLICT DO NOTHING"  # noqa: S608 -- our own names
    )
    return int(cursor.rowcount)


def binary_rows(table: Table, rows: Sequence[Row]) -> bytes:
    """Return rows of numbers as PostgreSQL's binary COPY takes them.

    Parameters
    ----------
    table : Table
        Whose columns they are.
    rows : sequence of tuple
        All of its columns; numbers, none of them missing.
    """
    kinds = [(each.name, np.dtype(_BINARY_OF[_array_of(each.type)])) for each in table.columns]
    given = np.array(rows, dtype=kinds)
    sized = [part for name, kind in kinds for part in ((f"{name} size", ">i4"), (name, kind))]
    whole = np.empty(len(rows), dtype=[("columns", ">i2"), *sized])
    whole["columns"] = len(kinds)
    for name, kind in kinds:
        whole[f"{name} size"], whole[name] = kind.itemsize, given[name]
    return b"".join((_COPY_HEAD, whole.tobytes(), _COPY_END))


def _insert_sqlite(driver: Any, head: str, then: str, rows: Sequence[Row]) -> int:  # noqa: ANN401 -- sqlite3's
    """Insert many rows with each statement: between any two of them another thread has its turn."""
    width = len(rows[0])
    at_once = _VALUES_MOST // width
    whole = len(rows) // at_once * at_once
    many = _statement(head, then, width, at_once)
    count = 0
    for first in range(0, whole, at_once):
        values = list(chain.from_iterable(rows[first : first + at_once]))
        count += driver.execute(many, values).rowcount
    if whole < len(rows):
        count += driver.executemany(_statement(head, then, width, 1), rows[whole:]).rowcount
    return count


@cache
def _statement(head: str, then: str, width: int, rows: int) -> str:
    marks = ", ".join("?" * width)
    return f"{head} VALUES {', '.join([f'({marks})'] * rows)} {then}"


def _driver_of(connection: Connection) -> Any:  # noqa: ANN401 -- sqlite3's or psycopg's
    return connection.connection.driver_connection


def _array(kind: str, values: Sequence[object]) -> object:
    """Return an array as psycopg takes it; of anything but texts in PostgreSQL's own words."""
    # psycopg turns each value by itself, which costs more than the statement
    if kind == "text":
        return list(values)
    return f"{{{json.encode(values)[1:-1].decode()}}}"


def _array_of(kind: object) -> str:
    for each, name in _ARRAY_OF:
        if isinstance(kind, each):
            return name
    return "text"
