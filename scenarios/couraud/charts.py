"""The paper's figures 5, 6, 9 and 10 on our data, as charts of the report."""

from collections.abc import Mapping

import numpy as np

from contracts.timegrid import TimeGrid
from devices.arrays import FloatArray
from scenarios.couraud.days import Columns, Day
from scenarios.couraud.results import Result
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

UPPER, LOWER = (0.46, 1.0), (0.0, 0.34)
"""Heights of two panels."""
BEFORE, AFTER = 5, 4
"""Scenarios that the paper compares for the grid: PV alone, and the framework."""


def price_chart(day: Day, currency: str) -> Chart:
    """Return figure 5.a: the day-ahead price."""
    grid, unit = day.grid, f"{currency}/MWh"
    x, y = stepped(day.slots["day_ahead_price_per_mwh"], grid, 2)
    step = {"shape": "hvh"}
    return Chart(
        name="figure-5a",
        description=f"Stepped line of the day-ahead price by local time, in {unit}.",
        height_px=220,
        legend=(Key(label="Day-ahead price", role="day-ahead", mark="line", traces=(0,)),),
        traces=(line(x, y, "Day-ahead", "day-ahead", line=step, hovertemplate=_unit(unit, 1)),),
        layout=layout(
            [heading(unit)],
            shapes=bands(day.slots["commitment_wh"] > 0, grid),
            xaxis=time_axis(grid, slot_names(grid)),
            yaxis=value_axis(),
        ),
    )


def forecast_chart(day: Day) -> Chart:
    """Return figure 5.b: forecast demand and production, and what was sold."""
    grid, slots = day.grid, day.slots
    rows = (
        ("Forecast production", "pv", "forecast_production_wh"),
        ("Forecast demand", "load", "forecast_demand_wh"),
        ("Committed export", "accent", "commitment_wh"),
    )
    return Chart(
        name="figure-5b",
        description="Stepped lines of the fleet's forecast production and demand and of the export "
        "it committed to, in kWh per half-hour.",
        height_px=280,
        legend=tuple(
            Key(label=name, role=role, mark="line", traces=(place,))
            for place, (name, role, _) in enumerate(rows)
        ),
        traces=tuple(_steps(slots[column] / 1000, grid, name, role) for name, role, column in rows),
        layout=layout(
            [heading("kWh per half-hour")],
            shapes=bands(slots["commitment_wh"] > 0, grid),
            xaxis=time_axis(grid, slot_names(grid)),
            yaxis=value_axis(),
        ),
    )


