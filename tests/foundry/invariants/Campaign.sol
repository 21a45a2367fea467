// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IFleet} from "../../../contracts/src/interfaces/IFleet.sol";
import {ISettlement} from "../../../contracts/src/interfaces/ISettlement.sol";

import {Vm, vm} from "../base/Vm.sol";
import {Memory} from "./Memory.sol";

/// @title Members, a relay, the owner and strangers, in whatever order
/// @notice What forge calls at random. Each may be refused, but only with an error of ours by name: a panic, or a revert
/// without a word, fails the campaign.
contract Campaign is Memory {
    /// @dev What a campaign calls; all take a seed.
    function actions() external pure returns (bytes4[] memory all) {
        all = new bytes4[](18);
        all[0] = this.pass.selector;
        all[1] = this.reportAlone.selector;
        all[2] = this.reportMetered.selector;
        all[3] = this.relay.selector;
        all[4] = this.promiseMore.selector;
        all[5] = this.pauseOrResume.selector;
        all[6] = this.retireOrEnrol.selector;
        all[7] = this.lapse.selector;
        all[8] = this.post.selector;
        all[9] = this.settle.selector;
        all[10] = this.settleAny.selector;
        all[11] = this.claim.selector;
        all[12] = this.claimAll.selector;
        all[13] = this.depositBond.selector;
        all[14] = this.withdraw.selector;
        all[15] = this.fund.selector;
        all[16] = this.claimFee.selector;
        all[17] = this.reportLate.selector;
    }

    /// @dev Calls as `sender`; a refusal must be one of the contracts' own errors.
    function attempt(address sender, address to, bytes memory data) private returns (bool taken) {
        bytes memory answer;
        vm.prank(sender);
        (taken, answer) = to.call(data);
        if (taken) return true;
        vm.assertTrue(answer.length >= 4, "a refusal has a name");
        vm.assertTrue(bytes4(answer) != 0x4e487b71 && bytes4(answer) != 0x08c379a0, "of our own");
    }

    /// @dev Returns numbers that have nothing to do with each other, whatever forge likes to try.
    function mix(uint256 seed) private pure returns (uint256) {
        return uint256(keccak256(abi.encode(seed)));
    }

    /// @dev Returns an energy within +-`mostWh`. [Wh]
    function energy(uint256 seed, int256 mostWh) private pure returns (int32) {
        return int32(int256(uint256(uint64(seed))) % (2 * mostWh + 1) - mostWh);
    }

    /* TIME */

    function pass(uint256 seed) external {
        _pass(mix(seed) % 1500);
    }

    function _pass(uint256 seconds_) private {
        vm.warp(block.timestamp + seconds_);
        rememberFinal();
    }

    /* REPORTS */

    function reportAlone(uint256 seed) external {
        seed = mix(seed);
        _pass(seed % 400);
        _report(members[(seed >> 16) % 4], current(), energy(seed >> 32, 1200), uint16((seed >> 128) % 10_020));
    }

    /// @dev Reports for the interval before.
    function reportLate(uint256 seed) external {
        seed = mix(seed);
        _report(members[seed % 4], current() - 1, energy(seed >> 32, 3000), uint16((seed >> 128) % 10_001));
    }

    function _report(address member, uint32 interval, int32 netExportWh, uint16 soc) private {
        bytes memory data = abi.encodeCall(IFleet.report, (interval, netExportWh, soc));
        if (attempt(member, address(fleet), data)) rememberReport(member, interval, netExportWh, soc);
    }

    function reportMetered(uint256 seed) external {
        seed = mix(seed);
        _pass(seed % 400);
        int32 netExportWh = energy(seed >> 32, 1200);
        IFleet.MeterEvidence memory e = evidence(0, homeC, current(), netExportWh, fleet.nonceOf(homeC));
        bytes memory data = abi.encodeCall(IFleet.reportMetered, (current(), netExportWh, 5000, e.r, e.vs));
        if (attempt(homeC, address(fleet), data)) rememberReport(homeC, current(), netExportWh, 5000);
    }

    /// @dev Relays four reports, of which some are late, some too much, some signed by another, and some twice the same.
    function relay(uint256 seed) external {
        IFleet.SignedReport[] memory reports = new IFleet.SignedReport[](4);
        IFleet.MeterEvidence[] memory proofs = new IFleet.MeterEvidence[](4);
        address[4] memory who;
        int32[4] memory energiesWh;
        uint32[4] memory intervals;
        uint256 proved;
        for (uint256 place = 0; place < 4; ++place) {
            seed = mix(seed);
            uint256 index = seed % 4;
            who[place] = members[index];
            energiesWh[place] = energy(seed >> 64, 1000);
            intervals[place] = current() - uint32((seed >> 24) % 5 == 0 ? 1 : 0);
            uint32 nonce = fleet.nonceOf(who[place]) + uint32((seed >> 32) % 2);
            uint256 key = (seed >> 40) % 8 == 0 ? KEY_STRANGER : keys[index];
            reports[place] = signedFor(who[place], key, intervals[place], energiesWh[place], nonce);
            if (who[place] == homeC && (seed >> 48) % 4 != 0) {
                proofs[proved++] = evidence(place, homeC, intervals[place], energiesWh[place], nonce);
            }
        }
        assembly {
            mstore(proofs, proved)
        }
        vm.recordLogs();
        if (!attempt(stranger, address(fleet), abi.encodeCall(IFleet.reportSigned, (reports, proofs)))) return;
        bool[4] memory skipped = skippedPlaces();
        for (uint256 place = 0; place < 4; ++place) {
            if (!skipped[place]) rememberReport(who[place], intervals[place], energiesWh[place], 5000);
        }
    }

    function skippedPlaces() private returns (bool[4] memory skipped) {
        bytes32 topic = IFleet.ReportSkipped.selector;
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].topics[0] != topic) continue;
            (uint256 place, bytes memory reason) = abi.decode(logs[i].data, (uint256, bytes));
            vm.assertTrue(reason.length >= 4 && bytes4(reason) != 0x4e487b71, "a skipped report has a reason of ours");
            skipped[place] = true;
        }
    }

    /* THE OWNER */

    function promiseMore(uint256 seed) external {
        seed = mix(seed);
        uint32 first = current() + 1;
        publish(first, 3, uint16(seed % 10_001), 1 + uint32((seed >> 32) % 2000));
        for (uint32 i = 0; i < 3; ++i) {
            promisedIn[first + i] = true;
        }
    }

    /// @dev A pause leaves what is owed as it is.
    function pauseOrResume(uint256 seed) external {
        bytes32 before = allCredits();
        if (fleet.paused()) fleet.unpause();
        else if (mix(seed) % 4 == 0) fleet.pause();
        vm.assertEq(allCredits(), before, "a pause changes no credit");
        rememberFinal();
    }

    function retireOrEnrol(uint256 seed) external {
        seed = mix(seed);
        address member = members[seed % 4];
        bytes32 before = allCredits();
        // Back soon, and gone seldom.
        if (fleet.memberOf(member).enrolled && (seed >> 32) % 4 != 0) return;
        if (fleet.memberOf(member).enrolled) {
            fleet.retire(member);
            weighed[member] = false;
        } else {
            fleet.enrol(member, member == homeD ? 0 : CAPACITY_WH, GRID_POWER_W, member == homeC ? meter : address(0));
        }
        vm.assertEq(allCredits(), before, "coming and going changes no credit");
    }

    function lapse(uint256 seed) external {
        address member = members[mix(seed) % 4];
        if (attempt(stranger, address(fleet), abi.encodeCall(IFleet.lapse, (member)))) weighed[member] = false;
    }

    /* SETTLEMENT */

    /// @dev Posts prices, and perhaps a reading, of the first promised interval from one taken at random on.
    function post(uint256 seed) external {
        seed = mix(seed);
        uint32 interval = FIRST + uint32(seed % (current() - FIRST + 1));
        while (interval < current() && (!promisedIn[interval] || settlement.settlementOf(interval).posted)) {
            ++interval;
        }
        address to = address(settlement);
        if ((seed >> 32) % 3 == 0) {
            attempt(address(this), to, abi.encodeCall(ISettlement.postBoundary, (interval, energy(seed >> 64, 2000))));
        }
        // Between -100 and 900 per MWh, in steps that divide nothing.
        int64 price = int64(energy(seed >> 128, 500_000_019)) + 400_000_000;
        int64 imbalancePrice = int64(energy(seed >> 160, 300_000_007)) + 200_000_000;
        bytes memory data = abi.encodeCall(ISettlement.post, (interval, price, imbalancePrice));
        if (attempt(address(this), to, data)) posted.push(interval);
    }

    /// @dev Settles what is next.
    function settle(uint256) external {
        if (settledPlaces < posted.length) _settle(posted[settledPlaces]);
    }

    /// @dev Tries to settle out of turn, or again; or to take back what was posted.
    function settleAny(uint256 seed) external {
        if (posted.length == 0) return;
        seed = mix(seed);
        uint32 interval = posted[seed % posted.length];
        if ((seed >> 32) % 4 != 0) return _settle(interval);
        if (!attempt(address(this), address(settlement), abi.encodeCall(ISettlement.retract, (interval)))) return;
        vm.assertEq(uint256(interval), posted[posted.length - 1], "only the last is taken back");
        vm.assertTrue(settledPlaces < posted.length, "and only while it is open");
        posted.pop();
    }

    function _settle(uint32 interval) private {
        uint256 carriedMicro = settlement.carriedLossMicro();
        if (!attempt(stranger, address(settlement), abi.encodeCall(ISettlement.settle, (interval)))) return;
        vm.assertEq(uint256(interval), posted[settledPlaces], "settled in the order of posting");
        ++settledPlaces;
        rememberSettlement(interval, carriedMicro);
    }

    /* MONEY */

    function claim(uint256 seed) external {
        seed = mix(seed);
        _claim(members[seed % 4], FIRST + uint32((seed >> 32) % 20), uint32((seed >> 64) % 10));
    }

    function claimAll(uint256 seed) external {
        _claim(members[mix(seed) % 4], FIRST, current() - FIRST + 1);
    }

    function _claim(address member, uint32 first, uint32 count) private {
        vm.prank(member);
        paidMicro[member] += settlement.claim(first, count);
    }

    function depositBond(uint256 seed) external {
        settlement.depositBond(mix(seed) % 1e6);
    }

    function fund(uint256 seed) external {
        settlement.fund(mix(seed) % 1e7);
    }

    function withdraw(uint256 seed) external {
        seed = mix(seed);
        address to = address(settlement);
        attempt(address(this), to, abi.encodeCall(ISettlement.withdrawBond, (seed % 1e5)));
        attempt(address(this), to, abi.encodeCall(ISettlement.withdrawFunds, ((seed >> 32) % 1e5)));
    }

    function claimFee(uint256) external {
        settlement.claimFee();
        vm.prank(stranger);
        settlement.claimLosses();
    }
}
