// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IFleet} from "../../../contracts/src/interfaces/IFleet.sol";
import {ISettlement} from "../../../contracts/src/interfaces/ISettlement.sol";
import {Totals} from "../../../contracts/src/libraries/TotalsLib.sol";

import {vm} from "../base/Vm.sol";
import {World} from "../base/World.sol";

/// @title What a campaign remembers of itself
/// @notice Everything that the contracts should know too, kept in the plainest way: no packing, no running sums.
abstract contract Memory is World {
    uint256 internal constant KEY_D = 0xD00D;
    /// @dev A member without battery.
    address internal immutable homeD = vm.addr(KEY_D);

    address[] internal members;
    uint256[] internal keys;

    /// @dev Net export of each member by interval. [Wh]
    mapping(address member => mapping(uint32 interval => int256)) internal exportWh;
    /// @dev Charge and weight of a battery as of its last report. [bp]
    mapping(address member => uint256) internal socBp;
    mapping(address member => uint256) internal exportWeight;
    mapping(address member => bool) internal weighed;
    mapping(address member => uint32) internal counted;

    /// @dev What was to be paid, and what was. [micro]
    mapping(address member => uint256) internal dueMicro;
    mapping(address member => uint256) internal paidMicro;
    /// @dev Revenues above 0, and their parts. [micro]
    uint256 internal gainsMicro;
    uint256 internal sharedMicro;
    uint256 internal takenMicro;
    uint256 internal settledCount;

    /// @dev What was known of an interval when it was first seen final.
    mapping(uint32 interval => bytes32) internal asFinal;
    mapping(uint32 interval => bool) internal promisedIn;
    uint32[] internal posted;
    uint256 internal settledPlaces;

    constructor() {
        setUp();
        fleet.enrol(homeD, 0, GRID_POWER_W, address(0));
        members = [homeA, homeB, homeC, homeD];
        keys = [KEY_A, KEY_B, KEY_C, KEY_D];
        commit(4, 500);
        for (uint32 i = 0; i < 4; ++i) {
            promisedIn[FIRST + i] = true;
        }
        at(0);
    }

    function current() public view returns (uint32) {
        return uint32(block.timestamp / INTERVAL_S);
    }

    /* REMEMBERING */

    function rememberReport(address member, uint32 interval, int256 netExportWh, uint256 soc) internal {
        exportWh[member][interval] += netExportWh;
        ++counted[member];
        if (fleet.memberOf(member).capacityWh == 0) return;
        (uint16 target,,,) = fleet.promiseOf(current());
        (socBp[member], weighed[member]) = (soc, true);
        exportWeight[member] = netExportWh >= 0 && soc >= target ? soc : 0;
    }

    /// @dev Checks a settlement against the reports, and takes down who is owed what.
    function rememberSettlement(uint32 interval, uint256 carriedMicro) internal {
        ISettlement.SettlementView memory s = settlement.settlementOf(interval);
        ++settledCount;
        vm.assertEq(s.revenueMicro, revenueMicro(interval, s), "revenue, recomputed from the reports");
        if (s.revenueMicro < 0) {
            vm.assertEq(s.lossMicro, uint256(-s.revenueMicro), "loss");
            return;
        }
        uint256 gainMicro = uint256(s.revenueMicro);
        vm.assertEq(s.repaidMicro, gainMicro < carriedMicro ? gainMicro : carriedMicro, "repaid");
        vm.assertEq(s.repaidMicro + s.feeMicro + s.poolMicro, gainMicro, "repaid + fee + pool = revenue");
        gainsMicro += gainMicro;
        takenMicro += s.repaidMicro + s.feeMicro;
        uint256 exportedWh = exportedOf(interval);
        for (uint256 i = 0; i < members.length; ++i) {
            int256 netWh = exportWh[members[i]][interval];
            if (netWh <= 0) continue;
            uint256 creditMicro = s.poolMicro * uint256(netWh) / exportedWh;
            dueMicro[members[i]] += creditMicro;
            sharedMicro += creditMicro;
        }
    }

    function revenueMicro(uint32 interval, ISettlement.SettlementView memory s) private view returns (int256 micro) {
        (, uint32 commitmentWh,,) = fleet.promiseOf(interval);
        int256 gotWh = deliveredOf(interval);
        int256 gapWh = gotWh - s.boundaryWh;
        int256 allowed =
            (s.boundaryWh < 0 ? -int256(s.boundaryWh) : int256(s.boundaryWh)) * int256(uint256(BOUNDARY_TOLERANCE_BP));
        bool scaled = s.bounded && (gapWh < 0 ? -gapWh : gapWh) * 10_000 > allowed;
        vm.assertEq(s.scaled, scaled, "scaled");
        if (scaled) gotWh = s.boundaryWh;

        int256 offWh = gotWh - int256(uint256(commitmentWh));
        micro = int256(uint256(commitmentWh)) * s.priceMicroPerMwh - (offWh < 0 ? -offWh : offWh)
            * s.imbalancePriceMicroPerMwh;
        micro = micro >= 0 ? micro / 1e6 : -((-micro + 1e6 - 1) / 1e6);
    }

    /// @dev Takes down every interval that has become final, and checks those taken down before.
    function rememberFinal() internal {
        for (uint32 interval = FIRST; interval <= current(); ++interval) {
            bool final_ = fleet.isFinal(interval);
            if (asFinal[interval] == 0) {
                if (final_) asFinal[interval] = known(interval);
            } else {
                vm.assertTrue(final_, "final stays final");
                vm.assertEq(known(interval), asFinal[interval], "what is final stands still");
            }
        }
    }

    function known(uint32 interval) private view returns (bytes32) {
        int32[4] memory exportsWh;
        for (uint256 i = 0; i < members.length; ++i) {
            exportsWh[i] = fleet.exportOf(members[i], interval);
        }
        (uint32 commitmentWh, int40 netWh, uint40 exportedWh) = fleet.delivery(interval);
        return keccak256(abi.encode(commitmentWh, netWh, exportedWh, exportsWh));
    }

    /* RECOMPUTING */

    function deliveredOf(uint32 interval) internal view returns (int256 sumWh) {
        for (uint256 i = 0; i < members.length; ++i) {
            sumWh += exportWh[members[i]][interval];
        }
    }

    function exportedOf(uint32 interval) internal view returns (uint256 sumWh) {
        for (uint256 i = 0; i < members.length; ++i) {
            int256 netWh = exportWh[members[i]][interval];
            if (netWh > 0) sumWh += uint256(netWh);
        }
    }

    /// @dev Returns what all members could claim now. [micro]
    function creditsOf(address member) internal view returns (uint256 sumMicro) {
        for (uint32 interval = FIRST; interval <= current(); ++interval) {
            sumMicro += settlement.creditOf(member, interval);
        }
    }

    /// @dev Returns all that is owed to members, in one word.
    function allCredits() internal view returns (bytes32 hash) {
        for (uint256 i = 0; i < members.length; ++i) {
            hash = keccak256(abi.encode(hash, creditsOf(members[i])));
        }
    }

    /* CHECKS */

    /// @dev Fails unless a campaign saw gains and losses, readings that counted, payments, and batteries come and go.
    function checkReach() external view {
        uint256 scaledCount;
        uint256 lossCount;
        for (uint256 i = 0; i < settledPlaces; ++i) {
            ISettlement.SettlementView memory s = settlement.settlementOf(posted[i]);
            if (s.scaled) ++scaledCount;
            if (s.lossMicro != 0) ++lossCount;
        }
        vm.assertTrue(settledCount > lossCount && lossCount > 0, "gains and losses");
        vm.assertTrue(scaledCount > 0 && scaledCount < settledCount, "settled by the reading, and by the reports");
        for (uint256 i = 0; i < members.length; ++i) {
            vm.assertTrue(paidMicro[members[i]] > 0, "everybody was paid");
            vm.assertTrue(counted[members[i]] > 4, "everybody reported");
        }
    }

    function checkEnergies() external view {
        for (uint32 interval = FIRST; interval <= current(); ++interval) {
            (, int40 netWh, uint40 exportedWh) = fleet.delivery(interval);
            vm.assertEq(netWh, deliveredOf(interval), "delivered = sum of the members' net exports");
            vm.assertEq(uint256(exportedWh), exportedOf(interval), "exported = sum of the positive ones");
            for (uint256 i = 0; i < members.length; ++i) {
                vm.assertEq(
                    fleet.exportOf(members[i], interval), exportWh[members[i]][interval], "a member's net export"
                );
            }
        }
    }

    function checkWeights() external view {
        uint256 importSum;
        uint256 exportSum;
        uint256 count;
        for (uint256 i = 0; i < members.length; ++i) {
            address member = members[i];
            IFleet.MemberView memory m = fleet.memberOf(member);
            vm.assertEq(m.weighed, weighed[member], "weighed");
            vm.assertEq(uint256(m.nonce), uint256(counted[member]), "nonce = reports counted");
            if (!weighed[member]) continue;
            importSum += 10_000 - socBp[member];
            exportSum += exportWeight[member];
            ++count;
        }
        // The totals are the fleet's first slot.
        Totals t = Totals.wrap(uint256(vm.load(address(fleet), 0)));
        vm.assertEq(t.importWeightSum(), importSum, "sum of W_i");
        vm.assertEq(t.exportWeightSum(), exportSum, "sum of W_e");
        vm.assertEq(t.batteries(), count, "batteries");
        vm.assertEq(t.paused(), fleet.paused(), "paused");
    }

    function checkMoney() external view {
        assertBooks(settlement, token);
        vm.assertTrue(
            settlement.bondMicro() == 0 || settlement.carriedLossMicro() == 0, "no bond beside a carried loss"
        );
        uint256 openMicro;
        for (uint256 i = 0; i < members.length; ++i) {
            address member = members[i];
            uint256 creditMicro = creditsOf(member);
            vm.assertEq(token.balanceOf(member), paidMicro[member], "a member's tokens");
            vm.assertEq(paidMicro[member] + creditMicro, dueMicro[member], "paid + claimable = due: nothing twice");
            openMicro += creditMicro;
        }
        // Each settlement leaves less than a unit a member of dust.
        uint256 dustMicro = settlement.creditsMicro() - openMicro;
        vm.assertLe(dustMicro, settledCount * (members.length - 1), "dust");
        vm.assertEq(sharedMicro + takenMicro + dustMicro, gainsMicro, "credits + fee + repaid + dust = revenue");
        vm.assertEq(settlement.openIntervals(), posted.length - settledPlaces, "open intervals");
    }
}
