"""How often each register was written on each day: memory for flash that wears out."""

import sqlite3
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
        try:
            self._base = sqlite3.connect(":memory:" if path is None else path)
            self._base.execute("PRAGMA journal_mode=WAL")
            self._base.execute(
                "CREATE TABLE IF NOT EXISTS writes (device TEXT, register TEXT, day TEXT,"
                " count INTEGER NOT NULL, PRIMARY KEY (device, register, day)) WITHOUT ROWID"
            )
        except sqlite3.Error as error:
            msg = f"write log {path} cannot be used ({error}); name another file"
            raise DeviceConfigError(msg) from error

    def record(self, device: str, register: str, day: date) -> None:
        """Count one more write."""
        with self._base:
            self._base.execute(
                "INSERT INTO writes VALUES (?, ?, ?, 1)"
                " ON CONFLICT DO UPDATE SET count = count + 1",
                (device, register, day.isoformat()),
            )

    def count(self, device: str, register: str, day: date) -> int:
        """Return how often a register was written on a day."""
        found = self._base.execute(
            "SELECT count FROM writes WHERE device = ? AND register = ? AND day = ?",
            (device, register, day.isoformat()),
        ).fetchone()
        return 0 if found is None else int(found[0])

    def counts(self, device: str, day: date) -> dict[str, int]:
        """Return the writes of a day by register, for those that were written."""
        rows = self._base.execute(
            "SELECT register, count FROM writes WHERE device = ? AND day = ? ORDER BY register",
            (device, day.isoformat()),
        )
        return {str(register): int(count) for register, count in rows}

    def close(self) -> None:
        """Close the file."""
        self._base.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
