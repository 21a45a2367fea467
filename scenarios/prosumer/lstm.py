"""A small recurrent network that forecasts hourly energies; trained with PyTorch, run with NumPy.

`scenarios.prosumer.train` makes the weights. Running them takes no PyTorch: the network is a long
short-term memory over the last two days and a layer that is asked once for each hour ahead.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Final, Self
from zipfile import BadZipFile

import numpy as np

from devices.arrays import FloatArray, IntArray
from hems.errors import ForecastError
from hems.forecast import require_history
from scenarios.errors import DataFormatError, DataUnavailableError
from scenarios.prosumer.forecasts import DAY_H, HORIZON_H, day_before
from scenarios.prosumer.forecasts_linear import WEEK_D, filled
from scenarios.prosumer.own_series import Hourly

WEEK_H: Final = WEEK_D * DAY_H
"""Hours of history that a forecast looks at. [h]"""
MEMORY_H: Final = 2 * DAY_H
"""Hours that the network goes through. [h]"""
FADES_H: Final = (1.0, 6.0)
"""Hours over which what the last hour brought fades. [h]"""
SHAPES: Final = ("weight_ih", "weight_hh", "bias", "first", "first_bias", "last", "last_bias")
"""Names of the weights."""
_THURSDAY: Final = 3
"""1970-01-01 was one; Monday is 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weather:
    """What the weather is, hour by hour, the same for all homes; its future is its forecast."""

    first_hour: int
    """Number of the first hour, counted from 1970 in UTC."""
    values: FloatArray
    """A row per quantity, each about 0..1, shape (quantities, hours)."""

    @classmethod
    def of(cls, read: Sequence[Hourly], needed: range) -> Self:
        """Return what a file tells of some hours.

        Parameters
        ----------
        read : Sequence[Hourly]
            Quantities of a file, as `scenarios.prosumer.own_series.read_weather` scales them.
        needed : range
            Hours that must be among them.

        Raises
        ------
        DataFormatError
            If an hour is missing.
        """
        if any(each.hours.start > needed.start or each.hours.stop < needed.stop for each in read):
            msg = "weather does not cover all hours of the series; give the weather of all of them"
            raise DataFormatError(msg)
        rows = [each.within(needed) for each in read]
        return cls(first_hour=needed.start, values=np.stack(rows))

    def at(self, hours: IntArray) -> FloatArray:
        """Return its values, shape (*hours.shape, quantities), or raise `ForecastError`."""
        place = hours - self.first_hour
        if place.min() < 0 or place.max() >= self.values.shape[1]:
            msg = (
                f"forecast: weather is known for {self.values.shape[1]} hours from "
                f"{self.first_hour} on, hours {hours.min()} to {hours.max()} are asked; give more"
            )
            raise ForecastError(msg)
        return np.moveaxis(self.values[:, place], 0, -1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the network sees of some windows of history."""

    past: FloatArray
    """Shape (windows, `MEMORY_H`, past quantities)."""
    ahead: FloatArray
    """Shape (windows, hours, quantities ahead)."""
    base_wh: FloatArray
    """The same hours of the last day, shape (windows, hours). [Wh]"""
    scale_wh: FloatArray
    """Mean of each window, shape (windows, 1). [Wh]"""


def look(
    windows_wh: FloatArray, first_hour: IntArray, horizon: int, weather: Weather | None
) -> Seen:
    """Return what the network sees.

    Parameters
    ----------
    windows_wh : FloatArray, shape (windows, `WEEK_H`)
        The hours before each forecast. [Wh]
    first_hour : IntArray, shape (windows,)
        Number of the first hour of each forecast.
    horizon : int
        Hours ahead.
    weather : Weather | None
        If the network was trained with it.
    """
    scale_wh = np.maximum(windows_wh.mean(axis=1, keepdims=True), 1.0)
    scaled = windows_wh / scale_wh
    behind = first_hour[:, None] + np.arange(-MEMORY_H, 0)
    hours = first_hour[:, None] + np.arange(horizon)
    again = np.arange(horizon) % DAY_H
    last, week = scaled[:, -DAY_H:], scaled.reshape(len(scaled), WEEK_D, DAY_H).mean(axis=1)
    lead = np.broadcast_to(np.arange(horizon) / HORIZON_H, hours.shape)[..., None]
    # how much more than a day before the last hour brought, fading with distance
    more = (scaled[:, -1:] - scaled[:, -1 - DAY_H, None])[..., None]
    near = [more * np.exp(-np.arange(horizon) / fade_h)[:, None] for fade_h in FADES_H]
    past = [scaled[:, -MEMORY_H:, None], _calendar(behind)]
    ahead = [last[:, again, None], week[:, again, None], *near, lead, _calendar(hours)]
    if weather is not None:
        past.append(weather.at(behind))
        ahead.append(weather.at(hours))
    return Seen(
        past=np.concatenate(past, axis=2),
        ahead=np.concatenate(ahead, axis=2),
        base_wh=windows_wh[:, -DAY_H:][:, again],
        scale_wh=scale_wh,
    )


def _calendar(hours: IntArray) -> FloatArray:
    """Return where hours lie in day and week, shape (*hours.shape, 3).

    Not in the year: a network that has seen one summer would take it for a rule.
    """
    day = 2 * np.pi * (hours % DAY_H) / DAY_H
    weekend = ((hours // DAY_H + _THURSDAY) % 7 >= 5).astype(np.float64)
    return np.stack([np.sin(day), np.cos(day), weekend], axis=-1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """A trained network."""

    arrays: Mapping[str, FloatArray]
    """By `SHAPES`; gates in the order input, forget, cell, output."""

    def to_bytes(self) -> bytes:
        """Return the file's content: the same weights, the same bytes."""
        target = BytesIO()
        arrays = {name: self.arrays[name].astype("<f4") for name in SHAPES}
        np.savez(target, **arrays)  # type: ignore[arg-type] # none is named allow_pickle
        return target.getvalue()

    @classmethod
    def load(cls, path: Path) -> Self:
        """Return the weights of a file that a training wrote.

        Raises
        ------
        DataUnavailableError
            If there is no such file.
        DataFormatError
            If it holds something else.
        """
        try:
            with np.load(path, allow_pickle=False) as held:
                arrays = {name: held[name].astype(np.float64) for name in SHAPES}
        except FileNotFoundError as error:
            msg = f"{path} does not exist; train one with gridpact scenario run train-forecast"
            raise DataUnavailableError(msg) from error
        except (BadZipFile, KeyError, OSError, ValueError, AttributeError) as error:
            msg = f"{path} holds no weights of a forecast; train it again"
            raise DataFormatError(msg) from error
        return cls(arrays=arrays)

    def expected_wh(self, seen: Seen) -> FloatArray:
        """Return what the network expects of windows, shape (windows, hours). [Wh]"""
        of = self.arrays
        width = seen.past.shape[2], of["weight_ih"].shape[1]
        if width[0] != width[1]:
            msg = (
                f"forecast: the network was trained with {width[1]} quantities, {width[0]} are "
                "given; give the weather it was trained with, or none"
            )
            raise ForecastError(msg)
        size = of["weight_hh"].shape[1]
        hidden = cell = np.zeros((len(seen.past), size))
        inputs = seen.past @ of["weight_ih"].T + of["bias"]
        for hour in range(seen.past.shape[1]):
            gates = inputs[:, hour] + hidden @ of["weight_hh"].T
            enter, forget, output = (
                1 / (1 + np.exp(-gates[:, i * size : (i + 1) * size])) for i in (0, 1, 3)
            )
            cell = forget * cell + enter * np.tanh(gates[:, 2 * size : 3 * size])
            hidden = output * np.tanh(cell)
        state = np.broadcast_to(hidden[:, None], (*seen.ahead.shape[:2], size))
        joined = np.concatenate([state, seen.ahead], axis=2)
        layer = np.tanh(joined @ of["first"].T + of["first_bias"])
        change = (layer @ of["last"].T + of["last_bias"])[..., 0]
        return np.maximum(seen.base_wh + change * seen.scale_wh, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lstm:
    """Forecast by a trained network; see `scenarios.prosumer.forecasts.HourlyForecaster`.

    Notes
    -----
    Becchi 2024, §II: load and production are forecast by a long short-term memory network, which
    the paper does not describe further. Persistence stands in for the first week.
    """

    weights: Weights
    """The network."""
    weather: Weather | None = field(default=None, repr=False)
    """Weather, where it was trained with it."""

    def forecast(self, history_wh: FloatArray, horizon: int, *, first_hour: int) -> FloatArray:
        """See `HourlyForecaster`."""
        require_history(history_wh)
        if history_wh.shape[1] < WEEK_H:
            return day_before(history_wh, horizon)
        windows_wh = filled(history_wh[:, -WEEK_H:])
        numbers = np.full(len(history_wh), first_hour)
        return self.weights.expected_wh(look(windows_wh, numbers, horizon, self.weather))
