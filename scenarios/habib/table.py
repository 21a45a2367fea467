"""The study's figures by controller: as JSON, as CSV and for the page."""

import csv
from collections.abc import Sequence
from dataclasses import asdict
from io import StringIO
from typing import Final

from scenarios.habib.breaks import Break
from scenarios.habib.methods import METHODS
from scenarios.habib.study import SKIES, Found
from scenarios.report import markup
from scenarios.report.quantity import decimal, percent

Row = dict[str, object]
"""A run's figures by name."""
COLUMNS: Final = (
    "Controller",
    "Cost, EUR",
    "at the market's price, EUR",
    "Island time",
    "Mean |\u2060ΔSoC| a cycle",  # no line ends after the first bar
    "Change of ΔSoC",
    "Outside the window",
    "Overloaded",
    "Switchings",
    "Import, kWh",
    "Export, kWh",
    "Curtailed, kWh",
    "Cycles",
)
SUMS: Final = ("cost", "cost_at_market", "import_wh", "export_wh", "curtailed_wh", "unserved_wh")
"""What is of a whole run; shown for a test, or for a day of longer runs."""
RATES: Final = ("switchings", "cycles")
"""What is of a day."""


def rows(found: Found) -> list[Row]:
    """Return a row for each run: the two days, then all tests, the month and the year."""
    shown = [
        _row(sky, method, found.shown[sky, method].figures) for sky in SKIES for method in METHODS
    ]
    return shown + [
        _row(stretch, method, found.mean(stretch, method))
        for stretch in found.stretches
        for method in METHODS
    ]


def _row(stretch: str, method: str, figures: dict[str, float]) -> Row:
    """Return a run's figures, those that grow with time for a test or for a day."""
    test = figures["days"] < 1
    told = dict(figures)
    for name in SUMS:
        told[name] = figures[name] / (1 if test else figures["days"])
    for name in RATES:
        told[name] = figures[name] * (figures["days"] if test else 1)
    return {"stretch": stretch, "method": method, "label": METHODS[method].label, **told}


def as_csv(table: Sequence[Row]) -> str:
    """Return the table as CSV, a line per run."""
    target = StringIO()
    writer = csv.DictWriter(target, list(table[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(table)
    return target.getvalue()


def html(table: Sequence[Row], stretch: str, caption: str) -> str:
    """Return the runs of a stretch as a table."""
    shown = [_shown(row) for row in table if row["stretch"] == stretch]
    return markup.table(caption, shown, COLUMNS)


def _shown(row: Row) -> markup.Row:
    def value(name: str) -> float:
        return float(str(row[name]))

    return markup.row(
        # a line may end after a comma only
        str(row["label"]).replace(" ", "\u00a0").replace(",\u00a0", ", "),
        decimal(value("cost"), 2),
        decimal(value("cost_at_market"), 2),
        percent(value("island_share"), 0),
        percent(value("soc_step"), 2),
        percent(value("soc_turn"), 2),
        percent(value("outside_share"), 1),
        percent(value("overload_share"), 1),
        decimal(value("switchings"), 1),
        decimal(value("import_wh") / 1000, 1),
        decimal(value("export_wh") / 1000, 1),
        decimal(value("curtailed_wh") / 1000, 2),
        decimal(value("cycles"), 2),
        kind="quiet" if METHODS[str(row["method"])].yardstick else "",
    )


def break_rows(found: Found) -> list[Row]:
    """Return how limits fared, a row per controller, cycle and limit."""
    told = []
    for each in found.broken:
        row = asdict(each)
        chance = row.pop("chance")
        told.append(row | {f"chance_{name}": value for name, value in chance.items()})
    return told


def breaks_html(found: Found, cycle_min: int) -> str:
    """Return how limits fared at one length of cycle as a table."""
    heads = (
        "Controller and limit",
        "Cycles in which it held",
        "Chance that it breaks",
        "95 % interval",
        "Times",
        "Median, min",
        "Longest, min",
        "Worst, charge or power",
    )
    shown = [_break_row(each) for each in found.broken if each.cycle_min == cycle_min]
    return markup.table(f"Cycles of {cycle_min} minutes", shown, heads)


def _break_row(each: Break) -> markup.Row:
    unit = "kW" if each.kind == "overload" else "%"
    scale = 1e-3 if each.kind == "overload" else 100.0
    return markup.row(
        f"{METHODS[each.method].label}: {each.kind}",
        f"{each.cycles:,d}",
        percent(each.chance.value, 2),
        f"{decimal(100 * each.chance.low, 2)}–{percent(each.chance.high, 2)}",
        f"{each.times:,d}",
        decimal(each.median_min, 0),
        decimal(each.longest_min, 0),
        f"{decimal(each.worst * scale, 2)} {unit}" if each.times else "–",
        kind="quiet" if METHODS[each.method].yardstick else "",
    )
