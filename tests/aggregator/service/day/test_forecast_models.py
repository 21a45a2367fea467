"""Forecasts of a fleet's day, on days made up so that the answer is known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.service.day.errors import StepInputError
from aggregator.service.day.forecast import better
from aggregator.service.day.forecast_models import Past, by_neighbours, by_regression

SLOTS = 4
SHAPE = np.array([1.0, 2.0, 4.0, 3.0])


def past(energy_wh, *, weekend=None, sun=None, air=None):
    days = len(energy_wh) + 2
    unknown = np.full((days, SLOTS), np.nan)
    return Past(
        energy_wh=np.concatenate([np.asarray(energy_wh, dtype=float), unknown[:2]]),
        weekend=np.zeros(days, dtype=bool) if weekend is None else np.asarray(weekend),
        irradiance_w_per_m2=unknown if sun is None else np.asarray(sun, dtype=float),
        temperature_c=unknown if air is None else np.asarray(air, dtype=float),
    )


def test_neighbours_of_a_weekend_day_are_weekend_days():
    weekend = np.array([day % 7 >= 5 for day in range(15)])  # the last, 14, is a working day
    weekend[-1] = True
    energy = [SHAPE * (10.0 if off else 1.0) for off in weekend[:13]]

    expected = by_neighbours(past(energy, weekend=weekend), neighbours=2)

    assert expected.tolist() == pytest.approx((10 * SHAPE).tolist())


def test_neighbours_have_the_weather_of_the_day():
    bright = np.array([day % 2 == 0 for day in range(22)])
    bright[-1] = False
    sun = np.repeat(np.where(bright, 600.0, 50.0)[:, None], SLOTS, axis=1)
    energy = [SHAPE * (8.0 if each else 2.0) for each in bright[:20]]

    expected = by_neighbours(past(energy, sun=sun), neighbours=3)

    assert expected.tolist() == pytest.approx((2 * SHAPE).tolist())


def test_regression_finds_how_production_follows_the_sun():
    rng = np.random.default_rng(3)
    sun = rng.uniform(100, 900, size=(30, SLOTS))
    energy = 3.0 * sun[:28]

    expected = by_regression(past(energy, sun=sun))

    assert expected.tolist() == pytest.approx((3.0 * sun[-1]).tolist(), rel=0.06)


def test_regression_never_predicts_less_than_nothing():
    sun = np.repeat(np.linspace(900, 10, 30)[:, None], SLOTS, axis=1)
    sun[-1] = 0.0

    expected = by_regression(past(np.maximum(sun[:28] - 200, 0.0), sun=sun))

    assert (expected >= 0).all()


def test_a_few_days_are_averaged_until_there_is_enough_to_learn_from():
    energy = [SHAPE, 3 * SHAPE]

    assert by_regression(past(energy)).tolist() == (2 * SHAPE).tolist()


def test_a_slot_that_was_never_measured_is_taken_from_the_others():
    energy = [[1.0, np.nan, 4.0, 4.0]] * 9

    assert by_neighbours(past(energy), neighbours=3).tolist() == pytest.approx([1, 3, 4, 4])
    assert by_regression(past(energy)).tolist() == pytest.approx([1, 3, 4, 4])


def test_without_any_day_there_is_no_forecast():
    with pytest.raises(StepInputError) as caught:
        past([[np.nan] * SLOTS] * 3)

    assert str(caught.value) == (
        "no home told anything of the days before; wait for a day of telemetry"
    )


@given(
    energy=st.lists(
        st.lists(st.floats(0, 1e6), min_size=SLOTS, max_size=SLOTS), min_size=1, max_size=12
    ),
    neighbours=st.integers(1, 6),
)
def test_neighbours_never_predict_beyond_what_was_seen(energy, neighbours):
    expected = by_neighbours(past(energy), neighbours=neighbours)

    seen = np.array(energy)
    slack = 1e-9 * (1 + seen.max())
    assert (expected >= seen.min(axis=0) - slack).all()
    assert (expected <= seen.max(axis=0) + slack).all()


@pytest.mark.parametrize(
    ("errors", "chosen"),
    [
        ({}, "knn"),
        ({"linear": 1.0}, "knn"),
        ({"knn": 2.0, "linear": 1.0}, "linear"),
        ({"knn": 1.0, "linear": 1.0}, "knn"),
        ({"knn": 1.0, "linear": 2.0}, "knn"),
    ],
)
def test_the_forecast_that_was_less_far_off_is_used(errors, chosen):
    assert better(errors) == chosen
