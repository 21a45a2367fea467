"""Whether the database answers: told once when it is lost, and once when it is back."""

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock


def _nobody(line: str) -> None:
    del line


@dataclass(slots=True)
class StoreNews:
    """Hears from everybody who uses a database how that went; safe to use from several threads."""

    tell: Callable[[str], None] = _nobody
    """Takes a line for the log."""
    _reads_lost: bool = False
    _writes_lost: bool = False
    _lock: Lock = field(default_factory=Lock)

    def lost(self, why: str, *, writes: bool) -> None:
        """Take note that reading failed, or writing, which may fail alone: a disk is full."""
        with self._lock:
            first = not (self._reads_lost or self._writes_lost)
            if writes:
                self._writes_lost = True
            else:
                self._reads_lost = True
        if first:
            self.tell(f"store lost: {why}")

    def answered(self, *, writes: bool) -> None:
        """Take note that reading worked, or writing and therefore both."""
        if not (self._reads_lost or self._writes_lost):
            return
        with self._lock:
            self._reads_lost = False
            if writes:
                self._writes_lost = False
            back = not self._writes_lost
        if back:
            self.tell("store back")
