"""`gridpact serve step`: a step of a market day by hand."""

import getpass
import json
import socket
from dataclasses import asdict
from datetime import datetime

import click

from aggregator.service.day.desk import open_desk
from aggregator.service.day.errors import StepError
from aggregator.service.day.steps import FAILED, STEPS, run_step
from aggregator.service.serve import prepared_store
from aggregator.service.settings import ServiceSettings
from contracts.commands.options import date_option, json_option
from devices.clock import SystemClock


@click.command()
@click.argument("name", metavar="NAME", type=click.Choice(list(STEPS)))
@date_option
@json_option
@click.pass_obj
def step(settings: ServiceSettings, *, name: str, day: datetime, as_json: bool) -> None:
    """Run step NAME of a market day, also one that was run before: the same gives the same.

    NAME is weather, prices, forecast, plan, offer, award, publish, watch, imbalance, settle,
    revenue, reliability or score.
    """
    clock = SystemClock()
    store = prepared_store(settings, clock=clock, tell=lambda line: click.echo(line, err=True))
    try:
        desk = open_desk(settings, store=store, clock=clock)
        run = run_step(desk, name, day.date(), who=_who())
    finally:
        store.close()
    if run.state == FAILED:
        msg = f"{name} of {run.day}: {run.line}"
        raise StepError(msg)
    click.echo(json.dumps(asdict(run), indent=2) if as_json else f"{run.state}: {run.line}")


def _who() -> str:
    """Return who sits at the command line, as the audit log calls them."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = "unknown"
    return f"{user}@{socket.gethostname()}"
