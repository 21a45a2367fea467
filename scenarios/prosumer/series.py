"""A prosumer's hours: consumption, production and prices, on one line of UTC hours."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal
from zoneinfo import ZoneInfo

import numpy as np

from contracts.timegrid import TimeGrid
from devices.arrays import FloatArray, IntArray
from scenarios.errors import DataFormatError

HOUR_S = 3600
PUBLISHED_AT_H = 13
"""Local hour from which the day-ahead market's prices of tomorrow are known."""
Known = Literal["all", "published"]
"""Which prices a plan knows: all of its horizon, or those that the market has published."""


@dataclass(frozen=True, kw_only=True)
class ProsumerSeries:
    """What some homes use and make, and what they pay, hour by hour.

    Raises
    ------
    DataFormatError
        If a shape is wrong, or a value is not finite or, of an energy, negative.
    """

    grid: TimeGrid
    """Hours, UTC."""
    zone: str
    """IANA name of the zone whose calendar days count."""
    load_wh: FloatArray
    """Consumption, shape (homes, hours). [Wh]"""
    pv_wh: FloatArray
    """Production, shape (homes, hours). [Wh]"""
    import_price_per_mwh: FloatArray
    """Price of import, shape (1, hours) or (homes, hours). [currency/MWh]"""
    export_price_per_mwh: FloatArray
    """Price of export, likewise. [currency/MWh]"""
    currency: str
    """Of the prices."""
    source: Literal["real", "generated"]
    """Whether anything was measured."""
    provenance: tuple[str, ...]
    """Where each series comes from, the summary first."""

    def __post_init__(self) -> None:
        hours = self.grid.count
        if self.grid.step_s != HOUR_S:
            msg = f"prosumer series: a step of {self.grid.step_s} s, must be {HOUR_S} s"
            raise DataFormatError(msg)
        for name in ("load_wh", "pv_wh", "import_price_per_mwh", "export_price_per_mwh"):
            values = getattr(self, name)
            price = name.endswith("per_mwh")
            rows = {self.homes, 1} if price else {self.homes}
            if values.ndim != 2 or values.shape[0] not in rows or values.shape[1] != hours:
                msg = f"prosumer series: {name} has shape {values.shape}, must be (homes, {hours})"
                raise DataFormatError(msg)
            bad = np.argwhere(~(np.isfinite(values) & (price | (values >= 0))))
            if bad.size:
                home, hour = (int(i) for i in bad[0])
                msg = (
                    f"prosumer series: {name} of home {home} at {self.grid.starts()[hour]} is "
                    f"{values[home, hour]:g}; mend it in the file"
                )
                raise DataFormatError(msg)

    @property
    def homes(self) -> int:
        """Number of homes."""
        return int(self.load_wh.shape[0])

    @property
    def hours(self) -> int:
        """Number of hours."""
        return self.grid.count

    @property
    def first_hour(self) -> int:
        """Number of the first hour, counted from 1970 in UTC."""
        return self.grid.first_interval

    @cached_property
    def day(self) -> IntArray:
        """Local calendar day of each hour, shape (hours,)."""
        return self._local[0]

    @cached_property
    def hour_of_day(self) -> IntArray:
        """Local hour of each hour, 0..23, shape (hours,)."""
        return self._local[1]

    @cached_property
    def _local(self) -> tuple[IntArray, IntArray]:
        zone = ZoneInfo(self.zone)
        times = [start.astimezone(zone) for start in self.grid.starts()]
        return (
            np.array([time.toordinal() for time in times], dtype=np.int64),
            np.array([time.hour for time in times], dtype=np.int64),
        )

    def known_prices(self, hour: int, horizon: int, known: Known) -> tuple[FloatArray, FloatArray]:
        """Return the import and export prices that a plan reckons with. [currency/MWh]

        Parameters
        ----------
        hour : int
            First hour of the plan, from 0.
        horizon : int
            Its hours.
        known : Known
            What is known; beyond it the same hours of the last day that is.
        """
        places = np.arange(hour, hour + horizon)
        if known == "published":
            days = 2 if self.hour_of_day[hour] >= PUBLISHED_AT_H else 1
            end = int(np.searchsorted(self.day, self.day[hour] + days))
            beyond = np.maximum(places - end, -1) // 24 + 1
            places = np.maximum(places - 24 * beyond, 0)
        imports, exports = self.import_price_per_mwh, self.export_price_per_mwh
        return imports[:, places], exports[:, places]
