"""What a home expects of its next quarter-hours."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from hems.errors import ForecastError
from hems.forecast import LinearForecaster, quarter_means_w

DAY = 96


def daily_w(days, *, seed=None, noise_w=0.0):
    """Return quarters of a day with a morning and an evening peak, one home. [W]"""
    hour = np.arange(days * DAY) % DAY / 4
    shape = 200 + 800 * np.exp(-((hour - 8) ** 2) / 2) + 1_500 * np.exp(-((hour - 19) ** 2) / 4)
    noise = np.random.default_rng(seed).normal(0, noise_w, days * DAY) if noise_w else 0.0
    return np.maximum(shape + noise, 0.0)[None, :]


@pytest.mark.parametrize("level_w", [0.0, 350.0, 5_000.0])
def test_constant_history_goes_on_but_for_the_penalty(level_w):
    expected = LinearForecaster(ridge=1e-3).forecast(np.full((2, 3 * DAY), level_w), 4)

    # two lags and yesterday weigh the same, the constant next to nothing: of n·v² on the diagonal
    # the penalty adds λ/4 of the trace, and 1 / (1 + λ/4) of the value is left
    np.testing.assert_allclose(expected, np.full((2, 4), level_w / 1.00025), rtol=1e-6)


def test_daily_pattern_is_learnt():
    history_w = daily_w(4)

    expected = LinearForecaster().forecast(history_w[:, :-4], 4)

    np.testing.assert_allclose(expected, history_w[:, -4:], rtol=0.01)


@pytest.mark.parametrize("quarters", [1, 50, DAY + 26])
def test_short_history_persists(quarters):
    # 4 quarters ahead, the first example takes a day and 4 quarters; 24 of them take 123 quarters
    history_w = np.arange(2 * quarters, dtype=np.float64).reshape(2, quarters)

    expected = LinearForecaster().forecast(history_w, 4)

    assert expected.tolist() == np.repeat(history_w[:, -1:], 4, axis=1).tolist()


def test_first_history_that_is_long_enough_is_learnt_from():
    history_w = daily_w(2)[:, : DAY + 27]

    expected = LinearForecaster().forecast(history_w, 4)

    assert np.any(expected != history_w[:, -1:])


@given(arrays(np.float64, (1, 2 * DAY), elements=st.floats(0, 20_000)))
def test_forecast_of_any_history_is_finite_and_never_negative(history_w):
    expected = LinearForecaster().forecast(history_w, 4)

    assert expected.shape == (1, 4)
    assert np.all(np.isfinite(expected) & (expected >= 0))


def test_noisy_daily_pattern_is_forecast_better_than_by_persistence():
    history_w = daily_w(6, seed=3, noise_w=150.0)
    origins = range(5 * DAY, 6 * DAY - 4)

    learnt, persisted = [], []
    for origin in origins:
        truth = history_w[0, origin : origin + 4]
        learnt.append(LinearForecaster().forecast(history_w[:, :origin], 4)[0] - truth)
        persisted.append(history_w[0, origin - 1] - truth)

    error_w = np.sqrt(np.mean(np.square(learnt), axis=0))
    assert np.all(error_w < np.sqrt(np.mean(np.square(persisted), axis=0)))


def test_home_is_forecast_from_its_own_past_only():
    both = np.concatenate([daily_w(3, seed=1, noise_w=50), daily_w(3, seed=2, noise_w=90)])

    together = LinearForecaster().forecast(both, 3)
    alone = [LinearForecaster().forecast(both[home : home + 1], 3)[0] for home in range(2)]

    np.testing.assert_allclose(together, alone, rtol=1e-9)


@pytest.mark.parametrize(
    ("history_w", "message"),
    [
        (np.array([[1.0, 2.0], [3.0, -np.inf]]), "home 1 at quarter 1 is infinite"),
        (np.array([[np.inf, 2.0]]), "home 0 at quarter 0 is infinite"),
        (np.array([[1.0, 2.0], [np.nan, np.nan]]), "home 1 has no value"),
        (np.empty((3, 0)), r"shape \(3, 0\)"),
        (np.array([1.0, 2.0]), r"shape \(2,\)"),
    ],
)
def test_history_that_cannot_be_used_is_refused(history_w, message):
    with pytest.raises(ForecastError, match=message):
        LinearForecaster().forecast(history_w, 2)


def test_holes_are_left_out_of_what_is_learnt_and_never_taken_for_zero():
    history_w = daily_w(6)[:, :-4]
    holed_w = history_w.copy()
    holed_w[0, 100:160] = np.nan

    whole, holed = (LinearForecaster().forecast(each, 4) for each in (history_w, holed_w))

    # the pattern is exact, so fewer examples of it teach the same
    np.testing.assert_allclose(holed, whole, rtol=0.02)


def test_home_with_a_hole_just_now_persists_with_what_it_knew_last_and_others_do_not():
    history_w = np.repeat(daily_w(4), 3, axis=0)
    history_w[1, -2:] = np.nan  # the last two quarters
    history_w[2, -96:-90] = np.nan  # the same hours of yesterday

    expected_w = LinearForecaster().forecast(history_w, 4)

    alone_w = LinearForecaster().forecast(history_w[:1], 4)
    assert expected_w[0].tolist() == alone_w[0].tolist()
    assert expected_w[1].tolist() == [history_w[1, -3]] * 4
    assert expected_w[2].tolist() == [history_w[2, -1]] * 4


def test_home_with_too_few_whole_examples_persists():
    history_w = daily_w(3)
    history_w[0, 100:280] = np.nan

    assert LinearForecaster().forecast(history_w, 2).tolist() == [[history_w[0, -1]] * 2]


def test_quarter_means_leave_out_minutes_of_a_quarter_not_over():
    minutes_w = np.concatenate([np.full(15, 100.0), np.arange(15.0), np.full(14, 9.0)])[None, :]

    assert quarter_means_w(minutes_w).tolist() == [[100.0, 7.0]]
