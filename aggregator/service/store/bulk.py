"""Many rows at once, the quick way of each database."""

from collections.abc import Sequence
from typing import Any, Final

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
        marks = ", ".join("?" * len(table.columns))
        return int(driver.executemany(f"{head} VALUES ({marks}) {then}", rows).rowcount)
    arrays = ", ".join(f"%s::{_array_of(column.type)}[]" for column in table.columns)
    columns = [list(values) for values in zip(*rows, strict=True)]
    statement = f"{head} SELECT * FROM unnest({arrays}) {then}"  # noqa: S608 -- our own names
    return int(driver.execute(statement, columns).rowcount)


def copy_rows(connection: Connection, table: Table, rows: Sequence[Row], line: str) -> int:
    """Insert very many rows and return how many; those whose key is there already are left out.

    Parameters
    ----------
    connection : Connection
        In a transaction of `Store.write`.
    table : Table
        Where to.
    rows : sequence of tuple
        All of its columns; numbers.
    line : str
        Turns a row into a line of PostgreSQL's COPY by ``%``.
    """
    if connection.dialect.name == "sqlite":
        return insert_rows(connection, table, rows, "ON CONFLICT DO NOTHING")
    cursor = _driver_of(connection).cursor()
    # COPY itself refuses a key that is there
    cursor.execute(
        f"CREATE TEMP TABLE IF NOT EXISTS {table.name}_coming (LIKE {table.name}) "
        "ON COMMIT DELETE ROWS"
    )
    with cursor.copy(f"COPY {table.name}_coming FROM STDIN") as copy:
        copy.write("".join([line % row for row in rows]))
    cursor.execute(
        f"INSERT INTO {table.name} SELECT * FROM {table.name}_coming ON CONFLICT DO NOTHING"  # noqa: S608 -- our own names
    )
    return int(cursor.rowcount)


def _driver_of(connection: Connection) -> Any:  # noqa: ANN401 -- sqlite3's or psycopg's
    return connection.connection.driver_connection


def _array_of(kind: object) -> str:
    for each, name in _ARRAY_OF:
        if isinstance(kind, each):
            return name
    return "text"
