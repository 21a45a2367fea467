"""`gridpact serve step` and `result`: a market day by hand."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

import click
from pydantic import ValidationError

from aggregator.files import read_text
from aggregator.service.day.desk import Desk, open_desk
from aggregator.service.day.errors import StepError, StepInputError
from aggregator.service.day.shapes import ResultBody
from aggregator.service.day.steps import FAILED, STEPS, Run, run_step
from aggregator.service.first_start import prepared_store
from aggregator.service.registry.terminal import who_is_here
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
    with _desk(settings) as desk:
        run = run_step(desk, name, day.date(), who=who_is_here())
    if run.state == FAILED:
        msg = f"{name} of {run.day}: {run.line}"
        raise StepError(msg)
    _tell(run, as_json=as_json)


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@date_option
@json_option
@click.pass_obj
def result(settings: ServiceSettings, *, file: Path, day: datetime, as_json: bool) -> None:
    """Enter what the market took of a day's offer out of FILE; the step award goes by it.

    FILE is JSON: {"accepted": [{"interval": 987654, "quantity_wh": 1200, "price_per_mwh": 81.5}]},
    intervals as the offer has them; one that is not named was not taken.
    """
    from aggregator.service.day.result import Accepted, enter_result  # noqa: PLC0415 -- the solver

    try:
        told = ResultBody.model_validate_json(read_text(file))
    except ValidationError as error:
        raise StepInputError(_one_line(file, error)) from error
    accepted = [Accepted(**each.model_dump()) for each in told.accepted]
    with _desk(settings) as desk:
        run = enter_result(desk, day.date(), accepted, who=who_is_here())
    _tell(run, as_json=as_json)


@contextmanager
def _desk(settings: ServiceSettings) -> Iterator[Desk]:
    """Yield a desk of the service's store, whether the service runs or not."""
    clock = SystemClock()
    store = prepared_store(settings, clock=clock, tell=lambda line: click.echo(line, err=True))
    try:
        yield open_desk(settings, store=store, clock=clock)
    finally:
        store.close()


def _tell(run: Run, *, as_json: bool) -> None:
    click.echo(json.dumps(asdict(run), indent=2) if as_json else f"{run.state}: {run.line}")


def _one_line(file: Path, error: ValidationError) -> str:
    """Return the first thing that is wrong with a file, and where."""
    first = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in first["loc"]) or "it"
    return f"{file}: {where}: {first['msg']} ({repr(first['input'])[:80]}); mend it"
