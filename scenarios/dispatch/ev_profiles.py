"""Charging as Marchi 2022 supposes it: nine hypotheses of cars, hours and curves.

``ev_load(hypothesis, step_s, *, reading="curve", days="all") -> load_w``, shape (steps of the
year,). [W]

Two statements of the paper contradict each other. A Renault Zoe of 22 kWh that arrives at 50 % and
leaves at 80 % takes 6.6 kWh (``reading="soc"``). The curve that it quotes, 20 kW for 35 minutes and
then down to 2.5 kW at the 70th, gives 18.2 kWh (``reading="curve"``); the 23 kW that four cars add
to the greatest peak in table 4 fit it better, so it is the default. Hypotheses 1 to 8 spread a
car's energy evenly over its hours, by either reading; hypothesis 9 follows the curve, to its 70th
minute or until the 6.6 kWh are in.
"""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from devices.arrays import FloatArray
from scenarios.dispatch.campus_year import DAY_S, steps_of_year, weekday_of_step
from scenarios.errors import ScenarioInputError

Reading = Literal["curve", "soc"]
"""Which of the paper's two statements says what a car takes."""
Days = Literal["all", "working"]
"""The days on which cars come; the paper does not say."""

BATTERY_WH: Final = 22_000.0
"""Capacity of the paper's car. [Wh]"""
SOC_MIN, SOC_ARRIVES, SOC_MAX = 0.2, 0.5, 0.8
"""Least, usual on arrival, and greatest state of charge of the paper's car."""
FULL_POWER_W, LAST_POWER_W = 20_000.0, 2_500.0
"""Where the measured curve begins and ends. [W]"""
FULL_S, CURVE_S = 35 * 60, 70 * 60
"""Until when the curve is flat, and when it has come down. [s]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """Cars that charge at once."""

    cars: int
    """How many."""
    begin_h: float
    """When they begin, time of day. [h]"""
    end_h: float | None = None
    """Until when their energy is spread evenly; None: they follow the curve. [h]"""


HYPOTHESES: Final[dict[int, tuple[Visit, ...]]] = {
    1: (Visit(cars=1, begin_h=9, end_h=10),),
    2: (Visit(cars=1, begin_h=12, end_h=14),),
    3: (Visit(cars=1, begin_h=9, end_h=16),),
    4: (Visit(cars=2, begin_h=9, end_h=10),),
    5: (Visit(cars=4, begin_h=12, end_h=14),),
    6: (Visit(cars=2, begin_h=9, end_h=10), Visit(cars=2, begin_h=13, end_h=14)),
    7: (Visit(cars=8, begin_h=9, end_h=16),),
    8: (Visit(cars=8, begin_h=9, end_h=10),),
    # "The period of higher energy production": noon to 14:20, inside figure 6's noon to 15 h.
    9: (Visit(cars=2, begin_h=12), Visit(cars=2, begin_h=12 + CURVE_S / 3600)),
}
"""The paper's; its "12 am" is noon, as figure 6 shows."""


def car_energy_wh(reading: Reading) -> float:
    """Return what one car takes in one visit. [Wh]"""
    if reading == "soc":
        return (SOC_MAX - SOC_ARRIVES) * BATTERY_WH
    return float(curve_energy_wh(np.array([CURVE_S]))[0])


def curve_energy_wh(since_s: FloatArray) -> FloatArray:
    """Return what a car has taken so long after it began, by the curve to its end. [Wh]"""
    at_full_s = np.clip(since_s, 0, FULL_S)
    down_s = np.clip(since_s - FULL_S, 0, CURVE_S - FULL_S)
    slope = (FULL_POWER_W - LAST_POWER_W) / (CURVE_S - FULL_S)
    joules: FloatArray = FULL_POWER_W * (at_full_s + down_s) - slope * down_s**2 / 2
    return joules / 3600


def ev_load(
    hypothesis: int, step_s: int, *, reading: Reading = "curve", days: Days = "all"
) -> FloatArray:
    """Return the cars' load over SAM's year, shape (steps,). [W]

    Parameters
    ----------
    hypothesis : int
        1 to 9.
    step_s : int
        Length of a step, a divisor of 3600; the load is its mean over each. [s]
    reading : {"curve", "soc"}
        What a car takes.
    days : {"all", "working"}
        When cars come: every day, or from Monday to Friday.

    Raises
    ------
    ScenarioInputError
        If there is no such hypothesis, or no whole number of steps makes an hour.
    """
    if hypothesis not in HYPOTHESES:
        msg = f"EV hypothesis is {hypothesis}; give 1 to {len(HYPOTHESES)}"
        raise ScenarioInputError(msg)
    count = steps_of_year(step_s)
    edges_s = np.arange(0, DAY_S + step_s, step_s, dtype=np.float64)
    taken_wh = np.zeros(edges_s.size)
    for visit in HYPOTHESES[hypothesis]:
        taken_wh += visit.cars * _taken_wh(visit, edges_s, car_energy_wh(reading))
    load_w = np.tile(np.diff(taken_wh) * (3600 / step_s), count // (DAY_S // step_s))
    return load_w if days == "all" else load_w * (weekday_of_step(step_s) < 5)


def _taken_wh(visit: Visit, edges_s: FloatArray, energy_wh: float) -> FloatArray:
    """Return what one car of a visit has taken at times of the day. [Wh]"""
    since_s = edges_s - visit.begin_h * 3600
    if visit.end_h is None:
        return np.minimum(curve_energy_wh(since_s), energy_wh)
    lasts_s = (visit.end_h - visit.begin_h) * 3600
    return energy_wh * np.clip(since_s / lasts_s, 0.0, 1.0)
