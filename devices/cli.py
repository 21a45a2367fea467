"""`gridpact device list | discover | read | set | adapter | emulate`: batteries and their like."""

import click

from devices.commands.adapter import adapter_command
from devices.commands.discover import discover_command
from devices.commands.emulate import emulate_command
from devices.commands.hold import set_command
from devices.commands.overview import list_command
from devices.commands.read import read_command


@click.group()
def device() -> None:
    """Find, read, steer and emulate batteries, meters and chargers."""


for command in (
    list_command,
    discover_command,
    read_command,
    set_command,
    adapter_command,
    emulate_command,
):
    device.add_command(command)
