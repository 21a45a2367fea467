"""Figure 5: what the rules answer, over power balance and state of charge, at three prices."""

from io import BytesIO
from typing import Final

import matplotlib.style
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure as Drawing

from devices.arrays import FloatArray
from hems.fuzzy.edge import current_a
from hems.fuzzy.habib import HabibFuzzy
from scenarios.microgrid.plant import POWER_MAX_W
from scenarios.report.chart import Chart, Json, layout, value_axis
from scenarios.report.judged import Figure
from scenarios.report.palette import LIGHT

PRICES: Final = {"Low price": 0.0, "Medium price": 0.5, "High price": 1.0}
"""Places in the day's band."""
BALANCES_W: Final = np.linspace(-POWER_MAX_W, POWER_MAX_W, 65)
"""Production less load. [W]"""
SOCS: Final = np.linspace(0.4, 1.0, 49)
"""States of charge."""
WIDTH, GAP = 0.29, 0.065
"""Of a panel and between panels, over the drawing."""
ROWS: Final = ((0.57, 1.0), (0.0, 0.43))
"""Heights of the two outputs."""
CURRENT_SCALE: Final = [[0.0, "#c65400"], [0.5, "#f4f6f8"], [1.0, "#0072b2"]]
"""Discharging, none, charging: the same on light and dark."""
RELAY_SCALE: Final = [[0.0, "#e69f00"], [0.5, "#f4f6f8"], [1.0, "#3b4855"]]
"""Open, undecided, closed."""
TITLE: Final = "Fig. 5: what the rules answer"


def surfaces() -> dict[str, tuple[FloatArray, FloatArray]]:
    """Return the battery's current [A] and the relay before rounding, by price.

    Notes
    -----
    Each of shape (socs, balances). These are the rules alone, before the limits of eq. (4), (5).
    """
    balance, soc = np.meshgrid(BALANCES_W / POWER_MAX_W, SOCS)
    rules = HabibFuzzy().rules
    found = {}
    for name, level in PRICES.items():
        asked = {"power_balance": balance.ravel(), "soc": soc.ravel()}
        answers = rules.infer({**asked, "price": np.full(balance.size, level)})
        power, relay = (answers[:, place].reshape(balance.shape) for place in (0, 1))
        found[name] = (current_a(power * POWER_MAX_W), relay)
    return found


def surface_figure() -> Figure:
    """Return the surfaces as a figure of the page."""
    return Figure(
        title=TITLE,
        note="Table A1 at a low, a medium and a high price: the battery's current above, where "
        "blue charges and orange discharges; the relay below, before it is rounded: dark is "
        "closed, yellow is open. Across: production less load in kW; upwards: state of charge in "
        "per cent.",
        chart=_chart(),
    )


def _chart() -> Chart:
    traces: list[Json] = []
    axes: Json = {}
    for column, (name, found) in enumerate(surfaces().items()):
        left = column * (WIDTH + GAP)
        for row, values in enumerate(found):
            number = row * len(PRICES) + column + 1
            suffix = "" if number == 1 else str(number)
            traces.append(_heat(values, suffix, name, row))
            axes[f"xaxis{suffix}"] = _across(row, suffix, left)
            axes[f"yaxis{suffix}"] = value_axis(
                domain=ROWS[row], anchor=f"x{suffix}", showticklabels=column == 0, showgrid=False
            )
    # the frame's hover is made for series over time
    shared = layout(_headings(), **axes) | {"hovermode": "closest"}
    return Chart(
        name="surfaces",
        description="Six maps over power balance in kW and state of charge in per cent: current of "
        "the battery and state of the relay at a low, a medium and a high price.",
        height_px=520,
        legend=(),
        traces=tuple(traces),
        layout=shared,
    )


def _heat(values: FloatArray, suffix: str, name: str, row: int) -> Json:
    most = float(current_a(np.array([POWER_MAX_W]))[0])
    unit = "%{z:.0f} A" if row == 0 else "relay %{z:.2f}"
    return {
        "type": "heatmap",
        "x": [round(float(each) / 1000, 3) for each in BALANCES_W],
        "y": [round(100 * float(each), 2) for each in SOCS],
        "z": [[round(float(each), 2) for each in line] for line in values],
        "xaxis": f"x{suffix}",
        "yaxis": f"y{suffix}",
        "name": name,
        "zmin": -most if row == 0 else 0.0,
        "zmax": most if row == 0 else 1.0,
        "colorscale": CURRENT_SCALE if row == 0 else RELAY_SCALE,
        "showscale": False,
        "hovertemplate": f"ΔP %{{x}} kW, SoC %{{y}} %<br>{unit}",
    }


def _across(row: int, suffix: str, left: float) -> Json:
    return {
        "domain": [left, left + WIDTH],
        "anchor": f"y{suffix}",
        "tickvals": [-4, -2, 0, 2, 4],
        "showticklabels": row == 1,
        "showgrid": False,
        "zeroline": False,
        "fixedrange": True,
    }


def _headings() -> list[Json]:
    """Return each panel's heading, short enough for a telephone."""
    what = ("current", "relay")
    return [
        {
            "text": f"{name.removesuffix(' price')}: {what[row]}",
            "xref": "paper",
            "yref": "paper",
            "x": column * (WIDTH + GAP),
            "y": ROWS[row][1],
            "xanchor": "left",
            "yanchor": "bottom",
            "yshift": 4,
            "showarrow": False,
            "font": {"size": 12, "color": "@muted"},
        }
        for row in (0, 1)
        for column, name in enumerate(PRICES)
    ]


def surface_picture() -> bytes:
    """Return the surfaces as PNG."""
    with matplotlib.style.context("default"):  # whatever the user's matplotlibrc says
        drawing = Drawing(figsize=(10, 6), dpi=160, facecolor=LIGHT["card"], layout="constrained")
        FigureCanvasAgg(drawing)
        drawing.suptitle(TITLE, size=12, weight="bold", color=LIGHT["ink"], x=0.02, ha="left")
        panels = drawing.subplots(2, len(PRICES), sharex=True, sharey=True)
        most = float(current_a(np.array([POWER_MAX_W]))[0])
        for column, (name, found) in enumerate(surfaces().items()):
            for row, (values, scale, span, what) in enumerate(
                zip(
                    found,
                    (CURRENT_SCALE, RELAY_SCALE),
                    ((-most, most), (0.0, 1.0)),
                    ("A into the battery", "relay"),
                    strict=True,
                )
            ):
                axes = panels[row, column]
                colours = LinearSegmentedColormap.from_list("scale", [str(c) for _, c in scale])
                axes.pcolormesh(
                    BALANCES_W / 1000, 100 * SOCS, values, cmap=colours, vmin=span[0], vmax=span[1]
                )
                axes.set_title(f"{name}: {what}", loc="left", size=8.5, color=LIGHT["muted"])
                axes.tick_params(colors=LIGHT["muted"], labelsize=8)
        drawing.supxlabel("Production less load, kW", size=8.5, color=LIGHT["muted"])
        drawing.supylabel("State of charge, %", size=8.5, color=LIGHT["muted"])
        target = BytesIO()
        drawing.savefig(target, format="png", metadata={"Software": None})
    return target.getvalue()
