"""The paper's tests: eight hours from ten o'clock, on every day there is, and on two by rule."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from contracts.timegrid import TimeGrid
from devices.arrays import FloatArray, IntArray
from scenarios.errors import DataRequestError
from scenarios.habib.data import Buildings, local_clock
from scenarios.microgrid.model import Surroundings

START_H: Final = 10
"""Local hour at which a test begins, section 4. [h]"""
TEST_MIN: Final = 480
"""Its length, section 4. [min]"""
ENVELOPE: Final = 0.95
"""Quantile over the days that stands for a clear sky, minute by minute."""
SMOOTH_MIN: Final = 31
"""Over which that envelope is averaged. [min]"""
PARTLY: Final = (0.3, 0.7)
"""Clearness of a partly cloudy day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trials:
    """A test on each day of each building: row ``building * days + day``."""

    buildings: Buildings
    """The tests' minutes, a row each."""
    first_minute: IntArray
    """Where each day's test begins in the month, shape (days,)."""
    month: TimeGrid
    """The month's minutes."""

    @property
    def days(self) -> int:
        """Days."""
        return int(self.first_minute.size)

    @property
    def day(self) -> IntArray:
        """Each row's day, shape (rows,)."""
        return np.arange(self.buildings.around.homes) % self.days

    def one(self, row: int) -> Buildings:
        """Return a single test, on the clock of its day."""
        day = row % self.days
        start = self.month.shifted(60 * int(self.first_minute[day])).start
        grid = TimeGrid(start=start, step_s=60, count=TEST_MIN)
        return _cut(self.buildings, grid, np.array([row]), np.arange(TEST_MIN)[None])


def trials(month: Buildings) -> Trials:
    """Return the tests that a month holds.

    Raises
    ------
    DataRequestError
        If it holds none.
    """
    grid = month.grid
    begins = [
        minute
        for minute in range(0, grid.count - TEST_MIN + 1, 60)
        if local_clock(grid, minute).hour == START_H
    ]
    if not begins:
        msg = f"{grid.count} minutes hold no {TEST_MIN} from {START_H} o'clock; ask for whole days"
        raise DataRequestError(msg)
    first = np.array(begins, dtype=np.int64)
    rows = np.repeat(np.arange(month.around.homes), first.size)
    minutes = np.tile(first, month.around.homes)[:, None] + np.arange(TEST_MIN)
    clock = TimeGrid(start=grid.shifted(60 * begins[0]).start, step_s=60, count=TEST_MIN)
    return Trials(buildings=_cut(month, clock, rows, minutes), first_minute=first, month=grid)


def _cut(held: Buildings, grid: TimeGrid, rows: IntArray, minutes: IntArray) -> Buildings:
    """Return some minutes of some rows, each a row of its own."""
    at, around = (rows[:, None], minutes), held.around
    return replace(
        held,
        around=Surroundings(
            grid=grid,
            load_w=around.load_w[at],
            pv_w=around.pv_w[at],
            price_level=around.price_level[at],
            deviation_hz=around.deviation_hz[at],
        ),
        price_per_mwh=held.price_per_mwh[at],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Sky:
    """How the sun shone in each test, every field of shape (rows,)."""

    clearness: FloatArray
    """Production over that of the envelope."""
    variability: FloatArray
    """Length of the production's ups and downs over that of the envelope's."""
    below_share: FloatArray
    """Share of minutes in which production is less than load."""


def sky(held: Trials) -> Sky:
    """Return how the sun shone in each test.

    Notes
    -----
    The index of variability is that of Stein, Hansen and Reno (2012), with the building's own
    envelope for the clear sky, which has no model without a place.
    """
    around = held.buildings.around
    pv_w = around.pv_w.reshape(-1, held.days, TEST_MIN)
    clear_w = _smooth(np.quantile(pv_w, ENVELOPE, axis=1))[:, None]
    ups_w, clear_ups_w = (np.abs(np.diff(each, axis=-1)).sum(axis=-1) for each in (pv_w, clear_w))
    return Sky(
        clearness=(pv_w.sum(axis=-1) / np.maximum(clear_w.sum(axis=-1), 1.0)).ravel(),
        variability=(ups_w / np.maximum(clear_ups_w, 1.0)).ravel(),
        below_share=(around.pv_w < around.load_w).mean(axis=1),
    )


def _smooth(values: FloatArray) -> FloatArray:
    """Return the mean over `SMOOTH_MIN` around each minute, the ends held."""
    wide = np.pad(values, ((0, 0), (SMOOTH_MIN // 2, SMOOTH_MIN // 2)), mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(wide, SMOOTH_MIN, axis=1)
    means: FloatArray = windows.mean(axis=-1)
    return means


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """The two days that are shown."""

    sunny: int
    """Row of the sunny day's test."""
    cloudy: int
    """Row of the partly cloudy day's."""
    met: bool
    """Whether a day is partly cloudy by the rule; without one the nearest is shown."""


RULE: Final = (
    "Days of the first building, 10:00 to 18:00. Sunny: the clearest, by production over the 95 % "
    f"envelope of its minutes. Partly cloudy: of the days with a clearness of {PARTLY[0]:g} to "
    f"{PARTLY[1]:g} on which production is below load in most minutes, the most variable."
)
"""How the two days are chosen, before anything is run on them."""


def two_days(held: Trials) -> Pair:
    """Return the sunny and the partly cloudy day of the first building, by `RULE`."""
    found, days = sky(held), np.arange(held.days)
    clearness, variability, below = (
        each[: held.days] for each in (found.clearness, found.variability, found.below_share)
    )
    sunny = int(np.argmax(clearness))
    low, high = PARTLY
    partly = (clearness >= low) & (clearness <= high) & (below > 0.5) & (days != sunny)
    if partly.any():
        return Pair(sunny=sunny, cloudy=int(days[partly][variability[partly].argmax()]), met=True)
    distance = np.abs(clearness - (low + high) / 2) + (days == sunny)
    return Pair(sunny=sunny, cloudy=int(np.argmin(distance)), met=False)
