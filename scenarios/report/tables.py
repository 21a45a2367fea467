"""The page's tables: half-hours, earnings, money, energy, contract."""

from collections.abc import Mapping

from scenarios.report.clock import minute_names
from scenarios.report.figures import Figures, maybe_number, number, text, whole
from scenarios.report.markup import Row, folded, items, row, table
from scenarios.report.quantity import (
    MICRO,
    count,
    decimal,
    kwh,
    money,
    money_micro,
    percent,
    plural,
    seconds,
)
from scenarios.report.series import energy_balance
from scenarios.report.words import homes_micro, plant_micro
from scenarios.simulation.fleet_day import FleetDay

SHOWN_REFUSALS = 5
"""Refused reports that are quoted."""


def interval_table(day: FleetDay) -> str:
    """Return every half-hour: promise, delivery and prices."""
    data, rows = day.data, []
    names = minute_names(data.market_grid, data.market_grid.step_s // 60).values()
    for slot, (name, done) in enumerate(zip(names, day.deliveries, strict=False)):
        kept = done.commitment_wh > 0
        off_wh = done.delivered_wh - done.commitment_wh
        cells = (
            decimal(done.commitment_wh / 1000) if kept else "",
            decimal(done.delivered_wh / 1000),
            decimal(off_wh / 1000, plus=True) if kept else "",
            decimal(float(data.day_ahead_price_per_mwh[slot])),
            decimal(float(data.imbalance_price_per_mwh[slot])),
        )
        rows.append(row(name, *cells, kind="kept" if kept else "quiet"))
    heads = ("From", "Promised", "Net export", "Off by", "Market", "Imbalance")
    caption = f"Half-hours: energy in kWh, day-ahead and imbalance price in {data.currency}/MWh"
    inner = f'<div class="wide">{table(caption, rows, heads)}</div>'
    return folded(f"All {len(rows)} half-hours as a table", inner)


def earnings_table(day: FleetDay, figures: Figures) -> str:
    """Return what homes, plant and aggregator got."""
    currency = day.data.currency
    homes, plant, fee = homes_micro(day), plant_micro(day), whole(figures, "fee_micro")
    saved = number(figures, "bill_reduction")
    number_of = day.fleet.homes

    def amounts(name: str, paid_micro: float, saving: float | None, kind: str = "") -> Row:
        paid = paid_micro / MICRO
        shown = "" if saving is None else money(saving, currency)
        return row(
            name, money(paid, currency), shown, money(paid + (saving or 0.0), currency), kind=kind
        )

    return table(
        "Sums of the day",
        (
            amounts(plural(number_of, "home"), homes, saved),
            amounts("a home on average", homes / number_of, saved / number_of, "quiet"),
            amounts("The plant", plant, None),
            amounts("Aggregator's fee", fee, None),
            amounts("All", homes + plant + fee, saved, "sum"),
        ),
        ("Who", "Paid by the contract", "Bill reduction", "Together"),
    )


def money_table(day: FleetDay, figures: Figures) -> str:
    """Return the market's account and the contract's, which must agree to the micro-unit."""
    currency = day.data.currency
    keys = ("revenue_micro", "credits_micro", "fee_micro", "dust_micro", "loss_micro")
    revenue, credit, fee, dust, loss = (whole(figures, key) for key in keys)
    repaid = sum(settled.repaid_micro for settled in day.payment.settlements)
    unexplained = revenue - credit - fee - dust - repaid
    market, imbalance = number(figures, "market_revenue"), number(figures, "imbalance_cost")

    def exact(amount_micro: int) -> str:
        return money_micro(amount_micro, currency, digits=6)

    rows = [
        row("Promised energy at the day-ahead price", money(market, currency, 6)),
        row("less the cost of imbalance", money(imbalance, currency, 6)),
        row("The market's account, net", money(market - imbalance, currency, 6), kind="sum"),
        row("Revenue on the chain, half-hours rounded down", exact(revenue)),
        row("= credits of homes and plant", exact(credit)),
        row("+ the aggregator's fee", exact(fee)),
        row("+ dust of rounding, left in the contract", exact(dust)),
    ]
    if repaid:
        rows.append(row("+ repaid for earlier losses", exact(repaid)))
    rows += [
        row("Revenue not accounted for", exact(unexplained), kind="sum"),
        row("Losses of half-hours, taken from the bond", exact(loss)),
    ]
    return table("Money", rows)


def energy_table(day: FleetDay, figures: Figures) -> str:
    """Return the energy balance of homes, plant and fleet."""
    sums = energy_balance(day)
    counted_wh = sum(delivery.delivered_wh for delivery in day.deliveries)
    unpaid_wh = number(figures, "uncommitted_export_wh")
    rows = (
        row("Production of the homes' panels", kwh(sums.pv_wh, 1)),
        row("+ import at the homes' meters", kwh(sums.imported_wh, 1)),
        row("+ taken from storage", kwh(-sums.stored_wh, 1)),
        row("= load of the homes", kwh(sums.load_wh, 1)),
        row("+ export at the homes' meters", kwh(sums.exported_wh, 1)),
        row("+ lost in batteries", kwh(sums.lost_wh, 1)),
        row("Production of the plant", kwh(sums.plant_wh, 1)),
        row("Net export, homes and plant, by the meters", kwh(sums.net_export_wh, 1), kind="sum"),
        row("Net export that the contract counted", kwh(counted_wh, 1)),
        row("Exported without a promise, unpaid", kwh(unpaid_wh, 1), kind="quiet"),
        row("Largest gap in a home's minute", _tiny_wh(number(figures, "energy_balance_error_wh"))),
    )
    return table("Energy of the day", rows)


def _tiny_wh(energy_wh: float) -> str:
    """Return an error that should be rounding only."""
    return f"{energy_wh:.0e} Wh".replace("-", "−") if energy_wh else "0 Wh"


def contract_table(day: FleetDay, figures: Figures, chain: str) -> str:
    """Return what the contract did: its chain, reports, refusals and gas."""
    gas, rules = maybe_number(figures, "gas_per_report"), day.rules
    rows = (
        row("Chain", chain),
        row("Members: homes and the plant", count(len(day.fleet.accounts))),
        row("Time between two reports, t_sc", f"{rules.report_s / 60:g} min"),
        row("Reports the contract took", count(whole(figures, "reports"))),
        row("Reports it refused", count(whole(figures, "refused_reports"))),
        row("Gas per report", "not counted on this chain" if gas is None else count(gas)),
        row("Half-hours settled", count(len(day.payment.settlements))),
    )
    return table("Contract", rows) + _refusals(day)


def computing_table(day: FleetDay, figures: Figures, timings: Mapping[str, float]) -> str:
    """Return how good plan and decisions are known to be, and the time they took."""
    decisions, proved = whole(figures, "decisions"), whole(figures, "proved_decisions")
    rows = (
        row("Plan for the promise", text(figures, "plan_status")),
        row("Soft limits it had to break", count(whole(figures, "plan_broken"))),
        row("Time between two decisions, t_j", f"{day.rules.decide_s / 60:g} min"),
        row("Decisions of homes", count(decisions)),
        row("of them proved optimal", _part(proved, decisions), kind="quiet"),
        row("Energy over grid limits in decisions", kwh(number(figures, "cap_excess_wh"), 2)),
        *_timing_rows(timings),
    )
    return table("Planning and time", rows)


def _part(some: int, of: int) -> str:
    """Return a part as number and share; a share is 100 % only if nothing is missing."""
    if not of:
        return "–"
    share = percent(1.0, 0) if some == of else percent(min(some / of, 0.999))
    return f"{count(some)} ({share})"


def _timing_rows(timings: Mapping[str, float]) -> list[Row]:
    names = {
        "plan_s": "Day-ahead plan, built and solved in",
        "data_s": "Data read or generated in",
        "wall_s": "The whole run took",
    }
    return [row(name, seconds(timings[key])) for key, name in names.items() if key in timings]


def _refusals(day: FleetDay) -> str:
    """Return the first refused reports with their reasons, if any."""
    refusals = day.trace.refusals
    if not refusals:
        return ""
    more = len(refusals) - SHOWN_REFUSALS
    lines = [*refusals[:SHOWN_REFUSALS], *([f"and {plural(more, 'more')}"] if more > 0 else [])]
    return folded("Why reports were refused", items(lines))
