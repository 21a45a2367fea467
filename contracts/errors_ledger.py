"""What can go wrong with any ledger, by what to do about it (see `contracts.errors`)."""

from dataclasses import dataclass
from typing import ClassVar


class LedgerError(Exception):
    """Anything that keeps us from reading or writing the ledger."""


class LedgerUnavailableError(LedgerError):
    """The chain does not answer; try again later."""


class ChainMismatchError(LedgerError):
    """The chain is not the expected one, or holds no contract at the address."""


class DeploymentFileError(LedgerError, ValueError):
    """The file that names the contracts is missing or unreadable."""


class LedgerReplyError(LedgerError, ValueError):
    """The chain answered something that the contract would not say."""


class LedgerRefusedError(LedgerError):
    """The contract refused; the same call would be refused again."""

    signature: ClassVar[str] = ""
    """Name and argument types of the Solidity error; empty where it is not a custom one."""
    message: ClassVar[str] = ""
    """One line, with the attributes in braces."""

    def __str__(self) -> str:
        """Say who, what, value and remedy in one line."""
        return self.message.format(**vars(self)) if self.message else super().__str__()


@dataclass(eq=False)
class LedgerPanicError(LedgerRefusedError):
    """The contract's arithmetic failed, as by an overflow (0x11) or a division by 0 (0x12)."""

    signature = "Panic(uint256)"
    message = "the contract panicked with code {code:#04x}; report this as a bug"
    code: int
