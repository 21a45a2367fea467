"""Open-Meteo: forecast and recent weather of any place, without a key for private use.

API: https://open-meteo.com/en/docs, ``GET /v1/forecast``. ``shortwave_radiation`` is the mean of
the hour *before* its time, ``temperature_2m`` that of the moment. A refusal is HTTP 400 with
``error`` and ``reason``; who asks too often gets 429.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from devices.drivers.json_values import parse_json, table_of, text_of
from devices.errors import DeviceRefusedError, DeviceReplyError
from devices.feeds.feed_link import FeedReply, FeedRequest
from devices.feeds.weather import HOUR, WeatherHour, finite, hours_of

URL: Final = "https://api.open-meteo.com"
_NAME: Final = "open-meteo"
_SUN: Final = "shortwave_radiation"
_AIR: Final = "temperature_2m"
_UNITS: Final = {"time": "unixtime", _SUN: "W/m²", _AIR: "°C"}


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenMeteo:
    """See `devices.feeds.weather.WeatherDialect`."""

    latitude_deg: float
    """North of the equator. [deg]"""
    longitude_deg: float
    """East of Greenwich. [deg]"""

    def request(self, begin: datetime, end: datetime) -> FeedRequest:
        """See `WeatherDialect`; the service answers whole days of UTC."""
        return FeedRequest(
            path="/v1/forecast",
            query={
                "latitude": f"{self.latitude_deg:.4f}",
                "longitude": f"{self.longitude_deg:.4f}",
                "hourly": f"{_SUN},{_AIR}",
                "timeformat": "unixtime",
                "timezone": "GMT",
                "start_date": f"{begin.astimezone(UTC):%Y-%m-%d}",
                # the sun of an hour stands at the hour's end, which may be the next day's midnight
                "end_date": f"{end.astimezone(UTC):%Y-%m-%d}",
            },
        )

    def hours(self, reply: FeedReply, begin: datetime, end: datetime) -> list[WeatherHour]:
        """See `WeatherDialect`; an hour's temperature is the mean of its ends."""
        body = table_of(parse_json(reply.body, _NAME), _NAME)
        if reply.status != 200:
            reason = " ".join((text_of(body, "reason") or "no reason").split())[:160]
            msg = f"{_NAME}: HTTP {reply.status} ({reason}); correct place and time"
            raise DeviceRefusedError(msg)
        at = _columns(body)
        rows: list[tuple[datetime, float, float]] = []
        for stop, (mean_sun, late) in at.items():
            first = stop - HOUR
            early = at.get(first, (None, late))[1]
            told = mean_sun is not None and late is not None and early is not None
            if told and begin <= first < end:
                rows.append((first, mean_sun or 0.0, ((early or 0.0) + (late or 0.0)) / 2))
        return hours_of(rows)


def _columns(
    body: Mapping[str, object],
) -> dict[datetime, tuple[float | None, float | None]]:
    """Return sun and air by time."""
    units = table_of(body.get("hourly_units"), f"{_NAME} hourly_units")
    hourly = table_of(body.get("hourly"), f"{_NAME} hourly")
    lists: list[list[object]] = []
    for key, unit in _UNITS.items():
        found = hourly.get(key)
        if units.get(key) != unit or not isinstance(found, list):
            msg = f"{_NAME}: {key} is no list in {unit} (but {units.get(key)!r}); tell us of it"
            raise DeviceReplyError(msg)
        lists.append(found)
    times, sun, air = lists
    if not len(times) == len(sun) == len(air):
        msg = f"{_NAME}: lists of different lengths; ask again"
        raise DeviceReplyError(msg)
    return {
        _time(each): (finite(bright), finite(warm))
        for each, bright, warm in zip(times, sun, air, strict=True)
    }


def _time(value: object) -> datetime:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**33:
        msg = f"{_NAME}: {value!r} among the times is none; ask again"
        raise DeviceReplyError(msg)
    return datetime.fromtimestamp(value, UTC)
