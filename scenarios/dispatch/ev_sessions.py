"""Charging sessions: who comes when, stays how long and wants how much; recorded or drawn.

Times are seconds from the beginning of SAM's year, by the local clock. Recorded are those of a
workplace in California in 2019, `scenarios.data.files.campus.charging_sessions`, from its first
Monday on, so that weekdays fall together. Drawn ones have their statistics: 61 cars on a working
day, two in three of them from 6 to 8 h for 9 hours, the others over the day for 3; the energy has
a mean of 14.7 kWh and a median below 12, as recorded, or is what a given car wants.
"""

import heapq
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final, Self
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from devices.arrays import BoolArray, FloatArray
from scenarios.data.files.campus import charging_sessions
from scenarios.dispatch.campus_year import DAY_S, YEAR_DAYS, steps_of_year
from scenarios.dispatch.ev_profiles import BATTERY_WH, SOC_ARRIVES, SOC_MAX, SOC_MIN
from scenarios.errors import ScenarioInputError

RECORDED_ZONE: Final = "America/Los_Angeles"
RECORDED_BEGIN: Final = datetime(2019, 1, 7, tzinfo=ZoneInfo(RECORDED_ZONE))
"""A Monday; the year from it on ends before the pandemic emptied the car parks."""
CHARGER_POWER_W: Final = 6_600.0
"""Rating of the recorded chargers. [W]"""
CARS_PER_WORKING_DAY: Final = 61.0
MORNING_SHARE: Final = 0.66
"""Share of cars that come for the working day."""
MORNING_H, MORNING_SPREAD_H = 7.0, 0.8
"""When they come, mean and spread. [h]"""
MORNING_STAY_H, STAY_SPREAD_H = 9.0, 1.3
"""How long they stay, mean and spread. [h]"""
OTHERS_H: Final = (8.5, 17.0)
"""When the others come, evenly. [h]"""
OTHERS_STAY_H: Final = 2.9
"""How long they stay: exponential, mean. [h]"""
SHORTEST_STAY_H: Final = 0.25
MEDIAN_ENERGY_WH, ENERGY_SPREAD = 13_500.0, 0.71
"""Energy wanted, lognormal: median [Wh] and spread of the logarithm, before short stays cut it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargingSessions:
    """Stays of cars, arrays of shape (sessions,).

    Raises
    ------
    ScenarioInputError
        If a session ends before it begins, or wants what is no energy or power.
    """

    arrive_s: FloatArray
    """When each car is plugged in. [s]"""
    depart_s: FloatArray
    """When it leaves. [s]"""
    energy_wh: FloatArray
    """What it wants by then, at the charger. [Wh]"""
    power_max_w: FloatArray
    """Greatest power of car and charger. [W]"""

    def __post_init__(self) -> None:
        size = self.arrive_s.size
        rules = {
            "depart_s": (self.depart_s > self.arrive_s, "a time after its arrival"),
            "energy_wh": (self.energy_wh >= 0, "0 or more"),
            "power_max_w": (self.power_max_w > 0, "more than 0"),
        }
        for name, (holds, remedy) in rules.items():
            values = getattr(self, name)
            if values.shape != (size,):
                msg = f"charging sessions: {name} has shape {values.shape}; give ({size},)"
                raise ScenarioInputError(msg)
            good = holds & np.isfinite(values) & np.isfinite(self.arrive_s)
            if not good.all():
                row = int(np.argmin(good))
                msg = f"charging session {row + 1}: {name} is {values[row]:g}; give {remedy}"
                raise ScenarioInputError(msg)

    @property
    def count(self) -> int:
        """How many there are."""
        return int(self.arrive_s.size)

    def short_wh(self) -> FloatArray:
        """Return what cannot be charged within each stay even at full power. [Wh]"""
        most_wh = self.power_max_w * (self.depart_s - self.arrive_s) / 3600
        return np.maximum(self.energy_wh - most_wh, 0.0)

    def at(self, rows: BoolArray) -> Self:
        """Return some of them."""
        return replace(
            self,
            arrive_s=self.arrive_s[rows],
            depart_s=self.depart_s[rows],
            energy_wh=self.energy_wh[rows],
            power_max_w=self.power_max_w[rows],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Car:
    """A kind of car, and how full it is kept.

    Raises
    ------
    ScenarioInputError
        If its states of charge are out of order.
    """

    battery_wh: float = BATTERY_WH
    """Capacity; unless told, the paper's Renault Zoe. [Wh]"""
    soc_min: float = SOC_MIN
    """Least state of charge on arrival."""
    soc_max: float = SOC_MAX
    """State of charge to leave with."""
    soc_arrives: float = SOC_ARRIVES
    """Usual state of charge on arrival."""
    soc_spread: float = 0.15
    """Its spread."""

    def __post_init__(self) -> None:
        if not 0 <= self.soc_min <= self.soc_arrives <= self.soc_max <= 1:
            msg = (
                f"car: soc_arrives {self.soc_arrives:g} in {self.soc_min:g} to {self.soc_max:g}; "
                "give 0 <= soc_min <= soc_arrives <= soc_max <= 1"
            )
            raise ScenarioInputError(msg)
        for name in ("battery_wh", "soc_spread"):
            if not 0 <= getattr(self, name) < np.inf:
                msg = f"car: {name} is {getattr(self, name):g}; give 0 or more"
                raise ScenarioInputError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """Sessions at a number of chargers, first come, first served."""

    sessions: ChargingSessions
    """Those that found a charger, from when they had it on."""
    waited_s: FloatArray
    """How long each of them waited. [s]"""
    turned_away: int
    """Cars that left before a charger was free."""


