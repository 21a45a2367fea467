"""Generated GB-like prices: a day ahead, Octopus Agile's formula on it, and imbalance around it."""

from dataclasses import dataclass

import numpy as np

from contracts.timegrid import TimeGrid
from devices.arrays import FloatArray
from scenarios.data.models.clock import LocalClock, year_angle
from scenarios.data.models.pv import cloud_cover
from scenarios.data.models.streams import Kind, UtcDays, daily_normals, remembered
from scenarios.data.models.sun import sun_vector
from scenarios.data.models.wind import generated_wind

MEMORY_DAYS = 10
"""Days before the span that its prices still depend on."""

# Measured on the GB day-ahead price, 2019-10 to 2020-09, by local hour, less the season's mean.
WINTER_SHAPE = np.array(
    [-6, -8, -11, -13, -13, -9, -2, 0, 3, 4, 3, 2, 2, 2, 2, 2, 13, 21, 12, 7, 2, -1, -5, -5],
    dtype=np.float64,
)
SUMMER_SHAPE = np.array(
    [-3, -6, -7, -9, -9, -7, -2, -1, 2, 3, 3, 4, 4, 1, -2, -3, 1, 6, 10, 9, 7, 6, 3, 2],
    dtype=np.float64,
)
"""May to July, without the dip that the sun makes, which is modelled."""
MEAN_PER_MWH, SEASON_PER_MWH = 37.0, 7.0
"""Year's mean before wind and sun, and how much mid December lies above it. [GBP/MWh]"""
SEASON_PEAK = -2 * np.pi * 15 / 365
"""Angle of the year of the dearest season: mid December."""
WEEKEND_PER_MWH = -4.0
"""Saturday and Sunday against the week: 30.4 against 34.6. [GBP/MWh]"""
SUN_PER_MWH, WIND_PER_MWH = -9.0, -8.0
"""What full sun and full wind take off. [GBP/MWh]"""
LEVEL_SPREAD_PER_MWH, LEVEL_DECAY_H = 7.0, 100.0
"""Drift over days: daily means spread by 8.7 and correlate by 0.79 from day to day."""
HOUR_SPREAD_PER_MWH, HOUR_DECAY_H = 5.0, 3.3
"""What is left from hour to hour: spread 6.3, correlation 0.74, heavy tails."""
GLUT_PER_MWH = 9.0
"""Below this the price falls twice as fast: too much sun and wind for the load. [GBP/MWh]"""

AGILE_FACTOR = 2.205
"""Agile's multiple of the day-ahead price: 2.1 and 5 % VAT, region A."""
AGILE_PEAK_ADDER_PER_MWH = 136.5
"""Added from 16 to 19 h local: 13 p/kWh and 5 % VAT. [GBP/MWh]"""
AGILE_PEAK_HOURS = (16, 17, 18)
AGILE_CAP_PER_MWH = 350.0
"""Agile's greatest price: 35 p/kWh. [GBP/MWh]"""

# Quantiles of system price less day-ahead price, GB, 2019-10 to 2020-09, at the standard normal
# scores: two humps, for a long and a short system, and rare high spikes.
IMBALANCE_SCORE = np.array(
    [-4.5, -3.09, -2.326, -1.645, -1.282, -0.674, 0.0, 0.674, 1.282, 1.645, 2.326, 3.09, 4.5]
)
IMBALANCE_PER_MWH = np.array(
    [-150.0, -80.0, -49.1, -31.1, -25.9, -15.5, 3.5, 12.8, 19.8, 25.5, 42.9, 110.0, 900.0]
)
IMBALANCE_DECAY_SLOTS = 2.2
"""Half-hours of a mood of the system: correlation 0.56 after one and 0.24 after two."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneratedPrices:
    """The three prices of a market day, each of shape (slots,). [GBP/MWh]"""

    day_ahead_per_mwh: FloatArray
    """Known the day before."""
    agile_import_per_mwh: FloatArray
    """Retail import."""
    imbalance_per_mwh: FloatArray
    """Known afterwards."""


def generated_prices(seed: int, grid: TimeGrid) -> GeneratedPrices:
    """Return prices on a grid of half-hours; they do not depend on the fleet."""
    day_ahead_per_mwh = _day_ahead_per_mwh(seed, grid)
    return GeneratedPrices(
        day_ahead_per_mwh=day_ahead_per_mwh,
        agile_import_per_mwh=agile_import_per_mwh(day_ahead_per_mwh, grid),
        imbalance_per_mwh=day_ahead_per_mwh + _imbalance_per_mwh(seed, grid),
    )


def agile_import_per_mwh(day_ahead_per_mwh: FloatArray, grid: TimeGrid) -> FloatArray:
    """Return Octopus Agile's import price with VAT on a day-ahead price. [GBP/MWh]"""
    peak = np.isin(LocalClock.of(grid).hour, AGILE_PEAK_HOURS)
    adder_per_mwh = np.where(peak, AGILE_PEAK_ADDER_PER_MWH, 0.0)
    return np.minimum(AGILE_FACTOR * day_ahead_per_mwh + adder_per_mwh, AGILE_CAP_PER_MWH)


