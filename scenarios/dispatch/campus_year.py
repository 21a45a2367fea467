"""The year that a campus is studied over: SAM's, 365 days whose first is a Monday, without DST."""

from datetime import datetime, timedelta, timezone
from typing import Final

import numpy as np

from devices.arrays import FloatArray, IntArray
from scenarios.errors import ScenarioInputError

CET: Final = timezone(timedelta(hours=1), "CET")
"""Brescia's clock all year; SAM knows no summer time."""
YEAR_BEGIN: Final = datetime(2018, 1, 1, tzinfo=CET)
"""A Monday, 1 January, of a year of 365 days."""
DAY_S: Final = 86_400
YEAR_DAYS: Final = 365
MONTH_DAYS: Final = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
SHORTEST_STEP_S: Final = 60


def steps_of_year(step_s: int) -> int:
    """Return how many steps the year has.

    Raises
    ------
    ScenarioInputError
        Unless a whole number of steps makes an hour, and each is a minute at least.
    """
    if step_s < SHORTEST_STEP_S or 3600 % step_s:
        msg = f"step_s is {step_s}; give a divisor of 3600 from 60 on, such as 3600, 900 or 300"
        raise ScenarioInputError(msg)
    return YEAR_DAYS * DAY_S // step_s


def month_of_step(step_s: int) -> IntArray:
    """Return the month that each step of the year lies in, 0..11, shape (steps,)."""
    steps_of_year(step_s)
    return np.repeat(np.arange(len(MONTH_DAYS)), np.array(MONTH_DAYS) * (DAY_S // step_s))


def weekday_of_step(step_s: int) -> IntArray:
    """Return the day of the week of each step of the year, 0 is Monday, shape (steps,)."""
    return np.arange(steps_of_year(step_s)) // (DAY_S // step_s) % 7


def hour_of_step(step_s: int) -> FloatArray:
    """Return the time of day at the middle of each step of the year, shape (steps,). [h]"""
    per_day = DAY_S // step_s
    middle_h = (np.arange(per_day) + 0.5) * step_s / 3600
    return np.tile(middle_h, steps_of_year(step_s) // per_day)


def step_means(values: FloatArray, step_s: int) -> FloatArray:
    """Return a year's values as means over steps of another length.

    Parameters
    ----------
    values : FloatArray, shape (steps of any length,)
        Means over equal steps that fill the year.
    step_s : int
        Length of the steps wanted. [s]

    Notes
    -----
    The integral is interpolated, so that no energy is lost or made, whatever the two lengths.
    """
    count = steps_of_year(step_s)
    integral = np.concatenate([[0.0], np.cumsum(values)])
    edges = np.arange(count + 1) * (values.size / count)
    at_edges = np.interp(edges, np.arange(integral.size), integral)
    means: FloatArray = np.diff(at_edges) * (count / values.size)
    return means
