"""ENTSO-E Transparency Platform: day-ahead prices of Europe's bidding zones (12.1.D), with a key.

API guide: https://transparencyplatform.zendesk.com (RESTful API), ``GET /api?documentType=A44``.
Times are UTC, the token goes with the query. An answer is a ``Publication_MarketDocument``, or an
``Acknowledgement_MarketDocument`` whose reason 999 says that nothing matches. 400 requests a minute
are allowed, then comes 429 and a ban of ten minutes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from xml.etree import ElementTree as Xml

from devices.errors import DeviceRefusedError, DeviceReplyError
from devices.feeds.feed_link import FeedReply, FeedRequest
from devices.feeds.http_prices import Page
from devices.feeds.prices import MOST_SLOTS, PriceSlot, utc_of

URL: Final = "https://web-api.tp.entsoe.eu"
KEY: Final = "securityToken"
"""What the query calls the token."""
BAN_S: Final = 600.0
"""How long who asks too often is turned away. [s]"""
_STEPS: Final = {
    "PT15M": timedelta(minutes=15),
    "PT30M": timedelta(minutes=30),
    "PT60M": timedelta(hours=1),
    "PT1H": timedelta(hours=1),
}
_NOTHING: Final = "no matching data"
_VARIABLE_BLOCKS: Final = "A03"
_DAILY: Final = frozenset({None, "A01"})
"""Contract types of the day-ahead auction."""
_FIRST_AUCTION: Final = frozenset({None, "1"})
"""A zone may have a second, local auction, numbered 2, and it may come first in the document."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entsoe:
    """See `devices.feeds.http_prices.Dialect`."""

    area: str
    """EIC code of the bidding zone, such as ``10Y1001A1001A82H`` (Germany and Luxembourg)."""
    currency: str = "EUR"
    name: str = "entsoe"
    longest: timedelta = timedelta(days=365)

    def request(self, begin: datetime, end: datetime) -> FeedRequest:
        """See `Dialect`; the platform answers whole market days."""
        return FeedRequest(
            path="/api",
            query={
                "documentType": "A44",
                "contract_MarketAgreement.type": "A01",
                "in_Domain": self.area,
                "out_Domain": self.area,
                "periodStart": _written(begin),
                "periodEnd": _written(end),
            },
        )

    def page(self, reply: FeedReply, *, end: datetime) -> Page:
        """See `Dialect`; of series in several resolutions the finest is taken."""
        del end
        root = self._root(reply.body)
        kind = _bare(root.tag)
        if kind == "Acknowledgement_MarketDocument":
            return self._acknowledged(root)
        if reply.status != 200 or kind != "Publication_MarketDocument":
            msg = f"{self.name}: HTTP {reply.status}, a {kind[:40]} for prices; ask again"
            raise DeviceReplyError(msg)
        periods = [
            (series, period)
            for series in _children(root, "TimeSeries")
            if self._is_ours(series)
            for period in _children(series, "Period")
        ]
        steps = [self._step(period) for _, period in periods]
        finest = min(steps, default=None)
        return Page(
            slots=[
                slot
                for (series, period), step in zip(periods, steps, strict=True)
                if step == finest or not _overlapped(period, periods, steps, step)
                for slot in self._slots(series, period, step)
            ]
        )

    def _root(self, body: bytes) -> Xml.Element:
        if b"<!DOCTYPE" in body or b"<!ENTITY" in body:  # no such document declares entities
            msg = f"{self.name}: answered a page for people, or worse; see url"
            raise DeviceReplyError(msg)
        try:
            return Xml.fromstring(body)  # noqa: S314 -- declarations were refused above
        except Xml.ParseError as error:
            msg = f"{self.name}: answered {body[:40]!r}, which is no XML ({error}); ask again"
            raise DeviceReplyError(msg) from error

    def _acknowledged(self, root: Xml.Element) -> Page:
        """Return an empty page where nothing is published; raise what else was refused."""
        reasons = [_text(each, "text") or "no reason" for each in _children(root, "Reason")]
        why = " ".join("; ".join(reasons).split())[:160]
        if _NOTHING in why.casefold():
            return Page()
        msg = f"{self.name}: refused for {self.area}: {why}; correct area or currency"
        raise DeviceRefusedError(msg)

    def _is_ours(self, series: Xml.Element) -> bool:
        """Return whether a series is the day-ahead auction's, in our currency.

        Raises
        ------
        DeviceRefusedError
            If it is in another currency.
        """
        contract = _text(series, "contract_MarketAgreement.type")
        auction = _text(series, "classificationSequence_AttributeInstanceComponent.position")
        if contract not in _DAILY or auction not in _FIRST_AUCTION:
            return False
        currency, unit = (
            _text(series, "currency_Unit.name"),
            _text(series, "price_Measure_Unit.name"),
        )
        if currency != self.currency or unit != "MWH":
            msg = f"{self.name}: {self.area} is priced in {currency} per {unit}; set currency"
            raise DeviceRefusedError(msg)
        return True

    def _step(self, period: Xml.Element) -> timedelta:
        text = _text(period, "resolution")
        if text not in _STEPS:
            msg = f"{self.name}: a resolution of {text!r} is none of {', '.join(_STEPS)}"
            raise DeviceReplyError(msg)
        return _STEPS[text]

    def _slots(
        self, series: Xml.Element, period: Xml.Element, step: timedelta
    ) -> Iterator[PriceSlot]:
        """Yield a period's prices; in blocks of variable size a price holds until the next one."""
        begin, end = _interval(period, self.name)
        count = (end - begin) // step
        if count > MOST_SLOTS:
            msg = f"{self.name}: a period of {(end - begin).days} days; ask again"
            raise DeviceReplyError(msg)
        points = dict(self._point(point, count) for point in _children(period, "Point"))
        goes_on = _text(series, "curveType") == _VARIABLE_BLOCKS
        price: float | None = None
        for position in range(1, count + 1):
            price = points.get(position, price if goes_on else None)
            if price is not None:
                start = begin + (position - 1) * step
                yield PriceSlot(begin=start, end=start + step, price_per_mwh=price)

    def _point(self, point: Xml.Element, count: int) -> tuple[int, float]:
        position, price = _text(point, "position"), _text(point, "price.amount")
        try:
            found = int(position or ""), float(price or "")
        except ValueError:
            found = (0, 0.0)
        if not 1 <= found[0] <= count:
            msg = f"{self.name}: position {position} of {count} at price {price}; ask again"
            raise DeviceReplyError(msg)
        return found


