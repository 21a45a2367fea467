"""The service's folder, and what may run once in it: a lock for each part, as long as it runs."""

import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from aggregator.service.errors import ServiceConfigError


def make_folder(folder: Path) -> None:
    """Make the service's folder for its owner alone, where it is missing.

    Raises
    ------
    ServiceConfigError
        If it cannot be made.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        msg = f"{folder}: cannot be made ({error.strerror}); name another with --folder"
        raise ServiceConfigError(msg) from error


@contextmanager
def only_ones(folder: Path, parts: Iterable[str]) -> Iterator[None]:
    """Hold the locks of parts; the folder is made where it is missing, for its owner alone.

    The system lets go of them when the process ends, however it ends.

    Parameters
    ----------
    folder : Path
        The service's folder.
    parts : iterable of str
        Their names, which are files' in the folder.

    Raises
    ------
    ServiceConfigError
        If another process holds one, or the folder cannot be used.
    """
    make_folder(folder)
    with ExitStack() as held:
        for part in parts:
            handle = _opened(folder / f"{part}.lock")
            held.callback(os.close, handle)
            _take(handle, part, folder)
        yield


def _opened(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        msg = f"{path}: cannot be written ({error.strerror}); check the folder and its owner"
        raise ServiceConfigError(msg) from error


def _take(handle: int, part: str, folder: Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = os.pread(handle, 32, 0).decode(errors="replace").strip()
        msg = (
            f"{part} runs in {folder} already (process {holder}); "
            "stop that one, or name another --folder"
        )
        raise ServiceConfigError(msg) from error
    with suppress(OSError):  # a full disk: the lock holds without the number
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
