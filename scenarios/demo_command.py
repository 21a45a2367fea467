"""`gridpact demo`."""

import json
from datetime import datetime
from pathlib import Path

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from scenarios.data.calendar import default_day
from scenarios.demo import (
    ETH_TESTER,
    Demo,
    Outcome,
    check_folder,
    default_chain,
    run_demo,
    write_outcome,
)
from scenarios.report.quantity import plural
from scenarios.simulation.fleet import Rules


@click.command()
@click.option("--homes", type=int, default=70, show_default=True, help="Number of homes.")
@click.option(
    "--date",
    "day",
    type=click.DateTime(["%Y-%m-%d"]),
    default=default_day().isoformat(),
    show_default=True,
    help="Local market day.",
)
@click.option(
    "--t-sc",
    type=int,
    default=5,
    show_default=True,
    help="Minutes between two reports to the contract: 1, 2, 3, 5, 6, 10 or 15.",
)
@click.option(
    "--forecast-error",
    type=float,
    default=0.25,
    show_default=True,
    help="Error of the day-ahead forecast as a share: 0.25 is 25 %.",
)
@click.option(
    "--chain", help="pyrevm, eth-tester or the URL of an Anvil node.  [default: the fastest]"
)
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    envvar="GRIDPACT_DATA",
    show_envvar=True,
    help="Folder of real series (docs/data.md); without it the day is generated.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Seeds every draw.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("out/demo"),
    show_default=True,
    help="Folder for the report and its files.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def demo(  # noqa: PLR0913 - one parameter per option
    *,
    homes: int,
    day: datetime,
    t_sc: int,
    forecast_error: float,
    chain: str | None,
    data: Path | None,
    seed: int,
    out: Path,
    as_json: bool,
) -> None:
    """Live through one day of a fleet: plan, sell, promise, deliver by the minute, settle, pay.

    Everything goes through the real contracts, on a chain in this process unless --chain names a
    node.
    """
    asked = Demo(
        day=day.date(),
        homes=homes,
        rules=Rules(report_s=60 * t_sc, forecast_error=forecast_error, seed=seed),
        data=data,
        chain=chain or default_chain(),
    )
    check_folder(out)
    console = Console(stderr=True)
    if asked.chain == ETH_TESTER and console.is_terminal:
        console.print("eth-tester takes some 25 ms a report: --homes 10 is done in minutes")
    outcome = _run(asked, console)
    files = write_outcome(out, outcome)
    if as_json:
        click.echo(json.dumps(outcome.figures | outcome.timings, indent=2))
    else:
        _tell(outcome, files["report"])


def _run(asked: Demo, console: Console) -> Outcome:
    """Run under a progress bar on stderr, one line per run of the day."""
    columns = (
        TextColumn("{task.description:>16}"),
        BarColumn(),
        TextColumn("{task.fields[clock]}"),
    )
    with Progress(
        *columns,
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as bar:
        tasks: dict[str, TaskID] = {}

        def show(task: str, done: int, total: int) -> None:
            if task not in tasks:
                tasks[task] = bar.add_task(task, total=total, clock="00:00")
            bar.update(tasks[task], completed=done, clock=f"{done // 60:02d}:{done % 60:02d}")

        return run_demo(asked, show)


def _tell(outcome: Outcome, report: Path) -> None:
    """Say in a few lines what happened and where it is shown."""
    figures = outcome.figures
    real = figures["data"] == "real"
    error = figures["mean_export_error"]
    money, loss = figures["currency"], figures["loss_micro"]
    lost = f"; lost from the bond {_money(loss)} {money}" if loss else ""
    lines = [
        f"{plural(outcome.day.fleet.homes, 'home')} on {figures['day']}, "
        + ("real series" if real else "GENERATED series (--data uses real ones)"),
        f"promised {_kwh(figures['committed_wh'])}, delivered {_kwh(figures['delivered_wh'])}: "
        + (f"mean export error {error:.1%}" if isinstance(error, float) else "nothing was sold"),
        f"paid to members {_money(figures['credits_micro'])} {money}, "
        f"to the aggregator {_money(figures['fee_micro'])} {money}, "
        f"lost to rounding {figures['dust_micro']} millionths" + lost,
        f"retail bills {figures['bill']:.2f} {money}; {figures['bill_panels_alone']:.2f} with "
        f"panels alone, {figures['bill_baseline']:.2f} with neither panels nor batteries",
        f"report: {report}",
    ]
    click.echo("\n".join(lines))


def _kwh(energy_wh: object) -> str:
    return f"{float(str(energy_wh)) / 1000:.1f} kWh"


def _money(micro: object) -> str:
    return f"{int(str(micro)) / 1e6:.2f}"
