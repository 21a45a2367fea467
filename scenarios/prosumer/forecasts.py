"""What homes expect of the hours ahead: forecasters of hourly energies, up to 72 h and beyond.

The protocol is that of `hems.forecast`, in hours and Wh: history in, (homes, hours) out. Those that
know the future (`Perfect`, `Imperfect`) hold it themselves and ask only which hour it is.
"""

from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np

from devices.arrays import FloatArray
from hems.errors import ForecastError
from hems.forecast import Forecaster, require_history
from hems.forecast_knn import KnnForecaster
from hems.forecast_score import ForecastScore, Score
from scenarios.simulation.day_ahead import worsened_wh

DAY_H = 24
"""Hours of a day in UTC. [h]"""
QUARTERS_PER_HOUR = 4
HORIZON_H = 72
"""Hours that a prosumer plans (Becchi 2024, §II). [h]"""


class HourlyForecaster(Protocol):
    """Predicts hourly energies of one quantity from those before; pure and synchronous."""

    def forecast(self, history_wh: FloatArray, horizon: int, *, first_hour: int) -> FloatArray:
        """Return the expected energies of the next ``horizon`` hours.

        Parameters
        ----------
        history_wh : FloatArray, shape (homes, hours)
            Measured energies up to now, oldest first; NaN where an hour was not measured. [Wh]
        horizon : int
            Hours to predict.
        first_hour : int
            Number of the first of them, counted from 1970 in UTC.

        Returns
        -------
        FloatArray, shape (homes, horizon)
            Expected energies, never negative. [Wh]

        Raises
        ------
        ForecastError
            If a home has no history, or what is known does not reach that far.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What homes expect of both quantities; the default of a study is `Outlook.perfect`."""

    load: HourlyForecaster
    """Of consumption."""
    pv: HourlyForecaster
    """Of production."""

    def forecast(
        self, load_wh: FloatArray, pv_wh: FloatArray, horizon: int, *, first_hour: int
    ) -> tuple[FloatArray, FloatArray]:
        """Return expected consumption and production, (homes, horizon) each. [Wh]

        Parameters
        ----------
        load_wh, pv_wh : FloatArray, shape (homes, hours)
            What was measured up to now. [Wh]
        horizon, first_hour : int
            As in `HourlyForecaster.forecast`.
        """
        return (
            self.load.forecast(load_wh, horizon, first_hour=first_hour),
            self.pv.forecast(pv_wh, horizon, first_hour=first_hour),
        )

    @classmethod
    def perfect(cls, load_wh: FloatArray, pv_wh: FloatArray, *, first_hour: int) -> Self:
        """Return the outlook of who knows all, of series that begin at an hour. [Wh]"""
        return cls(
            load=Perfect(actual_wh=load_wh, first_hour=first_hour),
            pv=Perfect(actual_wh=pv_wh, first_hour=first_hour),
        )

    @classmethod
    def imperfect(
        cls,
        load_wh: FloatArray,
        pv_wh: FloatArray,
        *,
        first_hour: int,
        load_error: float = 0.25,
        pv_error: float = 0.25,
        hours_per_point: int = 2,
        seed: int = 0,
    ) -> Self:
        """Return an outlook that is wrong by a stated error; see `Imperfect.of`."""
        seeds = np.random.SeedSequence(seed).spawn(2)
        load, pv = (
            Imperfect.of(
                actual_wh,
                first_hour=first_hour,
                error=error,
                hours_per_point=hours_per_point,
                seed=child,
            )
            for actual_wh, error, child in zip(
                (load_wh, pv_wh), (load_error, pv_error), seeds, strict=True
            )
        )
        return cls(load=load, pv=pv)

    @classmethod
    def same(cls, forecaster: HourlyForecaster) -> Self:
        """Return the outlook of one method for both quantities."""
        return cls(load=forecaster, pv=forecaster)


@dataclass(frozen=True, slots=True, kw_only=True)
class Perfect:
    """Tell what will happen."""

    actual_wh: FloatArray
    """What happens, shape (homes, hours). [Wh]"""
    first_hour: int
    """Number of its first hour, counted from 1970 in UTC."""

    def forecast(self, history_wh: FloatArray, horizon: int, *, first_hour: int) -> FloatArray:
        """See `HourlyForecaster`; the history counts for nothing."""
        del history_wh
        return ahead(self.actual_wh, first_hour - self.first_hour, horizon)


@dataclass(frozen=True, slots=True, kw_only=True)
class Imperfect:
    """Tell what will happen, worsened once: the error of an hour stays as it draws nearer."""

    expected_wh: FloatArray
    """What is expected, shape (homes, hours). [Wh]"""
    first_hour: int
    """Number of its first hour, counted from 1970 in UTC."""

    def forecast(self, history_wh: FloatArray, horizon: int, *, first_hour: int) -> FloatArray:
        """See `HourlyForecaster`; the history counts for nothing."""
        del history_wh
        return ahead(self.expected_wh, first_hour - self.first_hour, horizon)

    @classmethod
    def of(
        cls,
        actual_wh: FloatArray,
        *,
        first_hour: int,
        error: float,
        hours_per_point: int = 2,
        seed: int | np.random.SeedSequence = 0,
    ) -> Self:
        """Return a forecast that is wrong by a stated error.

        Parameters
        ----------
        actual_wh : FloatArray, shape (homes, hours)
            What will happen. [Wh]
        first_hour : int
            Number of its first hour.
        error : float
            Wanted Σ|forecast − actual| / Σ actual over points: `scenarios.simulation.day_ahead`.
        hours_per_point : int
            Hours between two points of the forecast, which is flat between them.
        seed : int or numpy.random.SeedSequence
            Draws the errors, of each home its own.
        """
        source = seed if isinstance(seed, np.random.SeedSequence) else np.random.SeedSequence(seed)
        expected_wh = [
            worsened_wh(
                home_wh,
                error=error,
                slots_per_point=hours_per_point,
                rng=np.random.default_rng(child),
            )
            for home_wh, child in zip(actual_wh, source.spawn(len(actual_wh)), strict=True)
        ]
        return cls(expected_wh=np.stack(expected_wh), first_hour=first_hour)


