// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IFleet} from "../../contracts/src/interfaces/IFleet.sol";
import {PackedReport} from "../../contracts/src/libraries/ReportLib.sol";

import {vm} from "./base/Vm.sol";
import {World} from "./base/World.sol";

/// @title Reports that a relay hands in for those who signed them
contract FleetSignedTest is World {
    /// @dev Another fleet, to which homes A and B report by themselves.
    IFleet private alone;

    function setUp() public override {
        super.setUp();
        alone = IFleet(newFleet(INTERVAL_S, GRACE_S, TOLERANCE_S));
        alone.enrol(homeA, CAPACITY_WH, GRID_POWER_W, address(0));
        alone.enrol(homeB, CAPACITY_WH, GRID_POWER_W, address(0));
        at(600);
    }

    /// @dev Hands in a good report, the one given, and another good one; the one in the middle is skipped, the rest count.
    function skipped(IFleet.SignedReport memory bad, address member, bytes memory reason) private {
        IFleet.SignedReport[] memory reports = new IFleet.SignedReport[](3);
        reports[0] = signed(KEY_A, FIRST, 10, 0);
        reports[1] = bad;
        reports[2] = signed(KEY_A, FIRST, 20, 1);
        expectSkipped(member, 1, reason);
        vm.prank(stranger);
        fleet.reportSigned(reports, noProof());
        vm.assertEq(deliveredWh(FIRST), 30, "the rest count");
    }

    /* THE BATCH AS A WHOLE */

    function test_reportSigned_revertsWithPaused() public {
        fleet.pause();
        vm.expectRevert(abi.encodeWithSelector(IFleet.FleetPaused.selector));
        fleet.reportSigned(new IFleet.SignedReport[](0), noProof());
    }

    function test_reportSigned_revertsWithEvidencePlaceBeyondTheBatch() public {
        IFleet.SignedReport[] memory reports = batch(signed(KEY_A, FIRST, 1, 0));
        IFleet.MeterEvidence[] memory proofs = proof(evidence(1, homeA, FIRST, 1, 0));
        vm.expectRevert(abi.encodeWithSelector(IFleet.FleetEvidencePlace.selector, 1));
        fleet.reportSigned(reports, proofs);
    }

    function test_reportSigned_revertsWithEvidencePlaceOutOfOrder() public {
        IFleet.SignedReport[] memory reports = batch(signed(KEY_C, FIRST, 1, 0), signed(KEY_C, FIRST, 2, 1));
        IFleet.MeterEvidence[] memory proofs = new IFleet.MeterEvidence[](2);
        proofs[0] = evidence(1, homeC, FIRST, 2, 1);
        proofs[1] = evidence(0, homeC, FIRST, 1, 0);
        vm.expectRevert(abi.encodeWithSelector(IFleet.FleetEvidencePlace.selector, 0));
        fleet.reportSigned(reports, proofs);
    }

    function test_reportSigned_succeedsWithNothing() public {
        vm.expectEmit(address(fleet));
        emit IFleet.ReportsRelayed(address(this), new PackedReport[](0));
        fleet.reportSigned(new IFleet.SignedReport[](0), noProof());
    }

    function test_reportSigned_succeeds() public {
        IFleet.SignedReport[] memory reports = batch(signed(KEY_A, FIRST, -3, 0), signed(KEY_C, FIRST, 11, 0));
        PackedReport[] memory counted = new PackedReport[](2);
        (counted[0], counted[1]) = (reports[0].report, reports[1].report);

        vm.expectEmit(address(fleet));
        emit IFleet.ReportsRelayed(stranger, counted);
        vm.prank(stranger);
        fleet.reportSigned(reports, proof(evidence(1, homeC, FIRST, 11, 0)));

        vm.assertEq(fleet.exportOf(homeA, FIRST), int256(-3), "exportOf A");
        vm.assertEq(fleet.exportOf(homeC, FIRST), int256(11), "exportOf C");
        vm.assertEq(deliveredWh(FIRST), 8, "delivered");
        vm.assertEq(uint256(fleet.nonceOf(homeA)), 1, "nonceOf");
    }

    /* WHAT IS SKIPPED */

    function test_reportSigned_skipsAStranger() public {
        skipped(
            signed(KEY_STRANGER, FIRST, 1, 0),
            stranger,
            abi.encodeWithSelector(IFleet.FleetMemberUnknown.selector, stranger)
        );
    }

    function test_reportSigned_skipsAnotherNonce() public {
        skipped(signed(KEY_B, FIRST, 1, 5), homeB, abi.encodeWithSelector(IFleet.FleetNonce.selector, homeB, 5, 0));
    }

    function test_reportSigned_skipsAnotherSigner() public {
        skipped(
            signedFor(homeB, KEY_A, FIRST, 1, 0),
            homeB,
            abi.encodeWithSelector(IFleet.FleetSignatureInvalid.selector, homeB)
        );
    }

    function test_reportSigned_skipsAMissingMeter() public {
        skipped(
            signed(KEY_C, FIRST, 1, 0), homeC, abi.encodeWithSelector(IFleet.FleetMeterEvidenceMissing.selector, homeC)
        );
    }

    function test_reportSigned_skipsWhatADirectReportWouldBeRefusedFor() public {
        skipped(
            signed(KEY_B, FIRST + 1, 1, 0),
            homeB,
            abi.encodeWithSelector(IFleet.FleetIntervalFuture.selector, FIRST + 1, FIRST)
        );
    }

    function test_reportSigned_skipsEvidenceOfAnotherReport() public {
        IFleet.SignedReport[] memory reports = batch(signed(KEY_C, FIRST, 1, 0));
        IFleet.MeterEvidence[] memory proofs = proof(evidence(0, homeC, FIRST, 2, 0));
        expectSkipped(homeC, 0, abi.encodeWithSelector(IFleet.FleetMeterSignatureInvalid.selector, homeC));
        fleet.reportSigned(reports, proofs);
    }

    function test_reportSigned_skipsEvidenceOfAMemberWithoutMeter() public {
        IFleet.SignedReport[] memory reports = batch(signed(KEY_A, FIRST, 1, 0));
        IFleet.MeterEvidence[] memory proofs = proof(evidence(0, homeA, FIRST, 1, 0));
        expectSkipped(homeA, 0, abi.encodeWithSelector(IFleet.FleetMeterUnregistered.selector, homeA));
        fleet.reportSigned(reports, proofs);
    }

    /// @dev Any single bit changed in a signed report or its signature, and it does not count.
    function test_fuzz_reportSigned_skipsWhateverWasChanged(uint256 bit) public {
        bit %= 3 * 256;
        IFleet.SignedReport memory s = signed(KEY_A, FIRST, 10, 0);
        bytes32 mask = bytes32(uint256(1) << (bit % 256));
        if (bit < 256) s.report = PackedReport.wrap(PackedReport.unwrap(s.report) ^ mask);
        else if (bit < 512) s.r ^= mask;
        else s.vs ^= mask;

        fleet.reportSigned(batch(s), noProof());

        vm.assertEq(deliveredWh(FIRST), 0, "delivered");
        vm.assertEq(uint256(fleet.nonceOf(homeA)), 0, "nonceOf");
    }

    /// @dev A batch does to the fleet what its reports do alone, whatever is among them.
    function test_fuzz_reportSigned_countsAsReportsAloneDo(uint256 seed) public {
        uint256 count = 1 + seed % 6;
        IFleet.SignedReport[] memory reports = new IFleet.SignedReport[](count);
        at(INTERVAL_S + 60);
        for (uint256 place = 0; place < count; ++place) {
            seed = uint256(keccak256(abi.encode(seed)));
            (address home, uint256 key) = seed % 2 == 0 ? (homeA, KEY_A) : (homeB, KEY_B);
            uint32 interval = FIRST + uint32((seed >> 8) % 3);
            int32 energyWh = int32(int256((seed >> 16) % 16_000) - 8000);
            reports[place] = signed(key, interval, energyWh, alone.nonceOf(home));
            vm.prank(home);
            (bool taken,) = address(alone).call(abi.encodeCall(IFleet.report, (interval, energyWh, 5000)));
            taken;
        }

        fleet.reportSigned(reports, noProof());

        for (uint32 interval = FIRST; interval < FIRST + 3; ++interval) {
            assertSame(abi.encodeCall(IFleet.delivery, (interval)));
            assertSame(abi.encodeCall(IFleet.coordination, (homeA, interval)));
            assertSame(abi.encodeCall(IFleet.exportOf, (homeA, interval)));
            assertSame(abi.encodeCall(IFleet.exportOf, (homeB, interval)));
        }
        assertSame(abi.encodeCall(IFleet.nonceOf, (homeA)));
    }

    function assertSame(bytes memory question) private view {
        (, bytes memory ours) = address(fleet).staticcall(question);
        (, bytes memory theirs) = address(alone).staticcall(question);
        vm.assertEq(ours, theirs, "the batch and the reports alone");
    }

    function test_eip712Domain_succeeds() public view {
        (bytes1 fields, string memory name, string memory version, uint256 chainId, address verifier,,) =
            fleet.eip712Domain();
        vm.assertEq(bytes32(fields), bytes32(bytes1(0x0f)), "fields");
        vm.assertEq(bytes(name), "Gridpact Fleet", "name");
        vm.assertEq(bytes(version), "1", "version");
        vm.assertEq(chainId, block.chainid, "chainId");
        vm.assertEq(verifier, address(fleet), "verifyingContract");
    }
}
