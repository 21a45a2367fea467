"""The database: one writer at a time in SQLite, a pool of connections in PostgreSQL."""

import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import (
    ArgumentError,
    DatabaseError,
    InterfaceError,
    InvalidatePoolError,
    OperationalError,
)
from sqlalchemy.pool import ConnectionPoolEntry

from aggregator.service.errors import ServiceConfigError, ServiceError, StoreUnavailableError
from aggregator.service.store.news import StoreNews
from devices.settings import read_secret

_BUSY_S: Final = 30.0
"""How long another process may hold SQLite's lock; ours is held for one batch. [s]"""
_CONNECT_S: Final = 5
"""How long PostgreSQL may take to let us in. [s]"""
_GONE: Final = {  # a computer that is cut off says nothing, and the system would wait for hours
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 4,
    "tcp_user_timeout": 30_000,
}
"""After half a minute without a sign of its computer a connection to PostgreSQL is over."""
_TRUSTED_S: Final = 1.0
"""How long a connection that was not used is still believed in. [s]"""
_NOT_ALLOWED: Final = "42501"
_READ_ONLY: Final = "25006"
_REMEDIES: Final = {
    "full": "make room on its disk",
    "locked": "end the other program that holds it",
}
"""What mends SQLite, by a word of what it says."""
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
    news: StoreNews = field(default_factory=StoreNews)
    """Whether it answers, as whoever used it last saw."""

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
        with self._our_turn(), self._told(writes=True), self._writer.begin() as connection:
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

    @contextmanager
    def look(self) -> Iterator[Connection]:
        """Yield a connection that cannot write, for one query: it begins nothing, so it is quicker.

        Raises
        ------
        StoreUnavailableError
            If the database does not answer.
        """
        if not self.is_postgres:  # where to begin costs nothing
            with self.read() as connection:
                yield connection
            return
        with self._told(), self._reader.connect() as connection:
            yield connection.execution_options(isolation_level="AUTOCOMMIT")

    def ping(self) -> None:
        """Return if the database answers, else raise `StoreUnavailableError`."""
        with self.look() as connection:
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
    def _told(self, *, writes: bool = False) -> Iterator[None]:
        """Turn what the database says into our errors, and tell where it is lost and back."""
        try:
            with self._ours():
                yield
        except StoreUnavailableError as error:
            self.news.lost(str(error), writes=writes)
            raise
        self.news.answered(writes=writes)

    @contextmanager
    def _ours(self) -> Iterator[None]:
        driver: Any = self._writer.dialect.dbapi
        try:
            yield
        except (OperationalError, InterfaceError) as error:
            raise self._unavailable(error.orig or error) from error
        except (driver.OperationalError, driver.InterfaceError) as error:
            raise self._unavailable(error) from error
        except (DatabaseError, driver.DatabaseError) as error:
            known = self._known(getattr(error, "orig", error))
            if known is None:
                raise
            raise known from error

    def _unavailable(self, error: BaseException) -> StoreUnavailableError:
        reason = " ".join(str(error).split())
        remedy = "check that it runs, and user and password"
        if not self.is_postgres:
            known = (each for word, each in _REMEDIES.items() if word in reason)
            remedy = next(known, "check the file and its folder")
        return StoreUnavailableError(f"{self.name} does not answer ({reason}); {remedy}")

    def _known(self, error: BaseException) -> ServiceError | None:
        """Return ours for an error that is about the database; None for one about what we asked."""
        reason = str(error).partition("\n")[0]
        state = getattr(error, "sqlstate", None)
        if state == _READ_ONLY:  # one that follows another, or is held while it is mended
            return self._unavailable(error)
        if state == _NOT_ALLOWED:
            msg = f"{self.name} does not let us ({reason}); make our user the database's owner"
            return ServiceConfigError(msg)
        # SQLite's own kind is about the file, and those below it about what was asked
        if not self.is_postgres and type(error) is sqlite3.DatabaseError:
            msg = f"{self.name} cannot be read ({reason}); restore a backup or name another file"
            return ServiceConfigError(msg)
        return None


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

    def connecting(*_: object) -> None:
        # Members' consumption is nobody else's; the files beside it take the mode of this one.
        # A file that is there is not even opened: to close it would end SQLite's locks on it.
        with suppress(OSError):  # SQLite says it better
            os.close(os.open(str(address.database), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))

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

    if not readonly:
        event.listen(engine, "do_connect", connecting)
    event.listen(engine, "connect", connected)
    event.listen(engine, "begin", begun)
    return engine


def _postgres(address: URL, *, readonly: bool) -> Engine:
    words = "-c timezone=UTC" + (" -c default_transaction_read_only=on" if readonly else "")
    engine = create_engine(
        address,
        connect_args={"connect_timeout": _CONNECT_S, "options": words, **_GONE},
        pool_size=_POOL,
        max_overflow=0,
        isolation_level="REPEATABLE READ" if readonly else "READ COMMITTED",
    )
    _ping_idle(engine)
    return engine


def _ping_idle(engine: Engine) -> None:
    """Let a connection that nobody used for a while be asked whether it still is one.

    To ask each time, as SQLAlchemy does by itself, is a third of what a short request costs.
    """
    driver: Any = engine.dialect.dbapi

    def taken(base: Any, record: ConnectionPoolEntry, _: object) -> None:  # noqa: ANN401 -- the driver's
        used_s = record.info.get("used_s")
        if used_s is None or time.monotonic() - used_s < _TRUSTED_S:
            return
        try:
            engine.dialect.do_ping(base)
        except driver.Error as error:
            raise InvalidatePoolError from error

    def given_back(_: object, record: ConnectionPoolEntry) -> None:
        record.info["used_s"] = time.monotonic()

    event.listen(engine, "checkout", taken)
    event.listen(engine, "checkin", given_back)
