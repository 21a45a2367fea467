"""The paper's figures 8 to 20 on our data, two panels a chart."""

from datetime import timedelta
from typing import Final

import numpy as np

from contracts.timegrid import TimeGrid
from devices.arrays import FloatArray
from hems.fuzzy.edge import current_a
from hems.fuzzy.soc_rules import MAINS_V
from scenarios.habib.data import PHASES, local_clock
from scenarios.habib.eight_hours import START_H
from scenarios.habib.study import Found, Shown, Sky
from scenarios.microgrid.model import Trace
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
from scenarios.report.clock import minute_names
from scenarios.report.judged import Figure
from scenarios.report.quantity import percent

UPPER, LOWER = (0.58, 1.0), (0.0, 0.42)
"""Heights of two panels."""
LOWER_HEADING: Final = LOWER[1]
TESTS: Final[tuple[tuple[str, Sky, str, str], ...]] = (
    ("rules", "sunny", "Fig. 8 and 10", "Fig. 9 and 11"),
    ("fuzzy", "cloudy", "Fig. 13 and 15", "Fig. 14 and 16"),
    ("fuzzy", "sunny", "Fig. 18 and 19", "Fig. 17 and 20"),
    ("rules", "cloudy", "Beyond the paper", ""),
)
"""The paper's tests in its order, with its figures of commands and of powers; then the one it
leaves out."""
NAMES: Final = {"rules": "SoC rules", "fuzzy": "Fuzzy rules"}
DAYS: Final[dict[Sky, str]] = {"sunny": "sunny day", "cloudy": "partly cloudy day"}


def day_figures(found: Found) -> list[Figure]:
    """Return the charts of the two days, Figure 12 after the first test as in the paper."""
    drawn: list[Figure] = []
    for method, sky, commands, powers in TESTS:
        what = f"{NAMES[method]}, {DAYS[sky]}"
        other = "fuzzy" if method == "rules" else "rules"
        drawn.append(
            Figure(
                title=f"{commands}: commands and state of charge — {what}",
                note=_command_note(found.shown[sky, method]),
                chart=_commands(found, method, other, sky),
            )
        )
        if powers:
            drawn.append(
                Figure(
                    title=f"{powers}: powers and grid current — {what}",
                    note="Production that the sun offers and load; current at the relay, a phase.",
                    chart=_powers(found.shown[sky, method], f"powers-{method}-{sky}"),
                )
            )
        if (method, sky) == ("rules", "sunny"):
            drawn.append(_prices(found))
    return drawn


def _command_note(shown: Shown) -> str:
    day = shown.buildings.grid.start.date()
    figures = shown.figures
    switched = round(figures["switchings"] * figures["days"])
    return (
        f"{day.day} {day:%B %Y}. Shaded: the relay is open. Island "
        f"{percent(figures['island_share'], 0)} of the time, {switched} switchings; the set-point "
        "counts on the grid only. The paler line is the other controller on the same day."
    )


def _axes(grid: TimeGrid) -> Json:
    """Return the two time axes of a test, marked every second hour."""
    names = {minute: f"{local_clock(grid, minute):%H:%M}" for minute in range(grid.count + 1)}
    marks = list(range(0, grid.count + 1, 120))
    ticks = {"tickvals": marks, "ticktext": [names[minute] for minute in marks]}
    return {
        "xaxis": time_axis(grid, names, anchor="y", showticklabels=False, **ticks),
        "xaxis2": time_axis(grid, names, anchor="y2", matches="x", **ticks),
    }


def _commands(found: Found, method: str, other: str, sky: Sky) -> Chart:
    """Return battery current and state of charge, with the other controller's beside it."""
    shown, beside = found.shown[sky, method], found.shown[sky, other]
    grid, trace = shown.buildings.grid, shown.trace
    return Chart(
        name=f"commands-{method}-{sky}",
        description=f"Battery current and its set-point in A above, state of charge in per cent "
        f"below, under {NAMES[method]} on the {DAYS[sky]}; open relay shaded.",
        height_px=380,
        legend=(
            Key(label="Current into the battery", role="accent", mark="line", traces=(0,)),
            Key(label="Set-point", role="ink", mark="dash", traces=(1,)),
            Key(label=f"Charge, {NAMES[method]}", role="soc", mark="line", traces=(2,)),
            Key(label=f"Charge, {NAMES[other]}", role="fee", mark="line", traces=(3,)),
            Key(label="Limits", role="warn", mark="dot", traces=(4, 5)),
            Key(label="Island", role="band", mark="fill"),
        ),
        traces=(*_currents(trace), *_charges(trace, beside.trace)),
        layout=layout(
            [heading("A at 48 V, > 0 charges"), heading("State of charge, %", LOWER_HEADING)],
            shapes=bands(~trace.flows.closed[0], grid),
            **_axes(grid),
            yaxis=value_axis(domain=UPPER),
            yaxis2=value_axis(domain=LOWER, range=_span(trace.soc[0], beside.trace.soc[0])),
        ),
    )


def _currents(trace: Trace) -> list[Json]:
    """Return the battery's current, and its set-point where the relay is closed."""
    grid, closed = trace.grid, trace.flows.closed[0]
    cells_w = np.diff(trace.flows.stored_wh[0]) / grid.step_h
    orders_w = trace.microgrid.bank.cell_power_w(trace.set_point_w[0])
    orders_a = current_a(np.repeat(orders_w, trace.cycle_steps)[: grid.count])
    ordered = [a if on else None for a, on in zip(rounded(orders_a, 1), closed, strict=True)]
    at, amps = range(grid.count), {"hovertemplate": "%{y:.1f} A"}
    style = {"width": 1.3, "dash": "dash"}
    return [
        line(at, rounded(current_a(cells_w), 1), "Current", "accent", **amps),
        line(at, [], "Set-point", "ink", line=style, **amps) | {"y": ordered},
    ]


