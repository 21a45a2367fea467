"""The contracts behind a JSON-RPC node: Anvil, Ganache, Geth, Besu, or a provider of any chain."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from eth_account.signers.local import LocalAccount
from eth_utils.address import to_checksum_address
from hexbytes import HexBytes
from web3 import HTTPProvider, Web3
from web3.types import Nonce, TxParams, TxReceipt, Wei

from contracts.chain import Call, Log, Receipt
from contracts.errors import (
    ChainMismatchError,
    LedgerError,
    LedgerRefusedError,
    LedgerReplyError,
)
from contracts.web3_errors import ours, refusal_of_submission

BATCH_GAS = 1_000_000
"""Gas allowed to each of several calls sent together: one may depend on another, so that they
cannot be estimated. What is not used is not paid. [gas]"""
BATCH_CALLS = 64
"""Calls sent together at most: those of `BATCH_GAS` that a block of 30 M gas surely holds, at the
350,000 gas of our dearest common call."""
GAS_MARGIN = 1.25
"""What is allowed over what was estimated, since state may change before the block."""
RECEIPT_TIMEOUT_S = 120.0
"""How long a transaction may wait for its block. [s]"""
TRANSFER_GAS = 21_000
"""What a transfer of the chain's own coin costs. [gas]"""


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


@dataclass(slots=True)
class Wallet:
    """Sign for those whose keys we have, and count their transactions."""

    signers: dict[str, LocalAccount]
    """Accounts whose keys are here, by address."""
    nonces: dict[str, int] = field(default_factory=dict)
    """Number of each sender's next transaction, as far as known."""


