"""The prices of Marchi 2022: energy and peak power, three of each.

``annual_cost(grid_import_w, step_s, start, prices, reading="printed") -> cost``. [EUR]

The paper prints Cost = E·p_e + (P·p_p)/12 with P "the maximum monthly peak" and p_p a yearly price
of a kilowatt, divided by 12 because it is paid monthly. As printed a whole year pays a single month
of its peak. ``reading="monthly"`` lets each month pay a twelfth of p_p for its own peak, which is
what the words lead one to expect; it is the bill of ``MarchiPrices.tariff``.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

import numpy as np

from devices.arrays import FloatArray
from scenarios.dispatch.tariff import SiteCharges, SiteTariff, TariffPeriod
from scenarios.dispatch.tariff_bill import cost

CostReading = Literal["printed", "monthly"]
"""How often a year pays for its peaks: once by the highest, or each month by its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MarchiPrices:
    """One of the paper's nine combinations."""

    energy_price_per_mwh: float
    """p_e. [EUR/MWh]"""
    peak_price_per_kw_year: float
    """p_p. [EUR/kW]"""

    def tariff(self) -> SiteTariff:
        """Return it as a tariff whose every month pays a twelfth of p_p for its peak."""
        period = TariffPeriod(name="all", import_price_per_mwh=self.energy_price_per_mwh)
        charges = SiteCharges(demand_price_per_kw_month=self.peak_price_per_kw_year / 12)
        return SiteTariff(periods=(period,), charges=charges)


COMBINATIONS: Final = tuple(
    MarchiPrices(energy_price_per_mwh=energy, peak_price_per_kw_year=peak)
    for energy in (100.0, 150.0, 200.0)
    for peak in (20.0, 50.0, 100.0)
)
"""The paper's nine: 0.10, 0.15, 0.20 EUR/kWh, each with 20, 50 and 100 EUR/kW a year."""


def annual_cost(
    grid_import_w: FloatArray,
    step_s: int,
    start: datetime,
    prices: MarchiPrices,
    *,
    reading: CostReading = "printed",
) -> float:
    """Return what a year's import costs. [EUR]

    Parameters
    ----------
    grid_import_w : FloatArray, shape (steps,)
        Means over the steps of a year, >= 0. [W]
    step_s : int
        Length of a step. [s]
    start : datetime
        When the first step begins, aware.
    prices : MarchiPrices
        One of `COMBINATIONS`, or others.
    reading : {"printed", "monthly"}
        How often the peak is paid.
    """
    bill = cost(
        grid_import_w,
        np.zeros_like(grid_import_w),
        step_s=step_s,
        start=start,
        tariff=prices.tariff(),
    )
    if reading == "monthly":
        return bill.total
    highest_kw = float(grid_import_w.max()) / 1000
    return bill.amount("energy") + highest_kw * prices.peak_price_per_kw_year / 12
