"""Units, zones and gaps of the single files, on small ones that the test makes."""

from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from contracts.timegrid import TimeGrid
from scenarios.data.files import campus, homes, prices, pv, wind
from scenarios.errors import DataFormatError, DataGapError, DataRequestError


def at(*when: int) -> datetime:
    return datetime(*when, tzinfo=UTC)


def write_italy(folder, first, hours) -> None:
    """Write a local day as the real file does: the clock never changes, hour 25 rolls over."""
    starts = pd.date_range(first, periods=hours, freq="h")
    pd.DataFrame(
        {"local_start": starts, "hour": range(1, hours + 1), "PUN": np.arange(1.0, hours + 1)}
    ).to_csv(folder / prices.ITALY_FILE, index=False)


@pytest.mark.parametrize(
    ("day", "hours", "first"),
    [
        ("2020-03-29", 23, at(2020, 3, 28, 23)),
        ("2020-05-20", 24, at(2020, 5, 19, 22)),
        ("2020-10-25", 25, at(2020, 10, 24, 22)),
    ],
)
def test_italian_hours_count_through_days_of_any_length(tmp_path, day, hours, first):
    write_italy(tmp_path, day, hours)

    series = prices.italy_day_ahead(tmp_path)

    assert series.name == "pun_eur_per_mwh"
    assert series.index.equals(pd.date_range(first, periods=hours, freq="h"))
    assert series.tolist() == list(range(1, hours + 1))


def test_german_prices_are_by_utc_hour(tmp_path):
    index = pd.date_range("2020-05-20", periods=3, freq="h", tz="UTC", name="utc_start")
    pd.DataFrame({"price_EUR_per_MWh": [10.0, 20.0, 30.0]}, index=index).to_csv(
        tmp_path / prices.GERMANY_FILE
    )

    series = prices.germany_day_ahead(tmp_path)

    assert series.to_dict() == {
        at(2020, 5, 20, 0): 10.0,
        at(2020, 5, 20, 1): 20.0,
        at(2020, 5, 20, 2): 30.0,
    }


def test_a_home_of_the_trial_is_in_watts_and_utc(tmp_path):
    times = pd.date_range("2019-05-13 00:00", periods=2, freq="min")
    pd.DataFrame(
        {"local_time_naive": times, "demand_Wh_per_min": [6.2, 3.8], "pv_Wh_per_min": [0.0, 0.5]}
    ).to_csv(tmp_path / homes.FINDHORN_FILE, index=False)

    house = homes.findhorn_house(tmp_path)

    assert house.index[0] == at(2019, 5, 12, 23)
    assert house["load_w"].tolist() == pytest.approx([372.0, 228.0])
    assert house["pv_w"].tolist() == pytest.approx([0.0, 30.0])


def test_gaps_of_the_measured_houses_are_kept_and_counted(tmp_path):
    names = ["IDEAL_House175", "IDEAL_House65", "REFIT_House2", "REFIT_House20", "UKDALE_House2"]
    times = pd.date_range("2014-03-30 01:00", periods=5, freq="min", name="time")
    table = pd.DataFrame(100.0, index=times, columns=names)
    table.iloc[[1, 2], 2] = np.nan
    table.iloc[4, 4] = np.nan
    table.to_parquet(tmp_path / homes.MEASURED_FILE)

    houses = homes.measured_houses(tmp_path)

    assert houses.load_w.index[0] == at(2014, 3, 30, 1)
    assert houses.load_w["REFIT_House2_w"].isna().tolist() == [False, True, True, False, False]
    assert houses.missing_minutes["REFIT_House2_w"] == 2
    assert houses.missing_minutes["UKDALE_House2_w"] == 0


def write_ausgrid(folder, start, periods) -> None:
    times = pd.date_range(start, periods=periods, freq="30min")
    pd.DataFrame({"GC_kW": np.arange(1.0, periods + 1), "GG_kW": 0.0}, index=times).to_csv(
        folder / homes.AUSGRID_FILE
    )


def test_an_australian_autumn_hour_is_shared_by_its_two_passages(tmp_path):
    write_ausgrid(tmp_path, "2012-04-01 01:30", 5)

    home = homes.ausgrid_home(tmp_path)

    assert home["load_w"].to_dict() == {
        at(2012, 3, 31, 14, 30): 1000.0,
        at(2012, 3, 31, 15, 0): 1000.0,
        at(2012, 3, 31, 15, 30): 1500.0,
        at(2012, 3, 31, 16, 0): 1000.0,
        at(2012, 3, 31, 16, 30): 1500.0,
        at(2012, 3, 31, 17, 0): 4000.0,
        at(2012, 3, 31, 17, 30): 5000.0,
    }


