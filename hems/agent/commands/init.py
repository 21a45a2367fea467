"""`gridpact agent init`."""

from pathlib import Path

import click

from devices.clock import SystemClock
from devices.registry import DRIVERS
from hems.agent.setup.init import NewHome, provision

_W = click.FloatRange(min=0)
_RATED = click.FloatRange(min=0, min_open=True)


@click.command("init")
@click.option(
    "--folder", type=click.Path(path_type=Path, file_okay=False), default=Path(), help="Where to."
)
@click.option("--name", prompt="Name of the home", help="What people call the home.")
@click.option("--device-id", prompt="Id of its gateway", help="What messages call its gateway.")
@click.option("--driver", type=click.Choice(list(DRIVERS)), prompt=True, help="Of the battery.")
@click.option(
    "--host",
    prompt="Address of the battery",
    help="Address of the battery; an Xtender's serial line.",
)
@click.option("--port", type=click.IntRange(1, 65_535), help="Of it.  [default: the driver's]")
@click.option("--capacity-wh", type=_RATED, prompt="Capacity in Wh", help="Of the battery.")
@click.option("--power-max-w", type=_RATED, prompt="Power in W", help="Of the battery.")
@click.option("--import-max-w", type=_W, prompt="Import rating in W", help="Of the connection.")
@click.option("--export-max-w", type=_W, prompt="Export rating in W", help="Of the connection.")
@click.option("--zone", default="Europe/London", show_default=True, help="The tariff's zone.")
@click.option("--ledger-url", help="Node of the fleet's chain.")
@click.option("--deployment-file", default="deployment.json", show_default=True, help="Of it.")
@click.option("--broker-host", help="The aggregator's broker.")
@click.option(
    "--light/--strong",
    default=True,
    show_default=True,
    help="Keystore that opens in 4 MiB of memory, or only in 256.",
)
def init_command(*, folder: Path, light: bool, **known: str | float | None) -> None:
    """Write a commented home.toml, a new key with its passphrase, and a certificate request.

    What is not given is asked. Nothing is ever overwritten. The passphrase is random and stands in
    a file that only you may read; no key or passphrase is shown.
    """
    home = NewHome(**known)  # type: ignore[arg-type] # click has made each its type
    for line in provision(folder, home, created=SystemClock().utc(), light=light):
        click.echo(line)
