// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {IFleet} from "./IFleet.sol";

/// @title Settlement: who is owed what
/// @notice Shares the market's revenue of each promised interval between an aggregator and the members of its fleet, in
/// proportion to what each exported. Losses fall on the aggregator's bond.
/// @dev Money is in micro-units: millionths of the currency, the unit of a six-decimal token. Prices are in micro per
/// MWh, so that Wh x price / 1e6 is in micro.
///
///     revenue = floor((E_c * price - |delivered - E_c| * imbalance price) / 1e6)
///
/// is Couraud 2021's rule, which takes the imbalance price without sign. It may be posted negative, as Great Britain's
/// can be: a deviation then earns.
///
/// A revenue above 0 first repays a carried loss; of the rest the aggregator gets `feeBp`, rounded down, and the
/// members share the pool that remains, each share rounded down. Where nobody exported all of it is fee. A revenue
/// below 0 is taken from the bond and put aside for the market; what the bond does not cover is carried to later
/// revenues and bonds.
///
/// Delivered is the sum of the members' reports, unless the owner posted the reading of the meter at the fleet's
/// boundary and the two differ by more than `boundaryToleranceBp` of the reading: then it is the reading. That scales
/// all members' exports by one factor, so that their shares of the pool stay as they were.
///
/// Nothing is lost: balance = bondMicro + fundsMicro + feesMicro + creditsMicro + lossesMicro, after every transaction,
/// as long as nobody sends tokens unasked. Once every member has claimed, creditsMicro is the dust of rounding.
///
/// Money leaves only to those who fetch it: a receiver that the token refuses to pay stops nobody else.
///
/// Assumptions: a balance of the token changes only by transfers, by the amount asked for, or the transfer reverts or
/// returns false: no rebasing. A fee on transfers is noticed where tokens come in, and refused. The fleet is a `Fleet`,
/// whose figures stand still once `isFinal`.
interface ISettlement {
    /// @notice How one interval was settled; revenue = repaid + fee + pool - loss.
    struct SettlementView {
        bool posted;
        bool settled;
        /// Market price of the commitment. [micro/MWh]
        int64 priceMicroPerMwh;
        /// Price of a deviation. [micro/MWh]
        int64 imbalancePriceMicroPerMwh;
        /// What the market owes, < 0 when it is owed. [micro]
        int256 revenueMicro;
        /// The aggregator's part. [micro]
        uint256 feeMicro;
        /// What the members share. [micro]
        uint256 poolMicro;
        /// What went to losses carried from before. [micro]
        uint256 repaidMicro;
        /// Magnitude of a revenue below 0. [micro]
        uint256 lossMicro;
        /// What the pool is shared by: the sum of the members' positive net exports. [Wh]
        uint40 exportedWh;
        /// Whether the owner posted the reading at the boundary.
        bool bounded;
        /// That reading. [Wh]
        int40 boundaryWh;
        /// Whether it was settled by, since the reports differed too much.
        bool scaled;
    }

    /* EVENTS */

    /// @notice The owner added to the bond. [micro]
    event BondDeposited(uint256 amountMicro);
    /// @notice The owner took bond back. [micro]
    event BondWithdrawn(uint256 amountMicro);
    /// @notice The owner moved in tokens for revenues to be paid from. [micro]
    event Funded(uint256 amountMicro);
    /// @notice The owner took funds back. [micro]
    event FundsWithdrawn(uint256 amountMicro);
    /// @notice The reading at the boundary became known. [Wh]
    event BoundaryPosted(uint32 indexed interval, int40 boundaryWh);
    /// @notice An interval was settled by the reading at the boundary, not by the sum of the reports. [Wh]
    event DeliveryScaled(uint32 indexed interval, int40 deliveredWh, int40 boundaryWh);
    /// @notice The prices of an interval became known. [micro/MWh]
    event ClearingPosted(uint32 indexed interval, int64 priceMicroPerMwh, int64 imbalancePriceMicroPerMwh);
    /// @notice The owner took back what it had posted of an interval.
    event ClearingRetracted(uint32 indexed interval);
    /// @notice An interval's revenue was shared. [micro]
    event IntervalSettled(
        uint32 indexed interval,
        int256 revenueMicro,
        uint256 feeMicro,
        uint256 poolMicro,
        uint256 repaidMicro
    );
    /// @notice A loss was put aside for the market, from the bond or from revenue. [micro]
    event LossDue(uint256 amountMicro);
    /// @notice The market got what was put aside for it. [micro]
    event LossesClaimed(uint256 amountMicro);
    /// @notice A loss was carried because the bond did not cover it. [micro]
    event LossCarried(uint256 amountMicro);
    /// @notice A member got its credits of `count` intervals from `firstInterval` on. [micro]
    event CreditsClaimed(address indexed member, uint32 indexed firstInterval, uint32 count, uint256 amountMicro);
    /// @notice The owner got its fees. [micro]
    event FeeClaimed(address indexed owner, uint256 amountMicro);

