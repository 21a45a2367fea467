"""`gridpact scenario run community`: prosumers who share."""

import json
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path

import click

from scenarios.bench.progress import bench_progress
from scenarios.options import (
    data_option,
    days_option,
    first_day_option,
    homes_option,
    json_option,
    seed_option,
)


@click.command()
@homes_option(default=50, least=2, means="Number of members.")
@first_day_option("First day, history for the first plans.")
@days_option(default=29, least=4, means="Days, that one included.")
@click.option(
    "--panels",
    type=click.FloatRange(0, 1),
    default=0.6,
    show_default=True,
    help="Share of members with panels.",
)
@click.option(
    "--batteries",
    type=click.FloatRange(0, 1),
    default=0.6,
    show_default=True,
    help="Share of those with a battery too.",
)
@click.option(
    "--incentive",
    default="2023",
    show_default=True,
    metavar="NAME|PRICE",
    help="For shared energy: Italy's of 2020 or 2023, or a price as 0.11/kWh.",
)
@click.option(
    "--charges",
    default="0.15/kWh",
    show_default=True,
    metavar="PRICE",
    help="On top of the market's price for import.",
)
@click.option(
    "--forecast",
    type=click.Choice(["perfect", "linear", "knn", "persistence", "worsened"]),
    default="perfect",
    show_default=True,
    help="How members forecast.",
)
@data_option
@seed_option
@json_option
def community(  # noqa: PLR0913 - one parameter per option
    *,
    homes: int,
    first: datetime,
    days: int,
    panels: float,
    batteries: float,
    incentive: str,
    charges: str,
    forecast: str,
    data: Path | None,
    seed: int,
    as_json: bool,
) -> None:
    """Show what members of a renewable energy community share and earn by it.

    Without batteries; with batteries, each for itself; and with rules that know the incentive for
    shared energy: in each hour the lesser of all exports and all imports.
    """
    from scenarios.prosumer.community import Incentive  # noqa: PLC0415 -- numba takes seconds
    from scenarios.prosumer.community_study import HISTORY_H, gather, study, ways  # noqa: PLC0415
    from scenarios.prosumer.own_series_units import price  # noqa: PLC0415

    if "/" in incentive:
        sharing = Incentive.flat(price(incentive, name="--incentive"))
    else:
        sharing = Incentive.named(incentive)
    gathered = gather(
        data,
        last_day=first.date() + timedelta(days=days - 1),
        days=days,
        homes=homes,
        seed=seed,
        panels=panels,
        batteries=batteries,
        charges_per_mwh=price(charges, name="--charges"),
        incentive=sharing,
    )
    total = len(ways(sharing)) * (gathered.series.hours - HISTORY_H)
    with bench_progress("community, hours") as bar:
        task = bar.add_task("community", total=total)
        found = study(
            gathered,
            method=None if forecast == "perfect" else forecast,  # type: ignore[arg-type] # click checks it
            progress=lambda done: bar.update(task, completed=done),
        )
    click.echo(json.dumps(asdict(found), indent=2) if as_json else "\n".join(found.lines()))
