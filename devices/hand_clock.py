"""A clock that stands still until it is moved, for tests of drivers on real sockets."""

import asyncio
import heapq
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any, Final

_START: Final = datetime(2026, 6, 1, 12, tzinfo=UTC)
_TURNS: Final = 10
"""Turns of the event loop that everybody gets before time moves on."""
_WORK_TURNS: Final = 60
"""Turns that sockets may take to do what a moment of this clock set off."""
_TURN_S: Final = 0.005
"""Real time of a turn; turns are counted, because a busy computer takes longer for each. [s]"""


class HandClock:
    """A clock that stands still until it is moved; for tests (see `devices.clock.Clock`).

    Parameters
    ----------
    turns : int
        Turns of the event loop, of 5 ms at least, that whoever is woken may take for his sockets.
        A busy computer must not look like a fault: many, where a test can wait.
    """

    def __init__(self, turns: int = _WORK_TURNS) -> None:
        self.turns = turns
        """As above; may be changed meanwhile."""
        self._now_s = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Event, asyncio.Task[Any] | None]] = []
        self._slept = 0
        self._sleeps: Counter[asyncio.Task[Any] | None] = Counter()

    def monotonic_s(self) -> float:
        """See `devices.clock.Clock`."""
        return self._now_s

    def utc(self) -> datetime:
        """See `devices.clock.Clock`."""
        return _START + timedelta(seconds=self._now_s)

    async def sleep(self, seconds: float) -> None:
        """See `devices.clock.Clock`."""
        self._slept += 1
        self._sleeps[asyncio.current_task()] += 1
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        woken = asyncio.Event()
        sleeper = (self._now_s + seconds, self._slept, woken, asyncio.current_task())
        heapq.heappush(self._sleepers, sleeper)
        try:
            await woken.wait()
        finally:
            if not woken.is_set():  # cancelled: nobody sleeps there any more
                self._sleepers.remove(sleeper)
                heapq.heapify(self._sleepers)

    async def advance(self, seconds: float) -> None:
        """Move on, waking sleepers in their order and letting each do its work on the sockets."""
        target_s = self._now_s + seconds
        for _ in range(_TURNS):  # whoever was about to sleep gets there first
            await asyncio.sleep(0)
        while self._sleepers and self._sleepers[0][0] <= target_s:
            self._now_s, _, woken, task = heapq.heappop(self._sleepers)
            slept = self._sleeps[task]
            woken.set()
            if task is not None and task is not asyncio.current_task():
                await self._let_work(task, slept)
        self._now_s = target_s

    async def _let_work(self, task: "asyncio.Task[Any]", slept: int) -> None:
        """Give the woken one real time, until it sleeps again or is done."""
        for _ in range(self.turns):
            if task.done() or self._sleeps[task] != slept:
                return
            await asyncio.sleep(_TURN_S)
