"""`gridpact device discover`."""

import json
from dataclasses import asdict

import click

from devices.clock import SystemClock
from devices.commands.configuration import json_option
from devices.commands.stopping import run_until_stopped
from devices.discovery import FoundService, FoundSunSpec, browse, probe_sunspec


@click.command("discover", short_help="Listen for devices, or ask one address.")
@click.option("--probe", metavar="ADDRESS[:PORT]", help="Ask this one address for SunSpec (502).")
@click.option(
    "--unit",
    type=click.IntRange(1, 247),
    default=1,
    show_default=True,
    help="Modbus unit that --probe asks.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(0.1, 60),
    default=3.0,
    show_default=True,
    help="How long to listen for announcements.",
)
@json_option
def discover_command(*, probe: str | None, unit: int, seconds: float, as_json: bool) -> None:
    """Listen for devices that announce themselves, or ask one address that you name.

    Nothing is scanned: without --probe it only listens (mDNS), with it only that address is asked,
    and only read.
    """
    if probe is None:
        found: list[FoundService] | list[FoundSunSpec] = list(
            run_until_stopped(lambda _: browse(seconds))
        )
    else:
        host, port = _address(probe)
        clock = SystemClock()
        found = [
            run_until_stopped(lambda _: probe_sunspec(host, clock=clock, port=port, unit=unit))
        ]
    if as_json:
        click.echo(json.dumps([asdict(each) for each in found], indent=2))
        return
    for each in found:
        click.echo(_line(each))
    if not found:
        click.echo("nothing announced itself; name an address with --probe", err=True)


def _address(text: str) -> tuple[str, int]:
    """Return host and port of what the user named; [::1]:502 for an IPv6 address with a port."""
    host, colon, port = text.rpartition(":")
    if not colon or (":" in host and not host.startswith("[")):
        host, port = text, "502"
    if not host or not port.isdecimal() or not 0 < int(port) < 65_536:
        msg = f"--probe {text} is no ADDRESS[:PORT]; give one such as 192.168.1.30:502"
        raise click.UsageError(msg)
    return host.strip("[]"), int(port)


def _line(found: FoundService | FoundSunSpec) -> str:
    if isinstance(found, FoundService):
        return f"{found.name} at {', '.join(found.addresses)}:{found.port} ({found.service})"
    models = ", ".join(str(each) for each in found.models)
    return (
        f"{found.manufacturer} {found.model} {found.version}, serial {found.serial}, "
        f"at {found.host}:{found.port} unit {found.unit}: models {models}"
    )
