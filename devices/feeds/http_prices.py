"""Prices from a market's service: its dialect asked over one link, page by page."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from devices.errors import DeviceReplyError
from devices.feeds.feed_link import FeedLink, FeedReply, FeedRequest
from devices.feeds.prices import PriceSeries, PriceSlot, series_of

MOST_PAGES: Final = 50
"""A service that has more pages for one question goes round in circles."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What one answer holds."""

    slots: Sequence[PriceSlot] = ()
    """Its prices; none where nothing is published for the time asked for."""
    next_url: str | None = None
    """Address of the next page; None where this is the last."""


class Dialect(Protocol):
    """How one service is asked and understood: pure, bytes in and prices out."""

    @property
    def name(self) -> str:
        """What messages call the service."""
        ...

    @property
    def currency(self) -> str:
        """ISO 4217 code of its prices."""
        ...

    @property
    def longest(self) -> timedelta:
        """The longest time that one request may ask for."""
        ...

    def request(self, begin: datetime, end: datetime) -> FeedRequest:
        """Return what asks for ``[begin, end)``."""
        ...

    def page(self, reply: FeedReply, *, end: datetime) -> Page:
        """Return what an answer holds; ``end`` is that of the time asked for.

        Raises
        ------
        DeviceReplyError, DeviceRefusedError
            In one line, if it cannot be understood, or is a refusal.
        """
        ...


class HttpPrices:
    """See `devices.feeds.prices.PriceSource`.

    Parameters
    ----------
    dialect : Dialect
        The service's.
    link : FeedLink
        The way there.
    """

    def __init__(self, dialect: Dialect, link: FeedLink) -> None:
        self._dialect = dialect
        self._link = link

    @property
    def name(self) -> str:
        """What messages call the service."""
        return self._link.name

    @property
    def currency(self) -> str:
        """ISO 4217 code of its prices."""
        return self._dialect.currency

    async def prices(self, begin: datetime, end: datetime) -> PriceSeries:
        """See `PriceSource`; longer times are asked for in parts."""
        found: list[PriceSlot] = []
        for part_begin, part_end in _parts(begin, end, self._dialect.longest):
            found += await self._pages(part_begin, part_end)
        # parts may overlap in a slot or a day: services round what they are asked for
        series = series_of(dict.fromkeys(found), currency=self.currency)
        return series.between(begin, end)

    async def close(self) -> None:
        """See `PriceSource`: each request was a connection of its own."""

    async def _pages(self, begin: datetime, end: datetime) -> list[PriceSlot]:
        request = self._dialect.request(begin, end)
        found: list[PriceSlot] = []
        for _ in range(MOST_PAGES):
            page = self._dialect.page(await self._link.get(request), end=end)
            found += page.slots
            if page.next_url is None:
                return found
            request = self._link.following(page.next_url)
        msg = f"{self.name}: more than {MOST_PAGES} pages for one question; ask again"
        raise DeviceReplyError(msg)


def _parts(
    begin: datetime, end: datetime, longest: timedelta
) -> Iterator[tuple[datetime, datetime]]:
    while begin < end:
        part_end = min(begin + longest, end)
        yield begin, part_end
        begin = part_end