def _overlapped(
    period: Xml.Element,
    periods: list[tuple[Xml.Element, Xml.Element]],
    steps: list[timedelta],
    step: timedelta,
) -> bool:
    """Return whether a finer period tells prices of the same time."""
    begin, end = _interval(period, "entsoe")
    others = (
        _interval(other, "entsoe")
        for (_, other), finer in zip(periods, steps, strict=True)
        if finer < step
    )
    return any(other_begin < end and other_end > begin for other_begin, other_end in others)


def _interval(period: Xml.Element, name: str) -> tuple[datetime, datetime]:
    found = next(iter(_children(period, "timeInterval")), period)
    texts = [_text(found, each) for each in ("start", "end")]
    begin, end = (utc_of(text) for text in texts)
    if begin is None or end is None or begin >= end:
        msg = f"{name}: a period from {texts[0]} to {texts[1]} is none; ask again"
        raise DeviceReplyError(msg)
    return begin, end


def _children(element: Xml.Element, name: str) -> list[Xml.Element]:
    return [each for each in element if _bare(each.tag) == name]


def _text(element: Xml.Element, name: str) -> str | None:
    found = _children(element, name)
    return (found[0].text or "").strip() or None if found else None


def _bare(tag: str) -> str:
    """Return a tag without its namespace, whose version changes."""
    return tag.rpartition("}")[2]


def _written(utc: datetime) -> str:
    return utc.astimezone(UTC).strftime("%Y%m%d%H%M")
