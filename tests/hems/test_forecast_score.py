"""Each forecast is scored once its quarter-hour has been measured, by how far ahead it was."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hems.errors import ForecastError
from hems.forecast_score import ForecastScore


def test_errors_are_kept_by_horizon():
    score = ForecastScore(3)
    score.issued(100, np.array([10.0, 20.0, 30.0]))
    score.measured(100, 14.0)
    score.issued(101, np.array([21.0, 33.0, 44.0]))
    score.measured(101, 20.0)
    score.issued(102, np.array([30.0, 40.0, 50.0]))
    score.measured(102, 34.0)

    found = score.score()

    np.testing.assert_allclose(found.scored, [3, 2, 1], rtol=1e-3)
    np.testing.assert_allclose(found.mean_absolute_w, [(4 + 1 + 4) / 3, 0.5, 4], rtol=1e-3)
    np.testing.assert_allclose(found.bias_w, [(-4 + 1 - 4) / 3, -0.5, -4], rtol=1e-3)
    np.testing.assert_allclose(found.relative, [9 / 68, 1 / 54, 4 / 34], rtol=1e-3)


def test_nothing_scored_is_no_number():
    found = ForecastScore(2).score()

    assert found.scored.tolist() == [0.0, 0.0]
    assert np.isnan([found.mean_absolute_w, found.bias_w, found.relative]).all()


def test_night_without_sun_has_an_error_in_watts_only():
    score = ForecastScore(1)
    score.issued(5, np.array([3.0]))
    score.measured(5, 0.0)

    found = score.score()

    assert found.mean_absolute_w.tolist() == [3.0]
    assert np.isnan(found.relative).all()


def test_quarter_that_was_never_measured_is_never_scored():
    score = ForecastScore(2)
    score.issued(100, np.array([10.0, 20.0]))
    score.measured(101, 20.0)
    score.measured(102, 50.0)

    assert score.score().scored.tolist() == [0.0, 1.0]


def test_clock_that_was_ahead_leaves_nothing_to_be_scored_later():
    score = ForecastScore(2)
    score.issued(9_000, np.array([10.0, 20.0]))
    score.measured(100, 10.0)
    score.measured(9_000, 10.0)

    assert score.score().scored.tolist() == [0.0, 0.0]


def test_what_is_old_counts_for_less():
    score = ForecastScore(1)
    for quarter in range(20_000):
        score.issued(quarter, np.array([100.0 if quarter < 10_000 else 10.0]))
        score.measured(quarter, 0.0)

    found = score.score()

    assert found.scored[0] == pytest.approx(2_880, rel=0.01)
    assert found.mean_absolute_w[0] == pytest.approx(10 + 90 * np.exp(-10_000 / 2_880), rel=0.01)


@given(st.lists(st.floats(0, 1e4), min_size=1, max_size=30))
def test_running_sums_survive_being_kept(actual_w):
    score, again = ForecastScore(4), ForecastScore(4)
    for quarter, each_w in enumerate(actual_w):
        score.measured(quarter, each_w)
        score.issued(quarter + 1, np.full(4, each_w))

    again.take_bytes(score.to_bytes())

    assert again.to_bytes() == score.to_bytes()


@pytest.mark.parametrize("kept", [b"", b"\0" * 8, np.full(16, np.nan).tobytes()])
def test_sums_of_another_kind_begin_anew(kept):
    score = ForecastScore(4)

    score.take_bytes(kept)

    assert score.to_bytes() == bytes(4 * 4 * 8)


def test_at_least_the_next_quarter_is_scored():
    with pytest.raises(ForecastError, match="0 horizons; score at least the next quarter"):
        ForecastScore(0)
