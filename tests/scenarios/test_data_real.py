"""The real set: values by hand, both home sets, and the files beside the fleet's."""

from datetime import UTC, date, datetime

import numpy as np
import pandas as pd
import pytest

from contracts.timegrid import TimeGrid
from scenarios.data.calendar import REAL_FIRST_DAY, REAL_LAST_DAY, default_day
from scenarios.data.files import campus, homes, prices, wind
from scenarios.data.files.tables import on_grid
from scenarios.data.source import fleet_data
from scenarios.errors import DataGapError


def test_a_minute_of_every_series_is_the_one_of_its_file(real_folder):
    data = fleet_data(real_folder, day=date(2020, 5, 20))
    # 18:30 local is 17:30 UTC: 18.5 hours into the market day.
    minute = data.day_start_minute + 18 * 60 + 30

    assert data.minute_grid.starts()[minute] == datetime(2020, 5, 20, 17, 30, tzinfo=UTC)
    # 2019-05-22 18:30:00 in the homes' file.
    assert data.load_w[[0, 69], minute].tolist() == [182.0, 114.0]
    # 10 July, minute 1050, of the PV file, one of six systems.
    systems = [0.0246467, 0.116, 0.0649461, 0.0240401, 0.0961636, 0.0281385]
    per_unit = data.pv_w[:, minute] / data.pv_rating_w
    assert all(np.isclose(systems, share, atol=1e-6).any() for share in per_unit)
    # 3141.3 kW of 5 MW at 2021-05-20 17:30 UTC.
    assert data.plant_wind_w[minute] == pytest.approx(3141.3 / 5000 * 130_000, rel=1e-6)


def test_prices_are_those_of_the_utc_rows(real_folder):
    data = fleet_data(real_folder, day=date(2020, 5, 20), homes=1)

    # Slot 0 is 2020-05-19 23:00 UTC, slot 37 is 2020-05-20 17:30 UTC.
    assert data.day_ahead_price_per_mwh[[0, 1, 36, 37]].tolist() == [24.68, 24.68, 32.44, 32.44]
    assert data.import_price_per_mwh[[0, 1, 37]] == pytest.approx([66.15, 55.125, 211.47])
    assert data.imbalance_price_per_mwh[[0, 37]].tolist() == [35.0, 14.99]


def test_the_sun_of_homes_and_plant_is_highest_around_local_one_o_clock(real_folder):
    data = fleet_data(real_folder, day=date(2020, 6, 9), history_days=29)
    day = data.pv_w.sum(axis=0).reshape(-1, 1440).sum(axis=0)

    centre_h = float((day * (np.arange(1440) + 0.5)).sum() / day.sum() / 60)

    assert centre_h == pytest.approx(13.1, abs=0.4)


@pytest.mark.parametrize("day", [REAL_FIRST_DAY, default_day(), REAL_LAST_DAY])
@pytest.mark.parametrize("home_set", ["bootstrap", "crest"])
def test_every_day_of_the_window_can_be_had(real_folder, day, home_set):
    data = fleet_data(real_folder, day=day, home_set=home_set, seed=3)

    assert data.load_w.shape == (70, data.minute_grid.count)
    assert data.day_start_minute == min(2, (day - REAL_FIRST_DAY).days) * 1440
    assert data.source == "real"
    assert any("364 days later" in line for line in data.provenance)
    assert "combined" in data.provenance[0]


def test_the_seed_draws_the_same_panels_whatever_the_size_of_the_fleet(real_folder):
    small, large = (fleet_data(real_folder, day=default_day(), homes=n, seed=5) for n in (4, 40))

    assert np.array_equal(small.pv_w, large.pv_w[:4])
    assert np.array_equal(small.load_w, large.load_w[:4])
    assert not np.array_equal(
        small.pv_rating_w, fleet_data(real_folder, day=default_day(), homes=4, seed=6).pv_rating_w
    )


def test_missing_day_ahead_prices_stay_missing(real_folder):
    series = prices.gb_day_ahead(real_folder)

    assert series.index[series.isna()].tolist() == [
        datetime(2020, 3, 29, 2, tzinfo=UTC),
        datetime(2020, 3, 29, 3, tzinfo=UTC),
        datetime(2020, 9, 30, 23, tzinfo=UTC),
    ]


def test_italian_hours_follow_each_other_in_utc(real_folder):
    index = pd.DatetimeIndex(prices.italy_day_ahead(real_folder).index)

    assert index.equals(pd.date_range("2018-12-31 23:00", periods=52_608, freq="h", tz="UTC"))


def test_agile_is_its_formula_on_the_day_ahead_price(real_folder):
    """Region A: 2.1 times and 13 p/kWh from 16 to 19 h, and 5 % VAT.

    Agile is set from a half-hourly auction, so that only hourly means and medians come close.
    """
    day_ahead = prices.gb_day_ahead(real_folder).dropna()
    agile = prices.gb_agile_import(real_folder).resample("h").mean().reindex(day_ahead.index)
    adder = agile - 2.205 * day_ahead
    hour = day_ahead.index.tz_convert("Europe/London").hour
    peak = (hour >= 16) & (hour < 19)

    assert float(adder[peak].median()) == pytest.approx(136.5, abs=1.0)
    assert float(adder[~peak].median()) == pytest.approx(0.0, abs=1.0)


def test_files_beside_the_fleet_are_in_watts_and_utc(real_folder):
    assert homes.findhorn_house(real_folder)["load_w"].mean() == pytest.approx(600.8, abs=0.1)
    assert homes.measured_houses(real_folder).missing_minutes["REFIT_House2_w"] > 0
    assert homes.ausgrid_home(real_folder).index.is_unique
    assert len(homes.ausgrid_home(real_folder)) == 17_568
    assert campus.campus(real_folder)["pv_w"].max() == pytest.approx(44_900, abs=100)
    assert len(campus.charging_sessions(real_folder)) == 30_114
    assert wind.bedford_weather(real_folder)["wind_speed_m_per_s"].isna().sum() == 301 + 72
    assert prices.germany_day_ahead(real_folder).index.is_unique
    assert prices.gb_imbalance(real_folder).index.is_unique


def test_a_day_in_the_gap_of_the_imbalance_prices_is_refused(real_folder):

    sell = prices.gb_imbalance(real_folder)["system_sell_gbp_per_mwh"]

    with pytest.raises(DataGapError, match="2019-02-11 00:00:00"):
        on_grid(sell, TimeGrid.local_day(date(2019, 2, 11)), name=prices.GB_IMBALANCE_FILE)
