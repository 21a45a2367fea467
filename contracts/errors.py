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
to one, by the same name and with the same values in order; a test compares them with the ABI. The
connection's own, such as a transaction still pending, are in `contracts.errors_connection`.
"""

from contracts.errors_fleet import (
    FleetEnergyLimit,
    FleetEnergyOverflow,
    FleetEvidencePlace,
    FleetIntervalBegun,
    FleetIntervalEnergyLimit,
    FleetIntervalFuture,
    FleetIntervalLength,
    FleetIntervalOrder,
    FleetIntervalOver,
    FleetMemberExists,
    FleetMemberHeard,
    FleetMemberMissing,
    FleetMemberUnknown,
    FleetMemberWeightless,
    FleetMeterEvidenceMissing,
    FleetMeterIsMember,
    FleetMeterSignatureInvalid,
    FleetMeterUnregistered,
    FleetNonce,
    FleetNotPaused,
    FleetOwnerNeeded,
    FleetPaused,
    FleetScheduleShape,
    FleetSignatureInvalid,
    FleetSocRange,
)
from contracts.errors_ledger import (
    ChainMismatchError,
    DeploymentFileError,
    LedgerError,
    LedgerPanicError,
    LedgerRefusedError,
    LedgerReplyError,
    LedgerUnavailableError,
)
from contracts.errors_libraries import (
    ERC20InsufficientAllowance,
    ERC20InsufficientBalance,
    ERC20InvalidApprover,
    ERC20InvalidReceiver,
    ERC20InvalidSender,
    ERC20InvalidSpender,
    OwnableInvalidOwner,
    OwnableUnauthorizedAccount,
    ReentrancyGuardReentrantCall,
    SafeCastOverflowedUintDowncast,
    SafeERC20FailedOperation,
)
from contracts.errors_settlement import (
    SettlementAlreadyPosted,
    SettlementAlreadySettled,
    SettlementBoundaryPosted,
    SettlementFeeRange,
    SettlementFleetMissing,
    SettlementInsufficient,
    SettlementMarketMissing,
    SettlementNotFinal,
    SettlementNothingPromised,
    SettlementNotPosted,
    SettlementOpenIntervals,
    SettlementOutOfOrder,
    SettlementOwnerNeeded,
    SettlementPriceRange,
    SettlementTokenDecimals,
    SettlementTokenMissing,
    SettlementTokenShort,
    SettlementToleranceRange,
    SettlementUnfunded,
)

__all__ = [
    "ChainMismatchError",
    "DeploymentFileError",
    "ERC20InsufficientAllowance",
    "ERC20InsufficientBalance",
    "ERC20InvalidApprover",
    "ERC20InvalidReceiver",
    "ERC20InvalidSender",
    "ERC20InvalidSpender",
    "FleetEnergyLimit",
    "FleetEnergyOverflow",
    "FleetEvidencePlace",
    "FleetIntervalBegun",
    "FleetIntervalEnergyLimit",
    "FleetIntervalFuture",
    "FleetIntervalLength",
    "FleetIntervalOrder",
    "FleetIntervalOver",
    "FleetMemberExists",
    "FleetMemberHeard",
    "FleetMemberMissing",
    "FleetMemberUnknown",
    "FleetMemberWeightless",
    "FleetMeterEvidenceMissing",
    "FleetMeterIsMember",
    "FleetMeterSignatureInvalid",
    "FleetMeterUnregistered",
    "FleetNonce",
    "FleetNotPaused",
    "FleetOwnerNeeded",
    "FleetPaused",
    "FleetScheduleShape",
    "FleetSignatureInvalid",
    "FleetSocRange",
    "LedgerError",
    "LedgerPanicError",
    "LedgerRefusedError",
    "LedgerReplyError",
    "LedgerUnavailableError",
    "OwnableInvalidOwner",
    "OwnableUnauthorizedAccount",
    "ReentrancyGuardReentrantCall",
    "SafeCastOverflowedUintDowncast",
    "SafeERC20FailedOperation",
    "SettlementAlreadyPosted",
    "SettlementAlreadySettled",
    "SettlementBoundaryPosted",
    "SettlementFeeRange",
    "SettlementFleetMissing",
    "SettlementInsufficient",
    "SettlementMarketMissing",
    "SettlementNotFinal",
    "SettlementNotPosted",
    "SettlementNothingPromised",
    "SettlementOpenIntervals",
    "SettlementOutOfOrder",
    "SettlementOwnerNeeded",
    "SettlementPriceRange",
    "SettlementTokenDecimals",
    "SettlementTokenMissing",
    "SettlementTokenShort",
    "SettlementToleranceRange",
    "SettlementUnfunded",
]
