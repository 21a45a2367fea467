"""PV on three roofs in Brescia: by a weather file, or under drawn clouds."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from pvlib import solarposition

from scenarios.dispatch.campus_year import YEAR_BEGIN, month_of_step
from scenarios.dispatch.sun import (
    BRESCIA,
    LATITUDE_DEG,
    LONGITUDE_DEG,
    PvPlant,
    Roof,
    production,
    site_sky,
)
from scenarios.dispatch.sun_weather import (
    GLOBAL_KWH_PER_M2_DAY,
    WEATHER_FILE,
    drawn_weather,
    read_weather,
)
from scenarios.errors import DataFormatError, DataGapError, DataUnavailableError, ScenarioInputError

HOURS = 8760


def one_roof(azimuth_deg, tilt_deg=15.0):
    return PvPlant(roofs=(Roof(rating_w=10_000, tilt_deg=tilt_deg, azimuth_deg=azimuth_deg),))


def write_weather(
    path, *, begin="2019-01-01 00:00+00:00", ghi=None, drop=None, step="h", rows=HOURS, air_c=15.0
):
    times = pd.date_range(begin, periods=rows, freq=step)
    light = np.zeros(rows) if ghi is None else ghi
    frame = pd.DataFrame(
        {
            "utc_start": times.strftime("%Y-%m-%dT%H:%M:%S+00:00"),
            "ghi_w_per_m2": light,
            "dni_w_per_m2": 0.0,
            "dhi_w_per_m2": light,
            "temperature_c": air_c,
        }
    )
    if drop is not None:
        frame = frame.drop(columns=drop)
    frame.to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def sky():
    return site_sky(3600)


@pytest.fixture(scope="module")
def year_w():
    return production(3600, 0)


def test_the_papers_plant_has_three_roofs_and_its_rating():
    assert BRESCIA.rating_w == pytest.approx(64_340)
    assert [(roof.tilt_deg, roof.azimuth_deg) for roof in BRESCIA.roofs] == [
        (15, 20),
        (15, 110),
        (15, -70),
    ]


def test_the_sun_stands_where_a_finer_algorithm_puts_it(sky):
    times = pd.date_range(YEAR_BEGIN + timedelta(minutes=30), periods=HOURS, freq="h")
    exact = solarposition.spa_python(times, LATITUDE_DEG, LONGITUDE_DEG)
    up = exact["zenith"].to_numpy() < 88
    turn_deg = (sky.azimuth_deg - exact["azimuth"].to_numpy() + 180) % 360 - 180

    assert np.abs(sky.zenith_deg - exact["zenith"].to_numpy())[up].max() < 0.3
    assert np.abs(turn_deg * np.sin(np.radians(sky.zenith_deg)))[up].max() < 0.4


def test_a_year_is_of_the_order_that_pvgis_gives_the_plain(year_w):
    # 1,050 to 1,150 kWh/kWp: south gives 1,200 to 1,250, and two roofs look west and east.
    assert 1_050 < year_w.sum() / BRESCIA.rating_w < 1_150
    assert year_w.min() == 0
    assert year_w.max() < BRESCIA.rating_w


def test_finer_steps_produce_the_same_energy(year_w):
    fine = production(900, 0)

    assert fine.shape == (4 * HOURS,)
    assert_allclose(fine.sum() / 4, year_w.sum(), rtol=2e-3)


def test_the_same_seed_draws_the_same_clouds_and_another_others(year_w):
    assert np.array_equal(year_w, production(3600, 0))
    assert not np.array_equal(year_w, production(3600, 1))


def test_months_have_the_irradiation_of_the_plain_in_the_mean_of_seeds(sky):
    month = month_of_step(3600)
    seeds = [drawn_weather(seed, sky, 3600).global_w_per_m2 for seed in range(20)]
    mean = np.mean(seeds, axis=0)
    daily_kwh = [mean[month == m].mean() * 24 / 1000 for m in range(12)]

    assert_allclose(daily_kwh, GLOBAL_KWH_PER_M2_DAY, rtol=0.07)


def test_a_roof_to_the_west_gives_more_in_the_afternoon_and_one_to_the_east_in_the_morning():
    west, east = (production(3600, 0, plant=one_roof(azimuth)) for azimuth in (90.0, -90.0))
    morning = np.tile(np.arange(24) < 12, 365)

    assert west[~morning].sum() > 1.1 * east[~morning].sum()
    assert east[morning].sum() > 1.1 * west[morning].sum()


def test_a_roof_to_the_south_beats_one_to_the_north():
    south, north = (production(3600, 0, plant=one_roof(a, 30.0)).sum() for a in (0.0, 180.0))

    assert south > 1.5 * north


def test_losses_lessen_every_hour(year_w):
    dirty = production(3600, 0, plant=replace(BRESCIA, dc_loss=0.2))

    assert np.all(dirty <= year_w)
    assert dirty.sum() < 0.9 * year_w.sum()


def test_a_weather_file_says_what_is_produced(tmp_path, sky):
    drawn = drawn_weather(3, sky, 3600)
    # The file is in UTC, the year by Brescia's clock: the file begins with the second hour.
    rolled = np.roll(drawn.global_w_per_m2, -1)
    write_weather(tmp_path / WEATHER_FILE, ghi=rolled)

    read = read_weather(tmp_path, 3600)
    assert read is not None
    assert_allclose(read.global_w_per_m2, drawn.global_w_per_m2, atol=1e-6)
    assert_allclose(read.diffuse_w_per_m2, drawn.global_w_per_m2, atol=1e-6)
    assert np.array_equal(production(3600, 0, tmp_path), production(3600, 9, tmp_path))


def test_a_dark_weather_file_gives_nothing_and_a_folder_without_one_draws(tmp_path, year_w):
    dark = write_weather(tmp_path / "dark.csv")

    assert production(3600, 0, dark).sum() == 0
    assert np.array_equal(production(3600, 0, tmp_path), year_w)


def test_a_leap_year_loses_its_29_february(tmp_path):
    begin, rows = "2020-01-01 00:00+00:00", 8784
    path = write_weather(tmp_path / "leap.csv", begin=begin, rows=rows, ghi=np.arange(rows) / 10)

    read = read_weather(path, 3600)
    assert read is not None
    assert read.global_w_per_m2.shape == (HOURS,)
    # 28 February 23:00 and 1 March 00:00 by Brescia's clock are a day and an hour apart
    first_of_march = 59 * 24
    after, before = read.global_w_per_m2[first_of_march], read.global_w_per_m2[first_of_march - 1]
    assert after - before == pytest.approx(2.5)


@pytest.mark.parametrize(
    ("made", "error", "says"),
    [
        ({"drop": "dni_w_per_m2"}, DataFormatError, "has no column 'dni_w_per_m2'"),
        ({"rows": 8000}, DataFormatError, "has 8000 rows of 3600 s; give one whole year, 8760"),
        ({"step": "2h", "rows": 4380}, DataFormatError, "are 7200 s apart; give 3600 s"),
        ({"begin": "2018-03-01 00:00+00:00"}, DataFormatError, "give a year from 1 January on"),
        ({"ghi": np.full(HOURS, -1.0)}, DataFormatError, "ghi_w_per_m2 is -1, must be >= 0"),
        ({"ghi": np.full(HOURS, np.nan)}, DataGapError, "ghi_w_per_m2 is missing"),
        ({"air_c": np.nan}, DataGapError, "weather.csv row 1: temperature_c is missing"),
    ],
)
def test_a_broken_weather_file_is_told_in_one_line(tmp_path, made, error, says):
    path = write_weather(tmp_path / WEATHER_FILE, **made)

    with pytest.raises(error) as told:
        read_weather(path, 3600)
    assert says in str(told.value)
    assert "\n" not in str(told.value)


def test_a_weather_file_that_is_named_and_not_there_is_told(tmp_path):
    with pytest.raises(DataUnavailableError):
        production(3600, 0, tmp_path / "none.csv")


@pytest.mark.parametrize(
    ("change", "says"),
    [({"tilt_deg": 95.0}, "tilt_deg is 95; give 0 to 90"), ({"azimuth_deg": 200.0}, "azimuth_deg")],
)
def test_a_roof_that_cannot_be_is_refused(change, says):
    with pytest.raises(ScenarioInputError, match=says):
        Roof(**{"rating_w": 1000.0, "tilt_deg": 15.0, "azimuth_deg": 0.0} | change)


def test_a_plant_that_cannot_be_is_refused():
    with pytest.raises(ScenarioInputError, match="it has no roof; give one at least"):
        PvPlant(roofs=())
    with pytest.raises(ScenarioInputError, match=r"dc_loss is 1, inverter_efficiency 0\.96"):
        replace(BRESCIA, dc_loss=1.0)
