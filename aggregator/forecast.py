"""What the aggregator expects of a market day."""

from dataclasses import dataclass

from aggregator.series import require_series
from contracts.timegrid import TimeGrid
from devices.arrays import FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """Expected energy and prices of the whole fleet, one value per market interval.

    Raises
    ------
    PlanInputError
        If a series does not fit the grid, is not finite, or an energy is negative.
    """

    grid: TimeGrid
    """The market's intervals."""
    demand_wh: FloatArray
    """E_d, consumption of all homes, >= 0, shape (slots,). [Wh]"""
    production_wh: FloatArray
    """E_p, production of all homes and of the aggregator's plant, >= 0, shape (slots,). [Wh]"""
    import_price_per_mwh: FloatArray
    """π_i, retail price of import, may be negative, shape (slots,). [currency/MWh]"""
    export_price_per_mwh: FloatArray
    """π_e, market price of export, may be negative, shape (slots,). [currency/MWh]"""

    def __post_init__(self) -> None:
        for name in ("demand_wh", "production_wh"):
            require_series(f"forecast {name}", getattr(self, name), self.grid.count, minimum=0.0)
        for name in ("import_price_per_mwh", "export_price_per_mwh"):
            require_series(f"forecast {name}", getattr(self, name), self.grid.count)

    @property
    def surplus_wh(self) -> FloatArray:
        """E_p − E_d: what the fleet would export without batteries, < 0 when it imports. [Wh]"""
        return self.production_wh - self.demand_wh
