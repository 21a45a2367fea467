"""Days that began like this one: k nearest neighbours, for more than an hour ahead."""

from dataclasses import dataclass, field, fields

import numpy as np

from devices.arrays import BoolArray, FloatArray, IntArray
from hems.errors import ForecastError
from hems.forecast import (
    QUARTERS_PER_DAY,
    Forecaster,
    LinearForecaster,
    persisted_w,
    require_history,
)

EPSILON = 1e-3
"""Distance added to each, so that a neighbour that is the same does not count for all."""
_EPOCH_WEEKDAY = 3
"""1970-01-01 was a Thursday; Monday is 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnnForecaster:
    """Predict what followed the moments of the past that were most like now.

    Raises
    ------
    ForecastError
        If a setting is out of its range.

    Notes
    -----
    Couraud 2021, §III.A: beyond an hour k-nearest-neighbour regression is more accurate than linear
    regression. The distance between now and an earlier moment is the root of: the mean square
    difference of the last ``lags`` quarters, in standard deviations of the home's history, plus
    what time of day, kind of day and age add. Neighbours weigh by the inverse of their distance.

    A moment with a hole in its last quarters is no neighbour; a quarter that was not measured after
    it is left out of the mean for that step. Until there are ``train_quarters_min`` moments the
    same quarter of the day before stands in, and without one the last that is known.
    """

    neighbours: int = 30
    """Moments that are averaged, >= 1."""
    lags: int = 8
    """Last quarters that are compared, >= 1."""
    hour_weight: float = 0.3
    """Squared distance that an hour's difference in the time of day adds, by its square, >= 0."""
    weekday_weight: float = 0.1
    """Squared distance of a weekday from a weekend's day, >= 0."""
    age_weight: float = 0.1
    """Squared distance that 30 days of age add, >= 0: seasons change."""
    train_quarters_min: int = 5 * QUARTERS_PER_DAY
    """Moments needed before it is trusted over the day before, >= ``neighbours``."""

    def __post_init__(self) -> None:
        for each in fields(self):
            least = 0 if each.name.endswith("_weight") else 1
            if not least <= getattr(self, each.name) < np.inf:
                msg = f"forecast: {each.name} must be >= {least}, got {getattr(self, each.name):g}"
                raise ForecastError(msg)
        if self.train_quarters_min < self.neighbours:
            msg = f"forecast: train_quarters_min is below neighbours, {self.neighbours}; raise it"
            raise ForecastError(msg)

    def forecast(
        self, history_w: FloatArray, horizon: int, *, first_quarter: int | None = None
    ) -> FloatArray:
        """See `hems.forecast.Forecaster`."""
        require_history(history_w)
        expected_w = self._learnt_w(history_w, horizon, first_quarter)
        for known_w in (_day_before_w(history_w, horizon), persisted_w(history_w, horizon)):
            expected_w = np.where(np.isnan(expected_w), known_w, expected_w)
        return expected_w

    def _learnt_w(
        self, history_w: FloatArray, horizon: int, first_quarter: int | None
    ) -> FloatArray:
        """Return the neighbours' means, (homes, horizon); NaN where the past is too short. [W]"""
        homes, quarters = history_w.shape
        moments = np.arange(self.lags, quarters - horizon + 1)
        if len(moments) < self.train_quarters_min:
            return np.full((homes, horizon), np.nan)
        squares = self._squares(history_w, moments, first_quarter)
        trained = np.isfinite(squares).sum(axis=1) >= self.train_quarters_min
        nearest = np.argpartition(squares, self.neighbours - 1, axis=1)[:, : self.neighbours]
        weights = 1 / (np.sqrt(np.take_along_axis(squares, nearest, axis=1)) + EPSILON)
        followed = moments[nearest][:, :, None] + np.arange(horizon)
        followed_w = history_w[np.arange(homes)[:, None, None], followed]
        return _weighted_mean_w(followed_w, weights, trained)

    def _squares(
        self, history_w: FloatArray, moments: IntArray, first_quarter: int | None
    ) -> FloatArray:
        """Return the squared distance of each moment from now, (homes, moments); inf for holes."""
        now = history_w.shape[1]
        deviation_w = np.nanstd(history_w, axis=1, keepdims=True)
        scaled = history_w / np.where(deviation_w > 1e-6, deviation_w, 1.0)
        known = np.isfinite(scaled[:, now - self.lags :])[:, ::-1]
        squares = np.zeros((len(history_w), len(moments)))
        for lag in range(self.lags):
            apart = scaled[:, moments - 1 - lag] - scaled[:, now - 1 - lag, None]
            squares += np.where(known[:, lag, None], apart**2, 0.0)
        squares /= np.maximum(known.sum(axis=1), 1)[:, None]
        squares += self._calendar_squares(now - moments, first_quarter)
        return np.where(np.isnan(squares), np.inf, squares)

    def _calendar_squares(self, ago: IntArray, first_quarter: int | None) -> FloatArray:
        """Return what time of day, kind of day and age add, shape (moments,)."""
        phase = ago % QUARTERS_PER_DAY
        hours = np.minimum(phase, QUARTERS_PER_DAY - phase) / 4
        squares: FloatArray = self.hour_weight * hours**2
        squares += self.age_weight * ago / (30 * QUARTERS_PER_DAY)
        if first_quarter is not None:
            other = _weekend(first_quarter - ago) != _weekend(np.array([first_quarter]))
            squares += self.weekday_weight * other
        return squares


