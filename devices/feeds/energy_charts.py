"""energy-charts.info of Fraunhofer ISE: day-ahead prices of Europe's bidding zones, without a key.

API: https://api.energy-charts.info (OpenAPI description there), ``GET /price?bzn=&start=&end=``.
It answers ``unix_seconds`` and ``price`` of equal length, in EUR/MWh for every zone, null where a
price is missing; 404 where nothing is published for the time asked for.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from devices.drivers.json_values import parse_json, table_of
from devices.errors import DeviceRefusedError, DeviceReplyError
from devices.feeds.feed_link import FeedReply, FeedRequest
from devices.feeds.http_prices import Page
from devices.feeds.prices import slots_of_begins

URL: Final = "https://api.energy-charts.info"
ALONE_S: Final = 900
"""Length of a slot that comes alone: the market's since October 2025. [s]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class EnergyCharts:
    """See `devices.feeds.http_prices.Dialect`."""

    area: str
    """Bidding zone as the service writes it, such as ``DE-LU``."""
    name: str = "energy-charts"
    currency: str = "EUR"
    longest: timedelta = timedelta(days=31)

    def request(self, begin: datetime, end: datetime) -> FeedRequest:
        """See `Dialect`; the service takes the last moment as one that is asked for."""
        last = end - timedelta(seconds=1)
        times = {"start": _written(begin), "end": _written(last)}
        return FeedRequest(path="/price", query={"bzn": self.area, **times})

    def page(self, reply: FeedReply, *, end: datetime) -> Page:
        """See `Dialect`."""
        del end
        if reply.status == 404:
            return Page()
        if reply.status != 200:
            msg = f"{self.name}: HTTP {reply.status} for {self.area}; see that it is a bidding zone"
            raise DeviceRefusedError(msg)
        table = table_of(parse_json(reply.body, self.name), self.name)
        unit = str(table.get("unit", "")).replace(" ", "").casefold()
        if unit != "eur/mwh":
            msg = f"{self.name}: prices are in {table.get('unit')!r}, not EUR/MWh; tell us of it"
            raise DeviceReplyError(msg)
        begins, prices = table.get("unix_seconds"), table.get("price")
        if not (isinstance(begins, list) and isinstance(prices, list)):
            msg = f"{self.name}: unix_seconds or price is no list; ask again"
            raise DeviceReplyError(msg)
        if len(begins) != len(prices):
            msg = f"{self.name}: {len(begins)} times and {len(prices)} prices; ask again"
            raise DeviceReplyError(msg)
        read = {
            self._time(begin): self._price(price)
            for begin, price in zip(begins, prices, strict=True)
        }
        return Page(slots=slots_of_begins(read, last_s=ALONE_S))

    def _time(self, value: object) -> datetime:
        if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 2**33:
            msg = f"{self.name}: {value!r} among unix_seconds is no time; ask again"
            raise DeviceReplyError(msg)
        return datetime.fromtimestamp(value, UTC)

    def _price(self, value: object) -> float | None:
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            msg = f"{self.name}: {value!r} among the prices is no number; ask again"
            raise DeviceReplyError(msg)
        return float(value)


def _written(utc: datetime) -> str:
    return utc.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
