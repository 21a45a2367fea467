"""`gridpact device adapter`."""

from importlib import import_module
from pathlib import Path

import click

from devices.commands.configuration import json_option
from devices.commands.stopping import run_until_stopped
from devices.errors import DeviceConfigError


@click.command("adapter", short_help="Serve a storage to gateways: the SunSpec adapter.")
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Folder of its certificates and counts; certificates are made where there are none.",
)
@click.option("--host", required=True, help="Address to listen at; 0.0.0.0 is all of them.")
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=8883,
    show_default=True,
    help="Port; 0 takes a free one.",
)
@click.option("--name", default="sunadp", show_default=True, help="Its host name, no domain.")
@click.option("--no-announce", "silent", is_flag=True, help="Leave it out of mDNS.")
@json_option
def adapter_command(
    *, folder: Path, host: str, port: int, name: str, silent: bool, as_json: bool
) -> None:
    """Serve a storage to the gateways of a house, until Ctrl-C: the SunSpec adapter of Burgio.

    Gateways find it by mDNS, tell it which storage it serves, and command it over MQTT and TLS.
    They need the CA file that is printed. At the end the storage goes back to self-consumption.
    """
    try:
        service = import_module("devices.commands.adapter_service")  # takes the adapter extra
    except ModuleNotFoundError as error:
        msg = f"{error.name} is not installed; install gridpact[adapter]"
        raise DeviceConfigError(msg) from error
    place = service.Listening(folder=folder, host=host, port=port, name=name, silent=silent)
    run_until_stopped(lambda stopped: service.serve(place, stopped, as_json=as_json))
