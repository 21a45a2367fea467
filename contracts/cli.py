"""`gridpact chain`: put the contracts on a chain and admit members.

The owner's account must be unlocked in the node, as those of development nodes are: no key passes
through this command.
"""

import csv
import json
from dataclasses import asdict
from pathlib import Path

import click

from contracts.chain_web3 import Web3Chain, rpc_chain
from contracts.client import Ledger, Terms, connect, deploy
from contracts.deployment import Deployment
from contracts.errors import ChainMismatchError
from contracts.promise import Member

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
MEMBER_COLUMNS = ("account", "capacity_wh", "grid_power_w")


def open_ledger(url: str, deployment_file: Path) -> tuple[Web3Chain, Ledger]:
    """Reach the node and the contracts of a deployment file, or raise `LedgerError`."""
    deployment = Deployment.load(deployment_file)
    node = rpc_chain(url, chain_id=deployment.chain_id)
    return node, connect(node, deployment)


@click.group()
def chain() -> None:
    """Put the contracts on a chain and admit members."""


@chain.command("deploy")
@url_option
@deployment_option
@click.option("--owner", help="The aggregator's account.  [default: the node's first]")
@click.option("--market", help="Account that is owed losses.  [default: the node's second]")
@click.option("--token", help="ERC-20 token of six decimals that pays.  [default: play money]")
@click.option("--interval-s", type=int, default=1800, show_default=True, help="Market interval.")
@click.option("--fee-bp", type=int, default=1000, show_default=True, help="The owner's part.")
@click.option("--json", "as_json", is_flag=True, help="Print the deployment as JSON.")
def deploy_command(
    *,
    url: str,
    deployment_file: Path,
    owner: str | None,
    market: str | None,
    token: str | None,
    interval_s: int,
    fee_bp: int,
    as_json: bool,
) -> None:
    """Create a fleet and its settlement, and write the file that names them."""
    if deployment_file.exists():
        msg = f"{deployment_file} exists; remove it or name another with --deployment"
        raise click.UsageError(msg)
    node = rpc_chain(url)
    accounts = node.unlocked()
    if len(accounts) < 2 and not (owner and market):
        msg = f"{url} has {len(accounts)} unlocked accounts; name --owner and --market"
        raise ChainMismatchError(msg)
    deployment = deploy(
        node,
        owner=owner or accounts[0],
        market=market or accounts[1],
        terms=Terms(interval_s=interval_s, fee_bp=fee_bp),
        token=token,
    )
    deployment.save(deployment_file)
    shown = json.dumps(asdict(deployment), indent=2)
    click.echo(shown if as_json else f"deployed; contracts named in {deployment_file}")


@chain.command("enrol")
@click.argument("members", type=click.Path(path_type=Path, dir_okay=False))
@url_option
@deployment_option
def enrol_command(*, members: Path, url: str, deployment_file: Path) -> None:
    """Admit the members of a CSV file with columns account, capacity_wh and grid_power_w."""
    admitted = read_members(members)
    _, ledger = open_ledger(url, deployment_file)
    ledger.fleet.enrol(admitted)
    click.echo(f"{len(admitted)} members enrolled")


def read_members(path: Path) -> list[Member]:
    """Read members from CSV.

    Raises
    ------
    click.ClickException
        In one line with the row, if the file is missing or a row cannot be used.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = csv.DictReader(file)
            missing = [name for name in MEMBER_COLUMNS if name not in (rows.fieldnames or ())]
            if missing:
                msg = f"{path}: no column {missing[0]}; give {', '.join(MEMBER_COLUMNS)}"
                raise click.ClickException(msg)
            return [_member(path, rows.line_num, row) for row in rows]
    except OSError as error:
        msg = f"{path}: {error.strerror}; name a readable file"
        raise click.ClickException(msg) from error


def _member(path: Path, line: int, row: dict[str, str]) -> Member:
    try:
        return Member(
            account=row["account"],
            capacity_wh=int(row["capacity_wh"]),
            grid_power_w=int(row["grid_power_w"]),
        )
    except (TypeError, ValueError) as error:
        msg = f"{path}, row {line}: {error}; give whole Wh and W"
        raise click.ClickException(msg) from error