def recorded_sessions(folder: Path, *, power_max_w: float = CHARGER_POWER_W) -> ChargingSessions:
    """Return the recorded year.

    Parameters
    ----------
    folder : Path
        Folder of the data files.
    power_max_w : float
        Greatest power of a charger; a car that took more on average may again. [W]
    """
    frame = charging_sessions(folder)
    arrive_s, depart_s = (_since_begin_s(frame[name]) for name in ("connected", "disconnected"))
    inside = (arrive_s >= 0) & (arrive_s < YEAR_DAYS * DAY_S)
    return ChargingSessions(
        arrive_s=arrive_s[inside],
        depart_s=np.minimum(depart_s[inside], YEAR_DAYS * DAY_S),
        energy_wh=frame["energy_wh"].to_numpy(np.float64)[inside],
        power_max_w=np.maximum(frame["mean_power_w"].to_numpy(np.float64), power_max_w)[inside],
    )


def _since_begin_s(times: "pd.Series[pd.Timestamp]") -> FloatArray:
    """Return times as what the local clock has run since the recorded year began. [s]"""
    local = pd.DatetimeIndex(times).tz_convert(RECORDED_ZONE).tz_localize(None)
    since = local - pd.Timestamp(RECORDED_BEGIN.replace(tzinfo=None))
    seconds: FloatArray = since.total_seconds().to_numpy(np.float64)
    return seconds


