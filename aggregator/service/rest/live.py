"""From the store to those who watch: what changed in the fleet since the last look.

It reads the store rather than listening to the ingest, so that it is the same whether that runs in
this process or in several others.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Final

from sqlalchemy import Row, or_, select
from starlette.concurrency import run_in_threadpool

from aggregator.service.errors import StoreUnavailableError
from aggregator.service.rest.hub import EventHub
from aggregator.service.store.store import Store
from aggregator.service.store.tables import homes, homes_now

LOOK_S: Final = 1.0
"""Between two looks. [s]"""
CHUNK: Final = 1000
"""Homes in one event."""
FIGURES: Final = ("online", "heard_ms", "soc", "battery_power_w", "load_w", "pv_w", "grid_power_w")
"""What an event tells of a home."""
_OVERLAP_MS: Final = 5_000
"""A row is stamped before it is committed; so much earlier than the last one may still come."""


class LiveValues:
    """Tells the hub what changed.

    Parameters
    ----------
    store : Store
        The database.
    hub : EventHub
        Who is told.
    clock_ms : callable
        The time. [ms]
    news : sequence of callable
        Looks of other parts, each of which tells the hub of its own.
    """

    def __init__(
        self,
        store: Store,
        hub: EventHub,
        clock_ms: Callable[[], int],
        news: Sequence[Callable[[], None]] = (),
    ) -> None:
        self.store = store
        self.hub = hub
        self.news = news
        self.since_ms = clock_ms()
        self._told: dict[str, tuple[object, ...]] = {}

    def look(self) -> int:
        """Tell what changed since the last look; return how many homes it was of."""
        since_ms = self.since_ms - _OVERLAP_MS
        query = (
            select(homes.c.id, *(homes_now.c[name] for name in FIGURES), homes_now.c.status_ms)
            .join_from(homes_now, homes, homes.c.number == homes_now.c.home_number)
            .where(or_(homes_now.c.heard_ms >= since_ms, homes_now.c.status_ms >= since_ms))
            .order_by(homes.c.id)
        )
        with self.store.look() as connection:
            rows = connection.execute(query).all()
        told = {row[0]: tuple(row[1:-1]) for row in rows}
        news = [row for row in rows if self._told.get(row[0]) != told[row[0]]]
        self._told = told
        stamps = (stamp for row in rows for stamp in (row.heard_ms, row.status_ms))
        self.since_ms = max((self.since_ms, *(stamp for stamp in stamps if stamp is not None)))
        for first in range(0, len(news), CHUNK):
            self._publish(news[first : first + CHUNK])
        return len(news)

    async def run(self) -> None:
        """Look again and again until cancelled; while the store does not answer, wait."""
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                for look in (self.look, *self.news):
                    await run_in_threadpool(look)
            except StoreUnavailableError:
                # readiness says so; what was missed is told when it is back
                continue

    def _publish(self, rows: "Sequence[Row[*tuple[Any, ...]]]") -> None:
        columns = {name: [getattr(row, name) for row in rows] for name in FIGURES}
        by_home = {row.id: {name: getattr(row, name) for name in FIGURES} for row in rows}
        self.hub.publish("values", {"ids": list(by_home), **columns}, by_home)
