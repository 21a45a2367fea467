"""`gridpact bench prosumer`."""

import json
from pathlib import Path
from typing import Any, Final

import click
from rich.console import Console
from rich.table import Table

from scenarios.bench.progress import told_progress
from scenarios.bench.targets import Target, target_table
from scenarios.options import data_option

TARGETS: Final = {
    "rules_ms": Target("a plan by rules, one home, ms", 0.5),
    "rules_numpy_ms": Target("the same, not compiled, ms", 0.5),
    "rules_batch_us": Target("the same among 1,000 homes, µs a home", 5),
    "speedup_rules_milp": Target("times faster than the MILP, relaxation first", 20, least=True),
    "speedup_rules_milp_binaries": Target(
        "times faster than the MILP with binaries", 20, least=True
    ),
    "year_s": Target("a year of hourly plans by rules, s", 10),
    "ageing_year_minutes_s": Target("ageing by a year of minutes, s", 0.4),
    "rules_share_of_milp_no_trade": Target(
        "the rules' gain over the MILP's, same rights", 0.9, least=True
    ),
    "rules_share_of_milp": Target("rules over a MILP that trades", 0.9, least=True),
    "rules_worth_share_of_milp_no_trade": Target("rules by worth, same rights", 0.9, least=True),
    "rules_trade_share_of_milp": Target("rules by worth that trade, same rights", 0.9, least=True),
}


@click.command(short_help="How fast a prosumer's controllers plan.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--quick", is_flag=True, help="30 days instead of a year, one with GA and PSO.")
@data_option
def prosumer(*, as_json: bool, quick: bool, data: Path | None) -> None:
    """How fast a prosumer's controllers plan, and what a year of them brings, on one core.

    GA and PSO plan for 30 days in April; their gain of a year is that of those days times the
    MILP's of the year over the MILP's of those days.
    """
    from scenarios.prosumer.bench import prosumer_figures  # noqa: PLC0415 -- imports pymoo, numba

    with told_progress() as tell:
        figures = prosumer_figures(quick=quick, folder=data, tell=tell)
    if as_json:
        click.echo(json.dumps(figures, indent=2))
    else:
        _show(figures)


def _show(figures: dict[str, Any]) -> None:
    """Print the figures as two tables."""
    console = Console()
    console.print(target_table("A prosumer, on one core", TARGETS, figures))
    gains = Table(title=f"Gain over no controller, {figures['currency']} a year")
    for column in ("controller", *figures["gain"]):
        gains.add_column(column, justify="left" if column == "controller" else "right")
    for method in figures["gain"]["perfect"]:
        cells = (figures["gain"][forecast][method] for forecast in figures["gain"])
        gains.add_row(method, *("-" if cell is None else f"{cell:.2f}" for cell in cells))
    console.print(gains)
