"""What a gateway keeps of its ledger: named values, as JSON, in its memory."""

import json
from typing import Any

from hems.agent.health import Health
from hems.agent.store import Store
from hems.errors import StoreError

_SCHEMA = """
CREATE TABLE IF NOT EXISTS ledger_note (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


class LedgerMemory:
    """Named values that survive kill -9; on a full disk they go on in memory.

    Parameters
    ----------
    store : Store
        Where they are kept.
    health : Health
        Is told once where they cannot be written.
    """

    def __init__(self, store: Store, health: Health) -> None:
        self._store = store
        self._health = health
        store.create(_SCHEMA)
        rows = store.rows("SELECT name, value FROM ledger_note")
        self._values: dict[str, Any] = {name: json.loads(value) for name, value in rows}
        self._unwritten: set[str] = set()

    def get(self, name: str) -> Any:  # noqa: ANN401 -- JSON is any
        """Return a value; None where there is none."""
        return self._values.get(name)

    def put(self, name: str, value: object, *, wait: bool = False) -> None:
        """Keep a value, with all that could not be written before.

        Parameters
        ----------
        name, value : str, object
            What JSON can hold.
        wait : bool
            Whether a power cut right after must not undo it either.
        """
        if not self._unwritten and self._values.get(name) == value:
            return
        self._values[name] = value
        self._unwritten.add(name)
        rows = [(each, json.dumps(self._values[each])) for each in sorted(self._unwritten)]
        try:
            with self._store.transaction(wait=wait) as base:
                base.executemany("INSERT OR REPLACE INTO ledger_note VALUES (?, ?)", rows)
        except StoreError as error:
            self._health.lost("ledger record", f"{error}; it goes on in memory")
        else:
            self._unwritten.clear()
            self._health.back("ledger record")
