"""A PostgreSQL store as an archive: each table's COPY text, seen at one moment."""

import json
import zipfile
import zlib
from pathlib import Path
from typing import Any, Final

import psycopg
from sqlalchemy import Connection, MetaData, inspect, text

from aggregator.service.backup_contents import Contents
from aggregator.service.errors import ServiceConfigError
from aggregator.service.store.migrate import is_known, migrate, revision_of
from aggregator.service.store.store import Store

_MANIFEST: Final = "manifest.json"
_FORMAT: Final = 1
_BLOCK: Final = 1 << 20
_VERSION: Final = "alembic_version"
_DAMAGE: Final = (
    *(zipfile.BadZipFile, zlib.error, EOFError, psycopg.DatabaseError),
    *(KeyError, TypeError, AttributeError, ValueError),
)
"""What an archive that is damaged, or none of ours, comes to."""


def write_archive(store: Store, part: Path) -> Contents:
    """Write all tables as of one moment.

    Parameters
    ----------
    store : Store
        Of PostgreSQL; may be in use.
    part : Path
        Where to; an empty file.

    Raises
    ------
    ServiceConfigError
        If there are no tables of ours.
    StoreUnavailableError
        If the database does not answer.
    """
    with (
        store.read() as connection,
        zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
    ):
        revision = revision_of(connection)
        if revision is None:
            msg = f"{store.name} has no tables of ours; name the service's own"
            raise ServiceConfigError(msg)
        columns = _tables(connection)
        rows = {name: _copy_out(connection, archive, name, of) for name, of in columns.items()}
        manifest = {
            "format": _FORMAT,
            "revision": revision,
            "tables": [
                {"name": name, "columns": of, "rows": rows[name]} for name, of in columns.items()
            ],
            "sequences": _sequences(connection),
        }
        archive.writestr(_MANIFEST, json.dumps(manifest, indent=1))
    return Contents(revision=revision, rows=rows)


def read_archive(store: Store, path: Path) -> Contents:
    """Fill an empty database.

    Parameters
    ----------
    store : Store
        Of PostgreSQL.
    path : Path
        The archive.

    Raises
    ------
    ServiceConfigError
        If it is no such archive, is damaged or of a newer program, or the database is not empty.
    StoreUnavailableError
        If the database does not answer.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            manifest = _manifest(archive, path)
            _refuse_full(store)
            migrate(store, manifest["revision"])
            with store.write() as connection:
                rows = {
                    table["name"]: _copy_in(connection, archive, table)
                    for table in manifest["tables"]
                }
                for name, last in manifest["sequences"].items():
                    connection.execute(
                        text("SELECT setval(CAST(:name AS regclass), :last)"),
                        {"name": name, "last": last},
                    )
    except ServiceConfigError:
        raise
    except _DAMAGE as error:
        why = " ".join(str(error).split())
        msg = f"{path}: is no whole backup of PostgreSQL ({why}); name another"
        raise ServiceConfigError(msg) from error
    except OSError as error:
        msg = f"{path}: cannot be read ({error.strerror}); name another"
        raise ServiceConfigError(msg) from error
    return Contents(revision=manifest["revision"], rows=rows)


def _manifest(archive: zipfile.ZipFile, path: Path) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads(archive.read(_MANIFEST))
    if manifest["format"] != _FORMAT or not is_known(manifest["revision"]):
        msg = f"{path}: is of a newer program ({manifest['revision']}); restore it with that"
        raise ServiceConfigError(msg)
    return manifest


def _tables(connection: Connection) -> dict[str, list[str]]:
    """Return tables with their columns, whoever is referred to first."""
    found = MetaData()
    found.reflect(connection)
    return {
        table.name: [column.name for column in table.columns]
        for table in found.sorted_tables
        if table.name != _VERSION
    }


def _sequences(connection: Connection) -> dict[str, int]:
    query = (
        "SELECT sequencename, last_value FROM pg_sequences "
        "WHERE schemaname = current_schema() AND last_value IS NOT NULL ORDER BY 1"
    )
    return {row.sequencename: row.last_value for row in connection.execute(text(query))}


def _copy_out(
    connection: Connection, archive: zipfile.ZipFile, name: str, columns: list[str]
) -> int:
    """Write a table's text and return how many rows it has."""
    # of a query: a hypertable's own COPY tells nothing
    query = f'SELECT {_names(columns)} FROM "{name}"'  # noqa: S608 -- as the database says
    rows = 0
    with (
        archive.open(_entry(name), "w", force_zip64=True) as entry,
        _driver(connection).cursor().copy(f"COPY ({query}) TO STDOUT") as copy,
    ):
        for block in copy:
            rows += bytes(block).count(b"\n")  # those of values are escaped
            entry.write(block)
    return rows


def _copy_in(connection: Connection, archive: zipfile.ZipFile, table: dict[str, Any]) -> int:
    """Fill a table and return how many rows it has."""
    name, columns = table["name"], table["columns"]
    cursor = _driver(connection).cursor()
    with (
        archive.open(_entry(name)) as entry,
        cursor.copy(f'COPY "{name}" ({_names(columns)}) FROM STDIN') as copy,
    ):
        while block := entry.read(_BLOCK):
            copy.write(block)
    if cursor.rowcount != table["rows"]:
        msg = f"{name} has {cursor.rowcount} rows instead of {table['rows']}"
        raise ValueError(msg)
    return int(cursor.rowcount)


def _refuse_full(store: Store) -> None:
    with store.read() as connection:
        for name in inspect(connection).get_table_names():
            if name == _VERSION:
                continue
            found = connection.exec_driver_sql(f'SELECT 1 FROM "{name}" LIMIT 1')  # noqa: S608 -- as the database says
            if found.first() is not None:
                msg = f"{store.name} is not empty ({name} has rows); restore into an empty database"
                raise ServiceConfigError(msg)


def _entry(name: str) -> str:
    return f"tables/{name}.copy"


def _names(columns: list[str]) -> str:
    return ", ".join(f'"{column}"' for column in columns)


def _driver(connection: Connection) -> Any:  # noqa: ANN401 -- psycopg's
    return connection.connection.driver_connection
