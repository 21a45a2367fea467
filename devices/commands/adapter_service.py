"""What `gridpact device adapter` runs; importing it takes the ``adapter`` extra."""

import asyncio
import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import click

from devices.adapter.adapter import Announced, SunSpecAdapter
from devices.adapter.broker import server_context
from devices.adapter.certificates import CertificateFiles, files_in, make_certificates
from devices.adapter.desk import Desk
from devices.adapter.storages import storage_opener
from devices.announce import own_addresses
from devices.clock import SystemClock
from devices.dead_man import open_watched
from devices.write_log import WriteLog


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """Where an adapter is."""

    folder: Path
    """Folder of its certificates and counts."""
    host: str
    """Address that it listens at."""
    port: int
    """Its port; 0 takes a free one."""
    name: str
    """Its host name, without a domain."""
    silent: bool
    """Whether it stays out of mDNS."""


async def serve(place: Listening, stopped: asyncio.Event, *, as_json: bool) -> None:
    """Run an adapter until stopped, and say where it is.

    Raises
    ------
    DeviceConfigError
        If address, port, name or files cannot be used.
    DeviceError
        If its storage could not be brought back to self-consumption at the end.
    """
    clock = SystemClock()
    files = _certificates(place, clock.utc())
    tls = server_context(files.certificate, files.key)
    with WriteLog(place.folder / "writes.sqlite") as log:
        desk = Desk(storage_opener(clock=clock, log=log, open_with=open_watched), clock=clock)
        adapter = SunSpecAdapter(
            desk,
            clock=clock,
            tls=tls,
            host=place.host,
            port=place.port,
            announced=None if place.silent else Announced(hostname=place.name),
        )
        async with adapter:
            _say(place, adapter.port, files, as_json=as_json)
            await stopped.wait()


def _certificates(place: Listening, now: datetime) -> CertificateFiles:
    """Return the folder's certificates, made now where there are none."""
    files = files_in(place.folder)
    addresses = own_addresses(place.host)  # refuses what is no address before anything is written
    if files.certificate.exists():
        return files
    hosts = dict.fromkeys((f"{place.name}.local", *addresses, "localhost", "127.0.0.1"))
    return make_certificates(place.folder, hosts=tuple(hosts), now=now)


def _say(place: Listening, port: int, files: CertificateFiles, *, as_json: bool) -> None:
    addresses = own_addresses(place.host)
    name = None if place.silent else f"{place.name}.local"
    if as_json:
        told = {"addresses": addresses, "port": port, "ca_file": str(files.ca), "name": name}
        click.echo(json.dumps(told))
        return
    where = ", ".join(f"{address}:{port}" for address in addresses)
    click.echo(f"listens at {where}, {'not announced' if name is None else f'announced as {name}'}")
    click.echo(f"clients need {files.ca}")
    click.echo("serving; Ctrl-C ends it", err=True)
