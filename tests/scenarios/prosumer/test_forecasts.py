"""Hourly forecasts: what is asked, what comes back, and what it may not see."""

import numpy as np
import pytest

from hems.errors import ForecastError
from scenarios.prosumer.forecasts import (
    ByQuarters,
    Imperfect,
    Outlook,
    Perfect,
    Persistence,
    accuracy,
    nearest_days,
)
from scenarios.prosumer.forecasts_linear import LinearDays

FIRST = 455_832
"""2022-01-01 00:00 UTC."""


def days(count, *, homes=1, seed=0):
    """Return days of a house with a rhythm, some noise and a trend."""
    rng = np.random.default_rng(seed)
    hours = np.arange(24 * count)
    rhythm = 400 + 300 * np.sin(2 * np.pi * (hours % 24) / 24)
    return rhythm * (1 + hours / 5000) + rng.uniform(0, 50, (homes, hours.size))


LEARNING = [Persistence(), LinearDays(), nearest_days()]
NAMES = ["persistence", "linear", "knn"]


@pytest.mark.parametrize("forecaster", LEARNING, ids=NAMES)
@pytest.mark.parametrize("horizon", [1, 24, 25, 72, 96])
def test_every_forecaster_answers_for_all_homes_and_hours(forecaster, horizon):
    expected_wh = forecaster.forecast(days(90, homes=3), horizon, first_hour=FIRST)

    assert expected_wh.shape == (3, horizon)
    assert np.isfinite(expected_wh).all()
    assert (expected_wh >= 0).all()


@pytest.mark.parametrize("forecaster", LEARNING, ids=NAMES)
def test_a_day_that_repeats_is_foretold_for_three_days(forecaster):
    day_wh = np.arange(24.0) * 50
    history_wh = np.tile(day_wh, 60)[None]

    expected_wh = forecaster.forecast(history_wh, 72, first_hour=FIRST)

    assert expected_wh[0] == pytest.approx(np.tile(day_wh, 3), abs=0.06 * day_wh.max())


@pytest.mark.parametrize("forecaster", LEARNING, ids=NAMES)
def test_homes_do_not_see_each_other(forecaster):
    history_wh = days(60, homes=2)

    together = forecaster.forecast(history_wh, 48, first_hour=FIRST)
    alone = forecaster.forecast(history_wh[1:], 48, first_hour=FIRST)

    assert together[1] == pytest.approx(alone[0])


@pytest.mark.parametrize("forecaster", LEARNING, ids=NAMES)
def test_holes_in_the_history_are_no_zeros(forecaster):
    history_wh = days(60) + 500
    history_wh[:, 100:130] = history_wh[:, -5] = np.nan

    expected_wh = forecaster.forecast(history_wh, 72, first_hour=FIRST)

    assert (expected_wh > 300).all()


@pytest.mark.parametrize("forecaster", LEARNING, ids=NAMES)
def test_one_hour_of_history_is_enough_to_answer(forecaster):
    expected_wh = forecaster.forecast(np.array([[250.0]]), 30, first_hour=FIRST)

    assert expected_wh.tolist() == [[250.0] * 30]


@pytest.mark.parametrize("forecaster", LEARNING, ids=NAMES)
def test_no_history_is_refused(forecaster):
    with pytest.raises(ForecastError):
        forecaster.forecast(np.empty((1, 0)), 30, first_hour=FIRST)


def test_persistence_expects_the_last_day_again():
    history_wh = np.arange(60.0)[None]

    expected_wh = Persistence().forecast(history_wh, 30, first_hour=FIRST)

    assert expected_wh[0].tolist() == [*range(36, 60), *range(36, 42)]


def test_regression_follows_a_trend_better_than_the_day_before():
    wh = days(120)[0]

    errors = {
        name: np.nanmean(
            accuracy(each, wh, first_hour=FIRST, begin=24 * 70, every=12).mean_absolute_w
        )
        for name, each in (("day before", Persistence()), ("linear", LinearDays()))
    }

    assert errors["linear"] < errors["day before"]


def test_who_knows_all_tells_what_will_happen():
    load_wh, pv_wh = days(3), days(3, seed=1)
    outlook = Outlook.perfect(load_wh, pv_wh, first_hour=FIRST)

    told = outlook.forecast(load_wh[:, :30], pv_wh[:, :30], 20, first_hour=FIRST + 30)

    assert told[0].tolist() == load_wh[:, 30:50].tolist()
    assert told[1].tolist() == pv_wh[:, 30:50].tolist()


def test_more_than_is_known_is_refused():
    perfect = Perfect(actual_wh=days(3), first_hour=FIRST)

    with pytest.raises(ForecastError, match="hours 60 to 90 were asked of a series of 72"):
        perfect.forecast(days(3), 30, first_hour=FIRST + 60)


def test_an_imperfect_forecast_is_wrong_by_what_was_asked():
    actual_wh = days(30, homes=2)

    wrong = Imperfect.of(actual_wh, first_hour=FIRST, error=0.25, hours_per_point=1, seed=3)

    off = np.abs(wrong.expected_wh - actual_wh).sum(axis=1) / actual_wh.sum(axis=1)
    assert off == pytest.approx([0.25, 0.25])


def test_the_same_seed_is_wrong_in_the_same_way_and_homes_in_their_own():
    actual_wh = np.repeat(days(10), 2, axis=0)

    def made(seed):
        return Outlook.imperfect(actual_wh, actual_wh, first_hour=FIRST, seed=seed)

    one, same, other = made(1), made(1), made(2)

    assert one.load.expected_wh.tolist() == same.load.expected_wh.tolist()
    assert one.load.expected_wh.tolist() != other.load.expected_wh.tolist()
    assert one.load.expected_wh.tolist() != one.pv.expected_wh.tolist()
    assert one.load.expected_wh[0].tolist() != one.load.expected_wh[1].tolist()


def test_accuracy_is_counted_hour_by_hour_ahead():
    actual_wh = np.full(48, 100.0)
    over = Imperfect(expected_wh=np.full((1, 48), 110.0), first_hour=FIRST)

    score = accuracy(over, actual_wh, first_hour=FIRST, begin=1, horizon=5)

    assert score.relative == pytest.approx([0.1] * 5)
    assert score.bias_w == pytest.approx([10.0] * 5)


def test_quarters_are_asked_with_equal_quarters_and_averaged():
    class Last:
        def forecast(self, history_w, horizon, *, first_quarter=None):
            assert first_quarter == 4 * FIRST
            assert history_w.tolist() == [[8.0] * 4 + [6.0] * 4]
            return np.arange(float(horizon))[None]

    expected_wh = ByQuarters(quarters=Last()).forecast(np.array([[8.0, 6.0]]), 2, first_hour=FIRST)

    assert expected_wh.tolist() == [[1.5, 5.5]]


@pytest.mark.parametrize("fields", [{"ridge": 0.0}, {"days": 5}, {"train_days_min": 0}])
def test_settings_that_cannot_be_are_refused(fields):
    with pytest.raises(ForecastError, match="do not fit"):
        LinearDays(**fields)
