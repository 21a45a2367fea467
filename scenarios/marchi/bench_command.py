"""`gridpact bench dispatch`."""

import json
from pathlib import Path

import click

from scenarios.bench.progress import told_progress
from scenarios.options import data_option, json_option


@click.command(short_help="How fast a plant is dispatched, for a year and 25.")
@data_option
@click.option("--quick", is_flag=True, help="The quick study, and each time from one run.")
@json_option
def dispatch(*, data: Path | None, quick: bool, as_json: bool) -> None:
    """How fast a plant is dispatched: a year, 25 years with ageing, and the whole study."""
    from scenarios.marchi.bench import dispatch_figures  # noqa: PLC0415 -- imports numba

    with told_progress() as tell:
        figures = dispatch_figures(folder=data, quick=quick, tell=tell)
    if as_json:
        click.echo(json.dumps(figures, indent=2))
        return
    for key, value in figures.items():
        by_policy = value.items() if isinstance(value, dict) else [("", value)]
        for policy, time in by_policy:
            click.echo(f"{key:>16} {policy:12} {time:10,.3f}")
