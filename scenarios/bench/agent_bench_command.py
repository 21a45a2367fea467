"""`gridpact bench agent`."""

import json
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import click
from rich.console import Console
from rich.table import Table

from scenarios.bench.progress import bench_progress

if TYPE_CHECKING:
    from scenarios.soak.soak import Tell

STEADY_S: Final = 60.0
"""How long the steady state is measured. [s]"""
TARGETS: Final[dict[str, tuple[str, float]]] = {
    "rss_mb": ("resident memory with node, broker and battery, MB", 120),
    "cpu_share": ("share of one core, steady", 0.03),
    "import_s": ("import of `agent run`'s path, s", 2),
    "decision_ms": ("a decision by MPC, median, ms", 5),
    "write_ms": ("from a decision to its set-point at the device, median, ms", 50),
}
"""What each figure is, and what it should be at most."""


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option(
    "--hours",
    type=click.FloatRange(min=0),
    default=24.0,
    show_default=True,
    help="Simulated hours of the soak, 36 s each; 0 leaves it out.",
)
@click.option("--seed", type=int, default=1, show_default=True, help="Of the soak's faults.")
@click.option("--lines", is_flag=True, help="Show on stderr what the gateway said in the soak.")
def agent(*, as_json: bool, hours: float, seed: int, lines: bool) -> None:
    """Measure a home's gateway, and a day of its life while things break.

    The soak is at 100 times the pace: a day takes 14.4 minutes. Needs Anvil (`npm ci`).
    """
    from scenarios.bench.agent_bench import (  # noqa: PLC0415 -- imports web3
        decision_ms,
        import_s,
        steady,
        write_ms,
    )

    with bench_progress() as bar:
        task = bar.add_task("import", total=max(hours * 3600, 1.0))

        def tell(what: str, done_s: float = 0.0, _: float = 0.0) -> None:
            bar.update(task, description=what, completed=done_s)

        figures: dict[str, object] = {"load": os.getloadavg()[0], "import_s": import_s()}
        tell("decisions")
        figures["decision_ms"], figures["decision_first_ms"] = decision_ms()
        tell("set-points")
        figures["write_ms"], figures["write_p99_ms"] = write_ms()
        found = steady(STEADY_S, tell)
        figures["rss_mb"], figures["cpu_share"] = found.rss_mb, found.cpu_share
        figures["dead_man_mb"] = found.dead_man_mb
        if hours:
            figures["soak"] = _soak(seed, hours, tell, lines=lines)
    if as_json:
        click.echo(json.dumps(figures, indent=2))
    else:
        _show(figures)


def _soak(seed: int, hours: float, tell: "Tell", *, lines: bool) -> dict[str, object]:
    from scenarios.soak.soak import soak  # noqa: PLC0415 -- as above

    found = soak(seed, hours=hours, tell=tell)
    for line in (*(found.lines if lines else ()), *found.doubts):
        click.echo(line, err=True)
    return found.figures()


def _show(figures: Mapping[str, object]) -> None:
    """Print the figures as a table, and the soak's below."""
    console = Console()
    table = Table(title="A home's gateway")
    table.add_column("what")
    table.add_column("measured", justify="right")
    table.add_column("wanted", justify="right")
    for key, (what, target) in TARGETS.items():
        found = figures[key]
        assert isinstance(found, float)  # noqa: S101 -- measured above
        colour = "green" if found <= target else "red"
        table.add_row(what, f"[{colour}]{found:,.3g}[/]", f"≤ {target:,g}")
    console.print(table)
    soaked = figures.get("soak")
    if isinstance(soaked, dict):
        console.print("soak: " + ", ".join(f"{key} {value}" for key, value in soaked.items()))
