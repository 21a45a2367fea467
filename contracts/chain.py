"""The seam between what we say to a contract and the chain that carries it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from contracts.errors import LedgerError


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """Describe one message to a contract: a transaction when sent, a query when called."""

    sender: str
    """Address that signs, or in whose name a query is asked."""
    to: str
    """Address of the contract."""
    data: bytes
    """Selector and ABI-encoded arguments."""
    gas: int | None = None
    """What to allow where it cannot be estimated; None leaves it to the chain. [gas]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """Describe one event a contract wrote."""

    address: str
    """The contract."""
    topics: tuple[bytes, ...]
    """Hash of the event's signature, then its indexed arguments."""
    data: bytes
    """Its other arguments, ABI-encoded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """Describe a transaction that took effect."""

    gas_used: int | None
    """What the sender paid; None where the chain does not count truly. [gas]"""
    block_timestamp: int
    """Time of the block that holds it. [s since 1970]"""
    logs: tuple[Log, ...]
    """Its events, in order."""
    transaction_hash: bytes | None = field(default=None, compare=False)
    """By which a node knows it; None on chains in process."""


class Chain(Protocol):
    """Carry calls to contracts; what they mean is the client's business, not the chain's."""

    @property
    def chain_id(self) -> int:
        """Number by which the chain is known (EIP-155)."""

    @property
    def counts_gas_truly(self) -> bool:
        """Whether `Receipt.gas_used` is what a public chain would charge."""

    def deploy(self, sender: str, code: bytes) -> str:
        """Create a contract from ``code`` (constructor arguments appended); return its address."""

    def send_all(self, calls: Sequence[Call]) -> list[Receipt | LedgerError]:
        """Carry out ``calls`` in order, in one block where the chain allows it.

        A refused call yields its error in its place and does not stop the others.
        """

    def call(self, call: Call) -> bytes:
        """Return what the contract answers, without leaving a trace; raise if it refuses."""

    def code(self, address: str) -> bytes:
        """Return the code at ``address``, empty where there is no contract."""

    def now_s(self) -> int:
        """Return the time that the next block will not be before. [s since 1970]"""


@runtime_checkable
class BulkReader(Protocol):
    """A chain that answers thousands of queries of one contract at less than the price of each."""

    def call_bulk(self, data: Sequence[bytes], *, sender: str, to: str) -> list[bytes]:
        """Return what the contract answers to each query; raise at the first it refuses."""


@runtime_checkable
class BulkChain(BulkReader, Protocol):
    """A chain in process that carries thousands of calls to one contract without an object each."""

    def send_bulk(
        self, data: Sequence[bytes], *, senders: Sequence[str], to: str
    ) -> list[LedgerError | None]:
        """Carry out calls in order; return for each why it was refused, or None if it was not."""


@runtime_checkable
class TimeMachine(Protocol):
    """A chain whose clock the caller holds: an embedded or development chain."""

    def set_time(self, timestamp: int) -> None:
        """Move the clock forward so that what follows happens at ``timestamp``. [s since 1970]

        A chain that gives each block a time of its own puts the next one at ``timestamp`` and
        each later one a second or more after it, until the clock is moved again.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """Tell what became of a call whose sender had stopped waiting for it, or had ended."""

    call: Call
    """What was sent."""
    outcome: Receipt | LedgerError
    """Its receipt, or why it had no effect. A `contracts.errors_connection.TransactionPendingError`
    says that this is not known yet."""


@runtime_checkable
class Recoverer(Protocol):
    """A chain that remembers what was sent through it and not seen to take effect."""

    def recover(self) -> list[Recovered]:
        """Wait for the calls whose fate was left open; return what became of each, once each."""
