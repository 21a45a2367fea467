"""What the market pays for a day: revenue of commitments less the cost of imbalance."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from aggregator.errors import PlanInputError
from aggregator.series import require_series
from contracts.promise import Clearing, Delivery
from devices.arrays import FloatArray

ImbalanceRule = Literal["paper", "single_price"]
"""``paper``: |delivered − committed| × price, Couraud 2021 and the settlement contract.
``single_price``: (committed − delivered) × price, as Great Britain settles: a shortfall pays the
price and a surplus is paid it, both the other way round when it is negative."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketSettlement:
    """The market's account of a day; every array has shape (slots,).

    Notes
    -----
    An interval without commitment is not settled: what the fleet imports then is bought at retail
    (`aggregator.bills`), and what it exports then is paid by nobody. Its energy is reported.
    """

    revenue: FloatArray
    """E_c × π_e. [currency]"""
    imbalance_cost: FloatArray
    """Cost of the deviation, < 0 when it earns. [currency]"""
    deviation_wh: FloatArray
    """Delivered less committed net export, 0 where nothing was committed. [Wh]"""
    unpaid_export_wh: FloatArray
    """Net export in intervals without commitment, >= 0. [Wh]"""

    @property
    def net(self) -> float:
        """Revenue less imbalance cost of the whole day. [currency]"""
        return float((self.revenue - self.imbalance_cost).sum())


def settle_market(
    *,
    committed_wh: FloatArray,
    delivered_wh: FloatArray,
    price_per_mwh: FloatArray,
    imbalance_price_per_mwh: FloatArray,
    rule: ImbalanceRule = "paper",
) -> MarketSettlement:
    """Settle a day interval by interval.

    Parameters
    ----------
    committed_wh : FloatArray, shape (slots,)
        E_c, 0 where nothing was committed. [Wh]
    delivered_wh : FloatArray, shape (slots,)
        Net export of the whole fleet, < 0 when it imported. [Wh]
    price_per_mwh : FloatArray, shape (slots,)
        π_e, the clearing price. [currency/MWh]
    imbalance_price_per_mwh : FloatArray, shape (slots,)
        π_imbalance. [currency/MWh]
    rule : ImbalanceRule
        How a deviation is priced.
    """
    slots = committed_wh.shape[0]
    require_series("committed_wh", committed_wh, slots, minimum=0.0)
    require_series("delivered_wh", delivered_wh, slots)
    require_series("price_per_mwh", price_per_mwh, slots)
    require_series("imbalance_price_per_mwh", imbalance_price_per_mwh, slots)
    committed = committed_wh > 0
    deviation_wh = np.where(committed, delivered_wh - committed_wh, 0.0)
    return MarketSettlement(
        revenue=committed_wh * price_per_mwh / 1e6,
        imbalance_cost=imbalance_cost(deviation_wh, imbalance_price_per_mwh, rule=rule),
        deviation_wh=deviation_wh,
        unpaid_export_wh=np.where(committed, 0.0, np.maximum(delivered_wh, 0.0)),
    )


def imbalance_cost(
    deviation_wh: FloatArray, imbalance_price_per_mwh: FloatArray, *, rule: ImbalanceRule
) -> FloatArray:
    """Return the cost of delivering ``deviation_wh`` more than committed. [currency]

    Raises
    ------
    PlanInputError
        If the rule is not known.
    """
    charged_wh = {"paper": np.abs(deviation_wh), "single_price": -deviation_wh}
    if rule not in charged_wh:
        msg = f"imbalance rule is {rule!r}; choose one of {sorted(charged_wh)}"
        raise PlanInputError(msg)
    return charged_wh[rule] * imbalance_price_per_mwh / 1e6


def revenue_micro(
    *,
    commitment_wh: int,
    delivered_wh: int,
    price_micro_per_mwh: int,
    imbalance_price_micro_per_mwh: int,
) -> int:
    """Return one interval's revenue by the paper's rule, as the contract computes it. [micro]

    Notes
    -----
    (E_c·π_e − |delivered − E_c|·π_imbalance) / 10^6, rounded towards −∞ also when negative.
    Python's integers do not overflow, so the two agree wherever the contract's do not.
    """
    deviation_wh = abs(delivered_wh - commitment_wh)
    gross = commitment_wh * price_micro_per_mwh - deviation_wh * imbalance_price_micro_per_mwh
    return gross // 1_000_000


def due_micro(delivery: Delivery, clearing: Clearing) -> int:
    """Return what settling an interval draws from the aggregator's funds. [micro]"""
    revenue = revenue_micro(
        commitment_wh=delivery.commitment_wh,
        delivered_wh=delivery.delivered_wh,
        price_micro_per_mwh=clearing.price_micro_per_mwh,
        imbalance_price_micro_per_mwh=clearing.imbalance_price_micro_per_mwh,
    )
    return max(revenue, 0)
