"""A group of commands each of which is imported when it is called for: a gateway is a small one."""

import importlib
from collections.abc import Mapping
from typing import Any

import click


class Lazy(click.Group):
    """A group that imports a sub-command's module when it is called for.

    Parameters
    ----------
    *arguments, **options
        As `click.Group` takes them.
    lazy : Mapping
        By command: the module that holds it, and its line in the overview.
    named : str
        What its module calls a command, ``{}`` standing for its name.
    """

    def __init__(
        self,
        *arguments: Any,  # noqa: ANN401 -- click's
        lazy: Mapping[str, tuple[str, str]],
        named: str = "{}",
        **options: Any,  # noqa: ANN401 -- click's
    ) -> None:
        super().__init__(*arguments, **options)
        self._lazy = lazy
        self._named = named

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in their given order."""
        del ctx
        return list(self._lazy)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a command."""
        del ctx
        if cmd_name not in self._lazy:
            return None
        module, _ = self._lazy[cmd_name]
        name = self._named.format(cmd_name)
        command: click.Command = getattr(importlib.import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the overview without importing anything."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in self._lazy.items()])
