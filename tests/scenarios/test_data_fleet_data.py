"""`FleetData` refuses what does not fit, in one line that names the field."""

from dataclasses import replace
from datetime import UTC, date, datetime

import numpy as np
import pytest

from contracts.timegrid import TimeGrid
from scenarios.data.calendar import market_grid, minute_grid
from scenarios.data.fleet_data import FleetData
from scenarios.errors import (
    DataError,
    DataFormatError,
    DataGapError,
    DataRequestError,
    DataUnavailableError,
)

DAY = date(2020, 5, 20)
GRID = minute_grid(DAY, history_days=1)
SLOTS = market_grid(DAY)


def fleet() -> FleetData:
    return FleetData(
        minute_grid=GRID,
        market_grid=SLOTS,
        load_w=np.full((2, GRID.count), 200.0),
        pv_w=np.zeros((2, GRID.count)),
        plant_pv_w=np.zeros(GRID.count),
        plant_wind_w=np.zeros(GRID.count),
        day_ahead_price_per_mwh=np.full(SLOTS.count, 30.0),
        import_price_per_mwh=np.full(SLOTS.count, 66.0),
        imbalance_price_per_mwh=np.full(SLOTS.count, 40.0),
        pv_rating_w=np.full(2, 3_000.0),
        source="real",
        provenance=("made by a test",),
    )


def spoilt(values: np.ndarray, value: float) -> np.ndarray:
    copy = values.copy()
    copy.flat[7 % copy.size] = value
    return copy


def test_market_day_begins_after_the_history():
    data = fleet()

    assert data.day_start_minute == 1440
    assert data.homes == 2
    assert data.minute_grid.starts()[data.day_start_minute] == data.market_grid.start


def test_history_is_counted_in_local_days_across_a_clock_change():
    grid = minute_grid(date(2020, 3, 30), history_days=1)

    assert grid.count == (23 + 24) * 60
    assert grid.start == datetime(2020, 3, 29, 0, tzinfo=UTC)


@pytest.mark.parametrize("name", ["load_w", "pv_w", "plant_pv_w", "plant_wind_w"])
@pytest.mark.parametrize("value", [-0.5, np.nan, np.inf])
def test_a_power_that_is_negative_or_not_finite_is_refused(name, value):
    data = fleet()

    with pytest.raises(DataFormatError, match=rf"{name}\[.*7\] is .*, must be finite and >= 0"):
        replace(data, **{name: spoilt(getattr(data, name), value)})


@pytest.mark.parametrize(
    "name", ["day_ahead_price_per_mwh", "import_price_per_mwh", "imbalance_price_per_mwh"]
)
def test_a_price_may_be_negative_but_not_missing(name):
    data = fleet()

    replace(data, **{name: spoilt(getattr(data, name), -38.8)})
    with pytest.raises(DataFormatError, match=rf"{name}\[7\] is nan, must be finite"):
        replace(data, **{name: spoilt(getattr(data, name), np.nan)})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"pv_w": np.zeros((3, GRID.count))}, r"pv_w is float64 of shape \(3, 2880\)"),
        ({"plant_pv_w": np.zeros(5)}, r"plant_pv_w is float64 of shape \(5,\)"),
        ({"load_w": np.zeros((2, GRID.count), np.float32)}, "load_w is float32"),
        ({"load_w": np.zeros((0, GRID.count))}, "with a home"),
        ({"load_w": np.zeros(GRID.count)}, r"must be \(homes, minutes\)"),
        ({"pv_rating_w": np.array([3_000.0, 0.0])}, r"pv_rating_w\[1\] is 0"),
        ({"provenance": ()}, "no provenance"),
        ({"minute_grid": GRID.shifted(60)}, "both must end together"),
        ({"minute_grid": GRID.split(30)}, "steps of 30 s, must be 60 s"),
        ({"market_grid": SLOTS.split(90)}, "steps of 90 s, must be whole minutes"),
        (
            {"minute_grid": TimeGrid(start=SLOTS.starts()[1], step_s=60, count=47 * 30)},
            "give the whole day",
        ),
    ],
)
def test_what_does_not_fit_is_refused(change, message):
    with pytest.raises(DataFormatError, match=message):
        replace(fleet(), **change)


def test_the_error_tree_is_the_one_that_is_drawn():
    assert set(DataError.__subclasses__()) == {
        DataUnavailableError,
        DataRequestError,
        DataFormatError,
    }
    assert DataFormatError.__subclasses__() == [DataGapError]
    assert issubclass(DataUnavailableError, FileNotFoundError)
    assert issubclass(DataRequestError, ValueError)
    assert issubclass(DataFormatError, ValueError)
