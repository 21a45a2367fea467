"""How orders go, for those who watch live (see `aggregator.service.rest.live`)."""

from collections.abc import Callable
from typing import Final

from sqlalchemy import func, select

from aggregator.service.rest.hub import EventHub
from aggregator.service.store.store import Store
from aggregator.service.store.tables import commands

SHOWN_MS: Final = 600_000
"""For how long after it was given an order is told live; most live for a minute. [ms]"""


class OrderNews:
    """Tells the hub which orders go on.

    Parameters
    ----------
    store : Store
        The database.
    hub : EventHub
        Who is told.
    clock_ms : callable
        The time. [ms]
    """

    def __init__(self, store: Store, hub: EventHub, clock_ms: Callable[[], int]) -> None:
        self._store = store
        self._hub = hub
        self._clock_ms = clock_ms
        self._told: dict[str, dict[str, int]] = {}

    def look(self) -> None:
        """Tell what changed since the last look, as an event ``command``."""
        own = commands.c
        query = (
            select(own.request_id, own.target, own.state, func.count().label("homes"))
            .where(own.asked_ms > self._clock_ms() - SHOWN_MS)
            .group_by(own.request_id, own.target, own.state)
            .order_by(func.min(own.asked_ms), own.request_id, own.state)
        )
        with self._store.read() as connection:
            rows = connection.execute(query).all()
        targets = {row.request_id: row.target for row in rows}
        now: dict[str, dict[str, int]] = {request: {} for request in targets}
        for row in rows:
            now[row.request_id][row.state] = row.homes
        news = [
            {"request_id": request, "target": targets[request], "states": states}
            for request, states in now.items()
            if self._told.get(request) != states
        ]
        self._told = now
        if news:
            self._hub.publish("command", {"orders": news})