def _charges(trace: Trace, beside: Trace) -> list[Json]:
    """Return the state of charge, the other controller's, and the limits."""
    microgrid, count = trace.microgrid, trace.grid.count
    lower = {"xaxis": "x2", "yaxis": "y2", "hovertemplate": "%{y:.1f} %"}
    charges = [
        line(
            range(count + 1),
            rounded(100 * each.soc[0], 2),
            name,
            role,
            line={"width": width},
            **lower,
        )
        for each, name, role, width in (
            (trace, "Charge", "soc", 2.2),
            (beside, "The other's", "fee", 1.2),
        )
    ]
    style = {"width": 1.2, "dash": "dot"}
    return charges + [
        line([0, count], [100 * limit] * 2, "Limit", "warn", line=style, **lower)
        for limit in (microgrid.soc_min, microgrid.soc_max)
    ]


def _span(*shares: FloatArray) -> list[float]:
    """Return an axis of state of charge that holds the window, and all that is drawn. [%]"""
    low, high = (each(np.concatenate([*shares, [0.5, 0.9]])) for each in (np.min, np.max))
    return [100 * float(low) - 3, 100 * float(high) + 3]


def _powers(shown: Shown, name: str) -> Chart:
    """Return production and load above, the grid's current below."""
    grid = shown.buildings.grid
    return Chart(
        name=name,
        description="Production and load in kW above, current at the relay a phase below; open "
        "relay shaded.",
        height_px=360,
        legend=(
            Key(label="PV", role="pv", mark="fill", traces=(0,)),
            Key(label="Load", role="load", mark="line", traces=(1,)),
            Key(label="Grid current, > 0 imports", role="meter", mark="line", traces=(2,)),
            Key(label="Island", role="band", mark="fill"),
        ),
        traces=_power_traces(shown),
        layout=layout(
            [heading("kW"), heading("A at 230 V, each of three phases", LOWER_HEADING)],
            shapes=bands(~shown.trace.flows.closed[0], grid),
            **_axes(grid),
            yaxis=value_axis(domain=UPPER),
            yaxis2=value_axis(domain=LOWER),
        ),
    )


def _power_traces(shown: Shown) -> tuple[Json, ...]:
    """Return production, load and the grid's current."""
    around, at = shown.buildings.around, range(shown.buildings.grid.count)
    pv_kw, load_kw = (rounded(each[0] / 1000, 3) for each in (around.pv_w, around.load_w))
    grid_a = rounded(shown.trace.flows.grid_power_w[0] / (PHASES * MAINS_V), 2)
    kw = {"hovertemplate": "%{y:.2f} kW"}
    lower = {"xaxis": "x2", "yaxis": "y2", "hovertemplate": "%{y:.1f} A"}
    filled = {"line": {"width": 1.4}, "fill": "tozeroy", "fillcolor": "@pv-fill"}
    return (
        line(at, pv_kw, "PV", "pv", **filled, **kw),
        line(at, load_kw, "Load", "load", line={"width": 1.2}, **kw),
        line(at, grid_a, "Grid", "meter", **lower),
    )


def _prices(found: Found) -> Figure:
    """Return the price of both days, and its place in the day's band."""
    begins = {sky: _midnight(found, sky) for sky in DAYS}
    start = found.month.grid.start + timedelta(minutes=begins["sunny"])
    grid = TimeGrid(start=start, step_s=60, count=24 * 60)
    names = minute_names(grid)
    roles: dict[Sky, str] = {"sunny": "pv", "cloudy": "day-ahead"}
    traces = []
    for values, digits, axis in (
        (found.month.price_per_mwh, 2, {"hovertemplate": "%{y:.2f} EUR/MWh"}),
        (100 * found.month.around.price_level, 1, {"xaxis": "x2", "yaxis": "y2"}),
    ):
        for sky, begin in begins.items():
            day = values[0, begin : begin + grid.count]
            traces.append(
                line(range(day.size), rounded(day, digits), DAYS[sky], roles[sky], **axis)
            )
    chart = Chart(
        name="prices",
        description="Day-ahead price of the two days by local time in EUR/MWh; below, its place "
        "between the day's lowest and highest price in per cent.",
        height_px=320,
        legend=tuple(
            Key(label=DAYS[sky].capitalize(), role=roles[sky], mark="line", traces=(at, at + 2))
            for at, sky in enumerate(DAYS)
        ),
        traces=tuple(traces),
        layout=layout(
            [heading("EUR/MWh"), heading("Place in the day's band, %", LOWER_HEADING)],
            xaxis=time_axis(grid, names, anchor="y", showticklabels=False),
            yaxis=value_axis(domain=UPPER),
            xaxis2=time_axis(grid, names, anchor="y2", matches="x"),
            yaxis2=value_axis(domain=LOWER, range=[-4, 104], tickvals=[0, 50, 100]),
        ),
    )
    return Figure(
        title="Fig. 12: the day-ahead price",
        note="Controllers see its place between the lowest and the highest of the market's day.",
        chart=chart,
    )


def _midnight(found: Found, sky: Sky) -> int:
    """Return the minute of the month at which the day begins."""
    day = getattr(found.pair, sky) % found.held.days
    return int(found.held.first_minute[day]) - START_H * 60