def drawn_sessions(
    seed: int,
    *,
    cars_per_day: float = CARS_PER_WORKING_DAY,
    power_max_w: float = CHARGER_POWER_W,
    car: Car | None = None,
) -> ChargingSessions:
    """Return a drawn year of working days.

    Parameters
    ----------
    seed : int
        The same seed, the same cars.
    cars_per_day : float
        Mean number of cars on a working day; the number is Poisson's.
    power_max_w : float
        Greatest power. [W]
    car : Car or None
        Whose battery says what is wanted; None: energies as recorded.
    """
    if cars_per_day < 0:
        msg = f"cars_per_day is {cars_per_day:g}; give 0 or more"
        raise ScenarioInputError(msg)
    rng = np.random.default_rng(seed)
    working = np.flatnonzero(np.arange(YEAR_DAYS) % 7 < 5)
    day = np.repeat(working, rng.poisson(cars_per_day, working.size))
    size = day.size
    morning = rng.random(size) < MORNING_SHARE
    arrive_h = np.where(
        morning,
        rng.normal(MORNING_H, MORNING_SPREAD_H, size).clip(4, 11),
        rng.uniform(*OTHERS_H, size),
    )
    stay_h = np.where(
        morning,
        rng.normal(MORNING_STAY_H, STAY_SPREAD_H, size),
        rng.exponential(OTHERS_STAY_H, size),
    ).clip(SHORTEST_STAY_H, 24 - arrive_h)
    wanted_wh = _wanted_wh(rng, size, car)
    order = np.lexsort((arrive_h, day))
    arrive_s = (day * DAY_S + arrive_h * 3600)[order]
    return ChargingSessions(
        arrive_s=arrive_s,
        depart_s=arrive_s + stay_h[order] * 3600,
        # Nobody asks for more than the stay allows.
        energy_wh=np.minimum(wanted_wh, power_max_w * stay_h)[order],
        power_max_w=np.full(size, power_max_w),
    )


def _wanted_wh(rng: np.random.Generator, size: int, car: Car | None) -> FloatArray:
    """Draw what cars want. [Wh]"""
    if car is None:
        return MEDIAN_ENERGY_WH * np.exp(ENERGY_SPREAD * rng.standard_normal(size))
    soc = rng.normal(car.soc_arrives, car.soc_spread, size).clip(car.soc_min, car.soc_max)
    return (car.soc_max - soc) * car.battery_wh


def first_come(sessions: ChargingSessions, chargers: int) -> Served:
    """Return sessions at a number of chargers, each held from when it is free until the departure.

    Parameters
    ----------
    sessions : ChargingSessions
        Whoever comes.
    chargers : int
        How many there are, >= 1.
    """
    if chargers < 1:
        msg = f"chargers is {chargers}; give 1 or more"
        raise ScenarioInputError(msg)
    begins_s = sessions.arrive_s.copy()
    free_at_s = [0.0] * chargers
    for row in np.argsort(sessions.arrive_s, kind="stable"):
        begins_s[row] = max(begins_s[row], free_at_s[0])
        if begins_s[row] < sessions.depart_s[row]:
            heapq.heapreplace(free_at_s, float(sessions.depart_s[row]))
    served = begins_s < sessions.depart_s
    plugged = replace(sessions.at(served), arrive_s=begins_s[served])
    return Served(
        sessions=plugged,
        waited_s=begins_s[served] - sessions.arrive_s[served],
        turned_away=int(np.count_nonzero(~served)),
    )


def plain_charging_w(sessions: ChargingSessions, step_s: int) -> FloatArray:
    """Return the load of cars that charge at full power from when they come, shape (steps,). [W]

    Parameters
    ----------
    sessions : ChargingSessions
        Within the year.
    step_s : int
        Length of a step; the load is its mean over each. [s]
    """
    count = steps_of_year(step_s)
    lasts_s = (sessions.energy_wh - sessions.short_wh()) * 3600 / sessions.power_max_w
    turns_s = np.concatenate([sessions.arrive_s, sessions.arrive_s + lasts_s])
    change_w = np.concatenate([sessions.power_max_w, -sessions.power_max_w])
    order = np.argsort(turns_s, kind="stable")
    knots_s = np.concatenate([[0.0], turns_s[order], [float(count * step_s)]])
    power_w = np.concatenate([[0.0], np.cumsum(change_w[order])])
    taken_j = np.concatenate([[0.0], np.cumsum(power_w * np.diff(knots_s))])
    edges_s = np.arange(count + 1, dtype=np.float64) * step_s
    load_w: FloatArray = np.diff(np.interp(edges_s, knots_s, taken_j)) / step_s
    return np.maximum(load_w, 0.0)
