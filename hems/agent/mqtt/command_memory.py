"""Commands that were taken, by correlation id, so that none is ever carried out twice."""

from dataclasses import dataclass
from typing import Final

from hems.agent.store import Store

MOST: Final = 10_000
"""Commands that are remembered at most; no more are taken until some have expired."""
KEEP_S: Final = 24 * 3600.0
"""How long after its expiry a command is remembered: the computer's clock may be set. [s]"""
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS command (
    correlation_id TEXT PRIMARY KEY, expires_s REAL NOT NULL, outcome TEXT, reason TEXT
) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Remembered:
    """What became of a command that was taken."""

    outcome: str | None
    """``done``, ``refused`` or ``expired``; None while it is carried out."""
    reason: str
    """Why, where it was not done."""


class CommandMemory:
    """Remember commands over restarts; every method raises `StoreError` where the disk does.

    Parameters
    ----------
    store : Store
        Where.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        store.create(_SCHEMA)

    def find(self, correlation_id: str) -> Remembered | None:
        """Return what became of a command; None if it was never taken."""
        rows = self._store.rows(
            "SELECT outcome, reason FROM command WHERE correlation_id = ?", (correlation_id,)
        )
        return Remembered(rows[0][0], rows[0][1] or "") if rows else None

    def begin(self, correlation_id: str, *, expires_s: float, now_s: float) -> bool:
        """Remember that a command is taken, before anything is done; False if there are too many.

        Parameters
        ----------
        correlation_id : str
            Its name.
        expires_s : float
            When it expires, Unix time. [s]
        now_s : float
            The present, Unix time; what expired long ago is forgotten. [s]
        """
        # a power cut must not make it forget: the command would be carried out again
        with self._store.transaction(wait=True) as base:
            base.execute(
                "DELETE FROM command WHERE outcome IS NOT NULL AND expires_s < ?",
                (now_s - KEEP_S,),
            )
            ((known,),) = base.execute("SELECT COUNT(*) FROM command").fetchall()
            if known >= MOST:
                return False
            base.execute(
                "INSERT INTO command VALUES (?, ?, NULL, NULL)", (correlation_id, expires_s)
            )
        return True

    def end(self, correlation_id: str, outcome: str, reason: str) -> None:
        """Remember what became of a command."""
        with self._store.transaction() as base:
            base.execute(
                "UPDATE command SET outcome = ?, reason = ? WHERE correlation_id = ?",
                (outcome, reason, correlation_id),
            )

    def unfinished(self) -> list[tuple[str, float]]:
        """Return commands without an outcome and when they expire: a crash came between."""
        return [
            (str(name), float(expires_s))
            for name, expires_s in self._store.rows(
                "SELECT correlation_id, expires_s FROM command WHERE outcome IS NULL"
            )
        ]
