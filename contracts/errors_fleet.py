"""Why `Fleet` refuses: its custom errors, one to one (see `contracts.errors`)."""

# ruff: noqa: N818 -- the names are Solidity's

from dataclasses import dataclass

from contracts.errors_ledger import LedgerRefusedError


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
class FleetMemberMissing(LedgerRefusedError):
    """Nobody was to be enrolled."""

    signature = "FleetMemberMissing()"
    message = "the zero address cannot report; name the member's account"


@dataclass(eq=False)
class FleetMeterIsMember(LedgerRefusedError):
    """A member was to be its own meter."""

    signature = "FleetMeterIsMember(address)"
    message = "{member} would be its own meter; give the meter a key of its own"
    member: str


@dataclass(eq=False)
class FleetMemberUnknown(LedgerRefusedError):
    """An account that is not enrolled reports, is retired or asks for its share."""

    signature = "FleetMemberUnknown(address)"
    message = "{member} is not a member of the fleet; let the aggregator enrol it"
    member: str


@dataclass(eq=False)
class FleetMemberHeard(LedgerRefusedError):
    """A battery was to lapse whose member is not silent."""

    signature = "FleetMemberHeard(address,uint256)"
    message = (
        "{member} was heard of at {heard_at}, an interval ago or less; "
        "wait until it has been silent for longer"
    )
    member: str
    heard_at: int


@dataclass(eq=False)
class FleetMemberWeightless(LedgerRefusedError):
    """A battery was to lapse that has no weight."""

    signature = "FleetMemberWeightless(address)"
    message = "{member} has no weight to lose; leave it out"
    member: str


@dataclass(eq=False)
class FleetMeterEvidenceMissing(LedgerRefusedError):
    """A member with a meter reports without the meter's signature."""

    signature = "FleetMeterEvidenceMissing(address)"
    message = "{member} has a meter, which did not sign; let its meter's key sign the report too"
    member: str


@dataclass(eq=False)
class FleetMeterUnregistered(LedgerRefusedError):
    """A meter's signature comes with the report of a member without one."""

    signature = "FleetMeterUnregistered(address)"
    message = (
        "{member} has no meter, but a signature of one; "
        "leave it out, or let the aggregator enrol the meter"
    )
    member: str


@dataclass(eq=False)
class FleetMeterSignatureInvalid(LedgerRefusedError):
    """A meter's signature does not fit the report."""

    signature = "FleetMeterSignatureInvalid(address)"
    message = (
        "the meter of {member} signed something else; sign with its key, over this chain and "
        "fleet, with the member's next nonce"
    )
    member: str


@dataclass(eq=False)
class FleetSignatureInvalid(LedgerRefusedError):
    """A member's signature does not fit the report."""

    signature = "FleetSignatureInvalid(address)"
    message = (
        "{member} signed something else; sign with its key, over this chain and fleet, "
        "with its next nonce"
    )
    member: str


@dataclass(eq=False)
class FleetNonce(LedgerRefusedError):
    """A signed report is not the next one of its member."""

    signature = "FleetNonce(address,uint32,uint32)"
    message = (
        "{member} signed report {given}, its next one is {expected}; "
        "sign what is not counted yet with the fleet's nonce"
    )
    member: str
    given: int
    expected: int


@dataclass(eq=False)
class FleetEvidencePlace(LedgerRefusedError):
    """A batch has a meter's signature in the wrong place."""

    signature = "FleetEvidencePlace(uint256)"
    message = (
        "a meter's signature for place {place} has no report, or is out of order; "
        "sort the signatures by place"
    )
    place: int


@dataclass(eq=False)
class FleetPaused(LedgerRefusedError):
    """Reports are stopped."""

    signature = "FleetPaused()"
    message = (
        "the aggregator has stopped reports; keep them and try again later, grace time stands still"
    )


@dataclass(eq=False)
class FleetNotPaused(LedgerRefusedError):
    """Reports were to go on that are not stopped."""

    signature = "FleetNotPaused()"
    message = "reports are not stopped; leave it as it is"


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
