"""One look at everything: read, measure, and write what begins and what is over."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from sqlalchemy import Connection

from aggregator.service.alarms.book import (
    FLEET,
    Beginning,
    raised,
    write_beginning,
    write_end,
)
from aggregator.service.alarms.gauges import Gauge, Reading
from aggregator.service.alarms.listening import Listening
from aggregator.service.alarms.measures import (
    measured,
    read_homes,
    temperature_channel,
)
from aggregator.service.alarms.rollup_watch import RollupWatch
from aggregator.service.alarms.rules import SILENT, STORE, Rule
from aggregator.service.alarms.watch import News, Numbers, Values, Watch
from aggregator.service.store.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What one look found of one rule."""

    rule: Rule
    """Which."""
    news: News
    """What changed."""
    note: str = ""
    """More on what begins."""
    gone: Numbers = field(default_factory=lambda: np.empty(0, dtype=np.int64))
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
    listening : Listening, optional
        Since when gateways could be heard; None for ever.
    warmth : int, optional
        Number of the channel of batteries' temperatures; None where there is none.
    """

    def __init__(
        self,
        store: Store,
        rules: tuple[Rule, ...],
        gauges: Mapping[str, Gauge],
        *,
        listening: Listening | None = None,
        warmth: int | None = None,
    ) -> None:
        self._store = store
        self._listening = listening
        above = {each.kind: each.above for each in rules}
        self._silent_s = above.get(SILENT, 0.0)
        self._rollups = RollupWatch(limit_s=above.get(STORE, 0.0))
        self._rules = rules
        self._gauges = gauges
        self._warmth = temperature_channel() if warmth is None else warmth
        self._watches = {rule.kind: Watch(rule) for rule in rules}
        self._agrees = False  # whether the watches say what the store does

    def look(self, now_ms: int, now_s: float | None = None) -> int:
        """Look once; return how many alarms began.

        Parameters
        ----------
        now_ms : int
            The present. [ms]
        now_s : float, optional
            A clock that never runs backwards; None for the present. [s]

        Raises
        ------
        StoreUnavailableError
            If the database does not answer; the next look begins with what it holds.
        """
        now_s = now_ms / 1000 if now_s is None else now_s
        if not self._agrees:
            self._resume()
        with self._store.read() as connection:
            seen = read_homes(connection, warmth=self._warmth)
            behind_s = self._rollups.behind_s(connection, now_ms, now_s)
        readings: dict[str, Reading | None] = {STORE: Reading(behind_s)}
        readings |= {kind: gauge(now_ms) for kind, gauge in self._gauges.items()}
        since_ms = 0 if self._listening is None else self._listening.since_ms(now_ms, now_s)
        values = measured(seen, now_ms, since_ms=since_ms, silent_s=self._silent_s)
        found = []
        for rule in self._rules:
            if rule.kind in values:
                found.append(self._of_homes(rule, seen.number, values[rule.kind], now_s))
            else:
                reading = readings.get(rule.kind) or Reading(np.nan)
                found.append(self._of_the_fleet(rule, reading, now_s))
        self._write([each for each in found if each.is_news], now_ms)
        return sum(len(each.news.raised) for each in found)

    def _of_homes(self, rule: Rule, numbers: Numbers, values: Values, now_s: float) -> Found:
        watch = self._watches[rule.kind]
        news = watch.look(numbers, values, now_s)
        return Found(rule=rule, news=news, gone=watch.forget(numbers))

    def _of_the_fleet(self, rule: Rule, reading: Reading, now_s: float) -> Found:
        watch = self._watches[rule.kind]
        news = watch.look(np.array([FLEET]), np.array([reading.value]), now_s)
        return Found(rule=rule, news=news, note=reading.note)

    def _resume(self) -> None:
        with self._store.read() as connection:
            where = raised(connection)
        for kind, watch in self._watches.items():
            watch.resume(where.get(kind, ()))

    def _write(self, found: list[Found], now_ms: int) -> None:
        self._agrees = False  # where writing fails, nobody knows what the store holds
        if found:
            with self._store.write() as connection:
                for each in found:
                    _write_news(connection, each, now_ms)
        self._agrees = True


def _write_news(connection: Connection, found: Found, now_ms: int) -> None:
    begins = Beginning(
        rule=found.rule,
        homes=found.news.raised.tolist(),
        values=found.news.values.tolist(),
        note=found.note,
    )
    write_beginning(connection, begins, now_ms)
    over = [*found.news.over.tolist(), *found.gone.tolist()]
    write_end(connection, found.rule.kind, over, now_ms)
