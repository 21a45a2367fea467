"""Where weather comes from: the table ``[weather]`` of a configuration, and the source it names."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from devices.clock import Clock
from devices.errors import DeviceConfigError, DeviceReplyError
from devices.feeds.weather import HttpWeather, WeatherHour, WeatherSource, hours_of

WEATHER_SOURCES: Final = ("none", "open-meteo", "pvgis", "file")
"""What ``source`` may be."""
COLUMNS: Final = ("begin", "irradiance_w_per_m2", "temperature_c")
"""Columns of a weather file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WeatherSettings:
    """Where weather comes from: the table ``[weather]``.

    Raises
    ------
    ValueError
        If something is missing for the source, or out of range.
    """

    source: str = "none"
    """One of `WEATHER_SOURCES`."""
    latitude_deg: float | None = None
    """North of the equator; None for the mean of the homes'. [deg]"""
    longitude_deg: float | None = None
    """East of Greenwich; None for the mean of the homes'. [deg]"""
    file: Path | None = None
    """The CSV file, of the columns `COLUMNS`; times have an offset."""
    url: str | None = None
    """The service's address, where it is not the usual one."""
    timeout_s: float = 30.0
    """How long an answer may take. [s]"""

    def __post_init__(self) -> None:
        if self.source not in WEATHER_SOURCES:
            msg = f"source is {self.source!r}; give one of {', '.join(WEATHER_SOURCES)}"
            raise ValueError(msg)
        if self.source == "file" and self.file is None:
            msg = "file is missing for source 'file'; give it"
            raise ValueError(msg)
        if (self.latitude_deg is None) != (self.longitude_deg is None):
            msg = "latitude_deg and longitude_deg go together; give both or none"
            raise ValueError(msg)
        for name, most in (("latitude_deg", 90.0), ("longitude_deg", 180.0)):
            value = getattr(self, name)
            if value is not None and not abs(value) <= most:
                msg = f"{name} is {value:g}; give -{most:g}..{most:g}"
                raise ValueError(msg)
        if not 0 < self.timeout_s <= 300:
            msg = f"timeout_s is {self.timeout_s:g}; give up to 300 seconds"
            raise ValueError(msg)


def open_weather(settings: WeatherSettings, *, clock: Clock) -> WeatherSource | None:
    """Return the source that a table names, None for ``none``; nothing is asked yet.

    Parameters
    ----------
    settings : WeatherSettings
        The table, with a place for a service.
    clock : Clock
        The time.

    Raises
    ------
    DeviceConfigError
        If a service has no place, or ``url`` is no address.
    """
    if settings.source == "none":
        return None
    if settings.source == "file" and settings.file is not None:
        return WeatherFile(settings.file)
    if settings.latitude_deg is None or settings.longitude_deg is None:
        msg = f"weather of {settings.source}: no place; give latitude_deg and longitude_deg"
        raise DeviceConfigError(msg)
    from devices.feeds import open_meteo, pvgis  # noqa: PLC0415 -- loads aiohttp
    from devices.feeds.feed_link import FeedLink  # noqa: PLC0415 -- as above

    place = {"latitude_deg": settings.latitude_deg, "longitude_deg": settings.longitude_deg}
    meteo = settings.source == "open-meteo"
    link = FeedLink(
        name=settings.source,
        base=settings.url or (open_meteo.URL if meteo else pvgis.URL),
        timeout_s=settings.timeout_s,
        clock=clock,
    )
    return HttpWeather(open_meteo.OpenMeteo(**place) if meteo else pvgis.Pvgis(**place), link)


class WeatherFile:
    """See `devices.feeds.weather.WeatherSource`: the file is read anew each time it is asked.

    Parameters
    ----------
    path : Path
        A CSV file with the columns `COLUMNS`.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def name(self) -> str:
        """What messages call it."""
        return f"weather file {self._path.name}"

    async def weather(self, begin: datetime, end: datetime) -> list[WeatherHour]:
        """See `WeatherSource`.

        Raises
        ------
        DeviceConfigError
            If the file cannot be read, with its line where one is wrong.
        """
        try:
            with self._path.open(encoding="utf-8-sig", newline="") as file:
                found = hours_of(self._rows(csv.DictReader(file)))
        except (OSError, UnicodeDecodeError, csv.Error, DeviceReplyError) as error:
            msg = f"{self.name} cannot be used ({error}); mend it, or name another"
            raise DeviceConfigError(msg) from error
        return [each for each in found if begin <= each.begin < end]

    def _rows(self, rows: "csv.DictReader[str]") -> Iterator[tuple[datetime, float, float]]:
        missing = [each for each in COLUMNS if each not in (rows.fieldnames or ())]
        if missing:
            msg = f"{self.name}: no column {', '.join(missing)}; its first line names them"
            raise DeviceConfigError(msg)
        for row in rows:
            begin, sun, air = (row[each] or "" for each in COLUMNS)
            try:
                yield datetime.fromisoformat(begin.strip()), float(sun), float(air)
            except ValueError as error:
                msg = f"{self.name} line {rows.line_num}: {error}; write 2026-06-01T12:00Z,612,21.4"
                raise DeviceConfigError(msg) from error
