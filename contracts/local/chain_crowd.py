"""A development node that lets any address send: the chain on which whole fleets are measured."""

from collections.abc import Sequence
from hashlib import sha256
from typing import Any, Final

from eth_utils.address import to_checksum_address
from hexbytes import HexBytes
from web3 import HTTPProvider, Web3
from web3.types import RPCEndpoint, RPCResponse

from contracts.chain import Call, Log, Receipt
from contracts.connection.web3_errors import ours
from contracts.connection.web3_values import transaction
from contracts.errors import LedgerError, LedgerRefusedError, LedgerReplyError

CALL_GAS: Final = 8_000_000
"""Gas allowed to each call; what is not used is not counted. [gas]"""
BLOCK_CALLS: Final = 250
"""Calls in a block at most: the node's answer about all of a block takes the square of that."""
BLOCK_GAS: Final = BLOCK_CALLS * CALL_GAS
"""Gas that a block may hold. [gas]"""


def crowd(name: str, count: int) -> list[str]:
    """Return ``count`` addresses, the same ones for the same ``name``; nobody has their keys."""
    return [
        to_checksum_address(sha256(f"gridpact crowd {name}/{index}".encode()).digest()[:20])
        for index in range(count)
    ]


class CrowdChain:
    """See `contracts.chain.Chain` and `contracts.chain.TimeMachine`, on an Anvil node.

    Anvil takes transactions in anybody's name, so that ten thousand homes need no keys; their
    receipts count gas as those of signed ones. Of calls sent together, each `BLOCK_CALLS` are a
    block, a second after the one before it unless the clock is set.
    """

    def __init__(self, url: str, *, timeout_s: float = 120.0) -> None:
        """Take over the node.

        Parameters
        ----------
        url : str
            Address of its JSON-RPC service.
        timeout_s : float
            How long an answer may take. [s]
        """
        self._where = url
        # Repeating a request could send a call twice.
        self._provider = HTTPProvider(
            url, request_kwargs={"timeout": timeout_s}, exception_retry_configuration=None
        )
        self._w3 = Web3(self._provider)
        self._time_is_set = False
        self._chain_id = int(self._ask("eth_chainId"), 16)
        self._ask("evm_setAutomine", False)
        self._ask("anvil_autoImpersonateAccount", True)
        self._ask("evm_setBlockGasLimit", hex(BLOCK_GAS))

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
        (found,) = self._mine([{"from": sender, "data": "0x" + code.hex()}])
        if found["status"] != "0x1":
            msg = f"{self._where} did not create the contract; see the node's log"
            raise LedgerReplyError(msg)
        return to_checksum_address(found["contractAddress"])

    def send_all(self, calls: Sequence[Call]) -> list[Receipt | LedgerError]:
        """See `contracts.chain.Chain`."""
        outcomes: list[Receipt | LedgerError] = []
        for first in range(0, len(calls), BLOCK_CALLS):
            outcomes += self._send_block(calls[first : first + BLOCK_CALLS])
        return outcomes

    def call(self, call: Call) -> bytes:
        """See `contracts.chain.Chain`."""
        with ours(self._where):
            return bytes(self._w3.eth.call(transaction(call)))

    def code(self, address: str) -> bytes:
        """See `contracts.chain.Chain`."""
        return bytes(HexBytes(self._ask("eth_getCode", address, "latest")))

    def now_s(self) -> int:
        """See `contracts.chain.Chain`."""
        return int(self._ask("eth_getBlockByNumber", "latest", False)["timestamp"], 16)

    def set_time(self, timestamp: int) -> None:
        """See `contracts.chain.TimeMachine`."""
        self._ask("evm_setNextBlockTimestamp", timestamp)
        self._time_is_set = True

    def _send_block(self, calls: Sequence[Call]) -> list[Receipt | LedgerError]:
        found = self._mine(
            [{"from": c.sender, "to": c.to, "data": "0x" + c.data.hex()} for c in calls]
        )
        now_s = self.now_s()
        return [
            _receipt(entry, now_s) if entry["status"] == "0x1" else self._reason(call, entry)
            for call, entry in zip(calls, found, strict=True)
        ]

    def _mine(self, transactions: Sequence[dict[str, str]]) -> list[dict[str, Any]]:
        """Mine ``transactions`` in one block; return their receipts in order."""
        if not self._time_is_set:
            self._ask("evm_setNextBlockTimestamp", self.now_s() + 1)
        self._time_is_set = False
        # A sender without coins can only pay a price of nothing.
        self._ask("anvil_setNextBlockBaseFeePerGas", "0x0")
        free = {"gas": hex(CALL_GAS), "gasPrice": "0x0"}
        # Not as one batch of requests: the node would carry them out in any order.
        hashes = [self._ask("eth_sendTransaction", each | free) for each in transactions]
        self._ask("evm_mine")
        mined = self._ask("eth_getBlockReceipts", "latest")
        receipts = {entry["transactionHash"]: entry for entry in mined}
        return [receipts[each] for each in hashes]

    def _reason(self, call: Call, found: dict[str, Any]) -> LedgerError:
        """Ask again, at the end of the block that refused ``call``, to learn why."""
        try:
            with ours(self._where):
                self._w3.eth.call(transaction(call), int(found["blockNumber"], 16))
        except LedgerError as error:
            return error
        msg = f"a call of {call.sender} was refused that would now be taken; try again"
        return LedgerRefusedError(msg)

    def _ask(self, method: str, *parameters: object) -> Any:  # noqa: ANN401 -- JSON
        with ours(self._where):
            return self._result(self._provider.make_request(RPCEndpoint(method), list(parameters)))

    def _result(self, reply: RPCResponse) -> Any:  # noqa: ANN401 -- JSON
        if "error" in reply:
            msg = f"{self._where} answered: {reply['error']}"
            raise LedgerReplyError(msg)
        return reply["result"]


def _receipt(found: dict[str, Any], now_s: int) -> Receipt:
    """Return a receipt in our form."""
    return Receipt(
        gas_used=int(found["gasUsed"], 16),
        block_timestamp=now_s,
        logs=tuple(
            Log(
                address=to_checksum_address(entry["address"]),
                topics=tuple(bytes(HexBytes(topic)) for topic in entry["topics"]),
                data=bytes(HexBytes(entry["data"])),
            )
            for entry in found["logs"]
        ),
    )
