"""Our values and web3's, the one turned into the other."""

from eth_utils.address import to_checksum_address
from hexbytes import HexBytes
from web3.types import BlockData, LogReceipt, TxParams

from contracts.chain import Call, Log
from contracts.connection.events import FoundLog, Place


def transaction(call: Call) -> TxParams:
    """Return ``call`` as web3 takes it."""
    return {
        "from": to_checksum_address(call.sender),
        "to": to_checksum_address(call.to),
        "data": HexBytes(call.data),
    }


def call_of(fields: TxParams) -> Call:
    """Return the call that a transaction's ``fields`` carry out."""
    return Call(
        sender=str(fields["from"]),
        to=str(fields.get("to", "")),
        data=bytes(HexBytes(fields.get("data", b""))),
    )


def log(entry: LogReceipt) -> Log:
    """Return a receipt's log as ours."""
    return Log(
        address=entry["address"],
        topics=tuple(bytes(topic) for topic in entry["topics"]),
        data=bytes(entry["data"]),
    )


def found_log(entry: LogReceipt) -> FoundLog:
    """Return a log with its place on the chain."""
    return FoundLog(
        log=log(entry),
        block=Place(number=entry["blockNumber"], block_hash=bytes(entry["blockHash"])),
        transaction_hash=bytes(entry["transactionHash"]),
        log_index=entry["logIndex"],
    )


def place(block: BlockData) -> Place:
    """Return what names a block."""
    return Place(number=block["number"], block_hash=bytes(block["hash"]))
