"""A fleet in the store whose figures a test sets."""

from dataclasses import dataclass

import pytest
from sqlalchemy import delete, insert, select

from aggregator.service.alarms.settings import AlarmSettings
from aggregator.service.store.store import Store
from aggregator.service.store.tables import alarms, devices, homes, homes_now, telemetry

NOW_MS = 1_780_315_260_000
WARMTH = 99
"""A channel of temperatures."""


@dataclass
class Fleet:
    """Homes and what is known of them."""

    store: Store
    now_ms: int = NOW_MS

    def homes(self, count):
        with self.store.write() as connection:
            rows = [{"id": f"home-{n + 1}", "created_ms": NOW_MS} for n in range(count)]
            connection.execute(insert(homes), rows)

    def battery(self, number, **values):
        with self.store.write() as connection:
            given = {"home_number": number, "id": "storage", "kind": "battery"} | values
            connection.execute(insert(devices).values(given))

    def told(self, *numbers, temperature_c=None, **values):
        """Have homes tell something now."""
        with self.store.write() as connection:
            connection.execute(delete(homes_now).where(homes_now.c.home_number.in_(numbers)))
            rows = [
                {"home_number": number, "heard_ms": self.now_ms, "end_ms": self.now_ms} | values
                for number in numbers
            ]
            connection.execute(insert(homes_now), rows)
            if temperature_c is not None:
                figures = dict.fromkeys(("low", "high", "mean", "last"), temperature_c)
                of = {"end_ms": self.now_ms, "channel_number": WARMTH, "period_ms": 60_000}
                rows = [{"home_number": number} | of | figures for number in numbers]
                connection.execute(insert(telemetry), rows)

    def alarms(self, *columns):
        with self.store.read() as connection:
            names = columns or ("kind", "home_number", "state")
            asked = select(*(alarms.c[each] for each in names)).order_by(alarms.c.number)
            return [tuple(row) for row in connection.execute(asked)]


@pytest.fixture(scope="session")
def fleet_in():
    """Return what makes a fleet over a store."""
    return Fleet


@pytest.fixture
def fleet(store):
    """Return a fleet in each database in its turn."""
    return Fleet(store)


@pytest.fixture
def quick_fleet(sqlite_store):
    """Return a fleet in SQLite."""
    return Fleet(sqlite_store)


@pytest.fixture
def settings():
    """Return settings without any wait."""
    return AlarmSettings(soc_held_s=0.0, meter_held_s=0.0, gather_s=0.0)
