"""Alarms as a part of the service; its table in service.toml is ``[alarms]``."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from aggregator.service.alarms.channels import channels_of
from aggregator.service.alarms.gauges import (
    BrokerGauge,
    Gauge,
    HeardGauge,
    LedgerGauge,
    MissedGauge,
)
from aggregator.service.alarms.listening import Listening, messages_come
from aggregator.service.alarms.patrol import Patrol
from aggregator.service.alarms.rules import BROKER, CHANNEL, LEDGER, MISSED, rules_of
from aggregator.service.alarms.settings import AlarmSettings
from aggregator.service.alarms.teller import Teller
from aggregator.service.day.settings import DaySettings, LedgerSettings
from aggregator.service.errors import StoreUnavailableError
from aggregator.service.rest.day import SettledDay
from aggregator.service.serve import House

_TELL_S: Final = 1.0
"""How often it is looked for alarms to tell. [s]"""

_END_S: Final = 15.0
"""How long a message that is under way may hold up the end. [s]"""


class AlarmsPart:
    """Looks at the fleet and tells what is wrong. Run it once, not in every process.

    Parameters
    ----------
    house : House
        The service.
    """

    def __init__(self, house: House) -> None:
        self._house = house
        settings = self._settings = house.settings.table(AlarmSettings, "alarms")
        channels = channels_of(settings)
        self._teller = Teller(house.store, channels, settings, house.tell) if channels else None
        self._patrol: Patrol | None = None
        self._ending = threading.Event()
        self._ended: Exception | None = None
        self._threads = [threading.Thread(target=self._watch, name="alarms", daemon=True)]
        if self._teller is not None:  # a server that is slow to answer holds up nothing else
            self._threads.append(
                threading.Thread(target=self._report, name="alarms told", daemon=True)
            )

    async def start(self) -> None:
        """See `aggregator.service.serve.Part`."""
        house, settings = self._house, self._settings
        self._patrol = Patrol(
            house.store,
            rules_of(settings),
            self._gauges(),
            listening=Listening(each_s=settings.each_s, hears=lambda: messages_come(house)),
        )
        for thread in self._threads:
            thread.start()

    async def stop(self) -> None:
        """See `aggregator.service.serve.Part`; what was not told is told after the next start."""
        self._ending.set()
        for thread in self._threads:
            if thread.is_alive():
                await asyncio.to_thread(thread.join, _END_S)

    def check(self) -> None:
        """See `aggregator.service.serve.Part`."""
        if self._ended is not None:
            raise self._ended

    def _gauges(self) -> dict[str, Gauge]:
        house, settings = self._house, self._settings
        zone = house.settings.table(DaySettings, "day").zone
        view = house.day or SettledDay(house.store, zone)
        gauges: dict[str, Gauge] = {
            MISSED: MissedGauge(view=view, zone=zone, after_s=settings.missed_after_s)
        }
        teller = self._teller
        if teller is not None:
            gauges[CHANNEL] = lambda _: teller.untaken(house.clock.monotonic_s())
        ingest = house.ingest
        gauges[BROKER] = HeardGauge(house.store) if ingest is None else BrokerGauge(ingest.counts)
        ledger = house.settings.table(LedgerSettings, "ledger")
        if ledger.url:  # the embedded one is as late as its last step, and nobody waits for it
            gauges[LEDGER] = LedgerGauge(ledger.url)
        return gauges

    def _watch(self) -> None:
        patrol = self._patrol
        assert patrol is not None  # noqa: S101 -- made before the thread
        house = self._house
        self._repeat(
            lambda: patrol.look(house.now_ms(), house.clock.monotonic_s()), self._settings.each_s
        )

    def _report(self) -> None:
        teller, house = self._teller, self._house
        assert teller is not None  # noqa: S101 -- else there is no such thread
        self._repeat(
            lambda: teller.turn(now_ms=house.now_ms(), now_s=house.clock.monotonic_s()), _TELL_S
        )

    def _repeat(self, work: Callable[[], object], each_s: float) -> None:
        try:
            while not self._ending.is_set():
                with suppress(StoreUnavailableError):  # the store tells it
                    work()
                self._ending.wait(each_s)
        except Exception as error:  # whoever runs us raises it
            self._ended = error
