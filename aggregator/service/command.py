"""`gridpact serve`: the aggregator's service."""

import asyncio
import json
from contextlib import suppress
from pathlib import Path

import click

from aggregator.service.errors import ServiceConfigError
from aggregator.service.serve import PARTS, known_tables
from aggregator.service.serve import serve as serve_until
from aggregator.service.settings import read_service
from aggregator.service.template import TEMPLATE
from devices.clock import SystemClock
from devices.commands.lazy import Lazy
from devices.commands.stopping import run_until_stopped

COMMANDS = {
    "alarm": ("aggregator.service.alarms.command", "Try how alarms are told."),
    "backup": ("aggregator.service.backup_command", "Write the store to a file."),
    "gateway": ("aggregator.service.gateway_command", "Let a gateway in at the built-in broker."),
    "homes": ("aggregator.service.registry.homes_command", "Homes out of a CSV file, or into one."),
    "step": ("aggregator.service.day.command", "Run a step of a market day by hand."),
    "result": ("aggregator.service.day.command", "Enter what the market took of a day's offer."),
    "restore": ("aggregator.service.backup_command", "Make an empty store out of a backup."),
    "order": (
        "aggregator.service.commands.order_command",
        "Give an order and say what became of it.",
    ),
    "token": ("aggregator.service.rest.token_command", "Make, list and revoke tokens."),
}
"""Sub-commands: by name the module that holds a command of that name, and its line."""


@click.group("serve", cls=Lazy, lazy=COMMANDS, invoke_without_command=True)
@click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The service's file; without it everything is embedded in the folder.",
)
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("service"),
    show_default=True,
    help="Where the service keeps what it makes.",
)
@click.option("--init", is_flag=True, help="Write a commented service.toml (or --config) and end.")
@click.option(
    "--only", help=f"Parts to run, with commas between: {', '.join(PARTS)}.  [default: all]"
)
@click.option("--without", help="Parts not to run, with commas between.")
@click.option("--json", "as_json", is_flag=True, help="Log lines as JSON.")
@click.pass_context
def serve(
    context: click.Context,
    *,
    config: Path | None,
    folder: Path,
    init: bool,
    only: str | None,
    without: str | None,
    as_json: bool,
) -> None:
    """Run the aggregator's service until SIGTERM or Ctrl-C.

    What is lost, and what is back, goes to stderr, a line each.
    """
    if init:
        _init(config or Path("service.toml"))
        return
    settings = read_service(config, folder=folder, known=known_tables())
    context.obj = settings
    if context.invoked_subcommand is not None:
        return
    names = _chosen(_names(only) or list(PARTS), _names(without))
    clock = SystemClock()

    def tell(line: str) -> None:
        utc = clock.utc().strftime("%Y-%m-%dT%H:%M:%SZ")
        whole = json.dumps({"utc": utc, "line": line}) if as_json else f"{utc} {line}"
        with suppress(OSError):  # a log that is on the full disk ends nobody who tells of it
            click.echo(whole, err=True)

    async def story(stopped: asyncio.Event) -> None:
        await serve_until(settings, stopped, clock=clock, tell=tell, only=names)

    run_until_stopped(story)


def _names(text: str | None) -> list[str]:
    return [each.strip() for each in text.split(",")] if text else []


def _chosen(names: list[str], without: list[str]) -> list[str]:
    unknown = [each for each in without if each not in PARTS]
    if unknown:
        msg = f"--without {unknown[0]}: is no part; give {', '.join(PARTS)}"
        raise ServiceConfigError(msg)
    return [each for each in names if each not in without]


def _init(path: Path) -> None:
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(TEMPLATE)
    except OSError as error:
        msg = f"{path}: cannot be written ({error.strerror}); name a file that is not there yet"
        raise ServiceConfigError(msg) from error
    click.echo(f"wrote {path}; run: gridpact serve --config {path}")
