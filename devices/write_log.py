"""How often each register was written on each day: memory for flash that wears out."""

import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Self

from devices.errors import DeviceConfigError


class WriteLog:
    """Count writes by device, register and day (UTC); survives a restart where it has a file.

    Parameters
    ----------
    path : Path, optional
        SQLite file, made if it is missing; None counts in memory.

    Raises
    ------
    DeviceConfigError
        If the file cannot be opened or is none of ours.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        """Its file; None where it counts in memory."""
        with self._usable():
            self._base = sqlite3.connect(":memory:" if path is None else path)
            self._base.execute("PRAGMA journal_mode=WAL")
            # Waiting for the disk took two thirds of a set-point's way to its device. A killed
            # process loses no count so; a power cut the last few.
            self._base.execute("PRAGMA synchronous=NORMAL")
            self._base.execute(
                "CREATE TABLE IF NOT EXISTS writes (device TEXT, register TEXT, day TEXT,"
                " count INTEGER NOT NULL, PRIMARY KEY (device, register, day)) WITHOUT ROWID"
            )
            self._base.execute(
                "CREATE TABLE IF NOT EXISTS claims"
                " (number INTEGER PRIMARY KEY AUTOINCREMENT, device TEXT, word TEXT)"
            )

    def record(self, device: str, register: str, day: date) -> None:
        """Count one more write.

        Raises
        ------
        DeviceConfigError
            If the file cannot be written, such as on a full disk.
        """
        with self._usable(), self._base:
            self._base.execute(
                "INSERT INTO writes VALUES (?, ?, ?, 1)"
                " ON CONFLICT DO UPDATE SET count = count + 1",
                (device, register, day.isoformat()),
            )

    def count(self, device: str, register: str, day: date) -> int:
        """Return how often a register was written on a day."""
        with self._usable():
            found = self._base.execute(
                "SELECT count FROM writes WHERE device = ? AND register = ? AND day = ?",
                (device, register, day.isoformat()),
            ).fetchone()
        return 0 if found is None else int(found[0])

    def counts(self, device: str, day: date) -> dict[str, int]:
        """Return the writes of a day by register, for those that were written."""
        with self._usable():
            rows = self._base.execute(
                "SELECT register, count FROM writes WHERE device = ? AND day = ? ORDER BY register",
                (device, day.isoformat()),
            ).fetchall()
        return {str(register): int(count) for register, count in rows}

    def claim(self, device: str) -> str:
        """Return a new word for whoever steers a device from now on, above those before."""
        word = secrets.token_hex(8)
        with self._usable(), self._base:
            self._base.execute("INSERT INTO claims (device, word) VALUES (?, ?)", (device, word))
        return word

    def unclaim(self, device: str, word: str) -> None:
        """Strike a word: whoever claimed the device before is in charge again."""
        with self._usable(), self._base:
            self._base.execute("DELETE FROM claims WHERE device = ? AND word = ?", (device, word))

    def claimed(self, device: str) -> str | None:
        """Return the word of whoever is in charge of a device; None if nobody is."""
        with self._usable():
            found = self._base.execute(
                "SELECT word FROM claims WHERE device = ? ORDER BY number DESC LIMIT 1", (device,)
            ).fetchone()
        return None if found is None else str(found[0])

    @contextmanager
    def _usable(self) -> Iterator[None]:
        """Say what is wrong with the file, in the package's own words."""
        try:
            yield
        except sqlite3.Error as error:
            msg = f"write log {self.path} cannot be used ({error}); mend it or name another file"
            raise DeviceConfigError(msg) from error

    def close(self) -> None:
        """Close the file."""
        self._base.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
