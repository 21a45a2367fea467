"""Commands as a part of the service; its table in service.toml is ``[commands]``."""

import asyncio
import threading
from typing import Final

from aggregator.service.commands.following import Following
from aggregator.service.commands.outbox import Outbox
from aggregator.service.commands.publisher import Publisher
from aggregator.service.commands.settings import CommandSettings
from aggregator.service.errors import StoreUnavailableError
from aggregator.service.serve import House

_BUSY_S: Final = 0.02
"""How often it is looked while messages are on their way; their arrival wakes us earlier. [s]"""
_TURN_S: Final = 0.2
"""How often it is looked for orders and answers. [s]"""
_LATE_S: Final = 2.0
"""How often it is looked for late answers, and for commands whose time is over. [s]"""
_AGAIN_S: Final = 1.0
"""Pause where the database does not answer. [s]"""


class CommandsPart:
    """Sends what was ordered and follows it until its outcome. Run it once, not in every process.

    Parameters
    ----------
    house : House
        The service.
    """

    def __init__(self, house: House) -> None:
        self._house = house
        settings = house.settings.table(CommandSettings, "commands")
        self._woken = threading.Event()
        self._ending = threading.Event()
        self._ended: Exception | None = None
        self._publisher = Publisher(
            house.settings.broker,
            client_id=f"gridpact-{house.settings.ingest.name}-commands",
            tell=house.tell,
            woken=self._woken,
        )
        self._outbox = Outbox(house.store, self._publisher, settings)
        self._following = Following(house.store, settings)
        self._late_s: float | None = None
        self._thread = threading.Thread(target=self._work, name="commands", daemon=True)

    async def start(self) -> None:
        """See `aggregator.service.serve.Part`."""
        self._publisher.start()
        self._thread.start()

    async def stop(self) -> None:
        """See `aggregator.service.serve.Part`; what waits is sent after the next start."""
        self._ending.set()
        self._woken.set()
        if self._thread.is_alive():
            await asyncio.to_thread(self._thread.join)
        await asyncio.to_thread(self._publisher.stop)

    def check(self) -> None:
        """See `aggregator.service.serve.Part`."""
        if self._ended is not None:
            raise self._ended

    def _work(self) -> None:
        try:
            while not self._ending.is_set():
                pause_s = self._turn()
                self._woken.wait(pause_s)
                self._woken.clear()
        except Exception as error:  # whoever runs us raises it
            self._ended = error

    def _turn(self) -> float:
        """Do what is to be done; return how long to wait for more. [s]"""
        clock = self._house.clock
        now_ms, now_s = self._house.now_ms(), clock.monotonic_s()
        try:
            busy = self._outbox.turn(now_ms=now_ms, now_s=now_s)
            self._following.take_answers()
            if self._late_s is None or now_s - self._late_s >= _LATE_S:
                self._following.take_late(now_ms)
                self._following.give_up(now_ms)
                self._late_s = now_s
        except StoreUnavailableError:
            return _AGAIN_S  # the store tells it
        return _BUSY_S if busy else _TURN_S
