"""Why `Settlement` refuses: its custom errors, one to one (see `contracts.errors`)."""

# ruff: noqa: N818 -- the names are Solidity's

from dataclasses import dataclass

from contracts.errors_ledger import LedgerRefusedError


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
    """Prices of an interval are posted twice, or its boundary reading after them."""

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
class SettlementNotLast(LedgerRefusedError):
    """What was posted of an interval is to be taken back, and another was posted after it."""

    signature = "SettlementNotLast(uint32,uint32)"
    message = "interval {interval} was not posted last; take back {last} first"
    interval: int
    last: int


@dataclass(eq=False)
class SettlementIntervalRange(LedgerRefusedError):
    """A claim reaches beyond the last interval there is."""

    signature = "SettlementIntervalRange(uint32,uint32)"
    message = (
        "{count} intervals from {first_interval} on reach beyond 2**32; claim a day's at a time"
    )
    first_interval: int
    count: int


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
class SettlementFleetMissing(LedgerRefusedError):
    """A settlement was to be created for something that is no fleet."""

    signature = "SettlementFleetMissing(address)"
    message = "there is no contract at {fleet} for a fleet; name one"
    fleet: str


@dataclass(eq=False)
class SettlementTokenMissing(LedgerRefusedError):
    """A settlement was to be created with something that is no token."""

    signature = "SettlementTokenMissing(address)"
    message = "there is no contract at {token} for a token; name one"
    token: str


@dataclass(eq=False)
class SettlementTokenDecimals(LedgerRefusedError):
    """A settlement was to be created with a token whose unit is no millionth."""

    signature = "SettlementTokenDecimals(uint256)"
    message = "the token has {decimals} decimals; settle in one of six"
    decimals: int


@dataclass(eq=False)
class SettlementMarketMissing(LedgerRefusedError):
    """A settlement was to be created without a market."""

    signature = "SettlementMarketMissing()"
    message = "the settlement has nobody as its market; name an account"


@dataclass(eq=False)
class SettlementToleranceRange(LedgerRefusedError):
    """A settlement was to be created with a tolerance above 100 %."""

    signature = "SettlementToleranceRange(uint16)"
    message = "tolerance of {boundary_tolerance_bp} bp is above 10000; choose a smaller one"
    boundary_tolerance_bp: int


@dataclass(eq=False)
class SettlementTokenShort(LedgerRefusedError):
    """A deposit brought fewer tokens than it should."""

    signature = "SettlementTokenShort(uint256,uint256)"
    message = (
        "{expected_micro} micro were sent and {received_micro} arrived; "
        "settle in a token without a fee on transfers"
    )
    expected_micro: int
    received_micro: int


@dataclass(eq=False)
class SettlementBoundaryPosted(LedgerRefusedError):
    """The reading at the boundary is posted twice."""

    signature = "SettlementBoundaryPosted(uint32)"
    message = "interval {interval} has its boundary reading already; it cannot be changed"
    interval: int


@dataclass(eq=False)
class SettlementOutOfOrder(LedgerRefusedError):
    """An interval is settled before one that was posted earlier."""

    signature = "SettlementOutOfOrder(uint32,uint32)"
    message = (
        "interval {interval} was posted after {previous}, which is open; settle {previous} first"
    )
    interval: int
    previous: int
