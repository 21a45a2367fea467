"""A chart as the page carries it: a Plotly figure in plain JSON, its legend and its description.

Colours are roles such as ``@delivered``: the page's script puts in those of the reader's scheme.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from contracts.timegrid import TimeGrid
from devices.arrays import BoolArray, FloatArray
from scenarios.report.clock import hour_marks, minutes_in
from scenarios.report.series import promised_runs

Json = dict[str, Any]
"""A JSON object."""
Mark = Literal["line", "dash", "dot", "fill", "hollow", "point"]
"""How a legend draws its sample."""
MARK_EVERY_H = 4
"""Hours between two labels of a time axis: they fit a telephone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One entry of a legend."""

    label: str
    """What is drawn."""
    role: str
    """Colour by role, see `scenarios.report.palette`."""
    mark: Mark
    """Sample."""
    traces: tuple[int, ...] = ()
    """Places of the traces it shows and hides; none for a mere explanation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """One chart of the page."""

    name: str
    """Its element's id."""
    description: str
    """What it shows, for those who do not see it."""
    height_px: int
    """Its height."""
    legend: tuple[Key, ...]
    """Its legend, drawn above it in HTML."""
    traces: tuple[Json, ...]
    """Plotly's traces."""
    layout: Json
    """Plotly's layout, colours by role."""


def rounded(values: FloatArray, digits: int) -> list[float]:
    """Return numbers for JSON with the digits that can be seen."""
    return [round(float(value), digits) for value in values]


def line(x: Iterable[int], y: list[float], name: str, role: str, **extra: object) -> Json:
    """Return a line's trace; ``extra`` overrides and adds."""
    style = {"color": f"@{role}", "width": 1.8} | dict(extra.pop("line", {}) or {})  # type: ignore[call-overload]
    return {"type": "scatter", "mode": "lines", "x": list(x), "y": y, "name": name} | {
        "line": style,
        **extra,
    }


def stepped(values: FloatArray, grid: TimeGrid, digits: int) -> tuple[list[int], list[float]]:
    """Return points for a line of shape ``hvh`` that is level over each interval."""
    step_min = grid.step_s // 60
    middles = range(step_min // 2, minutes_in(grid), step_min)
    level = rounded(values, digits)
    return [0, *middles, minutes_in(grid)], [level[0], *level, level[-1]]


def time_axis(grid: TimeGrid, names: dict[int, str], **extra: object) -> Json:
    """Return an axis of minutes since midnight, labelled and hovered in local time."""
    marks = hour_marks(grid, MARK_EVERY_H)
    return {
        "type": "linear",
        "range": [0, minutes_in(grid)],
        "tickmode": "array",
        "tickvals": list(marks),
        "ticktext": list(marks.values()),
        "tickangle": 0,
        "ticklabeloverflow": "allow",
        "ticks": "outside",
        "ticklen": 4,
        "tickcolor": "@rule",
        "hoverformat": "d",
        "labelalias": {str(minute): name for minute, name in names.items()},
        "showgrid": False,
        "zeroline": False,
        "linecolor": "@rule",
        **extra,
    }


def value_axis(**extra: object) -> Json:
    """Return an axis of values with a quiet grid; its unit is in a heading, see `heading`."""
    return {
        "fixedrange": True,
        "gridcolor": "@grid",
        "zerolinecolor": "@muted",
        "zerolinewidth": 1,
        "automargin": False,
        "nticks": 6,
        **extra,
    }


def heading(text: str, top: float = 1.0) -> Json:
    """Return the heading of a panel whose upper edge is at ``top`` of the drawing."""
    return {
        "text": text,
        "xref": "paper",
        "yref": "paper",
        "x": 0,
        "y": top,
        "xanchor": "left",
        "yanchor": "bottom",
        "yshift": 4,
        "showarrow": False,
        "font": {"size": 12, "color": "@muted"},
    }


def layout(headings: list[Json], **extra: object) -> Json:
    """Return what all charts share; ``extra`` adds axes and shapes."""
    return {
        "annotations": headings,
        "showlegend": False,
        "hovermode": "x unified",
        "hoverdistance": 40,
        "margin": {"l": 46, "r": 20, "t": 26, "b": 30, "pad": 0},
        "paper_bgcolor": "@card",
        "plot_bgcolor": "@card",
        "font": {"family": "system-ui, sans-serif", "size": 12, "color": "@ink"},
        "hoverlabel": {
            "bgcolor": "@card",
            "bordercolor": "@rule",
            "font": {"color": "@ink", "size": 12},
        },
        **extra,
    }


def bands(promised: BoolArray, grid: TimeGrid) -> list[Json]:
    """Return the shaded backgrounds of promised intervals, over all panels."""
    step_min = grid.step_s // 60
    return [
        {
            "type": "rect",
            "layer": "below",
            "xref": "x",
            "yref": "paper",
            "x0": first * step_min,
            "x1": end * step_min,
            "y0": 0,
            "y1": 1,
            "fillcolor": "@band",
            "line": {"width": 0},
        }
        for first, end in promised_runs(promised)
    ]
