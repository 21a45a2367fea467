// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {ISettlement} from "../../../contracts/src/interfaces/ISettlement.sol";

import {vm} from "../base/Vm.sol";
import {World} from "../base/World.sol";
import {BlacklistToken, CallbackToken, DecimalsToken, FalseToken, FeeToken, SilentToken} from "./HostileTokens.sol";

/// @title Attempts to take more, or to lock what is others', by way of the token
contract TokenAttacks is World {
    bytes private constant REENTERED = abi.encodeWithSignature("ReentrancyGuardReentrantCall()");

    /// @dev Home A is due 54 000 micro of the first interval and B 36 000, the owner 10 000; the second is a loss of 50 000.
    function setUp() public override {
        super.setUp();
        commit(2, 1000);
        at(INTERVAL_S - 1);
        report(homeA, FIRST, 600);
        report(homeB, FIRST, 400);
        at(3 * INTERVAL_S);
    }

    /// @dev Starts afresh with this token.
    function use(address money) private {
        settlement = ISettlement(newSettlement(address(fleet), money, market, FEE_BP, BOUNDARY_TOLERANCE_BP));
        (bool approved,) = money.call(abi.encodeCall(IERC20.approve, (address(settlement), type(uint256).max)));
        approved;
    }

    function settleBoth() private {
        settlement.depositBond(50_000);
        settlement.fund(100_000);
        settlement.post(FIRST, 100_000_000, 0);
        settlement.post(FIRST + 1, 0, 50_000_000);
        settlement.settle(FIRST);
        settlement.settle(FIRST + 1);
    }

    /* A TOKEN THAT CALLS BACK */

    /// @dev Settles with a token that is to call the settlement with `data`.
    function armed(bytes memory data) private returns (CallbackToken money) {
        money = new CallbackToken();
        use(address(money));
        settleBoth();
        money.arm(address(settlement), data);
    }

    function test_attack_claimWithinAClaim_isRefused() public {
        armed(abi.encodeCall(ISettlement.claim, (FIRST, 2)));
        vm.expectRevert(REENTERED);
        vm.prank(homeA);
        settlement.claim(FIRST, 2);
    }

    function test_attack_claimLossesWithinAClaim_isRefused() public {
        armed(abi.encodeCall(ISettlement.claimLosses, ()));
        vm.expectRevert(REENTERED);
        vm.prank(homeA);
        settlement.claim(FIRST, 2);
    }

    function test_attack_claimLossesWithinClaimLosses_isRefused() public {
        armed(abi.encodeCall(ISettlement.claimLosses, ()));
        vm.expectRevert(REENTERED);
        settlement.claimLosses();
    }

    function test_attack_claimWithinADeposit_isRefused() public {
        armed(abi.encodeCall(ISettlement.claim, (FIRST, 2)));
        vm.expectRevert(REENTERED);
        settlement.fund(1);
    }

    /// @dev A token that owns the settlement: a deposit within a deposit would be counted twice, since both see it arrive.
    function test_attack_depositWithinADeposit_isRefused() public {
        CallbackToken money = new CallbackToken();
        use(address(money));
        money.transfer(address(money), 100);
        bytes memory fund = abi.encodeCall(ISettlement.fund, (50));
        ownBy(money);
        money.act(address(money), abi.encodeCall(IERC20.approve, (address(settlement), 100)));
        money.arm(address(settlement), fund);

        vm.expectRevert(REENTERED);
        money.act(address(settlement), fund);

        vm.assertEq(uint256(settlement.fundsMicro()), 0, "funds");
        assertBooks(settlement, money);
    }

    function ownBy(CallbackToken money) private {
        (bool begun,) = address(settlement).call(abi.encodeWithSignature("transferOwnership(address)", money));
        vm.assertTrue(begun, "transferOwnership");
        money.act(address(settlement), abi.encodeWithSignature("acceptOwnership()"));
    }

    /// @dev `settle` is not guarded: it moves no tokens, and finds the books as they are after the claim.
    function test_attack_settleWithinAClaim_changesNothing() public {
        CallbackToken money = new CallbackToken();
        use(address(money));
        settlement.fund(200_000);
        settlement.post(FIRST, 100_000_000, 0);
        settlement.settle(FIRST);
        settlement.post(FIRST + 1, 100_000_000, 0);
        money.arm(address(settlement), abi.encodeCall(ISettlement.settle, (FIRST + 1)));

        vm.prank(homeA);
        vm.assertEq(settlement.claim(FIRST, 2), 54_000, "paid");

        vm.assertTrue(settlement.settlementOf(FIRST + 1).settled, "settled meanwhile");
        assertBooks(settlement, money);
    }

    /* A TOKEN THAT KEEPS A FEE */

    function test_attack_feeOnDeposits_isRefused() public {
        FeeToken money = new FeeToken();
        use(address(money));
        money.setFeeBp(100);
        bytes memory reason = abi.encodeWithSelector(ISettlement.SettlementTokenShort.selector, 10_000, 9900);
        vm.expectRevert(reason);
        settlement.depositBond(10_000);
        vm.expectRevert(reason);
        settlement.fund(10_000);
        vm.assertEq(money.balanceOf(address(settlement)), 0, "nothing is half done");
    }

    /// @dev Switched on later it takes from who is paid, and from nobody else.
    function test_attack_feeOnPayments_isTheReceivers() public {
        FeeToken money = new FeeToken();
        use(address(money));
        settleBoth();
        money.setFeeBp(100);

        vm.prank(homeA);
        settlement.claim(FIRST, 1);
        assertBooks(settlement, money);
        money.setFeeBp(0);
        vm.prank(homeB);
        settlement.claim(FIRST, 1);

        vm.assertEq(money.balanceOf(homeA), 53_460, "A's, less the fee");
        vm.assertEq(money.balanceOf(homeB), 36_000, "B's in full");
        assertBooks(settlement, money);
    }

    /* A TOKEN THAT SAYS NO */

    function test_attack_falseOnPayments_isRefusedAndStaysDue() public {
        FalseToken money = new FalseToken();
        use(address(money));
        settleBoth();
        money.close();
        bytes memory reason = abi.encodeWithSignature("SafeERC20FailedOperation(address)", money);

        vm.expectRevert(reason);
        vm.prank(homeA);
        settlement.claim(FIRST, 1);
        vm.expectRevert(reason);
        settlement.claimLosses();

        vm.assertEq(settlement.creditOf(homeA, FIRST), 54_000, "still due");
        assertBooks(settlement, money);
    }

    function test_attack_falseOnDeposits_isRefused() public {
        FalseToken money = new FalseToken();
        use(address(money));
        money.close();
        vm.expectRevert(abi.encodeWithSignature("SafeERC20FailedOperation(address)", money));
        settlement.fund(1);
    }

    function test_attack_aBlacklistedMarket_stopsNobody() public {
        BlacklistToken money = new BlacklistToken();
        use(address(money));
        money.list(market);
        settleBoth();

        vm.expectRevert(abi.encodeWithSelector(BlacklistToken.Blacklisted.selector, market));
        settlement.claimLosses();
        vm.prank(homeA);
        vm.assertEq(settlement.claim(FIRST, 2), 54_000, "A is paid");
        vm.assertEq(settlement.claimFee(), 10_000, "the owner is paid");
        vm.assertEq(uint256(settlement.lossesMicro()), 50_000, "the market's stays put aside");
        assertBooks(settlement, money);
    }

    function test_attack_aBlacklistedMember_stopsNobody() public {
        BlacklistToken money = new BlacklistToken();
        use(address(money));
        money.list(homeA);
        settleBoth();

        vm.expectRevert(abi.encodeWithSelector(BlacklistToken.Blacklisted.selector, homeA));
        vm.prank(homeA);
        settlement.claim(FIRST, 2);
        vm.prank(homeB);
        vm.assertEq(settlement.claim(FIRST, 2), 36_000, "B is paid");
        vm.assertEq(settlement.claimLosses(), 50_000, "the market is paid");
        vm.assertEq(settlement.creditOf(homeA, FIRST), 54_000, "A's stays due");
        assertBooks(settlement, money);
    }

    /* A TOKEN OF ANOTHER KIND */

    function test_attack_anotherUnit_isRefused() public {
        DecimalsToken money = new DecimalsToken(18);
        vm.expectRevert(abi.encodeWithSelector(ISettlement.SettlementTokenDecimals.selector, 18));
        this.newSettlement(address(fleet), address(money), market, 0, 0);
    }

    function test_attack_aTokenThatReturnsNothing_isPaidAllTheSame() public {
        SilentToken money = new SilentToken();
        use(address(money));
        settleBoth();

        vm.prank(homeA);
        settlement.claim(FIRST, 2);

        vm.assertEq(money.balanceOf(homeA), 54_000, "paid");
        assertBooks(settlement, IERC20(address(money)));
    }

    /* TOKENS SENT UNASKED */

    function test_attack_tokensSentUnasked_areNobodysFunds() public {
        token.transfer(address(settlement), 1e6);
        settlement.post(FIRST, 100_000_000, 0);
        vm.expectRevert(abi.encodeWithSelector(ISettlement.SettlementUnfunded.selector, FIRST, 100_000, 0));
        settlement.settle(FIRST);
        vm.expectRevert(abi.encodeWithSelector(ISettlement.SettlementInsufficient.selector, 1, 0));
        this.withdrawFromAnother();
    }

    function withdrawFromAnother() external {
        ISettlement other = ISettlement(newSettlement(address(fleet), address(token), market, 0, 0));
        token.transfer(address(other), 1);
        other.withdrawFunds(1);
    }
}
