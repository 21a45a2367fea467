"""A transaction's way from its signature to its receipt, however often the connection breaks.

Notes
-----
One rule keeps a report from counting twice: a signed transaction that may have reached a node is
never created anew. Its bytes are sent again, or replaced by bytes of the same nonce, until a
receipt is found or another transaction is seen to hold its nonce: a chain takes one for each.
"""

from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from eth_account.signers.local import LocalAccount
from eth_utils.address import to_checksum_address
from hexbytes import HexBytes
from web3 import Web3
from web3.exceptions import TransactionNotFound
from web3.types import Nonce, TxParams, TxReceipt

from contracts.connection.fees import offer, raised
from contracts.connection.journal import Attempt, Journal
from contracts.connection.nonces import Nonces
from contracts.connection.patience import Patience
from contracts.connection.pool_answers import Answer, answer_to
from contracts.connection.web3_errors import ours
from contracts.errors import LedgerError
from contracts.errors_connection import (
    JournalError,
    NonceTakenError,
    TransactionPendingError,
)

_NONCE_TRIES = 8
"""How often another process may be quicker before we give up."""
_REMEMBERED = 256
"""Mined transactions that are sent again if a reorganisation loses them."""
_FIRST_PAUSE_S = 0.02
_LONGEST_PAUSE_S = 1.0


