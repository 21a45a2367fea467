"""A new gateway's files: configuration with comments, key, passphrase, certificate request."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from hems.agent.settings import HomeSettings, StorageSettings
from hems.agent.setup.home_template import home_toml
from hems.agent.setup.new_files import write_new
from hems.agent.steering.tariff import TariffSettings
from hems.errors import AgentConfigError
from hems.grid_caps import GridCapSettings

CONFIG: Final = "home.toml"
"""The configuration's name in its folder."""
KEYS: Final = "keys"
"""Folder of the keystore."""
PASSPHRASE: Final = "keystore.passphrase"  # noqa: S105 -- a file's name
"""File of its passphrase."""
TLS_KEY: Final = "gateway.key"
"""Private key for the broker's client certificate."""
TLS_REQUEST: Final = "gateway.csr"
"""What the broker's authority signs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewHome:
    """What is known of a home when its gateway is set up."""

    name: str
    """What people call it."""
    device_id: str
    """What the fleet's messages call its gateway."""
    driver: str
    """The battery's driver."""
    host: str
    """Where the battery is; the serial line, such as ``/dev/ttyUSB0``, of an Xtender."""
    capacity_wh: float
    """Its nominal capacity. [Wh]"""
    power_max_w: float
    """Its rated power. [W]"""
    import_max_w: float
    """The connection's rating for import. [W]"""
    export_max_w: float
    """The connection's rating for export. [W]"""
    zone: str
    """IANA name of the tariff's zone."""
    port: int | None = None
    """Its TCP port; None is the driver's usual one."""
    ledger_url: str | None = None
    """A node of the fleet's chain; None leaves the ledger out for now."""
    deployment_file: str = "deployment.json"
    """Where the aggregator's address file will be."""
    broker_host: str | None = None
    """The aggregator's broker; None leaves it out for now."""


def provision(folder: Path, home: NewHome, *, created: datetime, light: bool) -> Iterator[str]:
    """Write a new gateway's files, and say of each what it is.

    Parameters
    ----------
    folder : Path
        Where to; made where it is missing.
    home : NewHome
        The home.
    created : datetime
        The time now.
    light : bool
        Whether the keystore asks for little memory (4 MiB instead of 256), as a small computer
        has; its passphrase is random, so a guesser gains nothing.

    Raises
    ------
    AgentConfigError
        If one of the files is there already, before anything is written; or cannot be written.
    KeystoreError
        If the keystore cannot be written.
    """
    from contracts.keystore import new_keystore  # noqa: PLC0415 -- slow to load

    _check(home)
    there = [each for each in (CONFIG, KEYS, PASSPHRASE, TLS_KEY, TLS_REQUEST) if _is(folder, each)]
    if there:
        msg = f"{folder / there[0]} is there already; nothing is overwritten: name another --folder"
        raise AgentConfigError(msg)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        passphrase = secrets.token_urlsafe(24)
        write_new(folder / PASSPHRASE, f"{passphrase}\n".encode(), mode=0o600)
        yield f"{folder / PASSPHRASE}: opens the keystore; keep a copy off this computer"
        key = new_keystore(folder / KEYS, passphrase, created=created, light=light)
        yield f"{key.path}: key of {key.address}; give this address to the aggregator"
        tls = home.broker_host is not None and find_spec("cryptography") is not None
        if tls:
            yield from _request(folder, home.device_id)
        elif home.broker_host is not None:
            yield "no TLS key made: cryptography is not installed; install gridpact[adapter]"
        text = home_toml(home, account=key.address, tls=tls)
        write_new(folder / CONFIG, text.encode(), mode=0o644)
    except OSError as error:
        msg = f"{error.filename or folder} cannot be written ({error.strerror}); name another"
        raise AgentConfigError(msg) from error
    yield f"{folder / CONFIG}: read it through, then run `gridpact agent check`"


def _check(home: NewHome) -> None:
    """Raise for a value that the configuration would refuse."""
    try:
        HomeSettings(name=home.name, device_id=home.device_id, state_folder=Path("state"))
        StorageSettings(capacity_wh=home.capacity_wh, power_max_w=home.power_max_w)
        GridCapSettings(import_max_w=home.import_max_w, export_max_w=home.export_max_w)
        TariffSettings(import_price_per_mwh=0, export_price_per_mwh=0, zone=home.zone)
    except ValueError as error:
        raise AgentConfigError(str(error)) from error


def _request(folder: Path, name: str) -> Iterator[str]:
    from hems.agent.setup.certificate_request import make_request  # noqa: PLC0415 -- an extra

    make_request(folder / TLS_KEY, folder / TLS_REQUEST, name=name)
    yield f"{folder / TLS_REQUEST}: have the broker's authority sign it as gateway.pem"


def _is(folder: Path, name: str) -> bool:
    return (folder / name).exists()
