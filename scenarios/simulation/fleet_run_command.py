"""`gridpact fleet`: a fleet over many days, with what may go wrong; resumed where it stood."""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast, get_args

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from scenarios.data.fleet_data import CURRENCY
from scenarios.demo import check_folder
from scenarios.errors import ScenarioInputError, WorkerLostError
from scenarios.options import (
    data_option,
    days_option,
    first_day_option,
    homes_option,
    out_option,
    seed_option,
)
from scenarios.report.quantity import plural
from scenarios.simulation.controllers import Named
from scenarios.simulation.disturbances import Disturbances
from scenarios.simulation.fleet import Rules

if TYPE_CHECKING:
    from scenarios.simulation.fleet_run import FleetRun
    from scenarios.simulation.shards import Engine

DAY_MINUTES = 1440
SHARE = click.FloatRange(0, 1)


@click.command()
@homes_option()
@days_option(default=30, means="Days to live through.")
@first_day_option()
@click.option(
    "--t-sc",
    type=click.IntRange(1, 15),
    default=5,
    show_default=True,
    help="Minutes between reports.",
)
@click.option(
    "--t-j",
    type=click.IntRange(1, 15),
    default=2,
    show_default=True,
    help="Minutes between decisions.",
)
@click.option(
    "--forecast-error",
    type=click.FloatRange(0, 10),
    default=0.25,
    show_default=True,
    help="Share, day ahead.",
)
@click.option(
    "--forecast-step",
    type=click.FloatRange(0.25, 24),
    default=2.0,
    show_default=True,
    help="Hours between its points.",
)
@click.option(
    "--latency",
    type=click.IntRange(0, 899),
    default=0,
    show_default=True,
    help="Seconds from a reading to the contract.",
)
@click.option(
    "--lost", type=SHARE, default=0.0, show_default=True, help="Share of exchanges that fail."
)
@click.option(
    "--offline",
    type=SHARE,
    default=0.0,
    show_default=True,
    help="Share of homes away, each day others.",
)
@click.option(
    "--power-cap",
    type=click.FloatRange(0, min_open=True),
    show_default="none",
    help="W that no battery exceeds.",
)
@click.option(
    "--deadband",
    type=click.FloatRange(0),
    default=0.0,
    show_default=True,
    help="W below which a battery idles.",
)
@click.option(
    "--quantum",
    type=click.FloatRange(0),
    default=0.0,
    show_default=True,
    help="W that set-points are multiples of.",
)
@click.option(
    "--controller",
    type=click.Choice(get_args(Named)),
    default="mpc",
    show_default=True,
    help="What decides for the batteries.",
)
@click.option(
    "--controller-of",
    "controllers",
    metavar="HOME=NAME",
    multiple=True,
    help="Another for one home, such as hh_03=fuzzy; as often as there are such homes.",
)
@data_option
@seed_option
@out_option("out/fleet", "Folder of the results; a run that stopped there goes on.")
@click.option(
    "--engine",
    type=click.Choice(["local", "ray"]),
    default="local",
    show_default=True,
    help="Where homes live: in this process, or in workers of Ray.",
)
@click.option(
    "--workers",
    type=click.IntRange(1),
    show_default="one a processor",
    help="Ray workers.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def fleet(
    *,
    out: Path,
    engine: str,
    workers: int | None,
    as_json: bool,
    **asked: Any,  # noqa: ANN401 - click's options
) -> None:
    """Live through many days of a fleet on one ledger.

    Ctrl-C stops it; the same command again goes on after the last whole day.

    Every report goes through the real contracts in this process; with --engine ray the homes live
    in others, on this machine or on those of the cluster that RAY_ADDRESS names. Results are a
    Parquet file per day, of homes and of intervals, and summary.json.
    """
    from scenarios.simulation.fleet_run import FleetRun  # noqa: PLC0415 -- imports what --help need not

    rules = _rules(asked)
    own = [each.partition("=") for each in asked["controllers"]]
    try:
        run = FleetRun(
            first_day=asked["first"].date(),
            days=asked["days"],
            homes=asked["homes"],
            rules=rules,
            folder=asked["data"],
            controller=asked["controller"],
            controllers={home: cast("Named", name) for home, _, name in own},
        )
    except ScenarioInputError as error:
        raise click.UsageError(str(error)) from error
    check_folder(out)
    figures = _run(run, out, engine=_engine(engine, workers))
    if as_json:
        click.echo(json.dumps(figures, indent=2))
    else:
        _tell(run, figures, out)