class Web3Chain:
    """See `contracts.chain.Chain`.

    Senders whose key the caller gives sign here; others must be unlocked accounts of the node.
    Nonces are counted here, so that a sender's calls can follow each other within a block: let no
    other process send for the same account meanwhile.
    """

    def __init__(
        self,
        w3: Web3,
        *,
        where: str,
        signers: Sequence[LocalAccount] = (),
        chain_id: int | None = None,
        mining: Mining | None = None,
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

        Raises
        ------
        LedgerUnavailableError
            If the node does not answer.
        ChainMismatchError
            If it serves another chain.
        """
        self._w3 = w3
        self._where = where
        self._wallet = Wallet({signer.address: signer for signer in signers})
        self._mining = mining
        with ours(where):
            self._chain_id = w3.eth.chain_id
        if chain_id not in {None, self._chain_id}:
            msg = (
                f"{where} serves chain {self._chain_id}, not {chain_id}; "
                "name the other node or mend the chain id"
            )
            raise ChainMismatchError(msg)

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
            creation["gas"] = self._estimate(creation)
            (outcome,) = self._carry_out([creation])
        if isinstance(outcome, LedgerError):
            raise outcome
        address = outcome["contractAddress"]
        if outcome["status"] != 1 or address is None:
            msg = f"{self._where} did not create the contract; see the node's log"
            raise LedgerReplyError(msg)
        return address

    def send_all(self, calls: Sequence[Call]) -> list[Receipt | LedgerError]:
        """See `contracts.chain.Chain`."""
        outcomes: list[Receipt | LedgerError] = []
        for first in range(0, len(calls), BATCH_CALLS):
            with ours(self._where):
                outcomes.extend(self._send_batch(calls[first : first + BATCH_CALLS]))
        return outcomes

    def call(self, call: Call) -> bytes:
        """See `contracts.chain.Chain`."""
        with ours(self._where):
            return bytes(self._w3.eth.call(_transaction(call)))

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
            outcomes = self._carry_out(transfers)
        for outcome in outcomes:
            if isinstance(outcome, LedgerError):
                raise outcome

    def unlocked(self) -> list[str]:
        """Return the accounts for which the node itself signs."""
        with ours(self._where):
            return [str(account) for account in self._w3.eth.accounts]

    def _send_batch(self, calls: Sequence[Call]) -> list[Receipt | LedgerError]:
        transactions = [_transaction(call) for call in calls]
        if len(transactions) == 1 and self._mining is None:
            try:
                transactions[0]["gas"] = self._estimate(transactions[0])
            except LedgerRefusedError as refused:
                return [refused]
        outcomes = self._carry_out(transactions)
        return [
            outcome if isinstance(outcome, LedgerError) else self._receipt(call, outcome)
            for call, outcome in zip(calls, outcomes, strict=True)
        ]

    def _carry_out(self, transactions: Sequence[TxParams]) -> list[TxReceipt | LedgerError]:
        """Submit ``transactions``, have them mined, and return what became of each."""
        fee = self._fee()
        if self._mining is not None:
            self._mining.begin()
        submitted: list[HexBytes | LedgerError] = []
        for transaction in transactions:
            try:
                submitted.append(self._submit({"gas": BATCH_GAS, **transaction, **fee}))
            except LedgerError as refused:
                submitted.append(refused)
        if self._mining is not None:
            self._mining.finish()
        return [
            each
            if isinstance(each, LedgerError)
            else self._w3.eth.wait_for_transaction_receipt(each, RECEIPT_TIMEOUT_S)
            for each in submitted
        ]

    def _submit(self, transaction: TxParams) -> HexBytes:
        """Hand ``transaction`` to the node, signed here or there; return its hash."""
        sender = to_checksum_address(transaction["from"])
        nonces = self._wallet.nonces
        if sender not in nonces:
            nonces[sender] = self._w3.eth.get_transaction_count(sender, "pending")
        transaction["nonce"] = Nonce(nonces[sender])
        try:
            sent = self._hand_over(sender, transaction)
        except Exception as error:
            # The node may have counted transactions that we have not: ask it again next time.
            del nonces[sender]
            raise refusal_of_submission(error, where=self._where, sender=sender) from error
        nonces[sender] += 1
        return sent

    def _hand_over(self, sender: str, transaction: TxParams) -> HexBytes:
        signer = self._wallet.signers.get(sender)
        if signer is None:
            return self._w3.eth.send_transaction(transaction)
        unsigned: dict[str, Any] = {**transaction, "chainId": self._chain_id}
        del unsigned["from"]
        raw = bytes(signer.sign_transaction(unsigned).raw_transaction)
        if self._mining is not None:
            return self._mining.submit(raw)
        return self._w3.eth.send_raw_transaction(raw)

    def _fee(self) -> TxParams:
        """Return what to offer for gas: twice the base fee of now, as wallets do. [wei]"""
        base = self._w3.eth.get_block("latest").get("baseFeePerGas")
        if base is None:
            return {"gasPrice": self._w3.eth.gas_price}
        tip = self._w3.eth.max_priority_fee
        return {"maxFeePerGas": Wei(2 * base + tip), "maxPriorityFeePerGas": tip}

    def _estimate(self, transaction: TxParams) -> int:
        """Return the gas to allow ``transaction``, or raise its refusal. [gas]"""
        with ours(self._where):
            return int(self._w3.eth.estimate_gas(transaction) * GAS_MARGIN)

    def _receipt(self, call: Call, found: TxReceipt) -> Receipt | LedgerError:
        """Return the receipt of ``call`` in our form, or why it was refused."""
        if found["status"] != 1:
            return self._reason(call, found)
        logs = tuple(
            Log(
                address=entry["address"],
                topics=tuple(bytes(topic) for topic in entry["topics"]),
                data=bytes(entry["data"]),
            )
            for entry in found["logs"]
        )
        block = self._w3.eth.get_block(found["blockNumber"])
        return Receipt(gas_used=found["gasUsed"], block_timestamp=block["timestamp"], logs=logs)

    def _reason(self, call: Call, found: TxReceipt) -> LedgerError:
        """Ask again, at the end of the block that refused ``call``, to learn why."""
        number = found["blockNumber"]
        try:
            with ours(self._where):
                self._w3.eth.call(_transaction(call), number)
        except LedgerError as error:
            return error
        msg = f"block {number} refused a call of {call.sender} that would now be taken; try again"
        return LedgerRefusedError(msg)


def rpc_chain(
    url: str,
    *,
    signers: Sequence[LocalAccount] = (),
    chain_id: int | None = None,
    timeout_s: float = 30.0,
) -> Web3Chain:
    """Reach the node at ``url``, which mines its blocks itself.

    Parameters
    ----------
    url : str
        Address of its JSON-RPC service, ``http://`` or ``https://``.
    signers : sequence of LocalAccount
        Accounts whose keys are here; others must be unlocked in the node.
    chain_id : int, optional
        Number the chain must have; None takes any.
    timeout_s : float
        How long an answer may take. [s]
    """
    return Web3Chain(connection(url, timeout_s), where=url, signers=signers, chain_id=chain_id)


def connection(url: str, timeout_s: float) -> Web3:
    """Return a connection to the node at ``url`` that does not retry by itself."""
    provider = HTTPProvider(
        url, request_kwargs={"timeout": timeout_s}, exception_retry_configuration=None
    )
    return Web3(provider)


def _transaction(call: Call) -> TxParams:
    return {
        "from": to_checksum_address(call.sender),
        "to": to_checksum_address(call.to),
        "data": HexBytes(call.data),
    }