def test_an_australian_spring_hour_that_was_not_is_dropped(tmp_path):
    write_ausgrid(tmp_path, "2011-10-02 01:30", 4)

    home = homes.ausgrid_home(tmp_path)

    assert home["load_w"].to_dict() == {
        at(2011, 10, 1, 15, 30): 1000.0,
        at(2011, 10, 1, 16, 0): 4000.0,
    }


def test_weather_is_in_metres_per_second_with_its_gaps(tmp_path):
    pd.DataFrame(
        {
            "utc": ["2019-01-01 00:00:00", "2019-01-01 02:00:00"],
            "wind_speed": [10.0, 20.0],
            "air_temperature": [8.2, 8.0],
        }
    ).to_csv(tmp_path / wind.WEATHER_FILE, index=False)

    weather = wind.bedford_weather(tmp_path)

    assert weather["wind_speed_m_per_s"].iloc[0] == pytest.approx(5.144, abs=1e-3)
    assert weather["temperature_c"].isna().tolist() == [False, True, False]


def test_wind_has_no_leap_day(tmp_path):
    times = pd.date_range("2021-01-01", periods=1440, freq="min", name="time")
    pd.DataFrame({"generated_power": 100.0}, index=times).to_parquet(tmp_path / wind.WIND_FILE)

    with pytest.raises(DataRequestError, match="no 29 February"):
        wind.wind_per_unit(tmp_path, TimeGrid(start=at(2020, 2, 29), step_s=60, count=60))


def test_wind_that_misses_a_minute_is_refused(tmp_path):
    times = pd.date_range("2021-01-01", periods=1440, freq="min", name="time").delete(5)
    pd.DataFrame({"generated_power": 100.0}, index=times).to_parquet(tmp_path / wind.WIND_FILE)

    with pytest.raises(DataGapError, match=r"row 6 \(2021-01-01 00:06:00\+00:00\) is 120 s"):
        wind.wind_per_unit(tmp_path, TimeGrid(start=at(2020, 1, 1), step_s=60, count=60))


def test_campus_is_in_watts_without_negative_zeros(tmp_path):
    pd.DataFrame(
        {
            "utc": ["2020-12-31 20:00:00+00:00", "2020-12-31 20:10:00+00:00"],
            "crous_load_kW": [37, 29],
            "esiroi_seasoi_load_kW": [32, 33],
            "iut_total_kW": [39.0, 38.0],
            "enerpos_pv46kWp_kW": [np.nan, -0.0],
        }
    ).to_csv(tmp_path / campus.CAMPUS_FILE, index=False)

    frame = campus.campus(tmp_path)

    assert frame["crous_load_w"].tolist() == [37_000.0, 29_000.0]
    assert np.isnan(frame["pv_w"].iloc[0])
    assert not np.signbit(frame["pv_w"].iloc[1])


def session(**change: object) -> pd.DataFrame:
    row = {
        "Session": "S1",
        "ConnectionStartDateTime": "2018-10-08 13:25:00",
        "ConnectionEndDateTime": "2018-10-09 00:06:00",
        "ChargingEndDateTime": "2018-10-09 00:00:00",
        "Power": 0.6,
        "Energy": 6.31,
        "ChargingStation": "1-1-193-816",
        "UserID": 365,
    }
    return pd.DataFrame([row | change])


def test_a_charging_session_is_in_watt_hours_and_utc(tmp_path):
    session().to_csv(tmp_path / campus.CHARGING_FILE, index=False)

    row = campus.charging_sessions(tmp_path).iloc[0]

    assert row["connected"] == at(2018, 10, 8, 13, 25)
    assert row["energy_wh"] == pytest.approx(6_310)
    assert row["mean_power_w"] == pytest.approx(600)


def test_a_session_that_ends_before_it_begins_is_refused(tmp_path):
    session(ConnectionEndDateTime="2018-10-08 13:00:00").to_csv(
        tmp_path / campus.CHARGING_FILE, index=False
    )

    with pytest.raises(DataFormatError, match=r"row 1: session ends at .*; drop it"):
        campus.charging_sessions(tmp_path)


@pytest.mark.parametrize("start", [at(2020, 5, 10, 22, 59), at(2020, 6, 9, 23, 1)])
def test_sun_outside_the_days_it_is_dated_to_is_refused(tmp_path, start):
    index = pd.MultiIndex.from_product([range(1, 32), range(1440)])
    pd.DataFrame({f"pv_pu_{i}": 0.0 for i in range(6)}, index=index).to_parquet(
        tmp_path / pv.PV_FILE
    )

    with pytest.raises(DataRequestError, match=r"covers 30 days from .*; choose a day inside"):
        pv.pv_per_unit(tmp_path, TimeGrid(start=start, step_s=60, count=60))