def _day_ahead_per_mwh(seed: int, grid: TimeGrid) -> FloatArray:
    """Return the price of each slot's hour, to the penny. [GBP/MWh]"""
    days = UtcDays.around(grid, memory_days=MEMORY_DAYS)
    hours = days.grid(3600)
    clock = LocalClock.of(hours)
    level, rest = daily_normals(seed, Kind.DAY_AHEAD, days, per_day=24, rows=2)
    memory = 24 * (MEMORY_DAYS - 1)
    drift = remembered(level, decay_steps=LEVEL_DECAY_H, memory_steps=memory)
    jitter = remembered(rest, decay_steps=HOUR_DECAY_H, memory_steps=memory)
    free_per_mwh = (
        MEAN_PER_MWH
        + _season_per_mwh(hours, clock)
        + WEEKEND_PER_MWH * clock.weekend
        + LEVEL_SPREAD_PER_MWH * drift
        # The cube fattens the tails as far as the real ones.
        + HOUR_SPREAD_PER_MWH * (0.7 * jitter + 0.12 * jitter**3)
        + _renewables_per_mwh(seed, hours)
    )
    # Below the glut a second slope of the same steepness is added.
    price_per_mwh = free_per_mwh + np.minimum(free_per_mwh - GLUT_PER_MWH, 0.0)
    half_hours = np.repeat(np.round(price_per_mwh, 2), 3600 // grid.step_s)
    return days.cut(half_hours, grid)


def _season_per_mwh(hours: TimeGrid, clock: LocalClock) -> FloatArray:
    """Return level and shape of the season, hour by hour. [GBP/MWh]"""
    winter = np.cos(year_angle(hours) - SEASON_PEAK)
    share = (1 + winter) / 2
    level: FloatArray = SEASON_PER_MWH * winter + share * WINTER_SHAPE[clock.hour]
    return level + (1 - share) * SUMMER_SHAPE[clock.hour]


def _renewables_per_mwh(seed: int, hours: TimeGrid) -> FloatArray:
    """Return what the sun and wind of the same weather take off the price. [GBP/MWh]"""
    sun = np.maximum(sun_vector(hours)[2], 0.0) / (1 + np.exp(cloud_cover(seed, hours)))
    minutes = TimeGrid(start=hours.start, step_s=60, count=hours.count * 60)
    wind = generated_wind(seed, minutes).reshape(-1, 60).mean(axis=1)
    off: FloatArray = SUN_PER_MWH * sun + WIND_PER_MWH * wind
    return off


def _imbalance_per_mwh(seed: int, grid: TimeGrid) -> FloatArray:
    """Return the system price less the day-ahead price, slot by slot. [GBP/MWh]"""
    days = UtcDays.around(grid, memory_days=1)
    per_day = 86_400 // grid.step_s
    normals = daily_normals(seed, Kind.IMBALANCE, days, per_day=per_day)[0]
    mood = remembered(normals, decay_steps=IMBALANCE_DECAY_SLOTS, memory_steps=per_day // 2)
    off_per_mwh: FloatArray = np.interp(days.cut(mood, grid), IMBALANCE_SCORE, IMBALANCE_PER_MWH)
    return np.round(off_per_mwh, 2)
