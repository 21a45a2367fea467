// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.28;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @title TestToken: play money of six decimals, for tests and demonstrations
/// @dev Warning: its owner mints at will. On a public chain settle in a real stablecoin instead.
contract TestToken is ERC20, Ownable {
    constructor(address owner) ERC20("Gridpact test money", "TEST") Ownable(owner) {}

    /// @notice Create `amountMicro` of play money for `account`. [micro]
    function mint(address account, uint256 amountMicro) external onlyOwner {
        _mint(account, amountMicro);
    }

    /// @notice Six, so that its unit is a millionth of the currency.
    function decimals() public pure override returns (uint8) {
        return 6;
    }
}
