"""A sweep of sizes as heat maps: on a page, and as a PNG (same sweep, same bytes)."""

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO

import matplotlib.style
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from devices.arrays import FloatArray
from scenarios.dispatch.sizing import OPTIMUM, Sizing
from scenarios.report.chart import Chart, Json, heading, layout
from scenarios.report.palette import LIGHT

SCALE = "cividis"
"""Colours that a colour-blind reader can order."""
CELL_PX, HEAD_PX = 44, 110
"""Height of a row of a heat map, and of all around it. [px]"""
SIZE_IN, DPI = (10.0, 12.0), 160
_INK, _MUTED = LIGHT["ink"], LIGHT["muted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Heat:
    """One heat map."""

    name: str
    """Its element's id."""
    title: str
    """What it shows, and the unit."""
    values: FloatArray
    """Shape (powers, capacities)."""
    digits: int = 0
    """Digits in a field."""


def heats(sizing: Sizing, currency: str) -> tuple[Heat, ...]:
    """Return the maps of a sweep: best policy, optimum, and what a kWh of battery earns.

    Parameters
    ----------
    sizing : Sizing
        What was found.
    currency : str
        Of its amounts.
    """
    capacities_kwh = np.array(sizing.capacities_wh) / 1000
    return (
        Heat(
            name="sizing-policy",
            title=f"Saved by the best of the five policies, {currency} a year",
            values=sizing.best_saving,
        ),
        Heat(
            name="sizing-optimum",
            title=f"Saved by the optimum, {currency} a year",
            values=sizing.saving[OPTIMUM],
        ),
        Heat(
            name="sizing-per-kwh",
            title=f"Saved by the best policy for each kWh of battery, {currency} a year",
            values=sizing.best_saving / capacities_kwh,
            digits=1,
        ),
    )


def heat_chart(heat: Heat, sizing: Sizing) -> Chart:
    """Return a heat map for the page."""
    across, up = _names(sizing.capacities_wh), _names(sizing.powers_w)
    trace: Json = {
        "type": "heatmap",
        "x": list(range(len(across))),
        "y": list(range(len(up))),
        "z": np.round(heat.values, 2).tolist(),
        "colorscale": SCALE.capitalize(),
        "showscale": False,
        "texttemplate": f"%{{z:,.{heat.digits}f}}",
        "hovertemplate": f"%{{z:,.{heat.digits}f}}<extra></extra>",
        "xgap": 2,
        "ygap": 2,
    }
    return Chart(
        name=heat.name,
        description=f"Heat map by capacity in kWh and power in kW. {heat.title}.",
        height_px=HEAD_PX + CELL_PX * len(up),
        legend=(),
        traces=(trace,),
        layout=layout(
            [heading("Power in kW, upwards; capacity in kWh, across")],
            hovermode="closest",
            xaxis=_axis(across),
            yaxis=_axis(up),
        ),
    )


def sizing_picture(sizing: Sizing, maps: Sequence[Heat], about: str) -> bytes:
    """Return heat maps as PNG.

    Parameters
    ----------
    sizing : Sizing
        What was found.
    maps : Sequence[Heat]
        What is drawn, from above.
    about : str
        Site and prices, in a line.
    """
    with matplotlib.style.context("default"):  # whatever the user's matplotlibrc says
        figure = Figure(figsize=SIZE_IN, dpi=DPI, facecolor=LIGHT["card"])
        FigureCanvasAgg(figure)
        figure.text(0.02, 0.965, "Batteries of other sizes", size=13, weight="bold", color=_INK)
        figure.text(0.02, 0.942, about, size=9, color=_MUTED)
        grid = {"left": 0.08, "right": 0.98, "top": 0.89, "bottom": 0.05, "hspace": 0.32}
        panels = figure.subplots(len(maps), 1, squeeze=False, gridspec_kw=grid)
        for axes, heat in zip(panels[:, 0], maps, strict=True):
            _draw(axes, heat, sizing)
        target = BytesIO()
        figure.savefig(target, format="png", metadata={"Software": None})
    return target.getvalue()


def _draw(axes: Axes, heat: Heat, sizing: Sizing) -> None:
    axes.imshow(heat.values, origin="lower", aspect="auto", cmap=SCALE)
    middle = (heat.values.min() + heat.values.max()) / 2
    for row, column in np.ndindex(heat.values.shape):
        value = heat.values[row, column]
        colour = "white" if value < middle else "black"
        text = f"{value:,.{heat.digits}f}"
        axes.text(column, row, text, ha="center", va="center", size=9, color=colour)
    for axis, sizes in ((axes.xaxis, sizing.capacities_wh), (axes.yaxis, sizing.powers_w)):
        axis.set_ticks(range(len(sizes)), _names(sizes))
    axes.set_xlabel("kWh", size=9, color=_INK)
    axes.set_ylabel("kW", size=9, color=_INK)
    axes.tick_params(colors=_MUTED, labelsize=9, length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.set_title(heat.title, loc="left", size=9.5, color=_MUTED)


def _names(sizes: Sequence[float]) -> list[str]:
    return [f"{size / 1000:g}" for size in sizes]


def _axis(names: Sequence[str]) -> Json:
    return {
        "type": "linear",
        "range": [-0.5, len(names) - 0.5],
        "tickmode": "array",
        "tickvals": list(range(len(names))),
        "ticktext": list(names),
        "ticks": "",
        "tickangle": 0,
        "showgrid": False,
        "zeroline": False,
        "fixedrange": True,
    }
