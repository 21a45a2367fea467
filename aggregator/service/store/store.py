"""The database: one writer at a time in SQLite, a pool of connections in PostgreSQL."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, InterfaceError, OperationalError

from aggregator.service.errors import ServiceConfigError, StoreUnavailableError
from devices.settings import read_secret

_BUSY_S: Final = 30.0
"""How long another process may hold SQLite's lock; ours is held for one batch. [s]"""
_CONNECT_S: Final = 5
"""How long PostgreSQL may take to let us in. [s]"""
_POOL: Final = 16
"""Connections that are kept, for requests at the same time."""


@dataclass(frozen=True, slots=True)
class Store:
    """A database of the service's tables; safe to use from several threads.

    Use `open_store`.
    """

    _writer: Engine
    _reader: Engine
    _turn: "threading.Lock | None" = field(default_factory=threading.Lock)

    @property
    def is_postgres(self) -> bool:
        """Whether it is PostgreSQL, else SQLite."""
        return self._writer.dialect.name == "postgresql"

    @property
    def name(self) -> str:
        """What messages call it; without its password."""
        url = self._writer.url
        return f"database {url.host}/{url.database}" if self.is_postgres else f"{url.database}"

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Yield a connection in a transaction that is committed, on the disk, at the end.

        Raises
        ------
        StoreUnavailableError
            If the database does not answer; nothing was kept, as far as can be known.
        """
        with self._our_turn(), self._told(), self._writer.begin() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Yield a connection that sees one moment and cannot write.

        Raises
        ------
        StoreUnavailableError
            If the database does not answer.
        """
        with self._told(), self._reader.connect() as connection, connection.begin():
            yield connection

    def ping(self) -> None:
        """Return if the database answers, else raise `StoreUnavailableError`."""
        with self.read() as connection:
            connection.execute(text("SELECT 1"))

    def close(self) -> None:
        """Let go of every connection."""
        self._writer.dispose()
        self._reader.dispose()

    @contextmanager
    def _our_turn(self) -> Iterator[None]:
        # SQLite's own waiting is a poll that lets the busiest thread win
        if self._turn is None:
            yield
            return
        with self._turn:
            yield

    @contextmanager
    def _told(self) -> Iterator[None]:
        driver: Any = self._writer.dialect.dbapi
        try:
            yield
        except (OperationalError, InterfaceError) as error:
            raise self._unavailable(error.orig or error) from error
        except (driver.OperationalError, driver.InterfaceError) as error:
            raise self._unavailable(error) from error

    def _unavailable(self, error: BaseException) -> StoreUnavailableError:
        reason = " ".join(str(error).split())
        return StoreUnavailableError(f"{self.name} does not answer ({reason}); is it running?")


def open_store(url: str, *, password_file: Path | None = None) -> Store:
    """Return a store; the database is first spoken to when it is used.

    Parameters
    ----------
    url : str
        ``sqlite:///FILE`` or ``postgresql://USER@HOST/DATABASE``.
    password_file : Path, optional
        File with PostgreSQL's password on its first line, readable by its owner only.

    Raises
    ------
    ServiceConfigError
        If it is no such address.
    DeviceConfigError
        If the password cannot be read.
    """
    try:
        address = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise _not_ours(url) from error
    if address.drivername == "sqlite" and address.database:
        return Store(_sqlite(address, readonly=False), _sqlite(address, readonly=True))
    if address.drivername in {"postgresql", "postgresql+psycopg"}:
        address = address.set(drivername="postgresql+psycopg")
        if password_file is not None:
            address = address.set(password=read_secret(password_file))
        return Store(_postgres(address, readonly=False), _postgres(address, readonly=True), None)
    raise _not_ours(url)


def _not_ours(url: str) -> ServiceConfigError:
    shown = url.rpartition("@")[2]  # never a password
    msg = f"[store] url is {shown!r}; give sqlite:///FILE or postgresql://USER@HOST/DATABASE"
    return ServiceConfigError(msg)


def _sqlite(address: URL, *, readonly: bool) -> Engine:
    engine = create_engine(
        address, connect_args={"timeout": _BUSY_S}, pool_size=_POOL, max_overflow=0
    )

    def connected(base: sqlite3.Connection, _: object) -> None:
        base.isolation_level = None  # transactions begin where we say
        for pragma in (
            "journal_mode = WAL",
            "synchronous = FULL",  # what was committed survives a power cut
            "foreign_keys = ON",
            "cache_size = -65536",
            f"query_only = {'ON' if readonly else 'OFF'}",
        ):
            base.execute(f"PRAGMA {pragma}")

    def begun(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN" if readonly else "BEGIN IMMEDIATE")

    event.listen(engine, "connect", connected)
    event.listen(engine, "begin", begun)
    return engine


def _postgres(address: URL, *, readonly: bool) -> Engine:
    words = "-c timezone=UTC" + (" -c default_transaction_read_only=on" if readonly else "")
    return create_engine(
        address,
        connect_args={"connect_timeout": _CONNECT_S, "options": words},
        pool_size=_POOL,
        max_overflow=0,
        pool_pre_ping=True,
        isolation_level="REPEATABLE READ" if readonly else "READ COMMITTED",
    )
