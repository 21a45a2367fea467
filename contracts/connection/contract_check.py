"""Whether the contract at an address is the one whose interface we speak."""

from typing import Any, Literal

from eth_utils.abi import event_abi_to_log_topic as _topic
from eth_utils.abi import function_abi_to_4byte_selector as _selector

from contracts.artifact import Artifact
from contracts.chain import Chain
from contracts.errors_connection import ContractMismatchError
from contracts.words import WORD

_BEGINNING = 8
"""Bytes of code before any immutable: those that set up the memory."""


def check_contract(chain: Chain, address: str, artifact: Artifact) -> Literal["same", "compatible"]:
    """Return whether ``address`` holds ``artifact`` or another build of it; raise if neither.

    Parameters
    ----------
    chain : Chain
        Where to look.
    address : str
        Where the contract should be.
    artifact : Artifact
        What it should be.

    Returns
    -------
    {"same", "compatible"}
        Whether it is the very code, but for its immutables, or another build that knows all of the
        functions and events.

    Raises
    ------
    ContractMismatchError
        If there is no code, or it lacks a function or an event.

    Notes
    -----
    A function or event that a contract knows is in its code by the hash of its signature. A proxy
    knows none of its own: give the address of what it stands for.
    """
    code = chain.code(address)
    if not code:
        msg = (
            f"no contract at {address}, where {artifact.contract} should be, on chain "
            f"{chain.chain_id}; name the other chain or deploy afresh"
        )
        raise ContractMismatchError(msg)
    if is_build_of(code, artifact):
        return "same"
    missing = [name for name, mark in _marks(artifact) if mark not in code]
    if missing:
        msg = (
            f"the contract at {address} on chain {chain.chain_id} is not our {artifact.contract}: "
            f"it lacks {missing[0]}"
            + (f" and {len(missing) - 1} more" if len(missing) > 1 else "")
            + "; mend the address, use the version that deployed it, or deploy afresh"
        )
        raise ContractMismatchError(msg)
    return "compatible"


def is_build_of(code: bytes, artifact: Artifact) -> bool:
    """Return whether ``code`` is what ``artifact`` leaves on the chain, whatever its immutables.

    Notes
    -----
    The code of creation contains the code that it leaves, in which an immutable is a word of zeros
    until the constructor fills it in.
    """
    begin = artifact.bytecode.find(code[:_BEGINNING])
    while begin >= 0:
        if _fits(code, artifact.bytecode[begin : begin + len(code)]):
            return True
        begin = artifact.bytecode.find(code[:_BEGINNING], begin + 1)
    return False


def _fits(code: bytes, template: bytes) -> bool:
    """Return whether ``code`` is ``template`` with some words of zeros filled in."""
    if code[len(template) :].strip(b"\0"):  # zeros after its end mean nothing; pyrevm adds some
        return False
    place = 0
    while (place := _difference(code, template, place)) < len(template):
        start = _blank_word(template, place)
        if start is None:
            return False
        place = start + WORD
    return True


def _difference(code: bytes, template: bytes, place: int) -> int:
    """Return where the two differ first from ``place`` on; the template's length if nowhere."""
    size = len(template)
    # As numbers they are compared in one go: their highest difference is the first one.
    ours, theirs = (int.from_bytes(each[place:size], "big") for each in (code, template))
    return size - ((ours ^ theirs).bit_length() + 7) // 8


def _blank_word(template: bytes, place: int) -> int | None:
    """Return where the word of zeros around ``place`` begins, which a push instruction precedes."""
    push_word = 0x7F
    for start in range(max(place - WORD + 1, 1), place + 1):
        if template[start - 1] == push_word and not any(template[start : start + WORD]):
            return start
    return None


def _marks(artifact: Artifact) -> list[tuple[str, bytes]]:
    """Return each function's and event's name with the hash that stands for it in code."""
    marks: list[tuple[str, bytes]] = []
    entry: Any  # one of web3's typed dictionaries, by its type
    for entry in artifact.abi:
        if entry["type"] == "function":
            # A selector that begins with zeros is pushed without them.
            marks.append((f"{entry['name']}()", _selector(entry).lstrip(b"\0")))
        elif entry["type"] == "event" and _topic(entry) in artifact.bytecode:
            # What a library declares and the contract never writes is in its interface only.
            marks.append((f"event {entry['name']}", _topic(entry)))
    return marks
