"""What is measured of the fleet as a whole: its promise, its ledger, its broker, its store."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from aggregator.service.ingest.counts import Counts
from aggregator.service.rest.day import DayView, FleetDay
from aggregator.service.store.store import Store
from aggregator.service.store.tables import homes_now
from contracts.errors import LedgerError

_LOOK_BACK_S: Final = 7_200
"""Intervals that ended earlier are nobody's alarm any more: they are settled. [s]"""

_QUIET_S: Final = 180.0
"""No gateway speaks for so long when all is well: most of them speak each minute. [s]"""
_DEAF: Final = ": nothing came from any gateway; see to the broker and to the processes of ingest"
_NODE_S: Final = 5.0
"""How long a node may take to answer: meanwhile nothing else is looked at. [s]"""


@dataclass(frozen=True, slots=True)
class Reading:
    """A value of the fleet."""

    value: float
    """In the rule's unit."""
    note: str = ""
    """What it is of."""


Gauge = Callable[[int], Reading | None]
"""Takes the present in milliseconds and returns a value; None where it is not known."""


def missed(day: FleetDay, now_ms: int, *, after_s: float) -> Reading | None:
    """Return the part of the latest interval's commitment that was not delivered.

    Parameters
    ----------
    day : FleetDay
        The market day.
    now_ms : int
        The present. [ms]
    after_s : float
        How long after its end an interval is looked at. [s]
    """
    starts = day.start_ms
    if len(starts) < 2:
        return None
    step_ms = starts[1] - starts[0]
    for index in reversed(range(len(starts))):
        age_ms = now_ms - starts[index] - step_ms
        promised_wh, delivered_wh = day.committed_wh[index], day.delivered_wh[index]
        if age_ms < after_s * 1000 or promised_wh is None or delivered_wh is None:
            continue
        if age_ms > _LOOK_BACK_S * 1000:
            return None
        share = max(0.0, (promised_wh - delivered_wh) / promised_wh) if promised_wh > 0 else 0.0
        begun = datetime.fromtimestamp(starts[index] / 1000, UTC)
        note = f": {delivered_wh} Wh of {promised_wh} Wh from {begun:%Y-%m-%d %H:%M} UTC on"
        return Reading(share, note)
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class MissedGauge:
    """Looks at the market day; see `missed`."""

    view: DayView
    """Reads market days."""
    zone: str
    """The market's time zone."""
    after_s: float
    """How long after its end an interval is looked at. [s]"""

    def __call__(self, now_ms: int) -> Reading | None:
        """See `Gauge`."""
        # the day of a while ago: just after midnight its last interval is the latest
        back = timedelta(milliseconds=now_ms) - timedelta(seconds=self.after_s)
        local = datetime.fromtimestamp(back.total_seconds(), ZoneInfo(self.zone))
        for day in (local.date(), local.date() - timedelta(days=1)):
            found = self._of(day, now_ms)
            if found is not None:
                return found
        return None

    def _of(self, day: date, now_ms: int) -> Reading | None:
        return missed(self.view.day(day), now_ms, after_s=self.after_s)


@dataclass(slots=True)
class BrokerGauge:
    """For how long the ingest has been without its broker. [s]"""

    counts: Callable[[], Counts]
    """Returns what the ingest counts."""
    _since_ms: int | None = field(default=None)

    def __call__(self, now_ms: int) -> Reading | None:
        """See `Gauge`."""
        if self.counts().connected:
            self._since_ms = None
            return Reading(0.0)
        if self._since_ms is None:
            self._since_ms = now_ms
        return Reading((now_ms - self._since_ms) / 1000)


@dataclass(frozen=True, slots=True)
class HeardGauge:
    """For how long nothing has come from any gateway, where other processes hear them. [s]"""

    store: Store
    """The database."""

    def __call__(self, now_ms: int) -> Reading | None:
        """See `Gauge`; None where no gateway was ever heard."""
        with self.store.read() as connection:
            heard_ms = connection.scalar(select(func.max(homes_now.c.heard_ms)))
        if heard_ms is None:
            return None
        quiet_s = (now_ms - heard_ms) / 1000
        return Reading(quiet_s, _DEAF) if quiet_s > _QUIET_S else Reading(0.0)


@dataclass(slots=True)
class LedgerGauge:
    """How far the latest block of a chain is behind our clock. [s]

    A node that does not answer has the block that it had when it did.
    """

    url: str
    """The node."""
    _block_s: int | None = field(default=None)

    def __call__(self, now_ms: int) -> Reading | None:
        """See `Gauge`."""
        from contracts.connection.chain_web3 import rpc_chain  # noqa: PLC0415 -- imports web3

        note = ""
        try:
            self._block_s = rpc_chain(self.url, timeout_s=_NODE_S).now_s()
        except LedgerError as error:
            note = f" ({error})"
        if self._block_s is None:
            self._block_s = now_ms // 1000
        return Reading(max(0.0, now_ms / 1000 - self._block_s), note)
