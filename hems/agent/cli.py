"""`gridpact agent run | check | init | status`: the gateway of one home."""

import importlib

import click

COMMANDS = {
    "init": ("hems.agent.commands.init", "Write a home.toml, a key and a certificate request."),
    "check": ("hems.agent.commands.check", "Check the file and reach everything it names."),
    "run": ("hems.agent.commands.run", "Run the home's agent until it is stopped."),
    "status": ("hems.agent.commands.status", "Show what an agent did last and what stands."),
}
"""Command, module that holds ``NAME_command``, and its line in the overview."""


class _Lazy(click.Group):
    """A group that imports a command's module when it is called for: a gateway is a small one."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of their first use."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a command."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module, _ = COMMANDS[cmd_name]
        found: click.Command = getattr(importlib.import_module(module), f"{cmd_name}_command")
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the overview without importing anything."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.group(cls=_Lazy)
def agent() -> None:
    """Run one home's gateway: it reads, decides, steers and reports."""
