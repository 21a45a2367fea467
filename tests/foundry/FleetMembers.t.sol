// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IFleet} from "../../contracts/src/interfaces/IFleet.sol";

import {vm} from "./base/Vm.sol";
import {IOwned, World} from "./base/World.sol";

/// @title Who belongs to a fleet, and who owns it
contract FleetMembersTest is World {
    /* CONSTRUCTOR */

    function test_constructor_revertsWithIntervalLength() public {
        vm.expectRevert(abi.encodeWithSelector(IFleet.FleetIntervalLength.selector, 300));
        this.newFleet(300, GRACE_S, TOLERANCE_S);
    }

    function test_constructor_revertsWithoutOwner() public {
        vm.expectRevert(abi.encodeWithSignature("OwnableInvalidOwner(address)", address(0)));
        this.deployFor(address(0));
    }

    function deployFor(address owner) external {
        deploy("Fleet", abi.encode(owner, INTERVAL_S, GRACE_S, TOLERANCE_S));
    }

    function test_constructor_succeeds() public view {
        vm.assertEq(fleet.intervalS(), INTERVAL_S, "intervalS");
        vm.assertEq(fleet.graceS(), GRACE_S, "graceS");
        vm.assertEq(fleet.toleranceS(), TOLERANCE_S, "toleranceS");
        vm.assertEq(IOwned(address(fleet)).owner(), address(this), "owner");
    }

    function test_constructor_takesThreeIntervals() public {
        for (uint32 intervalS = 300; intervalS <= 4500; intervalS += 300) {
            bool known = intervalS == 900 || intervalS == 1800 || intervalS == 3600;
            if (!known) vm.expectRevert(abi.encodeWithSelector(IFleet.FleetIntervalLength.selector, intervalS));
            this.newFleet(intervalS, 0, 0);
        }
    }

    /* ENROL */

    function test_enrol_revertsWithNotOwner() public {
        vm.expectRevert(notOwner(stranger));
        vm.prank(stranger);
        fleet.enrol(stranger, 1, 1, address(0));
    }

    function test_enrol_revertsWithMemberMissing() public {
        vm.expectRevert(abi.encodeWithSelector(IFleet.FleetMemberMissing.selector));
        fleet.enrol(address(0), 1, 1, address(0));
    }

    function test_enrol_revertsWithMeterIsMember() public {
        vm.expectRevert(abi.encodeWithSelector(IFleet.FleetMeterIsMember.selector, stranger));
        fleet.enrol(stranger, 1, 1, stranger);
    }

    function test_enrol_revertsWithMemberExists() public {
        vm.expectRevert(abi.encodeWithSelector(IFleet.FleetMemberExists.selector, homeA));
        fleet.enrol(homeA, 1, 1, address(0));
    }

    function test_fuzz_enrol_succeeds(address member, uint32 capacityWh, uint32 gridPowerW, address key) public {
        vm.assume(member != address(0) && member != key);
        vm.assume(member != homeA && member != homeB && member != homeC);

        vm.expectEmit(address(fleet));
        emit IFleet.MemberEnrolled(member, capacityWh, gridPowerW, key);
        fleet.enrol(member, capacityWh, gridPowerW, key);

        IFleet.MemberView memory expected = IFleet.MemberView({
            enrolled: true,
            capacityWh: capacityWh,
            gridPowerW: gridPowerW,
            interval: FIRST - 2,
            reportedAt: uint40(block.timestamp),
            netExportWh: 0,
            socBp: 0,
            weighed: false,
            nonce: 0,
            meter: key
        });
        vm.assertEq(abi.encode(fleet.memberOf(member)), abi.encode(expected), "memberOf");
        vm.assertEq(fleet.meterOf(member), key, "meterOf");
    }

    function test_enrol_givesBackWhatWasExportedInTheRunningInterval() public {
        at(600);
        report(homeA, FIRST, 100);
        fleet.retire(homeA);

        fleet.enrol(homeA, CAPACITY_WH, GRID_POWER_W, address(0));

        vm.assertEq(fleet.exportOf(homeA, FIRST), int256(100), "exportOf");
        vm.assertEq(fleet.memberOf(homeA).netExportWh, int256(100), "memberOf.netExportWh");
        vm.assertEq(deliveredWh(FIRST), 100, "delivered");
    }

    /* RETIRE */

    function test_retire_revertsWithNotOwner() public {
        vm.expectRevert(notOwner(stranger));
        vm.prank(stranger);
        fleet.retire(homeA);
    }

    function test_retire_revertsWithMemberUnknown() public {
        vm.expectRevert(abi.encodeWithSelector(IFleet.FleetMemberUnknown.selector, stranger));
        fleet.retire(stranger);
    }

    function test_retire_succeedsAndLeavesTheNonceAlone() public {
        at(600);
        report(homeA, FIRST, 100);

        vm.expectEmit(address(fleet));
        emit IFleet.MemberRetired(homeA);
        fleet.retire(homeA);

        IFleet.MemberView memory expected;
        expected.nonce = 1;
        vm.assertEq(abi.encode(fleet.memberOf(homeA)), abi.encode(expected), "memberOf");
        vm.assertEq(fleet.exportOf(homeA, FIRST), int256(100), "exportOf");
        vm.expectRevert(abi.encodeWithSelector(IFleet.FleetMemberUnknown.selector, homeA));
        vm.prank(homeA);
        fleet.report(FIRST, 0, 0);
    }

    function test_retire_succeedsAndForgetsTheMeter() public {
        fleet.retire(homeC);
        fleet.enrol(homeC, CAPACITY_WH, GRID_POWER_W, address(0));

        vm.assertEq(fleet.meterOf(homeC), address(0), "meterOf");
        report(homeC, FIRST - 2, 0);
    }

    /* LAPSE */

    function test_lapse_revertsWithMemberUnknown() public {
        vm.expectRevert(abi.encodeWithSelector(IFleet.FleetMemberUnknown.selector, stranger));
        fleet.lapse(stranger);
    }

    function test_lapse_revertsWithMemberWeightless() public {
        vm.expectRevert(abi.encodeWithSelector(IFleet.FleetMemberWeightless.selector, homeA));
        fleet.lapse(homeA);
    }

    function test_lapse_revertsWithPaused() public {
        fleet.pause();

        vm.expectRevert(abi.encodeWithSelector(IFleet.FleetPaused.selector));
        fleet.lapse(homeA);
    }

    function test_fuzz_lapse_takesMoreThanAnInterval(uint256 silentS) public {
        silentS %= 3 * INTERVAL_S;
        at(0);
        report(homeA, FIRST, 0);
        at(silentS);

        bool heard = silentS <= INTERVAL_S;
        if (heard) vm.expectRevert(abi.encodeWithSelector(IFleet.FleetMemberHeard.selector, homeA, START_S));
        vm.prank(stranger);
        fleet.lapse(homeA);

        vm.assertEq(fleet.memberOf(homeA).weighed, heard, "weighed");
    }

    function test_lapse_succeedsAndTheNextReportBringsTheBatteryBack() public {
        at(0);
        report(homeA, FIRST, 0);
        report(homeB, FIRST, 0);
        at(INTERVAL_S + 1);
        vm.expectEmit(address(fleet));
        emit IFleet.MemberLapsed(homeA, START_S);
        fleet.lapse(homeA);
        (, uint32 lapsedPpb,,,,) = fleet.coordination(homeA, FIRST + 1);
        (, uint32 otherPpb,,,,) = fleet.coordination(homeB, FIRST + 1);

        report(homeA, FIRST + 1, 0);

        (, uint32 backPpb,,,,) = fleet.coordination(homeA, FIRST + 1);
        vm.assertEq(uint256(lapsedPpb), 0, "lapsed");
        vm.assertEq(uint256(otherPpb), 1e9, "the other bears all");
        vm.assertEq(uint256(backPpb), 5e8, "back");
    }

    function test_lapse_doesNotCountTheTimeOfAPause() public {
        at(0);
        report(homeA, FIRST, 0);
        fleet.pause();
        at(10 * INTERVAL_S);
        fleet.unpause();
        at(11 * INTERVAL_S);

        vm.expectRevert(
            abi.encodeWithSelector(IFleet.FleetMemberHeard.selector, homeA, START_S + 10 * uint256(INTERVAL_S))
        );
        fleet.lapse(homeA);
    }

    /* OWNERSHIP */

    function test_renounceOwnership_revertsWithOwnerNeeded() public {
        vm.expectRevert(abi.encodeWithSelector(IFleet.FleetOwnerNeeded.selector));
        fleet.renounceOwnership();
    }

    function test_transferOwnership_revertsWithNotOwner() public {
        vm.expectRevert(notOwner(stranger));
        vm.prank(stranger);
        IOwned(address(fleet)).transferOwnership(stranger);
    }

    function test_acceptOwnership_revertsWithNotOwner() public {
        IOwned(address(fleet)).transferOwnership(homeA);

        vm.expectRevert(notOwner(stranger));
        vm.prank(stranger);
        IOwned(address(fleet)).acceptOwnership();
    }

    function test_transferOwnership_succeedsOnlyOnceItIsAccepted() public {
        IOwned owned = IOwned(address(fleet));
        owned.transferOwnership(stranger);
        vm.assertEq(owned.owner(), address(this), "owner before");
        vm.assertEq(owned.pendingOwner(), stranger, "pending owner");

        vm.prank(stranger);
        owned.acceptOwnership();

        vm.assertEq(owned.owner(), stranger, "owner after");
        vm.expectRevert(notOwner(address(this)));
        fleet.pause();
    }

    function test_acceptOwnership_succeeds() public {
        IOwned owned = IOwned(address(settlement));
        owned.transferOwnership(stranger);

        vm.prank(stranger);
        owned.acceptOwnership();

        vm.assertEq(owned.owner(), stranger, "owner");
    }
}
