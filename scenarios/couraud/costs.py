"""What panels and batteries cost, and in how many years they are paid for.

The paper takes its costs from its reference [37] and prints none of them. Two assumptions stand in:
the cost that its own table II implies, and public figures of the same years.
"""

from dataclasses import dataclass
from typing import Final

from scenarios.couraud.paper import HOMES, TABLE_II
from scenarios.simulation.arrangement import Arrangement

MONTHS: Final = 12
DAYS_OF_YEAR: Final = 365.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Installed cost of a home's assets; the aggregator's plant is in none, see `implied_cost`."""

    name: str
    """What it is called in a table."""
    source: str
    """Where it comes from."""
    panels_per_home: float = 0.0
    """Of a home's panels, whatever their rating. [GBP]"""
    panels_per_w: float = 0.0
    """Of panels by rating. [GBP/W]"""
    battery_per_home: float = 0.0
    """Of a home's battery, whatever its capacity. [GBP]"""
    battery_per_wh: float = 0.0
    """Of a battery by capacity. [GBP/Wh]"""

    def installed(
        self, arrangement: Arrangement, *, homes: int, panels_w: float, batteries_wh: float
    ) -> float:
        """Return what an arrangement's assets cost. [GBP]

        Parameters
        ----------
        arrangement : Arrangement
            What stands anywhere.
        homes : int
            Number of homes.
        panels_w : float
            Rating of all homes' panels. [W]
        batteries_wh : float
            Capacity of all homes' batteries. [Wh]
        """
        panels = self.panels_per_home * homes + self.panels_per_w * panels_w
        batteries = self.battery_per_home * homes + self.battery_per_wh * batteries_wh
        return panels * (arrangement.panels != "none") + batteries * (
            arrangement.batteries != "none"
        )


def implied_range(numbers: tuple[int, ...]) -> tuple[float, float]:
    """Return the lowest and highest cost that the paper's rounded ROI allows. [GBP]

    Parameters
    ----------
    numbers : tuple[int, ...]
        Scenarios with the same assets.

    Notes
    -----
    ROI is cost over a year's total. A printed 9 is anything from 8.5 to 9.5.
    """
    rows = [(TABLE_II[number].total * MONTHS, TABLE_II[number].roi_years) for number in numbers]
    years = [(total, roi) for total, roi in rows if roi is not None]
    low = max(total * (roi - 0.5) for total, roi in years)
    high = min(total * (roi + 0.5) for total, roi in years)
    return low, high


def implied_cost() -> Cost:
    """Return the cost per home that table II implies.

    Notes
    -----
    Scenarios 1 to 4 agree on one cost, though 2 to 4 have the aggregator's plant and 1 has none: so
    the paper left the plant out, and so do we.
    """
    with_battery = sum(implied_range((1, 2, 3, 4))) / 2 / HOMES
    panels = sum(implied_range((5,))) / 2 / HOMES
    return Cost(
        name="implied by the paper",
        source=f"table II's total x 12 x ROI: {panels:,.0f} GBP for a home's panels and "
        f"{with_battery - panels:,.0f} GBP for its battery",
        panels_per_home=panels,
        battery_per_home=with_battery - panels,
    )


PUBLIC_COST: Final = Cost(
    name="public figures",
    source="panels 1.70 GBP/W, the median of United Kingdom installations below 4 kW from April "
    "2017 to March 2018 (BEIS statistics of the MCS register); batteries 0.52 GBP/Wh installed (a "
    "British installer's published figure)",
    panels_per_w=1.70,
    battery_per_wh=0.52,
)
"""An assumption: what homes paid at the paper's time."""


def years_to_pay(cost: float, total: float, days: int) -> float | None:
    """Return the years in which a total of some days pays for a cost, None if it never does."""
    return cost / (total * DAYS_OF_YEAR / days) if cost > 0 and total > 0 else None
