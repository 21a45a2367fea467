"""The prices that a home or an aggregator goes by: fetched in time, kept, and stale by a rule."""

import zlib
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

from devices.clock import Clock
from devices.errors import DeviceError, DeviceUnavailableError
from devices.feeds.local_days import at_local, day_of, same_hour_before
from devices.feeds.price_cache import PriceCache, recent
from devices.feeds.prices import PriceSeries, PriceSource

ASK_AGAIN_S: Final = 900.0
"""Pause while what is due is not published yet. [s]"""
RETRY_S: Final = 60.0
"""Pause after a failure, doubled with each further one. [s]"""
RETRY_MAX_S: Final = 3600.0
"""Longest such pause. [s]"""
SPREAD_S: Final = 300
"""Over how long the first questions of a fleet are spread, so that they do not all come at once."""
DAYS_BACK_MOST: Final = 7
"""How many days back prices may be taken from."""

Origin = Literal["market", "day before"]


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownPrice:
    """A price and how it came to be known."""

    price_per_mwh: float
    """Price. [currency/MWh]"""
    origin: Origin
    """``market``: published for this time; ``day before``: for it on an earlier day."""
    of: datetime
    """The time that it was published for, UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What `PriceBook.refresh` found that somebody should hear of."""

    error: str | None = None
    """Why nothing could be fetched; None where that went well."""
    cache_error: str | None = None
    """Why prices could not be kept on disk."""
    again_s: float
    """When to ask next. [s]"""


def price_to_go_by(
    series: PriceSeries, utc: datetime, *, zone: ZoneInfo, days_back: int
) -> KnownPrice | None:
    """Return the price to go by at a time, by the rule of `PriceBook`.

    Parameters
    ----------
    series : PriceSeries
        What is published.
    utc : datetime
        The time.
    zone : ZoneInfo
        The market's.
    days_back : int
        How many days back a price may stand in, 0 for none.
    """
    price = series.at(utc)
    if price is not None:
        return KnownPrice(price_per_mwh=price, origin="market", of=utc)
    for days in range(1, days_back + 1):
        earlier = same_hour_before(utc, zone, days=days)
        price = series.at(earlier)
        if price is not None:
            return KnownPrice(price_per_mwh=price, origin="day before", of=earlier)
    return None


class PriceBook:
    """Keep prices from yesterday to the end of what is published.

    A price that is published for a time holds however old it is: day-ahead prices do not change.
    Where none is published, the same local time of the day before stands in, at most ``days_back``
    days back; beyond that there is no price, and the caller goes by its fixed tariff.

    Parameters
    ----------
    source : PriceSource
        Where they come from.
    cache : PriceCache
        Where they are kept.
    clock : Clock
        The time.
    zone : ZoneInfo
        The market's: its days and its time of publication.
    published : time, optional
        Local time of day from which tomorrow's prices may be there; None for sources that never
        know tomorrow's.
    days_back : int
        0..7; 0 takes no earlier day's price.
    """

    def __init__(
        self,
        source: PriceSource,
        *,
        cache: PriceCache,
        clock: Clock,
        zone: ZoneInfo,
        published: time | None,
        days_back: int = 2,
    ) -> None:
        if not 0 <= days_back <= DAYS_BACK_MOST:
            msg = f"days_back is {days_back}; give 0..{DAYS_BACK_MOST}"
            raise ValueError(msg)
        self._source = source
        self._cache = cache
        self._clock = clock
        self._zone = zone
        self._published = published
        self._days_back = days_back
        self._failures = 0
        self._unread: str | None = None
        self.series = self._loaded()
        """What is known."""

    @property
    def name(self) -> str:
        """What messages call the source."""
        return self._source.name

    def at(self, utc: datetime) -> KnownPrice | None:
        """Return the price to go by at a time; None where the fixed tariff has to do."""
        return price_to_go_by(self.series, utc, zone=self._zone, days_back=self._days_back)

    async def refresh(self) -> Told:
        """Fetch what is missing, keep it, and say when to ask again; raises nothing of the source.

        What is there stays when nothing can be fetched.
        """
        begin, end = self._wanted()
        cache_error, self._unread = self._unread, None
        try:
            found = await self._source.prices(begin, end)
            self.series = recent(self.series.joined(found), self._clock.utc())
        except DeviceError as error:
            self._failures += 1
            return Told(error=str(error), cache_error=cache_error, again_s=self._pause_s(error))
        self._failures = 0
        try:
            self._cache.save(self.series)
        except DeviceError as error:
            cache_error = str(error)
        return Told(cache_error=cache_error, again_s=self._next_s())

    def due_s(self) -> float:
        """Return when to ask first after a start: at once, unless all that is due is known. [s]"""
        return self._next_s() if not self.missing() else 0.0

    def missing(self) -> tuple[tuple[datetime, datetime], ...]:
        """Return what is due by now and not known: today's rest, and tomorrow once published."""
        now = self._clock.utc()
        _, end = self._due(now)
        return self.series.holes(now, end)

    async def close(self) -> None:
        """Let go of the source."""
        await self._source.close()

    def _loaded(self) -> PriceSeries:
        """Return what is kept; damage is told with the next refresh."""
        try:
            found = self._cache.load()
        except DeviceError as error:
            self._unread, found = str(error), None
        if found is None or found.currency != self._source.currency:
            return PriceSeries.empty(self._source.currency)
        return found

    def _wanted(self) -> tuple[datetime, datetime]:
        """Return what to ask for: yesterday too, while it is not known, to stand in for today."""
        now = self._clock.utc()
        begin, _ = day_of(now, self._zone)
        yesterday, _ = day_of(now, self._zone, days=-1)
        if self._days_back and self.series.holes(yesterday, begin):
            begin = yesterday
        return begin, self._due(now)[1]

    def _due(self, now: datetime) -> tuple[datetime, datetime]:
        """Return what should be published by now."""
        if self._published is None:
            return now - timedelta(hours=1), now
        begin, end = day_of(now, self._zone)
        if now.astimezone(self._zone).time() >= self._published:
            _, end = day_of(now, self._zone, days=1)
        return begin, end

    def _next_s(self) -> float:
        if self._published is None or self.missing():
            return ASK_AGAIN_S
        now = self._clock.utc()
        publication = at_local(now + timedelta(seconds=1), self._published, self._zone)
        spread_s = zlib.crc32(self.name.encode()) % SPREAD_S
        return (publication - now).total_seconds() + spread_s

    def _pause_s(self, error: DeviceError) -> float:
        asked_s = error.retry_after_s if isinstance(error, DeviceUnavailableError) else None
        own_s = RETRY_MAX_S if not error.retry else RETRY_S * 2.0 ** (self._failures - 1)
        return max(min(own_s, RETRY_MAX_S), asked_s or 0.0)
