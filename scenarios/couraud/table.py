"""Table II and what stands beside it, a row per scenario: as JSON, as CSV and for the page."""

import csv
from collections.abc import Mapping, Sequence
from io import StringIO

import numpy as np

from scenarios.couraud.cases import CASES
from scenarios.couraud.costs import PUBLIC_COST, Cost, implied_cost, years_to_pay
from scenarios.couraud.paper import TABLE_II
from scenarios.couraud.results import Result

Row = dict[str, object]
"""A scenario's figures by name."""


def rows(
    results: Mapping[int, Result], *, panels_w: float, batteries_wh: float, currency: str
) -> list[Row]:
    """Return the table.

    Parameters
    ----------
    results : Mapping[int, Result]
        By the paper's number.
    panels_w : float
        Rating of all homes' panels. [W]
    batteries_wh : float
        Capacity of all homes' batteries. [Wh]
    currency : str
        Of the results; the costs are in pounds, so others have no years to pay.
    """
    costs = (("implied", implied_cost()), ("public", PUBLIC_COST)) if currency == "GBP" else ()
    return [
        _row(
            result,
            {
                name: _years(cost, result, panels_w=panels_w, batteries_wh=batteries_wh)
                for name, cost in costs
            },
        )
        for _, result in sorted(results.items())
    ]


def _years(cost: Cost, result: Result, *, panels_w: float, batteries_wh: float) -> float | None:
    arrangement = CASES[result.number].arrangement
    installed = cost.installed(
        arrangement, homes=result.homes, panels_w=panels_w, batteries_wh=batteries_wh
    )
    return years_to_pay(installed, result.total, result.days)


def _row(result: Result, years: Mapping[str, float | None]) -> Row:
    case, printed, supply = CASES[result.number], TABLE_II[result.number], result.supply
    peaks = result.peak_to_average
    return {
        "scenario": result.number,
        "name": case.name,
        "homes": result.homes,
        "days": result.days,
        "bill": result.bill,
        "bill_reduction": result.bill_reduction,
        "market_revenue": result.market_revenue,
        "imbalance_cost": result.imbalance_cost,
        "site_bill": result.site_bill,
        "market_net": result.market_net,
        "total": result.total,
        "plant_value": result.plant_value,
        "roi_years_implied_cost": years.get("implied"),
        "roi_years_public_cost": years.get("public"),
        "mean_export_error": result.export_error,
        "self_consumption_rate": supply.own_rate,
        "self_supplied_time": supply.own_time,
        "no_import_rate": supply.no_import_rate,
        "no_import_time": supply.no_import_time,
        "fleet_supply_rate": supply.fleet_rate,
        "fleet_supplied_time": supply.fleet_time,
        "peak_to_average_median": float(np.median(peaks)) if peaks.size else None,
        "revenue_micro": result.revenue_micro,
        "credits_micro": result.credits_micro,
        "fee_micro": result.fee_micro,
        "dust_micro": result.dust_micro,
        "energy_balance_error_wh": result.energy_balance_error_wh,
        "paper_bill_reduction": printed.bill_reduction,
        "paper_market_revenue": printed.market_revenue,
        "paper_total": printed.total,
        "paper_roi_years": printed.roi_years,
    }


def as_csv(table: Sequence[Row]) -> str:
    """Return the table as CSV, a line per scenario; empty where there is no value."""
    target = StringIO()
    writer = csv.DictWriter(target, list(table[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(table)
    return target.getvalue()
