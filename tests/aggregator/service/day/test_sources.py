"""Prices and weather of a day: fetched, kept, stale by a rule."""

import asyncio
import threading
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from sqlalchemy import delete, insert

from aggregator.service.day.forecast import gather_forecast
from aggregator.service.day.prices import DAY_AHEAD, prices_to_go_by
from aggregator.service.store.channels import PV
from aggregator.service.store.tables import (
    forecast_scores,
    forecasts,
    prices,
    telemetry_15min,
    weather,
)
from devices.emulators.feeds import PriceService, PublishedPrices
from devices.emulators.feeds_dialects import octopus
from devices.emulators.feeds_weather import open_meteo
from devices.feeds.settings import PriceSettings
from devices.feeds.weather_settings import WeatherSettings

LONDON = ZoneInfo("Europe/London")


@pytest.fixture
def service(world):
    """Return what serves a price or weather service on a socket, in a thread of its own."""

    @contextmanager
    def serve(answers, shown=None):
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever)
        thread.start()
        made = PriceService(answers, prices=shown or PublishedPrices(), clock=world.desk.clock)
        try:
            asyncio.run_coroutine_threadsafe(made.start(), loop).result(30)
            yield made
            asyncio.run_coroutine_threadsafe(made.stop(), loop).result(30)
        finally:
            loop.call_soon_threadsafe(loop.stop)
            thread.join(30)
            loop.close()

    return serve


def test_prices_that_are_not_published_yet_leave_the_step_unfinished(
    world, service, hour, local_day
):
    shown = PublishedPrices(
        price_of=lambda begin: 40.0 + begin.hour, step=timedelta(minutes=30), zone=LONDON
    )
    with service(octopus(), shown) as market:
        source = PriceSettings(
            source="octopus",
            url=market.url,
            product="AGILE-24-10-01",
            tariff="E-1R-AGILE-24-10-01-C",
        )
        world.desk = replace(world.desk, prices=source)
        world.desk.clock.now = hour(local_day, -13)  # 11:00 of the day before

        (early,) = world.run("prices")
        world.desk.clock.now = hour(local_day, -9)
        late = world.done("prices")

    assert (early.state, early.line) == (
        "unfinished",
        "0 prices of octopus, 46 intervals not published yet",
    )
    assert late == ["46 prices of octopus"]
    assert [row["price_per_mwh"] for row in world.rows(prices)] == [
        40.0 + start.hour for start in world.desk.grid(local_day).starts()
    ]


def test_prices_that_were_kept_stand_while_the_service_is_away(world, local_day):
    world.done("prices")
    kept = world.rows(prices)
    away = PriceSettings(
        source="octopus", url="http://127.0.0.1:9", product="A", tariff="B", timeout_s=5.0
    )
    world.desk = replace(world.desk, prices=away)

    (run,) = world.run("prices")

    assert run.state == "failed"
    assert "no connection" in run.line
    assert world.rows(prices) == kept
    world.done("forecast", "plan")


def test_a_missing_price_is_that_of_the_day_before_at_the_same_local_time(
    world, tmp_path, write_prices, local_day
):
    yesterday = local_day - timedelta(days=1)
    starts = world.desk.grid(yesterday).starts()
    file = write_prices(tmp_path / "old.csv", zip(starts, range(48), strict=True))
    world.desk = replace(world.desk, prices=PriceSettings(source="file", file=file, currency="GBP"))
    world.done("prices", day=yesterday)

    with world.desk.store.read() as connection:
        found, none = (
            prices_to_go_by(
                connection,
                DAY_AHEAD,
                world.desk.grid(local_day),
                zone="Europe/London",
                days_back=days_back,
            )
            for days_back in (1, 0)
        )

    # the clock skips 01:00 and 01:30: half-hours 2 and 3 of a day of 24 hours
    assert found.price_per_mwh.tolist() == [each for each in range(48) if each not in {2, 3}]
    assert found.stood_in == 46
    assert np.isnan(none.price_per_mwh).all()
    world.done("forecast")
    assert "46 prices of days before" in world.done("plan")[0]


def test_without_any_price_there_is_no_plan(world):
    world.done("forecast")

    (run,) = world.run("plan")

    assert (run.state, run.line) == (
        "failed",
        "no day-ahead price of 2026-03-29 00:00Z and 45 more, nor of the days before; "
        "run the step prices",
    )


def test_weather_is_asked_for_at_the_homes_place_and_reaches_the_forecast(
    world, service, local_day
):
    def weather_of(time):
        return (max(0.0, 600.0 - 100 * abs(12 - time.hour)), 10.0 + time.day / 10)

    with service(open_meteo(weather_of)) as meteo:
        world.desk = replace(
            world.desk, weather=WeatherSettings(source="open-meteo", url=meteo.url)
        )
        first = world.done("weather")
        again = world.done("weather")

    rows = world.rows(weather)
    assert first == ["215 hours of open-meteo"]  # eight days to learn from, and one of 23 hours
    assert again == ["23 hours of open-meteo"]
    assert len(rows) == 2 * 215
    past = gather_forecast(world.desk, local_day).past["production_wh"]
    local = [start.astimezone(LONDON) for start in world.desk.grid(local_day).starts()]
    expected = np.full(48, np.nan)
    for start in local:
        place = start.hour * 2 + start.minute // 30
        expected[place] = weather_of(start.astimezone(UTC))[0]
    assert np.array_equal(past.irradiance_w_per_m2[-1], expected, equal_nan=True)


def test_a_step_without_its_source_says_which_table_names_one(world):
    world.desk = replace(world.desk, imbalance=None)

    lines = [run.line for run in world.run("weather", "imbalance")]

    assert lines == [
        "no source of weather; name one in [weather], or leave the step out",
        "no source of imbalance prices; name one in [imbalance]",
    ]


def test_homes_without_a_production_meter_count_for_none(world, local_day):
    world.done("forecast")
    whole = world.paper("forecast")
    _, *others = world.numbers
    with world.desk.store.write() as connection:
        of_pv = telemetry_15min.c.channel_number == PV
        mute = telemetry_15min.c.home_number.in_(others)
        connection.execute(delete(telemetry_15min).where(of_pv, mute))
    world.done("forecast")
    part = world.paper("forecast")
    with world.desk.store.write() as connection:
        connection.execute(delete(telemetry_15min).where(of_pv))

    world.done("forecast")

    assert whole["homes"] == {"demand_wh": 3, "production_wh": 3}
    assert part["homes"] == {"demand_wh": 3, "production_wh": 1}
    assert 0 < sum(part["production_wh"]) < sum(whole["production_wh"])
    assert part["demand_wh"] == whole["demand_wh"]
    assert set(world.paper("forecast")["production_wh"]) == {0.0}


def test_the_forecast_that_did_better_of_late_is_the_one_that_is_planned_with(world, local_day):
    with world.desk.store.write() as connection:
        for source, error in (("knn", 20.0), ("linear", 10.0)):
            row = {"source": source, "quantity": "demand_wh", "day": "2026-03-25", "slots": 48}
            connection.execute(insert(forecast_scores).values(**row, mean_absolute=error, bias=0.0))

    world.done("forecast")

    paper = world.paper("forecast")
    assert paper["sources"] == {"demand_wh": "linear", "production_wh": "knn"}
    made = [
        row["value"]
        for row in world.rows(forecasts)
        if (row["source"], row["quantity"]) == ("linear", "demand_wh")
    ]
    assert paper["demand_wh"] == made
