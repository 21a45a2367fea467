"""The contracts behind a JSON-RPC node: Anvil, Ganache, Geth, Besu, or a provider of any chain."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from eth_account.signers.local import LocalAccount
from eth_utils.address import to_checksum_address
from hexbytes import HexBytes
from web3 import Web3
from web3.exceptions import BlockNotFound
from web3.types import FilterParams, TxParams, TxReceipt, Wei

from contracts.chain import Call, Receipt, Recovered
from contracts.connection.bulk_reads import ask_bulk
from contracts.connection.endpoints import connection, shown
from contracts.connection.events import FoundLog, Place
from contracts.connection.fees import offer
from contracts.connection.journal import Journal
from contracts.connection.outbox import Letter, Mined, Outbox
from contracts.connection.patience import Patience
from contracts.connection.web3_errors import ours
from contracts.connection.web3_values import call_of, found_log, log, place, transaction
from contracts.errors import (
    ChainMismatchError,
    LedgerError,
    LedgerRefusedError,
    LedgerReplyError,
    LedgerUnavailableError,
)
from contracts.errors_connection import SenderBlockedError, TransactionPendingError

BATCH_GAS = 1_000_000
"""Gas allowed to each of several calls sent together: one may depend on another, so that they
cannot be estimated. A dearer one names its `Call.gas`. What is not used is not paid. [gas]"""
BATCH_CALLS = 64
"""Calls sent together at most: those of `BATCH_GAS` that a block of 30 M gas surely holds, at the
350,000 gas of our dearest common call."""
GAS_MARGIN = 1.25
"""What is allowed over what was estimated, since state may change before the block."""
TRANSFER_GAS = 21_000
"""What a transfer of the chain's own coin costs. [gas]"""
_NOT_SENT = "{where} does not answer; this call was not sent, send it again once the node is back"


class Mining(Protocol):
    """Mine a development chain's blocks when we say so, at the time that we say."""

    def begin(self) -> None:
        """Prepare the block that takes what is submitted from here on."""

    def submit(self, raw: bytes) -> HexBytes:
        """Add a signed transaction to the block; return its hash."""

    def finish(self) -> None:
        """Mine the block."""

    def mine_at(self, timestamp: int) -> None:
        """Mine an empty block at ``timestamp``. [s since 1970]"""

    def release(self) -> None:
        """Leave the mining to the node, as it was before."""


