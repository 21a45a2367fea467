"""What can go wrong between us and the ledger.

::

    LedgerError
    ├── LedgerUnavailableError   nobody answers, or not in time: try again later
    ├── ChainMismatchError       another chain, or no contract at the address: mend the settings
    ├── DeploymentFileError      the file that names the contracts is absent or illegible: mend it
    ├── LedgerReplyError         an answer that the contract would not give: mend the software
    └── LedgerRefusedError       the contract said no: do not repeat unchanged
        ├── Fleet…, Settlement…  our contracts' errors
        ├── Ownable…, ERC20…, SafeERC20…, SafeCast…, ReentrancyGuard…   their libraries' errors
        └── LedgerPanicError     the contract's arithmetic failed

The classes below `LedgerRefusedError` that have a ``signature`` are Solidity's custom errors, one
to one, by the same name and with the same values in order; a test compares them with the ABI.
"""

# ruff: noqa: N818 -- the names are Solidity's

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


@dataclass(eq=False)
class FleetIntervalLength(LedgerRefusedError):
    """A fleet was to be created with an interval that no market has."""

    signature = "FleetIntervalLength(uint32)"
    message = "interval of {interval_s} s is none of 900, 1800, 3600; choose one of them"
    interval_s: int


@dataclass(eq=False)
class FleetMemberExists(LedgerRefusedError):
    """An account is enrolled already."""

    signature = "FleetMemberExists(address)"
    message = "{member} is a member already; retire it first to change its ratings"
    member: str


@dataclass(eq=False)
class FleetMemberUnknown(LedgerRefusedError):
    """An account that is not enrolled reports, is retired or asks for its share."""

    signature = "FleetMemberUnknown(address)"
    message = "{member} is not a member of the fleet; let the aggregator enrol it"
    member: str


@dataclass(eq=False)
class FleetScheduleShape(LedgerRefusedError):
    """A schedule's series differ in length or are empty."""

    signature = "FleetScheduleShape(uint256,uint256,uint256)"
    message = (
        "schedule of {soc_count} socs, {commitment_count} commitments and {steered_count} flags; "
        "give the same number of each, one or more"
    )
    soc_count: int
    commitment_count: int
    steered_count: int


@dataclass(eq=False)
class FleetSocRange(LedgerRefusedError):
    """A state of charge is above 100 %."""

    signature = "FleetSocRange(uint16)"
    message = "state of charge of {soc_bp} bp is above 10000; clip it"
    soc_bp: int


@dataclass(eq=False)
class FleetIntervalBegun(LedgerRefusedError):
    """A schedule would change an interval that has begun."""

    signature = "FleetIntervalBegun(uint32,uint256)"
    message = "interval {interval} had begun by {timestamp}; publish from a later one on"
    interval: int
    timestamp: int


@dataclass(eq=False)
class FleetIntervalFuture(LedgerRefusedError):
    """A report is for an interval after the current one."""

    signature = "FleetIntervalFuture(uint32,uint256)"
    message = "interval {interval} is in the future, {current_interval} is running; check the clock"
    interval: int
    current_interval: int


@dataclass(eq=False)
class FleetIntervalOver(LedgerRefusedError):
    """A report comes too late for its interval."""

    signature = "FleetIntervalOver(uint32,uint256)"
    message = "interval {interval} took reports until {deadline}; report for the running one"
    interval: int
    deadline: int


@dataclass(eq=False)
class FleetIntervalOrder(LedgerRefusedError):
    """A report is for an interval before that of the member's last one."""

    signature = "FleetIntervalOrder(address,uint32,uint32)"
    message = (
        "{member} reports for interval {interval} after {last_interval}; report in order of time"
    )
    member: str
    interval: int
    last_interval: int


@dataclass(eq=False)
class FleetEnergyLimit(LedgerRefusedError):
    """A report claims more than the connection carries since the last one."""

    signature = "FleetEnergyLimit(address,int32,uint256)"
    message = (
        "{member} reports {net_export_wh} Wh but its connection carries at most {limit_wh} Wh since"
        " its last report; check its meter and its rating"
    )
    member: str
    net_export_wh: int
    limit_wh: int


