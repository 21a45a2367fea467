"""`gridpact fleet`: a fleet over many days, with what may go wrong; resumed where it stood."""

import json
from datetime import datetime
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from scenarios.data.calendar import REAL_FIRST_DAY
from scenarios.demo import check_folder
from scenarios.disturbances import Disturbances
from scenarios.fleet import Rules

DAY_MINUTES = 1440


@click.command()
@click.option("--homes", type=int, default=70, show_default=True, help="Number of homes.")
@click.option("--days", type=int, default=30, show_default=True, help="Days to live through.")
@click.option(
    "--from",
    "first",
    type=click.DateTime(["%Y-%m-%d"]),
    default=REAL_FIRST_DAY.isoformat(),
    show_default=True,
    help="First local market day.",
)
@click.option("--t-sc", type=int, default=5, show_default=True, help="Minutes between reports.")
@click.option("--t-j", type=int, default=2, show_default=True, help="Minutes between decisions.")
@click.option(
    "--forecast-error", type=float, default=0.25, show_default=True, help="Share, day ahead."
)
@click.option(
    "--forecast-step", type=float, default=2.0, show_default=True, help="Hours between its points."
)
@click.option("--latency", type=int, default=0, help="Seconds from a reading to the contract.")
@click.option("--lost", type=float, default=0.0, help="Share of exchanges that fail.")
@click.option("--offline", type=float, default=0.0, help="Share of homes away, each day others.")
@click.option("--power-cap", type=float, help="W that no battery exceeds.")
@click.option("--deadband", type=float, default=0.0, help="W below which a battery idles.")
@click.option("--quantum", type=float, default=0.0, help="W that set-points are multiples of.")
@click.option(
    "--data",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    envvar="GRIDPACT_DATA",
    show_envvar=True,
    help="Folder of real series; generated without.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Seeds every draw.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("out/fleet"),
    show_default=True,
    help="Folder of the results; a run that stopped there goes on.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def fleet(  # noqa: PLR0913 - one parameter per option
    *,
    homes: int,
    days: int,
    first: datetime,
    t_sc: int,
    t_j: int,
    forecast_error: float,
    forecast_step: float,
    latency: int,
    lost: float,
    offline: float,
    power_cap: float | None,
    deadband: float,
    quantum: float,
    data: Path | None,
    seed: int,
    out: Path,
    as_json: bool,
) -> None:
    """Live through many days of a fleet on one ledger; a run that was stopped goes on.

    Every report goes through the real contracts in this process. Results are a Parquet file per
    day, of homes and of intervals, and summary.json.
    """
    rules = Rules(
        report_s=60 * t_sc,
        decide_s=60 * t_j,
        forecast_error=forecast_error,
        forecast_step_s=round(3600 * forecast_step),
        seed=seed,
        disturbances=Disturbances(
            latency_s=latency,
            lost_share=lost,
            offline_share=offline,
            power_cap_w=power_cap,
            deadband_w=deadband,
            quantum_w=quantum,
        ),
    )
    check_folder(out)
    figures = _run(rules, homes=homes, days=days, first=first, data=data, out=out)
    if as_json:
        click.echo(json.dumps(figures, indent=2))
    else:
        _tell(figures, out)


def _run(
    rules: Rules, *, homes: int, days: int, first: datetime, data: Path | None, out: Path
) -> dict[str, object]:
    """Run under a progress bar on stderr."""
    from hems.mpc import Mpc  # noqa: PLC0415 -- numba and pyomo take seconds that --help need not
    from hems.mpc_compiled import CompiledEngine  # noqa: PLC0415
    from scenarios.fleet_run import FleetRun, run_fleet  # noqa: PLC0415

    run = FleetRun(first_day=first.date(), days=days, homes=homes, rules=rules, folder=data)
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

        return run_fleet(run, out, controller=Mpc(engine=CompiledEngine()), progress=show)


def _tell(figures: dict[str, object], out: Path) -> None:
    """Say in a few lines what happened and where it is."""
    error = figures["mean_export_error"]
    lines = [
        f"promised {_mwh(figures['committed_wh'])}, delivered {_mwh(figures['delivered_wh'])}: "
        + (f"mean export error {error:.1%}" if isinstance(error, float) else "nothing was sold"),
        f"{figures['reports']:,} reports taken, {figures['refused_reports']} refused, "
        f"{figures['lost_reports']} lost",
        f"bills less by {figures['bill_reduction']:.2f}, market revenue "
        f"{figures['market_revenue']:.2f}, imbalance {figures['imbalance_cost']:.2f}",
        f"results: {out}",
    ]
    click.echo("\n".join(lines))


def _mwh(energy_wh: object) -> str:
    return f"{float(str(energy_wh)) / 1e6:.2f} MWh"
