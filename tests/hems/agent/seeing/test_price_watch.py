"""A home's market prices: fetched beside everything else, what is missing told once."""

import asyncio
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta

import pytest

from devices.emulators.faults import Fault, FaultPlan
from devices.emulators.feeds import PriceService, PublishedPrices
from devices.emulators.feeds_dialects import energy_charts
from devices.feeds.settings import PriceSettings, price_book
from devices.hand_clock import HandClock
from hems.agent.health import Health
from hems.agent.seeing.price_watch import PriceWatch

LONG_S = 20.0


def price_of(begin):
    return 100.0 + begin.hour


class Watched:
    def __init__(self, service, watch, clock, lines):
        self.service, self.watch, self.clock, self.lines = service, watch, clock, lines

    async def until(self, holds, *, within_s=2_000):
        """Let time pass, ten seconds at a time, until something holds."""
        for _ in range(within_s // 10):
            if holds():
                return
            await self.clock.advance(10.0)
            await asyncio.sleep(0.002)
        pytest.fail(f"not so after {within_s} s: {self.lines}")


@asynccontextmanager
async def watching(*, faults=None, prices=None, kept=None):
    clock, lines = HandClock(turns=200), []
    shown = prices or PublishedPrices(price_of=price_of, step=timedelta(hours=1))
    service = PriceService(energy_charts(), prices=shown, clock=clock, faults=faults)
    await service.start()
    settings = PriceSettings(
        source="energy-charts", area="DE-LU", url=service.url, timeout_s=LONG_S, days_back=1
    )
    book = price_book(settings, clock=clock, cache=kept)
    watch = PriceWatch(book, clock=clock, health=Health(lines.append))
    running = asyncio.ensure_future(watch.run())
    try:
        yield Watched(service, watch, clock, lines)
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        await watch.close()
        await service.stop()


def test_the_price_of_now_comes_is_news_once_and_shown():
    async def story():
        async with watching() as home:
            await home.until(lambda: home.watch.market_per_mwh(home.clock.utc()) is not None)
            await home.until(home.watch.take_news)
            now = home.clock.utc()
            return (
                home.watch.market_per_mwh(now),
                home.watch.status(now),
                home.lines,
                (home.watch.take_news()),
            )

    price, status, lines, news = asyncio.run(story())

    assert (price, lines, news) == (112.0, [], False)
    assert status == {
        "source": "energy-charts",
        "currency": "EUR",
        "market_per_mwh": 112.0,
        "origin": "market",
        "known_until": "2026-06-02T22:00+00:00",
    }


def test_a_source_that_fails_is_told_once_lost_and_once_back():
    async def story():
        async with watching(faults=FaultPlan.always(Fault.SERVER_ERROR)) as home:
            await home.until(lambda: sum(home.service.asked.values()) >= 4)
            lost = list(home.lines)
            home.service.faults = FaultPlan.none()
            await home.until(lambda: len(home.lines) > len(lost) + 1)
            return lost, home.lines[len(lost) :]

    lost, back = asyncio.run(story())

    assert lost == [
        "prices lost: energy-charts GET /price: HTTP 500; ask again later",
        "price of now lost: none is published or known of a day before: the tariff holds",
    ]
    assert back == ["prices back", "price of now back"]


def test_a_day_that_nobody_published_is_told_with_the_hour_that_stands_in(tmp_path):
    def unpublished(begin):
        return None if begin >= datetime.fromisoformat("2026-06-01T00:00Z") else price_of(begin)

    async def story():
        prices = PublishedPrices(price_of=unpublished, step=timedelta(hours=1))
        async with watching(prices=prices, kept=tmp_path / "prices.json") as home:
            await home.until(lambda: bool(home.lines))
            now = home.clock.utc()
            return home.lines, home.watch.market_per_mwh(now), home.watch.status(now)["origin"]

    assert asyncio.run(story()) == (
        ["price of now lost: none is published: that of 31 May 12:00 UTC holds"],
        112.0,
        "day before",
    )
