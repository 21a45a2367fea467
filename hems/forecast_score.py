"""How good forecasts were: each is compared with its quarter-hour once that has been measured."""

from collections import OrderedDict
from dataclasses import dataclass

import numpy as np

from devices.arrays import FloatArray
from hems.errors import ForecastError

MEMORY_QUARTERS = 30 * 96
"""How far back scores reach: what is older counts for less than a third."""
_SUMS = 4
"""Weights, |forecast − actual|, forecast − actual and actual, summed up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """Errors by horizon, shape (horizons,); the first is the next quarter. NaN: none scored."""

    scored: FloatArray
    """Forecasts that were compared, older ones counting for less."""
    mean_absolute_w: FloatArray
    """Mean of |forecast − actual|. [W]"""
    bias_w: FloatArray
    """Mean of forecast − actual, > 0 where too much was expected. [W]"""
    relative: FloatArray
    """Σ|forecast − actual| / Σ actual."""


class ForecastScore:
    """Keep running errors per horizon of one quantity of one home.

    Parameters
    ----------
    horizons : int
        Quarters ahead that are scored, >= 1.

    Raises
    ------
    ForecastError
        If ``horizons`` is below 1.
    """

    def __init__(self, horizons: int) -> None:
        if horizons < 1:
            msg = f"forecast score: {horizons} horizons; score at least the next quarter"
            raise ForecastError(msg)
        self._sums = np.zeros((_SUMS, horizons))
        self._issued: OrderedDict[int, FloatArray] = OrderedDict()

    @property
    def horizons(self) -> int:
        """Quarters ahead that are scored."""
        return int(self._sums.shape[1])

    def issued(self, first_quarter: int, expected_w: FloatArray) -> None:
        """Take note of a forecast until its quarters have been measured.

        Parameters
        ----------
        first_quarter : int
            Number of its first quarter, counted from 1970 in UTC; one forecast each.
        expected_w : FloatArray, shape (quarters,)
            Expected means, of which the first ``horizons`` are scored. [W]
        """
        self._issued[first_quarter] = expected_w[: self.horizons].copy()
        while len(self._issued) > self.horizons:
            self._issued.popitem(last=False)

    def measured(self, quarter: int, actual_w: float) -> None:
        """Score all forecasts of a quarter; one that was not measured is never scored. [W]"""
        for first, expected_w in list(self._issued.items()):
            ahead = quarter - first
            if 0 <= ahead < len(expected_w):
                error_w = float(expected_w[ahead]) - actual_w
                self._sums[:, ahead] *= 1 - 1 / MEMORY_QUARTERS
                self._sums[:, ahead] += (1.0, abs(error_w), error_w, actual_w)
            if not 0 <= ahead < self.horizons - 1:  # done with, or of a clock that was wrong
                del self._issued[first]

    def score(self) -> Score:
        """Return the errors up to now."""
        weight, absolute_w, signed_w, actual_w = self._sums
        return Score(
            scored=weight.copy(),
            mean_absolute_w=_ratio(absolute_w, weight),
            bias_w=_ratio(signed_w, weight),
            relative=_ratio(absolute_w, actual_w),
        )

    def to_bytes(self) -> bytes:
        """Return the running sums, to be kept; forecasts still out are not among them."""
        return self._sums.astype("<f8").tobytes()

    def take_bytes(self, kept: bytes) -> None:
        """Go on from what `to_bytes` gave; of another number of horizons, begin anew."""
        sums = np.frombuffer(kept, dtype="<f8") if len(kept) == self._sums.nbytes else np.empty(0)
        if sums.size and np.isfinite(sums).all():
            self._sums = sums.astype(np.float64).reshape(self._sums.shape)


def _ratio(part: FloatArray, whole: FloatArray) -> FloatArray:
    return np.where(whole > 0, part / np.where(whole > 0, whole, 1.0), np.nan)
