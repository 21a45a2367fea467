"""Alarms as they begin and end, for those who watch live (see `aggregator.service.rest.live`)."""

from typing import Final

from sqlalchemy import select

from aggregator.service.alarms.book import ACKNOWLEDGED, RAISED
from aggregator.service.rest.hub import EventHub
from aggregator.service.store.store import Store
from aggregator.service.store.tables import alarms, homes

NAMED: Final = 100
"""Alarms that an event names; whoever needs the others asks for the list."""


class AlarmNews:
    """Tells the hub what changed among alarms.

    Parameters
    ----------
    store : Store
        The database.
    hub : EventHub
        Who is told.
    """

    def __init__(self, store: Store, hub: EventHub) -> None:
        self._store = store
        self._hub = hub
        self._known: dict[int, str] | None = None

    def look(self) -> None:
        """Tell what changed since the last look, as an event ``alarm``."""
        query = (
            select(alarms.c.number, alarms.c.state)
            .where(alarms.c.state.in_((RAISED, ACKNOWLEDGED)))
            .order_by(alarms.c.number)
        )
        with self._store.read() as connection:
            now = {row.number: row.state for row in connection.execute(query)}
        before, self._known = self._known, now
        if before is None or before == now:
            return
        begun = [number for number in now if number not in before]
        seen = [number for number, state in now.items() if before.get(number, state) != state]
        over = [number for number in before if number not in now]
        shown = self._shown(begun[:NAMED])
        told = {
            "standing": len(now),
            "begun": len(begun),
            "raised": shown,
            "acknowledged": seen[:NAMED],
            "resolved": over[:NAMED],
        }
        by_home = {str(each["home"]): each for each in shown if each["home"] is not None}
        self._hub.publish("alarm", told, by_home)

    def _shown(self, numbers: list[int]) -> list[dict[str, object]]:
        names = ("number", "kind", "severity", "state", "line", "raised_ms")
        query = (
            select(*(alarms.c[name] for name in names), homes.c.id.label("home"))
            .outerjoin(homes, homes.c.number == alarms.c.home_number)
            .where(alarms.c.number.in_(numbers))
            .order_by(alarms.c.number)
        )
        with self._store.read() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]
