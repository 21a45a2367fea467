// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.28;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuard} from "@openzeppelin/contracts/utils/ReentrancyGuard.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {SignedMath} from "@openzeppelin/contracts/utils/math/SignedMath.sol";
import {BitMaps} from "@openzeppelin/contracts/utils/structs/BitMaps.sol";

import {SettlementState} from "./SettlementState.sol";
import {IFleet} from "./interfaces/IFleet.sol";
import {ISettlement} from "./interfaces/ISettlement.sol";
import {BoundaryLib} from "./libraries/BoundaryLib.sol";
import {RevenueLib} from "./libraries/RevenueLib.sol";

/// @title Settlement
/// @notice Who is owed what: see `ISettlement`.
contract Settlement is SettlementState, ReentrancyGuard {
    using BitMaps for BitMaps.BitMap;
    using SafeCast for uint256;
    using SafeERC20 for IERC20;

    constructor(
        address owner,
        IFleet fleet_,
        IERC20 token_,
        address market_,
        uint16 feeBp_,
        uint16 boundaryToleranceBp_
    ) Ownable(owner) SettlementState(fleet_, token_, market_, feeBp_, boundaryToleranceBp_) {}

    /* MONEY */

    /// @inheritdoc ISettlement
    function depositBond(uint256 amountMicro) external onlyOwner nonReentrant {
        uint256 owedMicro = Math.min(amountMicro, carriedLossMicro);
        carriedLossMicro -= owedMicro.toUint80();
        bondMicro += (amountMicro - owedMicro).toUint80();
        _putAside(owedMicro);

        emit BondDeposited(amountMicro);

        _takeIn(amountMicro);
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

        _takeIn(amountMicro);
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
    function postBoundary(uint32 interval, int40 boundaryWh) external onlyOwner {
        Clearing storage c = _clearings[interval];
        if (c.bounded) revert SettlementBoundaryPosted(interval);
        _checkPostable(interval, c.posted);

        c.bounded = true;
        c.boundaryWh = boundaryWh;

        emit BoundaryPosted(interval, boundaryWh);
    }

    /// @inheritdoc ISettlement
    function post(uint32 interval, int64 priceMicroPerMwh, int64 imbalancePriceMicroPerMwh) external onlyOwner {
        _checkPrice(priceMicroPerMwh);
        _checkPrice(imbalancePriceMicroPerMwh);
        Clearing memory c = _clearings[interval];
        _checkPostable(interval, c.posted);

        c.priceMicroPerMwh = priceMicroPerMwh;
        c.imbalancePriceMicroPerMwh = imbalancePriceMicroPerMwh;
        c.previous = _lastPosted;
        c.posted = true;
        _clearings[interval] = c;
        _lastPosted = interval;
        openIntervals += 1;

        emit ClearingPosted(interval, priceMicroPerMwh, imbalancePriceMicroPerMwh);
    }

    /// @inheritdoc ISettlement
    function retract(uint32 interval) external onlyOwner {
        Clearing memory c = _clearings[interval];
        _checkOpen(interval, c);
        if (interval != _lastPosted) revert SettlementNotLast(interval, _lastPosted);

        delete _clearings[interval];
        _lastPosted = c.previous;
        openIntervals -= 1;

        emit ClearingRetracted(interval);
    }

    /// @inheritdoc ISettlement
    /// @dev Moves no tokens, and asks nobody but the fleet, by static calls: nothing can come in between.
    function settle(uint32 interval) external {
        Clearing memory c = _clearings[interval];
        _checkOpen(interval, c);
        if (c.previous != 0 && !_clearings[c.previous].settled) revert SettlementOutOfOrder(interval, c.previous);

        (uint32 commitmentWh, int40 deliveredWh, uint40 exportedWh) = fleet.delivery(interval);
        if (c.bounded && BoundaryLib.deviates(deliveredWh, c.boundaryWh, boundaryToleranceBp)) {
            emit DeliveryScaled(interval, deliveredWh, c.boundaryWh);
            deliveredWh = c.boundaryWh;
            c.scaled = true;
        }
        c.settled = true;
        _clearings[interval] = c;
        openIntervals -= 1;
        int72 revenueMicro = RevenueLib.revenueMicroDown(
            commitmentWh,
            deliveredWh,
            c.priceMicroPerMwh,
            c.imbalancePriceMicroPerMwh
        );
        if (revenueMicro < 0) _lose(interval, revenueMicro);
        else _share(interval, uint72(revenueMicro), exportedWh);
    }

    /// @inheritdoc ISettlement
    function claim(uint32 firstInterval, uint32 count) external nonReentrant returns (uint256 amountMicro) {
        uint256 end = uint256(firstInterval) + count;
        if (end > 1 << 32) revert SettlementIntervalRange(firstInterval, count);

        BitMaps.BitMap storage claimed = _claimed[msg.sender];
        for (uint256 next = firstInterval; next < end; ++next) {
            // next < end <= 2**32.
            uint32 interval = uint32(next);
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
    function claimLosses() external nonReentrant returns (uint256 amountMicro) {
        amountMicro = lossesMicro;
        if (amountMicro == 0) return 0;
        lossesMicro = 0;

        emit LossesClaimed(amountMicro);

        token.safeTransfer(market, amountMicro);
    }

    /// @inheritdoc ISettlement
    function claimFee() external onlyOwner nonReentrant returns (uint256 amountMicro) {
        amountMicro = feesMicro;
        if (amountMicro == 0) return 0;
        feesMicro = 0;

        emit FeeClaimed(msg.sender, amountMicro);

        token.safeTransfer(msg.sender, amountMicro);
    }

    /* INTERNAL: CHECKS */

    /// @dev Reverts unless something is to be posted of `interval`, and stands still.
    function _checkPostable(uint32 interval, bool posted) private view {
        if (posted) revert SettlementAlreadyPosted(interval);
        (uint32 commitmentWh, , ) = fleet.delivery(interval);
        if (commitmentWh == 0) revert SettlementNothingPromised(interval);
        if (!fleet.isFinal(interval)) revert SettlementNotFinal(interval);
    }

    function _checkPrice(int64 priceMicroPerMwh) private pure {
        if (priceMicroPerMwh > RevenueLib.PRICE_MAX || priceMicroPerMwh < -RevenueLib.PRICE_MAX) {
            revert SettlementPriceRange(priceMicroPerMwh);
        }
    }

    /// @dev Reverts unless `interval`, whose clearing is `c`, is posted and not settled.
    function _checkOpen(uint32 interval, Clearing memory c) private pure {
        if (!c.posted) revert SettlementNotPosted(interval);
        if (c.settled) revert SettlementAlreadySettled(interval);
    }

    function _checkWithdrawal(uint256 amountMicro, uint256 availableMicro) private view {
        if (openIntervals != 0) revert SettlementOpenIntervals(openIntervals);
        if (amountMicro > availableMicro) revert SettlementInsufficient(amountMicro, availableMicro);
    }

    /* INTERNAL: EFFECTS */

    /// @dev Shares a revenue of 0 or more, after the losses carried. [micro]
    function _share(uint32 interval, uint256 revenueMicro, uint40 exportedWh) private {
        uint256 available = fundsMicro;
        if (available < revenueMicro) revert SettlementUnfunded(interval, revenueMicro, available);

        uint256 repaidMicro = Math.min(revenueMicro, carriedLossMicro);
        uint256 sharedMicro = revenueMicro - repaidMicro;
        uint256 feeMicro = exportedWh == 0 ? sharedMicro : RevenueLib.feeMicroDown(sharedMicro, feeBp);
        uint256 poolMicro = sharedMicro - feeMicro;
        // All are parts of a revenue that fits int72, so that the casts lose nothing.
        fundsMicro = uint80(available - revenueMicro);
        if (repaidMicro != 0) {
            carriedLossMicro -= uint80(repaidMicro);
            _putAside(repaidMicro);
        }
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

    /// @dev Takes a revenue below 0 from the bond, and carries what it does not cover. [micro]
    function _lose(uint32 interval, int72 revenueMicro) private {
        uint256 lossMicro = SignedMath.abs(revenueMicro);
        uint256 paidMicro = Math.min(lossMicro, bondMicro);
        uint256 carriedMicro = lossMicro - paidMicro;
        bondMicro -= paidMicro.toUint80();
        carriedLossMicro += carriedMicro.toUint80();
        _putAside(paidMicro);
        _shares[interval].revenueMicro = revenueMicro;

        emit IntervalSettled(interval, revenueMicro, 0, 0, 0);
        if (carriedMicro != 0) emit LossCarried(carriedMicro);
    }

    /// @dev Puts a loss aside for the market. [micro]
    function _putAside(uint256 amountMicro) private {
        if (amountMicro == 0) return;
        lossesMicro += amountMicro.toUint80();

        emit LossDue(amountMicro);
    }

    /* INTERNAL: INTERACTIONS */

    /// @dev Takes tokens from the owner, or reverts if fewer arrive. [micro]
    function _takeIn(uint256 amountMicro) private {
        uint256 beforeMicro = token.balanceOf(address(this));
        token.safeTransferFrom(msg.sender, address(this), amountMicro);
        uint256 receivedMicro = token.balanceOf(address(this)) - beforeMicro;
        if (receivedMicro < amountMicro) revert SettlementTokenShort(amountMicro, receivedMicro);
    }
}
