// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IFleet} from "../../contracts/src/interfaces/IFleet.sol";

import {vm} from "./base/Vm.sol";
import {World} from "./base/World.sol";

/// @title What was promised, what is left of it, and when reports stop
contract FleetScheduleTest is World {
    /* PUBLISH */

    function test_publish_revertsWithNotOwner() public {
        vm.expectRevert(notOwner(stranger));
        vm.prank(stranger);
        fleet.publish(FIRST, new uint16[](1), new uint32[](1), new bool[](1));
    }

    function test_publish_revertsWithScheduleShape() public {
        vm.expectRevert(abi.encodeWithSelector(IFleet.FleetScheduleShape.selector, 2, 1, 2));
        fleet.publish(FIRST, new uint16[](2), new uint32[](1), new bool[](2));
    }

    function test_publish_revertsWithNothing() public {
        vm.expectRevert(abi.encodeWithSelector(IFleet.FleetScheduleShape.selector, 0, 0, 0));
        fleet.publish(FIRST, new uint16[](0), new uint32[](0), new bool[](0));
    }

    function test_publish_revertsWithSocRange() public {
        vm.expectRevert(abi.encodeWithSelector(IFleet.FleetSocRange.selector, 10_001));
        publish(FIRST, 1, 10_001, 0);
    }

    /// @dev An interval has begun in its first second.
    function test_fuzz_publish_revertsWithIntervalBegun(uint256 second) public {
        second %= INTERVAL_S;
        at(second);
        vm.expectRevert(abi.encodeWithSelector(IFleet.FleetIntervalBegun.selector, FIRST, block.timestamp));
        publish(FIRST, 1, 0, 0);
    }

    function test_publish_succeedsInTheSecondBefore() public {
        vm.warp(START_S - 1);
        publish(FIRST, 1, 0, 77);
        (, uint32 commitmentWh,, bool published) = fleet.promiseOf(FIRST);
        vm.assertTrue(published, "published");
        vm.assertEq(uint256(commitmentWh), 77, "commitmentWh");
    }

    /// @dev What is promised is read back, and nothing beside it is touched.
    function test_fuzz_publish_succeeds(uint32 first, uint8 count, uint256 seed) public {
        first = FIRST + first % 1e6;
        uint256 length = uint256(count) % 20 + 1;
        publish(first - 1, length + 2, 1, 1);
        uint16[] memory socBp = new uint16[](length);
        uint32[] memory commitmentWh = new uint32[](length);
        bool[] memory steered = new bool[](length);
        for (uint256 i = 0; i < length; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            (socBp[i], commitmentWh[i], steered[i]) = (uint16(seed % 10_001), uint32(seed >> 32), seed >> 255 == 1);
        }

        vm.expectEmit(address(fleet));
        emit IFleet.SchedulePublished(first, socBp, commitmentWh, steered);
        fleet.publish(first, socBp, commitmentWh, steered);

        assertPromise(first - 1, 1, 1, false);
        assertPromise(first + uint32(length), 1, 1, false);
        for (uint32 i = 0; i < length; ++i) {
            assertPromise(first + i, socBp[i], commitmentWh[i], steered[i]);
        }
    }

    function assertPromise(uint32 interval, uint16 socBp, uint32 commitmentWh, bool steered) private view {
        (uint16 soc, uint32 commitment, bool s, bool published) = fleet.promiseOf(interval);
        vm.assertEq(
            abi.encode(soc, commitment, s, published), abi.encode(socBp, commitmentWh, steered, true), "promise"
        );
    }

    function test_promiseOf_succeedsWhereNothingIsPromised() public view {
        (,,, bool published) = fleet.promiseOf(FIRST);
        vm.assertTrue(!published, "published");
    }

    /* COORDINATION */

    function test_coordination_revertsWithMemberUnknown() public {
        vm.expectRevert(abi.encodeWithSelector(IFleet.FleetMemberUnknown.selector, stranger));
        fleet.coordination(stranger, FIRST);
    }

    /// @dev Shares of a debt and of an excess are each weight over the sum, and add up to no more than one.
    function test_fuzz_coordination_sharesByWeight(uint16 socA, uint16 socB) public {
        (socA, socB) = (socA % 10_001, socB % 10_001);
        commit(1, 500);
        at(600);
        vm.prank(homeA);
        fleet.report(FIRST, 100, socA);
        vm.prank(homeB);
        fleet.report(FIRST, 50, socB);

        (int64 remainingWh, uint32 exportA, uint32 importA,,, uint32 commitmentWh) = fleet.coordination(homeA, FIRST);
        (, uint32 exportB, uint32 importB,,,) = fleet.coordination(homeB, FIRST);

        vm.assertEq(remainingWh, int256(350), "remaining");
        vm.assertEq(uint256(commitmentWh), 500, "commitment");
        vm.assertEq(uint256(exportA), share(socA, uint256(socA) + socB), "export share");
        vm.assertEq(uint256(importA), share(10_000 - socA, 20_000 - uint256(socA) - socB), "import share");
        vm.assertLe(uint256(exportA) + exportB, 1e9, "export shares");
        vm.assertLe(uint256(importA) + importB, 1e9, "import shares");
    }

    function share(uint256 weight, uint256 sum) private pure returns (uint256) {
        return sum == 0 ? 0 : weight * 1e9 / sum;
    }

    /* PAUSE */

    function test_pause_revertsWithNotOwner() public {
        vm.expectRevert(notOwner(stranger));
        vm.prank(stranger);
        fleet.pause();
    }

    function test_pause_revertsWithPaused() public {
        fleet.pause();
        vm.expectRevert(abi.encodeWithSelector(IFleet.FleetPaused.selector));
        fleet.pause();
    }

    function test_unpause_revertsWithNotOwner() public {
        vm.expectRevert(notOwner(stranger));
        vm.prank(stranger);
        fleet.unpause();
    }

    function test_unpause_revertsWithNotPaused() public {
        vm.expectRevert(abi.encodeWithSelector(IFleet.FleetNotPaused.selector));
        fleet.unpause();
    }

    function test_pause_succeeds() public {
        vm.expectEmit(address(fleet));
        emit IFleet.ReportsPaused();
        fleet.pause();
        vm.assertTrue(fleet.paused(), "paused");
    }

    function test_unpause_succeeds() public {
        fleet.pause();
        vm.expectEmit(address(fleet));
        emit IFleet.ReportsResumed();
        fleet.unpause();
        vm.assertTrue(!fleet.paused(), "paused");
        report(homeA, FIRST - 2, 0);
    }

    /// @dev An interval that took reports when the pause began takes them for another grace time; one that was final stays.
    function test_fuzz_pause_stopsTheGraceTime(uint256 pausedFor, uint256 begunAt) public {
        begunAt %= INTERVAL_S + 2 * GRACE_S;
        pausedFor %= 7 days;
        at(begunAt);
        bool final_ = fleet.isFinal(FIRST);
        fleet.pause();
        at(begunAt + pausedFor);
        vm.assertEq(fleet.isFinal(FIRST), final_, "final during the pause");
        fleet.unpause();

        uint256 deadline = START_S + INTERVAL_S + GRACE_S;
        uint256 graceEnd = block.timestamp + GRACE_S;
        if (!final_ && graceEnd > deadline) deadline = graceEnd;
        vm.assertEq(fleet.isFinal(FIRST), block.timestamp >= deadline, "final after the pause");
        if (deadline > block.timestamp) {
            vm.warp(deadline - 1);
            vm.assertTrue(!fleet.isFinal(FIRST), "not final a second before");
            vm.warp(deadline);
        }
        vm.assertTrue(fleet.isFinal(FIRST), "final");
    }

    /// @dev Whatever the owner plays with pauses, what was final stays so.
    function test_fuzz_pause_neverUndoesAnEnd(uint256 seed) public {
        at(INTERVAL_S);
        bool[3] memory final_;
        for (uint256 step = 0; step < 12; ++step) {
            seed = uint256(keccak256(abi.encode(seed)));
            vm.warp(block.timestamp + seed % 900);
            if (fleet.paused()) fleet.unpause();
            else fleet.pause();
            for (uint32 i = 0; i < 3; ++i) {
                bool now_ = fleet.isFinal(FIRST + i);
                vm.assertTrue(now_ || !final_[i], "final for ever");
                final_[i] = now_;
            }
        }
    }

    function test_pause_leavesMembersAndPromisesAlone() public {
        fleet.pause();
        commit(1, 100);
        fleet.enrol(stranger, 1, 1, address(0));
        fleet.retire(homeA);
    }
}
