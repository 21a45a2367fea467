"""Charts of the market's side: prices, and the promise against what was delivered."""

import numpy as np

from contracts.timegrid import TimeGrid
from devices.arrays import BoolArray, FloatArray
from scenarios.report.chart import (
    Chart,
    Json,
    Key,
    bands,
    heading,
    layout,
    line,
    rounded,
    stepped,
    time_axis,
    value_axis,
)
from scenarios.report.clock import minute_names, minutes_in, slot_names
from scenarios.report.series import SPREAD, FleetSeries
from scenarios.simulation.fleet_day import FleetDay

SOC_STEP_MIN = 5
"""The fleet's state of charge is drawn at every fifth minute."""
UPPER, LOWER = (0.40, 1.0), (0.0, 0.30)
"""Heights of the panels of energy and state of charge."""


def price_chart(day: FleetDay, fleet: FleetSeries) -> Chart:
    """Return the day's three prices; `fleet` says which half-hours to shade."""
    grid, unit = day.data.market_grid, f"{day.data.currency}/MWh"
    rows = (
        ("Day-ahead market", "day-ahead", "solid", day.data.day_ahead_price_per_mwh),
        ("Retail import", "retail", "solid", day.data.import_price_per_mwh),
        ("Imbalance", "imbalance", "dot", day.data.imbalance_price_per_mwh),
    )
    traces = []
    for name, role, dash, price in rows:
        x, y = stepped(price, grid, 2)
        style = {"dash": dash, "shape": "hvh"}
        traces.append(line(x, y, name, role, line=style, hovertemplate="%{y:.1f} " + unit))
    return Chart(
        name="prices",
        description=(
            "Stepped lines of the day-ahead, retail import and imbalance price by local time, in "
            f"{unit}; the same prices are in the table of half-hours."
        ),
        height_px=280,
        legend=tuple(
            Key(label=name, role=role, mark="dot" if dash == "dot" else "line", traces=(place,))
            for place, (name, role, dash, _) in enumerate(rows)
        ),
        traces=tuple(traces),
        layout=layout(
            [heading(unit)],
            shapes=bands(fleet.promised, grid),
            xaxis=time_axis(grid, slot_names(grid)),
            yaxis=value_axis(),
        ),
    )


def fleet_chart(day: FleetDay, series: FleetSeries) -> Chart:
    """Return promise and delivery above the fleet's state of charge."""
    grid = day.data.market_grid
    names = minute_names(grid, SOC_STEP_MIN)
    energy = _energy_traces(grid, series)
    charge = soc_traces(grid, series.target_percent, series.steered)
    spread = _spread_traces(series, minutes_in(grid))
    first = len(energy)
    return Chart(
        name="fleet",
        description=(
            "Bars of the energy promised and delivered in each half-hour, lines of the surplus "
            "that was forecast and that would have been exported without batteries; below, the "
            "fleet's state of charge against its plan. The table of half-hours holds the values."
        ),
        height_px=560,
        legend=_fleet_legend(first),
        traces=(*energy, *spread, *charge),
        layout=layout(
            [
                heading("kWh per half-hour, net export of the fleet"),
                heading("State of charge, % of capacity", LOWER[1]),
            ],
            barmode="overlay",
            shapes=bands(series.promised, grid),
            xaxis=time_axis(grid, slot_names(grid), anchor="y", showticklabels=False),
            yaxis=value_axis(domain=UPPER),
            xaxis2=time_axis(grid, names, anchor="y2", matches="x"),
            yaxis2=value_axis(domain=LOWER, range=[0, 100], dtick=25),
        ),
    )


def _fleet_legend(first: int) -> tuple[Key, ...]:
    """Return the fleet chart's legend; the traces of charge begin at ``first``."""
    low, high = SPREAD
    return (
        Key(label="Promised", role="ink", mark="hollow", traces=(2,)),
        Key(label="Delivered on a promise", role="delivered", mark="fill", traces=(0,)),
        Key(label="Net export, nothing promised", role="idle", mark="fill", traces=(1,)),
        Key(label="Surplus forecast", role="forecast", mark="dot", traces=(3,)),
        Key(label="Surplus without batteries", role="actual", mark="line", traces=(4,)),
        Key(label="Fleet's charge", role="soc", mark="line", traces=(first + 2,)),
        Key(
            label=f"{low:.0f}th to {high:.0f}th percentile of homes",
            role="spread",
            mark="fill",
            traces=(first, first + 1),
        ),
        Key(label="Planned charge SoCᴬ", role="ink", mark="dash", traces=(first + 3,)),
        Key(label="Homes aim at it", role="ink", mark="point", traces=(first + 4,)),
    )


