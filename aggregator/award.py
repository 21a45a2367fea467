"""What the market took: the commitment of a day."""

from dataclasses import dataclass

import numpy as np

from aggregator.series import require_series
from contracts.timegrid import TimeGrid


@dataclass(frozen=True, slots=True, kw_only=True)
class Award:
    """What the market took, one entry per interval.

    Raises
    ------
    PlanInputError
        If a series does not fit the grid, is negative or not finite.
    """

    grid: TimeGrid
    """The market's intervals."""
    quantity_wh: tuple[int, ...]
    """E_c, 0 where nothing was awarded. [Wh]"""
    price_per_mwh: tuple[float, ...]
    """Clearing price, also where nothing was awarded. [currency/MWh]"""

    def __post_init__(self) -> None:
        quantity_wh = np.array(self.quantity_wh, dtype=np.float64)
        require_series("award quantity_wh", quantity_wh, self.grid.count, minimum=0.0)
        price = np.array(self.price_per_mwh, dtype=np.float64)
        require_series("award price_per_mwh", price, self.grid.count)

    @property
    def price_micro_per_mwh(self) -> tuple[int, ...]:
        """Clearing price as the settlement contract takes it, rounded. [micro/MWh]"""
        return tuple(micro_per_mwh(price) for price in self.price_per_mwh)


def micro_per_mwh(price_per_mwh: float) -> int:
    """Return a price as the settlement contract takes it, rounded. [micro/MWh]"""
    return round(price_per_mwh * 1e6)
