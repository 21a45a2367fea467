"""The option that the commands of the gateway share."""

from pathlib import Path

import click

config_option = click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("home.toml"),
    show_default=True,
    help="The home's configuration.",
)
