"""One look at everything: read, measure, and write what begins and what is over."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from aggregator.service.alarms.book import (
    FLEET,
    Beginning,
    standing,
    write_beginning,
    write_end,
)
from aggregator.service.alarms.gauges import Gauge, Reading
from aggregator.service.alarms.measures import (
    measured,
    read_homes,
    store_behind_s,
    temperature_channel,
)
from aggregator.service.alarms.rules import STORE, Rule
from aggregator.service.alarms.watch import News, Numbers, Watch
from aggregator.service.store.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What one look found of one rule."""

    rule: Rule
    """Which."""
    news: News
    """What changed."""
    note: str
    """More on what begins."""
    gone: Numbers
    """Homes out of use whose alarm is over, shape (gone,)."""

    @property
    def is_news(self) -> bool:
        """Whether there is anything to write."""
        return bool(len(self.news.raised) or len(self.news.over) or len(self.gone))


class Patrol:
    """Looks at all homes and at the fleet; goes on from the alarms that are in the store.

    Parameters
    ----------
    store : Store
        The database.
    rules : sequence of Rule
        What is an alarm.
    gauges : Mapping[str, Gauge]
        What is measured of the fleet, by the rule's kind.
    warmth : int, optional
        Number of the channel of batteries' temperatures; None where there is none.
    """

    def __init__(
        self,
        store: Store,
        rules: tuple[Rule, ...],
        gauges: Mapping[str, Gauge],
        *,
        warmth: int | None = None,
    ) -> None:
        self._store = store
        self._rules = rules
        self._gauges = gauges
        self._warmth = temperature_channel() if warmth is None else warmth
        self._watches: dict[str, Watch] | None = None

    def look(self, now_ms: int) -> int:
        """Look once; return how many alarms began.

        Parameters
        ----------
        now_ms : int
            The present. [ms]

        Raises
        ------
        StoreUnavailableError
            If the database does not answer; the next look begins with what it holds.
        """
        if self._watches is None:
            self._watches = self._resumed()
        with self._store.read() as connection:
            seen = read_homes(connection, warmth=self._warmth)
            behind_s = store_behind_s(connection, now_ms)
        values = measured(seen, now_ms)
        readings: dict[str, Reading | None] = {STORE: Reading(behind_s)}
        readings |= {kind: gauge(now_ms) for kind, gauge in self._gauges.items()}
        found = []
        for rule in self._rules:
            watch, note = self._watches[rule.kind], ""
            gone = np.empty(0, dtype=np.int64)
            if rule.kind in values:
                news = watch.look(seen.number, values[rule.kind], now_ms)
                gone = watch.forget(seen.number)
            else:
                reading = readings.get(rule.kind)
                value = np.nan if reading is None else reading.value
                news = watch.look(np.array([FLEET]), np.array([value]), now_ms)
                note = "" if reading is None else reading.note
            found.append(Found(rule=rule, news=news, note=note, gone=gone))
        self._write([each for each in found if each.is_news], now_ms)
        return sum(len(each.news.raised) for each in found)

    def _resumed(self) -> dict[str, Watch]:
        with self._store.read() as connection:
            raised = standing(connection)
        return {rule.kind: Watch(rule, raised.get(rule.kind, ())) for rule in self._rules}

    def _write(self, found: list[Found], now_ms: int) -> None:
        if not found:
            return
        watches, self._watches = self._watches, None  # where writing fails, nothing is known
        with self._store.write() as connection:
            for each in found:
                begins = Beginning(
                    rule=each.rule,
                    homes=each.news.raised.tolist(),
                    values=each.news.values.tolist(),
                    note=each.note,
                )
                write_beginning(connection, begins, now_ms)
                over = [*each.news.over.tolist(), *each.gone.tolist()]
                write_end(connection, each.rule.kind, over, now_ms)
        self._watches = watches
