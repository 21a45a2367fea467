"""`gridpact scenario run intraday`: what trading through the day adds."""

import json
import os
from datetime import datetime
from pathlib import Path

import click

from scenarios.bench_progress import bench_progress
from scenarios.data.calendar import REAL_FIRST_DAY
from scenarios.demo import check_folder
from scenarios.errors import ScenarioInputError
from scenarios.simulation.fleet import Rules


@click.command()
@click.option(
    "--days", type=click.IntRange(1), default=30, show_default=True, help="Days to live through."
)
@click.option(
    "--homes", type=click.IntRange(1), default=70, show_default=True, help="Number of homes."
)
@click.option(
    "--from",
    "first",
    type=click.DateTime(["%Y-%m-%d"]),
    default=REAL_FIRST_DAY.isoformat(),
    show_default=True,
    help="First local market day.",
)
@click.option(
    "--every",
    type=click.FloatRange(0.5, 24),
    default=2.0,
    show_default=True,
    help="Hours from plan to plan.",
)
@click.option(
    "--gate-closure",
    type=click.IntRange(0, 1440),
    default=60,
    show_default=True,
    help="Minutes before an interval that its trade ends.",
)
@click.option(
    "--spread",
    type=click.FloatRange(0),
    default=4.0,
    show_default=True,
    help="From bid to ask, currency/MWh.",
)
@click.option(
    "--premium",
    type=click.FloatRange(0),
    default=5.0,
    show_default=True,
    help="How much dearer than the market a deviation is taken to be, currency/MWh.",
)
@click.option(
    "--keep-closed", is_flag=True, help="Plan to keep what cannot be traded, whatever it costs."
)
@click.option(
    "--jobs", type=click.IntRange(1), help="Processes at once.  [default: the processor's cores]"
)
@click.option(
    "--data",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    envvar="GRIDPACT_DATA",
    show_envvar=True,
    help="Folder of real series; generated without.",
)
@click.option(
    "--seed", type=click.IntRange(0), default=0, show_default=True, help="Seeds every draw."
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("out/intraday"),
    show_default=True,
    help="Folder of the results; a run that stopped there goes on.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON.")
def intraday(  # noqa: PLR0913 - one parameter per option
    *,
    days: int,
    homes: int,
    first: datetime,
    every: float,
    gate_closure: int,
    spread: float,
    premium: float,
    keep_closed: bool,
    jobs: int | None,
    data: Path | None,
    seed: int,
    out: Path,
    as_json: bool,
) -> None:
    """Show what trading through the day adds to a fleet that sold the day before.

    The same days three times: as sold the day before; planned again every few hours from forecasts
    that firm up; and with the difference traded until gate closure. Intraday prices are
    made from the imbalance prices: see docs/sensitivity.md.
    """
    from scenarios.intraday.firming import Intraday  # noqa: PLC0415
    from scenarios.intraday.study import plain, study  # noqa: PLC0415
    from scenarios.simulation.fleet_run import FleetRun  # noqa: PLC0415 -- pandas takes seconds

    try:
        settings = Intraday(
            every_s=round(3600 * every),
            gate_closure_s=60 * gate_closure,
            spread_per_mwh=spread,
            premium_per_mwh=premium,
            keep_closed=keep_closed,
        )
    except (ScenarioInputError, ValueError) as error:  # NaN passes ranges, and cannot be rounded
        raise click.UsageError(str(error)) from error
    base = FleetRun(
        first_day=first.date(), days=days, homes=homes, rules=Rules(seed=seed), folder=data
    )
    check_folder(out)
    with bench_progress("intraday, simulated minutes") as bar:
        task = bar.add_task("intraday", total=3 * 1440 * days)
        try:
            found = study(
                base,
                settings,
                out,
                jobs=jobs or os.cpu_count() or 1,
                progress=lambda done, total: bar.update(task, completed=done, total=total),
            )
        except KeyboardInterrupt as stopped:
            msg = "stopped; the same command goes on from there"
            raise click.ClickException(msg) from stopped
    if as_json:
        click.echo(json.dumps(plain(found), indent=2))
    else:
        click.echo("\n".join([*found.lines(), "", f"results: {out}"]))
