// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {BoundaryLib} from "../../contracts/src/libraries/BoundaryLib.sol";
import {EnergyLib} from "../../contracts/src/libraries/EnergyLib.sol";
import {Member} from "../../contracts/src/libraries/MemberLib.sol";
import {PackedReport, ReportLib} from "../../contracts/src/libraries/ReportLib.sol";
import {RevenueLib} from "../../contracts/src/libraries/RevenueLib.sol";
import {ScheduleLib} from "../../contracts/src/libraries/ScheduleLib.sol";
import {Totals} from "../../contracts/src/libraries/TotalsLib.sol";
import {WeightLib} from "../../contracts/src/libraries/WeightLib.sol";

import {vm} from "./base/Vm.sol";

/// @title Arithmetic and packed words, against the same said in another way
contract LibrariesTest {
    function test_fuzz_revenueMicroDown_isTheFloorAndFits(uint32 promisedWh, int40 gotWh, int64 price, int64 imbalance)
        public
        pure
    {
        (price, imbalance) = (price % (1e15 + 1), imbalance % (1e15 + 1));
        int256 gapWh = int256(gotWh) - int256(uint256(promisedWh));
        int256 exact = int256(uint256(promisedWh)) * price - (gapWh < 0 ? -gapWh : gapWh) * imbalance;

        int256 revenueMicro = RevenueLib.revenueMicroDown(promisedWh, gotWh, price, imbalance);

        // The floor is the one integer within [0, 1) below; a cast that lost something would be far away.
        int256 restMicro = exact - revenueMicro * 1e6;
        vm.assertTrue(restMicro >= 0 && restMicro < 1e6, "floor");
    }

    function test_fuzz_creditMicroDown_sharesNoMoreThanThePool(uint72 poolMicro, uint32[5] memory exportsWh)
        public
        pure
    {
        uint256 sumWh;
        for (uint256 i = 0; i < 5; ++i) {
            exportsWh[i] %= 2 ** 31;
            sumWh += exportsWh[i];
        }
        vm.assume(sumWh != 0);
        uint256 sumMicro;
        for (uint256 i = 0; i < 5; ++i) {
            sumMicro += RevenueLib.creditMicroDown(poolMicro, int32(exportsWh[i]), sumWh);
        }
        vm.assertLe(sumMicro, poolMicro, "no more than the pool");
        vm.assertLe(poolMicro - sumMicro, 4, "dust: less than a unit a member");
    }

    function test_fuzz_creditMicroDown_givesNothingForImports(uint72 poolMicro, int32 netWh, uint40 sumWh) public pure {
        vm.assume(netWh <= 0);
        vm.assertEq(RevenueLib.creditMicroDown(poolMicro, netWh, sumWh), 0, "credit");
    }

    function test_fuzz_feeMicroDown_leavesTheRest(uint72 amountMicro, uint16 feeBp) public pure {
        feeBp %= 10_001;
        uint256 feeMicro = RevenueLib.feeMicroDown(amountMicro, feeBp);
        vm.assertTrue(feeMicro * 10_000 <= uint256(amountMicro) * feeBp, "rounded down");
        vm.assertTrue((feeMicro + 1) * 10_000 > uint256(amountMicro) * feeBp, "by less than a unit");
    }

    function test_fuzz_deviates_comparesShares(int40 deliveredWh, int40 boundaryWh, uint16 toleranceBp) public pure {
        int256 gapWh = int256(deliveredWh) - boundaryWh;
        int256 allowed = (boundaryWh < 0 ? -int256(boundaryWh) : int256(boundaryWh)) * int256(uint256(toleranceBp));
        bool within = gapWh * 10_000 <= allowed && -gapWh * 10_000 <= allowed;
        vm.assertEq(BoundaryLib.deviates(deliveredWh, boundaryWh, toleranceBp), !within, "deviates");
    }

    function test_fuzz_energyLane_isItsOwn(uint256 word, uint32 interval, int32 energyWh) public pure {
        uint256 written = EnergyLib.withEnergyWh(word, interval, energyWh);
        for (uint256 lane = 0; lane < 8; ++lane) {
            int32 expected = lane == interval % 8 ? energyWh : EnergyLib.energyWhAt(word, lane);
            vm.assertEq(EnergyLib.energyWhAt(written, lane), int256(expected), "lane");
        }
    }

    function test_fuzz_promiseLane_isItsOwn(uint256 word, uint32 interval, uint16 soc, uint32 wh, bool steered)
        public
        pure
    {
        uint256 written = ScheduleLib.withPromise(word, interval, soc, wh, steered);
        (uint16 soc_, uint32 wh_, bool steered_, bool published) = ScheduleLib.promiseAt(written, interval);
        vm.assertEq(abi.encode(soc_, wh_, steered_, published), abi.encode(soc, wh, steered, true), "lane");
        uint256 mask = uint256(type(uint64).max) << (interval % 4 * 64);
        vm.assertEq(written & ~mask, word & ~mask, "the other lanes");
    }

    function test_fuzz_member_readsBackWhatWasWritten(
        uint32 capacityWh,
        uint32 powerW,
        uint32 interval,
        uint40 time,
        int32 netWh,
        uint32 nonce
    ) public pure {
        Member left = Member.wrap(uint256(nonce) << 224);
        Member m = left.withRatings(capacityWh, powerW, true).withReport(interval, time, netWh).withBattery(9999, 8888);
        uint32 next;
        unchecked {
            next = nonce + 1;
        }
        vm.assertEq(m.capacityWh(), capacityWh, "capacityWh");
        vm.assertEq(m.gridPowerW(), powerW, "gridPowerW");
        vm.assertEq(m.interval(), interval, "interval");
        vm.assertEq(m.reportedAt(), time, "reportedAt");
        vm.assertEq(m.netExportWh(), netWh, "netExportWh");
        vm.assertEq(m.socBp(), 9999, "socBp");
        vm.assertEq(m.exportWeight(), 8888, "exportWeight");
        vm.assertTrue(m.enrolled() && m.metered() && m.weighed(), "flags");
        vm.assertEq(m.nonce(), next, "the nonce counts on, and starts again at its end");
        vm.assertEq(Member.unwrap(m.retired()), uint256(next) << 224, "retired");
        vm.assertTrue(!m.lapsed().weighed(), "lapsed");
    }

    function test_fuzz_totals_keepTheirFields(int40 deliveredWh, uint40 exportedWh, uint32 interval, uint16 soc)
        public
        pure
    {
        exportedWh %= 2 ** 39;
        Totals t = Totals.wrap(0).withInterval(interval, soc).withBattery(4000, 3000).withBattery(6000, 0);
        t = t.withEnergies(deliveredWh, int256(uint256(exportedWh)));
        assertTotals(t, deliveredWh, exportedWh, 10_000, 3000, 2);

        t = t.withPaused(true).withoutBattery(4000, 3000).withEnergies(0, 0);
        assertTotals(t, 0, 0, 4000, 0, 1);
        vm.assertEq(t.interval(), interval, "interval");
        vm.assertEq(t.targetSocBp(), soc, "targetSocBp");
        vm.assertTrue(t.paused() && !t.withPaused(false).paused(), "paused");
    }

    function assertTotals(Totals t, int256 deliveredWh, uint256 exportedWh, uint256 wI, uint256 wE, uint256 n)
        private
        pure
    {
        vm.assertEq(t.deliveredWh(), deliveredWh, "deliveredWh");
        vm.assertEq(t.exportedWh(), int256(exportedWh), "exportedWh");
        vm.assertEq(t.importWeightSum(), wI, "importWeightSum");
        vm.assertEq(t.exportWeightSum(), wE, "exportWeightSum");
        vm.assertEq(t.batteries(), n, "batteries");
    }

    function test_fuzz_exportWeight_isTheChargeOfWhoMayGive(uint16 soc, int32 netWh, uint16 target) public pure {
        uint256 expected = netWh >= 0 && soc >= target ? soc : 0;
        vm.assertEq(WeightLib.exportWeight(soc, netWh, target), expected, "exportWeight");
    }

    function test_fuzz_packedReport_readsBackWhatWasWritten(address member, uint32 interval, int32 netWh, uint16 soc)
        public
        pure
    {
        PackedReport p = ReportLib.pack(member, interval, netWh, soc);
        vm.assertEq(p.member(), member, "member");
        vm.assertEq(p.interval(), interval, "interval");
        vm.assertEq(p.netExportWh(), netWh, "netExportWh");
        vm.assertEq(p.socBp(), soc, "socBp");
        vm.assertEq(p.nonceLow(), 0, "nonceLow");
    }
}