    /* ERRORS */

    /// @notice Thrown when a settlement is created with a fleet that is no contract.
    error SettlementFleetMissing(address fleet);

    /// @notice Thrown when a settlement is created with a token that is no contract.
    error SettlementTokenMissing(address token);

    /// @notice Thrown when a settlement is created with a token of other than six decimals.
    error SettlementTokenDecimals(uint256 decimals);

    /// @notice Thrown when a settlement is created with the zero address, or itself, as its market.
    error SettlementMarketMissing();

    /// @notice Thrown when the owner would leave the settlement without one.
    error SettlementOwnerNeeded();

    /// @notice Thrown when a settlement is created with a fee above 10000 basis points.
    error SettlementFeeRange(uint16 feeBp);

    /// @notice Thrown when a settlement is created with a tolerance above 10000 basis points.
    error SettlementToleranceRange(uint16 boundaryToleranceBp);

    /// @notice Thrown when a deposit brings fewer tokens than it should, as with a fee on transfers. [micro]
    error SettlementTokenShort(uint256 expectedMicro, uint256 receivedMicro);

    /// @notice Thrown when a price is beyond +-1e15 micro/MWh.
    error SettlementPriceRange(int64 priceMicroPerMwh);

    /// @notice Thrown when prices or a reading are posted for an interval in which nothing was promised.
    error SettlementNothingPromised(uint32 interval);

    /// @notice Thrown when prices are posted twice, or a reading after them.
    error SettlementAlreadyPosted(uint32 interval);

    /// @notice Thrown when a reading is posted twice.
    error SettlementBoundaryPosted(uint32 interval);

    /// @notice Thrown when an interval without prices is to be settled.
    error SettlementNotPosted(uint32 interval);

    /// @notice Thrown when an interval is settled twice.
    error SettlementAlreadySettled(uint32 interval);

    /// @notice Thrown when an interval is to be settled while `previous`, posted before it, is not.
    error SettlementOutOfOrder(uint32 interval, uint32 previous);

    /// @notice Thrown when what was posted of an interval is to be taken back and `last` was posted after it.
    error SettlementNotLast(uint32 interval, uint32 last);

    /// @notice Thrown when a claim reaches beyond the last interval there is.
    error SettlementIntervalRange(uint32 firstInterval, uint32 count);

    /// @notice Thrown when prices or a reading are posted for an interval that can still change.
    error SettlementNotFinal(uint32 interval);

    /// @notice Thrown when the funds do not cover an interval's revenue. [micro]
    error SettlementUnfunded(uint32 interval, uint256 revenueMicro, uint256 fundsMicro);

    /// @notice Thrown when bond or funds are withdrawn while posted intervals are not settled.
    error SettlementOpenIntervals(uint256 openIntervals);

    /// @notice Thrown when more is withdrawn than there is. [micro]
    error SettlementInsufficient(uint256 amountMicro, uint256 availableMicro);

    /* OWNERSHIP */

    /// @notice Always refused: bond, funds and fees would be locked for ever. Use `transferOwnership`.
    /// @dev Warning: by `transferOwnership` the owner hands all its powers, and its bond, funds and fees, to another
    /// account, once that accepts; members are not asked.
    function renounceOwnership() external;

    /* MONEY */

    /// @notice Move `amountMicro` of the owner's tokens into the bond, after a carried loss is put aside from it.
    function depositBond(uint256 amountMicro) external;

    /// @notice Return `amountMicro` of the bond to the owner, when no posted interval is unsettled.
    /// @dev Warning: the bond answers for posted intervals only; the owner may withdraw it before it posts a loss.
    function withdrawBond(uint256 amountMicro) external;

