"""The market day as a part of the service: a scheduler that runs its steps at local times."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from threading import Event
from typing import Final
from zoneinfo import ZoneInfo

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from aggregator.service.alarms.listening import Listening, messages_come
from aggregator.service.day.desk import open_desk
from aggregator.service.day.routes import day_router
from aggregator.service.day.schedule import run_due
from aggregator.service.day.steps import STEPS, When
from aggregator.service.day.view import MarketDay
from aggregator.service.errors import StoreUnavailableError
from aggregator.service.serve import House

AWAY_S: Final = 21_600
"""So long nothing is entered or accounted while no gateway can be heard; then it goes on. [s]"""


class DayPart:
    """Runs the steps of market days when they are due.

    Whatever was missed, because the service was down or a step failed, is looked for each few
    minutes: the scheduler's memory is the table of runs.

    Parameters
    ----------
    house : House
        The service.
    """

    def __init__(self, house: House) -> None:
        self._house = house
        desk = open_desk(house.settings, store=house.store, clock=house.clock)
        self._each_min = min(desk.settings.watch_each_min, desk.settings.retry_min)
        self._listening = Listening(each_s=60.0 * self._each_min, hears=self._hears)
        self._deaf_ms: int | None = None
        if desk.prices is not None:  # else nobody looks, and who runs a step by hand knows better
            desk = replace(desk, heard_since_ms=self._heard_since_ms)
        self._desk = desk
        self._scheduler: AsyncIOScheduler | None = None
        self._looking = asyncio.Lock()
        self._ending = Event()
        self._ended: BaseException | None = None
        house.day = MarketDay(self._desk)
        house.routers.append(day_router(self._desk))
        if self._desk.ledger.url:
            house.checks["chain"] = self._chain

    async def start(self) -> None:
        """See `Part`; without a source of prices only what is asked for by hand is run."""
        settings = self._desk.settings
        if self._desk.prices is None:
            self._house.tell("market days are run by hand alone: [prices] names no source")
            return
        zone = ZoneInfo(settings.zone)
        self._scheduler = AsyncIOScheduler(timezone=zone)
        for name, step in STEPS.items():
            if step.when is not When.DURING:
                at = settings.at(name)
                trigger = CronTrigger(hour=at.hour, minute=at.minute, second=1, timezone=zone)
                self._scheduler.add_job(self._look, trigger, id=name, misfire_grace_time=None)
        each = IntervalTrigger(minutes=self._each_min)
        at_once = datetime.now(UTC)
        self._scheduler.add_job(self._look, each, id="look", next_run_time=at_once)
        self._scheduler.start()

    async def stop(self) -> None:
        """See `Part`; the step that is under way is finished."""
        self._ending.set()
        async with self._looking:  # the scheduler would cancel who waits for the step's thread
            if self._scheduler is not None:
                self._scheduler.shutdown(wait=False)

    def check(self) -> None:
        """See `Part`."""
        if self._ended is not None:
            raise self._ended

    def _heard_since_ms(self) -> int:
        """Return since when gateways are heard, or 0 once they could not be for too long."""
        house = self._house
        now_ms = house.now_ms()
        since_ms = self._listening.since_ms(now_ms, house.clock.monotonic_s())
        deaf_ms = now_ms if self._deaf_ms is None else self._deaf_ms
        return since_ms if now_ms - deaf_ms < 1000 * AWAY_S else 0

    def _hears(self) -> bool:
        """Return whether gateways can be heard, and remember since when not."""
        hears = messages_come(self._house)
        self._deaf_ms = None if hears else self._deaf_ms or self._house.now_ms()
        return hears

    def _chain(self) -> None:
        from contracts.connection.chain_web3 import rpc_chain  # noqa: PLC0415 -- imports web3

        rpc_chain(self._desk.ledger.url).now_s()

    async def _look(self) -> None:
        """Run all that is due, in a thread."""
        async with self._looking:
            try:
                await asyncio.to_thread(self._heard_since_ms)
                await asyncio.to_thread(
                    run_due, self._desk, tell=self._house.tell, ending=self._ending
                )
            except StoreUnavailableError:
                pass  # the store tells it; what is due stays due
            except Exception as error:  # whoever runs us raises it
                self._ended = error
