"""The gateway's memory: one SQLite file that survives kill -9 at any instant.

Whoever keeps something there has tables of its own and makes them with `Store.create`. Only the
event loop's thread uses it.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from hems.errors import StoreError

LOCKED_S: Final = 0.2
"""How long somebody else's lock on the file is waited for: the devices wait meanwhile. [s]"""


class Store:
    """Open or make the file, readable by its owner alone.

    Parameters
    ----------
    path : Path, optional
        The file; None keeps everything in memory, for tests and dry runs.

    Raises
    ------
    StoreError
        If the file cannot be opened or is none of ours.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        """Its file; None where it is in memory."""
        self._where = "memory" if path is None else str(path)
        with self._usable():
            if path is not None:
                path.touch(mode=0o600)
            self._base = sqlite3.connect(path or ":memory:", isolation_level=None, timeout=LOCKED_S)
            self._base.execute("PRAGMA journal_mode = WAL")
            # A power cut may cost the last transactions, a killed process none: an SD card lives
            # longer when it is not waited for. Whoever needs more asks for `wait`.
            self._base.execute("PRAGMA synchronous = NORMAL")

    def create(self, schema: str) -> None:
        """Make tables that are missing; ``schema`` says ``IF NOT EXISTS``."""
        with self._usable():
            self._base.executescript(schema)

    @contextmanager
    def transaction(self, *, wait: bool = False) -> Iterator[sqlite3.Connection]:
        """Do all of a block's changes or none.

        Parameters
        ----------
        wait : bool
            Whether a power cut right after the block must not undo it either.

        Raises
        ------
        StoreError
            If they cannot be written, such as on a full disk; nothing of the block stands then.
        """
        with self._usable():
            if wait:
                self._base.execute("PRAGMA synchronous = FULL")
            self._base.execute("BEGIN IMMEDIATE")
            try:
                yield self._base
            except BaseException:
                self._base.rollback()
                raise
            else:
                self._base.commit()
            finally:
                if self._base.in_transaction:  # the commit itself failed
                    self._base.rollback()
                if wait:
                    self._base.execute("PRAGMA synchronous = NORMAL")

    def rows(self, question: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Return the answer to a query."""
        with self._usable():
            return self._base.execute(question, values).fetchall()

    def close(self) -> None:
        """Let go of the file."""
        with self._usable():
            self._base.close()

    @contextmanager
    def _usable(self) -> Iterator[None]:
        """Turn SQLite's and the system's refusals into ours."""
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            msg = (
                f"state file {self._where}: {error}; see that the disk is there, ours and not full"
            )
            raise StoreError(msg) from error
