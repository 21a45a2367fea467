"""A chain in process, and accounts for it: for first runs, simulations and tests."""

from collections.abc import Sequence
from hashlib import sha256
from importlib.util import find_spec
from typing import TYPE_CHECKING, Literal, Protocol

from contracts.chain import Chain, TimeMachine

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount


class EmbeddedChain(Chain, TimeMachine, Protocol):
    """A chain of our own, whose clock we hold."""


def development_accounts(seed: int, count: int) -> "list[LocalAccount]":
    """Return ``count`` accounts, the same ones for the same ``seed``.

    Warning: anybody can derive their keys. For embedded and development chains only.
    """
    from eth_account import Account  # noqa: PLC0415 -- half a second that a gateway need not spend

    return [
        Account.from_key(sha256(f"gridpact development {seed}/{index}".encode()).digest())
        for index in range(count)
    ]


def embedded_chain(
    *,
    start_timestamp: int,
    accounts: "Sequence[LocalAccount]",
    prefer: Literal["pyrevm", "eth-tester"] = "pyrevm",
) -> EmbeddedChain:
    """Begin an empty chain in this process.

    Parameters
    ----------
    start_timestamp : int
        Its time until it is set. [s since 1970]
    accounts : sequence of LocalAccount
        Those who can send. On pyrevm everybody can.
    prefer : {"pyrevm", "eth-tester"}
        Which one to take where both are there. Without pyrevm it is eth-tester, which is the same
        to the contracts and a thousand times slower.
    """
    if prefer == "pyrevm" and find_spec("pyrevm") is not None:
        from contracts.local.chain_revm import RevmChain  # noqa: PLC0415 -- an optional dependency

        return RevmChain(start_timestamp=start_timestamp)
    from contracts.local.chain_dev import tester_chain  # noqa: PLC0415 -- imports web3 and py-evm

    return tester_chain(start_timestamp=start_timestamp, signers=accounts)
