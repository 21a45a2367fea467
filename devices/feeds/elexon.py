"""Elexon Insights: Great Britain's market index prices by settlement period, without a key.

API: https://developer.data.elexon.co.uk, ``GET /balancing/pricing/market-index``. The index is of
trades that were made, so it is published after the half-hour: prices of tomorrow never come from
here. A provider that saw no trade reports volume 0 and price 0, which is no price.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from devices.drivers.json_values import number_of, parse_json, table_of, text_of
from devices.errors import DeviceRefusedError, DeviceReplyError
from devices.feeds.feed_link import FeedReply, FeedRequest
from devices.feeds.http_prices import Page
from devices.feeds.prices import PriceSlot, utc_of

URL: Final = "https://data.elexon.co.uk/bmrs/api/v1"
PERIOD: Final = timedelta(minutes=30)
"""Length of a settlement period."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Elexon:
    """See `devices.feeds.http_prices.Dialect`."""

    provider: str = "APXMIDP"
    """Whose index: ``APXMIDP`` or ``N2EXMIDP``."""
    name: str = "elexon"
    currency: str = "GBP"
    longest: timedelta = timedelta(days=7)

    def request(self, begin: datetime, end: datetime) -> FeedRequest:
        """See `Dialect`; ``to`` names the begin of the last period that is asked for."""
        times = {"from": _written(begin), "to": _written(max(end - PERIOD, begin))}
        query = {**times, "dataProviders": self.provider, "format": "json"}
        return FeedRequest(path="/balancing/pricing/market-index", query=query)

    def page(self, reply: FeedReply, *, end: datetime) -> Page:
        """See `Dialect`."""
        del end
        if reply.status != 200:
            why = " ".join(reply.body[:120].decode("utf-8", "replace").split())
            msg = f"{self.name}: HTTP {reply.status} ({why}); see the time asked for"
            raise DeviceRefusedError(msg)
        rows = table_of(parse_json(reply.body, self.name), self.name).get("data")
        if not isinstance(rows, list):
            msg = f"{self.name}: data is no list; ask again"
            raise DeviceReplyError(msg)
        tables = [table_of(row, f"{self.name} row") for row in rows]
        found = (self._slot(row) for row in tables if row.get("dataProvider") == self.provider)
        return Page(slots=[each for each in found if each is not None])

    def _slot(self, row: Mapping[str, object]) -> PriceSlot | None:
        price, volume = number_of(row, "price"), number_of(row, "volume")
        text = text_of(row, "startTime") or ""
        begin = utc_of(text)
        if price is None or begin is None:
            msg = f"{self.name}: a row has no price, or startTime {text[:40]!r} is none; ask again"
            raise DeviceReplyError(msg)
        if price == 0 and not volume:
            return None
        return PriceSlot(begin=begin, end=begin + PERIOD, price_per_mwh=price)


def _written(utc: datetime) -> str:
    return utc.astimezone(UTC).strftime("%Y-%m-%dT%H:%MZ")
