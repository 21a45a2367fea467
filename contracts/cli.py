"""`gridpact chain`: put the contracts on a chain, admit members, move money.

The sender's account must be unlocked in the node, as those of development nodes are: no key passes
through this command.
"""

import csv
import json
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from zoneinfo import ZoneInfoNotFoundError

import click
from eth_utils.address import is_address, is_checksum_address, to_checksum_address

from contracts.chain_web3 import Web3Chain, rpc_chain
from contracts.client import Ledger, Terms, connect, deploy
from contracts.deployment import Deployment
from contracts.errors import (
    ChainMismatchError,
    DeploymentFileError,
    FleetMemberExists,
    FleetMemberUnknown,
)
from contracts.promise import Member
from contracts.timegrid import TimeGrid

AMOUNT_MICRO_MAX = 10**18
"""A million million of the currency; fits the contract's 80 bits and `Decimal`'s 28 digits."""

url_option = click.option(
    "--chain", "url", required=True, help="URL of a JSON-RPC node, such as http://127.0.0.1:8545."
)
deployment_option = click.option(
    "--deployment",
    "deployment_file",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("deployment.json"),
    show_default=True,
    help="File that names the contracts.",
)
date_option = click.option(
    "--date", "day", type=click.DateTime(["%Y-%m-%d"]), required=True, help="Local day."
)
zone_option = click.option(
    "--zone", default="Europe/London", show_default=True, help="The market's time zone."
)
MEMBER_COLUMNS = ("account", "capacity_wh", "grid_power_w")


def checked_address(text: str) -> str:
    """Return an address with its checksum, or raise ``ValueError``."""
    digits = text.removeprefix("0x")
    mistyped = digits not in {digits.lower(), digits.upper()} and not is_checksum_address(text)
    if not is_address(text) or int(text, 16) == 0 or mistyped:
        msg = f"{text!r} is no address; give 0x and 40 hexadecimal digits as your wallet shows them"
        raise ValueError(msg)
    return str(to_checksum_address(text))


