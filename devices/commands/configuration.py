"""A configuration of devices: a TOML file with a table for each; and what commands open of it."""

import tomllib
from collections.abc import Mapping
from pathlib import Path

import click

from devices.clock import Clock
from devices.errors import DeviceConfigError
from devices.registry import Site
from devices.write_log import WriteLog

EXAMPLE = """\b
CONFIG is a TOML file with a table for each device, named as you like:
  [battery]
  driver = "sonnen-v2"            # see: gridpact device list
  host = "192.168.1.20"           # the driver's own settings
  token_file = "sonnen.token"     # secrets only ever in files, chmod 600,
                                  # beside CONFIG unless the path says otherwise
"""
"""What helps say of the file."""
SIGNS = """\b
Powers are in watts at the battery's AC terminals: positive charges, negative
discharges. State of charge is in percent of the nominal capacity. Grid power
is positive when the home imports.
"""
"""What helps say of units and signs."""
config_argument = click.argument("config", type=click.Path(path_type=Path))
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def read_configuration(path: Path) -> dict[str, Mapping[str, object]]:
    """Return a file's tables by name.

    Settings whose name ends in ``_file`` are paths; relative ones start at the file's folder.

    Raises
    ------
    DeviceConfigError
        If the file cannot be read, is no TOML, or holds anything but tables.
    """
    try:
        with path.open("rb") as file:
            tables = tomllib.load(file)
    except OSError as error:
        msg = f"{path} cannot be read ({error.strerror}); name a configuration of devices"
        raise DeviceConfigError(msg) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        msg = f"{path} is no TOML: {error}; mend it"
        raise DeviceConfigError(msg) from error
    for name, table in tables.items():
        if not isinstance(table, dict):
            msg = f"{path}: {name} stands outside a table; put it below a line such as [battery]"
            raise DeviceConfigError(msg)
    if not tables:
        msg = f"{path} names no device; add a table such as [battery] with its driver"
        raise DeviceConfigError(msg)
    return {name: _from_folder(table, path.parent) for name, table in tables.items()}


def _from_folder(table: Mapping[str, object], folder: Path) -> dict[str, object]:
    """Return a table whose files no longer depend on where the command is run."""
    return {
        key: str(folder / value) if key.endswith("_file") and isinstance(value, str) else value
        for key, value in table.items()
    }


def chosen(path: Path, name: str | None) -> dict[str, Mapping[str, object]]:
    """Return the named table alone, or all tables where none is named.

    Raises
    ------
    DeviceConfigError
        If there is no such table.
    """
    tables = read_configuration(path)
    if name is None:
        return tables
    if name not in tables:
        msg = f"{path} has no [{name}]; it has {', '.join(tables)}"
        raise DeviceConfigError(msg)
    return {name: tables[name]}


def site_of(path: Path, name: str, *, clock: Clock, log: WriteLog, read_only: bool) -> Site:
    """Return what a driver is handed for the table ``name`` of a file."""
    return Site(name=name, where=f"{path} [{name}]", clock=clock, log=log, read_only=read_only)
