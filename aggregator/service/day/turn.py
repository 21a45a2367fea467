"""One step at a time, whichever process runs it: steps go on from each other's rows."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from threading import Lock
from typing import Final

from sqlalchemy import func, select

from aggregator.service.day.errors import StepConflictError
from aggregator.service.errors import StoreUnavailableError
from aggregator.service.store.store import Store

WAIT_S: Final = 120.0
"""How long a step waits for the one that is under way; a plan takes `time_limit_s` at most. [s]"""
_LOCK: Final = 5_102_018
"""Who runs steps in a PostgreSQL database; any number that nobody else uses."""
_LOOK_S: Final = 0.1
_IN_PROCESS: Final = Lock()


@contextmanager
def turn(store: Store, *, wait_s: float = WAIT_S) -> Iterator[None]:
    """Hold the only right to run steps of a store's days; it ends with the process that has it.

    So a run that is written down as under way, and is not ours, was killed.

    Parameters
    ----------
    store : Store
        The database.
    wait_s : float
        How long to wait for another. [s]

    Raises
    ------
    StepConflictError
        If others ran steps all that time.
    StoreUnavailableError
        If the database does not answer.
    """
    until_s = time.monotonic() + wait_s
    if not _IN_PROCESS.acquire(timeout=wait_s):
        raise _taken(wait_s)
    try:
        with (_in_postgres if store.is_postgres else _in_sqlite)(store, until_s, wait_s):
            yield
    finally:
        _IN_PROCESS.release()


@contextmanager
def _in_postgres(store: Store, until_s: float, wait_s: float) -> Iterator[None]:
    with store.write() as connection:
        while not connection.scalar(select(func.pg_try_advisory_xact_lock(_LOCK))):
            if time.monotonic() >= until_s:
                raise _taken(wait_s)
            time.sleep(_LOOK_S)
        yield


@contextmanager
def _in_sqlite(store: Store, until_s: float, wait_s: float) -> Iterator[None]:
    """Lock a file beside the database: its own lock would keep the ingest waiting."""
    file = f"{store.name}-turn"
    left_s = max(until_s - time.monotonic(), 0.0)
    try:
        base = sqlite3.connect(file, timeout=left_s, isolation_level=None, check_same_thread=False)
    except sqlite3.Error as error:
        raise _unusable(file, error) from error
    with closing(base):
        try:
            base.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
                raise _taken(wait_s) from error
            raise _unusable(file, error) from error
        yield


def _taken(wait_s: float) -> StepConflictError:
    msg = f"others ran steps for all of {wait_s:g} s; run this one again"
    return StepConflictError(msg)


def _unusable(file: str, error: sqlite3.Error) -> StoreUnavailableError:
    return StoreUnavailableError(
        f"{file} cannot be locked ({error}); check the file and its folder"
    )