def _energy_traces(grid: TimeGrid, series: FleetSeries) -> list[Json]:
    """Return delivered, unpromised, promised, forecast and surplus."""
    step_min = grid.step_s // 60
    middles = list(range(step_min // 2, minutes_in(grid), step_min))
    promised = series.promised
    deviation = series.delivered_kwh - series.committed_kwh

    def bar(kwh: FloatArray, where: BoolArray, name: str, width: float, **extra: object) -> Json:
        y = [value if shown else None for value, shown in zip(rounded(kwh, 3), where, strict=True)]
        base = {"type": "bar", "x": middles, "y": y, "name": name, "width": width * step_min}
        return base | {"hovertemplate": "%{y:.1f} kWh"} | extra

    fill = {"marker": {"color": "@delivered", "line": {"width": 0}}}
    idle = {"marker": {"color": "@idle", "line": {"width": 0}}}
    hollow = {"marker": {"color": "rgba(0,0,0,0)", "line": {"color": "@ink", "width": 1.6}}}
    off = {"customdata": rounded(deviation, 3), "hovertemplate": _OFF}
    lines = []
    for kwh, name, role, style in (
        (series.forecast_kwh, "Surplus forecast", "forecast", {"dash": "dot", "width": 2}),
        (series.surplus_kwh, "Surplus without batteries", "actual", {"width": 1.6}),
    ):
        x, y = stepped(kwh, grid, 3)
        shape = {"shape": "hvh", **style}
        lines.append(line(x, y, name, role, line=shape, hovertemplate="%{y:.1f} kWh"))
    return [
        bar(series.delivered_kwh, promised, "Delivered", 0.8, **fill, **off),
        bar(series.delivered_kwh, ~promised, "Net export", 0.8, **idle),
        bar(series.committed_kwh, promised, "Promised", 1.0, **hollow),
        *lines,
    ]


_OFF = "%{y:.1f} kWh (%{customdata:+.1f})"


def _spread_traces(series: FleetSeries, minutes: int) -> list[Json]:
    """Return the homes' spread, lower edge first, and the fleet's charge."""
    at = range(0, minutes + 1, SOC_STEP_MIN)
    place = {"xaxis": "x2", "yaxis": "y2"}
    edge = {"line": {"width": 0}, "hoverinfo": "skip", **place}
    low, high, mean = (
        rounded(percent[::SOC_STEP_MIN], 1)
        for percent in (series.low_percent, series.high_percent, series.soc_percent)
    )
    return [
        line(at, low, "low", "spread", **edge),
        line(at, high, "high", "spread", fill="tonexty", fillcolor="@spread", **edge),
        line(at, mean, "Fleet", "soc", line={"width": 2.4}, hovertemplate="%{y:.1f} %", **place),
    ]


def soc_traces(grid: TimeGrid, target: FloatArray, steered: BoolArray) -> list[Json]:
    """Return SoC^A in the lower panel: the plan, and where homes aim at it."""
    step_min = grid.step_s // 60
    ends = np.arange(0, minutes_in(grid) + 1, step_min)
    place = {"xaxis": "x2", "yaxis": "y2"}
    aimed = np.flatnonzero(steered) + 1
    planned = line(
        ends.tolist(),
        rounded(target, 1),
        "Planned",
        "ink",
        line={"dash": "dash", "width": 1.4},
        hovertemplate="%{y:.1f} %",
        **place,
    )
    points = {
        "type": "scatter",
        "mode": "markers",
        "x": ends[aimed].tolist(),
        "y": rounded(target[aimed], 1),
        "name": "Aimed at",
        "marker": {"color": "@ink", "size": 6},
        "hoverinfo": "skip",
        **place,
    }
    return [planned, points]
