"""A contract's events from a block on, in order, through reconnects and short reorganisations.

It asks over plain HTTP, which every node offers: a subscription over WebSocket is silent about what
happened while it was cut. Whoever polls twice a block's time is as quick.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError
from eth_utils.abi import collapse_if_tuple, event_abi_to_log_topic
from eth_utils.address import to_checksum_address

from contracts.artifact import Artifact
from contracts.chain import Log
from contracts.errors import LedgerReplyError
from contracts.errors_connection import ReorganisationTooDeepError

POLL_CHUNKS = 25
"""Ranges of blocks that one poll reads at most, so that it ends soon and fits the memory."""
_TRIES = 3
"""How often blocks may change while they are read before the poll is left to the next time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Name a block: how far events were read, to keep and go on from after a restart."""

    number: int
    """The block's number."""
    block_hash: bytes
    """Its hash, by which a reorganisation is noticed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundLog:
    """Describe a log with its place on the chain."""

    log: Log
    """What the contract wrote."""
    block: Place
    """Block that holds it."""
    transaction_hash: bytes
    """Transaction that wrote it."""
    log_index: int
    """Its place in the block."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Describe an event of a contract."""

    name: str
    """As in the contract."""
    values: Mapping[str, Any]
    """Arguments by name."""
    found: FoundLog
    """Where it is, or was."""
    removed: bool = False
    """Whether a reorganisation took it off the chain: undo what its earlier coming did."""


class LogSource(Protocol):
    """A chain that keeps what contracts wrote, such as `contracts.connection.chain_web3`."""

    def block(self, number: int | None = None) -> Place | None:
        """Return the latest block, or that of a number, None where there is none."""

    def logs(self, address: str, first: int, last: int) -> list[FoundLog]:
        """Return what the contract wrote in the blocks from ``first`` to ``last``, in order."""


