// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IFleet} from "../../../contracts/src/interfaces/IFleet.sol";
import {PackedReport} from "../../../contracts/src/libraries/ReportLib.sol";

import {vm} from "../base/Vm.sol";
import {World} from "../base/World.sol";

/// @title Attempts to have energy counted twice, or for somebody else
contract SignatureAttacks is World {
    uint256 private constant ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;

    function setUp() public override {
        super.setUp();
        at(600);
    }

    function skipped(IFleet.SignedReport memory s, bytes memory reason) private {
        expectSkipped(s.report.member(), 0, reason);
        fleet.reportSigned(batch(s), noProof());
    }

    function badSignature(address member) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IFleet.FleetSignatureInvalid.selector, member);
    }

    function badNonce(address member, uint32 given, uint32 expected) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IFleet.FleetNonce.selector, member, given, expected);
    }

    /* REPLAY */

    function test_attack_theSameBatchTwice_isSkipped() public {
        IFleet.SignedReport memory s = signed(KEY_A, FIRST, 100, 0);
        fleet.reportSigned(batch(s), noProof());
        skipped(s, badNonce(homeA, 0, 1));
        vm.assertEq(deliveredWh(FIRST), 100, "delivered");
    }

    function test_attack_theSameReportTwiceInABatch_isSkipped() public {
        IFleet.SignedReport memory s = signed(KEY_A, FIRST, 100, 0);
        expectSkipped(homeA, 1, badNonce(homeA, 0, 1));
        fleet.reportSigned(batch(s, s), noProof());
        vm.assertEq(deliveredWh(FIRST), 100, "delivered");
    }

    /// @dev A home that hands a report to a relay and sends the same energy itself is counted once.
    function test_attack_signedBesideDirect_isSkipped() public {
        IFleet.SignedReport memory s = signed(KEY_A, FIRST, 100, 0);
        report(homeA, FIRST, 100);
        skipped(s, badNonce(homeA, 0, 1));
        vm.assertEq(deliveredWh(FIRST), 100, "delivered");
    }

    function test_attack_replayAfterLeavingAndComingBack_isSkipped() public {
        IFleet.SignedReport memory s = signed(KEY_A, FIRST, 100, 0);
        fleet.reportSigned(batch(s), noProof());
        fleet.retire(homeA);
        skipped(s, abi.encodeWithSelector(IFleet.FleetMemberUnknown.selector, homeA));
        fleet.enrol(homeA, CAPACITY_WH, GRID_POWER_W, address(0));
        skipped(s, badNonce(homeA, 0, 1));
        vm.assertEq(deliveredWh(FIRST), 100, "delivered");
    }

    /// @dev A batch shows the lower half of a nonce; after 65536 reports that half is the same, what is signed is not.
    function test_attack_replayAfter65536Reports_isSkipped() public {
        IFleet.SignedReport memory s = signed(KEY_A, FIRST, 100, 0);
        // Members are the fleet's second variable; a nonce is the upper 32 bits of a member's word.
        bytes32 slot = keccak256(abi.encode(homeA, uint256(1)));
        vm.store(address(fleet), slot, vm.load(address(fleet), slot) | bytes32(uint256(2 ** 16) << 224));
        vm.assertEq(uint256(fleet.nonceOf(homeA)), 2 ** 16, "the nonce that was set");
        skipped(s, badSignature(homeA));
        fleet.reportSigned(batch(signed(KEY_A, FIRST, 100, 2 ** 16)), noProof());
        vm.assertEq(deliveredWh(FIRST), 100, "delivered");
    }

    function test_attack_replayAtAnotherFleet_isSkipped() public {
        IFleet.SignedReport memory s = signed(KEY_A, FIRST, 100, 0);
        fleet = IFleet(newFleet(INTERVAL_S, GRACE_S, TOLERANCE_S));
        fleet.enrol(homeA, CAPACITY_WH, GRID_POWER_W, address(0));
        skipped(s, badSignature(homeA));
    }

    /// @dev A chain that splits changes its number on one side; signatures stay on the other.
    function test_attack_replayAfterAForkOfTheChain_isSkipped() public {
        IFleet.SignedReport memory s = signed(KEY_A, FIRST, 100, 0);
        vm.chainId(block.chainid + 1);
        skipped(s, badSignature(homeA));
        fleet.reportSigned(batch(signed(KEY_A, FIRST, 100, 0)), noProof());
        vm.assertEq(deliveredWh(FIRST), 100, "signed for this side");
    }

    function test_attack_aMeterSWordTwice_isRefused() public {
        IFleet.MeterEvidence memory e = evidence(0, homeC, FIRST, 100, 0);
        vm.prank(homeC);
        fleet.reportMetered(FIRST, 100, 5000, e.r, e.vs);
        vm.expectRevert(abi.encodeWithSelector(IFleet.FleetMeterSignatureInvalid.selector, homeC));
        vm.prank(homeC);
        fleet.reportMetered(FIRST, 100, 5000, e.r, e.vs);
    }

    /// @dev One meter's key registered for two homes: its word for one is none for the other.
    function test_attack_aMeterSWordForAnotherHome_isRefused() public {
        fleet.enrol(stranger, CAPACITY_WH, GRID_POWER_W, meter);
        IFleet.MeterEvidence memory e = evidence(0, homeC, FIRST, 100, 0);
        vm.expectRevert(abi.encodeWithSelector(IFleet.FleetMeterSignatureInvalid.selector, stranger));
        vm.prank(stranger);
        fleet.reportMetered(FIRST, 100, 5000, e.r, e.vs);
    }

    /// @dev A home's own signature is not its meter's.
    function test_attack_theHomeAsItsOwnMeter_isSkipped() public {
        IFleet.SignedReport memory s = signed(KEY_C, FIRST, 100, 0);
        IFleet.MeterEvidence memory own = IFleet.MeterEvidence({place: 0, r: s.r, vs: s.vs});
        expectSkipped(homeC, 0, abi.encodeWithSelector(IFleet.FleetMeterSignatureInvalid.selector, homeC));
        fleet.reportSigned(batch(s), proof(own));
    }

    /* MALLEABILITY */

    /// @dev (r, n - s) with the other parity signs the same. The compact form has 255 bits for s: tried with and without
    /// its top bit.
    function test_fuzz_attack_theTwinOfASignature_isSkipped(uint16 energyWh, bool parity) public {
        int32 netWh = int32(uint32(energyWh % 1000));
        IFleet.SignedReport memory s = signed(KEY_A, FIRST, netWh, 0);
        uint256 vs = uint256(s.vs);
        uint256 twin = (ORDER - vs % 2 ** 255) % 2 ** 255;
        if (parity ? vs >> 255 == 0 : vs >> 255 == 1) twin |= 2 ** 255;
        s.vs = bytes32(twin);
        skipped(s, badSignature(homeA));
    }

    function test_attack_theOtherParity_isSkipped() public {
        IFleet.SignedReport memory s = signed(KEY_A, FIRST, 100, 0);
        s.vs ^= bytes32(uint256(1) << 255);
        skipped(s, badSignature(homeA));
    }

    /// @dev What does not recover to anybody recovers to zero, which is no member's account.
    function test_attack_nobodySSignature_isSkipped() public {
        IFleet.SignedReport memory s = signed(KEY_A, FIRST, 100, 0);
        (s.r, s.vs) = (0, 0);
        skipped(s, badSignature(homeA));
        PackedReport ofNobody = PackedReport.wrap(bytes32(uint256(uint96(uint256(PackedReport.unwrap(s.report))))));
        s.report = ofNobody;
        skipped(s, abi.encodeWithSelector(IFleet.FleetMemberUnknown.selector, address(0)));
    }

    /// @dev Metered, with evidence that recovers to zero.
    function test_attack_nobodySEvidence_isSkipped() public {
        IFleet.SignedReport[] memory reports = batch(signed(KEY_C, FIRST, 100, 0));
        IFleet.MeterEvidence memory nothing;
        expectSkipped(homeC, 0, abi.encodeWithSelector(IFleet.FleetMeterSignatureInvalid.selector, homeC));
        fleet.reportSigned(reports, proof(nothing));
    }

    /* SOMEBODY ELSE'S */

    function test_fuzz_attack_aReportForAnotherHome_isSkipped(uint256 key) public {
        key = key % (ORDER - 1) + 1;
        vm.assume(key != KEY_A);
        skipped(signedFor(homeA, key, FIRST, 100, 0), badSignature(homeA));
    }
}
