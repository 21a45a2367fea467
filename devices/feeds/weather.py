"""Weather as everybody here reads it: hours in UTC with mean irradiance and mean temperature."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, Protocol

from devices.errors import DeviceReplyError

if TYPE_CHECKING:
    from devices.feeds.feed_link import FeedLink, FeedReply, FeedRequest

HOUR: Final = timedelta(hours=1)
"""Step of all weather."""
IRRADIANCE_MOST_W_PER_M2: Final = 1_600.0
"""More sun than this reaches no ground: beyond it a value is damage. [W/m²]"""
TEMPERATURE_BOUND_C: Final = 90.0
"""Nor is any air colder or hotter. [°C]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class WeatherHour:
    """One hour at one place.

    Raises
    ------
    DeviceReplyError
        If the time is no whole hour with a zone, or a value cannot be.
    """

    begin: datetime
    """When it begins, aware."""
    irradiance_w_per_m2: float
    """Mean global irradiance on level ground, >= 0. [W/m²]"""
    temperature_c: float
    """Mean air temperature. [°C]"""

    def __post_init__(self) -> None:
        if self.begin.tzinfo is None or self.begin.timestamp() % 3600:
            msg = f"weather of {self.begin}: no whole hour with a zone; give UTC"
            raise DeviceReplyError(msg)
        sun, air = self.irradiance_w_per_m2, self.temperature_c
        if not (0 <= sun <= IRRADIANCE_MOST_W_PER_M2 and abs(air) <= TEMPERATURE_BOUND_C):
            msg = f"weather of {self.begin} is {sun} W/m² at {air} °C, which cannot be; ask again"
            raise DeviceReplyError(msg)


class WeatherSource(Protocol):
    """Where weather comes from: a service's forecast, a typical year, a file."""

    @property
    def name(self) -> str:
        """What messages call it."""
        ...

    async def weather(self, begin: datetime, end: datetime) -> list[WeatherHour]:
        """Return the hours of ``[begin, end)`` that are known, oldest first.

        Raises
        ------
        DeviceError
            If it cannot be asked, or answers what cannot be understood.
        """
        ...


class WeatherDialect(Protocol):
    """How one service is asked and understood: pure, bytes in and hours out."""

    def request(self, begin: datetime, end: datetime) -> "FeedRequest":
        """Return what asks for ``[begin, end)``."""
        ...

    def hours(self, reply: "FeedReply", begin: datetime, end: datetime) -> list[WeatherHour]:
        """Return the hours of ``[begin, end)`` in an answer.

        Raises
        ------
        DeviceReplyError, DeviceRefusedError
            In one line, if it cannot be understood, or is a refusal.
        """
        ...


@dataclass(frozen=True, slots=True)
class HttpWeather:
    """See `WeatherSource`: a service's dialect over one link."""

    dialect: WeatherDialect
    """The service's."""
    link: "FeedLink"
    """The way there."""

    @property
    def name(self) -> str:
        """What messages call the service."""
        return self.link.name

    async def weather(self, begin: datetime, end: datetime) -> list[WeatherHour]:
        """See `WeatherSource`."""
        reply = await self.link.get(self.dialect.request(begin, end))
        return self.dialect.hours(reply, begin, end)


def hours_of(rows: Iterable[tuple[datetime, float, float]]) -> list[WeatherHour]:
    """Return rows of begin, irradiance and temperature as hours, oldest first.

    A model's night is sometimes a little below zero: that is no sun.

    Raises
    ------
    DeviceReplyError
        If a value cannot be, or an hour comes twice.
    """
    found: dict[datetime, WeatherHour] = {}
    for begin, sun, air in rows:
        dark = -5.0 < sun < 0.0
        if begin in found:
            msg = f"weather of {begin} comes twice; ask again"
            raise DeviceReplyError(msg)
        found[begin] = WeatherHour(
            begin=begin.astimezone(UTC),
            irradiance_w_per_m2=0.0 if dark else sun,
            temperature_c=air,
        )
    return [found[each] for each in sorted(found)]


def finite(value: object) -> float | None:
    """Return a number out of JSON; None where there is none."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)
