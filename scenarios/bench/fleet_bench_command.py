"""`gridpact bench fleet`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
from rich.console import Console
from rich.table import Table

from scenarios.bench.progress import told_progress
from scenarios.bench.targets import Target, target_table
from scenarios.options import data_option

if TYPE_CHECKING:
    from scenarios.bench.fleet_bench import Figures

TARGETS: Final = {
    "mpc_us_per_home": Target("a home's decision among 1,000, µs", 20),
    "mpc_negative_us_per_home": Target("the same at negative prices, µs", 20),
    "plan_ms": Target("the fleet's plan of 48 intervals, ms", 25),
    "plan_flat_ms": Target("the same at flat prices, ms", 75),
    "month_s": Target("30 days of 70 homes, s", 90),
    "day_10k_s": Target("a day of 10,000 homes, s", 300),
    "day_10k_rss_mb": Target("its memory, MiB", 2048),
}


@click.command(short_help="How fast a fleet is planned and lived through.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--quick", is_flag=True, help="Leave out the month and fleets above 300 homes.")
@data_option
def fleet(*, as_json: bool, quick: bool, data: Path | None) -> None:
    """How fast a fleet is planned, decided for and lived through, on one core.

    Times are by the clock; beside those of whole runs stands the processor's time, which other work
    on the machine disturbs less.
    """
    from scenarios.bench.fleet_bench import fleet_figures  # noqa: PLC0415 -- imports pyomo and numba

    with told_progress() as tell:
        figures = fleet_figures(quick=quick, folder=data, tell=tell)
    if as_json:
        click.echo(json.dumps(figures, indent=2))
    else:
        _show(figures)


def _show(figures: "Figures") -> None:
    """Print the figures as two tables."""
    console = Console()
    console.print(target_table("The fleet, on one core", TARGETS, figures, number=",.1f"))
    oracle = figures["mpc_oracle"]
    if isinstance(oracle, dict):
        console.print(
            f"MPC against HiGHS: {oracle['instances']:,} instances, "
            f"worst gap {oracle['worst_gap']:.1e}"
        )
    sizes = Table(title="A home's day by the fleet's size")
    for column in ("homes", "by the clock, ms", "processor, ms"):
        sizes.add_column(column, justify="right")
    by_size = figures["by_fleet_size"]
    for each in by_size if isinstance(by_size, list) else ():
        sizes.add_row(
            f"{each['homes']:,}",
            f"{each['s_per_home_day'] * 1e3:.1f}",
            f"{each['cpu_s_per_home_day'] * 1e3:.1f}",
        )
    console.print(sizes)