@dataclass(eq=False)
class FleetIntervalEnergyLimit(LedgerRefusedError):
    """A member's net export of an interval would be more than its connection carries in it."""

    signature = "FleetIntervalEnergyLimit(address,uint32,int256,uint256)"
    message = (
        "{member} comes to {net_export_wh} Wh in interval {interval} but its connection carries at"
        " most {limit_wh} Wh by now; check its meter and its rating"
    )
    member: str
    interval: int
    net_export_wh: int
    limit_wh: int


@dataclass(eq=False)
class FleetEnergyOverflow(LedgerRefusedError):
    """A sum of energy does not fit its field."""

    signature = "FleetEnergyOverflow(int256)"
    message = "energies sum to {sum_wh} Wh, beyond what an interval can hold; check the meter"
    sum_wh: int


@dataclass(eq=False)
class FleetOwnerNeeded(LedgerRefusedError):
    """The owner would leave the fleet without one."""

    signature = "FleetOwnerNeeded()"
    message = "a fleet needs its owner to promise; transfer the ownership instead"


@dataclass(eq=False)
class SettlementAddressMissing(LedgerRefusedError):
    """A settlement was to be created with nobody in one of its roles."""

    signature = "SettlementAddressMissing(string)"
    message = "the settlement has the zero address as its {role}; name an account"
    role: str


@dataclass(eq=False)
class SettlementOwnerNeeded(LedgerRefusedError):
    """The owner would leave the settlement without one."""

    signature = "SettlementOwnerNeeded()"
    message = "bond and funds would be locked without an owner; transfer the ownership instead"


@dataclass(eq=False)
class SettlementFeeRange(LedgerRefusedError):
    """A settlement was to be created with a fee above 100 %."""

    signature = "SettlementFeeRange(uint16)"
    message = "fee of {fee_bp} bp is above 10000; choose a smaller one"
    fee_bp: int


@dataclass(eq=False)
class SettlementPriceRange(LedgerRefusedError):
    """A price is beyond a billion per MWh."""

    signature = "SettlementPriceRange(int64)"
    message = "price of {price_micro_per_mwh} micro/MWh is beyond ±1e15; check its unit"
    price_micro_per_mwh: int


@dataclass(eq=False)
class SettlementNothingPromised(LedgerRefusedError):
    """Prices are posted for an interval in which nothing was promised."""

    signature = "SettlementNothingPromised(uint32)"
    message = "interval {interval} has no commitment, so there is nothing to settle; leave it out"
    interval: int


@dataclass(eq=False)
class SettlementAlreadyPosted(LedgerRefusedError):
    """Prices of an interval are posted twice."""

    signature = "SettlementAlreadyPosted(uint32)"
    message = "interval {interval} has its prices already; they cannot be changed"
    interval: int


@dataclass(eq=False)
class SettlementNotPosted(LedgerRefusedError):
    """An interval without prices is to be settled."""

    signature = "SettlementNotPosted(uint32)"
    message = "interval {interval} has no prices yet; post them first"
    interval: int


@dataclass(eq=False)
class SettlementAlreadySettled(LedgerRefusedError):
    """An interval is settled twice."""

    signature = "SettlementAlreadySettled(uint32)"
    message = "interval {interval} is settled already; leave it out"
    interval: int


@dataclass(eq=False)
class SettlementNotFinal(LedgerRefusedError):
    """Prices are posted for an interval that can still change."""

    signature = "SettlementNotFinal(uint32)"
    message = "interval {interval} still takes reports; post its prices after its grace time"
    interval: int


@dataclass(eq=False)
class SettlementUnfunded(LedgerRefusedError):
    """The funds do not cover an interval's revenue."""

    signature = "SettlementUnfunded(uint32,uint256,uint256)"
    message = (
        "interval {interval} needs {revenue_micro} micro, the funds hold {funds_micro}; "
        "fund the difference"
    )
    interval: int
    revenue_micro: int
    funds_micro: int


@dataclass(eq=False)
class SettlementOpenIntervals(LedgerRefusedError):
    """Bond or funds are withdrawn while posted intervals are not settled."""

    signature = "SettlementOpenIntervals(uint256)"
    message = "{open_intervals} posted intervals are not settled; settle them before a withdrawal"
    open_intervals: int


@dataclass(eq=False)
class SettlementInsufficient(LedgerRefusedError):
    """More is withdrawn than there is."""

    signature = "SettlementInsufficient(uint256,uint256)"
    message = "{amount_micro} micro asked for, {available_micro} there; ask for less"
    amount_micro: int
    available_micro: int


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