@dataclass(slots=True, eq=False)
class Letter:
    """Hold a transaction that is signed and not known to be in a block."""

    fields: TxParams
    """What was signed last."""
    hashes: list[HexBytes] = field(default_factory=list)
    """Of all attempts: any of them may be mined."""
    raw: bytes = field(default=b"", repr=False)
    """The latest attempt; empty where the node signed it."""
    taken: bool = False
    """Whether a node is known to have had the latest attempt."""
    watched: bool = True
    """Whether a thread waits for it."""
    doubted_at: float | None = None
    """Since when its nonce is seen used without a receipt. [s]"""
    trouble: str = "not mined yet"
    """Why it is still here."""

    @property
    def sender(self) -> str:
        """Return who signed it."""
        return str(self.fields["from"])

    @property
    def nonce(self) -> int:
        """Return its place among the sender's transactions."""
        return int(self.fields["nonce"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Mined:
    """Hold a transaction's receipt with its block's time."""

    receipt: TxReceipt
    """As the node gave it."""
    block_timestamp: int
    """Time of its block. [s since 1970]"""


class Outbox:
    """Send what is signed, and see it into a block."""

    def __init__(
        self,
        w3: Web3,
        *,
        where: str,
        chain_id: int,
        signers: Sequence[LocalAccount],
        submit: Callable[[bytes], HexBytes],
        journal: Journal,
        patience: Patience,
    ) -> None:
        """Take up what ``journal`` holds; see `contracts.connection.chain_web3.rpc_chain`."""
        self._w3 = w3
        self._where = where
        self._chain_id = chain_id
        self._signers = {str(signer.address): signer for signer in signers}
        self._submit = submit
        self._journal = journal
        self._patience = patience
        self._nonces = Nonces(self._pending_count)
        self._lock = Lock()
        self._letters: dict[tuple[str, int], Letter] = {}
        self._mined: deque[Letter] = deque(maxlen=_REMEMBERED)
        for attempt in journal.unconfirmed(chain_id):
            self._take_up(attempt)

    def post(self, transaction: TxParams) -> Letter:
        """Sign ``transaction`` with the sender's next nonce and hand it to the node.

        Raises
        ------
        LedgerRefusedError
            If the node does not take it; it had no effect.
        NonceTakenError
            If other processes always are quicker.
        """
        sender = to_checksum_address(transaction["from"])
        with self._nonces.held(sender), ours(self._where):
            for _ in range(_NONCE_TRIES):
                nonce = self._nonces.following(sender, self._open_nonces(sender))
                letter = self._sign({**transaction, "from": sender, "nonce": Nonce(nonce)})
                answer, error = self._hand_over_first(letter)
                if answer in {Answer.TAKEN, Answer.UNKNOWN}:
                    self._nonces.used(sender, nonce)
                    return letter
                self._discard(letter)
                self._nonces.forget(sender)
                if error is not None and answer is Answer.REFUSED:
                    raise error
        raise NonceTakenError(sender, nonce)

    def deliver(self, letter: Letter) -> Mined | LedgerError:
        """Wait for the block of ``letter``; return it, or why there is none."""
        patience = self._patience
        begun = raised_at = patience.clock()
        pause_s = _FIRST_PAUSE_S
        try:
            while True:
                fate = self._fate(letter)
                if fate is not None:
                    return fate
                now = patience.clock()
                if now - begun >= patience.receipt_timeout_s:
                    return self._pending(letter, now - begun)
                if now - raised_at >= patience.raise_after_s:
                    raised_at = now
                    self._fill_gap(letter)
                    self._raise_fee(letter)
                elif not letter.taken:
                    self._hand_over(letter)
                patience.sleep(pause_s)
                pause_s = min(1.5 * pause_s, _LONGEST_PAUSE_S)
        finally:
            letter.watched = False

    def senders(self) -> list[str]:
        """Return those who have a transaction that nobody waits for any more.

        It is one of a process that ended, or one for which the time was over.
        """
        with self._lock:
            return sorted({each.sender for each in self._letters.values() if not each.watched})

    def settle(self, sender: str) -> list[tuple[Letter, Mined | LedgerError]]:
        """Wait for what `senders` tells of one of them, in order, as far as the time reaches."""
        outcomes: list[tuple[Letter, Mined | LedgerError]] = []
        while (letter := self._claim(sender)) is not None:
            outcomes.append((letter, self.deliver(letter)))
            if isinstance(outcomes[-1][1], TransactionPendingError):
                break
        return outcomes

    def resend(self) -> None:
        """Hand the transactions of a process that ended to the node again, without waiting."""
        with self._lock:
            left = sorted(self._letters.items(), key=lambda item: item[0])
        for _, letter in left:
            # Ganache carries out once more what it has mined, so look before sending.
            if self._look_for(letter) is None:
                self._hand_over(letter)

    def _claim(self, sender: str) -> Letter | None:
        """Return, to watch it, the sender's first transaction that nobody waits for."""
        with self._lock:
            left = [
                each
                for each in self._letters.values()
                if each.sender == sender and not each.watched
            ]
            if not left:
                return None
            first = min(left, key=lambda letter: letter.nonce)
            first.watched = True
            return first

    def _take_up(self, attempt: Attempt) -> None:
        """Hold an attempt of a process that ended."""
        fields: Any = attempt.fields
        letter = self._letters.setdefault(
            (attempt.sender, attempt.nonce), Letter(fields, watched=False)
        )
        letter.fields = fields
        letter.raw = attempt.raw
        letter.hashes.append(HexBytes(attempt.transaction_hash))

    def _sign(self, fields: TxParams) -> Letter:
        """Return ``fields`` as a letter, in the journal where it is signed here."""
        letter = Letter(fields)
        if letter.sender in self._signers:
            self._write(letter, fields)
        with self._lock:
            self._letters[letter.sender, letter.nonce] = letter
        return letter

    def _write(self, letter: Letter, fields: TxParams) -> None:
        """Sign ``fields`` as the letter's latest attempt and put it into the journal."""
        unsigned: dict[str, Any] = {**fields, "chainId": self._chain_id}
        unsigned["data"] = HexBytes(unsigned.get("data", b"")).to_0x_hex()
        del unsigned["from"]
        signed = self._signers[letter.sender].sign_transaction(unsigned)
        self._journal.add(
            Attempt(
                chain_id=self._chain_id,
                sender=letter.sender,
                nonce=letter.nonce,
                transaction_hash=bytes(signed.hash),
                raw=bytes(signed.raw_transaction),
                fields={**unsigned, "from": letter.sender},
            )
        )
        letter.fields = fields
        letter.raw = bytes(signed.raw_transaction)
        letter.hashes.append(HexBytes(signed.hash))

    def _hand_over_first(self, letter: Letter) -> tuple[Answer, LedgerError | None]:
        """Send a letter whose bytes no node has yet; leave no trace of it if we cannot."""
        try:
            return self._hand_over(letter)
        except Exception:
            self._discard(letter)
            raise
        except BaseException:
            # Stopped by the user while the node may have it already: settle it before the next one.
            letter.watched = False
            raise

    def _hand_over(self, letter: Letter) -> tuple[Answer, LedgerError | None]:
        """Send the latest attempt; return what the node made of it."""
        try:
            if letter.raw:
                self._submit(letter.raw)
            elif not letter.hashes:
                letter.hashes.append(self._w3.eth.send_transaction(letter.fields))
        except Exception as failure:
            answer, error = answer_to(failure, where=self._where, sender=letter.sender)
            letter.taken = answer is Answer.TAKEN
            letter.trouble = str(error)
            if not letter.raw and answer is Answer.UNKNOWN:
                # Signed in the node: without its hash nothing tells it from another.
                return Answer.REFUSED, error
            return answer, error
        letter.taken = True
        letter.trouble = "not mined yet"
        return Answer.TAKEN, None

    def _fate(self, letter: Letter) -> Mined | NonceTakenError | None:
        """Return what became of ``letter``, and forget it, once that is known."""
        fate: Mined | NonceTakenError | None = self._look_for(letter)
        if fate is None and self._is_lost(letter):
            fate = NonceTakenError(letter.sender, letter.nonce)
            self._nonces.forget(letter.sender)
        if fate is not None:
            # A journal that cannot be written now only has us find the same once more at a start.
            with suppress(JournalError):
                self._discard(letter, on_chain=True)
            if isinstance(fate, Mined):
                self._mined.append(letter)
        return fate

    def _look_for(self, letter: Letter) -> Mined | None:
        """Return the letter's block if it is in one, whichever attempt it was."""
        try:
            with ours(self._where):
                for transaction_hash in reversed(letter.hashes):
                    with suppress(TransactionNotFound):
                        receipt = self._w3.eth.get_transaction_receipt(transaction_hash)
                        block = self._w3.eth.get_block(receipt["blockHash"])
                        return Mined(receipt=receipt, block_timestamp=block["timestamp"])
                self._doubt(letter)
        except LedgerError as error:
            letter.trouble = str(error)
        return None

    def _doubt(self, letter: Letter) -> None:
        """Note since when the nonce is used though none of our attempts is mined."""
        if letter.taken:
            return
        used = self._w3.eth.get_transaction_count(to_checksum_address(letter.sender), "latest")
        if used <= letter.nonce:
            letter.doubted_at = None
        elif letter.doubted_at is None:
            letter.doubted_at = self._patience.clock()

    def _is_lost(self, letter: Letter) -> bool:
        """Return whether the nonce is another's: a node may index late, or lag behind others."""
        if letter.doubted_at is None:
            return False
        return self._patience.clock() - letter.doubted_at >= self._patience.raise_after_s

    def _raise_fee(self, letter: Letter) -> None:
        """Replace the letter by one with a higher fee, or send it again where that cannot be."""
        if letter.sender in self._signers and letter.raw:
            before = letter.fields, letter.raw
            try:
                with ours(self._where):
                    now = offer(self._w3, self._patience.fee_cap_wei)
                    fee = raised(letter.fields, now, self._patience.fee_cap_wei)
                    if fee is not None:
                        self._write(letter, {**letter.fields, **fee})
            except LedgerError as error:
                letter.trouble = str(error)
                return
            answer, _ = self._hand_over(letter)
            if fee is not None and answer in {Answer.FEE_TOO_LOW, Answer.REFUSED}:
                self._journal.drop(bytes(letter.hashes.pop()))
                letter.fields, letter.raw = before
            elif fee is None and letter.taken:
                letter.trouble = "not mined, and the fee may not be raised further"

    def _fill_gap(self, letter: Letter) -> None:
        """Send again what was mined before ``letter`` and is not on the chain any more.

        A reorganisation puts transactions back into the pool, but not every node keeps them there;
        without them nothing of the sender is mined.
        """
        with suppress(LedgerError), ours(self._where):
            count = self._pending_count(letter.sender)
            lost = [
                each
                for each in self._mined
                if each.sender == letter.sender and count <= each.nonce < letter.nonce
            ]
            for each in sorted(lost, key=lambda letter: letter.nonce):
                self._hand_over(each)

    def _discard(self, letter: Letter, *, on_chain: bool = False) -> None:
        """Forget a transaction whose fate is known."""
        with self._lock:
            self._letters.pop((letter.sender, letter.nonce), None)
        if letter.raw:
            sender, nonce = letter.sender, letter.nonce
            self._journal.close(self._chain_id, sender, nonce, on_chain=on_chain)

    def _pending_count(self, sender: str) -> int:
        """Return how many transactions of ``sender`` the node has, those in its pool included."""
        return self._w3.eth.get_transaction_count(to_checksum_address(sender), "pending")

    def _open_nonces(self, sender: str) -> set[int]:
        with self._lock:
            return {nonce for holder, nonce in self._letters if holder == sender}

    def _pending(self, letter: Letter, waited_s: float) -> TransactionPendingError:
        return TransactionPendingError(
            transaction_hash=letter.hashes[-1].to_0x_hex(),
            sender=letter.sender,
            nonce=letter.nonce,
            waited_s=waited_s,
            reason=letter.trouble,
        )
