"""Generated wind power: a wind vector that drifts over a day, gusts, and a power curve."""

import numpy as np

from contracts.timegrid import TimeGrid
from devices.arrays import FloatArray
from scenarios.data.models.clock import year_angle
from scenarios.data.models.streams import Kind, UtcDays, daily_normals, remembered

MEMORY_DAYS = 12
"""Days of weather before the span that its wind still depends on."""
DRIFT_H = 48.0
"""Decay of each component of the wind vector. [h]"""
GUST_MINUTES = 12.0
"""Decay of the gusts that a rotor, or a farm of them, feels. [min]"""
COMPONENT_M_PER_S = 5.4
"""Standard deviation of each component, so that the speed is Rayleigh distributed. [m/s]"""
GUST_SHARE = 0.014
"""Standard deviation of the gusts over the mean speed."""
CUT_IN_M_PER_S, RATED_M_PER_S, CUT_OUT_M_PER_S = 2.0, 12.5, 25.0
CUT_OUT_SPAN_M_PER_S = 3.0
"""From where the turbine begins to stop in a storm to where it stands. [m/s]"""
SEASON = 0.12
"""How much stronger than the year's mean the wind is at its peak."""
SEASON_PEAK = 2 * np.pi * 15 / 365
"""Angle of the year of that peak: mid January."""


def generated_wind(seed: int, grid: TimeGrid) -> FloatArray:
    """Return the turbine's output over its rating, shape (minutes,), 0..1."""
    return power_curve(wind_speed_m_per_s(seed, grid))


def wind_speed_m_per_s(seed: int, grid: TimeGrid) -> FloatArray:
    """Return the wind at the hub, minute by minute, shape (minutes,). [m/s]"""
    # Nodes are hours; between them, and so to the next day's first, the vector moves straight.
    days = UtcDays.around(grid, memory_days=MEMORY_DAYS, ahead_days=1)
    normals = daily_normals(seed, Kind.WIND, days, per_day=24, part=0, rows=2)
    vector = remembered(normals, decay_steps=DRIFT_H, memory_steps=24 * (MEMORY_DAYS - 1))
    minute = np.arange(1440 * days.count)
    east, north = (np.interp(minute / 60, np.arange(row.size), row) for row in vector)
    near = UtcDays.around(grid, memory_days=1)
    gusts = daily_normals(seed, Kind.WIND, near, per_day=1440, part=1)[0]
    gust = near.cut(remembered(gusts, decay_steps=GUST_MINUTES, memory_steps=100), grid)
    season = 1 + SEASON * np.cos(year_angle(grid) - SEASON_PEAK)
    mean = days.cut(np.hypot(east, north), grid) * COMPONENT_M_PER_S * season
    return np.maximum(mean * (1 + GUST_SHARE * gust), 0.0)


def power_curve(speed_m_per_s: FloatArray) -> FloatArray:
    """Return output over rating at a wind speed: a cubic between cut-in and rated speed."""
    cubed = (speed_m_per_s**3 - CUT_IN_M_PER_S**3) / (RATED_M_PER_S**3 - CUT_IN_M_PER_S**3)
    stopping = (CUT_OUT_M_PER_S + CUT_OUT_SPAN_M_PER_S - speed_m_per_s) / CUT_OUT_SPAN_M_PER_S
    return np.clip(cubed, 0.0, 1.0) * np.clip(stopping, 0.0, 1.0)
