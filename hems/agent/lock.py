"""One agent for one home: a lock in the home's state folder that ends with its process."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from hems.errors import AgentRunningError, StoreError

LOCK_FILE: Final = "agent.lock"
"""Its name in the state folder; it holds the process's number."""

_LOOKED_S: Final = 0.2
"""Whoever only looks whether an agent runs holds the lock for less than this. [s]"""


@contextmanager
def only_agent(folder: Path) -> Iterator[None]:
    """Hold a home's lock; the folder is made where it is missing, for its owner alone.

    The system lets go of the lock when the process ends, however it ends.

    Raises
    ------
    AgentRunningError
        If another process holds it.
    StoreError
        If the folder cannot be used.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        msg = f"state folder {folder} cannot be used ({error.strerror}); name one that is ours"
        raise StoreError(msg) from error
    try:
        _take(handle, folder)
        yield
    finally:
        os.close(handle)


def running_pid(folder: Path) -> int | None:
    """Return the number of the process that holds a home's lock; None if none does."""
    try:
        handle = os.open(folder / LOCK_FILE, os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _pid_in(handle)
    finally:
        os.close(handle)
    return None


def _take(handle: int, folder: Path) -> None:
    if not (_locked(handle) or _locked(handle, pause_s=_LOOKED_S)):
        msg = (
            f"an agent runs for the home of {folder} already (process {_pid_in(handle)}); "
            "stop that one first"
        )
        raise AgentRunningError(msg)
    with suppress(OSError):  # a full disk: the lock holds without the number
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)


def _locked(handle: int, *, pause_s: float = 0.0) -> bool:
    time.sleep(pause_s)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _pid_in(handle: int) -> int | None:
    """Return the number in the file; None where it tells none."""
    text = os.pread(handle, 32, 0).decode(errors="replace").strip()
    return int(text) if text.isdecimal() else None
