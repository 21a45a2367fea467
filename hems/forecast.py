"""What a home expects of the coming quarter-hours, from its own past."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from devices.arrays import FloatArray, IntArray
from hems.errors import ForecastError

QUARTER_S = 900
"""Step of a home's forecast (Couraud 2021, §III.A). [s]"""
QUARTERS_PER_DAY = 96


class Forecaster(Protocol):
    """Predicts quarter-hour means from those before."""

    def forecast(
        self, history_w: FloatArray, horizon: int, *, first_quarter: int | None = None
    ) -> FloatArray:
        """Return the expected means of the next ``horizon`` quarters.

        Parameters
        ----------
        history_w : FloatArray, shape (homes, quarters)
            Measured quarter-hour means up to now, oldest first; NaN where a quarter was not
            measured, which is no zero. [W]
        horizon : int
            Quarters to predict.
        first_quarter : int, optional
            Number of the first of them, counted from 1970 in UTC; tells the day of the week.

        Returns
        -------
        FloatArray, shape (homes, horizon)
            Expected means, never negative. [W]

        Raises
        ------
        ForecastError
            If a home has no history, or one that is infinite.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearForecaster:
    """Predict quarter-hour means by linear regression, one small model per home and horizon.

    Notes
    -----
    Couraud 2021, §III.A: linear regression in 15-minute steps is the best compromise of speed and
    accuracy up to an hour ahead. Regressors are a constant, the last ``lags`` quarters and the
    same quarter of the day before. Persistence stands in until there is enough history.
    """

    lags: int = 2
    """Quarters before now used as regressors."""
    ridge: float = 1e-3
    """Weight of the penalty on coefficients, relative to the regressors' mean square."""
    train_quarters_min: int = 24
    """Examples needed before the regression is trusted over persistence."""

    def __post_init__(self) -> None:
        if self.lags < 1 or self.train_quarters_min < 1 or not self.ridge > 0:
            msg = f"forecast: lags, ridge and train_quarters_min must be positive, got {self}"
            raise ForecastError(msg)

    def forecast(
        self, history_w: FloatArray, horizon: int, *, first_quarter: int | None = None
    ) -> FloatArray:
        """See `Forecaster`; days of the week count for nothing here."""
        require_history(history_w)
        examples = history_w.shape[1] - QUARTERS_PER_DAY - horizon + 1
        if examples < self.train_quarters_min or horizon > QUARTERS_PER_DAY:
            return persisted_w(history_w, horizon)
        ahead = [self._ahead(history_w, step) for step in range(horizon)]
        expected_w = np.maximum(np.stack(ahead, axis=1), 0.0)
        if np.isnan(expected_w).any():
            return np.where(np.isnan(expected_w), persisted_w(history_w, horizon), expected_w)
        return expected_w

    def _ahead(self, history_w: FloatArray, step: int) -> FloatArray:
        """Fit and predict the quarter ``step`` after the next, shape (homes,). [W]

        NaN where the last quarters or yesterday's are missing, or too many examples.
        """
        quarters = history_w.shape[1]
        targets = np.arange(QUARTERS_PER_DAY, quarters)
        targets = targets[targets - step - self.lags >= 0]
        x = self._regressors(history_w, targets, step)
        y = history_w[:, targets]
        whole = np.isfinite(x).all(axis=2) & np.isfinite(y)
        if not whole.all():  # an example with a hole weighs nothing
            x, y = np.where(whole[:, :, None], x, 0.0), np.where(whole, y, 0.0)
        gram = np.einsum("hnf,hng->hfg", x, x)
        scale = np.einsum("hff->h", gram)[:, None, None] / x.shape[2]
        gram += self.ridge * scale * np.eye(x.shape[2]) + 1e-9 * np.eye(x.shape[2])
        moment = np.einsum("hnf,hn->hf", x, y)
        weights = np.linalg.solve(gram, moment[..., None])[..., 0]
        now = self._regressors(history_w, np.array([quarters + step]), step)[:, 0]
        predicted: FloatArray = np.einsum("hf,hf->h", now, weights)
        return np.where(whole.sum(axis=1) >= self.train_quarters_min, predicted, np.nan)

    def _regressors(self, history_w: FloatArray, targets: IntArray, step: int) -> FloatArray:
        """Return (homes, targets, regressors): constant, lags before the origin, yesterday."""
        origins = targets - step
        columns = [np.ones((history_w.shape[0], len(targets)))]
        columns += [history_w[:, origins - 1 - lag] for lag in range(self.lags)]
        columns.append(history_w[:, targets - QUARTERS_PER_DAY])
        return np.stack(columns, axis=2)


def require_history(history_w: FloatArray) -> None:
    """Raise `ForecastError` for a history that nothing can be learnt from."""
    if history_w.ndim != 2 or history_w.shape[1] == 0:
        msg = f"forecast: history has shape {history_w.shape}, needs (homes, quarters >= 1)"
        raise ForecastError(msg)
    if np.isinf(history_w).any():
        home, quarter = (int(i) for i in np.argwhere(np.isinf(history_w))[0])
        msg = f"forecast: history of home {home} at quarter {quarter} is infinite; drop it"
        raise ForecastError(msg)
    unknown = np.isnan(history_w).all(axis=1)
    if unknown.any():
        msg = f"forecast: history of home {int(np.argmax(unknown))} has no value; measure first"
        raise ForecastError(msg)


def persisted_w(history_w: FloatArray, horizon: int) -> FloatArray:
    """Return each home's last known mean, ``horizon`` times: what nobody needs to learn. [W]"""
    quarters = history_w.shape[1]
    last = quarters - 1 - np.argmax(np.isfinite(history_w[:, ::-1]), axis=1)
    return np.repeat(np.take_along_axis(history_w, last[:, None], axis=1), horizon, axis=1)


def quarter_means_w(minutes_w: FloatArray) -> FloatArray:
    """Return quarter-hour means of minute values, shape (homes, minutes // 15). [W]"""
    homes, minutes = minutes_w.shape
    whole = minutes // 15
    means: FloatArray = minutes_w[:, : whole * 15].reshape(homes, whole, 15).mean(axis=2)
    return means
