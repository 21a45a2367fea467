// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.28;

import {Ownable, Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {SignedMath} from "@openzeppelin/contracts/utils/math/SignedMath.sol";
import {BitMaps} from "@openzeppelin/contracts/utils/structs/BitMaps.sol";

import {IFleet} from "./interfaces/IFleet.sol";
import {ISettlement} from "./interfaces/ISettlement.sol";
import {RevenueLib} from "./libraries/RevenueLib.sol";

/// @title Settlement
/// @notice Who is owed what: see `ISettlement`.
contract Settlement is ISettlement, Ownable2Step, ReentrancyGuardTransient {
    using BitMaps for BitMaps.BitMap;
    using SafeCast for uint256;
    using SafeERC20 for IERC20;

    /// @dev One storage slot, 144 of 256 bits: the prices of an interval. [micro/MWh]
    struct Clearing {
        int64 priceMicroPerMwh;
        int64 imbalancePriceMicroPerMwh;
        bool posted;
        bool settled;
    }

    /// @dev One storage slot, 256 bits, from the right:
    ///
    ///     | exportedWh 40 | poolMicro 72 | feeMicro 72 | revenueMicro 72 |
    ///
    /// All that a claim has to know of an interval. What was repaid is revenue - fee - pool.
    struct Shares {
        int72 revenueMicro;
        uint72 feeMicro;
        uint72 poolMicro;
        uint40 exportedWh;
    }

    /* IMMUTABLES */

    /// @inheritdoc ISettlement
    IFleet public immutable fleet;
    /// @inheritdoc ISettlement
    IERC20 public immutable token;
    /// @inheritdoc ISettlement
    address public immutable market;
    /// @inheritdoc ISettlement
    uint16 public immutable feeBp;

    /* STORAGE */

    // The order packs what is written together: the bond shares the slot of Ownable2Step's pending owner, the three that
    // a gain changes have one (240 of 256 bits), the last two another.

    /// @inheritdoc ISettlement
    uint80 public bondMicro;
    /// @inheritdoc ISettlement
    uint80 public fundsMicro;
    /// @inheritdoc ISettlement
    uint80 public feesMicro;
    /// @inheritdoc ISettlement
    uint80 public creditsMicro;
    /// @inheritdoc ISettlement
    uint80 public carriedLossMicro;
    /// @inheritdoc ISettlement
    uint32 public openIntervals;

    mapping(uint32 interval => Clearing) private _clearings;
    mapping(uint32 interval => Shares) private _shares;
    mapping(address member => BitMaps.BitMap) private _claimed;

    constructor(address owner, IFleet fleet_, IERC20 token_, address market_, uint16 feeBp_) Ownable(owner) {
        if (address(fleet_) == address(0)) revert SettlementAddressMissing("fleet");
        if (address(token_) == address(0)) revert SettlementAddressMissing("token");
        if (market_ == address(0)) revert SettlementAddressMissing("market");
        if (feeBp_ > RevenueLib.ALL_BP) revert SettlementFeeRange(feeBp_);
        fleet = fleet_;
        token = token_;
        market = market_;
        feeBp = feeBp_;
    }

    /* OWNERSHIP */

    /// @inheritdoc ISettlement
    function renounceOwnership() public pure override(ISettlement, Ownable) {
        revert SettlementOwnerNeeded();
    }

    /* MONEY */

    /// @inheritdoc ISettlement
    function depositBond(uint256 amountMicro) external onlyOwner nonReentrant {
        uint256 owedMicro = Math.min(amountMicro, carriedLossMicro);
        carriedLossMicro -= owedMicro.toUint80();
        bondMicro += (amountMicro - owedMicro).toUint80();

        emit BondDeposited(amountMicro);

        token.safeTransferFrom(msg.sender, address(this), amountMicro);
        _payMarket(owedMicro);
    }

    /// @inheritdoc ISettlement
    function withdrawBond(uint256 amountMicro) external onlyOwner nonReentrant {
        _checkWithdrawal(amountMicro, bondMicro);
        bondMicro -= amountMicro.toUint80();

        emit BondWithdrawn(amountMicro);

        token.safeTransfer(msg.sender, amountMicro);
    }

    /// @inheritdoc ISettlement
    function fund(uint256 amountMicro) external onlyOwner nonReentrant {
        fundsMicro += amountMicro.toUint80();

        emit Funded(amountMicro);

        token.safeTransferFrom(msg.sender, address(this), amountMicro);
    }

    /// @inheritdoc ISettlement
    function withdrawFunds(uint256 amountMicro) external onlyOwner nonReentrant {
        _checkWithdrawal(amountMicro, fundsMicro);
        fundsMicro -= amountMicro.toUint80();

        emit FundsWithdrawn(amountMicro);

        token.safeTransfer(msg.sender, amountMicro);
    }

    /* SETTLEMENT */

    /// @inheritdoc ISettlement
    function post(uint32 interval, int64 priceMicroPerMwh, int64 imbalancePriceMicroPerMwh) external onlyOwner {
        _checkPrice(priceMicroPerMwh);
        _checkPrice(imbalancePriceMicroPerMwh);
        if (_clearings[interval].posted) revert SettlementAlreadyPosted(interval);
        (uint32 commitmentWh, , ) = fleet.delivery(interval);
        if (commitmentWh == 0) revert SettlementNothingPromised(interval);
        if (!fleet.isFinal(interval)) revert SettlementNotFinal(interval);

        _clearings[interval] = Clearing({
            priceMicroPerMwh: priceMicroPerMwh,
            imbalancePriceMicroPerMwh: imbalancePriceMicroPerMwh,
            posted: true,
            settled: false
        });
        openIntervals += 1;

        emit ClearingPosted(interval, priceMicroPerMwh, imbalancePriceMicroPerMwh);
    }

    /// @inheritdoc ISettlement
    function settle(uint32 interval) external nonReentrant {
        Clearing memory c = _clearings[interval];
        if (!c.posted) revert SettlementNotPosted(interval);
        if (c.settled) revert SettlementAlreadySettled(interval);

        _clearings[interval].settled = true;
        openIntervals -= 1;
        (uint32 commitmentWh, int40 deliveredWh, uint40 exportedWh) = fleet.delivery(interval);
        int72 revenueMicro = RevenueLib.revenueMicroDown(
            commitmentWh,
            deliveredWh,
            c.priceMicroPerMwh,
            c.imbalancePriceMicroPerMwh
        );

        uint256 dueMicro = revenueMicro < 0
            ? _lose(interval, revenueMicro)
            : _share(interval, uint72(revenueMicro), exportedWh);
        _payMarket(dueMicro);
    }

    /// @inheritdoc ISettlement
    function claim(uint32 firstInterval, uint32 count) external nonReentrant returns (uint256 amountMicro) {
        BitMaps.BitMap storage claimed = _claimed[msg.sender];
        for (uint32 i = 0; i < count; ++i) {
            uint32 interval = firstInterval + i;
            uint256 creditMicro = creditOf(msg.sender, interval);
            if (creditMicro == 0) continue;
            claimed.set(interval);
            amountMicro += creditMicro;
        }
        if (amountMicro == 0) return 0;
        creditsMicro -= amountMicro.toUint80();

        emit CreditsClaimed(msg.sender, firstInterval, count, amountMicro);

        token.safeTransfer(msg.sender, amountMicro);
    }

    /// @inheritdoc ISettlement
    function claimFee() external onlyOwner nonReentrant returns (uint256 amountMicro) {
        amountMicro = feesMicro;
        if (amountMicro == 0) return 0;
        feesMicro = 0;

        emit FeeClaimed(msg.sender, amountMicro);

        token.safeTransfer(msg.sender, amountMicro);
    }

    /* VIEWS */

    /// @inheritdoc ISettlement
    function settlementOf(uint32 interval) external view returns (SettlementView memory) {
        Clearing memory c = _clearings[interval];
        Shares memory s = _shares[interval];
        int256 revenueMicro = s.revenueMicro;
        uint256 gainMicro = uint256(SignedMath.max(revenueMicro, 0));
        return
            SettlementView({
                posted: c.posted,
                settled: c.settled,
                priceMicroPerMwh: c.priceMicroPerMwh,
                imbalancePriceMicroPerMwh: c.imbalancePriceMicroPerMwh,
                revenueMicro: revenueMicro,
                feeMicro: s.feeMicro,
                poolMicro: s.poolMicro,
                repaidMicro: gainMicro - s.feeMicro - s.poolMicro,
                lossMicro: uint256(SignedMath.max(-revenueMicro, 0)),
                exportedWh: s.exportedWh
            });
    }

    /// @inheritdoc ISettlement
    function creditOf(address member, uint32 interval) public view returns (uint256 amountMicro) {
        Shares memory s = _shares[interval];
        if (s.poolMicro == 0 || isClaimed(member, interval)) return 0;
        return RevenueLib.creditMicroDown(s.poolMicro, fleet.exportOf(member, interval), s.exportedWh);
    }

    /// @inheritdoc ISettlement
    function isClaimed(address member, uint32 interval) public view returns (bool) {
        return _claimed[member].get(interval);
    }

    /* INTERNAL: CHECKS */

    function _checkPrice(int64 priceMicroPerMwh) private pure {
        if (priceMicroPerMwh > RevenueLib.PRICE_MAX || priceMicroPerMwh < -RevenueLib.PRICE_MAX) {
            revert SettlementPriceRange(priceMicroPerMwh);
        }
    }

    function _checkWithdrawal(uint256 amountMicro, uint256 availableMicro) private view {
        if (openIntervals != 0) revert SettlementOpenIntervals(openIntervals);
        if (amountMicro > availableMicro) revert SettlementInsufficient(amountMicro, availableMicro);
    }

    /* INTERNAL: EFFECTS */

    /// @dev Shares a revenue of 0 or more; returns the part of it that is due to the market for losses carried. [micro]
    function _share(uint32 interval, uint256 revenueMicro, uint40 exportedWh) private returns (uint256 repaidMicro) {
        uint256 available = fundsMicro;
        if (available < revenueMicro) revert SettlementUnfunded(interval, revenueMicro, available);

        repaidMicro = Math.min(revenueMicro, carriedLossMicro);
        uint256 sharedMicro = revenueMicro - repaidMicro;
        uint256 feeMicro = exportedWh == 0 ? sharedMicro : RevenueLib.feeMicroDown(sharedMicro, feeBp);
        uint256 poolMicro = sharedMicro - feeMicro;
        // All are parts of a revenue that fits int72, so that the casts lose nothing.
        fundsMicro = uint80(available - revenueMicro);
        if (repaidMicro != 0) carriedLossMicro -= uint80(repaidMicro);
        feesMicro += uint80(feeMicro);
        creditsMicro += uint80(poolMicro);
        _shares[interval] = Shares({
            revenueMicro: int72(uint72(revenueMicro)),
            feeMicro: uint72(feeMicro),
            poolMicro: uint72(poolMicro),
            exportedWh: exportedWh
        });

        emit IntervalSettled(interval, int256(revenueMicro), feeMicro, poolMicro, repaidMicro);
    }

    /// @dev Takes a revenue below 0 from the bond; returns what of it is due to the market now. [micro]
    function _lose(uint32 interval, int72 revenueMicro) private returns (uint256 paidMicro) {
        uint256 lossMicro = SignedMath.abs(revenueMicro);
        paidMicro = Math.min(lossMicro, bondMicro);
        uint256 carriedMicro = lossMicro - paidMicro;
        bondMicro -= paidMicro.toUint80();
        carriedLossMicro += carriedMicro.toUint80();
        _shares[interval].revenueMicro = revenueMicro;

        emit IntervalSettled(interval, revenueMicro, 0, 0, 0);
        if (carriedMicro != 0) emit LossCarried(carriedMicro);
    }

    /* INTERNAL: INTERACTIONS */

    /// @dev Pays the market a loss. [micro]
    function _payMarket(uint256 amountMicro) private {
        if (amountMicro == 0) return;

        emit LossPaid(amountMicro);

        token.safeTransfer(market, amountMicro);
    }
}
