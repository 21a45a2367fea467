"""Drawn days of a building with students' rooms and offices, of the four kinds of Marchi 2022."""

from typing import Final

import numpy as np

from devices.arrays import FloatArray
from scenarios.data.models.streams import remembered
from scenarios.dispatch.campus_year import DAY_S, YEAR_DAYS, month_of_step

SOURCE_STEP_S: Final = 600
"""Step of the recorded campus, and of the drawn one. [s]"""
SUMMER: Final = (5, 6, 7, 8)
"""Months of the summer days, June to September, from 0."""
WORKING_WINTER: Final = (
    0.34, 0.28, 0.25, 0.24, 0.24, 0.25, 0.28, 0.35, 0.48, 0.68, 0.74, 0.75,
    0.75, 0.74, 0.73, 0.72, 0.74, 0.82, 0.97, 1.00, 0.92, 0.78, 0.60, 0.45,
)  # fmt: skip
"""Load at the hours of a working day of term over its highest: up at 9 h, highest 18 to 20 h."""
WORKING_SUMMER: Final = (
    0.38, 0.33, 0.31, 0.30, 0.30, 0.31, 0.33, 0.38, 0.48, 0.60, 0.64, 0.65,
    0.64, 0.64, 0.65, 0.65, 0.66, 0.72, 0.82, 0.84, 0.78, 0.68, 0.56, 0.45,
)  # fmt: skip
"""The same in summer: fewer students and fewer in the offices, so less above the night."""
NOT_WORKING: Final = 0.42
"""Load of any other day, flat, over a working day's highest."""
DAY_SPREAD: Final = 0.045
"""Spread of a day's level from one to the next, share."""
STEP_SPREAD: Final = 0.05
"""Spread within a day, share."""
DECAY_STEPS: Final = 6.0
"""How long what differs from the kind of day lasts. [steps]"""


def drawn_days(seed: int) -> FloatArray:
    """Return a year of days of four kinds, by ten minutes, over the highest hour of term.

    Parameters
    ----------
    seed : int
        The same seed, the same year.
    """
    per_day = DAY_S // SOURCE_STEP_S
    month_of_day = month_of_step(SOURCE_STEP_S)[::per_day]
    working = np.arange(YEAR_DAYS) % 7 < 5
    summer = np.isin(month_of_day, SUMMER)
    kinds = np.stack([_by_step(WORKING_WINTER), _by_step(WORKING_SUMMER)])
    days = np.where(working[:, None], kinds[summer.astype(np.int64)], NOT_WORKING)
    levels, steps = (
        np.random.default_rng(child) for child in np.random.SeedSequence(seed).spawn(2)
    )
    level = 1 + DAY_SPREAD * levels.standard_normal(YEAR_DAYS).clip(-2.5, 2.5)
    normals = steps.standard_normal(YEAR_DAYS * per_day)
    within = remembered(normals, decay_steps=DECAY_STEPS, memory_steps=int(5 * DECAY_STEPS))
    load: FloatArray = (days * level[:, None]).ravel() * (1 + STEP_SPREAD * within.clip(-2.5, 2.5))
    return load


def _by_step(hours: tuple[float, ...]) -> FloatArray:
    """Return a day of hours as steps, joined by straight lines from middle to middle."""
    middle_h = (np.arange(DAY_S // SOURCE_STEP_S) + 0.5) * SOURCE_STEP_S / 3600
    day: FloatArray = np.interp(middle_h, np.arange(24) + 0.5, np.array(hours), period=24)
    return day
