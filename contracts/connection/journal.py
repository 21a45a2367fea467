"""Transactions that are signed and not known to be in a block, kept on disk until they are.

A transaction is written here before it is sent for the first time. A process that is killed at any
moment finds it again and sends the same bytes: a chain takes the same bytes once.
"""

import json
import os
import sqlite3
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

from contracts.errors_connection import JournalError

_TABLE = """
CREATE TABLE IF NOT EXISTS attempt (
    place INTEGER PRIMARY KEY,
    chain_id INTEGER NOT NULL,
    sender TEXT NOT NULL,
    nonce INTEGER NOT NULL,
    hash BLOB NOT NULL UNIQUE,
    raw BLOB NOT NULL,
    fields TEXT NOT NULL
)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """Describe a signed transaction; with a raised fee the same one is another attempt."""

    chain_id: int
    """Number of the chain (EIP-155)."""
    sender: str
    """Account that signed it."""
    nonce: int
    """Its place among the sender's transactions."""
    transaction_hash: bytes
    """Hash of `raw`."""
    raw: bytes = field(repr=False)
    """What is sent."""
    fields: dict[str, Any]
    """What was signed, by JSON-RPC's names, ``data`` as hexadecimal digits."""


class Journal:
    """Keep attempts in one SQLite file, each on the disk before `add` returns.

    Any thread may use it. Without a file they are kept as long as the process lives.
    """

    def __init__(self, path: Path | None = None) -> None:
        """Open or create the journal at ``path``, readable by its owner alone.

        Raises
        ------
        JournalError
            If the file is no journal or cannot be written.
        """
        self._where = str(path or "in memory")
        self._lock = Lock()
        with self._ours():
            if path is not None:
                _make_private(path)
            # One connection in autocommit: each statement is a transaction of its own.
            self._base = sqlite3.connect(
                path or ":memory:", check_same_thread=False, isolation_level=None
            )
            weakref.finalize(self, self._base.close)
            self._base.execute("PRAGMA journal_mode = WAL")
            self._base.execute(_TABLE)

    def add(self, attempt: Attempt) -> None:
        """Write ``attempt``; it survives a crash from here on."""
        row = (
            attempt.chain_id,
            attempt.sender,
            attempt.nonce,
            attempt.transaction_hash,
            attempt.raw,
            json.dumps(attempt.fields),
        )
        columns = "chain_id, sender, nonce, hash, raw, fields"
        self._do(f"INSERT INTO attempt ({columns}) VALUES (?, ?, ?, ?, ?, ?)", row)  # noqa: S608 -- our own words

    def drop(self, transaction_hash: bytes) -> None:
        """Forget one attempt, which no node has."""
        self._do("DELETE FROM attempt WHERE hash = ?", (transaction_hash,))

    def close(self, chain_id: int, sender: str, nonce: int, *, on_chain: bool = False) -> None:
        """Forget all attempts of one transaction, whose fate is known.

        Parameters
        ----------
        chain_id, sender, nonce : int, str, int
            What names it.
        on_chain : bool
            Whether the chain knows its fate, so that a crash before the disk has this only lets it
            be looked up once more: the disk is not waited for.
        """
        where = "chain_id = ? AND sender = ? AND nonce = ?"
        self._do(f"DELETE FROM attempt WHERE {where}", (chain_id, sender, nonce), wait=not on_chain)  # noqa: S608 -- our own words

    def unconfirmed(self, chain_id: int) -> list[Attempt]:
        """Return the attempts on a chain, by nonce and in the order in which they were made."""
        columns = "sender, nonce, hash, raw, fields"
        question = f"SELECT {columns} FROM attempt WHERE chain_id = ? ORDER BY nonce, place"  # noqa: S608 -- our own words
        return [
            Attempt(
                chain_id=chain_id,
                sender=sender,
                nonce=nonce,
                transaction_hash=transaction_hash,
                raw=raw,
                fields=json.loads(fields),
            )
            for sender, nonce, transaction_hash, raw, fields in self._do(question, (chain_id,))
        ]

    def _do(self, statement: str, values: tuple[object, ...], *, wait: bool = True) -> list[Any]:
        """Carry out one statement; return once the disk has it, unless nobody need ``wait``."""
        with self._lock, self._ours():
            self._base.execute(f"PRAGMA synchronous = {'FULL' if wait else 'NORMAL'}")
            return self._base.execute(statement, values).fetchall()

    @contextmanager
    def _ours(self) -> Iterator[None]:
        """Raise what SQLite or the file system says as a `JournalError`."""
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            msg = (
                f"journal {self._where} cannot be used ({error}); nothing was sent: free the disk, "
                "name another file, or remove this one once its transactions are known to be mined"
            )
            raise JournalError(msg) from error


def _make_private(path: Path) -> None:
    """Create the file for its owner's eyes only; SQLite gives its side files the same mode."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    path.chmod(0o600)
