"""`gridpact bench agent`."""

import json
import os
from collections.abc import Mapping
from typing import Final

import click
from rich.console import Console

from scenarios.bench.progress import Tell, told_progress
from scenarios.bench.targets import Target, target_table

STEADY_S: Final = 60.0
"""How long the steady state is measured. [s]"""
TARGETS: Final = {
    "rss_mb": Target("resident memory with node, broker and battery, MB", 120),
    "cpu_share": Target("share of one core, steady", 0.03),
    "import_s": Target("import of `agent run`'s path, s", 2),
    "decision_ms": Target("a decision by MPC, median, ms", 5),
    "write_ms": Target("from a decision to its set-point at the device, median, ms", 50),
}


@click.command(short_help="A gateway, and a day of its life while things break.")
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

    with told_progress() as tell:
        total_s = max(hours * 3600, 1.0)

        def begin(what: str) -> None:
            tell(what, 0.0, total_s)

        begin("import")
        figures: dict[str, object] = {"load": os.getloadavg()[0], "import_s": import_s()}
        begin("decisions")
        figures["decision_ms"], figures["decision_first_ms"] = decision_ms()
        begin("set-points")
        figures["write_ms"], figures["write_p99_ms"] = write_ms()
        found = steady(STEADY_S, begin)
        figures["rss_mb"], figures["cpu_share"] = found.rss_mb, found.cpu_share
        figures["dead_man_mb"] = found.dead_man_mb
        if hours:
            figures["soak"] = _soak(seed, hours, tell, lines=lines)
    if as_json:
        click.echo(json.dumps(figures, indent=2))
    else:
        _show(figures)


def _soak(seed: int, hours: float, tell: Tell, *, lines: bool) -> dict[str, object]:
    from scenarios.soak.soak import soak  # noqa: PLC0415 -- as above

    found = soak(seed, hours=hours, tell=tell)
    for line in (*(found.lines if lines else ()), *found.doubts):
        click.echo(line, err=True)
    return found.figures()


def _show(figures: Mapping[str, object]) -> None:
    """Print the figures as a table, and the soak's below."""
    console = Console()
    console.print(target_table("A home's gateway", TARGETS, figures))
    soaked = figures.get("soak")
    if isinstance(soaked, dict):
        console.print("soak: " + ", ".join(f"{key} {value}" for key, value in soaked.items()))
