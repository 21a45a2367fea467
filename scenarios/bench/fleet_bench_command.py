"""`gridpact bench fleet`."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
from rich.console import Console
from rich.progress import TaskID
from rich.table import Table

from scenarios.bench.progress import bench_progress

if TYPE_CHECKING:
    from scenarios.bench.fleet_bench import Figures, Tell

TARGETS: Final[dict[str, tuple[str, float]]] = {
    "mpc_us_per_home": ("a home's decision among 1,000, µs", 20),
    "mpc_negative_us_per_home": ("the same at negative prices, µs", 20),
    "plan_ms": ("the fleet's plan of 48 intervals, ms", 25),
    "plan_flat_ms": ("the same at flat prices, ms", 75),
    "month_s": ("30 days of 70 homes, s", 90),
    "day_10k_s": ("a day of 10,000 homes, s", 300),
    "day_10k_rss_mb": ("its memory, MiB", 2048),
}
"""What each figure is, and what it should be at most."""


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--quick", is_flag=True, help="Leave out the month and fleets above 300 homes.")
@click.option(
    "--data",
    "folder",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    envvar="GRIDPACT_DATA",
    help="Folder of real series for the month of 70 homes; generated without.",
)
def fleet(*, as_json: bool, quick: bool, folder: Path | None) -> None:
    """How fast a fleet is planned, decided for and lived through, on one core.

    Times are by the clock; beside those of whole runs stands the processor's time, which other work
    on the machine disturbs less.
    """
    from scenarios.bench.fleet_bench import fleet_figures  # noqa: PLC0415 -- imports pyomo and numba

    with _progress() as tell:
        figures = fleet_figures(quick=quick, folder=folder, tell=tell)
    if as_json:
        click.echo(json.dumps(figures, indent=2))
    else:
        _show(figures)


@contextmanager
def _progress() -> Iterator["Tell"]:
    """Yield what shows on stderr how far the measurement is, where somebody sits there."""
    with bench_progress() as bar:
        tasks: dict[int, TaskID] = {}

        def tell(task: str, done: int, total: int) -> None:
            if total not in tasks:
                tasks[total] = bar.add_task(task, total=total)
            bar.update(tasks[total], completed=done, description=task)

        yield tell


def _show(figures: "Figures") -> None:
    """Print the figures as two tables."""
    console = Console()
    table = Table(title="The fleet, on one core")
    table.add_column("what")
    table.add_column("measured", justify="right")
    table.add_column("target", justify="right")
    for key, (what, target) in TARGETS.items():
        found = figures.get(key)
        if isinstance(found, int | float):
            colour = "green" if found <= target else "red"
            table.add_row(what, f"[{colour}]{found:,.1f}[/]", f"≤ {target:,g}")
    console.print(table)
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
