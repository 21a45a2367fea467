"""What the ingest has done since it began, for whoever asks from another thread."""

from collections import Counter
from dataclasses import dataclass, field
from threading import Lock


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Totals at one moment."""

    messages: int
    """Messages that were taken or refused, redelivered ones among them."""
    rows: int
    """Rows that came new into the store."""
    repeated: int
    """Rows that were there already."""
    refused: dict[str, int]
    """Messages that were refused, by reason."""
    batches: int
    """Transactions."""
    failures: int
    """Transactions that the database did not take; they were tried again."""
    waiting: int
    """Messages that wait for the next transaction."""
    commit_s: float
    """How long the last transaction took. [s]"""
    connected: bool
    """Whether the broker is there."""
    store_lost: bool
    """Whether the last transaction failed."""


@dataclass(slots=True)
class Counting:
    """Adds up; one thread adds, any thread reads."""

    messages: int = 0
    rows: int = 0
    repeated: int = 0
    batches: int = 0
    failures: int = 0
    commit_s: float = 0.0
    store_lost: bool = False
    refused: Counter[str] = field(default_factory=Counter)
    lock: Lock = field(default_factory=Lock)

    def committed(self, *, messages: int, rows: int, told: int, commit_s: float) -> None:
        """Add a transaction: rows that were told, and those of them that were new."""
        with self.lock:
            self.messages += messages
            self.rows += rows
            self.repeated += told - rows
            self.batches += 1
            self.commit_s = commit_s
            self.store_lost = False

    def failed(self) -> None:
        """Add a transaction that failed."""
        with self.lock:
            self.failures += 1
            self.store_lost = True

    def refuse(self, reasons: Counter[str]) -> None:
        """Add refusals."""
        with self.lock:
            self.refused.update(reasons)

    def now(self, *, waiting: int, connected: bool) -> Counts:
        """Return the totals."""
        with self.lock:
            return Counts(
                messages=self.messages,
                rows=self.rows,
                repeated=self.repeated,
                refused=dict(self.refused),
                batches=self.batches,
                failures=self.failures,
                waiting=waiting,
                commit_s=self.commit_s,
                connected=connected,
                store_lost=self.store_lost,
            )
