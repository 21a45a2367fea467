"""Ticks at whole multiples of a period on the UTC line, whatever the computer's clock does.

A tick is due when the time of day says so, and how long ago the last one was is measured by the
clock that does not jump. So a schedule never drifts, and a clock that is set, a leap second or a
change to summer time (which UTC does not know) neither silences it nor makes it fire in a burst.
"""

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from devices.clock import Clock

EARLY: Final = 0.5
"""Shortest time between two ticks, in periods."""
LATE: Final = 1.5
"""Longest time that a clock which was set keeps a tick back, in periods."""
LOOK_S: Final = 30.0
"""How long at most until it is noticed that the clock was set. [s]"""
_CLOSE_S: Final = 1e-3
"""What a computer's clocks may differ by without one having been set. [s]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """One moment of a schedule."""

    due: datetime
    """The multiple of the period that it stands for, aware, UTC."""
    late_s: float
    """How long after that it came, by the time of day. [s]"""


class Ticks:
    """A schedule: ``await ticks.wait()`` returns at its next tick.

    Parameters
    ----------
    period_s : float
        From a tick to the next. [s]
    clock : Clock
        The time.
    offset_s : float
        By how much ticks come after the multiples, 0 <= offset < period. [s]
    at_once : bool
        Whether the first tick comes without waiting, for the multiple before.

    Notes
    -----
    Two ticks are at least half a period and at most one and a half apart, by the clock that does
    not jump, as long as whoever waits comes back in time and is woken in time. Whoever comes back
    later misses the ticks between and gets no more than one for them.
    """

    def __init__(
        self, period_s: float, *, clock: Clock, offset_s: float = 0.0, at_once: bool = False
    ) -> None:
        if not (0 < period_s < math.inf and 0 <= offset_s < period_s):
            msg = f"ticks each {period_s} s, {offset_s} s late: give a period > 0, offset below it"
            raise ValueError(msg)
        self._period_s = period_s
        self._offset_s = offset_s
        self._clock = clock
        self._at_once = at_once
        self._fired_s: float | None = None

    @property
    def period_s(self) -> float:
        """From a tick to the next. [s]"""
        return self._period_s

    async def wait(self) -> Tick:
        """Return at the next tick."""
        if self._at_once:
            self._at_once = False
            return self._fire(self._before(self._now_s()))
        due_s = self._next_s()
        while True:
            left_s = due_s - self._now_s()
            if left_s <= 0 and self._passed_s() >= EARLY * self._period_s - _CLOSE_S:
                return self._fire(due_s)
            if self._passed_s() >= LATE * self._period_s - _CLOSE_S:
                return self._fire(self._before(self._now_s()))
            if not 0 < left_s <= LATE * self._period_s:  # the clock was set
                due_s = self._next_s()
                continue
            await self._clock.sleep(min(left_s, self._patience_s(), LOOK_S))

    def _next_s(self) -> float:
        """Return the next moment due, leaving out one too soon after the last tick."""
        now_s = self._now_s()
        due_s = self._before(now_s) + self._period_s
        soon = due_s - now_s + self._passed_s() < EARLY * self._period_s - _CLOSE_S
        return due_s + self._period_s if soon else due_s

    def _patience_s(self) -> float:
        return max(LATE * self._period_s - self._passed_s(), _CLOSE_S)

    def _passed_s(self) -> float:
        if self._fired_s is None:
            return self._period_s  # as if the last tick had been a period ago
        return self._clock.monotonic_s() - self._fired_s

    def _now_s(self) -> float:
        return self._clock.utc().timestamp()

    def _before(self, now_s: float) -> float:
        """Return the last moment due, now included."""
        whole = (now_s - self._offset_s) // self._period_s
        return whole * self._period_s + self._offset_s

    def _fire(self, due_s: float) -> Tick:
        self._fired_s = self._clock.monotonic_s()
        return Tick(due=datetime.fromtimestamp(due_s, UTC), late_s=self._now_s() - due_s)
