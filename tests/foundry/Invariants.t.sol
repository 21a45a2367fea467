// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {vm} from "./base/Vm.sol";
import {Campaign} from "./invariants/Campaign.sol";

/// @title What holds after every call of a campaign
contract InvariantsTest {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    Campaign private campaign;

    function setUp() public {
        campaign = new Campaign();
    }

    /// @dev Read by forge: whom to call.
    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(campaign);
    }

    /// @dev Read by forge: what to call there.
    function targetSelectors() public view returns (FuzzSelector[] memory targets) {
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector({addr: address(campaign), selectors: campaign.actions()});
    }

    /// @dev A long campaign of our own, which shows that campaigns get as far as they should, and holds as well.
    function test_campaign_reachesWhatItShould() public {
        bytes4[] memory actions = campaign.actions();
        uint256 seed = 1;
        for (uint256 i = 0; i < 1500; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            (bool done,) = address(campaign).call(abi.encodeWithSelector(actions[seed % actions.length], seed));
            vm.assertTrue(done, "an action");
        }
        invariant_theLedgerAddsUp();
        campaign.checkReach();
    }

    /// @dev Delivered and exported equal the sums over members and reports; a nonce is a count of reports; the sums of
    /// weights equal those over the known batteries; every token is somebody's; nothing is paid twice.
    function invariant_theLedgerAddsUp() public view {
        campaign.checkEnergies();
        campaign.checkWeights();
        campaign.checkMoney();
    }
}
