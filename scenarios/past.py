"""What homes remember of load and sun: quarter-hour means, and the last reading."""

from dataclasses import dataclass

import numpy as np

from devices.arrays import FloatArray
from hems.forecast import quarter_means_w
from scenarios.data.fleet_data import FleetData

MINUTES_PER_QUARTER = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What homes measured before a day; every array has shape (homes, quarters) or (homes,)."""

    load_w: FloatArray
    """Quarter-hour means of load, oldest first. [W]"""
    pv_w: FloatArray
    """Quarter-hour means of production. [W]"""
    last_load_w: FloatArray
    """Load of the last minute. [W]"""
    last_pv_w: FloatArray
    """Production of the last minute. [W]"""

    @classmethod
    def before(cls, data: FleetData) -> "Past":
        """Return the history in ``data``; without any, its first minute is the last reading."""
        until = data.day_start_minute
        last = max(until - 1, 0)
        return cls(
            load_w=quarter_means_w(data.load_w[:, :until]),
            pv_w=quarter_means_w(data.pv_w[:, :until]),
            last_load_w=data.load_w[:, last].copy(),
            last_pv_w=data.pv_w[:, last].copy(),
        )

    def then(self, data: FleetData, *, keep_quarters: int) -> "Past":
        """Return what homes remember after the market day of ``data``, cut to ``keep_quarters``."""
        day = slice(data.day_start_minute, None)
        load_w = np.concatenate([self.load_w, quarter_means_w(data.load_w[:, day])], axis=1)
        pv_w = np.concatenate([self.pv_w, quarter_means_w(data.pv_w[:, day])], axis=1)
        first = max(load_w.shape[1] - keep_quarters, 0)
        return Past(
            load_w=load_w[:, first:].copy(),
            pv_w=pv_w[:, first:].copy(),
            last_load_w=data.load_w[:, -1].copy(),
            last_pv_w=data.pv_w[:, -1].copy(),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One quantity of a day as its homes come to know it: quarters done, and the last minute."""

    minutes_w: FloatArray
    """Every minute of the day, shape (homes, minutes). [W]"""
    quarters_w: FloatArray
    """Means of the quarters before the day and of the day's, shape (homes, quarters). [W]"""
    before: int
    """Quarters before the day."""
    last_w: FloatArray
    """Reading of the last minute before the day, shape (homes,). [W]"""

    @classmethod
    def of(cls, minutes_w: FloatArray, past_w: FloatArray, last_w: FloatArray) -> "Measured":
        """Return a day's minutes with what was measured before it."""
        quarters_w = np.concatenate([past_w, quarter_means_w(minutes_w)], axis=1)
        return cls(
            minutes_w=minutes_w, quarters_w=quarters_w, before=past_w.shape[1], last_w=last_w
        )

    def history_w(self, minute: int) -> FloatArray:
        """Return the quarters done at a minute; a lone reading where none is. [W]"""
        done = self.before + minute // MINUTES_PER_QUARTER
        return self.quarters_w[:, :done] if done else self.reading_w(minute)[:, np.newaxis]

    def reading_w(self, minute: int) -> FloatArray:
        """Return the last whole minute's power, shape (homes,). [W]"""
        return self.minutes_w[:, minute - 1] if minute else self.last_w
