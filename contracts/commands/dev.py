"""`gridpact chain dev`: a chain on this computer, for as long as the command runs."""

import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import click

from contracts.commands.access import ask_new_passphrase
from contracts.commands.options import folder_argument, json_option, passphrase_option, timestamp
from contracts.connection.chain_web3 import Web3Chain, rpc_chain
from contracts.errors import LedgerUnavailableError
from contracts.keystore import new_keystore
from contracts.local.anvil import anvil_process, find_anvil
from contracts.local.embedded_node import embedded_process, find_embedded
from contracts.local.ganache import find_ganache, ganache_process
from contracts.local.local_node import LocalNode

KEPT_ACCOUNT_WEI = 5 * 10**18
"""What each account with a keystore gets of the chain's own coin: gas for some days. [wei]"""
PROGRAMS = {
    "anvil": (find_anvil, anvil_process),
    "ganache": (find_ganache, ganache_process),
    "eth-tester": (find_embedded, embedded_process),
}
"""How to find each program and how to run it, the preferred one first."""


@click.command("dev")
@click.option(
    "--port",
    type=click.IntRange(1, 65_535),
    default=8545,
    show_default=True,
    help="Port of 127.0.0.1 to listen on.",
)
@click.option(
    "--accounts",
    type=click.IntRange(2, 1000),
    default=10,
    show_default=True,
    help="How many have coins.",
)
@click.option(
    "--chain",
    "program",
    type=click.Choice(list(PROGRAMS)),
    help="What to run.  [default: the first of these that is installed]",
)
@click.option(
    "--timestamp", "start_s", type=timestamp, help="Time of the first block.  [default: now]"
)
@click.option(
    "--keys",
    type=folder_argument,
    help="Write as many keystores there, of accounts with coins that the node does not hold.",
)
@passphrase_option
@json_option
def dev_command(
    *,
    port: int,
    accounts: int,
    program: str | None,
    start_s: int | None,
    keys: Path | None,
    passphrase_file: Path | None,
    as_json: bool,
) -> None:
    """Run a chain on this computer until Ctrl-C.

    Everybody knows the keys of its unlocked accounts: nothing on it is worth anything.
    """
    if keys is None and passphrase_file is not None:
        msg = "--passphrase-file needs --keys; name the folder for the keystores"
        raise click.UsageError(msg)
    name = program or _found_program()
    passphrase = None if keys is None else ask_new_passphrase(passphrase_file)
    _, process = PROGRAMS[name]
    with (
        _ended_like_ctrl_c(),
        process(start_timestamp=start_s, port=port, accounts=accounts) as node,
    ):
        chain = rpc_chain(node.url)
        kept = [] if keys is None else _keep(chain, keys, str(passphrase), accounts)
        try:
            _tell(node, name, chain, kept, as_json=as_json)
            code = node.process.wait()
        except KeyboardInterrupt:
            click.echo("stopped; the chain is gone", err=True)
            return
        msg = f"{name} at {node.url} ended by itself with code {code}; start it again"
        raise LedgerUnavailableError(msg)


def _found_program() -> str:
    for name, (find, _) in PROGRAMS.items():
        if find() is not None:
            return name
    msg = "no chain is installed; run `npm ci` with Node, or install gridpact[aggregator]"
    raise LedgerUnavailableError(msg)


def _keep(chain: Web3Chain, keys: Path, passphrase: str, count: int) -> list[str]:
    """Make keystores of accounts with coins; return their addresses."""
    now = datetime.now(UTC)
    kept = [new_keystore(keys, passphrase, created=now, light=True).address for _ in range(count)]
    chain.give(chain.unlocked()[0], kept, KEPT_ACCOUNT_WEI)
    return kept


def _tell(node: LocalNode, name: str, chain: Web3Chain, kept: list[str], *, as_json: bool) -> None:
    """Say where the chain is and who has coins on it, once it can be used."""
    told = {
        "url": node.url,
        "program": name,
        "chain_id": chain.chain_id,
        "timestamp": chain.now_s(),
        "unlocked": chain.unlocked(),
        "kept": kept,
    }
    if as_json:
        click.echo(json.dumps(told))
        return
    click.echo(f"{node.url}  {name}, chain {chain.chain_id}; Ctrl-C ends it")
    for account in chain.unlocked():
        click.echo(f"{account}  unlocked in the node")
    for account in kept:
        click.echo(f"{account}  its key is in --keys")


@contextmanager
def _ended_like_ctrl_c() -> Iterator[None]:
    """Take an order to end for Ctrl-C, so that the node ends with us."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
