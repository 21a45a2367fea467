"""The settings that Marchi 2022 prints for its policies."""

import numpy as np

from devices.arrays import FloatArray
from hems.dispatch.policies import (
    HOURS,
    MONTHS,
    GridTarget,
    InputDispatch,
    ManualDispatch,
    Period,
)

TARGETS_KW = (50.0, 45.0, 45.0, 45.0, 40.0, 30.0, 25.0, 20.0, 25.0, 30.0, 45.0, 50.0)
"""Highest import wanted from January to December, policy 3. [kW]"""
DAY_HOURS = range(7, 19)
"""Policy 4's "12 daily-hours", which the paper does not name."""
MANUAL_PERCENT_PER_H = 8.0
"""Share of the window that policy 5 discharges in an hour. [%/h]"""


def grid_target() -> GridTarget:
    """Return policy 3 with the paper's targets."""
    return GridTarget(target_w=np.array(TARGETS_KW) * 1000)


def input_dispatch(
    *,
    charge_w: float = 5000.0,
    discharge_w: float = 5000.0,
    step_s: float = 3600.0,
    charge_hours: range = DAY_HOURS,
    days: int = 365,
) -> InputDispatch:
    """Return policy 4: charge in some hours of the day, discharge in all others.

    Parameters
    ----------
    charge_w, discharge_w : float
        Power of charging and of discharging; unless told, the paper's hypothesis (ii). [W]
    step_s : float
        Length of a step of the series; a whole number of them makes an hour. [s]
    charge_hours : range
        Hours of the day in which it charges.
    days : int
        Days of the year.
    """
    day: FloatArray = np.full(HOURS, -discharge_w)
    day[list(charge_hours)] = charge_w
    return InputDispatch(power_w=np.tile(np.repeat(day, round(3600 / step_s)), days))


def manual_dispatch() -> ManualDispatch:
    """Return policy 5: three periods, the same every day of the year.

    Notes
    -----
    From 23 to 6 h discharge, from 8 to 12 h charge from PV, in all other hours both; the paper
    names the first and the last hour of each stretch, so that "11 pm to 5 am" ends at 6 h.
    """
    rate = MANUAL_PERCENT_PER_H
    day = np.full(HOURS, 3)
    day[[23, *range(6)]] = 1
    day[8:12] = 2
    hours = np.tile(day, (MONTHS, 1))
    return ManualDispatch(
        periods=(
            Period(discharge=True, discharge_percent_per_h=rate),
            Period(charge_from_pv=True),
            Period(charge_from_pv=True, discharge=True, discharge_percent_per_h=rate),
        ),
        weekday=hours,
        weekend=hours,
    )
