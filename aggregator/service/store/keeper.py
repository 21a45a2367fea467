"""The part of the service that rolls up what is new and forgets what is old."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from aggregator.service.errors import StoreUnavailableError
from aggregator.service.loop import LoopPart
from aggregator.service.store.retention import forget_old
from aggregator.service.store.rollups import roll_some

if TYPE_CHECKING:
    from aggregator.service.serve import House

_ROLL_S: Final = 10.0
"""From a look for bins to roll up to the next. [s]"""
_FORGET_S: Final = 3_600.0
"""From a look for what is too old to the next. [s]"""


class KeeperPart(LoopPart):
    """Rolls up what is new and forgets what is old.

    Parameters
    ----------
    house : House
        The service.
    """

    def __init__(self, house: "House") -> None:
        self._house = house

    async def run(self) -> None:
        """See `LoopPart`."""
        house, forgot_s = self._house, -_FORGET_S
        while True:
            try:
                await self._roll_up()
                if house.clock.monotonic_s() - forgot_s >= _FORGET_S:
                    await self._forget()
                    forgot_s = house.clock.monotonic_s()
            except StoreUnavailableError:
                pass  # the store tells it; the marks stay
            await asyncio.sleep(_ROLL_S)

    async def _roll_up(self) -> None:
        house = self._house
        await self._in_turns(lambda: roll_some(house.store, now_ms=house.now_ms()) or None)

    async def _forget(self) -> None:
        house = self._house
        going = forget_old(house.store, house.settings.retention, now_ms=house.now_ms())
        await self._in_turns(lambda: next(going, None))

    async def _in_turns(self, some: Callable[[], int | None]) -> None:
        """Do some work again and again until there is none."""
        clock = self._house.clock
        while True:
            began_s = clock.monotonic_s()
            if await asyncio.to_thread(some) is None:
                return
            # what gateways say goes first: at least half of the time is theirs
            await asyncio.sleep(clock.monotonic_s() - began_s)
