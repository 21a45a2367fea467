"""What Couraud 2021 printed, as data: table II and the sentences of section IV and V."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Printed:
    """A row of table II, per month."""

    bill_reduction: float
    """[GBP]"""
    market_revenue: float
    """[GBP]"""
    total: float
    """[GBP]"""
    roi_years: int | None
    """Years in which the total pays for the installation, in whole years; None for scenario 0."""


TABLE_II: Final[Mapping[int, Printed]] = {
    0: Printed(bill_reduction=0, market_revenue=0, total=0, roi_years=None),
    1: Printed(bill_reduction=2032, market_revenue=0, total=2032, roi_years=17),
    2: Printed(bill_reduction=0, market_revenue=2722, total=2722, roi_years=13),
    3: Printed(bill_reduction=2620, market_revenue=818, total=3438, roi_years=10),
    4: Printed(bill_reduction=2887, market_revenue=802, total=3689, roi_years=9),
    5: Printed(bill_reduction=1014, market_revenue=0, total=1014, roi_years=12),
}
"""By scenario."""
HOMES: Final = 70
"""Homes of the paper's fleet."""
OVER_CENTRAL: Final = 0.35
"""How much more scenario 4 earns than scenario 2."""
OVER_WIRE: Final = 0.07
"""How much more scenario 4 earns than scenario 3."""
EXPORT_ERROR: Final = 0.10
"""Bound on the mean export error of scenario 4 at t_sc = 5 min."""
SUPPLIED_TIME: Final[Mapping[int, float]] = {5: 0.28, 4: 0.64}
"""Share of time that homes supply themselves, by scenario."""
CONSUMPTION_RATE: Final[Mapping[int, float]] = {5: 0.22, 4: 0.41}
"""Self-consumed energy over consumption, by scenario."""
OWNED_SUPPLY: Final = 0.60
"""Part of the consumption that the aggregator's own sources supplied, section V."""
