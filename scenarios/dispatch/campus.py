"""A load that stands in for that of Marchi 2022's building, whose series is not public.

``campus_load(step_s, seed, data=None) -> load_w``, shape (steps of the year,). [W]

What the paper tells, and what is kept to the digit: 250 MWh a year (table 2: 7.94 MWh are 3.18 %);
a highest hour of 64.1 kW, and of 55.1 kW in the mean of the months (table 4, scenario 1). What it
tells and the shape follows: students' rooms and offices; on working days a rise at 9 h and a peak
from 16 to 22 h, highest from 18 to 20 h in winter, other days flat, less in summer.
`MONTHLY_DARK_PEAK_W` and `MONTHLY_PEAK_W` say how the months were told apart; the mean is the same
share of the peak in every month.

With a data folder the shape is that of a campus on Réunion in 2021, `scenarios.data.files.campus`:
the halls of residence (column ``crous_load_kW``), less the canteen that cooks there from 6 to 15 h,
and a school of engineers (``esiroi_seasoi_load_kW``), from Monday, 4 January on by its own clock.
Hours and weekdays are kept, and so is the calendar: the terms are the French ones, and July and
August are the lowest months there too. Without a folder, days of the paper's four kinds are drawn.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np

from contracts.timegrid import TimeGrid
from devices.arrays import FloatArray
from scenarios.data.files.campus import CAMPUS_FILE, campus
from scenarios.data.files.tables import on_grid
from scenarios.dispatch.campus_days import SOURCE_STEP_S, drawn_days
from scenarios.dispatch.campus_year import (
    DAY_S,
    MONTH_DAYS,
    YEAR_DAYS,
    hour_of_step,
    month_of_step,
    step_means,
    steps_of_year,
    weekday_of_step,
)

YEAR_WH: Final = 250e6
"""Energy of the year. [Wh]"""
MONTHLY_DARK_PEAK_W: Final = (
    59_200.0, 55_760.0, 55_760.0, 55_760.0, 52_320.0, 45_440.0,
    42_000.0, 38_560.0, 42_000.0, 45_440.0, 55_760.0, 59_200.0,
)  # fmt: skip
"""Highest hour of each month outside the late afternoon. [W]

Net of PV, the paper's highest hour is 59.2 kW, and 50.6 kW the mean of the months (table 4,
scenario 2). Policy 3's targets give the months' proportions: this is the straight line through them
of that maximum and that mean.
"""
MONTHLY_PEAK_W: Final = (
    59_200.0, 55_760.0, 60_800.0, 64_100.0, 61_300.0, 54_460.0,
    50_500.0, 46_100.0, 46_500.0, 47_520.0, 55_760.0, 59_200.0,
)  # fmt: skip
"""Highest hour of each month. [W]

