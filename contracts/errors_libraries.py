"""Why the contracts' libraries refuse: their custom errors, one to one (see `contracts.errors`)."""

# ruff: noqa: N818 -- the names are Solidity's

from dataclasses import dataclass

from contracts.errors_ledger import LedgerRefusedError


@dataclass(eq=False)
class OwnableUnauthorizedAccount(LedgerRefusedError):
    """An account does what only the owner may."""

    signature = "OwnableUnauthorizedAccount(address)"
    message = "{account} does not own the contract; call with the owner's account"
    account: str


@dataclass(eq=False)
class OwnableInvalidOwner(LedgerRefusedError):
    """A contract was to be given to nobody."""

    signature = "OwnableInvalidOwner(address)"
    message = "{owner} cannot own a contract; name another owner"
    owner: str


@dataclass(eq=False)
class ReentrancyGuardReentrantCall(LedgerRefusedError):
    """The token called back into the settlement."""

    signature = "ReentrancyGuardReentrantCall()"
    message = "the token called back into the settlement; settle in another token"


@dataclass(eq=False)
class SafeCastOverflowedUintDowncast(LedgerRefusedError):
    """An amount does not fit its field."""

    signature = "SafeCastOverflowedUintDowncast(uint8,uint256)"
    message = "{value} does not fit {bits} bits; use a smaller amount"
    bits: int
    value: int


@dataclass(eq=False)
class SafeERC20FailedOperation(LedgerRefusedError):
    """The token did not do a transfer."""

    signature = "SafeERC20FailedOperation(address)"
    message = "token {token} failed to transfer; check that it is an ERC-20 token"
    token: str


@dataclass(eq=False)
class ERC20InsufficientBalance(LedgerRefusedError):
    """An account holds fewer tokens than it is to pay."""

    signature = "ERC20InsufficientBalance(address,uint256,uint256)"
    message = (
        "{sender} holds {balance_micro} micro, {needed_micro} are needed; get more of the token"
    )
    sender: str
    balance_micro: int
    needed_micro: int


@dataclass(eq=False)
class ERC20InsufficientAllowance(LedgerRefusedError):
    """A contract may take fewer tokens than it is to take."""

    signature = "ERC20InsufficientAllowance(address,uint256,uint256)"
    message = "{spender} may take {allowance_micro} micro, {needed_micro} are needed; approve more"
    spender: str
    allowance_micro: int
    needed_micro: int


@dataclass(eq=False)
class ERC20InvalidApprover(LedgerRefusedError):
    """Nobody was to approve."""

    signature = "ERC20InvalidApprover(address)"
    message = "{approver} cannot approve; call with an account"
    approver: str


@dataclass(eq=False)
class ERC20InvalidReceiver(LedgerRefusedError):
    """Tokens were to be sent to nobody."""

    signature = "ERC20InvalidReceiver(address)"
    message = "{receiver} cannot receive tokens; name another account"
    receiver: str


@dataclass(eq=False)
class ERC20InvalidSender(LedgerRefusedError):
    """Tokens were to be sent by nobody."""

    signature = "ERC20InvalidSender(address)"
    message = "{sender} cannot send tokens; name another account"
    sender: str


@dataclass(eq=False)
class ERC20InvalidSpender(LedgerRefusedError):
    """Nobody was to be allowed to spend."""

    signature = "ERC20InvalidSpender(address)"
    message = "{spender} cannot spend tokens; name another account"
    spender: str
