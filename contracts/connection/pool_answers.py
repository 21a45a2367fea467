"""What a node says to a transaction that it is handed, whatever words it uses."""

import re
from enum import Enum, auto

from web3.exceptions import Web3RPCError

from contracts.connection.web3_errors import refusal_of_submission
from contracts.errors import LedgerError, LedgerReplyError, LedgerUnavailableError


class Answer(Enum):
    """Tell what to do after a transaction was handed to a node."""

    TAKEN = auto()
    """The node has it: wait for its block."""
    NONCE_USED = auto()
    """Its place is taken, by itself or by another one: look for its receipt."""
    FEE_TOO_LOW = auto()
    """Another one holds its place in the pool, at a fee that this one does not exceed enough."""
    UNKNOWN = auto()
    """No answer, or none that can be read: it may have arrived; send the same bytes again."""
    REFUSED = auto()
    """It was not taken and had no effect."""


_KNOWN = re.compile(r"already[ _]?(known|imported|exists|in )|known transaction", re.IGNORECASE)
"""Geth, Erigon and Nethermind; Anvil; Besu."""
_NONCE_USED = re.compile(
    r"nonce (is )?too low|old ?nonce|(correct|invalid transaction) nonce|nonce is below",
    re.IGNORECASE,
)
"""Geth, Anvil and Besu; Nethermind; Ganache and eth-tester; older Besu."""
_FEE_TOO_LOW = re.compile(r"replacement|existing transaction had higher priority", re.IGNORECASE)
"""All of them; OpenEthereum's heirs."""
_UNSURE = re.compile(
    r"time[sd]?[ -]?out|deadline exceeded|internal (server |json-rpc )?error|unavailable",
    re.IGNORECASE,
)
"""Nodes and the proxies before them, whose trouble says nothing of the transaction."""


def answer_to(error: Exception, *, where: str, sender: str) -> tuple[Answer, LedgerError]:
    """Return what a failed submission means, and the failure as ours.

    Parameters
    ----------
    error : Exception
        What was raised.
    where : str
        What messages call the node.
    sender : str
        Account that signed the transaction.
    """
    ours = (
        error
        if isinstance(error, LedgerError)
        else refusal_of_submission(error, where=where, sender=sender)
    )
    if isinstance(ours, (LedgerUnavailableError, LedgerReplyError)):
        return Answer.UNKNOWN, ours
    text = str(error) if isinstance(error, Web3RPCError) else ""
    for pattern, answer in (
        (_KNOWN, Answer.TAKEN),
        (_NONCE_USED, Answer.NONCE_USED),
        (_FEE_TOO_LOW, Answer.FEE_TOO_LOW),
        (_UNSURE, Answer.UNKNOWN),
    ):
        if pattern.search(text):
            return answer, ours
    return Answer.REFUSED, ours
