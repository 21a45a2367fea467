"""Why each policy's highest import is what it is: read off the hour in which it falls."""

from typing import Final

import numpy as np

from hems.dispatch.paper import MANUAL_PERCENT_PER_H, TARGETS_KW
from scenarios.marchi import cases
from scenarios.marchi.study import Found, Year, calendar
from scenarios.report.quantity import decimal

NOTHING_W: Final = 50.0
"""Discharge below this is none; and imports that differ by less are equal. [W]"""
NEAR_SOC: Final = 0.02
"""So near to the lower end of its window the battery is empty."""
BEHIND: Final = 2
"""The policy that takes yesterday for today."""
FULL_POWER: Final = 0.9
"""From this share of its power on, the battery gives all it can."""


def peak_hour(found: Found, year: Year) -> int:
    """Return the hour of the highest import; of equal ones, that with the highest net load.

    A target that the battery also charges up to is reached in hours that are none of its making.
    """
    highest = year.import_w >= year.import_w.max() - NOTHING_W
    return int(np.argmax(np.where(highest, found.study.load_w - found.study.pv_w, -np.inf)))


def why_peak(found: Found, number: int, year: Year) -> str:
    """Return when a policy's highest import falls, and what the battery did then.

    Parameters
    ----------
    found : Found
        What the study came to.
    number : int
        The policy.
    year : Year
        Its year in configuration 3, without cars.
    """
    hour = peak_hour(found, year)
    without_kw = max(found.study.load_w[hour] - found.study.pv_w[hour], 0.0) / 1000
    given_w = float(year.delivered_w[hour])
    when = f"Highest on {calendar(hour)}: {_kw(year.import_w[hour] / 1000)}"
    if given_w < NOTHING_W:
        return f"{when}, {_idle(year, hour, number)}."
    told = f"{when}, of {_kw(without_kw)} without battery"
    if given_w > FULL_POWER * cases.POWER_W:
        return f"{told}: all that the battery's power allows."
    return f"{told}. {_aim(found, number, hour)}"


def _idle(year: Year, hour: int, number: int) -> str:
    """Say why the battery gave nothing."""
    low, _ = cases.WINDOWS[cases.SHOWN_WINDOW]
    before = year.soc[hour - 1]
    if before > low + NEAR_SOC:
        charged_w = float(year.charged_w[hour])
        if charged_w > NOTHING_W:
            return f"while the battery took {_kw(charged_w / 1000)} of PV"
        asked = "nothing was asked of it" + (", going by yesterday" if number == BEHIND else "")
        return f"with {decimal(100 * before, 0)} % in the battery: {asked}"
    empty = year.soc[:hour] <= low + NEAR_SOC
    since = hour - 1 - int(np.argmin(empty[::-1])) + 1 if not empty.all() else 0
    return f"the battery empty since {calendar(since)}"


def _aim(found: Found, number: int, hour: int) -> str:
    """Say what the battery was after when it gave something."""
    if number in _AIMS:
        return _AIMS[number]
    target = TARGETS_KW[int(found.study.month[hour])]
    return f"The month's target is {_kw(target)}: the battery could not hold it."


_AIMS: Final[dict[int, str]] = {
    1: "One full window covers all above the target that it sets at midnight.",
    2: "What it gave fitted the day before.",
    4: "It gives a fixed power in the hours of its series, whatever the load.",
    5: f"It gives {MANUAL_PERCENT_PER_H:g} % of its window in an hour at most.",
}


def _kw(value: float) -> str:
    return f"{decimal(float(value))} kW"
