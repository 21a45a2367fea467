"""Options that several commands share: which days, how many homes, whose data, where results go."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

import click

from scenarios.data.calendar import REAL_FIRST_DAY

Command = TypeVar("Command", bound=Callable[..., Any])


class Option(Protocol):
    """What puts an option on a command."""

    def __call__(self, command: Command, /) -> Command:
        """Return the command with it."""


data_option: Final = click.option(
    "--data",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    envvar="GRIDPACT_DATA",
    show_envvar=True,
    help="Folder of real series; generated without.",
)
seed_option: Final = click.option(
    "--seed", type=click.IntRange(0), default=0, show_default=True, help="Seeds every draw."
)
json_option: Final = click.option(
    "--json", "as_json", is_flag=True, help="Print the results as JSON."
)
jobs_option: Final = click.option(
    "--jobs", type=click.IntRange(1), help="Processes at once.  [default: the processor's cores]"
)


def homes_option(*, default: int = 70, least: int = 1, means: str = "Number of homes.") -> Option:
    """Return ``--homes``.

    Parameters
    ----------
    default, least : int
        Homes unless told, and at least.
    means : str
        Its line of help.
    """
    return click.option(
        "--homes", type=click.IntRange(least), default=default, show_default=True, help=means
    )


def days_option(*, default: int, means: str, least: int = 1) -> Option:
    """Return ``--days``.

    Parameters
    ----------
    default, least : int
        Days unless told, and at least.
    means : str
        Its line of help.
    """
    return click.option(
        "--days", type=click.IntRange(least), default=default, show_default=True, help=means
    )


def first_day_option(means: str = "First local market day.") -> Option:
    """Return ``--from``, which a command takes as ``first``.

    Parameters
    ----------
    means : str
        Its line of help.
    """
    return click.option(
        "--from",
        "first",
        type=click.DateTime(["%Y-%m-%d"]),
        default=REAL_FIRST_DAY.isoformat(),
        show_default=True,
        help=means,
    )


def out_option(folder: str, means: str) -> Option:
    """Return ``--out``.

    Parameters
    ----------
    folder : str
        Folder unless told.
    means : str
        Its line of help.
    """
    return click.option(
        "--out",
        type=click.Path(path_type=Path, file_okay=False),
        default=Path(folder),
        show_default=True,
        help=means,
    )
