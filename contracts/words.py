"""Values of one ABI word each, read and written without the machinery for all others.

A fleet's day is some hundred thousand of them. What is not plainly such a value is None here and
left to `eth_abi`, which then says what is wrong with it.
"""

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Final

from eth_abi.abi import encode
from eth_abi.exceptions import EncodingError

WORD: Final = 32
"""Bytes of an ABI word."""
_NUMBER: Final = re.compile(r"(u?)int([0-9]+)")
Read = Callable[[bytes], int | bool | None]
Write = Callable[[object], bytes | None]


def writers(kinds: Sequence[str]) -> list[Write] | None:
    """Return what writes values of ``kinds``; None where one of them is no word of ours."""
    found = [_writer(kind) for kind in kinds]
    return None if None in found else [each for each in found if each is not None]


def readers(kinds: Sequence[str]) -> list[Read] | None:
    """Return what reads values of ``kinds``; None where one of them is no word of ours."""
    found = [_reader(kind) for kind in kinds]
    return None if None in found else [each for each in found if each is not None]


def _limits(kind: str) -> tuple[int, int] | None:
    """Return the least value of a number's kind, and the first that is too great."""
    found = _NUMBER.fullmatch(kind)
    if found is None:
        return None
    bits = int(found[2])
    return (0, 1 << bits) if found[1] else (-(1 << (bits - 1)), 1 << (bits - 1))


def _writer(kind: str) -> Write | None:
    if kind == "address":
        return _address
    limits = _limits(kind)
    if limits is None:
        return None
    low, high = limits

    def write(value: object) -> bytes | None:
        if type(value) is int and low <= value < high:
            return value.to_bytes(WORD, "big", signed=low < 0)
        return None

    return write


def _address(value: object) -> bytes | None:
    return _known_address(value) if isinstance(value, str) else None


@lru_cache(maxsize=4096)
def _known_address(account: str) -> bytes | None:
    """Return an address as a word, with its checksum looked at once."""
    try:
        return encode(("address",), (account,))
    except EncodingError:
        return None


def _reader(kind: str) -> Read | None:
    limits = (0, 2) if kind == "bool" else _limits(kind)
    if limits is None:
        return None
    low, high = limits

    def read(word: bytes) -> int | bool | None:
        value = int.from_bytes(word, "big", signed=low < 0)
        if not low <= value < high:
            return None
        return value == 1 if kind == "bool" else value

    return read
