"""Local clock and calendar of the slots of a UTC grid."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from contracts.timegrid import TimeGrid
from devices.arrays import BoolArray, FloatArray, IntArray
from scenarios.data.fleet_data import MARKET_ZONE

YEAR_DAYS = 365.2425
NEW_YEAR = datetime(2001, 1, 1, tzinfo=UTC)
"""Where the angle of the year is zero."""


def year_angle(grid: TimeGrid) -> FloatArray:
    """Return the angle of the year at the beginning of every slot, 2π a year."""
    since_days = (grid.start - NEW_YEAR) / timedelta(days=1)
    days = since_days + np.arange(grid.count) * grid.step_s / 86_400
    return days * (2 * np.pi / YEAR_DAYS)


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalClock:
    """What a clock in the market's zone shows at the beginning of every slot."""

    minute: IntArray
    """Minute of the local day, 0..1439, shape (slots,)."""
    day: IntArray
    """Ordinal of the local day, shape (slots,)."""

    @classmethod
    def of(cls, grid: TimeGrid) -> "LocalClock":
        """Return the clock of a grid; the offset from UTC is asked for once an hour."""
        zone = ZoneInfo(MARKET_ZONE)
        hours = range(-(-grid.count * grid.step_s // 3600) + 1)
        first = grid.start.replace(minute=0)
        offsets_s = [
            (first + timedelta(hours=h)).astimezone(zone).utcoffset() or timedelta(0) for h in hours
        ]
        utc_s = int(grid.start.timestamp()) + grid.step_s * np.arange(grid.count, dtype=np.int64)
        hour_of = (utc_s - int(first.timestamp())) // 3600
        local_s = utc_s + np.array([int(o.total_seconds()) for o in offsets_s])[hour_of]
        # 1970-01-01 is ordinal 719163.
        return cls(minute=local_s % 86_400 // 60, day=local_s // 86_400 + 719_163)

    @property
    def hour(self) -> IntArray:
        """Hour of the local day, 0..23."""
        return self.minute // 60

    @property
    def weekend(self) -> BoolArray:
        """True on Saturday and Sunday."""
        # Ordinal 1 is a Monday.
        return (self.day - 1) % 7 >= 5
