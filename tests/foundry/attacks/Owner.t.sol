// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IFleet} from "../../../contracts/src/interfaces/IFleet.sol";
import {ISettlement} from "../../../contracts/src/interfaces/ISettlement.sol";

import {vm} from "../base/Vm.sol";
import {IOwned, World} from "../base/World.sol";

/// @title Attempts of an owner to go beyond what the interfaces warn of, and of others to become the owner
contract OwnerAttacks is World {
    /// @dev Home A is due 54 000 micro of the first interval, B 36 000; the second is to be a loss of 50 000.
    function setUp() public override {
        super.setUp();
        commit(2, 1000);
        at(INTERVAL_S - 1);
        report(homeA, FIRST, 600);
        report(homeB, FIRST, 400);
        at(3 * INTERVAL_S);
        settlement.fund(100_000);
    }

    function settleFirst() private {
        settlement.post(FIRST, 100_000_000, 0);
        settlement.settle(FIRST);
    }

    /* PROMISES AND PRICES */

    function test_attack_promisingAfterTheFact_isRefused() public {
        vm.expectRevert(abi.encodeWithSelector(IFleet.FleetIntervalBegun.selector, FIRST, block.timestamp));
        publish(FIRST, 1, 0, 0);
    }

    function test_attack_pricesAgainOnceTheyAreKnown_isRefused() public {
        settlement.post(FIRST, 100_000_000, 0);
        vm.expectRevert(abi.encodeWithSelector(ISettlement.SettlementAlreadyPosted.selector, FIRST));
        settlement.post(FIRST, 1, 0);
        settlement.settle(FIRST);
        vm.expectRevert(abi.encodeWithSelector(ISettlement.SettlementAlreadyPosted.selector, FIRST));
        settlement.post(FIRST, 1, 0);
    }

    function test_attack_aReadingOnceThePricesAreKnown_isRefused() public {
        settlement.post(FIRST, 100_000_000, 100_000_000);
        vm.expectRevert(abi.encodeWithSelector(ISettlement.SettlementAlreadyPosted.selector, FIRST));
        settlement.postBoundary(FIRST, 0);
    }

    function test_attack_pricesBeforeTheReportsAreIn_isRefused() public {
        publish(FIRST + 4, 1, 0, 1000);
        vm.warp(START_S + 5 * INTERVAL_S + GRACE_S - 1);
        vm.expectRevert(abi.encodeWithSelector(ISettlement.SettlementNotFinal.selector, FIRST + 4));
        settlement.post(FIRST + 4, 1, 1);
    }

    /* MEMBERS' CREDITS */

    function test_attack_dismissingAMemberBeforeItClaims_costsItNothing() public {
        fleet.retire(homeA);
        settleFirst();
        vm.prank(homeA);
        vm.assertEq(settlement.claim(FIRST, 1), 54_000, "paid");
    }

    /// @dev Dismissed and enrolled again, in the hope that its exports are forgotten, or paid again.
    function test_attack_dismissingAndEnrollingAgain_paysOnce() public {
        settleFirst();
        vm.prank(homeA);
        settlement.claim(FIRST, 1);
        fleet.retire(homeA);
        fleet.enrol(homeA, CAPACITY_WH, GRID_POWER_W, address(0));
        report(homeA, FIRST + 3, 0);
        vm.prank(homeA);
        vm.assertEq(settlement.claim(FIRST, 4), 0, "paid again");
        vm.assertEq(fleet.exportOf(homeA, FIRST), int256(600), "exportOf");
    }

    function test_attack_aPause_stopsNoClaim() public {
        settleFirst();
        fleet.pause();
        vm.prank(homeA);
        vm.assertEq(settlement.claim(FIRST, 1), 54_000, "paid");
    }

    /// @dev Funds that became credits are not the owner's any more.
    function test_attack_withdrawingCredits_isRefused() public {
        settleFirst();
        vm.expectRevert(abi.encodeWithSelector(ISettlement.SettlementInsufficient.selector, 1, 0));
        settlement.withdrawFunds(1);
        vm.expectRevert(abi.encodeWithSelector(ISettlement.SettlementInsufficient.selector, 1, 0));
        settlement.withdrawBond(1);
        vm.assertEq(settlement.claimFee(), 10_000, "its fee");
        vm.assertEq(uint256(settlement.creditsMicro()), 90_000, "credits");
    }

    /* LOSSES */

    function test_attack_withdrawingTheBondOnceALossIsPosted_isRefused() public {
        settlement.depositBond(50_000);
        settlement.post(FIRST + 1, 0, 50_000_000);
        vm.expectRevert(abi.encodeWithSelector(ISettlement.SettlementOpenIntervals.selector, 1));
        settlement.withdrawBond(50_000);
        settlement.settle(FIRST + 1);
        vm.expectRevert(abi.encodeWithSelector(ISettlement.SettlementInsufficient.selector, 50_000, 0));
        settlement.withdrawBond(50_000);
    }

    /// @dev The gain first, so that the loss before it in the order of posting is carried by others: not by who settles.
    function test_attack_settlingOutOfOrder_isRefused() public {
        settlement.post(FIRST + 1, 0, 50_000_000);
        settlement.post(FIRST, 100_000_000, 0);
        vm.expectRevert(abi.encodeWithSelector(ISettlement.SettlementOutOfOrder.selector, FIRST, FIRST + 1));
        vm.prank(homeA);
        settlement.settle(FIRST);

        settlement.settle(FIRST + 1);
        settlement.settle(FIRST);
        // 50 000 of the 100 000 repay the loss; 5000 are fee.
        vm.assertEq(settlement.settlementOf(FIRST).repaidMicro, 50_000, "repaid");
        vm.assertEq(settlement.creditOf(homeA, FIRST), 27_000, "A's");
    }

    /// @dev A deposit while a loss is carried is the market's first.
    function test_attack_takingADepositBackWhileALossIsCarried_isRefused() public {
        settlement.post(FIRST + 1, 0, 50_000_000);
        settlement.settle(FIRST + 1);
        settlement.depositBond(40_000);
        vm.expectRevert(abi.encodeWithSelector(ISettlement.SettlementInsufficient.selector, 1, 0));
        settlement.withdrawBond(1);
        vm.assertEq(settlement.claimLosses(), 40_000, "the market's");
    }

    /// @dev A price that nobody can fund stops what is posted later, and what the owner put in, but no credit of before.
    function test_attack_aPriceBeyondAllFunds_stopsNoCreditOfBeforeAndIsTakenBack() public {
        settleFirst();
        settlement.depositBond(10);
        settlement.post(FIRST + 1, 1e15, 0);
        vm.expectRevert(abi.encodeWithSelector(ISettlement.SettlementUnfunded.selector, FIRST + 1, 1e12, 0));
        settlement.settle(FIRST + 1);
        vm.expectRevert(abi.encodeWithSelector(ISettlement.SettlementOpenIntervals.selector, 1));
        settlement.withdrawBond(10);
        vm.prank(homeA);
        vm.assertEq(settlement.claim(FIRST, 1), 54_000, "paid");
        settlement.retract(FIRST + 1);
        settlement.withdrawBond(10);
    }

    function test_attack_takingPricesBackOnceSettled_isRefused() public {
        settleFirst();
        vm.expectRevert(abi.encodeWithSelector(ISettlement.SettlementAlreadySettled.selector, FIRST));
        settlement.retract(FIRST);
    }

    /* SOMEBODY ELSE */

    function test_attack_doingTheOwnersWork_isRefused() public {
        bytes[7] memory fleetWork = [
            abi.encodeCall(IFleet.enrol, (stranger, 1, 1, address(0))),
            abi.encodeCall(IFleet.retire, (homeA)),
            abi.encodeCall(IFleet.pause, ()),
            abi.encodeCall(IFleet.unpause, ()),
            abi.encodeCall(IFleet.publish, (FIRST + 9, new uint16[](1), new uint32[](1), new bool[](1))),
            abi.encodeCall(IOwned.transferOwnership, (stranger)),
            abi.encodeCall(IOwned.acceptOwnership, ())
        ];
        bytes[8] memory settlementWork = [
            abi.encodeCall(ISettlement.depositBond, (0)),
            abi.encodeCall(ISettlement.withdrawBond, (0)),
            abi.encodeCall(ISettlement.fund, (0)),
            abi.encodeCall(ISettlement.withdrawFunds, (0)),
            abi.encodeCall(ISettlement.postBoundary, (FIRST, 0)),
            abi.encodeCall(ISettlement.retract, (FIRST)),
            abi.encodeCall(ISettlement.post, (FIRST, 0, 0)),
            abi.encodeCall(ISettlement.claimFee, ())
        ];
        for (uint256 i = 0; i < fleetWork.length; ++i) {
            assertNotOwner(address(fleet), fleetWork[i]);
        }
        for (uint256 i = 0; i < settlementWork.length; ++i) {
            assertNotOwner(address(settlement), settlementWork[i]);
        }
    }

    function assertNotOwner(address target, bytes memory data) private {
        vm.prank(stranger);
        (bool done, bytes memory reason) = target.call(data);
        vm.assertTrue(!done, "refused");
        vm.assertEq(reason, notOwner(stranger), "as not the owner");
    }

    /// @dev Two contracts, two owners: the fleet's new owner is not the settlement's.
    function test_attack_takingTheSettlementWithTheFleet_isRefused() public {
        IOwned(address(fleet)).transferOwnership(stranger);
        vm.prank(stranger);
        IOwned(address(fleet)).acceptOwnership();
        vm.expectRevert(notOwner(stranger));
        vm.prank(stranger);
        settlement.claimFee();
    }
}
