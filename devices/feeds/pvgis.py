"""PVGIS of the Joint Research Centre: a place's typical meteorological year, without a key.

API: https://joint-research-centre.ec.europa.eu (PVGIS, API non-interactive service), ``GET
/api/v5_3/tmy``. It knows no forecast: an hour of any year is taken from the typical year's same day
and hour in UTC, 29 February from the 28th. 30 calls a second are allowed, then comes 429; an
overloaded server answers 529; a refusal is HTTP 400 with ``message``.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from devices.drivers.json_values import parse_json, table_of, text_of
from devices.errors import DeviceRefusedError, DeviceReplyError
from devices.feeds.feed_link import FeedReply, FeedRequest
from devices.feeds.weather import HOUR, WeatherHour, finite, hours_of

URL: Final = "https://re.jrc.ec.europa.eu"
_NAME: Final = "pvgis"
_HOURS: Final = 8_760

_Moment = tuple[int, int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pvgis:
    """See `devices.feeds.weather.WeatherDialect`."""

    latitude_deg: float
    """North of the equator. [deg]"""
    longitude_deg: float
    """East of Greenwich. [deg]"""

    def request(self, begin: datetime, end: datetime) -> FeedRequest:
        """See `WeatherDialect`; the answer is the whole year whatever is asked for."""
        del begin, end
        place = {"lat": f"{self.latitude_deg:.4f}", "lon": f"{self.longitude_deg:.4f}"}
        return FeedRequest(path="/api/v5_3/tmy", query={**place, "outputformat": "json"})

    def hours(self, reply: FeedReply, begin: datetime, end: datetime) -> list[WeatherHour]:
        """See `WeatherDialect`."""
        body = table_of(parse_json(reply.body, _NAME), _NAME)
        if reply.status != 200:
            why = " ".join((text_of(body, "message") or "no message").split())[:160]
            msg = f"{_NAME}: HTTP {reply.status} ({why}); correct the place"
            raise DeviceRefusedError(msg)
        rows = table_of(body.get("outputs"), f"{_NAME} outputs").get("tmy_hourly")
        if not isinstance(rows, list):
            msg = f"{_NAME}: tmy_hourly is no list; ask again"
            raise DeviceReplyError(msg)
        year = dict(_moment(table_of(row, f"{_NAME} hour")) for row in rows)
        if len(year) != _HOURS:
            msg = f"{_NAME}: a year of {len(year)} hours; ask again"
            raise DeviceReplyError(msg)
        return hours_of((each, *year[_typical(each)]) for each in _whole_hours(begin, end))


def _moment(row: Mapping[str, object]) -> tuple[_Moment, tuple[float, float]]:
    """Return month, day and hour of a row, and its sun and air."""
    text = text_of(row, "time(UTC)") or ""
    sun, air = finite(row.get("G(h)")), finite(row.get("T2m"))
    try:
        time = datetime.strptime(text, "%Y%m%d:%H%M").replace(tzinfo=UTC)
    except ValueError:
        time = None
    if time is None or sun is None or air is None:
        msg = f"{_NAME}: the hour {text[:40]!r} lacks its time, G(h) or T2m; ask again"
        raise DeviceReplyError(msg)
    return (time.month, time.day, time.hour), (sun, air)


def _typical(utc: datetime) -> _Moment:
    leap = (utc.month, utc.day) == (2, 29)
    return (utc.month, 28 if leap else utc.day, utc.hour)


def _whole_hours(begin: datetime, end: datetime) -> Iterator[datetime]:
    each = begin.astimezone(UTC)
    whole = each.replace(minute=0, second=0, microsecond=0)
    each = whole if whole == each else whole + HOUR
    while each < end:
        yield each
        each += HOUR