def address(text: str) -> str:
    """Return an option's address with its checksum, or raise ``click.BadParameter``."""
    try:
        return checked_address(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def micro(text: str) -> int:
    """Return an argument's positive amount of money, or raise ``click.BadParameter``. [micro]"""
    try:
        amount = Decimal(text).scaleb(6)
    except InvalidOperation:
        amount = Decimal("nan")
    if not (amount.is_finite() and 0 < amount <= AMOUNT_MICRO_MAX and amount == int(amount)):
        msg = f"{text!r} is no amount of money; give a positive one of up to six decimals"
        raise click.BadParameter(msg)
    return int(amount)


def open_ledger(url: str, deployment_file: Path) -> tuple[Web3Chain, Ledger]:
    """Reach the node and the contracts of a deployment file, or raise `LedgerError`."""
    deployment = Deployment.load(deployment_file)
    for name in ("owner", "fleet", "settlement", "token"):
        if not is_address(getattr(deployment, name)):
            msg = f"deployment {deployment_file}: {name} is no address; deploy afresh"
            raise DeploymentFileError(msg)
    node = rpc_chain(url, chain_id=deployment.chain_id)
    return node, connect(node, deployment)


def market_day(day: datetime, zone: str, *, step_s: int) -> TimeGrid:
    """Return a local day's intervals.

    Raises
    ------
    click.ClickException
        In one line, if the zone is unknown or the ledger has no such day.
    """
    try:
        grid = TimeGrid.local_day(day.date(), zone=zone, step_s=step_s)
    except (ZoneInfoNotFoundError, ValueError, OSError, OverflowError) as error:
        msg = f"no market day {day.date()} in zone {zone!r} ({error}); give a day and an IANA zone"
        raise click.ClickException(msg) from error
    if grid.first_interval < 0 or grid.intervals[-1] >= 1 << 32:
        msg = f"no market day {day.date()} on the ledger, which begins in 1970; give another"
        raise click.ClickException(msg)
    return grid


@click.group()
def chain() -> None:
    """Put the contracts on a chain, admit members, move money."""


@chain.command("deploy")
@url_option
@deployment_option
@click.option(
    "--owner", type=address, help="The aggregator's account.  [default: the node's first]"
)
@click.option(
    "--market", type=address, help="Account that is owed losses.  [default: the node's second]"
)
@click.option(
    "--token", type=address, help="ERC-20 token of six decimals that pays.  [default: play money]"
)
@click.option(
    "--interval-s",
    type=click.Choice(["900", "1800", "3600"]),
    default="1800",
    show_default=True,
    help="Market interval.",
)
@click.option(
    "--fee-bp",
    type=click.IntRange(0, 10_000),
    default=1000,
    show_default=True,
    help="The owner's part.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the deployment as JSON.")
def deploy_command(
    *,
    url: str,
    deployment_file: Path,
    owner: str | None,
    market: str | None,
    token: str | None,
    interval_s: str,
    fee_bp: int,
    as_json: bool,
) -> None:
    """Create a fleet and its settlement, and write the file that names them."""
    if deployment_file.exists():
        msg = f"{deployment_file} exists; remove it or name another with --deployment"
        raise click.UsageError(msg)
    _require_writable(deployment_file)
    node = rpc_chain(url)
    if token and not node.code(token):
        msg = f"no contract at {token}, where the token should be; name another or leave it out"
        raise ChainMismatchError(msg)
    accounts = node.unlocked()
    if len(accounts) < 2 and not (owner and market):
        msg = f"{url} has {len(accounts)} unlocked accounts; name --owner and --market"
        raise ChainMismatchError(msg)
    deployment = deploy(
        node,
        owner=owner or accounts[0],
        market=market or accounts[1],
        terms=Terms(interval_s=int(interval_s), fee_bp=fee_bp),
        token=token,
    )
    deployment.save(deployment_file)
    shown = json.dumps(asdict(deployment), indent=2)
    click.echo(shown if as_json else f"deployed; contracts named in {deployment_file}")


def _require_writable(path: Path) -> None:
    """Raise unless a file can be made beside ``path``: what is deployed must not be lost."""
    try:
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        msg = f"{path} cannot be written ({error.strerror}); name another with --deployment"
        raise DeploymentFileError(msg) from error


@chain.command("enrol")
@click.argument("members", type=click.Path(path_type=Path, dir_okay=False))
@url_option
@deployment_option
def enrol_command(*, members: Path, url: str, deployment_file: Path) -> None:
    """Admit the members of a CSV file with columns account, capacity_wh and grid_power_w."""
    admitted = read_members(members)
    _, ledger = open_ledger(url, deployment_file)
    for member in admitted:  # all or none: the contract would take those before the first known one
        with suppress(FleetMemberUnknown):
            ledger.fleet.member(member.account)
            raise FleetMemberExists(member.account)
    ledger.fleet.enrol(admitted)
    click.echo(f"{len(admitted)} members enrolled")


@chain.command("mint")
@click.argument("amount_micro", metavar="AMOUNT", type=micro)
@url_option
@deployment_option
def mint_command(*, amount_micro: int, url: str, deployment_file: Path) -> None:
    """Create AMOUNT of play money for the owner; works only with the token of `chain deploy`."""
    _, ledger = open_ledger(url, deployment_file)
    owner = ledger.fleet.owner
    ledger.token.mint(owner, amount_micro, owner=owner)
    click.echo(f"the owner holds {money(ledger.token.balance_micro(owner))}")


@chain.command("bond")
@click.argument("amount_micro", metavar="AMOUNT", type=micro)
@url_option
@deployment_option
def bond_command(*, amount_micro: int, url: str, deployment_file: Path) -> None:
    """Deposit AMOUNT of the owner's money, from which losses are paid."""
    _, ledger = open_ledger(url, deployment_file)
    ledger.settlement.deposit_bond(amount_micro)
    click.echo(f"the bond holds {money(ledger.settlement.books().bond_micro)}")


@chain.command("claim")
@click.option("--account", type=address, required=True, help="A member that the node signs for.")
@date_option
@zone_option
@url_option
@deployment_option
def claim_command(
    *, account: str, day: datetime, zone: str, url: str, deployment_file: Path
) -> None:
    """Pay a member its credits of a day's settled intervals."""
    node, ledger = open_ledger(url, deployment_file)
    grid = market_day(day, zone, step_s=ledger.fleet.interval_s())
    if account not in node.unlocked():
        msg = f"{url} does not hold the account {account}; claim through the member's own node"
        raise click.ClickException(msg)
    paid_micro = ledger.settlement.claim(account, grid.first_interval, grid.count)
    click.echo(f"{account} was paid {money(paid_micro)}")


def money(amount_micro: int) -> str:
    """Return an amount in units of the currency, exactly."""
    return f"{Decimal(amount_micro).scaleb(-6):f}"


def read_members(path: Path) -> list[Member]:
    """Read members from CSV.

    Raises
    ------
    click.ClickException
        In one line with the row, if the file is missing or a row cannot be used.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = csv.DictReader(file)
            missing = [name for name in MEMBER_COLUMNS if name not in (rows.fieldnames or ())]
            if missing:
                msg = f"{path}: no column {missing[0]}; give {', '.join(MEMBER_COLUMNS)}"
                raise click.ClickException(msg)
            numbered = [(rows.line_num, _member(path, rows.line_num, row)) for row in rows]
    except OSError as error:
        msg = f"{path}: {error.strerror}; name a readable file"
        raise click.ClickException(msg) from error
    except (UnicodeDecodeError, csv.Error) as error:
        msg = f"{path} is not CSV in UTF-8 ({error}); save it as such"
        raise click.ClickException(msg) from error
    if not numbered:
        msg = f"{path} lists no members; give a row for each"
        raise click.ClickException(msg)
    _require_once(path, numbered)
    return [member for _, member in numbered]


def _member(path: Path, line: int, row: dict[str, str | None]) -> Member:
    """Return the member of one row, whose missing cells are None."""
    account, capacity_wh, grid_power_w = (row[name] for name in MEMBER_COLUMNS)
    if account is None or capacity_wh is None or grid_power_w is None:
        msg = f"{path}, row {line}: cells are missing; give {', '.join(MEMBER_COLUMNS)}"
        raise click.ClickException(msg)
    try:
        return Member(
            account=checked_address(account.strip()),
            capacity_wh=int(capacity_wh),
            grid_power_w=int(grid_power_w),
        )
    except ValueError as error:
        msg = f"{path}, row {line}: {error}; give an address, whole Wh and whole W"
        raise click.ClickException(msg) from error


def _require_once(path: Path, numbered: Sequence[tuple[int, Member]]) -> None:
    """Raise for an account that is listed twice."""
    first: dict[str, int] = {}
    for line, member in numbered:
        if first.setdefault(member.account, line) != line:
            before = first[member.account]
            msg = f"{path}, row {line}: {member.account} is in row {before} too; list it once"
            raise click.ClickException(msg)
