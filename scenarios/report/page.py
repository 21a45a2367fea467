"""The report of a fleet's day as one HTML file that loads nothing else."""

from collections.abc import Mapping
from html import escape
from pathlib import Path

from aggregator.files import write_text
from scenarios.report import markup, tables, words
from scenarios.report.chart import Chart
from scenarios.report.clock import zone_name
from scenarios.report.figures import Figures, maybe_number, number, whole
from scenarios.report.frame import framed, provenance
from scenarios.report.home_charts import earnings_chart, home_chart
from scenarios.report.market_charts import fleet_chart, price_chart
from scenarios.report.quantity import MICRO, kwh, money, money_micro, percent
from scenarios.report.series import HomeSeries, fleet_series, telling_homes
from scenarios.simulation.fleet_day import FleetDay


def write_report(  # noqa: PLR0917 -- five plain values, in the order of the page
    path: Path,
    day: FleetDay,
    figures: Mapping[str, object],
    timings: Mapping[str, float],
    chain: str,
) -> None:
    """Write the report of a day, whole or not at all.

    Parameters
    ----------
    path : Path
        The HTML file.
    day : FleetDay
        A day that was lived through.
    figures : Mapping[str, object]
        Its `scenarios.simulation.summary.summary`, with ``gas_per_report`` where gas is counted.
    timings : Mapping[str, float]
        ``plan_s`` and ``wall_s``, perhaps ``data_s``. [s]
    chain : str
        Name of the chain for a reader.

    Raises
    ------
    FileError
        If the folder is missing or refuses.
    ScenarioInputError
        If a figure is missing.
    """
    write_text(path, report(day, figures, timings, chain))


def report(day: FleetDay, figures: Figures, timings: Mapping[str, float], chain: str) -> str:
    """Return the report's HTML; the parameters are those of `write_report`."""
    fleet, homes = fleet_series(day), telling_homes(day)
    prices, promise, earned = price_chart(day, fleet), fleet_chart(day, fleet), earnings_chart(day)
    of_homes = [home_chart(day, home, fleet) for home in homes]
    parts = {
        "price_chart": markup.figure(prices),
        "fleet_note": escape(words.fleet_note(day, fleet)),
        "fleet_chart": markup.figure(promise),
        "interval_table": tables.interval_table(day),
        "homes_note": escape(words.homes_note(homes)),
        "home_charts": _home_blocks(homes, of_homes),
        "earned_note": escape(words.earned_note(day)),
        "split": _split(day, figures),
        "earnings_chart": markup.figure(earned),
        "earnings_table": tables.earnings_table(day, figures),
        "tables": _accounts(day, figures, timings, chain),
    }
    return framed(
        "scenarios.report",
        "page.html",
        _head(day, figures) | parts | _foot(day),
        heading=words.heading(day),
        charts=(prices, promise, *of_homes, earned),
    )


def _head(day: FleetDay, figures: Figures) -> dict[str, str]:
    """Return the page's summary and tiles."""
    return {
        "source": escape(day.data.source),
        "label": escape(words.source_label(day)),
        "lead": escape(words.lead(day, figures)),
        "provenance": provenance(day.data.provenance),
        "tiles": tiles(day, figures),
        "zone": escape(zone_name(day.data.market_grid)),
    }


def _foot(day: FleetDay) -> dict[str, str]:
    """Return definitions and the command."""
    return {
        "definitions": markup.definitions(words.DEFINITIONS),
        "command": escape(words.command(day)),
        "command_note": escape(words.command_note(day)),
    }


def tiles(day: FleetDay, figures: Figures) -> str:
    """Return the key figures."""
    currency = day.data.currency
    committed_wh, delivered_wh = number(figures, "committed_wh"), number(figures, "delivered_wh")
    revenue_micro, homes_micro = whole(figures, "revenue_micro"), words.homes_micro(day)
    reduction, baseline = number(figures, "bill_reduction"), number(figures, "bill_baseline")
    promised = sum(1 for delivery in day.deliveries if delivery.commitment_wh)
    perfect = maybe_number(figures, "mean_export_error_perfect_forecast")
    forecast = percent(day.rules.forecast_error, 0)
    error_more = f"with a forecast error of {forecast}" + (
        "" if perfect is None else f"; {percent(perfect)} with a perfect forecast"
    )
    error = percent(maybe_number(figures, "mean_export_error"))
    cost = money(number(figures, "imbalance_cost"), currency)
    loss_micro = whole(figures, "loss_micro")
    lost = f", and {money_micro(loss_micro, currency)} lost from the bond" if loss_micro else ""
    kept = percent(_ratio(delivered_wh, committed_wh))
    share, saved = percent(_ratio(homes_micro, revenue_micro)), percent(_ratio(reduction, baseline))
    own, alone = number(figures, "self_consumption_rate"), number(figures, "self_supply_time_rate")
    cells = (
        ("Mean export error", error, error_more),
        ("Promised", kwh(committed_wh), f"in {promised} of {len(day.deliveries)} half-hours"),
        ("Delivered", kwh(delivered_wh), f"in those half-hours, {kept} of the promise"),
        ("Revenue", money_micro(revenue_micro, currency), f"after {cost} for imbalance{lost}"),
        ("Homes’ share", share, f"{money_micro(homes_micro, currency)} of the revenue"),
        (
            "Bill reduction",
            money(reduction, currency),
            f"{saved} of {money(baseline, currency)}, the bill with neither panels nor batteries",
        ),
        ("Self-consumption", percent(own), "of the homes’ consumption"),
        ("Self-supplied time", percent(alone), "of all home-minutes"),
    )
    return "\n".join(markup.tile(*cell, first=not place) for place, cell in enumerate(cells))


def _ratio(part: float, whole_amount: float) -> float | None:
    return part / whole_amount if whole_amount > 0 else None


def _home_blocks(homes: tuple[HomeSeries, ...], charts: list[Chart]) -> str:
    return "\n".join(
        f'<div class="home"><h3>{escape(words.home_heading(home))}</h3>{markup.figure(chart)}</div>'
        for home, chart in zip(homes, charts, strict=True)
    )


def _split(day: FleetDay, figures: Figures) -> str:
    """Return the bar that shows whom the revenue went to."""
    amounts = (
        ("Homes", "credit", words.homes_micro(day)),
        ("Plant", "plant", words.plant_micro(day)),
        ("Aggregator’s fee", "fee", whole(figures, "fee_micro")),
    )
    total = sum(micro for _, _, micro in amounts)
    return markup.split_bar(
        [
            (name, role, micro, f"{_money(day, micro)} ({percent(_ratio(micro, total))})")
            for name, role, micro in amounts
        ]
    )


def _money(day: FleetDay, amount_micro: int) -> str:
    return money(amount_micro / MICRO, day.data.currency)


def _accounts(day: FleetDay, figures: Figures, timings: Mapping[str, float], chain: str) -> str:
    """Return the tables of the day's accounts."""
    return "\n".join(
        f"<div>{inner}</div>"
        for inner in (
            tables.money_table(day, figures),
            tables.energy_table(day, figures),
            tables.contract_table(day, figures, chain),
            tables.computing_table(day, figures, timings),
        )
    )
