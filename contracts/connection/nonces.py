"""Whose turn it is: the numbers of each account's transactions, without a gap."""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from threading import RLock


class Nonces:
    """Count each sender's transactions for many threads.

    A thread that holds a sender asks for the `following` number, hands the transaction to the node
    and says `used`; one that was refused says nothing, so that the number is given out again.
    """

    def __init__(self, pending: Callable[[str], int]) -> None:
        """Begin at what ``pending`` says that a node has of a sender, its pool included."""
        self._pending = pending
        self._next: dict[str, int] = {}
        self._senders: dict[str, RLock] = {}
        self._lock = RLock()

    @contextmanager
    def held(self, sender: str) -> Iterator[None]:
        """Keep other threads from sending for ``sender`` meanwhile."""
        with self._lock:
            lock = self._senders.setdefault(sender, RLock())
        with lock:
            yield

    def following(self, sender: str, taken: Collection[int]) -> int:
        """Return the number of the sender's next transaction.

        Parameters
        ----------
        sender : str
            The account, which the caller holds.
        taken : collection of int
            Numbers of transactions that are signed but that the node may not have yet.
        """
        nonce = self._next.get(sender)
        if nonce is None:
            nonce = self._pending(sender)
        while nonce in taken:
            nonce += 1
        return nonce

    def used(self, sender: str, nonce: int) -> None:
        """Go on after ``nonce``."""
        self._next[sender] = nonce + 1

    def forget(self, sender: str) -> None:
        """Ask the node again next time: it knows of transactions that are not ours."""
        self._next.pop(sender, None)
