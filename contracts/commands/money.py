"""`gridpact chain mint | bond | claim | claim-fee | claim-losses | retract`: money and prices."""

from datetime import datetime
from decimal import Decimal

import click

from contracts.commands.access import Access
from contracts.commands.options import (
    date_option,
    market_day,
    micro,
    sender_options,
    timestamp,
    zone_option,
)


@click.command("mint")
@click.argument("amount_micro", metavar="AMOUNT", type=micro)
@sender_options
def mint_command(*, amount_micro: int, access: Access) -> None:
    """Create AMOUNT of play money for the owner.

    Works only with the token that `chain deploy` creates where none is named.
    """
    ledger = access.as_owner()
    owner = ledger.fleet.owner
    ledger.token.mint(owner, amount_micro, owner=owner)
    click.echo(f"the owner holds {money(ledger.token.balance_micro(owner))}")


@click.command("bond", short_help="Deposit AMOUNT, from which losses are paid.")
@click.argument("amount_micro", metavar="AMOUNT", type=micro)
@sender_options
def bond_command(*, amount_micro: int, access: Access) -> None:
    """Deposit AMOUNT of the owner's money, from which losses are paid."""
    ledger = access.as_owner()
    ledger.settlement.deposit_bond(amount_micro)
    click.echo(f"the bond holds {money(ledger.settlement.books().bond_micro)}")


@click.command("claim")
@date_option
@zone_option
@sender_options
def claim_command(*, day: datetime, zone: str, access: Access) -> None:
    """Pay a member its credits of a day.

    The member is --account; the day's intervals that are settled are paid.
    """
    account = access.sender.account
    if account is None:
        msg = "Missing option '--account': the member who claims."
        raise click.UsageError(msg)
    ledger = access.as_member()
    grid = market_day(day, zone, step_s=ledger.fleet.interval_s())
    paid_micro = ledger.settlement.claim(account, grid.first_interval, grid.count)
    click.echo(f"{account} was paid {money(paid_micro)}")


@click.command("retract", short_help="Take back the prices and reading posted last.")
@click.argument("start", type=timestamp)
@sender_options
def retract_command(*, start: int, access: Access) -> None:
    """Take back the prices and the reading posted last, of the interval that begins at START.

    START is a time with its zone, such as 2026-12-01T10:00:00+00:00; what is settled stands.
    """
    ledger = access.as_owner()
    interval, beyond_s = divmod(start, ledger.fleet.interval_s())
    if beyond_s:
        msg = f"no interval begins then, but {beyond_s} s before; give its beginning"
        raise click.ClickException(msg)
    ledger.settlement.retract(interval)
    click.echo("prices and reading are taken back; `settle` posts what its files hold now")


@click.command("claim-fee")
@sender_options
def claim_fee_command(*, access: Access) -> None:
    """Pay the owner its fees so far."""
    click.echo(f"the owner was paid {money(access.as_owner().settlement.claim_fee())}")


@click.command("claim-losses")
@sender_options
def claim_losses_command(*, access: Access) -> None:
    """Pay the market what losses have put aside for it."""
    click.echo(f"the market was paid {money(access.as_owner().settlement.claim_losses())}")


def money(amount_micro: int) -> str:
    """Return an amount in units of the currency, exactly."""
    return f"{Decimal(amount_micro).scaleb(-6):f}"
