"""SQLite's own online backup: a copy of one moment that holds no writer up."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from aggregator.service.backup_contents import Contents
from aggregator.service.errors import ServiceConfigError, StoreUnavailableError
from aggregator.service.store.migrate import is_known

_BUSY_S: Final = 30.0
_VERSION: Final = "alembic_version"


def copy_out(source: Path, part: Path) -> Contents:
    """Copy a store that may be in use.

    Parameters
    ----------
    source : Path
        The store's file.
    part : Path
        Where to; an empty file.

    Raises
    ------
    ServiceConfigError
        If it is none of ours.
    StoreUnavailableError
        If it cannot be read.
    """
    with _readable(source), closing(_opened(source)) as base, closing(_opened(part)) as copy:
        _contents(base, source)
        base.backup(copy)
        # alone in its folder it must be readable without a log beside it
        copy.execute("PRAGMA journal_mode = DELETE")
        return _contents(copy, source)


def copy_in(backup: Path, part: Path) -> Contents:
    """Copy a backup into a new store.

    Parameters
    ----------
    backup : Path
        The file.
    part : Path
        Where to; an empty file.

    Raises
    ------
    ServiceConfigError
        If it is no backup of SQLite, is damaged, or of a newer program.
    """
    try:
        with closing(_opened(backup)) as base, closing(_opened(part)) as copy:
            found = _contents(base, backup)
            ((verdict,),) = base.execute("PRAGMA integrity_check(1)").fetchall()
            if verdict != "ok":
                raise _damaged(backup, verdict)
            if not is_known(found.revision):
                msg = f"{backup}: is of a newer program ({found.revision}); restore it with that"
                raise ServiceConfigError(msg)
            base.backup(copy)
            return found
    except sqlite3.Error as error:
        raise _damaged(backup, str(error)) from error


def _damaged(path: Path, why: str) -> ServiceConfigError:
    return ServiceConfigError(f"{path}: is no whole backup of SQLite ({why}); name another")


def _opened(path: Path) -> sqlite3.Connection:
    # never makes a file where none is
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=_BUSY_S, isolation_level=None
    )


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        msg = f"{path} cannot be read ({error}); name the service's own file and folder"
        raise StoreUnavailableError(msg) from error


def _contents(base: sqlite3.Connection, path: Path) -> Contents:
    names = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    tables = sorted(name for (name,) in base.execute(names))
    if _VERSION not in tables:
        msg = f"{path}: has no tables of ours; name a store or a backup of one"
        raise ServiceConfigError(msg)
    ((revision,),) = base.execute(f"SELECT version_num FROM {_VERSION}").fetchall()  # noqa: S608 -- our own name
    rows = {
        name: base.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]  # noqa: S608 -- as the file says
        for name in tables
        if name != _VERSION
    }
    return Contents(revision=revision, rows=rows)
