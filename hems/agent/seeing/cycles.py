"""What was read and decided in each cycle of rules for the edge, kept in the gateway's store."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from hems.agent.health import Health
from hems.agent.reading import Reading
from hems.agent.store import Store
from hems.controller import Decision
from hems.errors import StoreError

THING: Final = "memory of cycles"
"""What the log calls it."""
_COLUMNS: Final = (
    "utc", "load_w", "pv_w", "grid_power_w", "battery_power_w", "soc", "price_per_mwh",
    "asked_w", "relay_closed", "relay_seen",
)  # fmt: skip
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS cycles (
    utc TEXT PRIMARY KEY, load_w REAL, pv_w REAL, grid_power_w REAL, battery_power_w REAL, soc REAL,
    price_per_mwh REAL, asked_w REAL, relay_closed INTEGER, relay_seen INTEGER) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cycle:
    """One cycle; None where something was not read or not decided."""

    utc: datetime
    """When, aware."""
    reading: Reading | None
    """What the devices told."""
    price_per_mwh: float
    """Price of import. [currency/MWh]"""
    decision: Decision | None
    """What was decided."""

    def row(self) -> tuple[Any, ...]:
        """Return it as the table's columns."""
        reading, decision = self.reading, self.decision
        meter = None if reading is None else reading.meter
        battery = None if reading is None else reading.battery
        relay = None if reading is None else reading.relay
        asked_w = closed = None
        if decision is not None:
            asked_w = None if decision.follow[0] else float(decision.battery_power_w[0])
            closed = None if decision.relay_closed is None else int(decision.relay_closed[0])
        return (
            self.utc.isoformat(timespec="seconds"),
            *((None,) * 3 if meter is None else (meter.load_w, meter.pv_w, meter.grid_power_w)),
            *((None,) * 2 if battery is None else (battery.battery_power_w, battery.soc)),
            self.price_per_mwh,
            asked_w,
            closed,
            None if relay is None else int(relay.closed),
        )


class CycleLog:
    """Keep cycles for some days; one transaction each.

    Parameters
    ----------
    store : Store
        Where they outlive a restart.
    health : Health
        Is told where they cannot be written; those are lost.
    keep_days : int
        How long they are kept.
    """

    def __init__(self, store: Store, *, health: Health, keep_days: int) -> None:
        self._store, self._health = store, health
        self._keep = timedelta(days=keep_days)
        store.create(_SCHEMA)

    def add(self, cycle: Cycle) -> None:
        """Keep a cycle."""
        old = (cycle.utc - self._keep).isoformat(timespec="seconds")
        try:
            with self._store.transaction() as base:
                base.execute(
                    "INSERT OR REPLACE INTO cycles VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    cycle.row(),
                )
                base.execute("DELETE FROM cycles WHERE utc < ?", (old,))
        except StoreError as error:
            self._health.lost(THING, str(error))
        else:
            self._health.back(THING)

    def rows(self) -> list[dict[str, Any]]:
        """Return what is kept, the oldest first."""
        found = self._store.rows("SELECT * FROM cycles ORDER BY utc")
        return [dict(zip(_COLUMNS, row, strict=True)) for row in found]
