"""`gridpact device read`."""

import asyncio
import json
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path

import click

from devices.clock import SystemClock
from devices.commands.configuration import (
    EXAMPLE,
    SIGNS,
    chosen,
    config_argument,
    json_option,
    site_of,
)
from devices.commands.shown import State, as_table, labelled, named, read_all
from devices.commands.stopping import run_until_stopped, wait
from devices.errors import DeviceConfigError, DeviceError, DeviceUnavailableError
from devices.registry import Device, open_device
from devices.write_log import WriteLog

Tables = Mapping[str, Mapping[str, object]]
Told = tuple[Device, dict[str, State]] | str
"""A device and its readings, or what went wrong."""


@click.command(
    "read",
    short_help="Read the devices of CONFIG; nothing is written.",
    help=f"""Read the devices of CONFIG, or the one called NAME; nothing is ever written.

{EXAMPLE}

{SIGNS}
With --watch it goes on until Ctrl-C, and a device that fails is asked again.
""",
)
@config_argument
@click.argument("name", required=False)
@json_option
@click.option("--watch", "watch_s", type=float, help="Read again every so many seconds.")
def read_command(*, config: Path, name: str | None, as_json: bool, watch_s: float | None) -> None:
    """Read devices once or again and again."""
    if watch_s is not None and not 0 < watch_s < 86_400:
        msg = f"--watch {watch_s:g} cannot be; give 0.1..86400 seconds"
        raise click.UsageError(msg)
    tables = chosen(config, name)
    failed = run_until_stopped(
        lambda stopped: _read(config, tables, stopped, watch_s=watch_s, as_json=as_json)
    )
    if failed and watch_s is None:
        msg = f"{', '.join(failed)} of {config} could not be read; see above"
        raise DeviceUnavailableError(msg)


async def _read(
    path: Path, tables: Tables, stopped: asyncio.Event, *, watch_s: float | None, as_json: bool
) -> list[str]:
    """Read until stopped; return the names of those that failed last."""
    with WriteLog() as log:
        async with AsyncExitStack() as stack:
            reader = _Reader(path, tables, log=log, stack=stack)
            while True:
                told = {name: await reader.tell(name) for name in tables}
                _show(told, as_json=as_json)
                if watch_s is None or await wait(stopped, watch_s):
                    return [name for name, each in told.items() if isinstance(each, str)]


class _Reader:
    """The devices of a configuration, each opened when it is first read."""

    def __init__(self, path: Path, tables: Tables, *, log: WriteLog, stack: AsyncExitStack) -> None:
        self._path = path
        self._tables = tables
        self._log = log
        self._stack = stack
        self._opened: dict[str, Device] = {}

    async def tell(self, name: str) -> Told:
        """Return what a device tells, or what is wrong with it."""
        try:
            if name not in self._opened:
                site = site_of(self._path, name, clock=SystemClock(), log=self._log, read_only=True)
                self._opened[name] = await open_device(self._tables[name], site)
                self._stack.push_async_callback(self._opened[name].close)
            device = self._opened[name]
            return device, await read_all(device)
        except DeviceConfigError:
            raise
        except DeviceError as error:
            return " ".join(str(error).split())


def _show(told: Mapping[str, Told], *, as_json: bool) -> None:
    """Print one reading of all devices: a line for each part, or one JSON object."""
    found: dict[str, object] = {}
    for name, each in told.items():
        if isinstance(each, str):
            found[name] = {"error": each}
            if not as_json:
                click.echo(named(name, each), err=True)
            continue
        device, states = each
        found[name] = {"driver": device.driver, **as_table(states)}
        for part, state in () if as_json else states.items():
            click.echo(labelled(name, part, state))
    if as_json:
        click.echo(json.dumps(found))
