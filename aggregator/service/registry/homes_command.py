"""`gridpact serve homes import | export`."""

import json
from dataclasses import asdict
from pathlib import Path

import click

from aggregator.files import read_text, write_text
from aggregator.service.first_start import prepared_store
from aggregator.service.registry.homes_file import export_homes, import_homes
from aggregator.service.registry.terminal import who_is_here
from aggregator.service.settings import ServiceSettings
from contracts.commands.options import file_argument, json_option
from devices.clock import SystemClock


def _tell(line: str) -> None:
    click.echo(line, err=True)


@click.group()
def homes() -> None:
    """Take homes out of a CSV file, or write them into one."""


@homes.command("export")
@click.argument("file", type=file_argument, required=False)
@click.pass_obj
def export(settings: ServiceSettings, *, file: Path | None) -> None:
    """Write every home to FILE, or to standard output."""
    store = prepared_store(settings, clock=SystemClock(), tell=_tell)
    try:
        text = export_homes(store)
    finally:
        store.close()
    if file is None:
        click.echo(text, nl=False)
    else:
        write_text(file, text)


@homes.command("import", short_help="Take homes out of FILE, all or none.")
@click.argument("file", type=file_argument)
@click.option("--comment", default="", help="Why, for the history.")
@click.option("--dry-run", is_flag=True, help="Say what would change, and write nothing.")
@json_option
@click.pass_obj
def import_(
    settings: ServiceSettings, *, file: Path, comment: str, dry_run: bool, as_json: bool
) -> None:
    """Make homes what FILE says, all of them or, where a line cannot be, none.

    FILE is CSV as export writes it: id, and any of version, retired, name, zone, group_name,
    account, latitude_deg, longitude_deg, tariff_id. What is no column stays as it is. Where
    version is one, a home that somebody changed since is refused.
    """
    text, clock = read_text(file), SystemClock()
    store = prepared_store(settings, clock=clock, tell=_tell)
    try:
        done = import_homes(
            store,
            text,
            who=who_is_here(),
            at_ms=round(clock.utc().timestamp() * 1000),
            comment=comment,
            keep=not dry_run,
        )
    finally:
        store.close()
    if as_json:
        click.echo(json.dumps(asdict(done)))
        return
    would = "would be " if dry_run else ""
    click.echo(f"{done.new} {would}new, {done.changed} {would}changed, {done.unchanged} unchanged")
