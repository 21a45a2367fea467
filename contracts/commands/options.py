"""Options that several commands share, and the values that they stand for."""

from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from functools import wraps
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfoNotFoundError

import click
from click.core import ParameterSource
from eth_utils.address import is_address, is_checksum_address, to_checksum_address

from contracts.commands.access import Access, Sender
from contracts.deployment import FOLDER
from contracts.timegrid import TimeGrid

AMOUNT_MICRO_MAX = 10**18
"""A million million of the currency; fits the contract's 80 bits and `Decimal`'s 28 digits."""

Command = Callable[..., None]
file_argument = click.Path(path_type=Path, dir_okay=False)
folder_argument = click.Path(path_type=Path, file_okay=False)
date_option = click.option(
    "--date", "day", type=click.DateTime(["%Y-%m-%d"]), required=True, help="Local day."
)
zone_option = click.option(
    "--zone", default="Europe/London", show_default=True, help="The market's time zone."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def default_keys() -> Path:
    """Return the folder of keystores of whoever calls."""
    return Path(click.get_app_dir("gridpact", force_posix=True)) / "keys"


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


def _urls(ctx: click.Context, param: click.Parameter, given: tuple[str, ...]) -> tuple[str, ...]:
    """Return nodes' URLs, or refuse what is none."""
    del ctx, param
    for url in given:
        if not url.startswith(("http://", "https://")):
            host = url.rpartition("@")[2].partition("/")[0]  # the rest may hold a secret
            msg = f"{host!r} is no URL of a node; begin it with http:// or https://"
            raise click.BadParameter(msg)
    return given


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


def timestamp(text: str) -> int:
    """Return an argument's time, or raise ``click.BadParameter``. [s since 1970]"""
    try:
        at_s = int(text) if text.isdecimal() else _moment_s(text)
    except ValueError:
        at_s = -1
    if not 0 <= at_s < 1 << 32:
        msg = f"{text!r} is no time; give one such as 2026-11-29T00:00:00+00:00, or seconds"
        raise click.BadParameter(msg)
    return at_s


def _moment_s(text: str) -> int:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        msg = "no zone"
        raise ValueError(msg)
    return int(moment.timestamp())


keys_option = click.option(
    "--keys",
    type=folder_argument,
    default=default_keys,
    show_default="~/.gridpact/keys",
    help="Folder of keystores.",
)
passphrase_option = click.option(
    "--passphrase-file",
    type=file_argument,
    help="File of one line that only you may read.  [default: ask]",
)
_LEDGER_OPTIONS = (
    click.option(
        "--chain",
        "urls",
        required=True,
        multiple=True,
        callback=_urls,
        help="URL of a JSON-RPC node, such as http://127.0.0.1:8545; several are tried in turn.",
    ),
    click.option(
        "--deployments",
        type=folder_argument,
        default=FOLDER,
        show_default=True,
        help="Folder with an address file for each chain.",
    ),
    click.option(
        "--deployment",
        "deployment_file",
        type=file_argument,
        help="Address file.  [default: the one of the chain in --deployments]",
    ),
)
_SENDER_OPTIONS = (
    click.option(
        "--account",
        type=address,
        help="Send from this account, signed with its keystore.  [default: one of the node's]",
    ),
    keys_option,
    passphrase_option,
    click.option(
        "--fee-cap-gwei",
        type=click.FloatRange(min=0),
        help="What a unit of gas may cost at most; below it an offer that nobody takes is raised."
        "  [default: what the node advises, never raised]",
    ),
)


def ledger_options(command: Command) -> Command:
    """Add the options that name a chain and its contracts, and pass them on as ``access``."""

    @wraps(command)
    def reading(
        *,
        urls: tuple[str, ...],
        deployments: Path,
        deployment_file: Path | None,
        **others: Any,  # noqa: ANN401 -- the command's own
    ) -> None:
        nobody = Sender(account=None, keys=default_keys(), passphrase_file=None, named=False)
        access = Access(
            urls=urls, deployments=deployments, deployment_file=deployment_file, sender=nobody
        )
        command(access=access, **others)

    return with_options(reading, _LEDGER_OPTIONS)


def sender_options(command: Command) -> Command:
    """Add `ledger_options` and those that name the sender, and pass all on as ``access``."""

    @wraps(command)
    def sending(
        *,
        urls: tuple[str, ...],
        deployments: Path,
        deployment_file: Path | None,
        account: str | None,
        keys: Path,
        passphrase_file: Path | None,
        fee_cap_gwei: float | None,
        **others: Any,  # noqa: ANN401 -- the command's own
    ) -> None:
        source = click.get_current_context().get_parameter_source
        named = source("keys") is not ParameterSource.DEFAULT or passphrase_file is not None
        if account is None and named:
            msg = "--keys and --passphrase-file need --account; name whose key it is"
            raise click.UsageError(msg)
        sender = Sender(
            account=account,
            keys=keys,
            passphrase_file=passphrase_file,
            named=named,
            fee_cap_wei=None if fee_cap_gwei is None else round(fee_cap_gwei * 1e9),
        )
        access = Access(
            urls=urls, deployments=deployments, deployment_file=deployment_file, sender=sender
        )
        command(access=access, **others)

    return with_options(sending, _LEDGER_OPTIONS + _SENDER_OPTIONS)


def with_options(command: Command, options: Sequence[Callable[[Command], Command]]) -> Command:
    """Return ``command`` with ``options``, which its help lists in this order."""
    for option in reversed(options):
        command = option(command)
    return command


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
