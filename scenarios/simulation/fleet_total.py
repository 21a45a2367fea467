"""The figures of a run of many days: what `summary.json` holds."""

from collections.abc import Mapping, Sequence

from scenarios.simulation.payment import Payment

SUMS = (
    "plan_broken",
    "committed_wh",
    "delivered_wh",
    "missed_wh",
    "load_wh",
    "pv_wh",
    "plant_wh",
    "import_wh",
    "self_wh",
    "supplied_minutes",
    "home_minutes",
    "stored_change_wh",
    "uncommitted_export_wh",
    "reports",
    "refused_reports",
    "lost_reports",
    "decisions",
    "proved_decisions",
    "cap_excess_wh",
    "bill_baseline",
    "bill_panels_alone",
    "bill",
    "market_revenue",
    "imbalance_cost",
)
"""Figures of a day that add up; see `scenarios.simulation.fleet_records.day_figures`."""


def summary(
    asked: Mapping[str, object], days: Sequence[Mapping[str, object]], payment: Payment
) -> dict[str, object]:
    """Return a run's figures; the same inputs give the same values, resumed or not.

    Returns
    -------
    dict
        What was asked, sums over the days, rates as fractions; energies in Wh, money of the
        contract in micro-units, other money in the data's currency.
    """
    sums = {name: _sum(days, name) for name in SUMS}
    reduction = sums["bill_baseline"] - sums["bill"]
    committed_wh = sums["committed_wh"]
    return {
        "asked": dict(asked),
        **sums,
        "energy_balance_error_wh": max(_number(day, "energy_balance_error_wh") for day in days),
        "plans_proved": sum(day["plan_status"] == "proved" for day in days),
        "mean_export_error": sums["missed_wh"] / committed_wh if committed_wh else None,
        # A central site outside the homes' portfolio has no load.
        "self_consumption_rate": sums["self_wh"] / sums["load_wh"] if sums["load_wh"] else None,
        "self_supply_time_rate": sums["supplied_minutes"] / sums["home_minutes"],
        "bill_reduction": reduction,
        "total": reduction + sums["market_revenue"] - sums["imbalance_cost"],
        "revenue_micro": payment.revenue_micro,
        "credits_micro": int(payment.credits_micro.sum()),
        "fee_micro": payment.fee_micro,
        "dust_micro": payment.dust_micro,
        "loss_micro": payment.loss_micro,
    }


def _sum(days: Sequence[Mapping[str, object]], name: str) -> float:
    return sum(_number(day, name) for day in days)


def _number(day: Mapping[str, object], name: str) -> float:
    value = day[name]
    if not isinstance(value, int | float):
        msg = f"figure {name} of day {day.get('day')} is {value!r}; the run's files were changed"
        raise TypeError(msg)
    return value
