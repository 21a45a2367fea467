"""A sweep as a picture: a line with its spread, or a map of two settings; same bytes each time."""

from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path

import matplotlib.style
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from aggregator.files import write_bytes
from scenarios.report.palette import LIGHT
from scenarios.sweep.results import Found
from scenarios.sweep.sweeps import Sweep

SIZE_IN, DPI = (9.0, 5.6), 160
SPAN = 0.2
"""Part of its middle that an axis of money spans at least."""
_INK, _MUTED = LIGHT["ink"], LIGHT["muted"]


def write_picture(
    path: Path, sweep: Sweep, found: Sequence[Found], *, about: str, levels: Mapping[int, float]
) -> None:
    """Write a sweep's picture as PNG.

    Parameters
    ----------
    path : Path
        The PNG file.
    sweep : Sweep
        What was varied.
    found : Sequence[Found]
        Means and spreads.
    about : str
        Days, homes, data, seeds, in a line.
    levels : mapping
        Totals of the paper's scenarios on the same days, by number. [currency]
    """
    with matplotlib.style.context("default"):
        figure = Figure(figsize=SIZE_IN, dpi=DPI, facecolor=LIGHT["card"])
        FigureCanvasAgg(figure)
        figure.text(0.02, 0.955, sweep.line, size=13, weight="bold", color=_INK)
        figure.text(0.02, 0.918, about, size=9, color=_MUTED)
        if len(sweep.axes) == 1:
            _lines(figure, sweep, found, levels)
        else:
            _map(figure, sweep, found)
        target = BytesIO()
        figure.savefig(target, format="png", metadata={"Software": None})
    write_bytes(path, target.getvalue())


def _lines(
    figure: Figure, sweep: Sweep, found: Sequence[Found], levels: Mapping[int, float]
) -> None:
    """Draw the total above and the export error below, each with its least and most."""
    upper, lower = figure.subplots(
        2,
        1,
        sharex=True,
        height_ratios=(2, 1),
        gridspec_kw={"left": 0.09, "right": 0.97, "top": 0.84, "bottom": 0.1, "hspace": 0.22},
    )
    per = " per home" if sweep.per_home else ""
    _line(upper, found, "total", colour=LIGHT["accent"], scale=1.0)
    _frame(upper, f"Total{per}: bill reduction + market revenue − imbalance, in the currency")
    for number, level in sorted(levels.items()):
        upper.axhline(level, color=_MUTED, lw=1.2, ls="--" if number % 2 else ":")
        upper.annotate(
            f"scenario {number}",
            (1, level),
            xycoords=("axes fraction", "data"),
            xytext=(-4, 3),
            textcoords="offset points",
            ha="right",
            size=8.5,
            color=_MUTED,
        )
    _show_flat_as_flat(upper)
    _line(lower, found, "mean_export_error", colour=LIGHT["forecast"], scale=100.0)
    _frame(lower, "Mean export error, % of what was sold")
    lower.margins(y=0.1)
    lower.set_ylim(bottom=0)
    lower.set_xlabel(sweep.axes[0].title, size=9.5, color=_INK)
    values = [each.values[0] for each in found]
    lower.set_xticks(values, [f"{value:g}" for value in values])


def _line(axes: Axes, found: Sequence[Found], metric: str, *, colour: str, scale: float) -> None:
    """Draw a metric's mean, and its spread where there is one."""
    known = [each for each in found if each.spread[metric] is not None]
    values = [each.values[0] for each in known]
    spreads = [spread for each in known if (spread := each.spread[metric]) is not None]
    least, most = ([scale * getattr(s, name) for s in spreads] for name in ("least", "most"))
    if least != most:
        axes.fill_between(values, least, most, color=colour, alpha=0.18, lw=0)
    means = [scale * spread.mean for spread in spreads]
    axes.plot(values, means, color=colour, lw=2, marker="o", ms=5)


def _show_flat_as_flat(axes: Axes) -> None:
    """Let an axis of money span a good part of its middle: a per cent is no cliff."""
    low, high = axes.get_ylim()
    middle = (low + high) / 2
    half = max((high - low) / 2, SPAN / 2 * abs(middle))
    axes.set_ylim(middle - half, middle + half)


def _map(figure: Figure, sweep: Sweep, found: Sequence[Found]) -> None:
    """Draw the total over both settings, with its number in each field."""
    across, up = sweep.axes
    axes = figure.subplots(
        gridspec_kw={"left": 0.1, "right": 0.97, "top": 0.85, "bottom": 0.12},
    )
    means = {each.values: each.mean("total") for each in found}
    grid = np.array([[means[x, y] for x in across.values] for y in up.values])
    axes.imshow(grid, origin="lower", aspect="auto", cmap="cividis")
    middle = (np.nanmin(grid) + np.nanmax(grid)) / 2
    for row, column in np.ndindex(grid.shape):
        axes.text(
            column,
            row,
            f"{grid[row, column]:,.1f}",
            ha="center",
            va="center",
            size=9.5,
            color="white" if grid[row, column] < middle else "black",
        )
    axes.set_xticks(range(len(across.values)), [f"{value:g}" for value in across.values])
    axes.set_yticks(range(len(up.values)), [f"{value:g}" for value in up.values])
    axes.set_xlabel(across.title, size=9.5, color=_INK)
    axes.set_ylabel(up.title, size=9.5, color=_INK)
    axes.tick_params(colors=_MUTED, labelsize=9, length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.set_title(
        "Total: bill reduction + market revenue − imbalance, in the currency",
        loc="left",
        size=9,
        color=_MUTED,
    )


def _frame(axes: Axes, title: str) -> None:
    """Set a panel's quiet frame and its title."""
    axes.set_title(title, loc="left", size=9, color=_MUTED)
    axes.grid(axis="y", color=LIGHT["rule"], lw=0.7)
    axes.set_axisbelow(True)
    axes.tick_params(colors=_MUTED, labelsize=9, length=3)
    for side, spine in axes.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(LIGHT["rule"])
