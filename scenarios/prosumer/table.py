"""The study's runs, a row each: as JSON, as CSV and for the page."""

import csv
from collections.abc import Sequence
from io import StringIO

from scenarios.prosumer.beside import Found
from scenarios.prosumer.methods import METHODS
from scenarios.prosumer.study import Case, yearly_gain
from scenarios.report import markup
from scenarios.report.quantity import decimal, percent

Row = dict[str, object]
"""A run's figures by name."""
COLUMNS = (
    "Controller",
    "Gain",
    "Gain after ageing",
    "of MILP, same rights",
    "Import, kWh",
    "Export, kWh",
    "Peaks, kWh/h",
    "Cycles",
    "Ageing by use",
    "by time",
    "CPU a plan, ms",
)


def rows(found: Found) -> list[Row]:
    """Return a row for each run, in the order in which they were run."""
    return [_row(found, case.case) for case in found.outcomes.values()]


def _row(found: Found, case: Case) -> Row:
    outcome, base = found.outcomes[case.name], found.of("none", stretch=case.stretch)
    ageing = outcome.cycle_cost + outcome.calendar_cost
    gained = outcome.cash_flow - base.cash_flow
    best = Case(
        method="milp" if METHODS[case.method].trades else "milp_no_trade",
        forecast=case.forecast,
        stretch=case.stretch,
    )
    held = found.outcomes.get(best.name)
    most = 0.0 if held is None else held.cash_flow - base.cash_flow
    return {
        **outcome.plain(),
        "label": METHODS[case.method].label,
        "trades": METHODS[case.method].trades,
        "gain": gained,
        "gain_after_ageing": gained - ageing + base.cycle_cost + base.calendar_cost,
        "share_of_milp": gained / most if most > 0 else None,
        "yearly_gain": yearly_gain(found.outcomes, case),
    }


def as_csv(table: Sequence[Row]) -> str:
    """Return the table as CSV, a line per run; empty where there is no value."""
    target = StringIO()
    writer = csv.DictWriter(target, list(table[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(table)
    return target.getvalue()


def curves_csv(found: Found) -> str:
    """Return each run's cash flow since its first day, a line per day."""
    curves = {name: outcome.daily for name, outcome in found.outcomes.items()}
    days = max(len(daily) for daily in curves.values())
    target = StringIO()
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow(["day", *curves])
    for day in range(days):
        cells = [f"{curve[day]:.4f}" if day < len(curve) else "" for curve in curves.values()]
        writer.writerow([day + 1, *cells])
    return target.getvalue()


def html(found: Found, table: Sequence[Row], forecast: str, stretch: str) -> str:
    """Return the runs of a forecast and a stretch as a table."""
    shown = [
        row
        for row in table
        if row["stretch"] == stretch and (row["forecast"] == forecast or row["method"] == "none")
    ]
    caption = f"{forecast.capitalize()} forecasts; money in {found.currency}"
    return markup.table(caption, [_shown(row) for row in shown], COLUMNS)


def _shown(row: Row) -> markup.Row:
    def number(name: str, digits: int = 1) -> str:
        return decimal(float(str(row[name])), digits)

    def kwh(name: str, digits: int) -> str:
        return decimal(float(str(row[name])) / 1000, digits)

    share = row["share_of_milp"]
    short = "" if row["horizon_h"] == 72 else f", {row['horizon_h']} h"
    return markup.row(
        f"{row['label']}{short}",
        number("gain"),
        number("gain_after_ageing"),
        "–" if share is None else percent(float(str(share)), 0),
        kwh("import_wh", 0),
        kwh("export_wh", 0),
        f"{kwh('import_peak_wh', 2)} / {kwh('export_peak_wh', 2)}",
        number("cycles", 0),
        number("cycle_cost"),
        number("calendar_cost"),
        number("decision_ms", 3),
        kind="quiet" if row["method"] == "none" else "",
    )
