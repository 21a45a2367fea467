"""`gridpact serve gateway`: let a gateway in at the built-in broker."""

import click

from aggregator.service.credentials import BROKER_USERS, BrokerUsers, new_secret, write_secret
from aggregator.service.errors import ServiceConfigError
from aggregator.service.settings import ServiceSettings, is_level


@click.command()
@click.argument("name", metavar="GATEWAY")
@click.pass_obj
def gateway(settings: ServiceSettings, *, name: str) -> None:
    """Make a password for GATEWAY at the built-in broker, in a file of its own.

    Its user name is GATEWAY. It may be used at once.
    """
    if not is_level(name):
        msg = f"{name!r} is no gateway's id; give letters, digits and _ . - only"
        raise ServiceConfigError(msg)
    secret = new_secret()
    path = settings.folder / f"{name}.password"
    write_secret(path, secret)
    BrokerUsers(settings.folder / BROKER_USERS).add(name, secret)
    click.echo(f"the password of {name} is in {path}; move it to the gateway")
