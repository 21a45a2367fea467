"""Octopus Energy: unit rates of a tariff such as Agile, half-hour by half-hour, without a key.

API: https://developer.octopus.energy/rest (``standard-unit-rates``). Prices are pence per kWh with
and without VAT, newest first, in pages whose ``next`` is the address of the following one. Agile's
rates of tomorrow come in the late afternoon; until then they are simply not among the results.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import quote

from devices.drivers.json_values import number_of, parse_json, table_of, text_of
from devices.errors import DeviceRefusedError, DeviceReplyError
from devices.feeds.feed_link import FeedReply, FeedRequest
from devices.feeds.http_prices import Page
from devices.feeds.prices import PriceSlot, utc_of

URL: Final = "https://api.octopus.energy"
_PAYMENTS: Final = frozenset({None, "DIRECT_DEBIT"})
"""Where a tariff has rates by way of paying, those of direct debit are taken."""
_PENCE_PER_KWH: Final = 10.0
"""GBP/MWh of one penny per kWh."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Octopus:
    """See `devices.feeds.http_prices.Dialect`."""

    product: str
    """Product code, such as ``AGILE-24-10-01``."""
    tariff: str
    """Tariff code, such as ``E-1R-AGILE-24-10-01-C``; its last letter is the region."""
    with_vat: bool = True
    """Whether VAT is part of the price."""
    page_size: int = 1500
    """Rates per page, 1..1500."""
    name: str = "octopus"
    currency: str = "GBP"
    longest: timedelta = timedelta(days=366)

    def request(self, begin: datetime, end: datetime) -> FeedRequest:
        """See `Dialect`."""
        product, tariff = quote(self.product, safe=""), quote(self.tariff, safe="")
        return FeedRequest(
            path=f"/v1/products/{product}/electricity-tariffs/{tariff}/standard-unit-rates/",
            query={
                "period_from": _written(begin),
                "period_to": _written(end),
                "page_size": str(self.page_size),
            },
        )

    def page(self, reply: FeedReply, *, end: datetime) -> Page:
        """See `Dialect`; a rate without an end holds as long as was asked for."""
        table = table_of(parse_json(reply.body, self.name), self.name)
        if reply.status != 200:
            msg = (
                f"{self.name}: HTTP {reply.status} for {self.tariff} ({table.get('detail')}); "
                "correct product and tariff"
            )
            raise DeviceRefusedError(msg)
        results, next_url = table.get("results"), table.get("next")
        if not isinstance(results, list) or not isinstance(next_url, str | None):
            msg = f"{self.name}: results is no list, or next no address; ask again"
            raise DeviceReplyError(msg)
        rates = [table_of(each, f"{self.name} rate") for each in results]
        chosen = [each for each in rates if each.get("payment_method") in _PAYMENTS]
        return Page(slots=[self._slot(each, end) for each in chosen], next_url=next_url)

    def _slot(self, rate: Mapping[str, object], end: datetime) -> PriceSlot:
        begin = self._time(rate, "valid_from")
        until = end if rate.get("valid_to") is None else self._time(rate, "valid_to")
        value = number_of(rate, "value_inc_vat" if self.with_vat else "value_exc_vat")
        if value is None:
            msg = f"{self.name}: the rate of {begin} has no price; ask again"
            raise DeviceReplyError(msg)
        price = round(value * _PENCE_PER_KWH, 6)
        return PriceSlot(begin=begin, end=max(until, begin), price_per_mwh=price)

    def _time(self, rate: Mapping[str, object], key: str) -> datetime:
        text = text_of(rate, key) or ""
        found = utc_of(text)
        if found is None:
            msg = f"{self.name}: {key} is {text[:40]!r}, no time with a zone; ask again"
            raise DeviceReplyError(msg)
        return found


def _written(utc: datetime) -> str:
    return utc.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
