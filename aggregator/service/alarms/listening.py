"""Since when gateways could be heard: what nobody listened for is no silence."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from aggregator.service.alarms.gauges import HeardGauge

if TYPE_CHECKING:
    from aggregator.service.serve import House

_GAP_S: Final = 60.0
"""A clock that jumps by more, or looks that are further apart than asked for, begin anew. [s]"""


def _always() -> bool:
    return True


@dataclass(slots=True, kw_only=True)
class Listening:
    """Remembers since when the service has heard gateways without a break.

    A start, a broker or a database that was away, and a clock that was set begin anew: before, a
    gateway may have spoken without being heard, or its time is not comparable.
    """

    each_s: float
    """From one look to the next. [s]"""
    hears: Callable[[], bool] = _always
    """Returns whether messages come into the store now."""
    _since_ms: int = field(default=0)
    _last: tuple[int, float] | None = field(default=None)

    def since_ms(self, now_ms: int, now_s: float) -> int:
        """Return since when, at a look. [ms]

        Parameters
        ----------
        now_ms : int
            The present. [ms]
        now_s : float
            A clock that never runs backwards. [s]
        """
        if self._last is None or self._breaks(self._last, now_ms, now_s) or not self.hears():
            self._since_ms = now_ms
        self._last = now_ms, now_s
        return self._since_ms

    def _breaks(self, last: tuple[int, float], now_ms: int, now_s: float) -> bool:
        passed_s = now_s - last[1]
        jump_s = (now_ms - last[0]) / 1000 - passed_s
        return passed_s > self.each_s + _GAP_S or abs(jump_s) > _GAP_S


def messages_come(house: "House") -> bool:
    """Return whether messages come into the store, as far as this process knows.

    Parameters
    ----------
    house : House
        The service; where it has no ingest, what came into the store lately tells.
    """
    if house.ingest is None:
        heard = HeardGauge(house.store)(house.now_ms())
        return heard is None or heard.value == 0.0
    counts = house.ingest.counts()
    return counts.connected and not counts.store_lost
