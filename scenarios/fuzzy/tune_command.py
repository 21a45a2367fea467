"""`gridpact scenario run habib-tune`: words of the fuzzy rules, tuned on a year of days."""

import dataclasses
import json
from pathlib import Path

import click

from scenarios.bench.progress import bench_progress
from scenarios.options import data_option, json_option, seed_option

POPULATION = 24


@click.command()
@click.option(
    "--evaluations",
    type=click.IntRange(POPULATION),
    default=960,
    show_default=True,
    help="Words that are tried, a sixth of a second each.",
)
@click.option(
    "--buildings",
    type=click.IntRange(1, 11),
    default=1,
    show_default=True,
    help="Buildings of six homes whose weeks are lived through.",
)
@data_option
@seed_option
@json_option
def habib_tune(
    *, evaluations: int, buildings: int, data: Path | None, seed: int, as_json: bool
) -> None:
    """Tune the words of Habib's fuzzy rules on eight months of a year, judge them by four others.

    The rules of Table A1 stay; what "low" or "high" means moves to where energy costs least without
    more broken limits, rougher charging or more switchings than before. Minutes of load and sun are
    generated; prices are real where there is a folder of data.
    """
    from scenarios.fuzzy.tune_study import HELD_OUT, TRAINED, study, weeks_of  # noqa: PLC0415 -- seconds that --help need not
    from scenarios.habib.data import Asked, year  # noqa: PLC0415

    with bench_progress() as bar:
        task = bar.add_task("habib-tune", total=evaluations)
        days = year(Asked(folder=data, buildings=buildings, seed=seed), buildings)
        found = study(
            weeks_of(days, TRAINED),
            weeks_of(days, HELD_OUT),
            evaluations=evaluations,
            population=POPULATION,
            provenance=days.provenance,
            seed=seed,
            tell=lambda done: bar.update(task, completed=done, description="words tried"),
        )
    if as_json:
        click.echo(json.dumps(dataclasses.asdict(found), indent=2))
    else:
        click.echo("\n".join(found.lines()))
