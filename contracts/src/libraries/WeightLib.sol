// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

/// @title Weights of a battery (Couraud 2021, eq. 10-11)
/// @notice How fit a battery is to export more, or to take energy back. Pure: no storage, no caller, no clock.
library WeightLib {
    /// @dev A full battery. [bp]
    uint256 internal constant FULL_BP = 10_000;

    /// @dev A share of one. [1e-9]
    uint256 internal constant ONE_PPB = 1e9;

    /// @dev Returns W_e: the charge, unless the member imported or is below the fleet's target. [bp]
    function exportWeight(uint256 socBp, int256 netExportWh, uint256 targetSocBp) internal pure returns (uint256) {
        uint256 unfit = SafeCast.toUint(netExportWh < 0) | SafeCast.toUint(socBp < targetSocBp);
        // At most the charge. A product, since the compiler makes two jumps of a condition.
        unchecked {
            return socBp * SafeCast.toUint(unfit == 0);
        }
    }

    /// @dev Returns W_i: the room left in the battery; `socBp` <= FULL_BP. [bp]
    function importWeight(uint256 socBp) internal pure returns (uint256) {
        unchecked {
            return FULL_BP - socBp;
        }
    }

    /// @dev Returns `weight / sum` rounded down, 0 where the sum is 0; `weight` <= `sum`. [1e-9]
    function sharePpbDown(uint256 weight, uint256 sum) internal pure returns (uint32) {
        // weight <= sum, so the share is at most 1e9 < 2**32.
        return sum == 0 ? 0 : uint32((weight * ONE_PPB) / sum);
    }
}
