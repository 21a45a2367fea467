"""What a fleet does tomorrow, from days like it: neighbours and regression, over days.

A home's forecast (Couraud 2021, §III.A) goes from the last quarters on. A market day is forecast
twelve hours and more ahead, when those tell nothing: here the unit is the day, known up to the one
before yesterday, and what is like tomorrow is its kind and its weather.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from aggregator.service.day.errors import StepInputError
from devices.arrays import BoolArray, FloatArray

GAP_DAYS: Final = 2
"""A day is forecast on the one before, which is not over: the last that is known lies two back."""
LEARN_DAYS: Final = 7
"""Days that a regression needs; with fewer, the mean of the last ones stands in."""
_WEEKEND_SQUARE: Final = 4.0
_AGE_SQUARE: Final = 0.5
"""What a month of age adds to the squared distance."""
_BEFORE_WEIGHT: Final = 0.5
_WEATHER_WEIGHT: Final = 4.0
_RIDGE: Final = 0.05
"""Penalty on standardised coefficients, relative to an example."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """A fleet's days, oldest first and one after the other, and the day that is asked for.

    The last day of the arrays is the one asked for, of which only calendar and weather are known;
    the one before it is not over, so its energy is unknown too.
    """

    energy_wh: FloatArray
    """Energy of a mean home, NaN where unknown, shape (days + 2, slots). [Wh]"""
    weekend: BoolArray
    """Whether a day is one of a weekend, where that matters, shape (days + 2,)."""
    irradiance_w_per_m2: FloatArray
    """Mean irradiance of each slot, NaN where unknown, shape (days + 2, slots). [W/m²]"""
    temperature_c: FloatArray
    """Mean temperature of each slot, likewise. [°C]"""

    def __post_init__(self) -> None:
        if not np.isfinite(self.energy_wh[:-GAP_DAYS]).any():
            msg = "no home told anything of the days before; wait for a day of telemetry"
            raise StepInputError(msg)


def by_neighbours(past: Past, *, neighbours: int) -> FloatArray:
    """Return the mean of the days that are most like the one asked for, shape (slots,). [Wh]

    Notes
    -----
    k-nearest-neighbour regression. The distance of two days is the root of: whether one of them is
    of a weekend, their age, how the days known before each of them compare, and, where both are
    known, the difference of their mean irradiance and temperature in standard deviations.
    Neighbours weigh by the inverse of it.
    """
    candidates = np.flatnonzero(np.isfinite(past.energy_wh[:-GAP_DAYS]).any(axis=1))
    asked = len(past.energy_wh) - 1
    squares = _AGE_SQUARE * (asked - candidates) / 30
    squares = squares + _WEEKEND_SQUARE * (past.weekend[candidates] != past.weekend[asked])
    before = _scaled(np.roll(_day_means(past.energy_wh), GAP_DAYS))
    before[:GAP_DAYS] = np.nan
    squares += _BEFORE_WEIGHT * _apart(before, candidates)
    for weather in (past.irradiance_w_per_m2, past.temperature_c):
        squares += _WEATHER_WEIGHT * _apart(_scaled(_day_means(weather)), candidates)
    nearest = np.argsort(squares, kind="stable")[:neighbours]
    weight = 1 / (np.sqrt(squares[nearest]) + 0.05)
    taken_wh = past.energy_wh[candidates[nearest]]
    known = np.isfinite(taken_wh)
    total = (weight[:, None] * known).sum(axis=0)
    sum_wh = (weight[:, None] * np.where(known, taken_wh, 0.0)).sum(axis=0)
    mean_wh = np.where(total > 0, sum_wh / np.where(total > 0, total, 1.0), np.nan)
    return _filled(mean_wh, past.energy_wh)


def by_regression(past: Past) -> FloatArray:
    """Return a linear regression's day, one small model a slot, shape (slots,). [Wh]

    Notes
    -----
    Regressors of a slot are a constant, the same slot of the last day known, its mean over the
    seven last known, whether it is a weekend, and irradiance and temperature of the slot where all
    of them are known; standardised, with a ridge.
    """
    columns = _columns(past)
    days = np.arange(len(past.energy_wh))
    rows = [
        _slot(columns[:, :, slot], past.energy_wh[:, slot], days)
        for slot in range(past.energy_wh.shape[1])
    ]
    return _filled(np.maximum(np.array(rows), 0.0), past.energy_wh)


def _slot(
    x: FloatArray, y: FloatArray, days: "np.ndarray[tuple[int], np.dtype[np.int64]]"
) -> float:
    """Return one slot's prediction for the last day; NaN where too little is known."""
    x = x[:, np.isfinite(x[-1])]
    learn = np.isfinite(x).all(axis=1) & np.isfinite(y) & (days < len(y) - GAP_DAYS)
    if learn.sum() < LEARN_DAYS:
        return float("nan")
    mean, deviation = x[learn].mean(axis=0), x[learn].std(axis=0)
    varies = deviation > 1e-9
    scaled = (x[:, varies] - mean[varies]) / deviation[varies]
    gram = scaled[learn].T @ scaled[learn] + _RIDGE * learn.sum() * np.eye(int(varies.sum()))
    weights = np.linalg.solve(gram, scaled[learn].T @ (y[learn] - y[learn].mean()))
    return float(y[learn].mean() + scaled[-1] @ weights)


def _columns(past: Past) -> FloatArray:
    """Return the regressors, shape (days + 2, regressors, slots)."""
    energy_wh = past.energy_wh
    lagged = np.full_like(energy_wh, np.nan)
    lagged[GAP_DAYS:] = energy_wh[:-GAP_DAYS]
    week = np.full_like(energy_wh, np.nan)
    for day in range(GAP_DAYS, len(energy_wh)):
        week[day] = _known_mean(energy_wh[max(0, day - GAP_DAYS - 6) : day - GAP_DAYS + 1])
    weekend = np.broadcast_to(past.weekend[:, None].astype(np.float64), energy_wh.shape)
    series = [lagged, week, weekend, past.irradiance_w_per_m2, past.temperature_c]
    return np.stack(series, axis=1)


def _filled(expected_wh: FloatArray, energy_wh: FloatArray) -> FloatArray:
    """Return a day with the mean of the last known ones, then of all slots, where it has holes."""
    known = energy_wh[:-GAP_DAYS]
    for stand_in in (_known_mean(known[-LEARN_DAYS:]), _known_mean(known)):
        expected_wh = np.where(np.isnan(expected_wh), stand_in, expected_wh)
    return np.where(np.isnan(expected_wh), np.nanmean(known), expected_wh)


def _known_mean(values: FloatArray) -> FloatArray:
    """Return the mean over days of what is known, NaN where nothing is, shape (slots,)."""
    known = np.isfinite(values)
    count = known.sum(axis=0)
    total = np.where(known, values, 0.0).sum(axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _day_means(values: FloatArray) -> FloatArray:
    """Return the mean of each day, NaN where nothing of it is known, shape (days,)."""
    return _known_mean(values.T)


def _scaled(values: FloatArray) -> FloatArray:
    """Return values in standard deviations."""
    known = values[np.isfinite(values)]
    deviation = float(known.std()) if known.size else 0.0
    return values / deviation if deviation > 1e-9 else values * 0.0


def _apart(
    values: FloatArray, candidates: "np.ndarray[tuple[int], np.dtype[np.intp]]"
) -> FloatArray:
    """Return squared differences from the last day, 0 where one of the two is unknown."""
    square = (values[candidates] - values[-1]) ** 2
    return np.where(np.isnan(square), 0.0, square)
