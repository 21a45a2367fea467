"""`gridpact agent run | check | init | status`: the gateway of one home."""

import click

from devices.commands.lazy import Lazy

COMMANDS = {
    "init": ("hems.agent.commands.init", "Write a home.toml, a key and a certificate request."),
    "check": ("hems.agent.commands.check", "Check the file and reach everything it names."),
    "run": ("hems.agent.commands.run", "Run the home's agent until it is stopped."),
    "status": ("hems.agent.commands.status", "Show what an agent did last and what stands."),
}
"""Command, module that holds ``NAME_command``, and its line in the overview."""


@click.group(cls=Lazy, lazy=COMMANDS, named="{}_command")
def agent() -> None:
    """Run one home's gateway: it reads, decides, steers and reports."""
