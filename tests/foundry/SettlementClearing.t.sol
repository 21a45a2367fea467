// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ISettlement} from "../../contracts/src/interfaces/ISettlement.sol";

import {vm} from "./base/Vm.sol";
import {World} from "./base/World.sol";

/// @title From prices to what each member is paid
contract SettlementClearingTest is World {
    int64 private constant PRICE_MAX = 1e15;

    /// @dev A promise of 1000 Wh in two intervals; 400 and 500 Wh came in the first, 100 and -50 in the second.
    function setUp() public override {
        super.setUp();
        commit(2, 1000);
        at(INTERVAL_S - 1);
        report(homeA, FIRST, 400);
        report(homeB, FIRST, 500);
        at(2 * INTERVAL_S - 1);
        report(homeA, FIRST + 1, 100);
        report(homeB, FIRST + 1, -50);
        at(2 * INTERVAL_S + GRACE_S);
        settlement.fund(1e9);
    }

    /* POST */

    function test_post_revertsWithNotOwner() public {
        vm.expectRevert(notOwner(stranger));
        vm.prank(stranger);
        settlement.post(FIRST, 0, 0);
    }

    function test_fuzz_post_revertsWithPriceRange(int64 price) public {
        vm.assume(price > PRICE_MAX || price < -PRICE_MAX);
        bytes memory reason = abi.encodeWithSelector(ISettlement.SettlementPriceRange.selector, price);
        vm.expectRevert(reason);
        settlement.post(FIRST, price, 0);
        vm.expectRevert(reason);
        settlement.post(FIRST, 0, price);
    }

    function test_post_revertsWithAlreadyPosted() public {
        settlement.post(FIRST, 0, 0);
        vm.expectRevert(abi.encodeWithSelector(ISettlement.SettlementAlreadyPosted.selector, FIRST));
        settlement.post(FIRST, 0, 0);
    }

    function test_post_revertsWithNothingPromised() public {
        vm.expectRevert(abi.encodeWithSelector(ISettlement.SettlementNothingPromised.selector, FIRST + 2));
        settlement.post(FIRST + 2, 0, 0);
    }

    function test_post_revertsWithNotFinal() public {
        vm.warp(block.timestamp - 1);
        vm.expectRevert(abi.encodeWithSelector(ISettlement.SettlementNotFinal.selector, FIRST + 1));
        settlement.post(FIRST + 1, 0, 0);
    }

    function test_post_succeeds() public {
        vm.expectEmit(address(settlement));
        emit ISettlement.ClearingPosted(FIRST, 5, -7);
        settlement.post(FIRST, 5, -7);

        ISettlement.SettlementView memory expected;
        expected.posted = true;
        (expected.priceMicroPerMwh, expected.imbalancePriceMicroPerMwh) = (5, -7);
        vm.assertEq(abi.encode(settlement.settlementOf(FIRST)), abi.encode(expected), "settlementOf");
        vm.assertEq(uint256(settlement.openIntervals()), 1, "openIntervals");
    }

    /* RETRACT */

    function test_retract_revertsWithNotOwner() public {
        settlement.post(FIRST, 0, 0);
        vm.expectRevert(notOwner(stranger));
        vm.prank(stranger);
        settlement.retract(FIRST);
    }

    function test_retract_revertsWithNotPosted() public {
        vm.expectRevert(abi.encodeWithSelector(ISettlement.SettlementNotPosted.selector, FIRST));
        settlement.retract(FIRST);
    }

    function test_retract_revertsWithAlreadySettled() public {
        settlement.post(FIRST, 0, 0);
        settlement.settle(FIRST);
        vm.expectRevert(abi.encodeWithSelector(ISettlement.SettlementAlreadySettled.selector, FIRST));
        settlement.retract(FIRST);
    }

    function test_retract_revertsWithNotLast() public {
        settlement.post(FIRST, 0, 0);
        settlement.post(FIRST + 1, 0, 0);
        vm.expectRevert(abi.encodeWithSelector(ISettlement.SettlementNotLast.selector, FIRST, FIRST + 1));
        settlement.retract(FIRST);
    }

    function test_retract_succeeds() public {
        settlement.post(FIRST, 5, -7);
        settlement.postBoundary(FIRST + 1, 50);
        settlement.post(FIRST + 1, 1e15, 0);
        vm.expectEmit(address(settlement));
        emit ISettlement.ClearingRetracted(FIRST + 1);
        settlement.retract(FIRST + 1);

        ISettlement.SettlementView memory nothing;
        vm.assertEq(abi.encode(settlement.settlementOf(FIRST + 1)), abi.encode(nothing), "settlementOf");
        vm.assertEq(uint256(settlement.openIntervals()), 1, "openIntervals");
        settlement.retract(FIRST);
        vm.assertEq(uint256(settlement.openIntervals()), 0, "the one before is the last now");
    }

    /* BOUNDARY */

    function test_postBoundary_revertsWithNotOwner() public {
        vm.expectRevert(notOwner(stranger));
        vm.prank(stranger);
        settlement.postBoundary(FIRST, 0);
    }

    function test_postBoundary_revertsWithBoundaryPosted() public {
        settlement.postBoundary(FIRST, 0);
        vm.expectRevert(abi.encodeWithSelector(ISettlement.SettlementBoundaryPosted.selector, FIRST));
        settlement.postBoundary(FIRST, 1);
    }

    function test_postBoundary_revertsWithAlreadyPosted() public {
        settlement.post(FIRST, 0, 0);
        vm.expectRevert(abi.encodeWithSelector(ISettlement.SettlementAlreadyPosted.selector, FIRST));
        settlement.postBoundary(FIRST, 1);
    }

    function test_postBoundary_revertsWithNothingPromised() public {
        vm.expectRevert(abi.encodeWithSelector(ISettlement.SettlementNothingPromised.selector, FIRST + 2));
        settlement.postBoundary(FIRST + 2, 1);
    }

    function test_postBoundary_revertsWithNotFinal() public {
        vm.warp(block.timestamp - 1);
        vm.expectRevert(abi.encodeWithSelector(ISettlement.SettlementNotFinal.selector, FIRST + 1));
        settlement.postBoundary(FIRST + 1, 1);
    }

    /// @dev Beyond a hundredth of the reading it counts instead of the 900 Wh reported, and the shares stay as they were.
    function test_fuzz_postBoundary_succeeds(int40 boundaryWh) public {
        vm.expectEmit(address(settlement));
        emit ISettlement.BoundaryPosted(FIRST, boundaryWh);
        settlement.postBoundary(FIRST, boundaryWh);
        settlement.post(FIRST, 100_000_000, 0);
        uint256 gapWh = magnitude(900 - int256(boundaryWh));
        bool scaled = gapWh * 10_000 > magnitude(boundaryWh) * BOUNDARY_TOLERANCE_BP;

        if (scaled) {
            vm.expectEmit(address(settlement));
            emit ISettlement.DeliveryScaled(FIRST, 900, boundaryWh);
        }
        settlement.settle(FIRST);

        ISettlement.SettlementView memory found = settlement.settlementOf(FIRST);
        vm.assertEq(found.scaled, scaled, "scaled");
        vm.assertEq(found.boundaryWh, int256(boundaryWh), "boundaryWh");
        vm.assertEq(found.exportedWh, uint256(900), "exportedWh");
        vm.assertEq(settlement.creditOf(homeA, FIRST), found.poolMicro * 400 / 900, "credit of A");
        vm.assertEq(settlement.creditOf(homeB, FIRST), found.poolMicro * 500 / 900, "credit of B");
    }

    function magnitude(int256 value) private pure returns (uint256) {
        return uint256(value < 0 ? -value : value);
    }

    /* SETTLE */

    function test_settle_revertsWithNotPosted() public {
        vm.expectRevert(abi.encodeWithSelector(ISettlement.SettlementNotPosted.selector, FIRST));
        settlement.settle(FIRST);
    }

    function test_settle_revertsWithAlreadySettled() public {
        settlement.post(FIRST, 0, 0);
        settlement.settle(FIRST);
        vm.expectRevert(abi.encodeWithSelector(ISettlement.SettlementAlreadySettled.selector, FIRST));
        settlement.settle(FIRST);
    }

    function test_settle_revertsWithOutOfOrder() public {
        settlement.post(FIRST + 1, 0, 0);
        settlement.post(FIRST, 0, 0);
        vm.expectRevert(abi.encodeWithSelector(ISettlement.SettlementOutOfOrder.selector, FIRST, FIRST + 1));
        settlement.settle(FIRST);
    }

    function test_settle_revertsWithUnfunded() public {
        settlement.withdrawFunds(1e9 - 89_999);
        settlement.post(FIRST, 100_000_000, 100_000_000);
        vm.expectRevert(abi.encodeWithSelector(ISettlement.SettlementUnfunded.selector, FIRST, 90_000, 89_999));
        settlement.settle(FIRST);
    }

    function test_settle_succeeds() public {
        settlement.post(FIRST, 100_000_000, 50_000_000);

        vm.expectEmit(address(settlement));
        // 1000 Wh at 100/MWh less 100 Wh at 50/MWh; a tenth of it is fee.
        emit ISettlement.IntervalSettled(FIRST, 95_000, 9500, 85_500, 0);
        vm.prank(stranger);
        settlement.settle(FIRST);

        vm.assertEq(uint256(settlement.openIntervals()), 0, "openIntervals");
        assertBooks(settlement, token);
    }

    /// @dev Revenue = fee + pool + repaid - loss, and the books hold, at whatever prices.
    function test_fuzz_settle_losesNothing(int64 price, int64 imbalancePrice, uint256 bondMicro) public {
        (price, imbalancePrice) = (price % 1e12, imbalancePrice % 1e12);
        settlement.depositBond(bondMicro % 1e9);
        settlement.fund(1e10);
        settlement.post(FIRST, imbalancePrice, price);
        settlement.post(FIRST + 1, price, imbalancePrice);

        settlement.settle(FIRST);
        settlement.settle(FIRST + 1);

        for (uint32 interval = FIRST; interval < FIRST + 2; ++interval) {
            ISettlement.SettlementView memory s = settlement.settlementOf(interval);
            int256 partsMicro = int256(s.feeMicro + s.poolMicro + s.repaidMicro) - int256(s.lossMicro);
            vm.assertEq(partsMicro, s.revenueMicro, "revenue");
            vm.assertLe(
                settlement.creditOf(homeA, interval) + settlement.creditOf(homeB, interval), s.poolMicro, "pool"
            );
        }
        vm.assertTrue(settlement.bondMicro() == 0 || settlement.carriedLossMicro() == 0, "bond or carried loss");
        assertBooks(settlement, token);
    }

    /* CLAIM */

    function settleBoth() private {
        settlement.post(FIRST, 100_000_000, 50_000_000);
        settlement.post(FIRST + 1, 100_000_000, 0);
        settlement.settle(FIRST);
        settlement.settle(FIRST + 1);
    }

    function test_claim_succeedsWithNothingOwed() public {
        settleBoth();
        vm.prank(stranger);
        vm.assertEq(settlement.claim(FIRST, 2), 0, "paid");
    }

    function test_claim_succeeds() public {
        settleBoth();
        uint256 dueMicro = uint256(85_500) * 400 / 900 + 90_000;
        vm.assertEq(settlement.creditOf(homeA, FIRST) + settlement.creditOf(homeA, FIRST + 1), dueMicro, "credits");

        vm.expectEmit(address(settlement));
        emit ISettlement.CreditsClaimed(homeA, FIRST, 2, dueMicro);
        vm.prank(homeA);
        uint256 paidMicro = settlement.claim(FIRST, 2);

        vm.assertEq(paidMicro, dueMicro, "paid");
        vm.assertEq(token.balanceOf(homeA), dueMicro, "the home's");
        vm.assertTrue(settlement.isClaimed(homeA, FIRST) && settlement.isClaimed(homeA, FIRST + 1), "claimed");
        vm.assertEq(settlement.creditOf(homeA, FIRST), 0, "credit left");
        vm.prank(homeA);
        vm.assertEq(settlement.claim(FIRST, 2), 0, "paid again");
        assertBooks(settlement, token);
    }

    function test_claim_passesOverWhatIsNotSettled() public {
        settlement.post(FIRST, 100_000_000, 0);
        settlement.settle(FIRST);
        vm.prank(homeA);
        settlement.claim(FIRST, 2);
        settlement.post(FIRST + 1, 100_000_000, 0);
        settlement.settle(FIRST + 1);

        vm.prank(homeA);
        vm.assertEq(settlement.claim(FIRST, 2), 90_000, "the second is still due");
    }

    /// @dev In whatever pieces a member claims, it gets each credit once.
    function test_fuzz_claim_paysOnce(uint256 seed) public {
        settleBoth();
        uint256 dueMicro = settlement.creditOf(homeA, FIRST) + settlement.creditOf(homeA, FIRST + 1);
        uint256 paidMicro;
        for (uint256 i = 0; i < 5; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            vm.prank(homeA);
            paidMicro += settlement.claim(FIRST - 2 + uint32(seed % 4), uint32((seed >> 32) % 5));
        }
        vm.prank(homeA);
        paidMicro += settlement.claim(FIRST, 2);

        vm.assertEq(paidMicro, dueMicro, "paid");
        vm.assertEq(token.balanceOf(homeA), dueMicro, "the home's");
    }
}
