"""What can go wrong on the way to the ledger, beyond a node that does not answer.

::

    LedgerError
    ├── LedgerUnavailableError
    │   ├── TransactionPendingError   signed and perhaps sent: it may still take effect
    │   ├── SenderBlockedError        not sent, because an earlier one is still pending
    │   ├── NonceTakenError           took no effect: another process used its place
    │   └── EndpointsDownError        none of several nodes can be used
    ├── ChainMismatchError
    │   └── ContractMismatchError     another contract at the address: mend the settings
    ├── JournalError                  the file of unconfirmed transactions: mend or remove it
    └── ReorganisationTooDeepError    blocks that were read are gone: read them again
"""

from collections.abc import Mapping
from dataclasses import dataclass

from contracts.errors import ChainMismatchError, LedgerError, LedgerUnavailableError


@dataclass(eq=False)
class TransactionPendingError(LedgerUnavailableError):
    """A transaction is in no block yet and may still come into one: do not create it anew."""

    transaction_hash: str
    """Hash of its latest form, by which explorers and nodes know it."""
    sender: str
    """Account that signed it."""
    nonce: int
    """Its place among the sender's transactions."""
    waited_s: float
    """How long its block was waited for. [s]"""
    reason: str
    """What is known of why."""

    def __str__(self) -> str:
        """Say who, what, value and remedy in one line."""
        return (
            f"transaction {self.transaction_hash} of {self.sender} (nonce {self.nonce}) is in no "
            f"block after {self.waited_s:.0f} s ({self.reason}); it may still be mined: ask "
            "`recover` what became of it before the same is sent again"
        )


@dataclass(eq=False)
class SenderBlockedError(LedgerUnavailableError):
    """A call was not sent because an earlier transaction of its sender is still pending."""

    sender: str
    """Account that was to sign."""
    pending: TransactionPendingError
    """The earlier one."""

    def __str__(self) -> str:
        """Say who, what, value and remedy in one line."""
        return (
            f"nothing was sent for {self.sender}: its transaction "
            f"{self.pending.transaction_hash} (nonce {self.pending.nonce}) is still in no block "
            f"({self.pending.reason}); try again later or allow a higher fee"
        )


@dataclass(eq=False)
class NonceTakenError(LedgerUnavailableError):
    """A transaction took no effect and never will: another one holds its place on the chain."""

    sender: str
    """Account that signed it."""
    nonce: int
    """The place."""

    def __str__(self) -> str:
        """Say who, what, value and remedy in one line."""
        return (
            f"another process sent transaction {self.nonce} of {self.sender}, so ours had no "
            "effect; send it again, and let one process at a time use the account"
        )


@dataclass(eq=False)
class EndpointsDownError(LedgerUnavailableError):
    """None of several nodes could be used."""

    reasons: Mapping[str, str]
    """Why not, by URL."""

    def __str__(self) -> str:
        """Say who, what, value and remedy in one line."""
        each = ", ".join(f"{url} ({reason})" for url, reason in self.reasons.items())
        return f"no node can be used: {each}; start one or name another URL"


class ContractMismatchError(ChainMismatchError):
    """The contract at an address is not the one that was expected there."""


class JournalError(LedgerError):
    """The file of unconfirmed transactions cannot be read or written."""


@dataclass(eq=False)
class ReorganisationTooDeepError(LedgerError):
    """Blocks whose events were handed out are gone, and which events they were is not known."""

    number: int
    """Block that was read and is no longer on the chain."""
    start: int
    """Block from which to read again."""

    def __str__(self) -> str:
        """Say who, what, value and remedy in one line."""
        return (
            f"block {self.number}, whose events were read, is no longer on the chain; discard what "
            f"came from block {self.start} on and read again from there"
        )
