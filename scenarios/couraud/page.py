"""The report beside the paper as one HTML file that loads nothing else."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from scenarios.couraud import words
from scenarios.couraud.cases import CASES
from scenarios.couraud.results import Result
from scenarios.couraud.table import Row
from scenarios.couraud.words import Prices
from scenarios.data.fleet_data import FleetData
from scenarios.report import markup
from scenarios.report.frame import framed, provenance
from scenarios.report.judged import Claim, Figure, claim_block, figure_block
from scenarios.report.quantity import decimal, money, money_micro, percent, plural


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """Everything that the report shows."""

    results: Mapping[int, Result]
    """By scenario."""
    table: Sequence[Row]
    """Table II and what stands beside it."""
    claims: Sequence[Claim]
    """The paper's, judged by the scenarios."""
    sensitivity: Sequence[Claim]
    """The paper's, judged by sweeps."""
    figures: Sequence[Figure]
    """The paper's, on our data."""
    prices: Prices
    """Of all half-hours."""
    data: FleetData
    """The first day's, for currency and provenance."""
    command: str
    """What makes it again."""


def report(found: Findings) -> str:
    """Return the report's HTML."""
    currency, data = found.data.currency, found.data
    days, homes = found.results[0].days, found.results[0].homes
    real = data.source == "real"
    parts = {
        "source": data.source,
        "label": "Real data, combined" if real else "Generated data: nothing was measured",
        "lead": escape(words.lead(found.results, found.claims, currency)),
        "provenance": provenance(data.provenance),
        "table_note": escape(words.table_note()),
        "money_table": _money_table(found.table, currency),
        "scenarios": markup.folded("What the scenarios are", markup.definitions(_about())),
        "claims": "\n".join(claim_block(claim) for claim in found.claims),
        "sensitivity": _sensitivity(found.sensitivity),
        "differs": markup.items(words.differences(found.results, found.prices, currency)),
        "supply_table": _supply_table(found.table),
        "figures": "\n".join(figure_block(figure) for figure in found.figures),
        "account_table": _account_table(found.table, currency),
        "definitions": markup.definitions(words.DEFINITIONS),
        "command": escape(found.command),
    }
    return framed(
        "scenarios.couraud",
        "page.html",
        parts,
        heading=f"Six scenarios of {plural(homes, 'home')} over {plural(days, 'day')}",
        charts=[figure.chart for figure in found.figures],
    )


def _about() -> list[tuple[str, str]]:
    return [(f"{number} {case.name}", case.about) for number, case in CASES.items()]


def _money_table(table: Sequence[Row], currency: str) -> str:
    """Return table II with the paper's figures in brackets."""

    def pair(row: Row, ours: str, printed: str) -> str:
        return f"{money(_float(row[ours]), currency, 0)} ({_float(row[printed]):,.0f})"

    return markup.table(
        "Over all days",
        [
            markup.row(
                _name(row),
                pair(row, "bill_reduction", "paper_bill_reduction"),
                pair(row, "market_net", "paper_market_revenue"),
                pair(row, "total", "paper_total"),
                f"{_years(row['roi_years_implied_cost'])} ({_years(row['paper_roi_years'], 0)})",
                _years(row["roi_years_public_cost"]),
                percent(_maybe(row["mean_export_error"])),
                kind="sum" if row["scenario"] == 4 else "",
            )
            for row in table
        ],
        (
            "Scenario",
            "Bill reduction",
            "Market, net",
            "Total",
            "Years, implied cost",
            "Years, public cost",
            "Export error",
        ),
    )


def _supply_table(table: Sequence[Row]) -> str:
    names = (
        "self_consumption_rate",
        "self_supplied_time",
        "no_import_rate",
        "no_import_time",
        "fleet_supply_rate",
        "fleet_supplied_time",
    )
    return markup.table(
        "Of the homes' consumption, and of the time",
        [
            markup.row(
                _name(row),
                *(percent(_maybe(row[name]), 0) for name in names),
                _years(row["peak_to_average_median"], 0),
            )
            for row in table
        ],
        (
            "Scenario",
            "Self-consumption",
            "Self-supplied time",
            "Without import, energy",
            "Without import, time",
            "By the portfolio, energy",
            "By the portfolio, time",
            "Peak to average, median",
        ),
    )


def _account_table(table: Sequence[Row], currency: str) -> str:
    def micro(row: Row, name: str) -> str:
        return money_micro(int(str(row[name])), currency, 6)

    return markup.table(
        "What the contract shared",
        [
            markup.row(
                _name(row),
                micro(row, "revenue_micro"),
                micro(row, "credits_micro"),
                micro(row, "fee_micro"),
                micro(row, "dust_micro"),
                f"{_float(row['energy_balance_error_wh']):.0e} Wh",
            )
            for row in table
        ],
        ("Scenario", "To share", "Members", "Aggregator's fee", "Rounding", "Energy gap"),
    )


def _sensitivity(claims: Sequence[Claim]) -> str:
    """Return what sweeps found, or how to run them."""
    if claims:
        return "\n".join(claim_block(claim) for claim in claims)
    return (
        '<p class="note">Not run. <code>gridpact sweep forecast</code> and '
        "<code>gridpact sweep t-sc</code> do it; this report finds their results.</p>"
    )


def _name(row: Row) -> str:
    return f"{row['scenario']} {row['name']}"


def _float(value: object) -> float:
    return float(str(value))


def _maybe(value: object) -> float | None:
    return None if value is None else _float(value)


def _years(value: object, digits: int = 1) -> str:
    return "–" if value is None else decimal(_float(value), digits)
