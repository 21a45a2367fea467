"""`gridpact device set`."""

import asyncio
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import click

from devices.battery import LimitedBattery
from devices.clock import SystemClock
from devices.commands.configuration import (
    EXAMPLE,
    SIGNS,
    chosen,
    config_argument,
    json_option,
    site_of,
)
from devices.commands.shown import as_table, labelled, line_of, named, read_all
from devices.commands.stopping import run_until_stopped, unless_stopped, wait
from devices.dead_man import open_watched
from devices.errors import DeviceError, DeviceIgnoredError
from devices.guarded_writes import SETTLE_S
from devices.registry import Device, Site
from devices.steering import hold, let_go, steering_of
from devices.write_log import WriteLog

SHOW_S: Final = 5.0
"""Pause between two read-backs. [s]"""
LONGEST_S: Final = 86_400.0
"""Longest time that a set-point is held. [s]"""
_LOOK_S: Final = 0.3


@click.command(
    "set",
    short_help="Hold a battery at a power for some seconds.",
    # a negative power is no option
    context_settings={"ignore_unknown_options": True},
    help=f"""Hold NAME of CONFIG at POWER_W for some seconds, and show what it does meanwhile.

At the end, on Ctrl-C and on SIGTERM a battery is sent back to self-consumption
before the command ends; a second process does it where the command is killed and the
device has no watchdog. An EV charger's POWER_W is the most that the car may take.

{EXAMPLE}

{SIGNS}
Every write is counted in a file beside CONFIG, so that flash memory is not worn.
""",
)
@config_argument
@click.argument("name")
@click.argument("power_w", type=float)
@click.option("--for", "hold_s", type=float, required=True, help="Seconds to hold it.")
@click.option("--read-only", is_flag=True, help="Refuse to write: shows what would be refused.")
@click.option(
    "--log",
    "log_path",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File that counts writes.  [default: CONFIG with .writes.sqlite]",
)
@json_option
def set_command(
    *,
    config: Path,
    name: str,
    power_w: float,
    hold_s: float,
    read_only: bool,
    log_path: Path | None,
    as_json: bool,
) -> None:
    """Hold a set-point, then let go."""
    if not (math.isfinite(power_w) and 0 < hold_s <= LONGEST_S):
        msg = f"cannot hold {power_w:g} W for {hold_s:g} s; give watts and 1..{LONGEST_S:g} seconds"
        raise click.UsageError(msg)
    table = chosen(config, name)[name]
    with WriteLog(log_path or config.with_suffix(".writes.sqlite")) as log:
        site = site_of(config, name, clock=SystemClock(), log=log, read_only=read_only)
        run_until_stopped(
            lambda stopped: _Hold(table, site, stopped, as_json=as_json).run(power_w, hold_s)
        )


class _Hold:
    """One set-point from opening the device to letting go of it."""

    def __init__(
        self,
        table: Mapping[str, object],
        site: Site,
        stopped: asyncio.Event,
        *,
        as_json: bool,
    ) -> None:
        self._table = table
        self._site = site
        self._stopped = stopped
        self._as_json = as_json

    async def run(self, power_w: float, hold_s: float) -> None:
        """Hold, show, and let go, whatever happens."""
        device = await open_watched(self._table, self._site)
        try:
            steering = steering_of(device)
            work = hold(steering, power_w, valid_s=hold_s)
            if await unless_stopped(self._stopped, work):
                await self._show_clipped(device, power_w)
                await self._watch(device, hold_s)
            await let_go(steering)
            await self._see_following(device)
        finally:
            await device.close()
        left = _CAR_LEFT if device.charger is not None else _BATTERY_LEFT
        self._say("stopped" if self._stopped.is_set() else "done", {}, f"{device.name}: {left}")

    async def _show_clipped(self, device: Device, asked_w: float) -> None:
        """Say so where the device holds less than it was asked for."""
        if not isinstance(device.battery, LimitedBattery):
            return
        limits = await device.battery.limits()
        limit_w = limits.charge_max_w if asked_w > 0 else -limits.discharge_max_w
        if abs(asked_w) > abs(limit_w):
            line = f"{device.name}: asked {asked_w:+.0f} W, the device allows {limit_w:+.0f} W"
            self._say("    0 s", {"asked_w": asked_w, "limit_w": limit_w}, line)

    async def _watch(self, device: Device, hold_s: float) -> None:
        """Show the device until the time is over; one that fails meanwhile is shown to."""
        begun_s = self._site.clock.monotonic_s()
        while True:
            passed_s = self._site.clock.monotonic_s() - begun_s
            if passed_s >= hold_s:
                return
            await self._show(device, passed_s)
            left_s = hold_s - (self._site.clock.monotonic_s() - begun_s)
            if await wait(self._stopped, min(SHOW_S, left_s)):
                return

    async def _see_following(self, device: Device) -> None:
        """Wait until the battery says that it follows the house: some take a moment."""
        clock = self._site.clock
        deadline_s = clock.monotonic_s() + SETTLE_S
        while device.battery is not None:
            state = await device.battery.read()
            if state.following:
                return
            if clock.monotonic_s() >= deadline_s:
                msg = f"{device.name} was let go and still {line_of(state)}; see to it"
                raise DeviceIgnoredError(msg)
            await clock.sleep(_LOOK_S)

    async def _show(self, device: Device, passed_s: float) -> None:
        when = f"{passed_s:5.0f} s"
        try:
            states = await read_all(device)
        except DeviceError as error:
            self._say(when, {"error": str(error)}, named(device.name, str(error)))
            return
        for part, state in states.items():
            self._say(when, as_table({part: state}), labelled(device.name, part, state))

    def _say(self, when: str, told: Mapping[str, object], line: str) -> None:
        if self._as_json:
            click.echo(json.dumps({"name": self._site.name, "when": when.strip(), **told}))
        else:
            click.echo(f"{when} {line}")


_BATTERY_LEFT: Final = "the battery is back in self-consumption"
_CAR_LEFT: Final = "the car may take what it wants"
