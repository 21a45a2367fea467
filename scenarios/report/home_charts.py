"""Charts of homes: three days by the minute, and what every home earned."""

import numpy as np

from devices.arrays import IntArray
from scenarios.report.chart import (
    Chart,
    Json,
    Key,
    bands,
    heading,
    layout,
    line,
    rounded,
    time_axis,
    value_axis,
)
from scenarios.report.clock import minute_names, minutes_in
from scenarios.report.market_charts import soc_traces
from scenarios.report.quantity import MICRO, SYMBOLS
from scenarios.report.series import FleetSeries, HomeSeries
from scenarios.simulation.fleet_day import FleetDay

UPPER, LOWER = (0.44, 1.0), (0.0, 0.32)
"""Heights of the panels of power and state of charge."""


def home_chart(day: FleetDay, home: HomeSeries, fleet: FleetSeries) -> Chart:
    """Return one home's day: power above, state of charge below."""
    grid = day.data.market_grid
    names = minute_names(grid)
    return Chart(
        name=f"home-{home.home + 1}",
        description=(
            f"Home {home.home + 1} by the minute: production, load and power at the meter in kW; "
            "below, the state of charge of its battery against the fleet's plan."
        ),
        height_px=400,
        legend=(
            Key(label="PV", role="pv", mark="fill", traces=(0,)),
            Key(label="Load", role="load", mark="line", traces=(1,)),
            Key(label="Grid (> 0 imports)", role="meter", mark="line", traces=(2,)),
            Key(label="Battery's charge", role="soc", mark="line", traces=(3,)),
            Key(label="Planned charge SoCᴬ", role="ink", mark="dash", traces=(4,)),
            Key(label="Homes aim at it", role="ink", mark="point", traces=(5,)),
        ),
        traces=(
            *_power_traces(home, minutes_in(grid)),
            *soc_traces(grid, fleet.target_percent, fleet.steered),
        ),
        layout=layout(
            [heading("kW"), heading("State of charge, %", LOWER[1])],
            shapes=bands(fleet.promised, grid),
            xaxis=time_axis(grid, names, anchor="y", showticklabels=False),
            yaxis=value_axis(domain=UPPER),
            xaxis2=time_axis(grid, names, anchor="y2", matches="x"),
            yaxis2=value_axis(domain=LOWER, range=[0, 104], tickvals=[0, 50, 100]),
        ),
    )


def _power_traces(home: HomeSeries, minutes: int) -> list[Json]:
    """Return production, load, meter and charge."""
    at = range(minutes)
    watts = {"hovertemplate": "%{y:.2f} kW"}
    pv_style = {"width": 1.4}
    return [
        line(
            at,
            rounded(home.pv_kw, 3),
            "PV",
            "pv",
            line=pv_style,
            fill="tozeroy",
            fillcolor="@pv-fill",
            **watts,
        ),
        line(at, rounded(home.load_kw, 3), "Load", "load", line={"width": 1.1}, **watts),
        line(at, rounded(home.grid_kw, 3), "Grid", "meter", line={"width": 1.3}, **watts),
        line(
            range(minutes + 1),
            rounded(home.soc_percent, 1),
            "Battery",
            "soc",
            line={"width": 2.2},
            hovertemplate="%{y:.1f} %",
            xaxis="x2",
            yaxis="y2",
        ),
    ]


def earnings_chart(day: FleetDay) -> Chart:
    """Return each home's credit and bill reduction, the largest credit first."""
    order = np.argsort(-day.payment.credits_micro[:-1], kind="stable")
    aliases = {str(rank): f"Home {home + 1}" for rank, home in enumerate(order, start=1)}
    symbol = SYMBOLS.get(day.data.currency, f"{day.data.currency} ")
    return Chart(
        name="earnings",
        description=(
            "Bars of what every home was credited on the chain and by how much its bill fell, the "
            "home with the largest credit first; the table beneath holds the sums."
        ),
        height_px=320,
        legend=(
            Key(label="Credit, paid by the contract", role="credit", mark="fill", traces=(0,)),
            Key(label="Bill reduction", role="saving", mark="fill", traces=(1,)),
            Key(label="Together", role="ink", mark="point", traces=(2,)),
        ),
        traces=_earnings_traces(day, order, symbol),
        layout=layout(
            [heading(f"{day.data.currency} per home, sorted by credit")],
            barmode="relative",
            bargap=0.22,
            xaxis=_ranks_axis(aliases),
            yaxis=value_axis(tickprefix=symbol, tickformat=".2f"),
        ),
    )


def _earnings_traces(day: FleetDay, order: IntArray, symbol: str) -> tuple[Json, ...]:
    """Return bars of credits and bill reductions and marks of their sums."""
    credit = day.payment.credits_micro[:-1] / MICRO
    saving = day.bills.reduction
    common = {"x": list(range(1, len(order) + 1)), "hovertemplate": f"{symbol}%{{y:.3f}}"}
    bars = [
        {"type": "bar", "y": rounded(amount[order], 4), "name": name, **common}
        | {"marker": {"color": f"@{role}", "line": {"width": 0}}}
        for name, role, amount in (
            ("Credit", "credit", credit),
            ("Bill reduction", "saving", saving),
        )
    ]
    both = {
        "type": "scatter",
        "mode": "markers",
        "y": rounded((credit + saving)[order], 4),
        "name": "Together",
        "marker": {"color": "@ink", "symbol": "diamond", "size": 6 if len(order) < 40 else 4},
        **common,
    }
    return (*bars, both)


def _ranks_axis(aliases: dict[str, str]) -> Json:
    """Return the axis of homes: labelled if they are few, hovered always."""
    few = len(aliases) <= 10
    return {
        "labelalias": aliases,
        "hoverformat": "d",
        "tickformat": "d",
        "dtick": 1,
        "range": [0.4, len(aliases) + 0.6],
        "showticklabels": few,
        "showgrid": False,
        "zeroline": False,
        "fixedrange": True,
    }
