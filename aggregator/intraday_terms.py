"""What may still be bought and sold after the day-ahead market, and what a position costs."""

from dataclasses import dataclass

import numpy as np

from aggregator.errors import PlanInputError
from aggregator.series import require_series
from devices.arrays import BoolArray, FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Quotes:
    """What the intraday market asks and pays now, and what a deviation is expected to cost.

    Every array has shape (slots,).

    Raises
    ------
    PlanInputError
        If a series does not fit the others or is not finite, a bid exceeds its ask, or a deviation
        would earn.
    """

    bid_per_mwh: FloatArray
    """Price at which more can be sold. [currency/MWh]"""
    ask_per_mwh: FloatArray
    """Price at which a commitment can be bought back, >= the bid. [currency/MWh]"""
    short_per_mwh: FloatArray
    """Expected cost of delivering less than the position, >= 0 and >= the bid. [currency/MWh]"""
    over_per_mwh: FloatArray
    """Expected cost of delivering more than the position, >= 0. [currency/MWh]"""

    def __post_init__(self) -> None:
        slots = self.bid_per_mwh.shape[0]
        require_series("quotes bid_per_mwh", self.bid_per_mwh, slots)
        require_series("quotes ask_per_mwh", self.ask_per_mwh, slots)
        require_series("quotes short_per_mwh", self.short_per_mwh, slots, minimum=0.0)
        require_series("quotes over_per_mwh", self.over_per_mwh, slots, minimum=0.0)
        for name, remedy in (
            ("ask_per_mwh", "a market with such prices gives money away"),
            ("short_per_mwh", "a plan would sell what it does not have"),
        ):
            below = getattr(self, name) < self.bid_per_mwh
            if below.any():
                slot = int(np.argmax(below))
                msg = (
                    f"quotes {name} is {getattr(self, name)[slot]:g} in slot {slot}, below the bid "
                    f"of {self.bid_per_mwh[slot]:g}; {remedy}"
                )
                raise PlanInputError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trading:
    """The positions of a day and the terms on which they can still change.

    Raises
    ------
    PlanInputError
        If a series does not fit the quotes, or a position is negative.
    """

    position_wh: FloatArray
    """What is sold now, >= 0, shape (slots,). [Wh]"""
    tradable: BoolArray
    """Whether the interval's gate is still open, shape (slots,)."""
    quotes: Quotes
    """Prices; where the gate is closed only those of deviations count."""

    def __post_init__(self) -> None:
        slots = self.quotes.bid_per_mwh.shape[0]
        require_series("trading position_wh", self.position_wh, slots, minimum=0.0)
        if self.tradable.shape != (slots,):
            msg = f"trading tradable has shape {self.tradable.shape}, the quotes {slots} slots"
            raise PlanInputError(msg)

    def best_wh(self, net_export_wh: FloatArray) -> FloatArray:
        """Return the positions that cost least for what the fleet will deliver, shape (slots,).

        Parameters
        ----------
        net_export_wh : FloatArray, shape (slots,)
            What the fleet will deliver, < 0 when it imports. [Wh]

        Notes
        -----
        Above 0 the cost is convex with kinks at the present position and at the delivery; at 0 it
        jumps, because an interval without a position is not settled. So the best of those three is
        the best of all; of equal ones it is the first: no trade before a trade.
        """
        kept_wh, none_wh = self.position_wh, np.zeros_like(self.position_wh)
        choices_wh = (kept_wh, none_wh, np.maximum(net_export_wh, 0.0))
        costs = np.array([self.micro(wh, net_export_wh) for wh in choices_wh])
        best: FloatArray = np.choose(costs.argmin(axis=0), choices_wh)
        return np.where(self.tradable, best, kept_wh)

    def trade_micro(self, position_wh: FloatArray) -> FloatArray:
        """Return what moving to other positions costs, < 0 when it earns, (slots,). [micro]"""
        sold_wh = np.maximum(position_wh - self.position_wh, 0.0)
        bought_wh = np.maximum(self.position_wh - position_wh, 0.0)
        return self.quotes.ask_per_mwh * bought_wh - self.quotes.bid_per_mwh * sold_wh

    def micro(self, position_wh: FloatArray, net_export_wh: FloatArray) -> FloatArray:
        """Return the cost of trades and of expected deviations, shape (slots,). [micro]"""
        short_wh, over_wh = deviation_wh(position_wh, net_export_wh)
        deviation_micro = self.quotes.short_per_mwh * short_wh + self.quotes.over_per_mwh * over_wh
        return self.trade_micro(position_wh) + deviation_micro


def deviation_wh(
    position_wh: FloatArray, net_export_wh: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return what is missing from the positions and what exceeds them; nothing without one. [Wh]"""
    missing_wh = np.where(position_wh > 0, position_wh - net_export_wh, 0.0)
    return np.maximum(missing_wh, 0.0), np.maximum(-missing_wh, 0.0)
