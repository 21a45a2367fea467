"""`gridpact chain deploy | compile`: the contracts, from their sources to a chain."""

import json
from dataclasses import asdict
from functools import wraps
from typing import Any

import click

from contracts.client import Terms
from contracts.commands.access import Access
from contracts.commands.options import Command, address, json_option, sender_options, with_options
from contracts.deploy_once import Deployed, deploy_once, require_writable
from contracts.errors import ChainMismatchError
from contracts.keystore import KeystoreError

_AGREED = Terms(fee_bp=1000)
_TERMS_OPTIONS = (
    click.option(
        "--interval-s",
        type=click.Choice(["900", "1800", "3600"]),
        default=str(_AGREED.interval_s),
        show_default=True,
        help="Market interval.",
    ),
    click.option(
        "--grace-s",
        type=click.IntRange(0, 86_400),
        default=_AGREED.grace_s,
        show_default=True,
        help="How long after its end an interval takes reports.",
    ),
    click.option(
        "--tolerance-s",
        type=click.IntRange(0, 3600),
        default=_AGREED.tolerance_s,
        show_default=True,
        help="Time added when energy is checked against power.",
    ),
    click.option(
        "--fee-bp",
        type=click.IntRange(0, 10_000),
        default=_AGREED.fee_bp,
        show_default=True,
        help="The owner's part.",
    ),
    click.option(
        "--boundary-tolerance-bp",
        type=click.IntRange(0, 10_000),
        default=_AGREED.boundary_tolerance_bp,
        show_default=True,
        help="How far reports may be from the boundary reading.",
    ),
)
"""What cannot be changed later, an option for each of `Terms`."""


def terms_options(command: Command) -> Command:
    """Add the options that make up a fleet's terms, and pass them on as ``terms``."""

    @wraps(command)
    def agreeing(
        *,
        interval_s: str,
        grace_s: int,
        tolerance_s: int,
        fee_bp: int,
        boundary_tolerance_bp: int,
        **others: Any,  # noqa: ANN401 -- the command's own
    ) -> None:
        terms = Terms(
            interval_s=int(interval_s),
            grace_s=grace_s,
            tolerance_s=tolerance_s,
            fee_bp=fee_bp,
            boundary_tolerance_bp=boundary_tolerance_bp,
        )
        command(terms=terms, **others)

    return with_options(agreeing, _TERMS_OPTIONS)


@click.command("deploy")
@sender_options
@click.option(
    "--owner",
    type=address,
    help="The aggregator's account.  [default: --account, or the node's first]",
)
@click.option(
    "--market", type=address, help="Account that is owed losses.  [default: the node's second]"
)
@click.option(
    "--token", type=address, help="ERC-20 token of six decimals that pays.  [default: play money]"
)
@terms_options
@json_option
def deploy_command(
    *,
    access: Access,
    owner: str | None,
    market: str | None,
    token: str | None,
    terms: Terms,
    as_json: bool,
) -> None:
    """Create a fleet's contracts, once.

    The address file names them.

    Run again with the same terms it goes on where it was interrupted, or says that all is there.
    """
    if access.sender.account and owner not in {None, access.sender.account}:
        msg = "--account and --owner differ, but the owner deploys; give one of them"
        raise click.UsageError(msg)
    require_writable(access.path(0))  # what is deployed must not be lost
    node = access.node()
    path = access.path(node.chain_id)
    unlocked = node.unlocked()
    owner = owner or access.sender.account or _unlocked(unlocked, 0, "--account")
    if access.sender.account is None and owner not in unlocked:
        msg = f"the node does not hold the key of {owner}; sign here with --account {owner}"
        raise KeystoreError(msg)
    market = market or _unlocked(unlocked, 1, "--market")
    if token and not node.code(token):
        msg = f"no contract at {token}, where the token should be; name another or leave it out"
        raise ChainMismatchError(msg)
    done = deploy_once(
        access.signing(node), path, owner=owner, market=market, terms=terms, token=token
    )
    told = {**asdict(done.deployment), "file": str(path), "created": done.created}
    click.echo(json.dumps(told, indent=2) if as_json else _line(done, str(path)))


def _unlocked(accounts: list[str], index: int, option: str) -> str:
    """Return one of the node's own accounts, or raise where it has too few."""
    if len(accounts) <= index:
        msg = f"the node has {len(accounts)} unlocked accounts of its own; give {option}"
        raise ChainMismatchError(msg)
    return accounts[index]


def _line(done: Deployed, path: str) -> str:
    if not done.created:
        return f"deployed already, on the same terms; contracts named in {path}"
    return f"deployed; contracts named in {path}"


@click.command("compile")
@click.option("--check", is_flag=True, help="Write nothing; exit 1 if an artifact is stale.")
@json_option
def compile_command(*, check: bool, as_json: bool) -> None:
    """Compile the Solidity sources.

    Writes the committed artifacts and says which of them changed.
    """
    from contracts import compile as compiler  # noqa: PLC0415 -- a developer's tool

    try:
        artifacts = compiler.compile_contracts()
    except (compiler.CompilerMissingError, compiler.SourceError) as error:
        raise click.ClickException(str(error)) from error
    except ModuleNotFoundError as error:
        msg = f"{error.name} is not installed; install gridpact[dev]"
        raise click.ClickException(msg) from error
    changed = compiler.stale(artifacts)
    if not check:
        compiler.write({name: artifacts[name] for name in changed})
    if as_json:
        click.echo(json.dumps({"changed": changed, "written": not check}, indent=2))
    elif not check:
        click.echo(f"compiled; changed: {', '.join(changed) or 'none'}")
    if check and changed:
        msg = f"artifacts of {', '.join(changed)} are stale; run `gridpact chain compile`"
        raise click.ClickException(msg)
    if check and not as_json:
        click.echo("the artifacts are what the sources compile to")
