"""What stands, for `gridpact agent status`: one row in the state file, replaced now and then."""

import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import numpy as np

from hems.agent.health import Health
from hems.agent.reading import Reading
from hems.agent.standing import Standing
from hems.agent.steering.wish import Wish
from hems.agent.store import Store
from hems.errors import StoreError
from hems.forecast_score import Score

STATE_FILE: Final = "state.sqlite"
"""Name of the state file in its folder."""
HORIZONS: Final = (1, 4, 24, 96)
"""Quarter-hours ahead whose forecast errors are shown."""
_SCHEMA: Final = (
    "CREATE TABLE IF NOT EXISTS status (one INTEGER PRIMARY KEY CHECK (one = 1), body TEXT)"
)
THING: Final = "memory of status"
"""What the log calls it."""


class StatusRow:
    """Write what stands.

    Parameters
    ----------
    store : Store
        The state file.
    health : Health
        Is told when it cannot be written, and what else is lost goes into it.
    """

    def __init__(self, store: Store, health: Health) -> None:
        self._store = store
        self._health = health
        store.create(_SCHEMA)

    def write(
        self,
        utc: datetime,
        *,
        reading: Reading | None,
        standing: Standing,
        wish: Wish,
        facts: dict[str, Any],
    ) -> None:
        """Replace the row; a store that cannot be written is told once."""
        body = {
            "utc": utc.isoformat(timespec="seconds"),
            "reading": None if reading is None else _reading(reading),
            "standing": asdict(standing),
            "wish": {"battery_power_w": wish.battery_power_w, "why": wish.why},
            "lost": dict(self._health.standing),
            **facts,
        }
        try:
            with self._store.transaction() as base:
                base.execute("INSERT OR REPLACE INTO status VALUES (1, ?)", (json.dumps(body),))
        except StoreError as error:
            self._health.lost(THING, str(error))
        else:
            self._health.back(THING)


def read_status(folder: Path) -> dict[str, Any]:
    """Return what an agent last wrote, whether or not it still runs.

    Raises
    ------
    StoreError
        If there is nothing, or it cannot be read.
    """
    path = folder / STATE_FILE
    if not path.exists():
        msg = f"no state file {path}; no agent has run for this home yet"
        raise StoreError(msg)
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as base:
            # an agent that could not start leaves the file without a status
            begun = base.execute("SELECT 1 FROM sqlite_master WHERE name = 'status'").fetchone()
            found = begun and base.execute("SELECT body FROM status").fetchone()
    except sqlite3.Error as error:
        msg = f"state file {path} cannot be read ({error}); see that it is ours"
        raise StoreError(msg) from error
    if found is None:
        msg = f"state file {path} says nothing yet; start the agent, or look again in a minute"
        raise StoreError(msg)
    body: dict[str, Any] = json.loads(found[0])
    return body


def forecast_errors(scores: Mapping[str, Score]) -> dict[str, dict[str, dict[str, float]]]:
    """Return mean error [W], bias [W] and relative error of each quantity, by quarters ahead."""
    return {
        quantity: {
            str(quarters): {
                name: float(values[quarters - 1])
                for name, values in (
                    ("mean_absolute_w", score.mean_absolute_w),
                    ("bias_w", score.bias_w),
                    ("relative", score.relative),
                )
                if np.isfinite(values[quarters - 1])
            }
            for quarters in HORIZONS
            if quarters <= len(score.scored) and score.scored[quarters - 1] > 0
        }
        for quantity, score in scores.items()
        if score.scored.any()
    }


def _reading(reading: Reading) -> dict[str, Any]:
    parts = {name: getattr(reading, name) for name in ("meter", "battery", "inverter", "relay")}
    told = {name: asdict(part) for name, part in parts.items() if part is not None}
    return {"utc": reading.utc.isoformat(timespec="seconds"), **told}
