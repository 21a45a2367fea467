"""Neighbours: against a loop anybody can read, with holes, and on days of generated homes."""

import math
import time
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hems.errors import ForecastError
from hems.forecast import LinearForecaster, persisted_w, quarter_means_w
from hems.forecast_knn import CombinedForecaster, KnnForecaster
from scenarios.data.generate import generate_fleet_data

DAY = 96
SMALL = KnnForecaster(neighbours=5, lags=3, train_quarters_min=20)


def wandering_w(homes, quarters, seed):
    rng = np.random.default_rng(seed)
    return np.abs(rng.normal(500, 200, (homes, quarters)))


def with_holes(history_w, seed, share=0.1):
    holed_w = history_w.copy()
    holed_w[np.random.default_rng(seed).random(history_w.shape) < share] = np.nan
    holed_w[:, 0] = history_w[:, 0]
    return holed_w


def naive_w(rule, past_w, horizon, first_quarter):
    """Return what the docstring of `KnnForecaster` says, one home, one moment at a time. [W]"""
    known_w = [w for w in past_w if not math.isnan(w)]
    mean_w = sum(known_w) / len(known_w)
    deviation_w = math.sqrt(sum((w - mean_w) ** 2 for w in known_w) / len(known_w))
    now, found = len(past_w), []
    for moment in range(rule.lags, now - horizon + 1):
        squares = [
            ((past_w[moment - lag] - past_w[now - lag]) / deviation_w) ** 2
            for lag in range(1, rule.lags + 1)
            if not math.isnan(past_w[now - lag])
        ]
        if any(math.isnan(square) for square in squares):
            continue
        square = sum(squares) / max(len(squares), 1)
        ago = now - moment
        hours = min(ago % DAY, DAY - ago % DAY) / 4
        square += rule.hour_weight * hours**2 + rule.age_weight * ago / (30 * DAY)
        then, today = ((quarter // DAY + 3) % 7 for quarter in (first_quarter - ago, first_quarter))
        square += rule.weekday_weight * ((then >= 5) != (today >= 5))
        found.append((square, moment))
    nearest = sorted(found)[: rule.neighbours]
    expected_w = []
    for step in range(horizon):
        pairs = [
            (1 / (math.sqrt(square) + 1e-3), past_w[moment + step])
            for square, moment in nearest
            if not math.isnan(past_w[moment + step])
        ]
        expected_w.append(sum(w * p for w, p in pairs) / sum(w for w, _ in pairs))
    return expected_w


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("holes", [0.0, 0.08])
def test_neighbours_are_those_that_a_plain_loop_finds(seed, holes):
    history_w = with_holes(wandering_w(3, 10 * DAY, seed), seed, holes)
    first_quarter = 19_000 * DAY + 17 * seed

    expected_w = SMALL.forecast(history_w, 12, first_quarter=first_quarter)

    by_hand = [naive_w(SMALL, row.tolist(), 12, first_quarter) for row in history_w]
    np.testing.assert_allclose(expected_w, by_hand, rtol=1e-9)


def test_day_that_repeats_is_forecast_as_it_was():
    shape_w = wandering_w(1, DAY, 3)
    history_w = np.tile(shape_w, 12)[:, :-40]

    expected_w = KnnForecaster(neighbours=3).forecast(history_w, DAY)

    np.testing.assert_allclose(expected_w[0], np.roll(shape_w[0], 40), rtol=0.02)


def test_weekend_is_forecast_from_weekends():
    # 1970-01-01 was a Thursday: days 2 and 3 of each week are the weekend
    weekend = (np.arange(28) % 7 == 2) | (np.arange(28) % 7 == 3)
    day_w = np.where(weekend, 900.0, 300.0)
    history_w = np.repeat(day_w, DAY)[None, : 23 * DAY + 40]  # until Saturday, 10:00
    history_w[0, -40:] = 300.0  # that begins like any other day
    rule = KnnForecaster(neighbours=3, hour_weight=100.0, weekday_weight=10.0)

    knowing = rule.forecast(history_w, 8, first_quarter=23 * DAY + 40)
    ignorant = rule.forecast(history_w, 8)

    assert knowing.min() > 700 > ignorant.max()


@pytest.mark.parametrize("quarters", [1, 40, 100, 5 * DAY + 10])
def test_short_past_repeats_the_day_before_or_else_what_was_last(quarters):
    history_w = wandering_w(2, quarters, 1)
    history_w[1, -1:] = np.nan if quarters > 1 else 7.0

    expected_w = KnnForecaster().forecast(history_w, DAY + 3)

    last_w = [history_w[0, -1], history_w[1, -2 if quarters > 1 else -1]]
    for home in range(2):
        day_w = [*([np.nan] * max(DAY - quarters, 0)), *history_w[home, -DAY:]]
        day_w = [last_w[home] if np.isnan(w) else w for w in day_w]
        assert expected_w[home].tolist() == day_w + day_w[:3]


@given(st.integers(0, 2**32 - 1), st.floats(0, 0.9), st.integers(1, 2 * DAY))
def test_forecast_of_any_past_is_finite_never_negative_and_within_what_was(seed, share, horizon):
    history_w = with_holes(wandering_w(2, 8 * DAY, seed), seed, share)

    for rule in (SMALL, CombinedForecaster(far=SMALL)):
        expected_w = rule.forecast(history_w, horizon, first_quarter=1_900_000)
        assert expected_w.shape == (2, horizon)
        assert np.all(np.isfinite(expected_w) & (expected_w >= 0))
    assert SMALL.forecast(history_w, horizon).max() <= np.nanmax(history_w) + 1e-9


def test_home_is_forecast_from_its_own_past_only():
    history_w = with_holes(wandering_w(3, 8 * DAY, 5), 5)

    together = SMALL.forecast(history_w, 20)
    alone = [SMALL.forecast(history_w[home : home + 1], 20)[0] for home in range(3)]

    np.testing.assert_allclose(together, alone, rtol=1e-9)


def test_combined_takes_each_horizon_from_its_own():
    history_w = wandering_w(2, 30 * DAY, 2)

    expected_w = CombinedForecaster().forecast(history_w, 10, first_quarter=7)

    near_w = LinearForecaster().forecast(history_w, 4)
    far_w = KnnForecaster().forecast(history_w, 10, first_quarter=7)
    assert expected_w.tolist() == np.hstack([near_w, far_w[:, 4:]]).tolist()


def relative_errors(forecaster, days_w, horizon):
    """Return Σ|f − a| / Σa by quarter ahead over the last four days, every 13 quarters."""
    missed_w, actual_w = np.zeros(horizon), np.zeros(horizon)
    for now in range(days_w.shape[1] - 4 * DAY, days_w.shape[1] - horizon + 1, 13):
        truth_w = days_w[:, now : now + horizon]
        missed_w += np.abs(forecaster(days_w[:, :now]) - truth_w).sum(axis=0)
        actual_w += truth_w.sum(axis=0)
    return missed_w / actual_w


@pytest.fixture(scope="module")
def homes_w():
    """Quarter-hours of load and production of six generated homes, 30 days in winter."""
    data = generate_fleet_data(day=date(2021, 2, 10), homes=6, seed=2, history_days=29)
    return quarter_means_w(data.load_w), quarter_means_w(data.pv_w)


@pytest.mark.parametrize("quantity", [0, 1], ids=["load", "production"])
def test_regression_beats_persistence_within_an_hour_and_neighbours_beat_it_beyond(
    homes_w, quantity
):
    days_w = homes_w[quantity]
    far = 24  # six hours

    persisted = relative_errors(lambda past_w: persisted_w(past_w, far), days_w, far)
    regressed = relative_errors(
        lambda past_w: LinearForecaster().forecast(past_w, far), days_w, far
    )
    neighbours = relative_errors(lambda past_w: KnnForecaster().forecast(past_w, far), days_w, far)

    assert regressed[:4].mean() < persisted[:4].mean()
    assert neighbours[4:].mean() < regressed[4:].mean() < persisted[4:].mean()


def test_day_ahead_of_a_month_is_quick():
    history_w, rule, took_s = wandering_w(1, 30 * DAY, 8), CombinedForecaster(), []
    for _ in range(5):
        began_s = time.perf_counter()
        rule.forecast(history_w, DAY, first_quarter=1_900_000)
        took_s.append(time.perf_counter() - began_s)

    assert min(took_s) <= 1.0  # 3 ms on a quiet machine


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"neighbours": 0}, "neighbours must be >= 1, got 0"),
        ({"hour_weight": -1.0}, "hour_weight must be >= 0, got -1"),
        ({"age_weight": math.nan}, "age_weight must be >= 0, got nan"),
        ({"train_quarters_min": 10}, "train_quarters_min is below neighbours, 30"),
    ],
)
def test_settings_out_of_range_are_refused(fields, message):
    with pytest.raises(ForecastError, match=message):
        KnnForecaster(**fields)


def test_combined_regresses_one_quarter_at_least():
    with pytest.raises(ForecastError, match="near_quarters must be >= 1, got 0"):
        CombinedForecaster(near_quarters=0)
