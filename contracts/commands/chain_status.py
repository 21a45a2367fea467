"""What there is to see of a chain and a fleet's contracts on it, in one look."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from eth_utils.address import to_checksum_address
from hexbytes import HexBytes
from web3 import Web3

from contracts.abi import Function, event_topic
from contracts.artifact import load
from contracts.chain import Call, Chain
from contracts.client import Ledger
from contracts.connection.web3_errors import ours
from contracts.errors import LedgerReplyError

_SHOWN = ("uint", "int", "address", "bool")
"""Beginnings of the types that a line can show."""
_ENROLLED, _RETIRED = "MemberEnrolled", "MemberRetired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """State what an account holds."""

    address: str
    """The account."""
    role: str
    """Who that is."""
    coins_wei: int
    """Of the chain's own coin, which pays gas. [wei]"""
    money_micro: int
    """Of the token that pays. [micro]"""


def views(chain: Chain, contract: str, address: str, *, reader: str) -> dict[str, Any]:
    """Return all that ``contract`` at ``address`` answers without being given anything.

    Parameters
    ----------
    chain : Chain
        Where it is.
    contract : str
        Name of its artifact.
    address : str
        Where it is there.
    reader : str
        Address in whose name it is asked.

    Returns
    -------
    dict of str to int, bool or str
        By the names that Solidity has for them: terms, owner, books, whether it is paused.
    """
    answers: dict[str, Any] = {}
    for entry in load(contract).abi:
        if not _is_view(entry):
            continue
        kind = entry["outputs"][0]["type"]
        function = Function(f"{entry['name']}()", (kind,))
        data = chain.call(Call(sender=reader, to=address, data=function.encode()))
        (value,) = function.decode(data)
        answers[entry["name"]] = to_checksum_address(value) if kind == "address" else value
    return answers


def members_seen(w3: Web3, ledger: Ledger, *, where: str) -> int | None:
    """Return how many are enrolled by the events; None where the node does not search so far."""
    signatures = {
        entry["name"]: f"{entry['name']}({','.join(each['type'] for each in entry['inputs'])})"
        for entry in load("Fleet").abi
        if entry["type"] == "event"
    }
    topics = {name: HexBytes(event_topic(signatures[name])) for name in (_ENROLLED, _RETIRED)}
    try:
        with ours(where):
            logs = w3.eth.get_logs(
                {
                    "address": to_checksum_address(ledger.fleet.address),
                    "fromBlock": 0,
                    "toBlock": "latest",
                    "topics": [list(topics.values())],
                }
            )
    except LedgerReplyError:
        return None
    members: dict[bytes, bool] = {}
    for log in logs:
        members[bytes(log["topics"][1])] = log["topics"][0] == topics[_ENROLLED]
    return sum(members.values())


def balances(
    w3: Web3, ledger: Ledger | None, accounts: Sequence[tuple[str, str]], *, where: str
) -> list[Balance]:
    """Return what each of ``accounts``, an address and its role, holds."""
    with ours(where):
        coins_wei = [w3.eth.get_balance(to_checksum_address(address)) for address, _ in accounts]
    return [
        Balance(
            address=address,
            role=role,
            coins_wei=held_wei,
            money_micro=0 if ledger is None else ledger.token.balance_micro(address),
        )
        for (address, role), held_wei in zip(accounts, coins_wei, strict=True)
    ]


def _is_view(entry: dict[str, Any]) -> bool:
    return (
        entry["type"] == "function"
        and entry["stateMutability"] in {"view", "pure"}
        and not entry["inputs"]
        and len(entry["outputs"]) == 1
        and entry["outputs"][0]["type"].startswith(_SHOWN)
        and not entry["outputs"][0]["type"].endswith("]")
    )
