"""How far roll-ups are behind, as seen from look to look."""

from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Connection, select, tuple_

from aggregator.service.store.tables import rollups_due
from aggregator.service.store.telemetry import MINUTE_MS

_MOST: Final = 100
"""Marks that are remembered."""

Mark = tuple[int, int]
"""Start of a minute and number of a home. [ms]"""


@dataclass(slots=True, kw_only=True)
class RollupWatch:
    """Remembers a mark of each look and for how long it stays.

    A minute's age says nothing: what a gateway kept for hours marks minutes that are hours old.
    """

    limit_s: float
    """Before anything was rolled up, waiting counts from here on. [s]"""
    _since_s: dict[Mark, float] = field(default_factory=dict)
    _moved: bool = field(default=False)

    def behind_s(self, connection: Connection, now_ms: int, now_s: float) -> float:
        """Return for how long something has waited to be rolled up; NaN where not known yet. [s]

        Parameters
        ----------
        connection : Connection
            Of `Store.read`.
        now_ms : int
            The present. [ms]
        now_s : float
            A clock that never runs backwards. [s]
        """
        due = rollups_due.c
        newest = (
            select(due.start_ms, due.home_number)
            .where(due.size_ms == MINUTE_MS, due.start_ms <= now_ms - MINUTE_MS)
            .order_by(due.start_ms.desc(), due.home_number.desc())
            .limit(1)
        )
        remembered = select(due.start_ms, due.home_number).where(
            due.size_ms == MINUTE_MS,
            tuple_(due.start_ms, due.home_number).in_(list(self._since_s)),
        )
        still = {(row[0], row[1]) for row in connection.execute(remembered)}
        self._moved |= len(still) < len(self._since_s)
        self._since_s = {mark: at_s for mark, at_s in self._since_s.items() if mark in still}
        latest = connection.execute(newest).first()
        if latest is not None and len(self._since_s) < _MOST:
            self._since_s.setdefault((latest[0], latest[1]), now_s)
        waited_s = now_s - min(self._since_s.values(), default=now_s)
        known = self._moved or not self._since_s or waited_s > self.limit_s
        return waited_s if known else float("nan")
