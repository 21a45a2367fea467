"""The report of a user's home as one HTML file that loads nothing else."""

from datetime import timedelta
from html import escape
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from scenarios.prosumer.my_home import HISTORY_H, NONE, Comparison, Earned, Home
from scenarios.prosumer.my_home_words import reasons, verdict
from scenarios.report import markup
from scenarios.report.chart import Chart, Key, heading, layout, line, rounded, value_axis
from scenarios.report.frame import framed, provenance
from scenarios.report.quantity import decimal, kwh, money

ROLES: Final = {
    "rules": "accent",
    "rules alone": "idle",
    "worth": "actual",
    "trade": "forecast",
}
"""Colour of each controller's line."""
MARKS: Final = 6
"""Labels of the axis of days."""


def page(found: Comparison, home: Home) -> str:
    """Return the report's HTML."""
    currency, chart = home.series.currency, _chart(found, home)
    best = found.best(trades=False)
    told = verdict(found, currency)
    parts = {
        "lead": escape(told[0]),
        "provenance": provenance(home.series.provenance),
        "verdict": markup.items(told[1:]),
        "reasons": _reasons(best, found.of(NONE, knows_all=False), currency),
        "chart": markup.figure(chart),
        "table": _table(found, currency),
        "definitions": markup.definitions(
            {each.controller: each.about for each in found.earned}.items()
        ),
    }
    return framed(
        "scenarios.prosumer", "my_home.html", parts, heading=_heading(home), charts=[chart]
    )


def _heading(home: Home) -> str:
    bank = home.bank
    return f"One home, {kwh(float(bank.capacity_wh[0]))}: which controller earns most"


def _reasons(best: Earned, none: Earned, currency: str) -> str:
    if best is none:
        return ""
    rows = [
        markup.row(part.about, money(part.amount, currency))
        for part in reasons(best, none, currency)
    ]
    total = markup.row("Together", money(best.net - none.net, currency), kind="sum")
    return markup.table(f"{best.controller} beside self-consumption", [*rows, total])


def _table(found: Comparison, currency: str) -> str:
    bare = money(found.without_battery, currency)
    rows = [
        markup.row("no battery", "", bare, bare, *[""] * 5, kind="quiet"),
        *(_row(each, currency) for each in found.earned),
    ]
    heads = ("Controller", "Knows", "Net", "Cash flow", "Ageing", "Import", "Export", "Cycles")
    return markup.table(f"Over {found.hours} hours", rows, (*heads, "Peak import"))


def _row(each: Earned, currency: str) -> markup.Row:
    return markup.row(
        each.controller,
        "all" if each.knows_all else "its past",
        money(each.net, currency),
        money(each.cash_flow, currency),
        money(each.ageing_cost, currency),
        kwh(each.import_kwh * 1e3),
        kwh(each.export_kwh * 1e3),
        decimal(each.full_cycles, 0),
        f"{each.peak_import_w / 1e3:.2f} kW",
    )


def _chart(found: Comparison, home: Home) -> Chart:
    """Return what controllers earned beyond none, summed up by day."""
    base = np.array(found.of(NONE, knows_all=False).daily_cash_flow)
    shown = [each for each in found.earned if not each.knows_all and each.controller in ROLES]
    days = range(base.size)
    zone = ZoneInfo(home.series.zone)
    first = home.series.grid.start + timedelta(hours=HISTORY_H)
    dates = [(first + timedelta(days=day)).astimezone(zone) for day in days]
    names = [f"{date.day} {date:%b %Y}" for date in dates]
    marks = list(days)[:: max(1, base.size // MARKS)]
    unit = home.series.currency
    return Chart(
        name="earned",
        description="Lines of what each controller earned beyond self-consumption, summed up day "
        f"by day, in {unit}.",
        height_px=320,
        legend=tuple(
            Key(label=each.controller, role=ROLES[each.controller], mark="line", traces=(place,))
            for place, each in enumerate(shown)
        ),
        traces=tuple(
            line(
                days,
                rounded(np.cumsum(np.array(each.daily_cash_flow) - base), 2),
                each.controller,
                ROLES[each.controller],
                hovertemplate=f"%{{y:.2f}} {unit}",
            )
            for each in shown
        ),
        layout=layout(
            [heading(unit)],
            xaxis={
                "tickmode": "array",
                "tickvals": marks,
                "ticktext": [names[mark] for mark in marks],
                "labelalias": {str(day): name for day, name in zip(days, names, strict=True)},
                "hoverformat": "d",
                "tickangle": 0,
                "showgrid": False,
                "zeroline": False,
                "linecolor": "@rule",
            },
            yaxis=value_axis(),
        ),
    )
