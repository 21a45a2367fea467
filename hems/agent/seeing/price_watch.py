"""The market's prices for one home: fetched beside everything else, and what is stale told once."""

from datetime import datetime
from typing import Any, Final

from devices.clock import Clock
from devices.feeds.price_book import ASK_AGAIN_S, PriceBook
from hems.agent.health import Health

SOURCE: Final = "prices"
"""What the log calls the source."""
NOW: Final = "price of now"
"""What the log calls a price that is missing."""
CACHE: Final = "memory of prices"
"""What the log calls the file."""
LOOK_S: Final = 30.0
"""How often it is looked whether a price stands in for another. [s]"""


class PriceWatch:
    """Fetch prices when they are due, and say what is gone by where they are missing.

    Parameters
    ----------
    book : PriceBook
        The prices.
    clock : Clock
        The time.
    health : Health
        Is told.
    """

    def __init__(self, book: PriceBook, *, clock: Clock, health: Health) -> None:
        self._book = book
        self._clock = clock
        self._health = health
        self._origin: str | None = None
        self._news = False

    def take_news(self) -> bool:
        """Return, once, whether the market's own price has come for now."""
        news, self._news = self._news, False
        return news

    def market_per_mwh(self, utc: datetime) -> float | None:
        """Return the market's price to go by; None leaves the tariff. [currency/MWh]"""
        known = self._book.at(utc)
        return None if known is None else known.price_per_mwh

    async def run(self) -> None:
        """Fetch and look, until cancelled."""
        due_s = self._clock.monotonic_s() + self._book.due_s()
        while True:
            if self._clock.monotonic_s() >= due_s:
                due_s = self._clock.monotonic_s() + await self._fetch()
            self._look()
            await self._clock.sleep(min(max(due_s - self._clock.monotonic_s(), 0.0), LOOK_S))
            # a clock that was set may have brought a day that nobody reckoned with
            if self._book.missing():
                due_s = min(due_s, self._clock.monotonic_s() + ASK_AGAIN_S)

    async def close(self) -> None:
        """Let go of the source."""
        await self._book.close()

    def status(self, utc: datetime) -> dict[str, Any]:
        """Return what `gridpact agent status` shows."""
        known = self._book.at(utc)
        return {
            "source": self._book.name,
            "currency": self._book.series.currency,
            "market_per_mwh": None if known is None else known.price_per_mwh,
            "origin": "tariff" if known is None else known.origin,
            "known_until": self._book.series.end.isoformat(timespec="minutes"),
        }

    async def _fetch(self) -> float:
        """Ask the source; return when to ask next. [s]"""
        told = await self._book.refresh()
        if told.error is None:
            self._health.back(SOURCE)
        else:
            self._health.lost(SOURCE, told.error)
        if told.cache_error is None:
            self._health.back(CACHE)
        else:
            self._health.lost(CACHE, told.cache_error)
        return told.again_s

    def _look(self) -> None:
        """Say once that a price stands in for one that is missing, and once that it does not."""
        known = self._book.at(self._clock.utc())
        before, self._origin = self._origin, None if known is None else known.origin
        self._news |= self._origin == "market" != before
        if known is None:
            self._health.lost(NOW, "none is published or known of a day before: the tariff holds")
        elif known.origin == "market":
            self._health.back(NOW)
        else:
            self._health.lost(NOW, f"none is published: that of {known.of:%d %B %H:%M} UTC holds")
