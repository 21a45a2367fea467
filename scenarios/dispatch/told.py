"""A run of a plant told: figures, a table for people, and a CSV of its flows."""

import csv
from calendar import month_abbr
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from scenarios.dispatch.run import Dispatched
from scenarios.errors import DataUnavailableError

FLOWS = (
    "load_w",
    "pv_w",
    "grid_import_w",
    "grid_export_w",
    "pv_to_load_w",
    "pv_to_battery_w",
    "pv_to_grid_w",
    "grid_to_load_w",
    "grid_to_battery_w",
    "battery_to_load_w",
    "cell_power_w",
    "spared_w",
    "loss_w",
)
"""Columns of the CSV that are powers; there in kW."""
BAR = 24
"""Characters of the longest bar."""


def figures(ran: Dispatched) -> dict[str, Any]:
    """Return a run's figures: the first year's, the capacity at the end, and each year's."""
    summary = asdict(ran.summary())
    by_year = [{name: of[year] for name, of in summary.items()} for year in range(ran.years)]
    return {**by_year[0], "capacity_left": by_year[-1]["capacity_left"], "by_year": by_year}


def print_told(found: dict[str, Any]) -> None:
    """Print a run's figures as two tables."""
    console = Console()
    table = Table(title=f"A year by {found['policy']}", show_header=False)
    rows = (
        ("demand peak", f"{found['demand_peak_kw']['annual']:.2f} kW"),
        ("battery to load", f"{found['battery_to_load_kwh']:.0f} kWh"),
        ("grid to load", f"{found['grid_to_load_kwh']:.0f} kWh"),
        ("PV to load", f"{found['pv_to_load_kwh']:.0f} kWh"),
        ("round-trip efficiency", f"{found['round_trip_efficiency']:.1%}"),
        ("equivalent full cycles", f"{found['cycles']:.0f}"),
        (f"capacity left after {len(found['by_year'])} y", f"{found['capacity_left']:.1%}"),
    )
    for name, value in rows:
        table.add_row(name, value)
    console.print(table)
    months = Table("month", "peak, kW", "", title="Highest import")
    peaks = found["demand_peak_kw"]["by_month"]
    for month, peak in enumerate(peaks, start=1):
        bar = "█" * round(BAR * peak / max(*peaks, 1e-9))
        months.add_row(month_abbr[month], f"{peak:.2f}", bar)
    console.print(months)


def write_flows(ran: Dispatched, path: Path) -> None:
    """Write every flow of every step: times, powers in kW, states as shares.

    Raises
    ------
    DataUnavailableError
        If the file cannot be written.
    """
    columns = np.stack([getattr(ran, name) / 1000 for name in FLOWS])
    names = [name.removesuffix("_w") + "_kw" for name in FLOWS]
    step = timedelta(seconds=ran.step_s)
    try:
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["start", *names, "soc", "capacity_left"])
            for at, row in enumerate(columns.T):
                time = (ran.start + at * step).isoformat(timespec="seconds")
                values = [f"{value:.6g}" for value in (*row, ran.soc[at], ran.capacity_left[at])]
                writer.writerow([time, *values])
    except OSError as error:
        why = f"cannot be written ({error.strerror})"
        msg = f"{path}: {why}; give --out a file in a folder that is there"
        raise DataUnavailableError(msg) from error
