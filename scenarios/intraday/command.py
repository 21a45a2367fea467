"""`gridpact scenario run intraday`: what trading through the day adds."""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from scenarios.bench.progress import bench_progress
from scenarios.demo import check_folder
from scenarios.errors import ScenarioInputError
from scenarios.options import (
    data_option,
    days_option,
    first_day_option,
    homes_option,
    jobs_option,
    json_option,
    out_option,
    seed_option,
)
from scenarios.simulation.fleet import Rules

if TYPE_CHECKING:
    from scenarios.intraday.firming import Intraday


@click.command()
@days_option(default=30, means="Days to live through.")
@homes_option()
@first_day_option()
@click.option(
    "--every",
    type=click.FloatRange(0.5, 24),
    default=2.0,
    show_default=True,
    help="Hours from plan to plan, rounded up to whole market intervals.",
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
@jobs_option
@data_option
@seed_option
@out_option("out/intraday", "Folder of the results; a run that stopped there goes on.")
@json_option
def intraday(*, out: Path, jobs: int | None, as_json: bool, **asked: Any) -> None:  # noqa: ANN401 - click's options
    """Show what trading through the day adds to a fleet that sold the day before.

    The same days three times: as sold the day before; planned again every few hours from forecasts
    that firm up; and with the difference traded until gate closure. Intraday prices are
    made from the imbalance prices: see docs/sensitivity.md.
    """
    from scenarios.intraday.study import plain, study  # noqa: PLC0415
    from scenarios.simulation.fleet_run import FleetRun  # noqa: PLC0415 -- pandas takes seconds

    settings, days = _settings(asked), asked["days"]
    base = FleetRun(
        first_day=asked["first"].date(),
        days=days,
        homes=asked["homes"],
        rules=Rules(seed=asked["seed"]),
        folder=asked["data"],
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


def _settings(asked: dict[str, Any]) -> "Intraday":
    """Return when it plans again and on what terms it trades, or refuse the options."""
    from scenarios.intraday.firming import Intraday  # noqa: PLC0415

    try:
        return Intraday(
            every_s=round(3600 * asked["every"]),
            gate_closure_s=60 * asked["gate_closure"],
            spread_per_mwh=asked["spread"],
            premium_per_mwh=asked["premium"],
            keep_closed=asked["keep_closed"],
        )
    except (ScenarioInputError, ValueError) as error:  # NaN passes ranges, and cannot be rounded
        raise click.UsageError(str(error)) from error
