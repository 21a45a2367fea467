"""Market prices as everybody here reads them: UTC slots, a currency per MWh, holes told (§4)."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Final, Protocol, Self

from devices.errors import DeviceReplyError

LEAST_STEP_S: Final = 60
"""No market trades shorter slots. [s]"""
MOST_SLOTS: Final = 120_000
"""More than a year of five minutes: a document with more is damaged."""
PRICE_BOUND: Final = 1e6
"""No price of a market, in any of its currencies: beyond it a value is damage. [currency/MWh]"""
YEARS: Final = range(1970, 9000)
"""A time outside of these is damage, and near the calendar's ends no zone can be applied to it."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceSlot:
    """One price and the time that it holds for.

    Raises
    ------
    DeviceReplyError
        If the time is empty, has no zone, does not lie on whole minutes, or the price cannot be.
    """

    begin: datetime
    """From when it holds, aware."""
    end: datetime
    """Until when it holds, aware."""
    price_per_mwh: float
    """Price. [currency/MWh]"""

    def __post_init__(self) -> None:
        if self.begin.tzinfo is None or self.end.tzinfo is None:
            msg = f"price from {self.begin} to {self.end}: a time has no zone; give UTC"
            raise DeviceReplyError(msg)
        length_s = (self.end - self.begin).total_seconds()
        whole = self.begin.timestamp() % LEAST_STEP_S == 0 and length_s % LEAST_STEP_S == 0
        if length_s <= 0 or not whole:
            msg = f"price from {self.begin} to {self.end}: no time of whole minutes; ask again"
            raise DeviceReplyError(msg)
        if not abs(self.price_per_mwh) <= PRICE_BOUND:
            msg = f"price of {self.begin} is {self.price_per_mwh} per MWh, which cannot be"
            raise DeviceReplyError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceSeries:
    """Prices of equal slots one after another; None where none is published.

    Make one with `series_of`, which finds the step.
    """

    currency: str
    """ISO 4217 code of the prices."""
    begin: datetime
    """Begin of the first slot, UTC."""
    step_s: int
    """Length of a slot. [s]"""
    price_per_mwh: tuple[float | None, ...]
    """Price of each slot; None is a hole. [currency/MWh]"""

    @classmethod
    def empty(cls, currency: str) -> Self:
        """Return a series without a slot: nothing is published yet."""
        return cls(currency=currency, begin=_EPOCH, step_s=3600, price_per_mwh=())

    @property
    def end(self) -> datetime:
        """End of the last slot, UTC; the begin where there is none."""
        return self.begin + timedelta(seconds=self.step_s * len(self.price_per_mwh))

    def at(self, utc: datetime) -> float | None:
        """Return the price that holds at a time; None where none is published."""
        slot = math.floor((utc - self.begin).total_seconds() / self.step_s)
        return self.price_per_mwh[slot] if 0 <= slot < len(self.price_per_mwh) else None

    def slots(self) -> list[PriceSlot]:
        """Return the slots that have a price, in their order."""
        step = timedelta(seconds=self.step_s)
        return [
            PriceSlot(
                begin=self.begin + number * step,
                end=self.begin + (number + 1) * step,
                price_per_mwh=price,
            )
            for number, price in enumerate(self.price_per_mwh)
            if price is not None
        ]

    def between(self, begin: datetime, end: datetime) -> "PriceSeries":
        """Return the slots that touch ``[begin, end)``."""
        kept = [each for each in self.slots() if each.begin < end and each.end > begin]
        return series_of(kept, currency=self.currency)

    def joined(self, newer: "PriceSeries") -> "PriceSeries":
        """Return both; where both have a price, the newer one's.

        Raises
        ------
        DeviceReplyError
            If they are in different currencies.
        """
        if newer.currency != self.currency:
            msg = f"prices in {newer.currency} do not go on from {self.currency}; name one currency"
            raise DeviceReplyError(msg)
        fresh = newer.slots()
        return series_of(
            [*_uncovered(self.slots(), fresh), *fresh],
            currency=self.currency,
        )

    def holes(self, begin: datetime, end: datetime) -> tuple[tuple[datetime, datetime], ...]:
        """Return the stretches of ``[begin, end)`` that no price is published for."""
        found: list[tuple[datetime, datetime]] = []
        reached = begin
        for slot in self.slots():
            if slot.end <= reached:
                continue
            if slot.begin >= end:
                break
            if slot.begin > reached:
                found.append((reached, slot.begin))
            reached = slot.end
        return (*found, (reached, end)) if reached < end else tuple(found)


