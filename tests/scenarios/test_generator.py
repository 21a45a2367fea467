"""The generator: any local day, the same bytes for the same seed, one weather for all."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.timegrid import TimeGrid
from scenarios.data.fleet_data import FleetData
from scenarios.data.generate import generate_fleet_data
from scenarios.data.models.clock import LocalClock
from scenarios.data.models.prices import agile_import_per_mwh
from scenarios.data.models.sun import sun_vector
from scenarios.data.models.wind import power_curve
from scenarios.data.source import fleet_data
from scenarios.errors import DataRequestError

SERIES = (
    "load_w",
    "pv_w",
    "plant_pv_w",
    "plant_wind_w",
    "day_ahead_price_per_mwh",
    "import_price_per_mwh",
    "imbalance_price_per_mwh",
    "pv_rating_w",
)
PRICES = SERIES[4:7]
DAY = date(2020, 5, 20)


def all_bytes(data: FleetData) -> list[bytes]:
    return [getattr(data, name).tobytes() for name in SERIES]


@pytest.mark.parametrize(
    ("day", "slots"),
    [(date(2020, 3, 29), 46), (date(2020, 5, 20), 48), (date(2020, 10, 25), 50)],
)
def test_days_have_46_48_or_50_slots(day, slots):
    data = generate_fleet_data(day=day, homes=2, history_days=1)

    assert data.market_grid.count == slots
    assert data.day_ahead_price_per_mwh.shape == (slots,)
    assert data.minute_grid.count - data.day_start_minute == slots * 30
    assert data.day_start_minute == 1440


def test_the_same_seed_gives_the_same_bytes():
    first, second = (generate_fleet_data(day=DAY, homes=3, seed=11) for _ in range(2))

    assert all_bytes(first) == all_bytes(second)


def test_another_seed_gives_another_fleet():
    first, second = (generate_fleet_data(day=DAY, homes=3, seed=seed) for seed in (11, 12))

    assert all(a != b for a, b in zip(all_bytes(first), all_bytes(second), strict=True))


def test_prices_weather_and_each_home_do_not_depend_on_the_number_of_homes():
    small, large = (generate_fleet_data(day=DAY, homes=homes, seed=4) for homes in (3, 30))

    assert [getattr(small, name).tobytes() for name in PRICES] == [
        getattr(large, name).tobytes() for name in PRICES
    ]
    assert np.array_equal(small.load_w, large.load_w[:3])
    assert np.array_equal(small.pv_w, large.pv_w[:3])
    assert small.plant_wind_w / 3 == pytest.approx(large.plant_wind_w / 30)


@pytest.mark.parametrize("day", [DAY, date(2020, 3, 30), date(2021, 1, 1)])
def test_yesterday_is_the_same_as_history_and_as_market_day(day):
    today = generate_fleet_data(day=day, homes=4, seed=4, history_days=1)
    yesterday = generate_fleet_data(day=day - timedelta(days=1), homes=4, seed=4, history_days=0)

    past = slice(0, today.day_start_minute)
    assert np.array_equal(today.load_w[:, past], yesterday.load_w)
    for name in ("pv_w", "plant_pv_w", "plant_wind_w"):
        assert getattr(today, name)[..., past] == pytest.approx(
            getattr(yesterday, name), rel=1e-9, abs=1e-6
        )


@settings(max_examples=12, deadline=None)
@given(
    day=st.dates(min_value=date(1990, 1, 1), max_value=date(2060, 12, 31)),
    homes=st.integers(1, 4),
    seed=st.integers(0, 2**63),
    history_days=st.integers(0, 2),
)
def test_whatever_is_asked_is_finite_whole_and_inside_its_ratings(day, homes, seed, history_days):
    data = generate_fleet_data(day=day, homes=homes, seed=seed, history_days=history_days)

    for name in SERIES:
        assert np.isfinite(getattr(data, name)).all()
    assert (data.load_w >= 0).all()
    assert np.array_equal(data.load_w, np.rint(data.load_w))
    assert ((data.pv_w >= 0) & (data.pv_w <= data.pv_rating_w[:, np.newaxis])).all()
    assert ((data.pv_rating_w >= 1_500) & (data.pv_rating_w <= 4_000)).all()
    assert (data.plant_pv_w <= 105_000 * homes / 70).all()
    assert (data.plant_wind_w <= 130_000 * homes / 70 * (1 + 1e-12)).all()
    assert (data.import_price_per_mwh <= 350).all()


def test_provenance_says_that_nothing_was_measured():
    data = generate_fleet_data(day=DAY, homes=2, seed=9)

    assert data.source == "generated"
    assert data.currency == "GBP"
    assert "seed 9: nothing here was measured" in data.provenance[0]


def test_without_a_folder_the_source_is_the_generator():
    assert all_bytes(fleet_data(None, day=DAY, homes=2, seed=1)) == all_bytes(
        generate_fleet_data(day=DAY, homes=2, seed=1)
    )


def test_with_a_folder_the_source_is_the_folder():
    with pytest.raises(FileNotFoundError, match="does not exist"):
        fleet_data(Path("nowhere"), day=DAY)


@pytest.mark.parametrize(
    "asked", [{"homes": 0}, {"seed": -1}, {"history_days": -1}], ids=lambda asked: next(iter(asked))
)
def test_a_number_out_of_range_is_refused(asked):
    with pytest.raises(DataRequestError, match="must be >="):
        generate_fleet_data(day=DAY, **asked)


def test_agile_follows_its_formula_by_hand():
    grid = TimeGrid.local_day(DAY)
    price = np.full(48, 40.0)
    price[36] = 120.0

    agile = agile_import_per_mwh(price, grid)

    # 15:30, 16:00, 18:00 (2.205 · 120 + 136.5 is above the cap), 18:30 and 19:00 local.
    assert agile[[31, 32, 36, 37, 38]].tolist() == pytest.approx([88.2, 224.7, 350, 224.7, 88.2])


@pytest.mark.parametrize(
    ("when", "elevation_deg", "azimuth_deg"),
    [
        # 52° N 1° W. Noon: 90 − 52 + declination; equinox sunrise due east at 6 h solar time.
        (datetime(2020, 6, 21, 12, 5, 30, tzinfo=UTC), 61.4, 180),
        (datetime(2020, 12, 21, 12, 2, 0, tzinfo=UTC), 14.6, 180),
        (datetime(2020, 3, 20, 6, 11, 0, tzinfo=UTC), 0.0, 90),
    ],
)
def test_the_sun_stands_where_geometry_puts_it(when, elevation_deg, azimuth_deg):
    whole_minute = when.replace(second=0)
    east, north, up = sun_vector(TimeGrid(start=whole_minute, step_s=60, count=1))[:, 0]

    assert np.degrees(np.arcsin(up)) == pytest.approx(elevation_deg, abs=0.5)
    assert np.degrees(np.arctan2(east, north)) % 360 == pytest.approx(azimuth_deg, abs=1.0)
    assert np.hypot(np.hypot(east, north), up) == pytest.approx(1.0)


def test_there_is_no_sun_at_night_and_little_in_winter():
    summer, winter = (
        generate_fleet_data(day=day, homes=40, seed=2, history_days=13)
        for day in (date(2020, 7, 14), date(2020, 12, 28))
    )

    hour = LocalClock.of(winter.minute_grid).hour
    assert not winter.pv_w[:, (hour >= 18) | (hour < 7)].any()
    assert winter.pv_w.mean() < 0.35 * summer.pv_w.mean()


def test_the_power_curve_starts_is_rated_and_stops():
    speed_m_per_s = np.array([0.0, 2.0, 12.5, 20.0, 25.0, 26.5, 30.0])

    assert power_curve(speed_m_per_s).tolist() == pytest.approx([0, 0, 1, 1, 1, 0.5, 0])


def test_a_local_clock_repeats_autumns_hour_and_knows_weekends():
    clock = LocalClock.of(TimeGrid.local_day(date(2020, 10, 25), step_s=3600))

    assert clock.hour.tolist() == [0, 1, 1, *range(2, 24)]
    assert clock.weekend.all()
    assert set(clock.day.tolist()) == {date(2020, 10, 25).toordinal()}