@dataclass(frozen=True, slots=True, kw_only=True)
class CombinedForecaster:
    """Predict the next hour by regression and what is beyond by neighbours.

    Notes
    -----
    Couraud 2021, §III.A. On homes of this project's generator neighbours are better from the second
    quarter on; ``near_quarters`` is for those who find the same.
    """

    near: Forecaster = field(default_factory=LinearForecaster)
    """For the first quarters."""
    far: Forecaster = field(default_factory=KnnForecaster)
    """For those beyond."""
    near_quarters: int = 4
    """Quarters that ``near`` predicts, >= 1."""

    def __post_init__(self) -> None:
        if self.near_quarters < 1:
            msg = f"forecast: near_quarters must be >= 1, got {self.near_quarters}"
            raise ForecastError(msg)

    def forecast(
        self, history_w: FloatArray, horizon: int, *, first_quarter: int | None = None
    ) -> FloatArray:
        """See `hems.forecast.Forecaster`."""
        near = min(self.near_quarters, horizon)
        near_w = self.near.forecast(history_w, near, first_quarter=first_quarter)
        if near == horizon:
            return near_w
        far_w = self.far.forecast(history_w, horizon, first_quarter=first_quarter)
        return np.concatenate([near_w, far_w[:, near:]], axis=1)


def _day_before_w(history_w: FloatArray, horizon: int) -> FloatArray:
    """Return the same quarters of the last day, (homes, horizon); NaN where not known. [W]"""
    quarters = history_w.shape[1]
    same = quarters - QUARTERS_PER_DAY + np.arange(horizon) % QUARTERS_PER_DAY
    return np.where(same >= 0, history_w[:, np.maximum(same, 0)], np.nan)


def _weighted_mean_w(followed_w: FloatArray, weights: FloatArray, trained: BoolArray) -> FloatArray:
    """Return the mean over neighbours of what is known, (homes, horizon); NaN where nothing is."""
    known = np.isfinite(followed_w)
    total = np.einsum("hk,hkq->hq", weights, known)
    sum_w = np.einsum("hk,hkq->hq", weights, np.where(known, followed_w, 0.0))
    usable = trained[:, None] & (total > 0)
    return np.where(usable, sum_w / np.where(total > 0, total, 1.0), np.nan)


def _weekend(quarter: IntArray) -> BoolArray:
    """Return whether quarters counted from 1970 lie on a Saturday or Sunday (UTC)."""
    weekend: BoolArray = (quarter // QUARTERS_PER_DAY + _EPOCH_WEEKDAY) % 7 >= 5
    return weekend
