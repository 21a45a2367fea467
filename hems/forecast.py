"""What a home expects of the coming quarter-hours, from its own past."""

from dataclasses import dataclass

import numpy as np

from devices.arrays import FloatArray, IntArray
from hems.errors import ForecastError

QUARTER_S = 900
"""Step of a home's forecast (Couraud 2021, §III.A). [s]"""
QUARTERS_PER_DAY = 96


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

    def forecast(self, history_w: FloatArray, horizon: int) -> FloatArray:
        """Return the expected means of the next ``horizon`` quarters.

        Parameters
        ----------
        history_w : FloatArray, shape (homes, quarters)
            Measured quarter-hour means up to now, oldest first. [W]
        horizon : int
            Quarters to predict.

        Returns
        -------
        FloatArray, shape (homes, horizon)
            Expected means, never negative. [W]

        Raises
        ------
        ForecastError
            If the history is empty or holds a value that is not finite.
        """
        if history_w.ndim != 2 or history_w.shape[1] == 0:
            msg = f"forecast: history has shape {history_w.shape}, needs (homes, quarters >= 1)"
            raise ForecastError(msg)
        if not np.all(np.isfinite(history_w)):
            home, quarter = (int(i) for i in np.argwhere(~np.isfinite(history_w))[0])
            msg = f"forecast: history of home {home} at quarter {quarter} is not finite; drop it"
            raise ForecastError(msg)
        examples = history_w.shape[1] - QUARTERS_PER_DAY - horizon + 1
        if examples < self.train_quarters_min or horizon > QUARTERS_PER_DAY:
            return np.repeat(history_w[:, -1:], horizon, axis=1)
        ahead = [self._ahead(history_w, step) for step in range(horizon)]
        return np.maximum(np.stack(ahead, axis=1), 0.0)

    def _ahead(self, history_w: FloatArray, step: int) -> FloatArray:
        """Fit and predict the quarter ``step`` after the next, shape (homes,). [W]"""
        quarters = history_w.shape[1]
        targets = np.arange(QUARTERS_PER_DAY, quarters)
        targets = targets[targets - step - self.lags >= 0]
        x = self._regressors(history_w, targets, step)
        y = history_w[:, targets]
        gram = np.einsum("hnf,hng->hfg", x, x)
        scale = np.einsum("hff->h", gram)[:, None, None] / x.shape[2]
        gram += self.ridge * scale * np.eye(x.shape[2]) + 1e-9 * np.eye(x.shape[2])
        moment = np.einsum("hnf,hn->hf", x, y)
        weights = np.linalg.solve(gram, moment[..., None])[..., 0]
        now = self._regressors(history_w, np.array([quarters + step]), step)[:, 0]
        predicted: FloatArray = np.einsum("hf,hf->h", now, weights)
        return predicted

    def _regressors(self, history_w: FloatArray, targets: IntArray, step: int) -> FloatArray:
        """Return (homes, targets, regressors): constant, lags before the origin, yesterday."""
        origins = targets - step
        columns = [np.ones((history_w.shape[0], len(targets)))]
        columns += [history_w[:, origins - 1 - lag] for lag in range(self.lags)]
        columns.append(history_w[:, targets - QUARTERS_PER_DAY])
        return np.stack(columns, axis=2)


def quarter_means_w(minutes_w: FloatArray) -> FloatArray:
    """Return quarter-hour means of minute values, shape (homes, minutes // 15). [W]"""
    homes, minutes = minutes_w.shape
    whole = minutes // 15
    means: FloatArray = minutes_w[:, : whole * 15].reshape(homes, whole, 15).mean(axis=2)
    return means
