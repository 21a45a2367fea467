// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ISettlement} from "../../contracts/src/interfaces/ISettlement.sol";

import {vm} from "./base/Vm.sol";
import {IOwned, World} from "./base/World.sol";

/// @title Bond, funds, fees and losses: money that is not a member's
contract SettlementMoneyTest is World {
    /// @dev Prices of a promise of 1000 Wh that nobody kept: a loss of 50 000 micro. [micro/MWh]
    int64 private constant PRICE = 50_000_000;
    int64 private constant IMBALANCE_PRICE = 100_000_000;
    uint256 private constant LOSS_MICRO = 50_000;

    /// @dev Promises 1000 Wh in `count` intervals that are final.
    function promised(uint256 count) private {
        commit(count, 1000);
        at((count + 1) * INTERVAL_S);
    }

    function loseOnce(uint32 interval) private {
        settlement.post(interval, PRICE, IMBALANCE_PRICE);
        settlement.settle(interval);
    }

    /* CONSTRUCTOR */

    function test_constructor_revertsWithFleetMissing() public {
        vm.expectRevert(abi.encodeWithSelector(ISettlement.SettlementFleetMissing.selector, stranger));
        this.newSettlement(stranger, address(token), market, 0, 0);
    }

    function test_constructor_revertsWithTokenMissing() public {
        vm.expectRevert(abi.encodeWithSelector(ISettlement.SettlementTokenMissing.selector, stranger));
        this.newSettlement(address(fleet), stranger, market, 0, 0);
    }

    function test_constructor_revertsWithMarketMissing() public {
        vm.expectRevert(abi.encodeWithSelector(ISettlement.SettlementMarketMissing.selector));
        this.newSettlement(address(fleet), address(token), address(0), 0, 0);
        // The next contract that this one creates.
        address itself = vm.computeCreateAddress(address(this), vm.getNonce(address(this)));
        vm.expectRevert(abi.encodeWithSelector(ISettlement.SettlementMarketMissing.selector));
        this.newSettlement(address(fleet), address(token), itself, 0, 0);
    }

    function test_constructor_revertsWithFeeRange() public {
        vm.expectRevert(abi.encodeWithSelector(ISettlement.SettlementFeeRange.selector, 10_001));
        this.newSettlement(address(fleet), address(token), market, 10_001, 0);
    }

    function test_constructor_revertsWithToleranceRange() public {
        vm.expectRevert(abi.encodeWithSelector(ISettlement.SettlementToleranceRange.selector, 10_001));
        this.newSettlement(address(fleet), address(token), market, 0, 10_001);
    }

    function test_constructor_succeeds() public view {
        vm.assertEq(address(settlement.fleet()), address(fleet), "fleet");
        vm.assertEq(address(settlement.token()), address(token), "token");
        vm.assertEq(settlement.market(), market, "market");
        vm.assertEq(uint256(settlement.feeBp()), FEE_BP, "feeBp");
        vm.assertEq(uint256(settlement.boundaryToleranceBp()), BOUNDARY_TOLERANCE_BP, "boundaryToleranceBp");
        vm.assertEq(IOwned(address(settlement)).owner(), address(this), "owner");
    }

    function test_renounceOwnership_revertsWithOwnerNeeded() public {
        vm.expectRevert(abi.encodeWithSelector(ISettlement.SettlementOwnerNeeded.selector));
        settlement.renounceOwnership();
    }

    /* DEPOSITS */

    function test_depositBond_revertsWithNotOwner() public {
        vm.expectRevert(notOwner(stranger));
        vm.prank(stranger);
        settlement.depositBond(1);
    }

    function test_fund_revertsWithNotOwner() public {
        vm.expectRevert(notOwner(stranger));
        vm.prank(stranger);
        settlement.fund(1);
    }

    function test_depositBond_revertsWithoutAllowance() public {
        token.approve(address(settlement), 0);
        vm.expectRevert(
            abi.encodeWithSignature("ERC20InsufficientAllowance(address,uint256,uint256)", address(settlement), 0, 1)
        );
        settlement.depositBond(1);
    }

    function test_fund_revertsWithMoreThanItsFieldHolds() public {
        uint256 tooMuch = 2 ** 80;
        vm.expectRevert(abi.encodeWithSignature("SafeCastOverflowedUintDowncast(uint8,uint256)", 80, tooMuch));
        settlement.fund(tooMuch);
    }

    function test_fuzz_depositBond_succeeds(uint256 amountMicro) public {
        amountMicro %= 1e12 + 1;
        vm.expectEmit(address(settlement));
        emit ISettlement.BondDeposited(amountMicro);
        settlement.depositBond(amountMicro);
        vm.assertEq(uint256(settlement.bondMicro()), amountMicro, "bondMicro");
        assertBooks(settlement, token);
    }

    function test_fuzz_fund_succeeds(uint256 amountMicro) public {
        amountMicro %= 1e12 + 1;
        vm.expectEmit(address(settlement));
        emit ISettlement.Funded(amountMicro);
        settlement.fund(amountMicro);
        vm.assertEq(uint256(settlement.fundsMicro()), amountMicro, "fundsMicro");
        assertBooks(settlement, token);
    }

    /// @dev What is deposited pays a carried loss first.
    function test_fuzz_depositBond_succeedsAfterALoss(uint256 amountMicro) public {
        amountMicro %= 2 * LOSS_MICRO;
        promised(1);
        loseOnce(FIRST);
        vm.assertEq(uint256(settlement.carriedLossMicro()), LOSS_MICRO, "carried");

        settlement.depositBond(amountMicro);

        uint256 paidMicro = amountMicro < LOSS_MICRO ? amountMicro : LOSS_MICRO;
        vm.assertEq(uint256(settlement.lossesMicro()), paidMicro, "put aside");
        vm.assertEq(uint256(settlement.carriedLossMicro()), LOSS_MICRO - paidMicro, "still carried");
        vm.assertEq(uint256(settlement.bondMicro()), amountMicro - paidMicro, "bond");
        assertBooks(settlement, token);
    }

    /* WITHDRAWALS */

    function test_withdrawBond_revertsWithNotOwner() public {
        vm.expectRevert(notOwner(stranger));
        vm.prank(stranger);
        settlement.withdrawBond(0);
    }

    function test_withdrawFunds_revertsWithNotOwner() public {
        vm.expectRevert(notOwner(stranger));
        vm.prank(stranger);
        settlement.withdrawFunds(0);
    }

    function test_withdrawBond_revertsWithOpenIntervals() public {
        settlement.depositBond(10);
        promised(1);
        settlement.post(FIRST, PRICE, IMBALANCE_PRICE);
        vm.expectRevert(abi.encodeWithSelector(ISettlement.SettlementOpenIntervals.selector, 1));
        settlement.withdrawBond(1);
    }

    function test_withdrawFunds_revertsWithOpenIntervals() public {
        settlement.fund(10);
        promised(1);
        settlement.post(FIRST, PRICE, IMBALANCE_PRICE);
        vm.expectRevert(abi.encodeWithSelector(ISettlement.SettlementOpenIntervals.selector, 1));
        settlement.withdrawFunds(1);
    }

    function test_withdrawBond_revertsWithInsufficient() public {
        settlement.depositBond(10);
        vm.expectRevert(abi.encodeWithSelector(ISettlement.SettlementInsufficient.selector, 11, 10));
        settlement.withdrawBond(11);
    }

    function test_withdrawFunds_revertsWithInsufficient() public {
        settlement.fund(10);
        vm.expectRevert(abi.encodeWithSelector(ISettlement.SettlementInsufficient.selector, 11, 10));
        settlement.withdrawFunds(11);
    }

    function test_withdrawBond_succeeds() public {
        settlement.depositBond(10);
        vm.expectEmit(address(settlement));
        emit ISettlement.BondWithdrawn(4);
        settlement.withdrawBond(4);
        vm.assertEq(uint256(settlement.bondMicro()), 6, "bondMicro");
        vm.assertEq(token.balanceOf(address(this)), 1e12 - 6, "the owner's");
        assertBooks(settlement, token);
    }

    function test_withdrawFunds_succeeds() public {
        settlement.fund(10);
        vm.expectEmit(address(settlement));
        emit ISettlement.FundsWithdrawn(4);
        settlement.withdrawFunds(4);
        vm.assertEq(uint256(settlement.fundsMicro()), 6, "fundsMicro");
        assertBooks(settlement, token);
    }

    /* LOSSES */

    function test_claimLosses_succeedsWithNothing() public {
        vm.assertEq(settlement.claimLosses(), 0, "paid");
    }

    function test_claimLosses_succeedsForAnybody() public {
        settlement.depositBond(2 * LOSS_MICRO);
        promised(1);
        loseOnce(FIRST);

        vm.expectEmit(address(settlement));
        emit ISettlement.LossesClaimed(LOSS_MICRO);
        vm.prank(stranger);
        uint256 paidMicro = settlement.claimLosses();

        vm.assertEq(paidMicro, LOSS_MICRO, "paid");
        vm.assertEq(token.balanceOf(market), LOSS_MICRO, "the market's");
        vm.assertEq(settlement.claimLosses(), 0, "paid again");
        vm.assertEq(uint256(settlement.bondMicro()), LOSS_MICRO, "bond");
        assertBooks(settlement, token);
    }

    function test_settle_carriesWhatTheBondDoesNotCover() public {
        settlement.depositBond(LOSS_MICRO + 1);
        promised(2);
        loseOnce(FIRST);

        settlement.post(FIRST + 1, PRICE, IMBALANCE_PRICE);
        vm.expectEmit(address(settlement));
        emit ISettlement.LossDue(1);
        vm.expectEmit(address(settlement));
        emit ISettlement.LossCarried(LOSS_MICRO - 1);
        settlement.settle(FIRST + 1);

        vm.assertEq(uint256(settlement.carriedLossMicro()), LOSS_MICRO - 1, "carried");
        assertBooks(settlement, token);
    }

    /* FEES */

    function test_claimFee_revertsWithNotOwner() public {
        vm.expectRevert(notOwner(stranger));
        vm.prank(stranger);
        settlement.claimFee();
    }

    function test_claimFee_succeedsWithNothing() public {
        vm.assertEq(settlement.claimFee(), 0, "paid");
    }

    /// @dev Where nobody exported all of a revenue is fee.
    function test_claimFee_succeeds() public {
        promised(1);
        settlement.fund(LOSS_MICRO);
        settlement.post(FIRST, PRICE, 0);
        settlement.settle(FIRST);

        vm.expectEmit(address(settlement));
        emit ISettlement.FeeClaimed(address(this), LOSS_MICRO);
        vm.assertEq(settlement.claimFee(), LOSS_MICRO, "paid");
        vm.assertEq(settlement.claimFee(), 0, "paid again");
        vm.assertEq(token.balanceOf(address(this)), 1e12, "the owner's");
        assertBooks(settlement, token);
    }
}
