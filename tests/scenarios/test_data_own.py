"""A user's own files: the same checks, in the same words."""

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from scenarios.data.source import fleet_data
from scenarios.errors import DataError, DataFormatError, DataGapError, DataRequestError

DAY = date(2023, 10, 29)
MINUTES = pd.date_range("2023-10-27 23:00", "2023-10-29 23:59", freq="min", tz="UTC")


@pytest.fixture
def folder(tmp_path) -> Path:
    """Write two homes over a day of 25 hours and the day before it."""
    write(tmp_path, "load_w.csv", MINUTES, mill=200.0, barn=350.0)
    write(tmp_path, "pv_w.csv", MINUTES, mill=0.0, barn=1_200.0)
    write(tmp_path, "plant_w.csv", MINUTES, plant_pv_w=5_000.0, plant_wind_w=8_000.0)
    write_prices(tmp_path)
    return tmp_path


def write(folder: Path, name: str, index: pd.DatetimeIndex, **columns: float) -> None:
    pd.DataFrame(columns, index=index.rename("utc_start")).to_csv(folder / name)


def write_prices(folder: Path, **change: float) -> None:
    index = pd.date_range("2023-10-28 23:00", periods=50, freq="30min", tz="UTC")
    columns = {
        "day_ahead_price_per_mwh": 30.0,
        "import_price_per_mwh": 200.0,
        "imbalance_price_per_mwh": 45.0,
    }
    write(folder, "prices.csv", index, **(columns | change))


def test_own_files_make_a_fleet(folder):
    data = fleet_data(folder, day=DAY, homes=2)

    assert data.source == "real"
    assert data.market_grid.count == 50
    assert data.day_start_minute == 1440
    assert data.load_w[:, 0].tolist() == [200.0, 350.0]
    assert data.pv_rating_w.tolist() == [1.0, 1_200.0]
    assert data.plant_wind_w[0] == 8_000.0
    assert data.provenance == ("2 homes, plant and prices of the user's own files",)


def test_the_plant_may_be_left_out(folder):
    (folder / "plant_w.csv").unlink()

    data = fleet_data(folder, day=DAY, homes=1)

    assert not data.plant_pv_w.any()
    assert not data.plant_wind_w.any()


def test_more_homes_than_columns_are_refused(folder):
    with pytest.raises(DataRequestError, match=r"load_w.csv holds 2 homes, 70 were asked"):
        fleet_data(folder, day=DAY)


def test_a_day_before_the_file_is_refused(folder):
    with pytest.raises(DataRequestError, match=r"begins at 2023-10-27 23:00:00\+00:00, after 2023"):
        fleet_data(folder, day=date(2023, 10, 27), homes=2)


BROKEN = [
    (lambda f: write(f, "load_w.csv", MINUTES, mill=0.2, barn=0.35), "multiply it by 1000"),
    (
        lambda f: write(f, "load_w.csv", MINUTES.tz_localize(None), mill=200.0, barn=350.0),
        r"load_w.csv: row 1: time '2023-10-27 23:00:00' must carry its offset",
    ),
    (lambda f: write(f, "pv_w.csv", MINUTES, mill=0.0), "pv_w.csv has no column 'barn'"),
    (lambda f: write(f, "pv_w.csv", MINUTES, mill=0.0, barn=-1.0), r"row 1 .*barn is -1, must be"),
    (
        lambda f: write(f, "pv_w.csv", MINUTES[:1500], mill=0.0, barn=0.0),
        "pv_w.csv has no rows for all of",
    ),
    (lambda f: write_prices(f, import_price_per_mwh=np.nan), "import_price_per_mwh is missing"),
]


@pytest.mark.parametrize(("change", "message"), BROKEN)
def test_broken_own_files_are_refused(folder, change, message):
    change(folder)

    with pytest.raises(DataFormatError, match=message):
        fleet_data(folder, day=DAY, homes=2)


def test_a_minute_that_is_not_there_is_a_gap(folder):
    write(folder, "load_w.csv", MINUTES.delete(7), mill=200.0, barn=350.0)

    with pytest.raises(DataGapError, match=r"load_w.csv row 8 .*is 120 s after") as caught:
        fleet_data(folder, day=DAY, homes=2)

    assert isinstance(caught.value, DataError)