def _rules(asked: dict[str, Any]) -> Rules:
    """Return how each day is run, or refuse the options."""
    try:
        return Rules(
            report_s=60 * asked["t_sc"],
            decide_s=60 * asked["t_j"],
            forecast_error=asked["forecast_error"],
            forecast_step_s=round(3600 * asked["forecast_step"]),
            seed=asked["seed"],
            disturbances=Disturbances(
                latency_s=asked["latency"],
                lost_share=asked["lost"],
                offline_share=asked["offline"],
                power_cap_w=asked["power_cap"],
                deadband_w=asked["deadband"],
                quantum_w=asked["quantum"],
            ),
        )
    except (ScenarioInputError, ValueError) as error:  # NaN passes ranges, and cannot be rounded
        raise click.UsageError(str(error)) from error


def _engine(name: str, workers: int | None) -> "Engine":
    """Return where homes live."""
    from scenarios.simulation.ray_engine import RayEngine  # noqa: PLC0415 -- imports what --help need not
    from scenarios.simulation.shards import LOCAL  # noqa: PLC0415

    return RayEngine(workers or os.cpu_count() or 1) if name == "ray" else LOCAL


def _run(run: "FleetRun", out: Path, *, engine: "Engine") -> dict[str, object]:
    """Run under a progress bar on stderr."""
    from scenarios.simulation.checkpoint import load  # noqa: PLC0415 -- numba and pyomo take seconds
    from scenarios.simulation.fleet_run import run_fleet  # noqa: PLC0415

    days = run.days
    console = Console(stderr=True)
    columns = (TextColumn("day {task.fields[day]} of {task.fields[days]}"), BarColumn())
    with Progress(
        *columns,
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as bar:
        task = bar.add_task("fleet", total=days * DAY_MINUTES, day=1, days=days)

        def show(done: int, total: int) -> None:
            day = min(done // DAY_MINUTES + 1, days)
            bar.update(task, completed=done, total=total, day=day)

        try:
            return run_fleet(run, out, progress=show, engine=engine)
        except KeyboardInterrupt as stopped:
            stood = load(out, run.asked())
            done = 0 if stood is None else stood.days_done
            msg = f"stopped after {done} of {days} days; the same command goes on from there"
            raise click.ClickException(msg) from stopped
        except WorkerLostError as error:
            raise click.ClickException(str(error)) from error


def _tell(run: "FleetRun", figures: dict[str, object], out: Path) -> None:
    """Say in a few lines what happened and where it is."""
    error = figures["mean_export_error"]
    lines = [
        f"{plural(run.homes, 'home')}, {plural(run.days, 'day')} from {run.first_day}, "
        + ("GENERATED series (--data uses real ones)" if run.folder is None else "real series"),
        f"promised {_energy(figures['committed_wh'])}, "
        f"delivered {_energy(figures['delivered_wh'])}: "
        + (f"mean export error {error:.1%}" if isinstance(error, float) else "nothing was sold"),
        f"{figures['reports']:,} reports taken, {figures['refused_reports']} refused, "
        f"{figures['lost_reports']} lost",
        f"bills less by {figures['bill_reduction']:.2f} {CURRENCY}, market revenue "
        f"{figures['market_revenue']:.2f}, imbalance {figures['imbalance_cost']:.2f}",
        f"results: {out}",
    ]
    click.echo("\n".join(lines))


def _energy(energy_wh: object) -> str:
    """Return an energy in kWh, or MWh where there are any."""
    energy_kwh = float(str(energy_wh)) / 1000
    return f"{energy_kwh:.1f} kWh" if energy_kwh < 1000 else f"{energy_kwh / 1000:.2f} MWh"
