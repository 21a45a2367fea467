// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IFleet} from "../../contracts/src/interfaces/IFleet.sol";

import {vm} from "./base/Vm.sol";
import {World} from "./base/World.sol";

/// @title What a member may report by itself, and what comes of it
contract FleetReportTest is World {
    function refused(address home, uint32 interval, int32 netExportWh, uint16 socBp, bytes memory reason) private {
        vm.expectRevert(reason);
        vm.prank(home);
        fleet.report(interval, netExportWh, socBp);
    }

    /* REPORT: REFUSALS */

    function test_report_revertsWithMemberUnknown() public {
        refused(stranger, FIRST, 0, 0, abi.encodeWithSelector(IFleet.FleetMemberUnknown.selector, stranger));
    }

    function test_report_revertsWithPaused() public {
        fleet.pause();
        refused(homeA, FIRST, 0, 0, abi.encodeWithSelector(IFleet.FleetPaused.selector));
    }

    function test_report_revertsWithMeterEvidenceMissing() public {
        refused(homeC, FIRST, 0, 0, abi.encodeWithSelector(IFleet.FleetMeterEvidenceMissing.selector, homeC));
    }

    function test_report_revertsWithSocRange() public {
        at(60);
        refused(homeA, FIRST, 0, 10_001, abi.encodeWithSelector(IFleet.FleetSocRange.selector, 10_001));
    }

    function test_report_revertsWithIntervalFuture() public {
        at(INTERVAL_S - 1);
        refused(homeA, FIRST + 1, 0, 0, abi.encodeWithSelector(IFleet.FleetIntervalFuture.selector, FIRST + 1, FIRST));
    }

    function test_report_revertsWithIntervalOver() public {
        uint256 deadline = START_S + INTERVAL_S + GRACE_S;
        vm.warp(deadline);
        refused(homeA, FIRST, 0, 0, abi.encodeWithSelector(IFleet.FleetIntervalOver.selector, FIRST, deadline));
    }

    function test_report_revertsWithIntervalOrder() public {
        at(INTERVAL_S);
        report(homeA, FIRST + 1, 0);
        refused(homeA, FIRST, 0, 0, abi.encodeWithSelector(IFleet.FleetIntervalOrder.selector, homeA, FIRST, FIRST + 1));
    }

    function test_report_revertsWithEnergyLimit() public {
        at(600);
        report(homeA, FIRST, 0);
        at(660);
        // 12 kW for 60 s and the tolerance of 60 s.
        refused(homeA, FIRST, 401, 0, abi.encodeWithSelector(IFleet.FleetEnergyLimit.selector, homeA, 401, 400));
    }

    function test_report_revertsWithIntervalEnergyLimit() public {
        at(30);
        // The home has been silent for an hour, but the interval is 30 s old.
        refused(
            homeA,
            FIRST,
            -301,
            0,
            abi.encodeWithSelector(IFleet.FleetIntervalEnergyLimit.selector, homeA, FIRST, -301, 300)
        );
    }

    function test_report_revertsWithEnergyOverflowOfTheMember() public {
        (address giant,) = giants(1);
        at(INTERVAL_S - 1);
        report(giant, FIRST, type(int32).max);
        refused(giant, FIRST, 1, 0, abi.encodeWithSelector(IFleet.FleetEnergyOverflow.selector, int256(2) ** 31));
    }

    function test_report_revertsWithEnergyOverflowOfTheFleet() public {
        (, address[] memory all) = giants(257);
        at(INTERVAL_S - 1);
        // 256 times 2^31 - 1 fit in 39 bits, another does not.
        for (uint256 i = 0; i < 256; ++i) {
            report(all[i], FIRST, type(int32).max);
        }
        int256 sumWh = 257 * int256(type(int32).max);
        refused(all[256], FIRST, type(int32).max, 0, abi.encodeWithSelector(IFleet.FleetEnergyOverflow.selector, sumWh));
        vm.assertEq(deliveredWh(FIRST), 256 * int256(type(int32).max), "delivered");
    }

    /// @dev Enrols homes with as large a connection as there is.
    function giants(uint160 count) private returns (address first, address[] memory all) {
        all = new address[](count);
        for (uint160 i = 0; i < count; ++i) {
            all[i] = address(0x61A47 + i);
            fleet.enrol(all[i], 0, type(uint32).max, address(0));
        }
        first = all[0];
    }

    /* REPORT: THE CLOCK */

    /// @dev An interval takes reports from its first second until the last of its grace time, and is final from then on.
    function test_fuzz_report_countsFromBeginToDeadline(uint256 second) public {
        second %= 3 * INTERVAL_S;
        at(second);
        uint256 deadline = START_S + INTERVAL_S + GRACE_S;
        vm.assertEq(fleet.isFinal(FIRST), block.timestamp >= deadline, "isFinal");

        if (block.timestamp >= deadline) {
            refused(homeA, FIRST, 0, 0, abi.encodeWithSelector(IFleet.FleetIntervalOver.selector, FIRST, deadline));
        } else {
            report(homeA, FIRST, 0);
        }
    }

    /// @dev Whatever a home reports and when, its interval never gets more than its connection carries.
    function test_fuzz_report_keepsTheRating(uint256 seed) public {
        at(0);
        for (uint256 i = 0; i < 6; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            vm.warp(block.timestamp + seed % 500);
            int32 energyWh = int32(int256((seed >> 64) % 14_000) - 7000);
            vm.prank(homeA);
            (bool taken,) = address(fleet).call(abi.encodeCall(IFleet.report, (FIRST, energyWh, 5000)));
            taken;
        }

        int256 netWh = fleet.exportOf(homeA, FIRST);
        uint256 elapsedS = block.timestamp - START_S;
        if (elapsedS > INTERVAL_S) elapsedS = INTERVAL_S;
        uint256 limitWh = GRID_POWER_W * (elapsedS + TOLERANCE_S) / 3600;
        vm.assertLe(uint256(netWh < 0 ? -netWh : netWh), limitWh, "net export");
    }

    /* REPORT: WHAT COMES OF IT */

    function test_report_succeeds() public {
        at(600);
        vm.expectEmit(address(fleet));
        emit IFleet.Reported(homeA, FIRST, -25, 5000);
        report(homeA, FIRST, -25);

        IFleet.MemberView memory expected = IFleet.MemberView({
            enrolled: true,
            capacityWh: CAPACITY_WH,
            gridPowerW: GRID_POWER_W,
            interval: FIRST,
            reportedAt: uint40(block.timestamp),
            netExportWh: -25,
            socBp: 5000,
            weighed: true,
            nonce: 1,
            meter: address(0)
        });
        vm.assertEq(abi.encode(fleet.memberOf(homeA)), abi.encode(expected), "memberOf");
        vm.assertEq(deliveredWh(FIRST), -25, "delivered");
    }

    function test_report_succeedsAndClosesTheIntervalBefore() public {
        at(600);
        report(homeA, FIRST, 10);
        report(homeB, FIRST, -4);
        at(INTERVAL_S);

        vm.expectEmit(address(fleet));
        emit IFleet.IntervalClosed(FIRST, 6, 10);
        report(homeA, FIRST + 1, 0);
        report(homeB, FIRST, 9);

        (, int40 lateWh, uint40 exportedWh) = fleet.delivery(FIRST);
        vm.assertEq(lateWh, int256(15), "late reports count where they belong");
        vm.assertEq(uint256(exportedWh), 15, "exported");
    }

    /// @dev A late report's battery is weighed by the target of now, also when nobody reported for now yet.
    function test_report_succeedsLateWithTheWeightOfNow() public {
        publish(FIRST, 1, 2000, 10);
        publish(FIRST + 1, 1, 8000, 10);
        at(600);
        report(homeB, FIRST, 0);
        at(INTERVAL_S + 60);
        report(homeA, FIRST, 0);

        (, uint32 exportPpb,,,,) = fleet.coordination(homeA, FIRST + 1);
        vm.assertEq(uint256(exportPpb), 0, "half full is less than the target of now");
    }

    function test_fuzz_report_addsUp(int32[4] memory energiesWh) public {
        at(INTERVAL_S - 1);
        int256 sumA;
        int256 sumB;
        for (uint256 i = 0; i < 4; ++i) {
            int32 energyWh = energiesWh[i] % 100;
            report(i % 2 == 0 ? homeA : homeB, FIRST, energyWh);
            if (i % 2 == 0) sumA += energyWh;
            else sumB += energyWh;
        }

        (, int40 netWh, uint40 exportedWh) = fleet.delivery(FIRST);
        vm.assertEq(fleet.exportOf(homeA, FIRST), sumA, "exportOf A");
        vm.assertEq(fleet.exportOf(homeB, FIRST), sumB, "exportOf B");
        vm.assertEq(netWh, sumA + sumB, "delivered");
        vm.assertEq(
            uint256(exportedWh), uint256((sumA > 0 ? sumA : int256(0)) + (sumB > 0 ? sumB : int256(0))), "exported"
        );
    }

    /* REPORT WITH A METER */

    function metered(address home, int32 netExportWh, IFleet.MeterEvidence memory e) private {
        vm.prank(home);
        fleet.reportMetered(FIRST, netExportWh, 5000, e.r, e.vs);
    }

    function test_reportMetered_revertsWithPaused() public {
        fleet.pause();
        vm.expectRevert(abi.encodeWithSelector(IFleet.FleetPaused.selector));
        fleet.reportMetered(FIRST, 0, 0, 0, 0);
    }

    function test_reportMetered_revertsWithMemberUnknown() public {
        vm.expectRevert(abi.encodeWithSelector(IFleet.FleetMemberUnknown.selector, address(this)));
        fleet.reportMetered(FIRST, 0, 0, 0, 0);
    }

    function test_reportMetered_revertsWithMeterUnregistered() public {
        IFleet.MeterEvidence memory e = evidence(0, homeA, FIRST, 7, 0);
        vm.expectRevert(abi.encodeWithSelector(IFleet.FleetMeterUnregistered.selector, homeA));
        metered(homeA, 7, e);
    }

    function test_reportMetered_revertsWithMeterSignatureInvalid() public {
        IFleet.MeterEvidence memory e = evidence(0, homeC, FIRST, 7, 0);
        vm.expectRevert(abi.encodeWithSelector(IFleet.FleetMeterSignatureInvalid.selector, homeC));
        metered(homeC, 8, e);
    }

    function test_reportMetered_revertsWithWhatIsWrongWithTheReport() public {
        IFleet.MeterEvidence memory e = evidence(0, homeC, FIRST, 7, 0);
        vm.expectRevert(abi.encodeWithSelector(IFleet.FleetIntervalFuture.selector, FIRST, FIRST - 2));
        metered(homeC, 7, e);
    }

    function test_reportMetered_succeeds() public {
        at(600);
        metered(homeC, 7, evidence(0, homeC, FIRST, 7, 0));

        vm.assertEq(deliveredWh(FIRST), 7, "delivered");
        vm.assertEq(uint256(fleet.nonceOf(homeC)), 1, "nonceOf");
    }
}
