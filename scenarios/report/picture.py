"""The main chart as a picture for a README: the same day gives the same bytes."""

from io import BytesIO
from pathlib import Path

import matplotlib.style
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from aggregator.files import write_bytes
from contracts.timegrid import TimeGrid
from scenarios.report.clock import day_name, hour_marks, minutes_in, zone_name
from scenarios.report.palette import LIGHT
from scenarios.report.quantity import kwh, percent, plural
from scenarios.report.series import FleetSeries, fleet_series, promised_runs
from scenarios.simulation.fleet_day import FleetDay
from scenarios.simulation.summary import mean_export_error

SIZE_PX = (1600, 900)
"""Width and height."""
DPI = 160
"""Dots in an inch, in which matplotlib counts: text is large enough for half the width."""


def write_picture(path: Path, day: FleetDay) -> None:
    """Write the day's main chart as PNG, whole or not at all.

    Parameters
    ----------
    path : Path
        The PNG file.
    day : FleetDay
        A day that was lived through.

    Raises
    ------
    FileError
        If the folder is missing or refuses.
    """
    write_bytes(path, picture(day))


def picture(day: FleetDay) -> bytes:
    """Return the PNG of `write_picture`."""
    series, grid = fleet_series(day), day.data.market_grid
    # The default style, whatever the user's matplotlibrc says, and no version or date inside.
    with matplotlib.style.context("default"):
        figure = Figure(
            figsize=(SIZE_PX[0] / DPI, SIZE_PX[1] / DPI), dpi=DPI, facecolor=LIGHT["card"]
        )
        FigureCanvasAgg(figure)
        upper, lower = figure.subplots(
            2,
            1,
            sharex=True,
            height_ratios=(2.1, 1),
            gridspec_kw={
                "left": 0.065,
                "right": 0.972,
                "top": 0.80,
                "bottom": 0.065,
                "hspace": 0.16,
            },
        )
        _title(figure, day)
        for axes in (upper, lower):
            _frame(axes, series, grid)
        _draw_energy(upper, series, grid)
        _draw_charge(lower, series, grid)
        target = BytesIO()
        figure.savefig(target, format="png", metadata={"Software": None})
    return target.getvalue()


def _title(figure: Figure, day: FleetDay) -> None:
    """Say who, when, how well, and whether anything was measured."""
    promised = [delivery for delivery in day.deliveries if delivery.commitment_wh]
    committed_wh = sum(delivery.commitment_wh for delivery in promised)
    delivered_wh = sum(delivery.delivered_wh for delivery in promised)
    data = "real data" if day.data.source == "real" else "GENERATED data"
    what = (
        f"{kwh(committed_wh)} promised the day before, {kwh(delivered_wh)} delivered, "
        f"mean error {percent(mean_export_error(day))}"
        if promised
        else "nothing was promised this day"
    )
    homes = plural(day.fleet.homes, "home battery", "home batteries")
    figure.text(0.02, 0.945, what[0].upper() + what[1:], size=14.5, weight="bold", color=_INK)
    figure.text(
        0.02,
        0.905,
        f"{homes} on {day_name(day.data.market_grid)}, {data}, local time "
        f"({zone_name(day.data.market_grid)})",
        size=9.5,
        color=_MUTED,
    )


_INK, _MUTED = LIGHT["ink"], LIGHT["muted"]


def _frame(axes: Axes, series: FleetSeries, grid: TimeGrid) -> None:
    """Set a panel's quiet frame, its time axis and the shade of promised intervals."""
    step_min = grid.step_s // 60
    for first, end in promised_runs(series.promised):
        axes.axvspan(first * step_min, end * step_min, color=LIGHT["band"], lw=0, zorder=0)
    marks = hour_marks(grid, 2)
    axes.set_xlim(0, minutes_in(grid))
    axes.set_xticks(list(marks), list(marks.values()))
    axes.grid(axis="y", color=LIGHT["rule"], lw=0.7)
    axes.set_axisbelow(True)
    axes.tick_params(colors=_MUTED, labelsize=9, length=3)
    for side, spine in axes.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(LIGHT["rule"])


def _draw_energy(axes: Axes, series: FleetSeries, grid: TimeGrid) -> None:
    """Draw promise, delivery and surplus."""
    step_min = grid.step_s // 60
    middles = np.arange(grid.count) * step_min + step_min / 2
    edges = np.arange(grid.count + 1) * step_min
    promised = series.promised
    for where, role, label in (
        (promised, "delivered", "Delivered on a promise"),
        (~promised, "idle", "Net export, nothing promised"),
    ):
        axes.bar(
            middles[where],
            series.delivered_kwh[where],
            0.8 * step_min,
            color=LIGHT[role],
            label=label,
            zorder=2,
        )
    axes.bar(
        middles[promised],
        series.committed_kwh[promised],
        step_min,
        fill=False,
        edgecolor=_INK,
        lw=1.4,
        label="Promised",
        zorder=4,
    )
    for kwh_, role, style, label in (
        (series.forecast_kwh, "forecast", ":", "Surplus forecast"),
        (series.surplus_kwh, "actual", "-", "Surplus without batteries"),
    ):
        axes.stairs(
            kwh_, edges, baseline=None, color=LIGHT[role], ls=style, lw=1.6, label=label, zorder=3
        )
    axes.axhline(0, color=_MUTED, lw=0.8, zorder=3)
    _caption(axes, "kWh per half-hour, net export of the fleet", columns=5, height=1.10)


def _draw_charge(axes: Axes, series: FleetSeries, grid: TimeGrid) -> None:
    """Draw the fleet's state of charge against its plan."""
    step_min = grid.step_s // 60
    ends = np.arange(grid.count + 1) * step_min
    minutes = np.arange(minutes_in(grid) + 1)
    axes.fill_between(
        minutes,
        series.low_percent,
        series.high_percent,
        color=LIGHT["spread"],
        lw=0,
        label="80 % of homes",
    )
    axes.plot(minutes, series.soc_percent, color=LIGHT["soc"], lw=2, label="Fleet's charge")
    axes.plot(ends, series.target_percent, color=_INK, lw=1.1, ls="--", label="Plan")
    aimed = np.flatnonzero(series.steered) + 1
    axes.plot(
        ends[aimed],
        series.target_percent[aimed],
        ls="",
        marker="o",
        ms=3.6,
        color=_INK,
        label="Homes aim at it",
    )
    axes.set_ylim(0, 100)
    axes.set_yticks([0, 50, 100])
    _caption(axes, "State of charge, %", columns=4, height=1.075)


def _caption(axes: Axes, text: str, *, columns: int, height: float) -> None:
    """Write a panel's unit at its upper left and its legend beside or above it."""
    axes.set_title(text, loc="left", size=9, color=_MUTED, pad=4)
    axes.legend(
        loc="center right",
        bbox_to_anchor=(1.01, height),
        ncols=columns,
        fontsize=8.2,
        frameon=False,
        labelcolor=_INK,
        handlelength=1.5,
        columnspacing=1.1,
        handletextpad=0.5,
        borderpad=0,
    )