class Web3Chain:
    """A `contracts.chain.Chain` and `Recoverer`, and a `contracts.connection.events.LogSource`.

    Senders whose key the caller gives sign here; others must be unlocked accounts of the node. That
    suits development: of their transactions no bytes are at hand to be sent again. Any number of
    threads may send. A sender's transactions follow each other; after one that was in no block when
    its time was over, none is sent until its fate is known.
    """

    def __init__(
        self,
        w3: Web3,
        *,
        where: str,
        signers: Sequence[LocalAccount] = (),
        chain_id: int | None = None,
        mining: Mining | None = None,
        journal: Path | None = None,
        patience: Patience | None = None,
    ) -> None:
        """Reach a node.

        Parameters
        ----------
        w3 : Web3
            The connection.
        where : str
            What messages call it, such as its URL.
        signers : sequence of LocalAccount
            Accounts whose keys are here.
        chain_id : int, optional
            Number the chain must have; None takes any.
        mining : Mining, optional
            What mines the blocks; None where the node does.
        journal : Path, optional
            File of the transactions that are not confirmed yet; None keeps them in memory.
        patience : Patience, optional
            How long to wait for a block, and what it may cost.

        Raises
        ------
        LedgerUnavailableError
            If the node does not answer.
        ChainMismatchError
            If it serves another chain.
        JournalError
            If the journal cannot be used.
        """
        self._w3 = w3
        self._where = where
        self._mining = mining
        self._recovered: list[Recovered] = []
        with ours(where):
            self._chain_id = w3.eth.chain_id
        if chain_id not in {None, self._chain_id}:
            msg = (
                f"{where} serves chain {self._chain_id}, not {chain_id}; "
                "name the other node or mend the chain id"
            )
            raise ChainMismatchError(msg)
        self._patience = patience or Patience()
        self._outbox = Outbox(
            w3,
            where=where,
            chain_id=self._chain_id,
            signers=signers,
            submit=mining.submit if mining else w3.eth.send_raw_transaction,
            journal=Journal(journal),
            patience=self._patience,
        )
        self._outbox.resend()

    @property
    def chain_id(self) -> int:
        """See `contracts.chain.Chain`."""
        return self._chain_id

    @property
    def counts_gas_truly(self) -> bool:
        """Return True: receipts are the node's."""
        return True

    def deploy(self, sender: str, code: bytes) -> str:
        """See `contracts.chain.Chain`."""
        creation: TxParams = {"from": to_checksum_address(sender), "data": HexBytes(code)}
        with ours(self._where):
            self._unblock(str(creation["from"]))
            creation["gas"] = self._estimate(creation)
            (outcome,) = self._carry_out([creation])
        if isinstance(outcome, LedgerError):
            raise outcome
        address = outcome.receipt["contractAddress"]
        if outcome.receipt["status"] != 1 or address is None:
            msg = f"{self._where} did not create the contract; see the node's log"
            raise LedgerReplyError(msg)
        return address

    def send_all(self, calls: Sequence[Call]) -> list[Receipt | LedgerError]:
        """See `contracts.chain.Chain`."""
        outcomes: list[Receipt | LedgerError] = []
        for first in range(0, len(calls), BATCH_CALLS):
            try:
                with ours(self._where):
                    outcomes.extend(self._send_batch(calls[first : first + BATCH_CALLS]))
            except LedgerError as error:
                if not outcomes:
                    raise
                # the receipts of what was carried out before must not be lost
                return outcomes + [error] * (len(calls) - len(outcomes))
        return outcomes

    def call(self, call: Call) -> bytes:
        """See `contracts.chain.Chain`."""
        with ours(self._where):
            return bytes(self._w3.eth.call(transaction(call)))

    def call_bulk(self, data: Sequence[bytes], *, sender: str, to: str) -> list[bytes]:
        """See `contracts.chain.BulkReader`."""
        calls = [Call(sender=sender, to=to, data=each) for each in data]
        with ours(self._where):
            return ask_bulk(self._w3, calls, alone=self.call)

    def code(self, address: str) -> bytes:
        """See `contracts.chain.Chain`."""
        with ours(self._where):
            return bytes(self._w3.eth.get_code(to_checksum_address(address)))

    def now_s(self) -> int:
        """See `contracts.chain.Chain`."""
        with ours(self._where):
            return self._w3.eth.get_block("latest")["timestamp"]

    def give(self, sender: str, accounts: Sequence[str], amount_wei: int) -> None:
        """Send each of ``accounts`` some of the chain's own coin, to pay gas with. [wei]"""
        transfers: list[TxParams] = [
            {
                "from": to_checksum_address(sender),
                "to": to_checksum_address(account),
                "value": Wei(amount_wei),
                "gas": TRANSFER_GAS,
            }
            for account in accounts
        ]
        with ours(self._where):
            self._unblock(to_checksum_address(sender))
            outcomes = self._carry_out(transfers)
        for outcome in outcomes:
            if isinstance(outcome, LedgerError):
                raise outcome

    def balance_wei(self, address: str) -> int:
        """Return what ``address`` has of the chain's own coin, to pay gas with. [wei]"""
        with ours(self._where):
            return int(self._w3.eth.get_balance(to_checksum_address(address)))

    def unlocked(self) -> list[str]:
        """Return the accounts for which the node itself signs."""
        with ours(self._where):
            return [str(account) for account in self._w3.eth.accounts]

    def recover(self) -> list[Recovered]:
        """See `contracts.chain.Recoverer`."""
        pending = [self._settle(sender) for sender in self._outbox.senders()]
        found, self._recovered = self._recovered, []
        return found + [each for each in pending if each is not None]

    def block(self, number: int | None = None) -> Place | None:
        """See `contracts.connection.events.LogSource`."""
        try:
            with ours(self._where):
                return place(self._w3.eth.get_block("latest" if number is None else number))
        except LedgerReplyError as error:
            if isinstance(error.__cause__, BlockNotFound):
                return None
            raise

    def logs(self, address: str, first: int, last: int) -> list[FoundLog]:
        """See `contracts.connection.events.LogSource`."""
        wanted: FilterParams = {
            "address": to_checksum_address(address),
            "fromBlock": first,
            "toBlock": last,
        }
        with ours(self._where):
            return [found_log(entry) for entry in self._w3.eth.get_logs(wanted)]

    def _send_batch(self, calls: Sequence[Call]) -> list[Receipt | LedgerError]:
        blocked = self._blocked(calls)
        if blocked:  # one sender that is stuck does not hold up the others
            rest = [call for place, call in enumerate(calls) if place not in blocked]
            sent = iter(self._send_batch(rest) if rest else [])
            return [
                blocked[place] if place in blocked else next(sent) for place in range(len(calls))
            ]
        transactions = [transaction(call) for call in calls]
        if len(transactions) == 1 and self._mining is None:
            try:
                transactions[0]["gas"] = self._estimate(transactions[0])
            except LedgerRefusedError as refused:
                return [refused]
        else:
            for call, each in zip(calls, transactions, strict=True):
                if call.gas is not None:
                    each["gas"] = call.gas
        outcomes = self._carry_out(transactions)
        return [
            outcome if isinstance(outcome, LedgerError) else self._receipt(call, outcome)
            for call, outcome in zip(calls, outcomes, strict=True)
        ]

    def _blocked(self, calls: Sequence[Call]) -> dict[int, LedgerError]:
        """Return, by place, the calls whose sender has a transaction that is still pending."""
        stuck: dict[str, LedgerError] = {}
        for sender in dict.fromkeys(to_checksum_address(call.sender) for call in calls):
            try:
                self._unblock(sender)
            except SenderBlockedError as error:
                stuck[sender] = error
        senders = [to_checksum_address(call.sender) for call in calls]
        return {place: stuck[each] for place, each in enumerate(senders) if each in stuck}

    def _unblock(self, sender: str) -> None:
        """Settle what the sender has left open, or raise `SenderBlockedError`."""
        pending = self._settle(sender)
        if pending is not None and isinstance(pending.outcome, TransactionPendingError):
            raise SenderBlockedError(sender, pending.outcome)

    def _settle(self, sender: str) -> Recovered | None:
        """Wait for what the sender has left open; return what still is."""
        for letter, fate in self._outbox.settle(sender):
            call = call_of(letter.fields)
            outcome = fate if isinstance(fate, LedgerError) else self._receipt(call, fate)
            recovered = Recovered(call=call, outcome=outcome)
            if isinstance(outcome, TransactionPendingError):
                return recovered
            self._recovered.append(recovered)
        return None

    def _carry_out(self, transactions: Sequence[TxParams]) -> list[Mined | LedgerError]:
        """Submit ``transactions``, have them mined, and return what became of each."""
        fee = offer(self._w3, self._patience.fee_cap_wei)
        if self._mining is not None:
            self._mining.begin()
        posted: list[Letter | LedgerError] = []
        for each in transactions:
            try:
                posted.append(self._outbox.post({"gas": BATCH_GAS, **each, **fee}))
            except LedgerError as error:
                posted.append(error)
            if not _goes_on(posted[-1]):
                break
        if self._mining is not None:
            self._mining.finish()
        outcomes = [
            each if isinstance(each, LedgerError) else self._outbox.deliver(each) for each in posted
        ]
        unsent = len(transactions) - len(posted)
        return outcomes + [LedgerUnavailableError(_NOT_SENT.format(where=self._where))] * unsent

    def _estimate(self, transaction: TxParams) -> int:
        """Return the gas to allow ``transaction``, or raise its refusal. [gas]"""
        with ours(self._where):
            return int(self._w3.eth.estimate_gas(transaction) * GAS_MARGIN)

    def _receipt(self, call: Call, mined: Mined) -> Receipt | LedgerError:
        """Return the receipt of ``call`` in our form, or why it was refused."""
        found = mined.receipt
        if found["status"] != 1:
            return self._reason(call, found)
        logs = tuple(log(entry) for entry in found["logs"])
        return Receipt(
            gas_used=found["gasUsed"],
            block_timestamp=mined.block_timestamp,
            logs=logs,
            transaction_hash=bytes(found["transactionHash"]),
        )

    def _reason(self, call: Call, found: TxReceipt) -> LedgerError:
        """Ask again, at the end of the block that refused ``call``, to learn why."""
        number = found["blockNumber"]
        try:
            with ours(self._where):
                self._w3.eth.call(transaction(call), number)
        except LedgerRefusedError as refused:
            return refused
        except LedgerError as error:
            msg = f"block {number} refused a call of {call.sender} for a reason not known: {error}"
            return LedgerRefusedError(msg)
        msg = f"block {number} refused a call of {call.sender} that would now be taken; try again"
        return LedgerRefusedError(msg)


