"""What a plan is asked for: the soft limits, their prices, and the whole problem as one value."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

import numpy as np

from aggregator.errors import PlanInputError
from aggregator.forecast import Forecast
from aggregator.intraday_terms import Trading
from aggregator.series import require_number, require_series
from aggregator.virtual_battery import VirtualBattery
from devices.arrays import FloatArray

RESOLUTION_WH = 0.5
"""Half of the wire's unit: a smaller energy cannot be told from a solver's rounding. [Wh]"""


class Limit(StrEnum):
    """A soft limit: it has a price, and when broken it is listed with its amount (§12)."""

    STORED_LOW = "stored below window"
    STORED_HIGH = "stored above window"
    END_LOW = "stored below end target"
    IMPORT_HIGH = "import above limit"
    EXPORT_HIGH = "export above limit"
    COMMITMENT_SHORT = "net export below commitment"
    COMMITMENT_OVER = "net export above commitment"


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """A soft limit that the plan had to break."""

    limit: Limit
    """Which one."""
    interval: int
    """Number of the interval on the ledger (§4)."""
    amount_wh: float
    """By how much; of stored energy at the interval's end for a window. [Wh]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class BreachPrices:
    """What breaking a limit costs, in multiples of the day's dearest energy.

    Notes
    -----
    Multiples, not money, so that one default serves any currency and any year. All exceed the
    gain that prices alone could offer, so a limit yields only to another limit or to physics; where
    two collide, the cheaper one yields: the end target to the commitment, the commitment to the
    battery's window, all to the grid connection. A broken window is paid for in every interval.
    """

    end: float = 3.0
    """End-of-day energy."""
    commitment: float = 10.0
    """Awarded commitment."""
    window: float = 30.0
    """State-of-charge window."""
    grid: float = 100.0
    """Import and export limit of the fleet."""

    def __post_init__(self) -> None:
        for name in self.__slots__:
            require_number(f"breach price {name}", getattr(self, name), minimum=1.0, maximum=1e4)

    def multiple(self, limit: Limit) -> float:
        """Return the multiple of one limit."""
        match limit:
            case Limit.END_LOW:
                return self.end
            case Limit.COMMITMENT_SHORT | Limit.COMMITMENT_OVER:
                return self.commitment
            case Limit.STORED_LOW | Limit.STORED_HIGH:
                return self.window
            case Limit.IMPORT_HIGH | Limit.EXPORT_HIGH:
                return self.grid


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanOptions:
    """What the operator may ask of a plan.

    Raises
    ------
    PlanInputError
        If a number is not finite or out of range.
    """

    end_soc: float | Literal["start"] | None = "start"
    """Least state of charge at the end: 0..1, ``"start"`` for where it began (drawn into the
    window), None for the paper's free end, which empties the battery."""
    import_limit_w: float | None = None
    """Mean import power of the fleet in an interval, None for no limit. [W]"""
    export_limit_w: float | None = None
    """Mean export power of the fleet in an interval, None for no limit. [W]"""
    smoothing_per_mwh: float = 0.01
    """Price of the tie-break; keep it small against price differences. [currency/MWh]"""
    breach_prices: BreachPrices = field(default_factory=BreachPrices)
    """What breaking each limit costs."""

    def __post_init__(self) -> None:
        if isinstance(self.end_soc, float | int):
            require_number("option end_soc", self.end_soc, minimum=0.0, maximum=1.0)
        elif self.end_soc not in {"start", None}:
            msg = f'option end_soc is {self.end_soc!r}; give 0..1, "start" or None'
            raise PlanInputError(msg)
        for name in ("import_limit_w", "export_limit_w"):
            limit_w = getattr(self, name)
            if limit_w is not None:
                require_number(f"option {name}", limit_w, minimum=0.0)
        require_number("option smoothing_per_mwh", self.smoothing_per_mwh, minimum=0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Everything a plan depends on."""

    battery: VirtualBattery
    """The fleet's battery."""
    forecast: Forecast
    """The day; in a re-plan with its export prices replaced."""
    options: PlanOptions
    """What the operator asks."""
    committed_wh: FloatArray
    """E_c, 0 where nothing is promised, shape (slots,). [Wh]"""
    bidding: bool
    """True while the plan's exports are still to be bid, False once the market has cleared."""
    trading: Trading | None = None
    """On what terms ``committed_wh``, then its positions, can still change; None once they cannot.

    It prices deviations from them, too, interval by interval."""

    def __post_init__(self) -> None:
        require_series("committed_wh", self.committed_wh, self.forecast.grid.count, minimum=0.0)
        if self.trading is not None:
            count = self.forecast.grid.count
            require_series("trading position_wh", self.trading.position_wh, count, minimum=0.0)

    @property
    def end_stored_wh(self) -> float | None:
        """Least energy in the cells at the end of the day, None when free. [Wh]"""
        if self.options.end_soc is None:
            return None
        battery = self.battery
        if isinstance(self.options.end_soc, str):
            return min(max(battery.stored_wh, battery.stored_min_wh), battery.stored_max_wh)
        return self.options.end_soc * battery.capacity_wh

    def grid_limit_wh(self, limit_w: float | None) -> float:
        """Return a power limit as energy per interval, infinite when there is none. [Wh]"""
        return np.inf if limit_w is None else limit_w * self.forecast.grid.step_h

    def breach_price_per_mwh(self, limit: Limit) -> float:
        """Return what a limit costs: its multiple of the dearest energy of the day. [currency/MWh]

        Notes
        -----
        The dearest energy has gone through the cells: max |π| / (η_c η_d), at least 1. Where
        trading prices deviations, breaking a commitment costs nothing on top.
        """
        if self.trading is not None and limit in {Limit.COMMITMENT_SHORT, Limit.COMMITMENT_OVER}:
            return 0.0
        prices = self.forecast.import_price_per_mwh, self.forecast.export_price_per_mwh
        dearest = max(1.0, *(float(np.abs(price).max()) for price in prices))
        round_trip = self.battery.charge_efficiency * self.battery.discharge_efficiency
        return self.options.breach_prices.multiple(limit) * dearest / round_trip
