"""Development chains whose clock we hold: eth-tester in process, Anvil behind a URL."""

from collections.abc import Sequence

from eth_account.signers.local import LocalAccount
from eth_tester import EthereumTester, PyEVMBackend
from hexbytes import HexBytes
from web3 import EthereumTesterProvider, Web3
from web3.types import RPCEndpoint

from contracts.connection.chain_web3 import Mining, Web3Chain
from contracts.connection.endpoints import connection
from contracts.connection.web3_errors import ours
from contracts.errors import ChainMismatchError

ALLOWANCE_WEI = 10**24
"""The chain's own coin of each embedded account: enough gas for ever. [wei]"""


class DevelopmentChain(Web3Chain):
    """See `contracts.chain.Chain` and `contracts.chain.TimeMachine`.

    Each batch of calls is a block, a second after the one before it unless the clock is set.
    """

    def __init__(
        self, w3: Web3, *, where: str, signers: Sequence[LocalAccount], mining: Mining
    ) -> None:
        """Take over the mining; see `Web3Chain`."""
        super().__init__(w3, where=where, signers=signers, mining=mining)
        self._clock = mining

    def set_time(self, timestamp: int) -> None:
        """See `contracts.chain.TimeMachine`."""
        now_s = self.now_s()
        if timestamp < now_s:
            msg = f"cannot set the chain back from {now_s} to {timestamp}; start it afresh"
            raise ValueError(msg)
        if timestamp > now_s:
            with ours(self._where):
                self._clock.mine_at(timestamp)

    def release(self) -> None:
        """Let the node mine by itself again; sets no time any more."""
        with ours(self._where):
            self._clock.release()


class TesterMining:
    """See `contracts.connection.chain_web3.Mining`, for eth-tester on py-evm.

    Notes
    -----
    eth-tester gives a block the computer's time where that is later than the block before it, and
    runs each transaction twice unless it mines them one by one. Both are avoided one level down.
    """

    def __init__(self, tester: EthereumTester) -> None:
        """Mine for ``tester``."""
        self._tester = tester

    def begin(self) -> None:
        """See `contracts.connection.chain_web3.Mining`."""
        latest = self._tester.get_block_by_number("latest")
        self._set_pending(latest["timestamp"] + 1)

    def submit(self, raw: bytes) -> HexBytes:
        """See `contracts.connection.chain_web3.Mining`."""
        return HexBytes(self._tester.backend.send_raw_transaction(raw))

    def finish(self) -> None:
        """See `contracts.connection.chain_web3.Mining`."""
        self._tester.mine_block()

    def mine_at(self, timestamp: int) -> None:
        """See `contracts.connection.chain_web3.Mining`."""
        self._set_pending(timestamp)
        self._tester.mine_block()

    def release(self) -> None:
        """See `contracts.connection.chain_web3.Mining`: nobody else uses a chain in process."""

    def _set_pending(self, timestamp: int) -> None:
        self._tester.backend.chain.set_header_timestamp(timestamp)


class AnvilMining:
    """A `contracts.connection.chain_web3.Mining` for Anvil and nodes with its ``evm_`` methods."""

    def __init__(self, w3: Web3) -> None:
        """Mine for the node at ``w3``, which stops mining by itself."""
        self._w3 = w3
        self._ask("evm_setAutomine", False)

    def begin(self) -> None:
        """See `contracts.connection.chain_web3.Mining`."""

    def submit(self, raw: bytes) -> HexBytes:
        """See `contracts.connection.chain_web3.Mining`."""
        return self._w3.eth.send_raw_transaction(raw)

    def finish(self) -> None:
        """See `contracts.connection.chain_web3.Mining`."""
        self.mine_at(self._w3.eth.get_block("latest")["timestamp"] + 1)

    def mine_at(self, timestamp: int) -> None:
        """See `contracts.connection.chain_web3.Mining`."""
        self._ask("evm_setNextBlockTimestamp", timestamp)
        self._ask("evm_mine")

    def release(self) -> None:
        """See `contracts.connection.chain_web3.Mining`."""
        self._ask("evm_setAutomine", True)

    def _ask(self, method: str, *parameters: object) -> None:
        self._w3.manager.request_blocking(RPCEndpoint(method), list(parameters))


def tester_chain(*, start_timestamp: int, signers: Sequence[LocalAccount]) -> DevelopmentChain:
    """Begin an empty chain in process, on which ``signers`` have coins to spend.

    Parameters
    ----------
    start_timestamp : int
        Time of its first block. [s since 1970]
    signers : sequence of LocalAccount
        Those who can send; there are no others.
    """
    backend = PyEVMBackend(
        genesis_parameters=PyEVMBackend.generate_genesis_params({"timestamp": start_timestamp}),
        genesis_state={
            bytes.fromhex(signer.address[2:]): {
                "balance": ALLOWANCE_WEI,
                "nonce": 0,
                "code": b"",
                "storage": {},
            }
            for signer in signers
        },
    )
    tester = EthereumTester(backend)
    return DevelopmentChain(
        Web3(EthereumTesterProvider(tester)),
        where="the embedded chain (eth-tester)",
        signers=signers,
        mining=TesterMining(tester),
    )


def anvil_chain(
    url: str, *, signers: Sequence[LocalAccount], timeout_s: float = 30.0
) -> DevelopmentChain:
    """Reach the Anvil node at ``url``, take over its clock and give ``signers`` coins to spend.

    Parameters
    ----------
    url : str
        Address of its JSON-RPC service.
    signers : sequence of LocalAccount
        Those who can send, besides the node's own accounts.
    timeout_s : float
        How long an answer may take. [s]
    """
    w3 = connection(url, timeout_s)
    with ours(url):
        version = w3.client_version
        if not version.startswith("anvil"):
            msg = f"{url} is {version}, whose clock we cannot hold; start Anvil there"
            raise ChainMismatchError(msg)
        chain = DevelopmentChain(w3, where=url, signers=signers, mining=AnvilMining(w3))
    bank = chain.unlocked()[0]
    chain.give(bank, [signer.address for signer in signers], 10**18)
    return chain
