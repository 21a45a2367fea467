"""What the report says in words, from the figures alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow.parquet as pq

from aggregator.bills import WIRE_PRICE_SHARE
from scenarios.couraud.costs import PUBLIC_COST, implied_cost
from scenarios.couraud.paper import HOMES, TABLE_II
from scenarios.couraud.results import Result
from scenarios.report.judged import Claim
from scenarios.report.quantity import money, percent, plural
from scenarios.simulation.fleet_records import INTERVALS

MONTH_DAYS: Final = 30

DEFINITIONS: Final = (
    (
        "Bill reduction",
        "What the homes would pay for their load alone, scenario 0, less what they pay. Import and "
        "export of a half-hour are netted; export without a commitment earns nothing.",
    ),
    (
        "Market, net",
        "Committed energy at the day-ahead price, less |delivered − committed| at the imbalance "
        "price and what a central site pays for its own draw. The aggregator's plant is in it.",
    ),
    (
        "Years",
        "Installed cost of panels and batteries over a year's total. The plant's cost is left out: "
        "the paper's table allows no other reading.",
    ),
    (
        "Self-consumption, self-supplied time",
        "Energy that own panels and battery gave to the load, over the load; and the minutes in "
        "which they gave all of it.",
    ),
    (
        "Without import",
        "The same, but a minute's import counts against the home even where it charges the "
        "battery: a home that stores the plant's surplus imports it through its meter.",
    ),
    (
        "By the portfolio",
        "Load that the portfolio as a whole, with its plant, did not buy from outside in the same "
        "half-hour: supplied at home or over the private wire. Of the time: minutes that the home "
        "covers itself, or in half-hours in which the portfolio buys nothing.",
    ),
    (
        "Peak to average",
        "A home's greatest minute of import over its mean import.",
    ),
)
"""Terms and what they mean."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """Prices of all half-hours."""

    day_ahead_mean: float
    """[currency/MWh]"""
    retail_mean: float
    """[currency/MWh]"""
    negative_retail: int
    """Half-hours in which a home is paid to import."""
    slots: int
    """Half-hours in all."""


def read_prices(folder: Path) -> Prices:
    """Return the prices of a scenario's days."""
    columns = ["day_ahead_price_per_mwh", "import_price_per_mwh"]
    tables = [
        pq.read_table(path, columns=columns) for path in sorted((folder / INTERVALS).glob("*"))
    ]
    market, retail = (
        [float(price) for table in tables for price in table[name].to_pylist()] for name in columns
    )
    return Prices(
        day_ahead_mean=sum(market) / len(market),
        retail_mean=sum(retail) / len(retail),
        negative_retail=sum(price < 0 for price in retail),
        slots=len(retail),
    )


def lead(results: Mapping[int, Result], claims: Sequence[Claim], currency: str) -> str:
    """Return the result in two sentences."""
    best = max(results.values(), key=lambda result: result.total)
    held = sum(claim.verdict == "holds" for claim in claims)
    part = sum(claim.verdict == "holds in part" for claim in claims)
    four = money(results[4].total, currency, 0)
    first = (
        f"The framework, scenario 4, brings the most: {four} in {plural(best.days, 'day')}."
        if best.number == 4
        else f"Scenario {best.number} brings the most, {money(best.total, currency, 0)} in "
        f"{plural(best.days, 'day')}; the framework, scenario 4, brings {four}."
    )
    small = smaller_than_the_paper(homes=best.homes, days=best.days)
    return (
        f"{first} Of {len(claims)} claims of the paper {held} hold on these data, {part} in part, "
        f"{len(claims) - held - part} not." + (f" {small}" if small else "")
    )


def smaller_than_the_paper(*, homes: int, days: int) -> str:
    """Return what to make of a run that is smaller than the paper's; empty where it is not."""
    if homes >= HOMES and days >= MONTH_DAYS:
        return ""
    return (
        f"The paper lives through {MONTH_DAYS} days of {HOMES} homes: a smaller run shows how "
        "it works, not what holds."
    )


def table_note() -> str:
    """Return what to know when reading the table."""
    return (
        "Ours, then the paper's figure in brackets, which is in pounds for its own month. "
        f"Years: with the cost that the paper implies ({implied_cost().source}), then with public "
        f"figures ({PUBLIC_COST.source}). Both are assumptions: the paper prints no cost."
    )


def differences(results: Mapping[int, Result], prices: Prices, currency: str) -> list[str]:
    """Return what differs between the paper's data and ours, as far as it can be known."""
    zero = results[0]
    per_home = zero.baseline / zero.homes * MONTH_DAYS / zero.days
    least = TABLE_II[3].bill_reduction / (1 - WIRE_PRICE_SHARE) / HOMES
    ratio = results[5].supply.production_ratio
    return [
        "Homes, sun and prices are not the paper's: its measurements are not public. Where ours "
        "come from is said above. Battery, plant, intervals, forecast error, t_sc, private wire "
        "and imbalance rule are the paper's.",
        f"A home's bill without any assets is {money(per_home, currency)} for {MONTH_DAYS} days "
        f"here. The paper's must be {money(least, 'GBP')} or more, for in its scenario 3 a "
        f"home can save no more than {percent(1 - WIRE_PRICE_SHARE, 0)} of it. So our amounts are "
        "smaller throughout, and only ratios compare.",
        f"Our panels make {ratio:.2f} times what the homes use. The paper prints no production, "
        f"but its scenario 5 supplies 22 % of the consumption and ours "
        f"{percent(results[5].supply.own_rate, 0)}: there is more to sell and to store here.",
        f"The day-ahead price is {money(prices.day_ahead_mean, currency)} per MWh on average, "
        f"retail {money(prices.retail_mean, currency)}; in {prices.negative_retail} of "
        f"{prices.slots} half-hours a home is paid to import. The plan then moves energy to and "
        "fro on purpose.",
        "At least one of the paper's homes has a wind turbine; all of ours have panels.",
    ]
