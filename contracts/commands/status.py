"""`gridpact chain status`: the chain and a fleet's contracts on it, on one screen."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from contracts.chain import Chain
from contracts.client import Ledger
from contracts.commands.access import Access
from contracts.commands.chain_status import balances, members_seen, views
from contracts.commands.options import keys_option, ledger_options
from contracts.connection.endpoints import connection, shown
from contracts.connection.web3_errors import ours
from contracts.keystore import keystores

_TIMEOUT_S = 30.0
_ROWS_MAX = 12
"""Accounts that the table shows; the JSON has all."""


@click.command("status")
@keys_option
@ledger_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def status_command(*, access: Access, keys: Path, as_json: bool) -> None:
    """Show the chain and what is on it.

    The contracts with their terms and books, how many are members, and who holds what.
    """
    found = chain_status(access, keys)
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    Console().print(_table(found))


def chain_status(access: Access, keys: Path) -> dict[str, Any]:
    """Return what the command shows.

    Parameters
    ----------
    access : Access
        The chain and its contracts.
    keys : Path
        Folder of keystores, whose accounts are shown too.
    """
    node = access.node()
    path = access.path(node.chain_id)
    ledger: Ledger | None = None
    if access.deployment_file is not None or path.exists():
        node, ledger = access.read()
    where = ", ".join(map(shown, access.urls))
    w3 = connection(access.urls, _TIMEOUT_S, chain_id=node.chain_id)
    with ours(where):
        block = w3.eth.get_block("latest")
    found: dict[str, Any] = {
        "chain_id": node.chain_id,
        "block": block["number"],
        "timestamp": block["timestamp"],
        "file": str(path) if ledger else None,
    }
    accounts = {each.address: "key kept here" for each in keystores(keys)}
    if ledger is not None:
        found |= _contracts(node, ledger) | {"members": members_seen(w3, ledger, where=where)}
        accounts |= {found["settlement"]["market"]: "market", found["fleet"]["owner"]: "owner"}
    held = balances(w3, ledger, list(accounts.items()), where=where)
    return found | {"accounts": [asdict(each) for each in held]}


def _contracts(chain: Chain, ledger: Ledger) -> dict[str, Any]:
    """Return what the contracts say of themselves, and the books."""
    reader = ledger.fleet.owner
    fleet, settlement = ledger.fleet.address, ledger.settlement.address
    return {
        "fleet": {"address": fleet, **views(chain, "Fleet", fleet, reader=reader)},
        "settlement": {
            "address": settlement,
            **views(chain, "Settlement", settlement, reader=reader),
        },
        "books": asdict(ledger.settlement.books()),
    }


def _table(found: Mapping[str, Any]) -> Table:
    """Return the same for people."""
    at = datetime.fromtimestamp(found["timestamp"], UTC)
    table = Table(show_header=False, title=f"chain {found['chain_id']}")
    table.add_row("block", f"{found['block']}, {at:%Y-%m-%d %H:%M:%S} UTC")
    if found["file"] is None:
        table.add_row("contracts", "none named here; run `gridpact chain deploy`")
    else:
        _add_contracts(table, found)
    for held in found["accounts"][-_ROWS_MAX:]:
        coins = Decimal(held["coins_wei"]).scaleb(-18)
        shown = f"{coins:.4f} coins, {Decimal(held['money_micro']).scaleb(-6):.2f} money"
        table.add_row(held["role"], f"{held['address']}\n{shown}")
    return table


def _add_contracts(table: Table, found: Mapping[str, Any]) -> None:
    """Add what is known of the contracts, a row for each and one for the books."""
    for name in ("fleet", "settlement"):
        facts = {key: value for key, value in found[name].items() if key != "address"}
        plain = [
            f"{key} {value}"
            for key, value in facts.items()
            if not (str(value).startswith("0x") or key.removesuffix("Micro") in _BOOKS)
        ]
        table.add_row(name, f"{found[name]['address']}\n{', '.join(plain)}")
    books = [
        f"{key.removesuffix('_micro').replace('_', ' ')} {Decimal(value).scaleb(-6):.2f}"
        for key, value in found["books"].items()
        if key.endswith("_micro")
    ]
    table.add_row("books", ", ".join(books))
    table.add_row("members", "unknown" if found["members"] is None else str(found["members"]))
    table.add_row("file", found["file"])


_BOOKS = {"bond", "funds", "fees", "credits", "losses", "carriedLoss"}
"""Solidity's names of what `books` shows already."""
