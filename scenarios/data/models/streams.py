"""Random numbers that belong to a UTC day, so that a day is the same in every span that holds it.

Each stream is seeded by (seed, kind, part, day). Home i's numbers are row i of what a stream draws,
so they depend neither on the number of homes nor on the other kinds.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import IntEnum

import numpy as np

from contracts.timegrid import TimeGrid
from devices.arrays import FloatArray

DAY_S = 86_400


class Kind(IntEnum):
    """What a stream is for; the numbers are part of the seed and never change."""

    HOME = 1
    PRESENCE = 2
    APPLIANCE = 3
    TEXTURE = 4
    SKY = 5
    CLOUD = 6
    PANEL = 7
    WIND = 8
    DAY_AHEAD = 9
    IMBALANCE = 10


def stream(seed: int, kind: Kind, part: int = 0, day: date | None = None) -> np.random.Generator:
    """Return the stream of a part of a kind on a day, or its stream for what never changes."""
    ordinal = 0 if day is None else day.toordinal()
    return np.random.default_rng(np.random.SeedSequence((seed, int(kind), part, ordinal)))


@dataclass(frozen=True, slots=True, kw_only=True)
class UtcDays:
    """Whole UTC days."""

    first: date
    """First day."""
    count: int
    """Number of days."""

    @classmethod
    def around(cls, grid: TimeGrid, *, memory_days: int, ahead_days: int = 0) -> "UtcDays":
        """Return the days that a grid touches, ``memory_days`` before and ``ahead_days`` after."""
        first = grid.start.date() - timedelta(days=memory_days)
        last = (grid.end - timedelta(seconds=1)).date()
        return cls(first=first, count=(last - first).days + 1 + ahead_days)

    @property
    def days(self) -> list[date]:
        """The days in order."""
        return [self.first + timedelta(days=i) for i in range(self.count)]

    def grid(self, step_s: int) -> TimeGrid:
        """Return the days in slots. [s]"""
        start = datetime(self.first.year, self.first.month, self.first.day, tzinfo=UTC)
        return TimeGrid(start=start, step_s=step_s, count=self.count * DAY_S // step_s)

    def cut(self, values: FloatArray, grid: TimeGrid) -> FloatArray:
        """Return the part of a series over these days (last axis) that belongs to a grid."""
        whole = self.grid(grid.step_s)
        first = grid.first_interval - whole.first_interval
        return np.ascontiguousarray(values[..., first : first + grid.count])


def daily_normals(
    seed: int, kind: Kind, days: UtcDays, *, per_day: int, part: int = 0, rows: int = 1
) -> FloatArray:
    """Return standard normal numbers, shape (rows, days · per_day)."""
    return np.concatenate(
        [stream(seed, kind, part, day).standard_normal((rows, per_day)) for day in days.days],
        axis=1,
    )


def remembered(normals: FloatArray, *, decay_steps: float, memory_steps: int) -> FloatArray:
    """Return a stationary process of unit variance whose correlation decays as e^(−lag/decay).

    Notes
    -----
    x_t = c · Σ_{k<memory} a^k · n_{t−k}, a = e^(−1/decay), c² = (1 − a²)/(1 − a^(2·memory)): the
    AR(1) process cut off after ``memory_steps``, so that a value depends on no earlier draw. The
    first ``memory_steps`` − 1 values lack some of their past; callers cut them off.
    """
    a = float(np.exp(-1.0 / decay_steps))
    out = np.zeros_like(normals)
    width = normals.shape[-1]
    for lag in range(min(memory_steps, width)):
        out[..., lag:] += a**lag * normals[..., : width - lag]
    out *= np.sqrt((1 - a**2) / (1 - a ** (2 * memory_steps)))
    return out
