"""Everything that drives a fleet over a market day: load, sun, wind and prices."""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from contracts.timegrid import TimeGrid
from devices.arrays import FloatArray
from scenarios.errors import DataFormatError

CURRENCY: Final = "GBP"
"""Of prices, where nothing else is said."""

MARKET_ZONE = "Europe/London"
"""Zone whose calendar day is the market's day."""
MARKET_STEP_S = 1800
"""Market interval. [s]"""
MINUTE_S = 60
"""Step of homes and plant. [s]"""
PLANT_PV_RATING_W = 105_000.0
"""The aggregator's own PV in the fleet of `PLANT_HOMES` homes. [W]"""
PLANT_WIND_RATING_W = 130_000.0
"""The aggregator's own wind power in the fleet of `PLANT_HOMES` homes. [W]"""
PLANT_HOMES = 70
"""Size of the fleet that the plant ratings belong to; other fleets scale them."""
PV_RATING_RANGE_W = (1_500.0, 4_000.0)
"""Range that the rating of a home's PV is drawn from. [W]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetData:
    """Inputs of a fleet: some days of minutes that end with one market day of prices.

    Raises
    ------
    DataFormatError
        If grids do not fit each other, a series has the wrong shape, a value is not finite, or a
        power is negative.
    """

    minute_grid: TimeGrid
    """Minutes of the history and of the market day, which they end with."""
    market_grid: TimeGrid
    """Half-hours of the local market day: 46, 48 or 50."""
    load_w: FloatArray
    """Load of each home, >= 0, shape (homes, minutes). [W]"""
    pv_w: FloatArray
    """Production of each home, >= 0, shape (homes, minutes). [W]"""
    plant_pv_w: FloatArray
    """Production of the aggregator's own PV, >= 0, shape (minutes,). [W]"""
    plant_wind_w: FloatArray
    """Production of the aggregator's own turbine, >= 0, shape (minutes,). [W]"""
    day_ahead_price_per_mwh: FloatArray
    """Market price, known the day before, shape (slots,). [currency/MWh]"""
    import_price_per_mwh: FloatArray
    """Retail price of import, shape (slots,). [currency/MWh]"""
    imbalance_price_per_mwh: FloatArray
    """Price of a deviation, known afterwards, shape (slots,). [currency/MWh]"""
    pv_rating_w: FloatArray
    """Rating of each home's PV, > 0, shape (homes,). [W]"""
    source: Literal["real", "generated"]
    """Where the series come from."""
    provenance: tuple[str, ...]
    """What was combined of what, a line each; to be shown with every result."""
    currency: str = CURRENCY
    """Unit of the prices."""
    households_wh: FloatArray | None = None
    """Consumption of homes whose assets stand elsewhere, on the market day, >= 0, shape
    (households, slots); ``load_w`` and ``pv_w`` are then those of the assets' site. [Wh]"""

    def __post_init__(self) -> None:
        self._check_grids()
        homes, minutes, slots = self.homes, self.minute_grid.count, self.market_grid.count
        _check("load_w", self.load_w, (homes, minutes), floor=0.0)
        _check("pv_w", self.pv_w, (homes, minutes), floor=0.0)
        _check("pv_rating_w", self.pv_rating_w, (homes,), floor=1.0)
        _check("plant_pv_w", self.plant_pv_w, (minutes,), floor=0.0)
        _check("plant_wind_w", self.plant_wind_w, (minutes,), floor=0.0)
        for name in ("day_ahead_price_per_mwh", "import_price_per_mwh", "imbalance_price_per_mwh"):
            _check(name, getattr(self, name), (slots,), floor=-np.inf)
        if self.households_wh is not None:
            shape = (self.households_wh.shape[0], slots)
            _check("households_wh", self.households_wh, shape, floor=0.0)
        if not self.provenance:
            msg = "fleet data has no provenance; say what the series are made of"
            raise DataFormatError(msg)

    def _check_grids(self) -> None:
        """Require minutes that cover the market day and end with it."""
        if self.minute_grid.step_s != MINUTE_S:
            msg = f"minute_grid has steps of {self.minute_grid.step_s} s, must be {MINUTE_S} s"
            raise DataFormatError(msg)
        if self.market_grid.step_s % MINUTE_S:
            msg = f"market_grid has steps of {self.market_grid.step_s} s, must be whole minutes"
            raise DataFormatError(msg)
        if self.minute_grid.end != self.market_grid.end:
            msg = (
                f"minute_grid ends at {self.minute_grid.end}, the market day at "
                f"{self.market_grid.end}; both must end together"
            )
            raise DataFormatError(msg)
        if self.minute_grid.start > self.market_grid.start:
            msg = (
                f"minute_grid starts at {self.minute_grid.start}, after the market day does at "
                f"{self.market_grid.start}; give the whole day"
            )
            raise DataFormatError(msg)
        if self.load_w.ndim != 2 or not self.load_w.shape[0]:
            msg = f"load_w has shape {self.load_w.shape}, must be (homes, minutes) with a home"
            raise DataFormatError(msg)

    @property
    def homes(self) -> int:
        """Number of homes."""
        return int(self.load_w.shape[0])

    @property
    def day_start_minute(self) -> int:
        """Index of the first minute of the market day; the minutes before it are history."""
        since = self.market_grid.start - self.minute_grid.start
        return int(since.total_seconds()) // MINUTE_S


def plant_scale(homes: int) -> float:
    """Return the plant's size against that of the fleet of `PLANT_HOMES` homes."""
    return homes / PLANT_HOMES


def _check(name: str, values: FloatArray, shape: tuple[int, ...], *, floor: float) -> None:
    """Raise for a wrong type or shape, or for the first value that is not finite or below floor."""
    if values.shape != shape or values.dtype != np.float64:
        msg = f"{name} is {values.dtype} of shape {values.shape}, must be float64 of {shape}"
        raise DataFormatError(msg)
    bad = np.argwhere(~(np.isfinite(values) & (values >= floor)))
    if bad.size:
        where = tuple(int(i) for i in bad[0])
        wanted = "finite" if floor == -np.inf else f"finite and >= {floor:g}"
        msg = f"{name}{list(where)} is {values[where]:g}, must be {wanted}"
        raise DataFormatError(msg)