class PriceSource(Protocol):
    """Where prices come from: a file, a market's service."""

    @property
    def name(self) -> str:
        """What messages call it."""
        ...

    @property
    def currency(self) -> str:
        """ISO 4217 code of its prices."""
        ...

    async def prices(self, begin: datetime, end: datetime) -> PriceSeries:
        """Return what is published of ``[begin, end)``; what is not yet there is left out.

        Raises
        ------
        DeviceError
            If it cannot be asked, or answers what cannot be understood.
        """
        ...

    async def close(self) -> None:
        """Let go of the connection."""
        ...


def utc_of(text: str | None) -> datetime | None:
    """Return a service's time, ISO 8601 with a zone, as UTC; None where it is none."""
    try:
        found = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    if found.tzinfo is None or found.year not in YEARS:
        return None
    return found.astimezone(UTC)


def series_of(slots: Iterable[PriceSlot], *, currency: str) -> PriceSeries:
    """Return slots of any lengths and in any order as one series of equal slots.

    The step is the longest that all begins and ends lie on, so that an hour's price stands in each
    of its quarters where a market changed from hours to quarters.

    Raises
    ------
    DeviceReplyError
        If two prices hold at the same time and differ, or there are too many.
    """
    ordered = sorted(slots, key=lambda each: each.begin)
    if not ordered:
        return PriceSeries.empty(currency)
    begin = ordered[0].begin.astimezone(UTC)
    starts = [round((each.begin - begin).total_seconds()) for each in ordered]
    ends = [round((each.end - begin).total_seconds()) for each in ordered]
    step_s = math.gcd(*starts, *ends)
    count = max(ends) // step_s
    if count > MOST_SLOTS:
        msg = f"prices from {begin} for {max(ends) / 86400:.0f} days: too long; ask for less"
        raise DeviceReplyError(msg)
    prices: list[float | None] = [None] * count
    for slot, start, stop in zip(ordered, starts, ends, strict=True):
        for number in range(start // step_s, stop // step_s):
            if prices[number] not in {None, slot.price_per_mwh}:
                msg = (
                    f"prices of {slot.begin:%Y-%m-%d %H:%M} contradict each other "
                    f"({prices[number]:g} and {slot.price_per_mwh:g}); ask again"
                )
                raise DeviceReplyError(msg)
            prices[number] = slot.price_per_mwh
    return PriceSeries(currency=currency, begin=begin, step_s=step_s, price_per_mwh=tuple(prices))


def slots_of_begins(prices: Mapping[datetime, float | None], *, last_s: int) -> list[PriceSlot]:
    """Return the slots of a document that tells begins only.

    Parameters
    ----------
    prices : Mapping of datetime to float or None
        Price by begin, aware; None is a hole that the document tells itself. [currency/MWh]
    last_s : int
        Length of a slot that stands alone. [s]

    Notes
    -----
    A slot is as long as the shorter of the distances to its neighbours. So a slot before or after a
    hole does not grow into it, and a change from hours to quarters is found.
    """
    begins = sorted(prices)
    apart = [round((after - before).total_seconds()) for before, after in pairwise(begins)]
    found: list[PriceSlot] = []
    for number, begin in enumerate(begins):
        around = apart[max(number - 1, 0) : number + 1] or [last_s]
        price = prices[begin]
        if price is not None:
            end = begin + timedelta(seconds=min(around))
            found.append(PriceSlot(begin=begin, end=end, price_per_mwh=price))
    return found


def _uncovered(older: Iterable[PriceSlot], newer: Iterable[PriceSlot]) -> list[PriceSlot]:
    """Return of older slots what newer ones leave."""
    covers = list(newer)
    left: list[PriceSlot] = []
    for slot in older:
        reached = slot.begin
        for cover in (each for each in covers if each.begin < slot.end and each.end > slot.begin):
            if cover.begin > reached:
                left.append(_part(slot, reached, cover.begin))
            reached = max(reached, cover.end)
        if reached < slot.end:
            left.append(_part(slot, reached, slot.end))
    return left


def _part(slot: PriceSlot, begin: datetime, end: datetime) -> PriceSlot:
    return PriceSlot(begin=begin, end=end, price_per_mwh=slot.price_per_mwh)