def delivery_chart(day: Day) -> Chart:
    """Return figure 5.c: committed against delivered."""
    grid, slots = day.grid, day.slots
    step_min = grid.step_s // 60
    promised = slots["commitment_wh"] > 0
    bar: Json = {
        "type": "bar",
        "x": list(range(step_min // 2, minutes_in(grid), step_min)),
        "width": 0.8 * step_min,
        "hovertemplate": _unit("kWh", 1),
    }
    delivered = rounded(slots["delivered_wh"] / 1000, 3)

    def shown(where: np.ndarray, name: str, role: str) -> Json:
        y = [value if show else None for value, show in zip(delivered, where, strict=True)]
        return bar | {"y": y, "name": name, "marker": {"color": f"@{role}", "line": {"width": 0}}}

    return Chart(
        name="figure-5c",
        description="Bars of the fleet's net export in each half-hour and the line of what it had "
        "committed to, in kWh.",
        height_px=300,
        legend=(
            Key(label="Committed", role="ink", mark="line", traces=(2,)),
            Key(label="Delivered on it", role="delivered", mark="fill", traces=(0,)),
            Key(label="Net export, nothing committed", role="idle", mark="fill", traces=(1,)),
        ),
        traces=(
            shown(promised, "Delivered", "delivered"),
            shown(~promised, "Net export", "idle"),
            _steps(slots["commitment_wh"] / 1000, grid, "Committed", "ink"),
        ),
        layout=layout(
            [heading("kWh per half-hour, net export of the fleet")],
            barmode="overlay",
            shapes=bands(promised, grid),
            xaxis=time_axis(grid, slot_names(grid)),
            yaxis=value_axis(),
        ),
    )


def home_chart(day: Day, number: int, capacity_wh: float) -> Chart:
    """Return figure 6 for one home: demand and production above its state of charge."""
    grid, home = day.grid, day.member(number)
    minutes = range(minutes_in(grid))
    below = {"xaxis": "x2", "yaxis": "y2"}
    soc = 100 * home["stored_wh"] / capacity_wh
    return Chart(
        name=f"figure-6-{number + 1}",
        description=f"Home {number + 1} by the minute: production and demand in kW; below, the "
        "state of charge of its battery in per cent.",
        height_px=360,
        legend=(
            Key(label="Production", role="pv", mark="fill", traces=(0,)),
            Key(label="Demand", role="load", mark="line", traces=(1,)),
            Key(label="State of charge", role="soc", mark="line", traces=(2,)),
        ),
        traces=(
            line(
                minutes,
                rounded(home["pv_w"] / 1000, 3),
                "Production",
                "pv",
                line={"width": 1.2},
                fill="tozeroy",
                fillcolor="@pv-fill",
                hovertemplate=_unit("kW", 2),
            ),
            _minutes(home["load_w"], "Demand", "load", width=1.1),
            line(
                minutes,
                rounded(soc, 1),
                "SoC",
                "soc",
                line={"width": 2.0},
                hovertemplate="%{y:.1f} %",
                **below,
            ),
        ),
        layout=_two_panels(day, "kW", "State of charge, %", range=[0, 104]),
    )


def fleet_chart(days: Mapping[int, Day]) -> Chart:
    """Return figure 9.a: the whole portfolio's power with PV alone and in the framework."""
    return _compared(
        days,
        {number: _fleet_w(day.minutes) for number, day in days.items()},
        name="figure-9a",
        description="Net power of the whole fleet by the minute, > 0 taken from the grid, with PV "
        "alone and in the framework with its plant, in kW; below, the day-ahead price.",
    )


def home_power_chart(days: Mapping[int, Day], number: int) -> Chart:
    """Return figure 10: one home's power at its meter with PV alone and in the framework."""
    return _compared(
        days,
        {each: day.member(number)["grid_w"] for each, day in days.items()},
        name="figure-10",
        description=f"Power at the meter of home {number + 1} by the minute, > 0 imports, with PV "
        "alone and in the framework, in kW; below, the day-ahead price.",
    )


def peaks_chart(results: Mapping[int, Result]) -> Chart:
    """Return figure 9.b: each home's peak-to-average ratio before and after."""
    before, after = (results[number].peak_to_average for number in (BEFORE, AFTER))
    order = np.argsort(after, kind="stable")
    names = {str(rank): f"Home {home + 1}" for rank, home in enumerate(order, start=1)}
    ranks = list(range(1, order.size + 1))
    return Chart(
        name="figure-9b",
        description="Peak-to-average ratio of each home's import, with PV alone and in the "
        "framework, homes in the order of the latter.",
        height_px=280,
        legend=(
            Key(label="PV alone (5)", role="saving", mark="point", traces=(0,)),
            Key(label="The framework (4)", role="ink", mark="point", traces=(1,)),
        ),
        traces=tuple(
            {
                "type": "scatter",
                "mode": "markers",
                "x": ranks,
                "y": rounded(values[order], 1),
                "name": name,
                "marker": {"color": f"@{role}", "size": 6, "symbol": symbol},
                "hovertemplate": "%{y:.0f}",
            }
            for values, name, role, symbol in (
                (before, "PV alone", "saving", "circle"),
                (after, "Framework", "ink", "diamond"),
            )
        ),
        layout=layout(
            [heading("Greatest minute of import over its mean; homes sorted")],
            xaxis={
                "labelalias": names,
                "range": [0.4, order.size + 0.6],
                "showticklabels": False,
                "showgrid": False,
                "zeroline": False,
                "fixedrange": True,
            },
            yaxis=value_axis(rangemode="tozero"),
        ),
    )


def _compared(
    days: Mapping[int, Day], power_w: Mapping[int, FloatArray], *, name: str, description: str
) -> Chart:
    """Return two powers above the price."""
    day = days[AFTER]
    x, price = stepped(day.slots["day_ahead_price_per_mwh"], day.grid, 2)
    below = {"xaxis": "x2", "yaxis": "y2"}
    return Chart(
        name=name,
        description=description,
        height_px=400,
        legend=(
            Key(label="PV alone (5)", role="saving", mark="line", traces=(0,)),
            Key(label="The framework (4)", role="ink", mark="line", traces=(1,)),
            Key(label="Day-ahead price", role="day-ahead", mark="line", traces=(2,)),
        ),
        traces=(
            _minutes(power_w[BEFORE], "PV alone", "saving", width=1.3),
            _minutes(power_w[AFTER], "Framework", "ink", width=1.3),
            line(
                x,
                price,
                "Price",
                "day-ahead",
                line={"shape": "hvh"},
                hovertemplate="%{y:.1f}",
                **below,
            ),
        ),
        layout=_two_panels(day, "kW, > 0 is taken from the grid", "Day-ahead price per MWh"),
    )


def _two_panels(day: Day, above: str, below: str, **lower: object) -> Json:
    grid = day.grid
    names = minute_names(grid)
    return layout(
        [heading(above), heading(below, LOWER[1])],
        shapes=bands(day.slots["commitment_wh"] > 0, grid),
        xaxis=time_axis(grid, names, anchor="y", showticklabels=False),
        yaxis=value_axis(domain=UPPER),
        xaxis2=time_axis(grid, names, anchor="y2", matches="x"),
        yaxis2=value_axis(domain=LOWER, nticks=4, **lower),
    )


def _fleet_w(minutes: Columns) -> FloatArray:
    """Return the power that homes and plant together take from the grid. [W]"""
    power_w: FloatArray = minutes["grid_w"] - minutes["plant_w"]
    return power_w


def _minutes(power_w: FloatArray, name: str, role: str, *, width: float) -> Json:
    style = {"width": width}
    y = rounded(power_w / 1000, 3)
    return line(range(len(y)), y, name, role, line=style, hovertemplate=_unit("kW", 2))


def _steps(energy_kwh: FloatArray, grid: TimeGrid, name: str, role: str) -> Json:
    x, y = stepped(energy_kwh, grid, 3)
    style = {"shape": "hvh", "width": 1.8}
    return line(x, y, name, role, line=style, hovertemplate=_unit("kWh", 1))


def _unit(unit: str, digits: int) -> str:
    return f"%{{y:.{digits}f}} {unit}"
