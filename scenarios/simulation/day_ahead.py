"""The aggregator's view of tomorrow: what the fleet will use and make, deliberately imperfect."""

import numpy as np

from contracts.timegrid import TimeGrid
from devices.arrays import FloatArray, IntArray
from scenarios.data.fleet_data import MINUTE_S, FleetData
from scenarios.errors import ScenarioInputError


def slot_energy_wh(minutes_w: FloatArray, grid: TimeGrid) -> FloatArray:
    """Return energy per slot of a minute power series.

    Parameters
    ----------
    minutes_w : FloatArray, shape (..., minutes)
        Power of each minute of ``grid``. [W]
    grid : TimeGrid
        Slots of whole minutes.

    Returns
    -------
    FloatArray, shape (..., slots)
        Energy. [Wh]
    """
    per_slot = grid.step_s // MINUTE_S
    shape = (*minutes_w.shape[:-1], grid.count, per_slot)
    energy_wh: FloatArray = minutes_w.reshape(shape).sum(axis=-1) * (MINUTE_S / 3600)
    return energy_wh


def worsened_wh(
    actual_wh: FloatArray,
    *,
    error: float,
    slots_per_point: int,
    rng: np.random.Generator,
) -> FloatArray:
    """Return a day-ahead forecast with a stated error, made from what will really happen.

    Parameters
    ----------
    actual_wh : FloatArray, shape (slots,)
        What will happen. [Wh]
    error : float
        Wanted Σ|forecast − actual| / Σ actual over the forecast's points.
    slots_per_point : int
        Slots between two points of the forecast; the last point may cover fewer.
    rng : numpy.random.Generator
        Draws the errors.

    Returns
    -------
    FloatArray, shape (slots,)
        Forecast, flat between points, never negative. [Wh]

    Raises
    ------
    ScenarioInputError
        If the error is too large to be reached without negative energies.

    Notes
    -----
    Couraud 2021, §IV.B worsens its day-ahead forecasts to an error of 25 % with 2 h between points
    and does not say how. Here each point's mean energy is multiplied by 1 + k·z, z standard normal,
    with k such that the stated error is met exactly. The flat steps add an error of shape on top.
    """
    edges = np.arange(0, len(actual_wh), slots_per_point)
    lengths = np.diff([*edges, len(actual_wh)])
    total_wh = np.add.reduceat(actual_wh, edges)
    z = rng.standard_normal(len(edges))
    factor = error_factor(total_wh, z, error)
    point_wh = total_wh * np.maximum(0.0, 1 + factor * z) / lengths
    return np.repeat(point_wh, lengths)


def point_edges(grid: TimeGrid, forecast_step_s: int) -> IntArray:
    """Return the first slot of each of a forecast's points, shape (points,)."""
    return np.arange(0, grid.count, max(1, forecast_step_s // grid.step_s))


def fleet_energy_wh(data: FleetData) -> tuple[FloatArray, FloatArray]:
    """Return what the fleet will use and make on its market day, each of shape (slots,). [Wh]"""
    day, grid = slice(data.day_start_minute, None), data.market_grid
    made_w = data.pv_w[:, day].sum(axis=0) + data.plant_pv_w[day] + data.plant_wind_w[day]
    used_w = data.load_w[:, day].sum(axis=0)
    return slot_energy_wh(used_w, grid), slot_energy_wh(made_w, grid)


def error_factor(total_wh: FloatArray, z: FloatArray, error: float) -> float:
    """Return k such that Σ|max(0, 1 + k z) − 1| total = error Σ total, by bisection."""
    if error == 0 or not total_wh.sum() > 0:
        return 0.0

    def reached(k: float) -> float:
        off_wh = total_wh * np.abs(np.maximum(0.0, 1 + k * z) - 1)
        return float(off_wh.sum() / total_wh.sum())

    low, high = 0.0, 1.0
    while reached(high) < error:
        high *= 2
        if high > 1e6:
            msg = f"forecast error of {error:g} cannot be reached; choose a smaller one"
            raise ScenarioInputError(msg)
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if reached(middle) < error else (low, middle)
    return (low + high) / 2
