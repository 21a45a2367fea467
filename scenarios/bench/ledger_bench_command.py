"""`gridpact bench ledger`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
from rich.console import Console
from rich.table import Table

from scenarios.bench.progress import told_progress
from scenarios.bench.targets import Target, target_table

if TYPE_CHECKING:
    from scenarios.bench.ledger_bench import Figures

TARGETS: Final = {
    "report_gas": Target("a report, gas", 36_000),
    "import_report_gas": Target("a report of an import, gas", 36_000),
    "day_report_gas": Target("a day's report on average, gas", 38_500),
    "batch_gas_per_home": Target("a report in a signed batch of 70, gas", 12_000),
    "publish_48_gas": Target("publishing 48 intervals, gas", 550_000),
    "settle_gas": Target("settling an interval, the dearest of a day, gas", 110_000),
    "claim_48_gas": Target("claiming 48 intervals, gas", 350_000),
    "reports_per_s": Target("reports a second in process", 30_000, least=True),
}


@click.command(short_help="Gas of the contracts, and reports a second.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option(
    "--snapshot",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write what calls cost to this file and measure no speed.",
)
@click.option(
    "--homes",
    "sizes",
    type=click.IntRange(1, 100_000),
    multiple=True,
    default=(10, 100, 1_000, 10_000),
    show_default=True,
    help="Size of a fleet to compare; may be given again.",
)
def ledger(*, as_json: bool, snapshot: Path | None, sizes: tuple[int, ...]) -> None:
    """Gas of the contracts by Anvil's receipts, whatever the fleet's size, and reports a second."""
    from scenarios.bench.ledger_bench import (  # noqa: PLC0415 -- web3, which an overview does not need
        gas_figures,
        reports_per_s,
    )

    if snapshot is not None and not snapshot.parent.is_dir():
        msg = f"no folder {snapshot.parent} for the snapshot; create it or name another"
        raise click.ClickException(msg)
    with told_progress() as tell:
        figures = gas_figures(sizes=sizes, tell=tell)
        if snapshot is None:
            by_size = figures.pop("by_fleet_size")
            figures |= {"reports_per_s": reports_per_s(tell=tell), "by_fleet_size": by_size}
    if snapshot is not None:
        _write(snapshot, figures)
    if as_json:
        click.echo(json.dumps(figures, indent=2))
    else:
        _show(figures)


def _write(path: Path, figures: "Figures") -> None:
    try:
        path.write_text(json.dumps(figures, indent=2) + "\n", "utf-8")
    except OSError as error:
        msg = f"cannot write {path}: {error.strerror}; name another file with --snapshot"
        raise click.ClickException(msg) from error


def _show(figures: "Figures") -> None:
    """Print the figures as two tables."""
    console = Console()
    title = "The ledger: gas by Anvil's receipts"
    console.print(target_table(title, TARGETS, figures, number=",.0f"))
    sizes = Table(title="Whatever the fleet's size")
    for column in ("homes", "a report, gas", "settling, gas"):
        sizes.add_column(column, justify="right")
    by_size = figures["by_fleet_size"]
    for each in by_size if isinstance(by_size, list) else ():
        sizes.add_row(*(f"{value:,}" for value in each.values()))
    console.print(sizes)
