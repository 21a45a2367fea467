// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IFleet} from "../../../contracts/src/interfaces/IFleet.sol";
import {ISettlement} from "../../../contracts/src/interfaces/ISettlement.sol";

import {vm} from "../base/Vm.sol";
import {World} from "../base/World.sol";

/// @title Attempts at the edges of time and of numbers
contract ClockAttacks is World {
    function refused(address home, uint32 interval, int32 netExportWh, bytes memory reason) private {
        vm.expectRevert(reason);
        report(home, interval, netExportWh);
    }

    /* ENERGY OUT OF TIME */

    /// @dev Each report grants the tolerance anew; the interval's own limit does not.
    function test_attack_manyReportsInASecond_gainNothing() public {
        at(600);
        report(homeA, FIRST, 2000);
        // 12 kW for 660 s are 2200 Wh.
        report(homeA, FIRST, 200);
        refused(
            homeA, FIRST, 1, abi.encodeWithSelector(IFleet.FleetIntervalEnergyLimit.selector, homeA, FIRST, 2201, 2200)
        );
    }

    /// @dev A day of silence does not all fit into one interval.
    function test_attack_hoardingEnergy_gainsNothing() public {
        at(INTERVAL_S - 1);
        vm.warp(block.timestamp + 48 * uint256(INTERVAL_S));
        refused(
            homeA,
            FIRST + 48,
            6201,
            abi.encodeWithSelector(IFleet.FleetIntervalEnergyLimit.selector, homeA, FIRST + 48, 6201, 6196)
        );
    }

    /// @dev Imports booked late, to make room for exports that were none: the limit is on the net export, either way.
    function test_attack_importsThenExports_gainNothing() public {
        at(INTERVAL_S - 1);
        report(homeA, FIRST, -6000);
        refused(homeA, FIRST, 6400, abi.encodeWithSelector(IFleet.FleetEnergyLimit.selector, homeA, 6400, 200));
    }

    /// @dev In the same second an interval ends and the next begins: energy goes to one of them.
    function test_attack_theSameSecondInTwoIntervals_gainsNothing() public {
        at(0);
        report(homeA, FIRST, 0);
        at(INTERVAL_S);
        report(homeA, FIRST, 6000);
        refused(homeA, FIRST + 1, 201, abi.encodeWithSelector(IFleet.FleetEnergyLimit.selector, homeA, 201, 200));
    }

    function test_attack_theFirstSecondOfAnInterval_bearsTheToleranceOnly() public {
        at(0);
        refused(
            homeA, FIRST, 201, abi.encodeWithSelector(IFleet.FleetIntervalEnergyLimit.selector, homeA, FIRST, 201, 200)
        );
        report(homeA, FIRST, 200);
    }

    /// @dev Energy from before one was enrolled.
    function test_attack_energyOfTheTimeBeforeOneJoined_isRefused() public {
        at(INTERVAL_S - 1);
        fleet.enrol(stranger, CAPACITY_WH, GRID_POWER_W, address(0));
        refused(stranger, FIRST, 201, abi.encodeWithSelector(IFleet.FleetEnergyLimit.selector, stranger, 201, 200));
    }

    function test_attack_intervalsBeforeOneJoined_areRefused() public {
        at(INTERVAL_S);
        fleet.enrol(stranger, CAPACITY_WH, GRID_POWER_W, address(0));
        refused(
            stranger, FIRST, 1, abi.encodeWithSelector(IFleet.FleetIntervalOrder.selector, stranger, FIRST, FIRST + 1)
        );
    }

    /* NUMBERS */

    /// @dev No energy, interval or charge makes arithmetic fail: each is refused by name, or counts.
    function test_fuzz_attack_noReportPanics(uint32 interval, int32 netExportWh, uint16 socBp) public {
        at(600);
        vm.prank(homeA);
        (bool taken, bytes memory reason) =
            address(fleet).call(abi.encodeCall(IFleet.report, (interval, netExportWh, socBp)));
        vm.assertTrue(taken || reason.length > 4 && bytes4(reason) != bytes4(panic(0)), "refused by name");
    }

    function test_attack_theLargestEnergies_areRefused() public {
        at(INTERVAL_S - 1);
        int32 most = type(int32).max;
        refused(homeA, FIRST, most, abi.encodeWithSelector(IFleet.FleetEnergyLimit.selector, homeA, most, 18_196));
        int32 least = type(int32).min;
        refused(homeA, FIRST, least, abi.encodeWithSelector(IFleet.FleetEnergyLimit.selector, homeA, least, 18_196));
    }

    /// @dev The same interval twice in one claim, by way of a count that wraps.
    function test_attack_aCountThatWraps_isRefused() public {
        commit(1, 1000);
        at(INTERVAL_S - 1);
        report(homeA, FIRST, 600);
        at(2 * INTERVAL_S);
        settlement.fund(1e6);
        settlement.post(FIRST, 100_000_000, 0);
        settlement.settle(FIRST);

        vm.expectRevert(abi.encodeWithSelector(ISettlement.SettlementIntervalRange.selector, type(uint32).max, 2));
        vm.prank(homeA);
        settlement.claim(type(uint32).max, 2);
        vm.prank(homeA);
        vm.assertEq(settlement.claim(type(uint32).max, 1), 0, "the last interval there is");
        vm.prank(homeA);
        vm.assertEq(settlement.claim(FIRST - 1, 3), 90_000, "once");
        vm.prank(homeA);
        vm.assertEq(settlement.claim(FIRST, 1), 0, "and no more");
    }

    /// @dev A claim of everything there ever can be runs out of gas, and nobody's credit is touched.
    function test_attack_aClaimWithoutEnd_runsOutOfGas() public {
        vm.prank(homeA);
        (bool done,) =
            address(settlement).call{gas: 1_000_000}(abi.encodeCall(ISettlement.claim, (0, type(uint32).max)));
        vm.assertTrue(!done, "out of gas");
        vm.prank(homeA);
        vm.assertEq(settlement.claim(FIRST, 1), 0, "and no lock stays behind");
    }

    /* PAUSES */

    /// @dev A pause in the last second of the grace time, to shut homes out.
    function test_attack_aPauseInTheLastSecond_shutsNobodyOut() public {
        commit(1, 1000);
        at(INTERVAL_S + GRACE_S - 1);
        fleet.pause();
        at(INTERVAL_S + GRACE_S + 7 days);
        vm.expectRevert(abi.encodeWithSelector(ISettlement.SettlementNotFinal.selector, FIRST));
        settlement.post(FIRST, 1, 1);
        fleet.unpause();
        report(homeA, FIRST, 10);
        vm.assertEq(deliveredWh(FIRST), 10, "delivered");
    }

    /// @dev A pause after the deadline, to open a final interval again.
    function test_attack_aPauseAfterTheEnd_opensNothing() public {
        at(INTERVAL_S + GRACE_S);
        fleet.pause();
        fleet.unpause();
        fleet.pause();
        at(INTERVAL_S + GRACE_S + 60);
        fleet.unpause();
        uint256 deadline = START_S + INTERVAL_S + GRACE_S;
        refused(homeA, FIRST, 1, abi.encodeWithSelector(IFleet.FleetIntervalOver.selector, FIRST, deadline));
    }

    /// @dev Chains of pauses, each begun within the grace time of the one before.
    function test_attack_pausesInAChain_keepAllIntervalsOpen() public {
        at(INTERVAL_S + GRACE_S - 1);
        for (uint256 i = 0; i < 5; ++i) {
            fleet.pause();
            vm.warp(block.timestamp + 1 days);
            fleet.unpause();
            vm.warp(block.timestamp + GRACE_S - 1);
            vm.assertTrue(!fleet.isFinal(FIRST), "open");
        }
        report(homeA, FIRST, 10);
        vm.warp(block.timestamp + 1);
        vm.assertTrue(fleet.isFinal(FIRST), "final in the end");
    }

    /// @dev A battery is not to lapse because its home could not report.
    function test_attack_lapsingThoseWhoWereStopped_isRefused() public {
        at(0);
        report(homeA, FIRST, 0);
        fleet.pause();
        at(2 * INTERVAL_S);
        vm.expectRevert(abi.encodeWithSelector(IFleet.FleetPaused.selector));
        fleet.lapse(homeA);
        fleet.unpause();
        vm.expectRevert(abi.encodeWithSelector(IFleet.FleetMemberHeard.selector, homeA, block.timestamp));
        fleet.lapse(homeA);
    }

    /// @dev Weight taken twice would borrow from the others' sums.
    function test_attack_lapsingTwiceAndRetiring_takesTheWeightOnce() public {
        at(0);
        report(homeA, FIRST, 0);
        report(homeB, FIRST, 0);
        at(INTERVAL_S + 1);
        fleet.lapse(homeA);
        vm.expectRevert(abi.encodeWithSelector(IFleet.FleetMemberWeightless.selector, homeA));
        fleet.lapse(homeA);
        fleet.retire(homeA);
        (, uint32 exportPpb, uint32 importPpb,,,) = fleet.coordination(homeB, FIRST + 1);
        vm.assertEq(uint256(exportPpb), 1e9, "B bears all of a debt");
        vm.assertEq(uint256(importPpb), 1e9, "and of an excess");
    }
}
