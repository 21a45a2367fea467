"""A local Ganache node for as long as it is needed: the chain that the method's authors used."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from eth_account.signers.local import LocalAccount
from hexbytes import HexBytes
from web3 import Web3
from web3.types import RPCEndpoint

from contracts.connection.endpoints import connection
from contracts.connection.web3_errors import ours
from contracts.errors import ChainMismatchError, LedgerUnavailableError
from contracts.local.chain_dev import DevelopmentChain
from contracts.local.local_node import LocalNode, find_program, free_port, local_node

HARDFORK = "shanghai"
"""The newest rules that Ganache knows; it is no longer maintained."""


class GanacheMining:
    """See `contracts.connection.chain_web3.Mining`, for Ganache.

    Notes
    -----
    Ganache mines each transaction by itself until ``miner_stop``; from then on ``evm_mine`` puts
    all that wait into one block at the time it is given. That time does not move its clock, which
    is why `release` does.
    """

    def __init__(self, w3: Web3) -> None:
        """Mine for the node at ``w3``, which stops mining by itself."""
        self._w3 = w3
        self._ask("miner_stop")

    def begin(self) -> None:
        """See `contracts.connection.chain_web3.Mining`."""

    def submit(self, raw: bytes) -> HexBytes:
        """See `contracts.connection.chain_web3.Mining`."""
        return self._w3.eth.send_raw_transaction(raw)

    def finish(self) -> None:
        """See `contracts.connection.chain_web3.Mining`."""
        self.mine_at(self._latest_s() + 1)

    def mine_at(self, timestamp: int) -> None:
        """See `contracts.connection.chain_web3.Mining`."""
        self._ask("evm_mine", timestamp)

    def release(self) -> None:
        """See `contracts.connection.chain_web3.Mining`."""
        self._ask("evm_setTime", self._latest_s() * 1000)  # it takes milliseconds here only
        self._ask("miner_start")

    def _latest_s(self) -> int:
        return self._w3.eth.get_block("latest")["timestamp"]

    def _ask(self, method: str, *parameters: object) -> None:
        self._w3.manager.request_blocking(RPCEndpoint(method), list(parameters))


def find_ganache() -> Path | None:
    """Return where Ganache is: on the path, else in the packages of ``npm ci``; None if nowhere."""
    return find_program("ganache")


@contextmanager
def ganache_node(
    *, start_timestamp: int | None = None, port: int | None = None, accounts: int = 10
) -> Iterator[str]:
    """Run Ganache on this computer; yield its URL and end it afterwards.

    Parameters
    ----------
    start_timestamp : int, optional
        Time of its first block; None takes the computer's. [s since 1970]
    port : int, optional
        TCP port; None takes a free one.
    accounts : int
        How many unlocked accounts have coins.

    Raises
    ------
    LedgerUnavailableError
        If Ganache is not installed or does not start.
    """
    with ganache_process(start_timestamp=start_timestamp, port=port, accounts=accounts) as node:
        yield node.url


@contextmanager
def ganache_process(
    *, start_timestamp: int | None, port: int | None, accounts: int
) -> Iterator[LocalNode]:
    """Run Ganache on this computer as `ganache_node` does; yield its process too."""
    executable = find_ganache()
    if executable is None:
        msg = "Ganache is not installed; install Node and run `npm ci`"
        raise LedgerUnavailableError(msg)
    port = port or free_port()
    command = [str(executable), "--logging.quiet", "--server.port", str(port)]
    command += ["--chain.hardfork", HARDFORK, "--wallet.deterministic"]
    command += ["--wallet.totalAccounts", str(accounts), "--wallet.defaultBalance", "10000"]
    if start_timestamp is not None:
        command += ["--chain.time", datetime.fromtimestamp(start_timestamp, UTC).isoformat()]
    # Left to itself it writes its chain into the system's temporary folder and leaves it there.
    with (
        TemporaryDirectory(prefix="gridpact-ganache-", ignore_cleanup_errors=True) as folder,
        local_node("Ganache", [*command, "--database.dbPath", folder], port=port) as node,
    ):
        yield node


def ganache_chain(
    url: str, *, signers: Sequence[LocalAccount], timeout_s: float = 30.0
) -> DevelopmentChain:
    """Reach the Ganache node at ``url``, take over its clock and give ``signers`` coins to spend.

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
        if not version.startswith("Ganache"):
            msg = f"{url} is {version}, not Ganache, whose clock we would hold; start Ganache there"
            raise ChainMismatchError(msg)
        chain = DevelopmentChain(w3, where=url, signers=signers, mining=GanacheMining(w3))
    chain.give(chain.unlocked()[0], [signer.address for signer in signers], 10**18)
    return chain