class EventFeed:
    """Hand out a contract's events once each, and take back those that a reorganisation removed."""

    def __init__(
        self,
        source: LogSource,
        *,
        address: str,
        artifact: Artifact,
        start: int | Place,
        depth: int = 64,
        chunk: int = 2000,
    ) -> None:
        """Read from a block on.

        Parameters
        ----------
        source : LogSource
            The chain.
        address : str
            The contract.
        artifact : Artifact
            What it is, for the names of its events; logs of others are left out.
        start : int or Place
            First block to read, or the `place` of an earlier feed, after which to go on.
        depth : int
            How many blocks a reorganisation may take back. [blocks]
        chunk : int
            How many blocks to ask for at once; fewer where the node refuses. [blocks]
        """
        self._source = source
        self._address = to_checksum_address(address)
        self._decoders = _decoders(artifact)
        self._depth = depth
        self._chunk_most = self._chunk = chunk
        self._resumed = isinstance(start, Place)
        self._start = start if isinstance(start, int) else start.number + 1
        self._marks: dict[int, bytes] = (
            {} if isinstance(start, int) else {start.number: start.block_hash}
        )
        self._recent: list[FoundLog] = []

    @property
    def place(self) -> Place | None:
        """Return up to where events were handed out; None before the first block was read.

        Store it after what `poll` returned has been dealt with.
        """
        if not self._marks:
            return None
        number = max(self._marks)
        return Place(number=number, block_hash=self._marks[number])

    def poll(self) -> list[Event]:
        """Return what happened since the last poll: events removed, latest first, then new ones.

        Raises
        ------
        LedgerUnavailableError
            If the node does not answer; nothing is lost, poll again.
        ReorganisationTooDeepError
            If the reorganisation goes beyond ``depth``, or beyond what a resumed feed has read.
        """
        for _ in range(_TRIES):
            head = self._source.block()
            if head is None or head.number < max(self._marks, default=0):
                # A node that lags behind the one that was asked before; it will catch up.
                return []
            if self._marks.get(head.number) == head.block_hash and not self._resumed:
                return []
            if self._resumed and not self._read_again():
                continue
            events = self._advance(head)
            if events is not None:
                return events
        return []

    def _advance(self, head: Place) -> list[Event] | None:
        """Read on towards ``head``; return None where the chain changed meanwhile."""
        common = self._common_block(head)
        last = min(head.number, common + POLL_CHUNKS * self._chunk_most)
        until = head if last == head.number else self._source.block(last)
        found = list(self._read(common + 1, last))
        marks = self._marks_of(found, max(self._start - 1, last - self._depth), last)
        if until is None or marks is None or marks[last] != until.block_hash:
            return None
        return self._hand_out(common, last, found, marks)

    def _common_block(self, head: Place) -> int:
        """Return the latest block that was read and is still on the chain."""
        for number in sorted(self._marks, reverse=True):
            now = head if number == head.number else self._source.block(number)
            if now is not None and now.block_hash == self._marks[number]:
                return number
        if self._marks:
            lowest = min(self._marks)
            raise ReorganisationTooDeepError(lowest, max(0, lowest - self._depth))
        return self._start - 1

    def _read(self, first: int, last: int) -> Iterator[FoundLog]:
        """Yield the logs of blocks, in ranges that the node does not refuse."""
        while first <= last:
            end = min(last, first + self._chunk - 1)
            try:
                found = self._source.logs(self._address, first, end)
            except LedgerReplyError:
                if end == first:
                    raise
                self._chunk = max(1, (end - first + 1) // 2)
                continue
            self._chunk = min(2 * self._chunk, self._chunk_most)
            yield from found
            first = end + 1

    def _marks_of(self, found: list[FoundLog], floor: int, last: int) -> dict[int, bytes] | None:
        """Return the hashes of the blocks with logs, of ``floor`` and of ``last``, in that order.

        None says that they are not of one chain. The last is asked for last: had the chain changed
        before, its hash would tell.
        """
        marks = {each.block.number: each.block.block_hash for each in found}
        for number in (floor, last):
            block = self._source.block(number) if number >= 0 else None
            if block is None and number >= 0:
                return None
            if block is not None and marks.setdefault(number, block.block_hash) != block.block_hash:
                return None
        return marks

    def _hand_out(
        self, common: int, last: int, found: list[FoundLog], marks: dict[int, bytes]
    ) -> list[Event]:
        """Remember what was read and return what is new of it, and what is gone."""
        before = [each for each in self._recent if each.block.number > common]
        known, present = set(map(_key, before)), set(map(_key, found))
        gone = [each for each in reversed(before) if _key(each) not in present]
        new = [each for each in found if _key(each) not in known]
        kept = [each for each in self._recent if each.block.number <= common]
        floor = last - self._depth
        self._recent = [each for each in kept + found if each.block.number >= floor]
        kept_marks = {n: mark for n, mark in self._marks.items() if n <= common}
        self._marks = {n: mark for n, mark in {**kept_marks, **marks}.items() if n >= floor}
        removed = [replace(event, removed=True) for event in self._decoded(gone)]
        return removed + self._decoded(new)

    def _read_again(self) -> bool:
        """Fill the window of a resumed feed with what the feed before it had read."""
        (number,) = self._marks
        floor = max(0, number - self._depth)
        known = self._source.block(number)
        if known is not None and known.block_hash != self._marks[number]:
            raise ReorganisationTooDeepError(number, floor)
        found = list(self._read(floor + 1, number))
        marks = self._marks_of(found, floor, number)
        if known is None or marks is None or marks[number] != known.block_hash:
            return False
        self._recent, self._marks, self._resumed = found, marks, False
        return True

    def _decoded(self, found: list[FoundLog]) -> list[Event]:
        return [
            self._decoders[each.log.topics[0]](each)
            for each in found
            if each.log.topics and each.log.topics[0] in self._decoders
        ]


def _key(found: FoundLog) -> tuple[bytes, int]:
    return found.block.block_hash, found.log_index


def _decoders(artifact: Artifact) -> dict[bytes, Callable[[FoundLog], Event]]:
    """Return what reads each event, by the topic that stands for it."""
    return {
        event_abi_to_log_topic(entry): _decoder(entry)  # type: ignore[arg-type] # checked JSON
        for entry in artifact.abi
        if entry["type"] == "event"
    }


def _decoder(entry: dict[str, Any]) -> Callable[[FoundLog], Event]:
    """Return what reads one event's logs."""
    inputs = entry["inputs"]
    indexed = [each for each in inputs if each["indexed"]]
    others = [each for each in inputs if not each["indexed"]]
    other_types = [collapse_if_tuple(each) for each in others]

    def read(found: FoundLog) -> Event:
        log = found.log
        try:
            values = dict(
                zip((each["name"] for each in others), decode(other_types, log.data), strict=True)
            )
            for each, topic in zip(indexed, log.topics[1:], strict=True):
                values[each["name"]] = _indexed_value(each["type"], topic)
        except (DecodingError, ValueError) as error:
            msg = (
                f"event {entry['name']} in block {found.block.number} cannot be read; "
                "is another version of the contract deployed?"
            )
            raise LedgerReplyError(msg) from error
        ordered = {each["name"]: _friendly(each["type"], values[each["name"]]) for each in inputs}
        return Event(name=entry["name"], values=ordered, found=found)

    return read


def _indexed_value(kind: str, topic: bytes) -> object:
    """Return an indexed argument; of one that does not fit a topic only the hash is known."""
    if kind in {"string", "bytes"} or kind.endswith("]") or kind.startswith("tuple"):
        return topic
    return decode([kind], topic)[0]


def _friendly(kind: str, value: object) -> object:
    """Return a decoded value as we write it: an address with its checksum, the rest as it is."""
    return to_checksum_address(str(value)) if kind == "address" else value
