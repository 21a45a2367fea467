"""Linear regression on the days before, for up to some days ahead."""

from dataclasses import dataclass

import numpy as np

from devices.arrays import FloatArray
from hems.errors import ForecastError
from hems.forecast import require_history
from scenarios.prosumer.forecasts import DAY_H, day_before

WEEK_D = 7
"""Days of which a regressor is the mean. [d]"""
BLOCK_HOMES = 32
"""Homes that are fitted together; it bounds the memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearDays:
    """Predict each hour ahead by a regression of its own; see `HourlyForecaster`.

    Raises
    ------
    ForecastError
        If a setting is out of its range.

    Notes
    -----
    `hems.forecast.LinearForecaster` leans on the day before its target, which beyond a day ahead is
    not known. Here a home's examples for an hour ahead are that hour on the days before, seen from
    the same time of day; regressors are a constant, the same hour of the last known day and its
    mean over a week, the last hour and the mean of the last day. Persistence stands in until there
    are ``train_days_min`` examples.
    """

    days: int = 42
    """Examples used, the newest, >= ``train_days_min``."""
    ridge: float = 0.03
    """Weight of the penalty on coefficients, relative to the regressors' mean square, > 0."""
    train_days_min: int = 10
    """Examples needed before the regression is trusted over persistence, >= 1."""

    def __post_init__(self) -> None:
        if not (1 <= self.train_days_min <= self.days and self.ridge > 0):
            msg = f"forecast: days, train_days_min and ridge do not fit, got {self}"
            raise ForecastError(msg)

    def forecast(self, history_wh: FloatArray, horizon: int, *, first_hour: int) -> FloatArray:
        """See `HourlyForecaster`; days of the week count for nothing here."""
        del first_hour
        require_history(history_wh)
        behind = -(-horizon // DAY_H)
        examples = (history_wh.shape[1] - horizon) // DAY_H - behind - WEEK_D
        if examples < self.train_days_min:
            return day_before(history_wh, horizon)
        parts = [
            self._learnt(history_wh[first : first + BLOCK_HOMES], horizon, behind, examples)
            for first in range(0, len(history_wh), BLOCK_HOMES)
        ]
        return np.concatenate(parts)

    def _learnt(
        self, history_wh: FloatArray, horizon: int, behind: int, examples: int
    ) -> FloatArray:
        """Fit and predict some homes, shape (homes, horizon). [Wh]"""
        known_wh = filled(history_wh[:, -(self.days + 2 * behind + WEEK_D + 1) * DAY_H :])
        now = known_wh.shape[1]
        origins = now - DAY_H * np.arange(behind, behind + min(examples, self.days))
        x = _regressors(known_wh, origins, horizon)
        y = known_wh[:, np.arange(horizon)[:, None] + origins]
        gram = np.swapaxes(x, 2, 3) @ x
        scale = np.trace(gram, axis1=2, axis2=3)[..., None, None] / x.shape[3]
        gram += (self.ridge * scale + 1e-9) * np.eye(x.shape[3])
        weights = np.linalg.solve(gram, np.swapaxes(x, 2, 3) @ y[..., None])
        current = _regressors(known_wh, np.array([now]), horizon)
        expected: FloatArray = np.maximum((current @ weights)[:, :, 0, 0], 0.0)
        return expected


def _regressors(known_wh: FloatArray, origins: np.ndarray, horizon: int) -> FloatArray:
    """Return (homes, horizon, origins, regressors) of moments that begin at some hours."""
    hours = np.arange(horizon)[:, None]
    last_same = hours + origins - DAY_H * (hours // DAY_H + 1)
    week = last_same[..., None] - DAY_H * np.arange(WEEK_D)
    day = (origins[:, None] - 1) - np.arange(DAY_H)
    shape = (len(known_wh), horizon, origins.size)
    columns = (
        np.ones(shape),
        known_wh[:, last_same],
        known_wh[:, week].mean(axis=3),
        np.broadcast_to(known_wh[:, None, origins - 1], shape),
        np.broadcast_to(known_wh[:, day].mean(axis=2)[:, None], shape),
    )
    # the constant counts as much as an energy, so that the penalty is fair to it
    typical = np.maximum(known_wh.mean(axis=1), 1.0)[:, None, None]
    return np.stack([columns[0] * typical, *columns[1:]], axis=3)


def filled(history_wh: FloatArray) -> FloatArray:
    """Return a history without holes: the same hour of the day before, else of the home's mean."""
    if np.isfinite(history_wh).all():
        return history_wh
    filled_wh = history_wh.copy()
    mean_wh = np.nanmean(history_wh, axis=1)
    for first in range(DAY_H):
        column = filled_wh[:, first::DAY_H]
        known = np.isfinite(column)
        place = np.maximum.accumulate(np.where(known, np.arange(column.shape[1]), -1), axis=1)
        earlier = np.take_along_axis(column, np.maximum(place, 0), axis=1)
        filled_wh[:, first::DAY_H] = np.where(place >= 0, earlier, mean_wh[:, None])
    return filled_wh
