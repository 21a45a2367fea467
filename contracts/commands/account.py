"""`gridpact chain account new | list`: keys in encrypted files."""

import json
from datetime import UTC, datetime
from pathlib import Path

import click

from contracts.commands.access import ask_new_passphrase
from contracts.commands.options import json_option, keys_option, passphrase_option
from contracts.keystore import keystores, new_keystore


@click.group("account")
def account_group() -> None:
    """Keep keys in encrypted files.

    Commands sign with them where --account names one.
    """


@account_group.command("new", short_help="Make an account: a file and its passphrase.")
@keys_option
@passphrase_option
@click.option(
    "--light", is_flag=True, help="Needs 4 MiB to open, not 256: for gateways. Easier to guess."
)
@json_option
def new_command(*, keys: Path, passphrase_file: Path | None, light: bool, as_json: bool) -> None:
    """Make an account; nobody can restore it without both its file and its passphrase."""
    passphrase = ask_new_passphrase(passphrase_file)
    made = new_keystore(keys, passphrase, created=datetime.now(UTC), light=light)
    told = {"address": made.address, "file": str(made.path)}
    line = f"{made.address}, its key in {made.path}: keep a copy of the file elsewhere"
    click.echo(json.dumps(told, indent=2) if as_json else line)


@account_group.command("list")
@keys_option
@json_option
def list_command(*, keys: Path, as_json: bool) -> None:
    """Show the accounts whose keys are kept here."""
    found = [{"address": each.address, "file": str(each.path)} for each in keystores(keys)]
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    for each in found:
        click.echo(f"{each['address']}  {each['file']}")
    if not found:
        click.echo(f"no keys in {keys}; make one with `gridpact chain account new`")
