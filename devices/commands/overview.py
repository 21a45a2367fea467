"""`gridpact device list`."""

import json
from dataclasses import asdict

import click
from rich.console import Console
from rich.table import Table

from devices.commands.catalogue import CATALOGUE
from devices.commands.configuration import json_option
from devices.registry import DRIVERS, EMULATORS


@click.command("list", short_help="Show every driver.")
@json_option
def list_command(*, as_json: bool) -> None:
    """Show every driver: what it drives, how, and what ends a set-point when we die."""
    if as_json:
        lines = {
            name: asdict(CATALOGUE[name]) | {"emulated": name in EMULATORS} for name in DRIVERS
        }
        click.echo(json.dumps(lines, indent=2))
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("driver", "device", "does", "reached by", "a set-point is ended by"):
        table.add_column(heading, overflow="fold")
    for name in DRIVERS:
        line = CATALOGUE[name]
        table.add_row(name, line.device, ", ".join(line.does), line.transport, line.watchdog)
    Console(width=None if Console().is_terminal else 160).print(table)
