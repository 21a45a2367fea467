"""Looks whether the database still answers, also where nobody has anything for it."""

import asyncio
from contextlib import suppress
from typing import Final

from aggregator.service.errors import StoreUnavailableError
from aggregator.service.ingest.subscriber import Tell
from aggregator.service.loop import LoopPart
from aggregator.service.store.store import Store

_LOOK_S: Final = 10.0
"""From an answer to the next look. [s]"""
_SILENT_S: Final = 30.0
"""After how long without an answer the database counts as lost: one whose disk is stuck, or that
was stopped, neither answers nor hangs up. [s]"""


class StoreWatch(LoopPart):
    """Part of every service, whatever else runs in it.

    Parameters
    ----------
    store : Store
        The database.
    tell : callable
        Takes lines for the log: that it is lost, and that it is back.
    silent_s : float
        After how long without an answer it counts as lost. [s]
    """

    def __init__(self, store: Store, tell: Tell, *, silent_s: float = _SILENT_S) -> None:
        self._store = store
        self._silent_s = silent_s
        store.news.tell = tell

    async def run(self) -> None:
        """See `LoopPart`."""
        while True:
            asked = asyncio.create_task(asyncio.to_thread(self._store.ping))
            done, _ = await asyncio.wait({asked}, timeout=self._silent_s)
            if not done:
                why = f"{self._store.name} has not answered for {self._silent_s:g} s"
                self._store.news.lost(f"{why}; look at it and at its disk", writes=False)
            with suppress(StoreUnavailableError):  # the store tells it
                await asked
            await asyncio.sleep(_LOOK_S)
