"""The contracts in process on pyrevm: the chain of simulations, microseconds a call.

Notes
-----
Three habits of pyrevm 0.3.7 shape this file. A refusal is a bare ``RuntimeError`` whose text holds
the revert's bytes. Slots stay warm from call to call, so its gas is too low and not passed on. Its
grows by about 0.7 KB a call and ``commit()`` breaks it: start afresh for each simulated month.
"""

import re
from collections.abc import Sequence
from functools import cache

import pyrevm
from eth_utils.address import to_checksum_address

from contracts.abi import refusal
from contracts.chain import Call, Log, Receipt
from contracts.errors import LedgerError, LedgerReplyError

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

    def __init__(self, *, start_timestamp: int) -> None:
        """Begin an empty chain.

        Parameters
        ----------
        start_timestamp : int
            Its time until it is set. [s since 1970]
        """
        cfg = pyrevm.CfgEnv(chain_id=_CHAIN_ID)
        self._evm = pyrevm.EVM(env=pyrevm.Env(cfg=cfg), spec_id="SHANGHAI")
        self._timestamp = 0
        self.set_time(start_timestamp)

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
        return [self._send(call) for call in calls]

    def call(self, call: Call) -> bytes:
        """See `contracts.chain.Chain`."""
        try:
            return self._evm.message_call(call.sender, call.to, calldata=call.data, is_static=True)
        except RuntimeError as error:
            raise _ours(error) from error

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
