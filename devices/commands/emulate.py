"""`gridpact device emulate`."""

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from typing import Final, cast

import click

from devices.battery_model import BatteryModel
from devices.clock import SystemClock
from devices.commands.stopping import run_until_stopped
from devices.emulators.emulator import Emulator
from devices.emulators.faults import FaultPlan
from devices.emulators.house import EmulatedHome
from devices.errors import DeviceConfigError
from devices.registry import EMULATORS, resolve

_SHARE: Final = click.FloatRange(0, 1)
_TABLES: Final = {"ocpp-charger": "car"}
"""What the printed table is called, where it is not ``battery``."""


@click.command("emulate", short_help="Run an emulated device until Ctrl-C.")
@click.argument("name", type=click.Choice(list(EMULATORS)), metavar="NAME")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65_535), default=0, help="Port.  [default: a free one]"
)
@click.option(
    "--fault", "rate", type=_SHARE, default=0.0, help="Share of requests that something befalls."
)
@click.option("--seed", type=int, default=0, show_default=True, help="Start of the draws.")
@click.option(
    "--load-w", type=float, default=500.0, show_default=True, help="What the house takes."
)
@click.option("--pv-w", type=float, default=0.0, show_default=True, help="What the sun gives.")
@click.option("--soc", type=_SHARE, default=0.5, show_default=True, help="State of charge, 0..1.")
def emulate_command(
    *,
    name: str,
    host: str,
    port: int,
    rate: float,
    seed: int,
    load_w: float,
    pv_w: float,
    soc: float,
) -> None:
    """Run an emulated device NAME until Ctrl-C, and print the table that reaches it.

    NAME is a driver's, see `gridpact device list`. The table is called [battery], a charger's
    [car]. The device speaks the vendor's protocol on a real socket or pseudo-terminal; behind it
    are a house and a battery of 10 kWh and 5 kW, or less
    where such a device is rated less; they behave at the pace of the clock.
    """
    if load_w < 0 or pv_w < 0:
        msg = f"--load-w {load_w:g} and --pv-w {pv_w:g} must be 0 or more watts"
        raise click.UsageError(msg)
    home = EmulatedHome(
        model=BatteryModel.lfp(1),
        soc=soc,
        clock=time.monotonic,
        demand=lambda _: (load_w, pv_w),
    )
    make = cast("Callable[..., Emulator]", resolve(EMULATORS[name]))
    emulator = make(home, clock=SystemClock(), host=host, port=port)
    if rate > 0:
        offered = emulator.offered
        emulator.faults = FaultPlan.random(dict.fromkeys(offered, rate / len(offered)), seed)
    run_until_stopped(lambda stopped: _emulate(name, emulator, stopped))


async def _emulate(name: str, emulator: Emulator, stopped: asyncio.Event) -> None:
    try:
        await emulator.start()
    except OSError as error:
        msg = f"emulated {name} cannot listen ({error.strerror}); choose another --host or --port"
        raise DeviceConfigError(msg) from error
    try:
        click.echo(
            _toml(_TABLES.get(name, "battery"), emulator.settings) + "\n"
        )  # an empty line ends the table
        click.echo("emulating; Ctrl-C ends it", err=True)
        await stopped.wait()
    finally:
        await emulator.stop()
    struck = dict(sorted((fault.value, count) for fault, count in emulator.faults.seen.items()))
    click.echo(f"writes: {dict(emulator.writes)}; faults: {struck}", err=True)


def _toml(table: str, settings: Mapping[str, object]) -> str:
    """Return a table of a configuration, as TOML."""
    lines = [f"[{table}]"]
    for key, value in settings.items():
        text = json.dumps(value if isinstance(value, bool | int | float) else str(value))
        lines.append(f"{key} = {text}")
    return "\n".join(lines)