@dataclass(frozen=True, slots=True, kw_only=True)
class Persistence:
    """Expect the same hours of the last day that is known, day after day."""

    def forecast(self, history_wh: FloatArray, horizon: int, *, first_hour: int) -> FloatArray:
        """See `HourlyForecaster`; where the day before has a hole, an earlier one stands in."""
        del first_hour
        require_history(history_wh)
        return day_before(history_wh, horizon)


@dataclass(frozen=True, slots=True, kw_only=True)
class ByQuarters:
    """Ask a forecaster of quarter-hours, an hour's four quarters being equal."""

    quarters: Forecaster
    """Who is asked."""
    days: int = 60
    """Days of history that it is given, >= 1."""

    def forecast(self, history_wh: FloatArray, horizon: int, *, first_hour: int) -> FloatArray:
        """See `HourlyForecaster`."""
        recent_w = np.repeat(history_wh[:, -self.days * DAY_H :], QUARTERS_PER_HOUR, axis=1)
        expected_w = self.quarters.forecast(
            recent_w, horizon * QUARTERS_PER_HOUR, first_quarter=first_hour * QUARTERS_PER_HOUR
        )
        means: FloatArray = expected_w.reshape(len(expected_w), horizon, -1).mean(axis=2)
        return means


def nearest_days(*, neighbours: int = 14, days: int = 60) -> ByQuarters:
    """Return k nearest neighbours among the days before: `hems.forecast_knn` at hourly steps.

    Parameters
    ----------
    neighbours : int
        Days that are averaged.
    days : int
        Days among which they are looked for.
    """
    knn = KnnForecaster(
        neighbours=neighbours,
        lags=DAY_H * QUARTERS_PER_HOUR,
        # a quarter's shift costs more than any difference: neighbours begin at the same hour
        hour_weight=1e3,
        weekday_weight=0.1,
        age_weight=0.1,
    )
    return ByQuarters(quarters=knn, days=days)


def ahead(known_wh: FloatArray, begin: int, horizon: int) -> FloatArray:
    """Return hours out of a known series, (homes, horizon), or raise `ForecastError`. [Wh]"""
    if begin < 0 or begin + horizon > known_wh.shape[1]:
        msg = (
            f"forecast: hours {begin} to {begin + horizon} were asked of a series of "
            f"{known_wh.shape[1]}; shorten the horizon"
        )
        raise ForecastError(msg)
    return known_wh[:, begin : begin + horizon]


def day_before(history_wh: FloatArray, horizon: int) -> FloatArray:
    """Return the last known value of each hour of the day, (homes, horizon). [Wh]

    Of an hour that was never measured the home's mean is expected.
    """
    homes, hours = history_wh.shape
    days = -(-hours // DAY_H)
    padded_wh = np.full((homes, days * DAY_H), np.nan)
    padded_wh[:, days * DAY_H - hours :] = history_wh
    by_day = padded_wh.reshape(homes, days, DAY_H)
    latest = days - 1 - np.argmax(np.isfinite(by_day[:, ::-1]), axis=1)
    last_wh = np.take_along_axis(by_day, latest[:, None], axis=1)[:, 0]
    mean_wh = np.nanmean(history_wh, axis=1, keepdims=True)
    last_wh = np.where(np.isnan(last_wh), mean_wh, last_wh)
    expected_wh: FloatArray = np.maximum(last_wh[:, np.arange(horizon) % DAY_H], 0.0)
    return expected_wh


def accuracy(
    forecaster: HourlyForecaster,
    actual_wh: FloatArray,
    *,
    first_hour: int,
    begin: int,
    horizon: int = HORIZON_H,
    every: int = 1,
) -> Score:
    """Return a forecaster's errors by horizon for one home; the first is the hour that begins.

    Parameters
    ----------
    forecaster : HourlyForecaster
        Who is judged.
    actual_wh : FloatArray, shape (hours,)
        What happened. [Wh]
    first_hour : int
        Number of its first hour, counted from 1970 in UTC.
    begin : int
        Hours of history before the first forecast.
    horizon : int
        Hours ahead that are scored.
    every : int
        Hours from forecast to forecast.
    """
    kept = ForecastScore(horizon)
    for now in range(begin, actual_wh.size):
        if not (now - begin) % every and now + horizon <= actual_wh.size:
            expected_wh = forecaster.forecast(
                actual_wh[None, :now], horizon, first_hour=first_hour + now
            )
            kept.issued(first_hour + now, expected_wh[0])
        kept.measured(first_hour + now, float(actual_wh[now]))
    return kept.score()
