"""The contracts in process on pyrevm: the chain of simulations, microseconds a call.

Notes
-----
Three habits of pyrevm 0.3.7 shape this file. A refusal is a bare ``RuntimeError`` whose text holds
the revert's bytes. Slots stay warm from call to call, so its gas is too low and not passed on. It
keeps a journal of every call and its logs for ever, 0.7 KB a report, and ``commit()`` breaks it:
queries are undone, which cuts what they wrote into the journal off, and after every `RESTART_SENDS`
transactions the state moves into a new EVM.
"""

import re
from collections.abc import Sequence
from functools import cache

import pyrevm
from eth_utils.address import to_checksum_address

from contracts.abi import refusal
from contracts.chain import Call, Log, Receipt
from contracts.errors import LedgerError, LedgerReplyError
from contracts.local.revm_state import Account, ChainState, read_state, write_state

RESTART_SENDS = 100_000
"""Transactions after which a new EVM takes over: 75 MB of journal, and half a second."""
_CHAIN_ID = 31_337
"""What development chains call themselves."""
_checksummed = cache(to_checksum_address)
"""Few contracts write many logs, and a checksum costs as much as the call that wrote one."""
_REVERT = re.compile(r"Revert \{ gas_used: \d+, output: 0x([0-9a-f]*) \}")


class RevmChain:
    """See `contracts.chain.Chain` and `contracts.chain.TimeMachine`.

    Any address may send, without a key and without money. All between two `set_time` happens at the
    same time.
    """

    def __init__(
        self,
        *,
        start_timestamp: int,
        state: ChainState | None = None,
        restart_sends: int = RESTART_SENDS,
    ) -> None:
        """Begin a chain.

        Parameters
        ----------
        start_timestamp : int
            Its time until it is set. [s since 1970]
        state : ChainState, optional
            What it holds: `state` of another one. Empty without.
        restart_sends : int
            Transactions after which a new EVM takes over.
        """
        self._timestamp = self._sent = 0
        self._kept: dict[str, Account] = dict(state or {})
        self._restart_sends = restart_sends
        self._evm = self._begin()
        self.set_time(start_timestamp)

    def _begin(self) -> pyrevm.EVM:
        """Return a new EVM that holds what is kept."""
        cfg = pyrevm.CfgEnv(chain_id=_CHAIN_ID)
        evm = pyrevm.EVM(env=pyrevm.Env(cfg=cfg), spec_id="SHANGHAI")
        write_state(evm, self._kept)
        self._sent = 0
        return evm

    def state(self) -> ChainState:
        """Return all that the chain holds but its time, to begin another one with."""
        self._restart()
        return dict(self._kept)

    def _restart(self) -> None:
        """Move into a new EVM, which leaves the journal behind."""
        self._kept = read_state(self._evm, self._kept)
        self._evm = self._begin()
        self._evm.set_block_env(pyrevm.BlockEnv(timestamp=self._timestamp))

    @property
    def chain_id(self) -> int:
        """See `contracts.chain.Chain`."""
        return _CHAIN_ID

    @property
    def counts_gas_truly(self) -> bool:
        """Return False: slots that an earlier call touched are charged as warm."""
        return False

    def deploy(self, sender: str, code: bytes) -> str:
        """See `contracts.chain.Chain`."""
        try:
            return to_checksum_address(self._evm.deploy(sender, code))
        except RuntimeError as error:
            raise _ours(error) from error

    def send_all(self, calls: Sequence[Call]) -> list[Receipt | LedgerError]:
        """See `contracts.chain.Chain`."""
        outcomes = [self._send(call) for call in calls]
        self._count(len(calls))
        return outcomes

    def call(self, call: Call) -> bytes:
        """See `contracts.chain.Chain`."""
        return self.call_bulk([call.data], sender=call.sender, to=call.to)[0]

    def call_bulk(self, data: Sequence[bytes], *, sender: str, to: str) -> list[bytes]:
        """See `contracts.chain.BulkChain`."""
        ask = self._evm.message_call
        before = self._evm.snapshot()
        try:
            return [ask(sender, to, calldata=each, is_static=True) for each in data]
        except RuntimeError as error:
            raise _ours(error) from error
        finally:
            self._evm.revert(before)

    def send_bulk(
        self, data: Sequence[bytes], *, senders: Sequence[str], to: str
    ) -> list[LedgerError | None]:
        """See `contracts.chain.BulkChain`."""
        outcomes: list[LedgerError | None] = [None] * len(data)
        for place, (sender, each) in enumerate(zip(senders, data, strict=True)):
            try:
                self._evm.message_call(sender, to, calldata=each)
            except RuntimeError as error:
                outcomes[place] = _ours(error)
        self._count(len(data))
        return outcomes

    def code(self, address: str) -> bytes:
        """See `contracts.chain.Chain`."""
        return self._evm.get_code(address) or b""

    def now_s(self) -> int:
        """See `contracts.chain.Chain`."""
        return self._timestamp

    def set_time(self, timestamp: int) -> None:
        """See `contracts.chain.TimeMachine`."""
        if timestamp < self._timestamp:
            msg = (
                f"cannot set the chain back from {self._timestamp} to {timestamp}; start it afresh"
            )
            raise ValueError(msg)
        self._timestamp = timestamp
        self._evm.set_block_env(pyrevm.BlockEnv(timestamp=timestamp))

    def _count(self, sent: int) -> None:
        """Count transactions; move into a new EVM once there were many."""
        self._sent += sent
        if self._sent >= self._restart_sends:
            self._restart()

    def _send(self, call: Call) -> Receipt | LedgerError:
        try:
            self._evm.message_call(call.sender, call.to, calldata=call.data)
        except RuntimeError as error:
            return _ours(error)
        result = self._evm.result
        logs = tuple(_log(entry) for entry in result.logs) if result else ()
        return Receipt(gas_used=None, block_timestamp=self._timestamp, logs=logs)


def _log(entry: pyrevm.Log) -> Log:
    topics, data = entry.data
    return Log(address=_checksummed(entry.address), topics=tuple(topics), data=bytes(data))


def _ours(error: RuntimeError) -> LedgerError:
    """Return the refusal in the text of pyrevm's error."""
    found = _REVERT.search(str(error))
    if found is None:
        return LedgerReplyError(f"pyrevm stopped the call: {error}")
    return refusal(bytes.fromhex(found[1]))
