"""Figures 6 to 9: a typical day's flows, without and with four cars."""

from typing import Final

import numpy as np

from devices.arrays import FloatArray
from scenarios.dispatch.campus_year import month_of_step, weekday_of_step
from scenarios.marchi import cases
from scenarios.marchi.study import PAPERS, STEP_S, Found, Year
from scenarios.report.chart import Chart, Json, Key, Mark, heading, layout, line, value_axis
from scenarios.report.judged import Figure

TYPICAL_MONTH: Final = 3
"""April, whose working days are in term and neither dark nor long; from 0."""
DAY_H: Final = 24
MARK_EVERY_H: Final = 3


def day_figures(found: Found) -> list[Figure]:
    """Return figures 6 to 9: the mean working day of April, policy 3, 20 to 90 % charge."""
    without = found.matrix[PAPERS, cases.SHOWN_WINDOW, cases.SHOWN_POLICY]
    four = found.cars[PAPERS, cases.SHOWN_CARS]
    four_w = found.study.with_cars_w(cases.SHOWN_CARS)
    return [
        Figure(
            title="Fig. 6, above: a typical day without cars",
            note="Mean working day of April, policy 3, charged from PV alone. The battery's power "
            "is above zero where it discharges.",
            chart=_day("figure-6a", found, without, found.study.load_w, which="without cars"),
        ),
        Figure(
            title="Fig. 6, below: the same with four cars from 12 to 14 h",
            note="The battery gives at noon, too, and has less left for the evening.",
            chart=_day("figure-6b", found, four, four_w, which="with four cars"),
        ),
        _production(found, four),
        _battery(four),
        _at_the_grid(found, four, four_w),
    ]


def _production(found: Found, four: Year) -> Figure:
    return Figure(
        title="Fig. 7: where the production goes",
        note="With four cars, the same days.",
        chart=_lines(
            "figure-7",
            "Lines of production that covers load, charges and is exported, in kW.",
            (
                ("To load and cars", "load", _production_to_load_w(found, four)),
                ("To the battery", "saving", four.charged_w),
                ("To the grid", "forecast", four.export_w),
            ),
        ),
    )


def _battery(four: Year) -> Figure:
    flows = _lines(
        "figure-8",
        "Lines of the battery's charge and discharge in kW; below, its state of charge "
        "in per cent.",
        (
            ("Charge from PV", "saving", four.charged_w),
            ("Discharge", "accent", four.delivered_w),
        ),
    )
    return Figure(
        title="Fig. 8: what the battery takes and gives",
        note="With four cars, the same days; below its state of charge.",
        chart=_with_soc(flows, four),
    )


def _at_the_grid(found: Found, four: Year, four_w: FloatArray) -> Figure:
    without_battery_w = np.maximum(four_w - found.study.pv_w, 0.0)
    return Figure(
        title="Fig. 9: what the grid takes and gives",
        note="With four cars, the same days. Without battery for comparison.",
        chart=_lines(
            "figure-9",
            "Lines of import with and without battery, and of export, in kW.",
            (
                ("Import", "meter", four.import_w),
                ("Import without battery", "idle", without_battery_w),
                ("Export", "forecast", four.export_w),
            ),
        ),
    )


def typical(flow: FloatArray) -> FloatArray:
    """Return the mean of a flow at each hour of the typical days, shape (24,)."""
    here = (month_of_step(STEP_S) == TYPICAL_MONTH) & (weekday_of_step(STEP_S) < 5)
    mean: FloatArray = flow[here].reshape(-1, DAY_H).mean(axis=0)
    return mean


def _production_to_load_w(found: Found, year: Year) -> FloatArray:
    """Return what production covers; charging is named at the AC side, so nothing is left over."""
    return np.maximum(found.study.pv_w - year.charged_w - year.export_w, 0.0)


def _day(name: str, found: Found, year: Year, load_w: FloatArray, *, which: str) -> Chart:
    return _lines(
        name,
        f"Lines of load, production, battery and import on a typical day {which}, in kW.",
        (
            ("Load", "load", load_w),
            ("PV", "pv", found.study.pv_w),
            ("Battery", "saving", year.delivered_w - year.charged_w),
            ("Import", "meter", year.import_w),
        ),
    )


def _lines(name: str, description: str, rows: tuple[tuple[str, str, FloatArray], ...]) -> Chart:
    """Return the typical days of some flows. [kW]"""
    mark: Mark = "line"
    return Chart(
        name=name,
        description=description,
        height_px=280,
        legend=tuple(
            Key(label=label, role=role, mark=mark, traces=(place,))
            for place, (label, role, _) in enumerate(rows)
        ),
        traces=tuple(_trace(label, role, typical(flow) / 1000) for label, role, flow in rows),
        layout=layout([heading("kW")], xaxis=_hours(), yaxis=value_axis()),
    )


def _with_soc(above: Chart, year: Year) -> Chart:
    """Return a chart with the state of charge below it."""
    soc = _trace("State of charge", "soc", 100 * typical(year.soc)) | {"xaxis": "x2", "yaxis": "y2"}
    upper, lower = [0.46, 1.0], [0.0, 0.3]
    return Chart(
        name=above.name,
        description=above.description,
        height_px=360,
        legend=(
            *above.legend,
            Key(label="State of charge", role="soc", mark="line", traces=(len(above.traces),)),
        ),
        traces=(*above.traces, soc),
        layout=layout(
            [heading("kW"), heading("State of charge, %", lower[1])],
            xaxis=_hours() | {"anchor": "y", "showticklabels": False},
            yaxis=value_axis(domain=upper),
            xaxis2=_hours() | {"anchor": "y2", "matches": "x"},
            yaxis2=value_axis(domain=lower, range=[0, 104]),
        ),
    )


def _trace(label: str, role: str, values: FloatArray) -> Json:
    """Return a line that is level over each hour."""
    level = [round(float(value), 3) for value in values]
    return line(
        [0, *(60 * hour + 30 for hour in range(DAY_H)), 60 * DAY_H],
        [level[0], *level, level[-1]],
        label,
        role,
        line={"shape": "hvh"},
        hovertemplate="%{y:.1f}",
    )


def _hours() -> Json:
    """Return an axis of minutes since midnight."""
    marks = range(0, DAY_H + 1, MARK_EVERY_H)
    return {
        "type": "linear",
        "range": [0, 60 * DAY_H],
        "tickmode": "array",
        "tickvals": [60 * hour for hour in marks],
        "ticktext": [f"{hour:02d}:00" for hour in marks],
        "tickangle": 0,
        "ticks": "outside",
        "ticklen": 4,
        "tickcolor": "@rule",
        "hoverformat": "d",
        "labelalias": {str(60 * hour + 30): f"{hour:02d}:00" for hour in range(DAY_H)},
        "showgrid": False,
        "zeroline": False,
        "fixedrange": True,
        "linecolor": "@rule",
    }
