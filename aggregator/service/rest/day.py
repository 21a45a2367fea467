"""A market day of the fleet as the page draws it; the day cycle implements `DayView` in full."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict
from sqlalchemy import select

from aggregator.service.store.store import Store
from aggregator.service.store.tables import settlements


class FleetDay(BaseModel):
    """A day; every list has one entry per interval, null where it is not known (yet)."""

    model_config = ConfigDict(frozen=True)

    day: date
    """Local market day."""
    zone: str
    """Its time zone."""
    start_ms: list[int]
    """When each interval begins. [ms]"""
    price_per_mwh: list[float | None]
    """Clearing price. [currency/MWh]"""
    imbalance_price_per_mwh: list[float | None]
    """Price of what is not delivered as promised. [currency/MWh]"""
    planned_export_wh: list[float | None]
    """What the plan exports. [Wh]"""
    committed_wh: list[int | None]
    """What was promised. [Wh]"""
    delivered_wh: list[int | None]
    """What was delivered, so far where the interval is not over. [Wh]"""
    soc: list[float | None]
    """The fleet's state of charge at the interval's end, or now."""
    soc_planned: list[float | None]
    """The state of charge that was promised, SoC^A."""
    revenue_micro: list[int | None]
    """What the interval earned. [micro]"""


class DayView(Protocol):
    """Reads a market day."""

    def day(self, day: date) -> FleetDay:
        """Return a day; one of which nothing is known has empty lists.

        Parameters
        ----------
        day : date
            Local market day.
        """


@dataclass(frozen=True, slots=True)
class SettledDay:
    """What was settled of a day: all that the store knows without a day cycle."""

    store: Store
    """The database."""
    zone: str = "Europe/London"
    """The market's time zone."""

    def day(self, day: date) -> FleetDay:
        """Return what was settled of a day.

        Parameters
        ----------
        day : date
            Local market day.
        """
        zone = ZoneInfo(self.zone)
        first, last = (
            int(datetime(each.year, each.month, each.day, tzinfo=zone).timestamp() * 1000)
            for each in (day, day + timedelta(days=1))
        )
        of_day = settlements.c.start_ms.between(first, last - 1)
        query = select(settlements).where(of_day).order_by(settlements.c.start_ms)
        with self.store.read() as connection:
            rows = connection.execute(query).all()
        unknown = [None] * len(rows)
        return FleetDay(
            day=day,
            zone=self.zone,
            start_ms=[row.start_ms for row in rows],
            price_per_mwh=[row.price_micro_per_mwh / 1e6 for row in rows],
            imbalance_price_per_mwh=[row.imbalance_price_micro_per_mwh / 1e6 for row in rows],
            planned_export_wh=list(unknown),
            committed_wh=[row.commitment_wh for row in rows],
            delivered_wh=[row.delivered_wh for row in rows],
            soc=list(unknown),
            soc_planned=list(unknown),
            revenue_micro=[row.revenue_micro for row in rows],
        )
