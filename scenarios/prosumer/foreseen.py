"""What is expected, by name, and remembered: forecasts do not depend on who plans with them."""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from devices.arrays import FloatArray
from scenarios.prosumer.forecasts import (
    HORIZON_H,
    HourlyForecaster,
    Outlook,
    Persistence,
    nearest_days,
)
from scenarios.prosumer.forecasts_linear import LinearDays
from scenarios.prosumer.series import ProsumerSeries

Method = Literal["knn", "linear", "persistence", "worsened"]
"""How an imperfect forecast is made; ``worsened`` is the truth with a seeded error of 25 %."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """Ask a forecaster once for each hour, for the longest horizon; see `HourlyForecaster`.

    For one series only: an hour's number tells which history it was asked with.
    """

    asked: HourlyForecaster
    """Who is asked."""
    horizon_h: int = HORIZON_H
    """For how many hours, where the series goes on for so long. [h]"""
    last_hour: int
    """Number of the series' last hour, counted from 1970 in UTC."""
    _told: dict[int, FloatArray] = field(default_factory=dict, repr=False, compare=False)

    def forecast(self, history_wh: FloatArray, horizon: int, *, first_hour: int) -> FloatArray:
        """Return what was told before, or ask."""
        told = self._told.get(first_hour)
        if told is None or told.shape[1] < horizon:
            longest = max(horizon, min(self.horizon_h, self.last_hour + 1 - first_hour))
            told = self.asked.forecast(history_wh, longest, first_hour=first_hour)
            self._told[first_hour] = told
        return told[:, :horizon]


def imperfect(series: ProsumerSeries, method: Method, *, seed: int = 0) -> Outlook:
    """Return an outlook that is wrong, for one series.

    Parameters
    ----------
    series : ProsumerSeries
        What happens.
    method : Method
        How the forecast is made.
    seed : int
        Of ``worsened``; the others draw nothing.
    """
    if method == "worsened":
        return Outlook.imperfect(
            series.load_wh, series.pv_wh, first_hour=series.first_hour, seed=seed
        )
    last = series.first_hour + series.hours - 1

    def remembered() -> Remembered:
        return Remembered(asked=_forecaster(method), last_hour=last)

    return Outlook(load=remembered(), pv=remembered())


def _forecaster(method: Method) -> HourlyForecaster:
    if method == "knn":
        return nearest_days()
    return LinearDays() if method == "linear" else Persistence()


def errors(
    outlook: Outlook, series: ProsumerSeries, *, begin: int, hours: int, horizon_h: int, every: int
) -> dict[str, list[float]]:
    """Return Σ|expected − real| / Σ real by hours ahead, of ``load`` and ``pv``, 0 if nothing was.

    Parameters
    ----------
    outlook : Outlook
        Who expects.
    series : ProsumerSeries
        What happens.
    begin, hours : int
        Hours in which forecasts are made. [h]
    horizon_h : int
        Hours ahead that are judged. [h]
    every : int
        Hours from one forecast that is judged to the next.
    """
    off = {"load": np.zeros(horizon_h), "pv": np.zeros(horizon_h)}
    real = {"load": np.zeros(horizon_h), "pv": np.zeros(horizon_h)}
    for hour in range(begin, min(begin + hours, series.hours - horizon_h + 1), every):
        told = outlook.forecast(
            series.load_wh[:, :hour],
            series.pv_wh[:, :hour],
            horizon_h,
            first_hour=series.first_hour + hour,
        )
        for name, expected_wh, all_wh in zip(
            ("load", "pv"), told, (series.load_wh, series.pv_wh), strict=True
        ):
            real_wh = all_wh[:, hour : hour + horizon_h]
            off[name] += np.abs(expected_wh - real_wh).sum(axis=0)
            real[name] += real_wh.sum(axis=0)
    return {
        name: np.divide(
            off[name], real[name], out=np.zeros(horizon_h), where=real[name] > 0
        ).tolist()
        for name in off
    }
