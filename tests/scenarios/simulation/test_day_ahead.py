"""The deliberately imperfect forecast."""

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.timegrid import TimeGrid
from scenarios.errors import ScenarioInputError
from scenarios.simulation.day_ahead import slot_energy_wh, worsened_wh
from scenarios.simulation.fleet_day import DAY_AHEAD_S


def test_half_hour_at_two_kilowatts_is_a_kilowatt_hour():
    grid = TimeGrid(start=datetime(2020, 5, 20, tzinfo=UTC), step_s=1800, count=2)
    minutes_w = np.concatenate([np.full(30, 2000.0), np.full(30, 500.0)])

    assert slot_energy_wh(minutes_w, grid).tolist() == pytest.approx([1000.0, 250.0])
    assert DAY_AHEAD_S == 12 * 3600


@given(
    seed=st.integers(0, 1000),
    error=st.floats(0.0, 0.5),
    slots=st.sampled_from([46, 48, 50]),
    points=st.sampled_from([1, 2, 4]),
)
def test_forecast_has_the_stated_error_over_its_points_and_is_flat_between(
    seed, error, slots, points
):
    rng = np.random.default_rng(seed)
    actual_wh = rng.uniform(10.0, 1000.0, slots)

    forecast_wh = worsened_wh(actual_wh, error=error, slots_per_point=points, rng=rng)

    edges = np.arange(0, slots, points)
    point_wh = np.add.reduceat(actual_wh, edges)
    off_wh = np.abs(np.add.reduceat(forecast_wh, edges) - point_wh)
    assert off_wh.sum() / point_wh.sum() == pytest.approx(error, abs=1e-9)
    assert all(np.ptp(part) < 1e-9 for part in np.split(forecast_wh, edges[1:]))
    assert np.all(forecast_wh >= 0)


def test_perfect_forecast_at_every_slot_is_what_happens():
    actual_wh = np.array([1.0, 5.0, 0.0, 7.0])

    forecast_wh = worsened_wh(actual_wh, error=0.0, slots_per_point=1, rng=np.random.default_rng(0))

    assert forecast_wh.tolist() == actual_wh.tolist()


def test_night_without_any_production_stays_dark():
    forecast_wh = worsened_wh(
        np.zeros(4), error=0.25, slots_per_point=2, rng=np.random.default_rng(0)
    )

    assert forecast_wh.tolist() == [0.0] * 4


def test_error_that_only_negative_energy_could_reach_is_refused():
    with pytest.raises(ScenarioInputError, match="cannot be reached"):
        # one point, drawn below its mean: nothing is less than nothing
        worsened_wh(np.ones(2), error=1.5, slots_per_point=2, rng=np.random.default_rng(4))
