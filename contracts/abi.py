"""How a call is written in bytes and its answer read: the little of the ABI that we use."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError
from eth_hash.auto import keccak
from eth_utils.address import to_checksum_address

from contracts.errors import LedgerRefusedError, LedgerReplyError
from contracts.words import WORD, Read, Write, readers, writers


@dataclass(frozen=True, slots=True)
class Function:
    """Describe one function of a contract by its ABI signature and the types it returns."""

    signature: str
    """Name and argument types, as in ``settle(uint32)``."""
    returns: tuple[str, ...] = ()
    """Types of the answer."""
    selector: bytes = field(init=False)
    """First four bytes of the signature's hash."""
    arguments: tuple[str, ...] = field(init=False)
    """Types of the arguments."""
    _write: list[Write] | None = field(init=False, repr=False, compare=False)
    _read: list[Read] | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "selector", keccak(self.signature.encode())[:4])
        object.__setattr__(self, "arguments", _argument_types(self.signature))
        object.__setattr__(self, "_write", writers(self.arguments))
        object.__setattr__(self, "_read", readers(_members(self.returns)))

    def encode(self, *arguments: object) -> bytes:
        """Return the bytes of a call with ``arguments``."""
        if self._write is not None and len(arguments) == len(self._write):
            words = [write(each) for write, each in zip(self._write, arguments, strict=True)]
            if None not in words:
                return self.selector + b"".join(each for each in words if each is not None)
        return self.selector + encode(self.arguments, arguments)

    def decode(self, answer: bytes) -> tuple[Any, ...]:
        """Return the values in ``answer``, or raise `LedgerReplyError`."""
        if self._read is not None and len(answer) == WORD * len(self._read):
            places = range(0, len(answer), WORD)
            read = zip(self._read, places, strict=True)
            values = tuple(each(answer[place : place + WORD]) for each, place in read)
            if None not in values:
                return values if _members(self.returns) == self.returns else (values,)
        try:
            return decode(self.returns, answer)
        except DecodingError as error:
            msg = (
                f"{self.signature} answered {len(answer)} bytes that are not "
                f"({','.join(self.returns)}); is another version of the contract deployed?"
            )
            raise LedgerReplyError(msg) from error


@cache
def _members(types: tuple[str, ...]) -> tuple[str, ...]:
    """Return the types in a single struct, which is encoded as they are if none is dynamic."""
    struct = re.fullmatch(r"\(([^()]+)\)", types[0]) if len(types) == 1 else None
    return tuple(struct[1].split(",")) if struct else types


def encode_arguments(types: Sequence[str], values: Sequence[object]) -> bytes:
    """Return ``values`` in ABI encoding, as a constructor takes them."""
    return encode(types, values)


def event_topic(signature: str) -> bytes:
    """Return the first topic of the event with ``signature``."""
    return keccak(signature.encode())


def address_word(account: str) -> bytes:
    """Return an address as an ABI word."""
    return bytes.fromhex(account[2:]).rjust(WORD, b"\0")


def refusal(data: bytes) -> LedgerRefusedError:
    """Return the error that a contract's revert ``data`` stands for."""
    error = _ERROR_BY_SELECTOR.get(data[:4])
    if error is None:
        return LedgerRefusedError(_plain_reason(data))
    types = _argument_types(error.signature)
    try:
        values = decode(types, data[4:])
        return error(*map(_friendly, types, values))
    except DecodingError:
        return LedgerRefusedError(
            f"the contract refused with {error.__name__} and values that cannot be read"
        )


def _plain_reason(data: bytes) -> str:
    """Return in words why a contract refused without one of its own errors."""
    if data[:4] == _ERROR_SELECTOR:
        return f"the contract refused: {decode(('string',), data[4:])[0]}"
    if not data:
        return "the contract refused without a reason; is it the contract you mean?"
    return f"the contract refused with an unknown error 0x{data.hex()}"


def _friendly(kind: str, value: str | int) -> str | int:
    """Return a decoded value as we write it: an address with its checksum, a number as it is."""
    return to_checksum_address(str(value)) if kind == "address" else value


def _argument_types(signature: str) -> tuple[str, ...]:
    """Return the types between the brackets of ``signature``."""
    inside = signature.partition("(")[2][:-1]
    return tuple(_BETWEEN_TYPES.split(inside)) if inside else ()


_BETWEEN_TYPES = re.compile(r",(?![^(]*\))")
"""A comma that is not within a tuple; we have no tuples within tuples."""
_ERROR_SELECTOR = keccak(b"Error(string)")[:4]
_ERROR_BY_SELECTOR = {
    keccak(error.signature.encode())[:4]: error
    for error in LedgerRefusedError.__subclasses__()
    if error.signature
}
