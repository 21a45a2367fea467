"""The market: what is offered, what is taken, and a market that takes it at its own price."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from aggregator.award import Award
from aggregator.errors import PlanInputError
from aggregator.plan import Plan
from aggregator.series import require_number, require_series
from contracts.timegrid import TimeGrid
from devices.arrays import FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Bid:
    """An offer to export in one interval."""

    interval: int
    """Number of the interval on the ledger (§4)."""
    quantity_wh: int
    """Net export offered, > 0. [Wh]"""
    limit_price_per_mwh: float
    """Least price at which the offer stands. [currency/MWh]"""

    def __post_init__(self) -> None:
        if self.quantity_wh <= 0:
            msg = f"bid for interval {self.interval} is {self.quantity_wh} Wh; leave it out"
            raise PlanInputError(msg)
        require_number("bid limit_price_per_mwh", self.limit_price_per_mwh)


class Market(Protocol):
    """Takes bids and says what it awards."""

    def clear(self, bids: Sequence[Bid]) -> Award:
        """Return what each interval's bids were awarded."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceTakerMarket:
    """A market too large to notice us: the clearing price is given, see `Market`.

    Raises
    ------
    PlanInputError
        If a series does not fit the grid or a share is not in 0..1.
    """

    grid: TimeGrid
    """The market's intervals."""
    clearing_price_per_mwh: FloatArray
    """Price of every interval, shape (slots,). [currency/MWh]"""
    award_share: float | FloatArray = 1.0
    """Part of the bid quantity that is awarded, 0..1, one for all or of shape (slots,)."""

    def __post_init__(self) -> None:
        require_series("clearing price", self.clearing_price_per_mwh, self.grid.count)
        share = self._shares()
        require_series("award share", share, self.grid.count, minimum=0.0)
        if share.max() > 1:
            msg = f"award share is {share.max():g}; it must be in 0..1"
            raise PlanInputError(msg)

    def clear(self, bids: Sequence[Bid]) -> Award:
        """Award its share, rounded down, to every bid that asks no more than the price."""
        taken_wh: defaultdict[int, int] = defaultdict(int)
        for bid in bids:
            if bid.interval not in self.grid.intervals:
                msg = f"bid for interval {bid.interval} is outside {self.grid.intervals}"
                raise PlanInputError(msg)
            slot = bid.interval - self.grid.first_interval
            if bid.limit_price_per_mwh <= self.clearing_price_per_mwh[slot]:
                taken_wh[slot] += bid.quantity_wh
        shares = self._shares()
        quantity_wh = tuple(int(taken_wh[t] * shares[t]) for t in range(self.grid.count))
        price = tuple(float(price) for price in self.clearing_price_per_mwh)
        return Award(grid=self.grid, quantity_wh=quantity_wh, price_per_mwh=price)

    def _shares(self) -> FloatArray:
        """Return the share of every interval, shape (slots,)."""
        if isinstance(self.award_share, np.ndarray):
            return self.award_share
        return np.full(self.grid.count, float(self.award_share))


def bids(plan: Plan, *, limit_price_per_mwh: float = 0.0, lot_wh: int = 1) -> tuple[Bid, ...]:
    """Return what a plan offers: its export of each interval, rounded down to whole lots.

    Parameters
    ----------
    plan : Plan
        A day-ahead plan.
    limit_price_per_mwh : float
        Least price of every offer. [currency/MWh]
    lot_wh : int
        Smallest tradable quantity. [Wh]

    Notes
    -----
    The default limit of 0 takes any price but does not pay for exporting: export without a
    commitment is unpaid, which is better than a negative price.
    """
    if lot_wh <= 0:
        msg = f"lot_wh is {lot_wh}; it must be positive"
        raise PlanInputError(msg)
    quantities_wh = (plan.export_wh // lot_wh * lot_wh).astype(int).tolist()
    return tuple(
        Bid(interval=interval, quantity_wh=wh, limit_price_per_mwh=limit_price_per_mwh)
        for interval, wh in zip(plan.grid.intervals, quantities_wh, strict=True)
        if wh > 0
    )