    /// @notice Move `amountMicro` of the owner's tokens in, for revenues to be paid from.
    function fund(uint256 amountMicro) external;

    /// @notice Return `amountMicro` of the funds to the owner, when no posted interval is unsettled.
    function withdrawFunds(uint256 amountMicro) external;

    /* SETTLEMENT */

    /// @notice Post the reading of the meter at the fleet's boundary, once, when the interval is final, before its
    /// prices, and only where something was promised.
    /// @dev Warning: the reading is the owner's word, and it may leave it out; members compare it with their grid
    /// operator's.
    /// @param boundaryWh Net export of the whole fleet. [Wh]
    function postBoundary(uint32 interval, int40 boundaryWh) external;

    /// @notice Post the prices of `interval`, once, when it is final, and only where something was promised.
    /// @dev Warning: prices are the owner's word; members compare them with the market's publications.
    ///
    /// Warning: intervals are settled in the order in which the owner posts them, so that it decides which one's
    /// members bear a carried loss first.
    /// @param priceMicroPerMwh Market price of the commitment. [micro/MWh]
    /// @param imbalancePriceMicroPerMwh Price of a deviation from it. [micro/MWh]
    function post(uint32 interval, int64 priceMicroPerMwh, int64 imbalancePriceMicroPerMwh) external;

    /// @notice Take back the prices and the reading of `interval`, the last one posted, while it is not settled.
    /// @dev For prices that were mistyped: one that no funds cover would keep all later intervals waiting.
    ///
    /// Warning: until somebody settles, the owner may change its mind about what it posted.
    function retract(uint32 interval) external;

    /// @notice Share the revenue of `interval`, once it is posted and those posted before it are settled. Anybody may.
    /// @dev Warning: a revenue above 0 waits for the owner to fund it, and all posted later wait with it.
    function settle(uint32 interval) external;

    /// @notice Pay the caller its credits of `count` intervals from `firstInterval` on.
    /// @dev Intervals not yet settled are passed over and stay claimable. Pays nothing where nothing is owed.
    /// @return amountMicro What was paid. [micro]
    function claim(uint32 firstInterval, uint32 count) external returns (uint256 amountMicro);

    /// @notice Pay the market what was put aside for it. Anybody may.
    /// @return amountMicro What was paid. [micro]
    function claimLosses() external returns (uint256 amountMicro);

    /// @notice Pay the owner its fees so far.
    /// @return amountMicro What was paid. [micro]
    function claimFee() external returns (uint256 amountMicro);

    /* VIEWS */

    /// @notice Returns what is known of `interval`.
    function settlementOf(uint32 interval) external view returns (SettlementView memory);

    /// @notice Returns what `member` can claim for `interval`: 0 before it is settled and after it is claimed. [micro]
    function creditOf(address member, uint32 interval) external view returns (uint256 amountMicro);

    /// @notice Returns whether `member` got its credit of `interval`.
    function isClaimed(address member, uint32 interval) external view returns (bool);

    /// @notice What answers for losses. [micro]
    function bondMicro() external view returns (uint80);

    /// @notice What revenues are paid from. [micro]
    function fundsMicro() external view returns (uint80);

    /// @notice What the owner can claim. [micro]
    function feesMicro() external view returns (uint80);

    /// @notice What members can claim, and dust. [micro]
    function creditsMicro() external view returns (uint80);

    /// @notice What the market can claim. [micro]
    function lossesMicro() external view returns (uint80);

    /// @notice Loss that the bond did not cover; the bond is 0 while this is not. [micro]
    function carriedLossMicro() external view returns (uint80);

    /// @notice How many posted intervals are not settled.
    function openIntervals() external view returns (uint32);

    /* TERMS */

    /// @notice The fleet whose promises are settled.
    function fleet() external view returns (IFleet);

    /// @notice The token that pays, of six decimals.
    function token() external view returns (IERC20);

    /// @notice Who is owed losses.
    /// @dev Warning: it cannot be changed; losses put aside for one that cannot receive the token are locked.
    function market() external view returns (address);

    /// @notice The aggregator's part of the revenue. [bp]
    function feeBp() external view returns (uint16);

    /// @notice How far the members' reports may be from the reading at the boundary. [bp of the reading]
    function boundaryToleranceBp() external view returns (uint16);
}
