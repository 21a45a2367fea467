"""Weather from services that answer as the real ones do, and from files."""

import asyncio
import json
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest

from devices.emulators.feeds import PriceService, PublishedPrices
from devices.emulators.feeds_weather import open_meteo, pvgis
from devices.emulators.http_server import HttpAnswer
from devices.errors import (
    DeviceConfigError,
    DeviceRefusedError,
    DeviceReplyError,
    DeviceUnavailableError,
)
from devices.feeds.feed_link import FeedLink
from devices.feeds.open_meteo import OpenMeteo
from devices.feeds.pvgis import Pvgis
from devices.feeds.weather import HttpWeather, WeatherHour
from devices.feeds.weather_settings import WeatherSettings, open_weather

BEGIN = datetime(2026, 6, 1, 22, tzinfo=UTC)
END = datetime(2026, 6, 2, 3, tzinfo=UTC)


def weather_of(time):
    """Return irradiance and temperature that tell hours apart; a model's night is below zero."""
    return (-0.4 if time.hour < 2 else 10.0 * time.hour), float(time.hour)


@pytest.fixture
def ask(clock):
    """Return what asks a service for weather."""

    @asynccontextmanager
    async def served(answers, **more):
        service = PriceService(answers, prices=PublishedPrices(), clock=clock, **more)
        await service.start()
        try:
            yield service
        finally:
            await service.stop()

    def run(source, answers, *, begin=BEGIN, end=END, latitude_deg=51.5, times=1, **more):
        async def story():
            async with served(answers, **more) as service:
                settings = WeatherSettings(
                    source=source,
                    url=service.url,
                    latitude_deg=latitude_deg,
                    longitude_deg=-0.1,
                    timeout_s=20.0,
                )
                opened = open_weather(settings, clock=clock)
                for _ in range(times - 1):
                    await opened.weather(begin, end)
                return await opened.weather(begin, end)

        return asyncio.run(story())

    return run


def hour(begin, sun, air):
    return WeatherHour(begin=begin, irradiance_w_per_m2=sun, temperature_c=air)


def test_open_meteos_sun_is_that_of_the_hour_before_its_time(ask):
    found = ask("open-meteo", open_meteo(weather_of))

    begins = [BEGIN + timedelta(hours=each) for each in range(5)]
    assert found == [
        hour(begins[0], 220.0, 22.5),
        hour(begins[1], 230.0, 11.5),  # 23 °C at its begin, 0 °C at its end
        hour(begins[2], 0.0, 0.5),
        hour(begins[3], 0.0, 1.5),
        hour(begins[4], 20.0, 2.5),
    ]


def test_pvgis_answers_any_year_from_its_typical_one(ask):
    leap = datetime(2028, 2, 29, 12, tzinfo=UTC)

    found = ask("pvgis", pvgis(weather_of), begin=leap, end=leap + timedelta(hours=2))

    assert found == [
        hour(leap, 120.0, 12.0),
        hour(leap + timedelta(hours=1), 130.0, 13.0),
    ]


@pytest.mark.parametrize(
    ("source", "answers", "said"),
    [
        (
            "open-meteo",
            open_meteo(weather_of),
            "open-meteo: HTTP 400 (Latitude must be in range of -90 to 90°. Given: 91.0000.); "
            "correct place and time",
        ),
        (
            "pvgis",
            pvgis(weather_of),
            "pvgis: HTTP 400 (lat: Incorrect value. Please, enter a float between -90 and 90.); "
            "correct the place",
        ),
    ],
)
def test_a_refusal_is_told_in_the_services_words(ask, clock, source, answers, said):

    dialect = {"open-meteo": OpenMeteo, "pvgis": Pvgis}[source]

    async def story():
        service = PriceService(answers, prices=PublishedPrices(), clock=clock)
        await service.start()
        try:
            link = FeedLink(name=source, base=service.url, timeout_s=20.0, clock=clock)
            asked = HttpWeather(dialect(latitude_deg=91.0, longitude_deg=0.0), link)
            await asked.weather(BEGIN, END)
        finally:
            await service.stop()

    with pytest.raises(DeviceRefusedError) as caught:
        asyncio.run(story())

    assert str(caught.value) == said


def test_a_service_that_is_asked_too_often_is_left_alone(ask):
    with pytest.raises(DeviceUnavailableError) as caught:
        ask("open-meteo", open_meteo(weather_of), times=3, calls_per_minute=2)

    assert caught.value.retry_after_s == 120.0


@pytest.mark.parametrize(
    ("source", "body", "said"),
    [
        ("open-meteo", {"hourly": {}}, "open-meteo hourly_units is None, not an object"),
        (
            "open-meteo",
            {"hourly_units": {"time": "iso8601"}, "hourly": {"time": []}},
            "open-meteo: time is no list in unixtime (but 'iso8601'); tell us of it",
        ),
        ("pvgis", {"outputs": {"tmy_hourly": [{"T2m": 3}]}}, "pvgis: the hour '' lacks its time"),
        ("pvgis", {"outputs": {"tmy_hourly": []}}, "pvgis: a year of 0 hours; ask again"),
    ],
)
def test_a_damaged_answer_is_one_line(ask, source, body, said):
    with pytest.raises(DeviceReplyError) as caught:
        ask(source, lambda *_: HttpAnswer(body=json.dumps(body).encode()))

    assert str(caught.value).startswith(said)


@pytest.mark.parametrize(
    ("sun", "air"), [(2000.0, 10.0), (-50.0, 10.0), (float("nan"), 10.0), (100.0, 200.0)]
)
def test_weather_that_cannot_be_is_damage(sun, air):
    with pytest.raises(DeviceReplyError, match="which cannot be; ask again"):
        hour(BEGIN, sun, air)


def test_a_file_gives_its_hours_and_names_a_bad_line(tmp_path, clock):
    file = tmp_path / "weather.csv"
    source = open_weather(WeatherSettings(source="file", file=file), clock=clock)
    head = "begin,irradiance_w_per_m2,temperature_c\n"
    file.write_text(f"{head}2026-06-01T21:00Z,1,2\n2026-06-02T00:00+01:00,5.5,-3\n")

    assert asyncio.run(source.weather(BEGIN, END)) == [hour(BEGIN + timedelta(hours=1), 5.5, -3.0)]
    file.write_text(f"{head}2026-06-01T21:00Z,bright,2\n")
    with pytest.raises(DeviceConfigError) as caught:
        asyncio.run(source.weather(BEGIN, END))
    assert str(caught.value).startswith("weather file weather.csv line 2: could not convert")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"source": "moon"}, "source is 'moon'; give one of none, open-meteo, pvgis, file"),
        ({"source": "file"}, "file is missing for source 'file'; give it"),
        ({"latitude_deg": 3.0}, "latitude_deg and longitude_deg go together; give both or none"),
        (
            {"latitude_deg": 91.0, "longitude_deg": 0.0},
            "latitude_deg is 91; give -90..90",
        ),
    ],
)
def test_settings_that_cannot_be_are_told(settings, said):
    with pytest.raises(ValueError, match=r".") as caught:
        WeatherSettings(**settings)

    assert str(caught.value) == said