def rpc_chain(
    url: str | Sequence[str],
    *,
    signers: Sequence[LocalAccount] = (),
    chain_id: int | None = None,
    timeout_s: float = 30.0,
    journal: Path | None = None,
    patience: Patience | None = None,
) -> Web3Chain:
    """Reach the node at ``url``, which mines its blocks itself, or the first usable of several.

    Parameters
    ----------
    url : str or sequence of str
        Address of its JSON-RPC service, ``http://`` or ``https://``, or several by preference.
    signers : sequence of LocalAccount
        Accounts whose keys are here; others must be unlocked in the node.
    chain_id : int, optional
        Number the chain must have; None takes any.
    timeout_s : float
        How long an answer may take. [s]
    journal : Path, optional
        File that keeps what is sent until it is known to be in a block, one for each process. What
        an earlier process left there is sent again here, and told by `Web3Chain.recover`.
    patience : Patience, optional
        How long to wait for a block, and what it may cost.
    """
    urls = [url] if isinstance(url, str) else list(url)
    return Web3Chain(
        connection(urls, timeout_s, chain_id=chain_id),
        where=", ".join(map(shown, urls)),
        signers=signers,
        chain_id=chain_id,
        journal=journal,
        patience=patience,
    )


def _goes_on(posted: Letter | LedgerError) -> bool:
    """Return whether the node is there to be handed the next transaction."""
    if isinstance(posted, LedgerError):
        return not isinstance(posted, LedgerUnavailableError)
    return posted.taken
