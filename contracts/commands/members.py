"""`gridpact chain enrol | retire | lapse | pause | unpause`: who belongs, and who may report."""

from contextlib import suppress
from pathlib import Path

import click

from contracts.commands.access import Access
from contracts.commands.options import address, file_argument, sender_options
from contracts.errors import FleetMemberExists, FleetMemberUnknown, FleetNotPaused, FleetPaused
from contracts.members_file import read_members


@click.command("enrol")
@click.argument("members", type=file_argument)
@sender_options
def enrol_command(*, members: Path, access: Access) -> None:
    """Admit the members of a CSV file.

    Its columns are account, capacity_wh, grid_power_w and, for those whose meter signs too, meter;
    all are admitted or none.
    """
    admitted = read_members(members)
    ledger = access.as_owner()
    for member in admitted:  # all or none: the contract would take those before the first known one
        with suppress(FleetMemberUnknown):
            ledger.fleet.member(member.account)
            raise FleetMemberExists(member.account)
    ledger.fleet.enrol(admitted)
    click.echo(f"{len(admitted)} member{'s' if len(admitted) > 1 else ''} enrolled")


@click.command("retire", short_help="Dismiss a member; its exports stay payable.")
@click.argument("member", type=address)
@sender_options
def retire_command(*, member: str, access: Access) -> None:
    """Dismiss a member; what it exported stays recorded and payable."""
    access.as_owner().fleet.retire(member)
    click.echo(f"{member} retired")


@click.command("lapse", short_help="Take the weight of a member that is silent.")
@click.argument("member", type=address)
@sender_options
def lapse_command(*, member: str, access: Access) -> None:
    """Take the weight of a member that has been silent for more than an interval.

    Its share then falls to the others, until it reports again.
    """
    access.as_owner().fleet.lapse(member)
    click.echo(f"{member} has no weight until it reports again")


@click.command("pause")
@sender_options
def pause_command(*, access: Access) -> None:
    """Stop all reports; no interval becomes final meanwhile."""
    ledger = access.as_owner()
    try:
        ledger.fleet.pause()
    except FleetPaused as refused:  # whose message is for a home
        msg = "reports are stopped already; `chain unpause` lets them go on"
        raise click.ClickException(msg) from refused
    click.echo("reports are stopped; `chain unpause` lets them go on")


@click.command("unpause", short_help="Let reports go on.")
@sender_options
def unpause_command(*, access: Access) -> None:
    """Let reports go on; intervals that were not final get their grace time again."""
    ledger = access.as_owner()
    try:
        ledger.fleet.unpause()
    except FleetNotPaused as refused:
        msg = "reports are not stopped"
        raise click.ClickException(msg) from refused
    click.echo("reports go on")
