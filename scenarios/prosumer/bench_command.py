"""`gridpact bench prosumer`."""

import json
from pathlib import Path
from typing import Any, Final

import click
from rich.console import Console
from rich.table import Table

from scenarios.bench.progress import bench_progress
from scenarios.options import data_option

TARGETS: Final[dict[str, tuple[str, str, float]]] = {
    "rules_ms": ("a plan by rules, one home, ms", "≤", 0.5),
    "rules_numpy_ms": ("the same, not compiled, ms", "≤", 0.5),
    "rules_batch_us": ("the same among 1,000 homes, µs a home", "≤", 5),
    "speedup_rules_milp": ("times faster than the MILP, relaxation first", "≥", 20),
    "speedup_rules_milp_binaries": ("times faster than the MILP with binaries", "≥", 20),
    "year_s": ("a year of hourly plans by rules, s", "≤", 10),
    "ageing_year_minutes_s": ("ageing by a year of minutes, s", "≤", 0.4),
    "rules_share_of_milp_no_trade": ("the rules' gain over the MILP's, same rights", "≥", 0.9),
    "rules_share_of_milp": ("the same, over that of a MILP that trades", "≥", 0.9),
    "rules_worth_share_of_milp_no_trade": ("rules by worth, same rights", "≥", 0.9),
    "rules_trade_share_of_milp": ("rules by worth that trade, same rights", "≥", 0.9),
}
"""What each figure is, and what it should be."""


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--quick", is_flag=True, help="30 days instead of a year, one with GA and PSO.")
@data_option
def prosumer(*, as_json: bool, quick: bool, data: Path | None) -> None:
    """How fast a prosumer's controllers plan, and what a year of them brings, on one core.

    GA and PSO plan for 30 days in April; their gain of a year is that of those days times the
    MILP's of the year over the MILP's of those days.
    """
    from scenarios.prosumer.bench import prosumer_figures  # noqa: PLC0415 -- imports pymoo, numba

    with bench_progress() as bar:
        task = bar.add_task("prosumer", total=None)
        figures = prosumer_figures(
            quick=quick,
            folder=data,
            tell=lambda what, done, total: bar.update(
                task, description=what, completed=done, total=total
            ),
        )
    if as_json:
        click.echo(json.dumps(figures, indent=2))
    else:
        _show(figures)


def _show(figures: dict[str, Any]) -> None:
    """Print the figures as two tables."""
    console, table = Console(), Table(title="A prosumer, on one core")
    table.add_column("what")
    table.add_column("measured", justify="right")
    table.add_column("target", justify="right")
    for key, (what, sign, wanted) in TARGETS.items():
        found = figures[key]
        if found is not None:
            met = found <= wanted if sign == "≤" else found >= wanted
            table.add_row(
                what, f"[{'green' if met else 'red'}]{found:,.3g}[/]", f"{sign} {wanted:g}"
            )
    console.print(table)
    gains = Table(title=f"Gain over no controller, {figures['currency']} a year")
    for column in ("controller", *figures["gain"]):
        gains.add_column(column, justify="left" if column == "controller" else "right")
    for method in figures["gain"]["perfect"]:
        cells = (figures["gain"][forecast][method] for forecast in figures["gain"])
        gains.add_row(method, *("-" if cell is None else f"{cell:.2f}" for cell in cells))
    console.print(gains)
