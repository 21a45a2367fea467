"""A store in one file, and back: made while the service runs, of one moment, all of it.

SQLite's is a SQLite database; PostgreSQL's a ZIP archive with a text of each table. Either carries
the revision of its tables, so a newer program can take it up and bring it forward.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from sqlalchemy import make_url

from aggregator.service.backup_contents import Contents
from aggregator.service.backup_sqlite import copy_in, copy_out
from aggregator.service.errors import ServiceConfigError
from aggregator.service.settings import ServiceSettings
from aggregator.service.store.store import open_store

_PART: Final = ".part"


def back_up(settings: ServiceSettings, path: Path) -> Contents:
    """Write the store to a file that its owner alone reads.

    The service may run meanwhile and is not held up. The file appears under its name when it is
    whole and on the disk.

    Parameters
    ----------
    settings : ServiceSettings
        Which store.
    path : Path
        The file; not there yet.

    Raises
    ------
    ServiceConfigError
        If the file is there or cannot be written, or there is no store of ours.
    StoreUnavailableError
        If the database does not answer.
    """
    with _whole(path) as part:
        if _is_sqlite(settings):
            return copy_out(_file_of(settings), part)
        from aggregator.service.backup_postgres import write_archive  # noqa: PLC0415 -- an extra

        store = open_store(settings.database_url, password_file=settings.store.password_file)
        try:
            return write_archive(store, part)
        finally:
            store.close()


def restore(settings: ServiceSettings, path: Path) -> Contents:
    """Make a store out of a backup: all of it or nothing; no service may run on it.

    Parameters
    ----------
    settings : ServiceSettings
        Which store: a SQLite file that is not there yet, or an empty PostgreSQL database.
    path : Path
        The backup, of the same kind of database.

    Raises
    ------
    ServiceConfigError
        If the file is no backup of that kind, is damaged or of a newer program, or the store is
        not empty.
    StoreUnavailableError
        If the database does not answer.
    """
    if _is_sqlite(settings):
        target = _file_of(settings)
        settings.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for suffix in ("-wal", "-shm"):
            _refuse_present(target.with_name(target.name + suffix))
        with _whole(target) as part:
            return copy_in(path, part)
    from aggregator.service.backup_postgres import read_archive  # noqa: PLC0415 -- an extra

    store = open_store(settings.database_url, password_file=settings.store.password_file)
    try:
        return read_archive(store, path)
    finally:
        store.close()


def _is_sqlite(settings: ServiceSettings) -> bool:
    return make_url(settings.database_url).drivername == "sqlite"


def _file_of(settings: ServiceSettings) -> Path:
    return Path(make_url(settings.database_url).database or "")


def _refuse_present(path: Path) -> None:
    if path.exists():
        msg = f"{path}: is there already; move it away or name another file"
        raise ServiceConfigError(msg)


@contextmanager
def _whole(path: Path) -> Iterator[Path]:
    """Yield a file to write, which gets its name once it is written and on the disk."""
    _refuse_present(path)
    part = path.with_name(path.name + _PART)
    try:
        part.unlink(missing_ok=True)  # of a run that was killed
        os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        try:
            yield part
            _sync(part)
            part.rename(path)
            _sync(path.parent)
        finally:
            with suppress(FileNotFoundError):
                part.unlink()
    except OSError as error:
        msg = f"{path}: cannot be written ({error.strerror}); check the folder and its room"
        raise ServiceConfigError(msg) from error


def _sync(path: Path) -> None:
    """Return when what was written is on the disk."""
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
