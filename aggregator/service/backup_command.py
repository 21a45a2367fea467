"""`gridpact serve backup` and `gridpact serve restore`."""

import json
from dataclasses import asdict
from pathlib import Path

import click

from aggregator.service.backup import back_up
from aggregator.service.backup import restore as restore_store
from aggregator.service.backup_contents import Contents
from aggregator.service.settings import ServiceSettings
from contracts.commands.options import json_option


def _told(did: str, path: Path, found: Contents, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"file": str(path), **asdict(found)}))
    else:
        click.echo(f"{did} {path}: {found.line}")


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@json_option
@click.pass_obj
def backup(settings: ServiceSettings, *, file: Path, as_json: bool) -> None:
    """Write the store to FILE, while the service runs.

    Keys and certificates of the service's folder are not in it.
    """
    _told("wrote", file, back_up(settings, file), as_json=as_json)


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@json_option
@click.pass_obj
def restore(settings: ServiceSettings, *, file: Path, as_json: bool) -> None:
    """Make an empty store out of FILE; the service must not run."""
    _told("restored", file, restore_store(settings, file), as_json=as_json)