What PV takes off a month's highest hour it can only take while the sun is up. So from March to
October the highest hours are put from 16 to 18 h, which is where the paper lets its peak begin, and
above the dark peak by what makes the highest 64.1 kW and the mean 55.1 kW (scenario 1), more in
months whose sun stands higher then.
"""
LATE_AFTERNOON_H: Final = (16, 18)
"""Hours of the day, on working days, that hold the highest load from March to October. [h]"""
SOURCE_BEGIN: Final = datetime(2021, 1, 3, 20, tzinfo=UTC)
"""Midnight of the first Monday of 2021 on Réunion, UTC+4."""
CANTEEN_H: Final = (6, 15)
"""Hours of the day in which the canteen cooks, on working days about 30 kW. [h]"""


def campus_load(step_s: int, seed: int, data: Path | None = None) -> FloatArray:
    """Return the load of SAM's year, shape (steps,), >= 0. [W]

    Parameters
    ----------
    step_s : int
        Length of a step, a divisor of 3600. [s]
    seed : int
        Of the drawn days; with ``data`` nothing is drawn.
    data : Path or None
        Folder that holds the campus' file; None draws.

    Raises
    ------
    ScenarioInputError
        If no whole number of steps makes an hour.
    DataError
        If the file is missing or broken.

    Notes
    -----
    The peaks are those of hourly means, as in the paper; finer steps have higher ones.
    """
    steps_of_year(step_s)
    shape = drawn_days(seed) if data is None else _recorded(data)
    return step_means(_scaled(shape), step_s)


def monthly_mean_w() -> FloatArray:
    """Return the mean load of each month, the same share of its peak, shape (12,). [W]"""
    peaks_w = np.array(MONTHLY_PEAK_W)
    return peaks_w * (YEAR_WH / float(peaks_w @ (24.0 * np.array(MONTH_DAYS))))


def _recorded(folder: Path) -> FloatArray:
    """Return what rooms and offices of the recorded campus took, by ten minutes of the year. [W]"""
    frame = campus(folder)
    grid = TimeGrid(
        start=SOURCE_BEGIN, step_s=SOURCE_STEP_S, count=YEAR_DAYS * DAY_S // SOURCE_STEP_S
    )
    halls_w, school_w = (
        on_grid(frame[column], grid, name=CAMPUS_FILE)
        for column in ("crous_load_w", "esiroi_seasoi_load_w")
    )
    return _without_canteen(halls_w) + school_w


def _without_canteen(halls_w: FloatArray) -> FloatArray:
    """Return the halls' load with a straight line from the hour before cooking to that after it."""
    per_hour = 3600 // SOURCE_STEP_S
    days_w = halls_w.reshape(YEAR_DAYS, 24, per_hour).copy()
    begin, end = CANTEEN_H
    before_w, after_w = days_w[:, begin - 1].mean(axis=1), days_w[:, end].mean(axis=1)
    share = (np.arange((end - begin) * per_hour) + 1) / ((end - begin) * per_hour + 1)
    line_w = before_w[:, None] * (1 - share) + after_w[:, None] * share
    days_w[:, begin:end] = line_w.reshape(YEAR_DAYS, end - begin, per_hour)
    return days_w.ravel()


def _scaled(shape: FloatArray) -> FloatArray:
    """Return a shape moved and stretched, month by month, to its peaks and its mean. [W]

    Notes
    -----
    load = A + B·s + C·s·w, w = 1 in the late afternoon of working days. Its mean, its highest hour
    outside them and that inside them are three linear equations for A, B and C; where both peaks
    are one, C is 0.
    """
    late = _late(SOURCE_STEP_S)
    of_hour, of_step = month_of_step(3600), month_of_step(SOURCE_STEP_S)
    hourly, late_hours = step_means(shape, 3600), _late(3600) > 0
    factors = np.zeros((len(MONTH_DAYS), 3))
    for month, (dark_w, peak_w, mean_w) in enumerate(
        zip(MONTHLY_DARK_PEAK_W, MONTHLY_PEAK_W, monthly_mean_w(), strict=True)
    ):
        here, there = of_hour == month, of_step == month
        inside, outside = hourly[here & late_hours].max(), hourly[here & ~late_hours].max()
        mean, weighed = shape[there].mean(), (shape * late)[there].mean()
        if peak_w == dark_w:
            stretch = (peak_w - mean_w) / (max(inside, outside) - mean)
            factors[month] = mean_w - stretch * mean, stretch, 0.0
            continue
        rows = [[1.0, mean, weighed], [1.0, outside, 0.0], [1.0, inside, inside]]
        factors[month] = np.linalg.solve(np.array(rows), np.array([mean_w, dark_w, peak_w]))
    base_w, stretch, more = factors[of_step].T
    load_w: FloatArray = base_w + shape * (stretch + more * late)
    return load_w


def _late(step_s: int) -> FloatArray:
    """Return 1 in the late afternoons of working days, else 0, shape (steps,)."""
    hour, (begin, end) = hour_of_step(step_s), LATE_AFTERNOON_H
    return ((hour >= begin) & (hour < end) & (weekday_of_step(step_s) < 5)).astype(np.float64)
