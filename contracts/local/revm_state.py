"""What pyrevm holds between two calls: read out of it, and put into another one."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import pyrevm

from contracts.errors import LedgerReplyError

_ACCOUNT_BEGINS = ": Account { info: AccountInfo { "
"""What stands between an account's address and its balance."""
_HEAD = re.compile(r"balance: 0, nonce: (\d+), ")
_ADDRESS_CHARS = 42
_SLOT = re.compile(
    r"(\d+): StorageSlot \{ previous_or_original_value: \d+, present_value: (\d+) \}"
)
_STATE_ENDS = "}, transient_storage: {"
"""What follows the accounts in pyrevm's print of itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Describe one account of a chain; nobody has coins on ours."""

    nonce: int
    """Contracts it has created, and one if it is a contract."""
    code: bytes
    """Its code, empty where it is no contract."""
    storage: dict[int, int] = field(default_factory=dict)
    """Its slots by number, as far as one was ever touched."""


ChainState = Mapping[str, Account]
"""Accounts by address, those left out that nothing is known of but their address."""


def read_state(evm: pyrevm.EVM, before: ChainState) -> dict[str, Account]:
    """Return all that ``evm`` holds.

    Parameters
    ----------
    evm : pyrevm.EVM
        A chain between two calls.
    before : ChainState
        What was put into it at its beginning: pyrevm prints only what was touched since.

    Raises
    ------
    LedgerReplyError
        If pyrevm prints itself in another way than 0.3.7 does.

    Notes
    -----
    pyrevm has no list of an account's slots, but its print of the journal holds them; the test of
    a restarted chain against one that was not is what keeps this honest.
    """
    printed, cut, _ = evm.journal_str.partition(_STATE_ENDS)
    if not cut:
        msg = "pyrevm prints its state in an unknown way; install the version the project pins"
        raise LedgerReplyError(msg)
    state = dict(before)
    for address, (nonce, slots) in _touched(printed):
        known = before.get(address)
        code = known.code if known and known.code else evm.get_code(address) or b""
        if known or nonce or code or slots:
            storage = known.storage if known else {}
            state[address] = Account(nonce=nonce, code=code, storage=storage | slots)
    return state


def write_state(evm: pyrevm.EVM, state: ChainState) -> None:
    """Put ``state`` into an empty ``evm``."""
    for address, account in state.items():
        info = pyrevm.AccountInfo(nonce=account.nonce, code=account.code or None)
        evm.insert_account_info(address, info)
        for slot, value in account.storage.items():
            evm.insert_account_storage(address, slot, value)


def _touched(printed: str) -> Iterator[tuple[str, tuple[int, dict[int, int]]]]:
    """Yield address, nonce and touched slots of every account in pyrevm's print."""
    first, *accounts = printed.split(_ACCOUNT_BEGINS)
    address = first[-_ADDRESS_CHARS:]
    for text in accounts:
        head, (_, found, slots) = _HEAD.match(text), text.partition("storage: {")
        values = {int(slot): int(value) for slot, value in _SLOT.findall(slots)}
        if not head or not found or len(values) != slots.count("StorageSlot {"):
            msg = f"pyrevm prints {address} in an unknown way, or it has coins; see read_state"
            raise LedgerReplyError(msg)
        yield address, (int(head[1]), values)
        address = text[-_ADDRESS_CHARS:]
