// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {SignedMath} from "@openzeppelin/contracts/utils/math/SignedMath.sol";

/// @title Members' reports against the reading at the boundary
/// @notice Whether they agree. Pure: no storage, no caller, no clock.
library BoundaryLib {
    /// @dev All of it. [bp]
    uint256 internal constant ALL_BP = 10_000;

    /// @dev Returns whether |delivered - boundary| > tolerance * |boundary|. [Wh, bp]
    function deviates(int40 deliveredWh, int40 boundaryWh, uint16 toleranceBp) internal pure returns (bool) {
        uint256 deviationWh = SignedMath.abs(int256(deliveredWh) - boundaryWh);
        return deviationWh * ALL_BP > SignedMath.abs(boundaryWh) * toleranceBp;
    }
}
