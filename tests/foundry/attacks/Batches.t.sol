// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IFleet} from "../../../contracts/src/interfaces/IFleet.sol";
import {PackedReport} from "../../../contracts/src/libraries/ReportLib.sol";

import {vm} from "../base/Vm.sol";
import {World} from "../base/World.sol";

/// @title Attempts to spoil a relay's batch with a bad report, or to make it dear
contract BatchAttacks is World {
    uint256 private constant SIZE = 9;

    function setUp() public override {
        super.setUp();
        for (uint256 i = 0; i < SIZE; ++i) {
            fleet.enrol(vm.addr(key(i)), CAPACITY_WH, GRID_POWER_W, address(0));
        }
        at(600);
    }

    function key(uint256 place) private pure returns (uint256) {
        return 0x600D + place;
    }

    /// @dev Returns good reports of 10 Wh of `SIZE` homes.
    function good() private view returns (IFleet.SignedReport[] memory reports) {
        reports = new IFleet.SignedReport[](SIZE);
        for (uint256 i = 0; i < SIZE; ++i) {
            reports[i] = signed(key(i), FIRST, 10, 0);
        }
    }

    /// @dev Returns the kinds of bad reports, each with what it is skipped for.
    function bad(uint256 kind, uint256 at_) private view returns (IFleet.SignedReport memory s, bytes memory reason) {
        address home = vm.addr(key(at_));
        if (kind == 0) {
            s = signed(KEY_STRANGER, FIRST, 10, 0);
            reason = abi.encodeWithSelector(IFleet.FleetMemberUnknown.selector, stranger);
        } else if (kind == 1) {
            s = signed(key(at_), FIRST, 10, 3);
            reason = abi.encodeWithSelector(IFleet.FleetNonce.selector, home, 3, 0);
        } else if (kind == 2) {
            s = signedFor(home, KEY_STRANGER, FIRST, 10, 0);
            reason = abi.encodeWithSelector(IFleet.FleetSignatureInvalid.selector, home);
        } else if (kind == 3) {
            s = signed(key(at_), FIRST, type(int32).min, 0);
            // 12 kW for the 4200 s since it was enrolled and 60 s more.
            reason = abi.encodeWithSelector(IFleet.FleetEnergyLimit.selector, home, type(int32).min, 14_200);
        } else if (kind == 4) {
            s = signed(key(at_), FIRST - 1, 10, 0);
            // Home's last interval is that of its enrolment; this one ended its grace time just now.
            reason = abi.encodeWithSelector(IFleet.FleetIntervalOver.selector, FIRST - 1, START_S + GRACE_S);
        } else if (kind == 5) {
            s = signed(key(at_), type(uint32).max, 10, 0);
            reason = abi.encodeWithSelector(IFleet.FleetIntervalFuture.selector, type(uint32).max, FIRST);
        } else {
            s = signed(KEY_C, FIRST, 10, 0);
            reason = abi.encodeWithSelector(IFleet.FleetMeterEvidenceMissing.selector, homeC);
        }
    }

    function test_attack_oneBadReportAtEachPlace_isSkippedAndTheRestCount() public {
        IFleet fresh = fleet;
        for (uint256 kind = 0; kind < 7; ++kind) {
            for (uint256 place = 0; place < SIZE; ++place) {
                fleet = fresh;
                uint256 snapshot = vm.snapshotState();
                IFleet.SignedReport[] memory reports = good();
                bytes memory reason;
                (reports[place], reason) = bad(kind, place);
                PackedReport[] memory counted = new PackedReport[](SIZE);
                for (uint256 i = 0; i < SIZE; ++i) {
                    if (i != place) counted[i] = reports[i].report;
                }

                expectSkipped(reports[place].report.member(), place, reason);
                vm.expectEmit(address(fleet));
                emit IFleet.ReportsRelayed(stranger, counted);
                vm.prank(stranger);
                fleet.reportSigned(reports, noProof());

                vm.assertEq(deliveredWh(FIRST), 10 * (int256(SIZE) - 1), "the rest count");
                vm.revertToState(snapshot);
            }
        }
    }

    function test_attack_aBatchOfNothingButBadReports_changesNothing() public {
        IFleet.SignedReport[] memory reports = new IFleet.SignedReport[](7);
        for (uint256 kind = 0; kind < 7; ++kind) {
            (reports[kind],) = bad(kind, kind);
        }
        bytes32 before = vm.load(address(fleet), 0);
        fleet.reportSigned(reports, noProof());
        vm.assertEq(vm.load(address(fleet), 0), before, "totals");
        for (uint256 i = 0; i < SIZE; ++i) {
            vm.assertEq(uint256(fleet.nonceOf(vm.addr(key(i)))), 0, "nonce");
        }
    }

    /// @dev Who signs a batch's report runs no code in it: no report costs a relay more than a little over a good one.
    function test_attack_noReportMakesABatchDear() public {
        uint256 goodGas = gasOf(good());
        for (uint256 kind = 0; kind < 7; ++kind) {
            IFleet.SignedReport[] memory reports = new IFleet.SignedReport[](SIZE);
            for (uint256 place = 0; place < SIZE; ++place) {
                (reports[place],) = bad(kind, place);
            }
            vm.assertLe(gasOf(reports), goodGas, "a bad batch costs no more than a good first one");
        }
    }

    function gasOf(IFleet.SignedReport[] memory reports) private returns (uint256 gas) {
        uint256 snapshot = vm.snapshotState();
        gas = gasleft();
        fleet.reportSigned(reports, noProof());
        gas -= gasleft();
        vm.revertToState(snapshot);
    }

    /// @dev Somebody who sees a batch coming hands in one of its reports alone: it counts once, and the batch goes on.
    function test_attack_aReportTakenOutAndSentFirst_countsOnce() public {
        IFleet.SignedReport[] memory reports = good();
        vm.prank(stranger);
        fleet.reportSigned(batch(reports[4]), noProof());

        address home = vm.addr(key(4));
        expectSkipped(home, 4, abi.encodeWithSelector(IFleet.FleetNonce.selector, home, 0, 1));
        fleet.reportSigned(reports, noProof());

        vm.assertEq(deliveredWh(FIRST), 10 * int256(SIZE), "delivered");
    }

    /// @dev Words that claim to be a longer array than was sent.
    function test_attack_aTornBatch_isRefused() public {
        bytes memory data = abi.encodeCall(IFleet.reportSigned, (good(), noProof()));
        assembly {
            // The length of the first array, after the selector and two offsets.
            mstore(add(data, 100), 1000000)
        }
        (bool taken,) = address(fleet).call(data);
        vm.assertTrue(!taken, "refused");
        vm.assertEq(deliveredWh(FIRST), 0, "delivered");
    }
}
