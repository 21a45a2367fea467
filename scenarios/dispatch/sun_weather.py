"""The weather over a PV plant: of a user's file, or clouds drawn before a clear sky.

A weather file is CSV: ``utc_start`` (with its offset), ``ghi_w_per_m2``, ``dni_w_per_m2``,
``dhi_w_per_m2`` and ``temperature_c``, means over equal steps of a year from its 1 January on; a
29 February is left out.
"""

from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from math import erf, sqrt
from pathlib import Path
from statistics import NormalDist
from typing import Final, Self

import numpy as np
import pandas as pd
from pvlib import clearsky, irradiance

from devices.arrays import BoolArray, FloatArray, IntArray
from scenarios.data.files.tables import aware_utc, read_columns, require_powers, require_steps
from scenarios.data.models.streams import remembered
from scenarios.dispatch.campus_year import (
    CET,
    DAY_S,
    YEAR_DAYS,
    hour_of_step,
    month_of_step,
    step_means,
    steps_of_year,
)
from scenarios.errors import DataFormatError, DataGapError

WEATHER_FILE: Final = "weather.csv"
TIME: Final = "utc_start"
LIGHT: Final = ("ghi_w_per_m2", "dni_w_per_m2", "dhi_w_per_m2")
AIR: Final = "temperature_c"

GLOBAL_KWH_PER_M2_DAY: Final = (
    1.40, 2.30, 3.65, 4.65, 5.70, 6.35, 6.55, 5.60, 4.10, 2.45, 1.50, 1.15,
)  # fmt: skip
"""Mean global irradiation of a day of each month, as in the plain south of the Alps. [kWh/m²]"""
TURBIDITY: Final = (3.2, 3.4, 3.8, 4.1, 4.3, 4.4, 4.4, 4.3, 4.0, 3.7, 3.3, 3.1)
"""Linke turbidity of each month: how hazy a clear sky is."""
AIR_C: Final = (2.8, 5.0, 9.8, 13.6, 18.4, 22.5, 25.0, 24.4, 19.7, 14.3, 8.3, 3.8)
"""Mean temperature of each month. [°C]"""
DAY_SWING_C: Final = 4.5
"""Half of a day's swing of temperature; warmest at 15 h. [°C]"""
CLOUD_STEP_S: Final = 300
"""Step in which clouds are drawn. [s]"""
FRONT_H: Final = 22.0
"""How long the weather of the region lasts. [h]"""
CLOUD_STEPS: Final = 4.0
"""How long a single cloud lasts. [steps]"""
FRONT_SHARE: Final = 0.8
"""Share of the variance that is the region's."""
COVER_SPREAD: Final = 1.3
"""Above 1: more days that are clear or dull than days between."""
DULLEST, CLEAREST = 0.06, 1.03
"""Global irradiance under the thickest cloud and the clearest air, over the clear sky's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sky:
    """Where the sun stands and what it would give, arrays of shape (steps,)."""

    zenith_deg: FloatArray
    """Angle from straight up. [°]"""
    azimuth_deg: FloatArray
    """Angle from north, clockwise. [°]"""
    air_mass: FloatArray
    """Air that the light has passed, over that straight up at sea level."""
    above_air_w_per_m2: FloatArray
    """Irradiance outside the air. [W/m²]"""
    day_of_year: IntArray
    """Day of the year, from 1."""

    def at(self, steps: BoolArray) -> Self:
        """Return some of its steps."""
        return type(self)(**{each.name: getattr(self, each.name)[steps] for each in fields(self)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Weather:
    """Light and warmth, arrays of shape (steps,)."""

    global_w_per_m2: FloatArray
    """On level ground, GHI. [W/m²]"""
    direct_w_per_m2: FloatArray
    """From the sun, on a plane that faces it, DNI. [W/m²]"""
    diffuse_w_per_m2: FloatArray
    """From the sky, on level ground, DHI. [W/m²]"""
    air_c: FloatArray
    """Temperature of the air. [°C]"""

    def at(self, steps: BoolArray) -> Self:
        """Return some of its steps."""
        return type(self)(**{each.name: getattr(self, each.name)[steps] for each in fields(self)})


def read_weather(data: Path | None, step_s: int) -> Weather | None:
    """Return the weather of a file, or None where there is none.

    Parameters
    ----------
    data : Path or None
        The file, or a folder that may hold `WEATHER_FILE`.
    step_s : int
        Length of a step of the result. [s]

    Raises
    ------
    DataUnavailableError
        If a file that is named is not there.
    DataFormatError
        If the file lacks a column or a value, or does not fill a year.
    """
    path = data / WEATHER_FILE if data is not None and data.is_dir() else data
    if path is None or (path != data and not path.is_file()):
        return None
    frame = read_columns(path.parent, path.name, [TIME, *LIGHT, AIR])
    frame = frame.set_axis(aware_utc(frame[TIME], name=path.name))
    require_powers(frame[list(LIGHT)], name=path.name)
    if not np.isfinite(frame[AIR]).all():
        row = int(np.argmin(np.isfinite(frame[AIR])))
        msg = f"{path.name} row {row + 1}: {AIR} is missing; fill it in the file"
        raise DataGapError(msg)
    columns = _year(frame, name=path.name)
    ghi, dni, dhi, air_c = (step_means(columns[:, i], step_s) for i in range(4))
    return Weather(global_w_per_m2=ghi, direct_w_per_m2=dni, diffuse_w_per_m2=dhi, air_c=air_c)


def _year(frame: pd.DataFrame, *, name: str) -> FloatArray:
    """Return the rows of a file from 1 January on, Brescia's clock, shape (steps, 4)."""
    times = pd.DatetimeIndex(frame.index)
    gap_s = int((times[1] - times[0]).total_seconds()) if len(times) > 1 else 0
    if gap_s <= 0 or 3600 % gap_s:
        msg = f"{name}: its first two rows are {gap_s} s apart; give 3600 s or a divisor of it"
        raise DataFormatError(msg)
    require_steps(times, step_s=gap_s, name=name)
    local = times.tz_convert(CET)
    rows = frame[[*LIGHT, AIR]].to_numpy(np.float64)[~((local.month == 2) & (local.day == 29))]
    wanted = YEAR_DAYS * DAY_S // gap_s
    if len(rows) != wanted:
        msg = f"{name} has {len(rows)} rows of {gap_s} s; give one whole year, {wanted} rows"
        raise DataFormatError(msg)
    first = local[0].to_pydatetime()
    begun = first - datetime(first.year, 1, 1, tzinfo=CET)
    if abs(begun) > timedelta(days=1) and abs(begun - timedelta(days=YEAR_DAYS)) > timedelta(
        days=1
    ):
        msg = f"{name} begins at {times[0]}; give a year from 1 January on"
        raise DataFormatError(msg)
    # A year by UTC begins an hour late by Brescia's clock: its last hour goes first.
    return np.roll(rows, round(begun.total_seconds() / gap_s), axis=0)


