"""A chart of the page as a PNG, drawn from the same traces and layout: same chart, same bytes."""

from collections.abc import Sequence
from io import BytesIO
from typing import Any

import matplotlib.style
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from devices.arrays import FloatArray
from scenarios.report.chart import Chart, Json, Key
from scenarios.report.palette import LIGHT

WIDTH_PX = 1600
"""Width; the height keeps the page's proportions."""
PAGE_PX = 980
"""Width of a chart on the page."""
DPI = 160
"""Dots in an inch, in which matplotlib counts."""
BESIDE_PX, HEAD_PX, FOOT_PX = 46, 82, 30
"""Margins on the page: left, above for title and legend, below. [px]"""
_MARKERS = {"circle": "o", "diamond": "D"}
_DASHES = {"solid": "-", "dash": "--", "dot": ":"}


def chart_picture(chart: Chart, title: str) -> bytes:
    """Return a chart as PNG.

    Parameters
    ----------
    chart : Chart
        Lines, bars and points in one panel or in two above each other.
    title : str
        Written above it.
    """
    height_px = chart.height_px + HEAD_PX
    scale = WIDTH_PX / PAGE_PX
    with matplotlib.style.context("default"):  # whatever the user's matplotlibrc says
        figure = Figure(
            figsize=(WIDTH_PX / DPI, height_px * scale / DPI), dpi=DPI, facecolor=LIGHT["card"]
        )
        FigureCanvasAgg(figure)
        for number in ("", "2"):
            if f"yaxis{number}" in chart.layout:
                _panel(figure, chart, number, height_px)
        figure.text(
            BESIDE_PX / PAGE_PX, 1 - 18 / height_px, title, size=12, weight="bold", color=_INK
        )
        _legend(figure, chart, height_px)
        target = BytesIO()
        figure.savefig(target, format="png", metadata={"Software": None})
    return target.getvalue()


_INK, _MUTED = LIGHT["ink"], LIGHT["muted"]


def _panel(figure: Figure, chart: Chart, number: str, height_px: int) -> None:
    """Draw the traces of one panel."""
    low, high = chart.layout[f"yaxis{number}"].get("domain", (0.0, 1.0))
    drawn_px = height_px - HEAD_PX - FOOT_PX
    axes = figure.add_axes(
        (
            BESIDE_PX / PAGE_PX,
            (FOOT_PX + low * drawn_px) / height_px,
            1 - (BESIDE_PX + 20) / PAGE_PX,
            (high - low) * drawn_px / height_px,
        )
    )
    for shape in chart.layout.get("shapes", ()):
        axes.axvspan(shape["x0"], shape["x1"], color=_colour(shape["fillcolor"]), lw=0, zorder=0)
    for trace in chart.traces:
        if trace.get("yaxis", "y") == f"y{number}":
            _TRACES[trace["type"]](axes, trace)
    _frame(axes, chart.layout, number)
    place = 1 if number else 0
    axes.set_title(
        chart.layout["annotations"][place]["text"], loc="left", size=8.5, color=_MUTED, pad=4
    )


def _frame(axes: Axes, layout: Json, number: str) -> None:
    """Set a panel's quiet frame and its axes."""
    across, upright = layout[f"xaxis{number}"], layout[f"yaxis{number}"]
    axes.set_xlim(*across["range"])
    shown = across.get("showticklabels", True)
    if "tickvals" in across:
        axes.set_xticks(across["tickvals"], across["ticktext"] if shown else [])
    else:
        axes.set_xticks([])
    if "range" in upright:
        axes.set_ylim(*upright["range"])
    if upright.get("rangemode") == "tozero":
        axes.set_ylim(bottom=0)
    axes.grid(axis="y", color=LIGHT["rule"], lw=0.7)
    axes.axhline(0, color=_MUTED, lw=0.8, zorder=1)
    axes.set_axisbelow(True)
    axes.tick_params(colors=_MUTED, labelsize=8.5, length=3)
    for side, spine in axes.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(LIGHT["rule"])


def _scatter(axes: Axes, trace: Json) -> None:
    """Draw a line, a stepped line, or points."""
    x, y = np.array(trace["x"], dtype=float), _numbers(trace["y"])
    if trace["mode"] == "markers":
        marker = trace["marker"]
        symbol = _MARKERS[marker.get("symbol", "circle")]
        axes.plot(x, y, ls="", marker=symbol, ms=0.75 * marker["size"], color=_role(trace))
        return
    style = trace["line"]
    if style.get("shape") == "hvh":  # level over each interval: its points are the middles
        edges = np.concatenate([[x[0]], (x[1:-2] + x[2:-1]) / 2, [x[-1]]])
        axes.stairs(
            y[1:-1],
            edges,
            baseline=None,
            color=_role(trace),
            lw=style["width"],
            ls=_DASHES[style.get("dash", "solid")],
            zorder=3,
        )
        return
    if "fill" in trace:
        axes.fill_between(x, y, color=_colour(trace["fillcolor"]), lw=0, zorder=1)
    axes.plot(
        x,
        y,
        color=_role(trace),
        lw=0.8 * style["width"],
        ls=_DASHES[style.get("dash", "solid")],
        zorder=2,
    )


def _bar(axes: Axes, trace: Json) -> None:
    axes.bar(trace["x"], _numbers(trace["y"]), trace["width"], color=_role(trace), zorder=2)


_TRACES = {"scatter": _scatter, "bar": _bar}


def _legend(figure: Figure, chart: Chart, height_px: int) -> None:
    """Draw the page's legend in one line below the title."""
    figure.legend(
        [_sample(key) for key in chart.legend],
        [key.label for key in chart.legend],
        loc="upper left",
        bbox_to_anchor=((BESIDE_PX - 4) / PAGE_PX, 1 - 30 / height_px),
        ncols=len(chart.legend),
        fontsize=8.2,
        frameon=False,
        labelcolor=_INK,
        handlelength=1.5,
        columnspacing=1.2,
        handletextpad=0.5,
        borderpad=0,
    )


def _sample(key: Key) -> Any:  # noqa: ANN401 -- matplotlib's artists have no common type that fits

    colour = LIGHT[key.role]
    if key.mark == "fill":
        return Patch(color=colour, lw=0)
    if key.mark == "point":
        return Line2D([], [], ls="", marker="o", ms=4.5, color=colour)
    return Line2D([], [], color=colour, lw=1.6, ls={"dash": "--", "dot": ":"}.get(key.mark, "-"))


def _numbers(values: Sequence[float | None]) -> FloatArray:
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def _role(trace: Json) -> str:
    return _colour((trace.get("line") or trace["marker"])["color"])


def _colour(value: str) -> str:
    return LIGHT[value.removeprefix("@")]