def drawn_weather(seed: int, sky: Sky, step_s: int) -> Weather:
    """Return a weather of clouds before a clear sky.

    Parameters
    ----------
    seed : int
        The same seed, the same clouds, whatever the step.
    sky : Sky
        The sun of the year.
    step_s : int
        Length of a step. [s]

    Notes
    -----
    Clear sky of Ineichen and Perez. Its global irradiance is multiplied by a share
    k = a + (b − a)·Φ(σ·x + c) of a normal process x: since E Φ(σ·x + c) = Φ(c/√(1 + σ²)), the c of
    each month is what makes its mean `GLOBAL_KWH_PER_M2_DAY` over many seeds. Erbs' correlation
    splits it into direct and diffuse.
    """
    month = month_of_step(step_s)
    up = sky.zenith_deg < 90.0
    clear = np.zeros(up.size)
    clear[up] = clearsky.ineichen(
        sky.zenith_deg[up],
        sky.air_mass[up],
        np.array(TURBIDITY)[month[up]],
        dni_extra=sky.above_air_w_per_m2[up],
    )["ghi"]
    daily_kwh = np.array([clear[month == m].mean() for m in range(12)]) * 24 / 1000
    wanted = np.array(GLOBAL_KWH_PER_M2_DAY) / daily_kwh
    inside = np.clip((wanted - DULLEST) / (CLEAREST - DULLEST), 0.01, 0.99)
    level = sqrt(1 + COVER_SPREAD**2) * np.array([NormalDist().inv_cdf(each) for each in inside])
    drawn = _normal_cdf(COVER_SPREAD * _cover(seed) + level[month_of_step(CLOUD_STEP_S)])
    share = DULLEST + (CLEAREST - DULLEST) * step_means(drawn, step_s)
    ghi = clear * share
    split = irradiance.erbs(ghi, sky.zenith_deg, sky.day_of_year)
    swing = np.cos(2 * np.pi * (hour_of_step(step_s) - 15) / 24)
    return Weather(
        global_w_per_m2=ghi,
        direct_w_per_m2=split["dni"],
        diffuse_w_per_m2=split["dhi"],
        air_c=np.array(AIR_C)[month] + DAY_SWING_C * swing,
    )


def _cover(seed: int) -> FloatArray:
    """Return a normal process over the year by `CLOUD_STEP_S`: fronts for hours, clouds between."""
    fronts, clouds = (np.random.default_rng(c) for c in np.random.SeedSequence(seed).spawn(2))
    hours = YEAR_DAYS * 24
    front = remembered(
        fronts.standard_normal(hours), decay_steps=FRONT_H, memory_steps=int(5 * FRONT_H)
    )
    count = steps_of_year(CLOUD_STEP_S)
    fine = np.interp(np.arange(count) * (hours / count), np.arange(hours), front)
    own = remembered(
        clouds.standard_normal(count), decay_steps=CLOUD_STEPS, memory_steps=int(5 * CLOUD_STEPS)
    )
    cover: FloatArray = sqrt(FRONT_SHARE) * fine + sqrt(1 - FRONT_SHARE) * own
    return cover


def _normal_cdf(values: FloatArray) -> FloatArray:
    """Return Φ of each value."""
    return np.array([0.5 + 0.5 * erf(each) for each in (values / sqrt(2)).tolist()])
