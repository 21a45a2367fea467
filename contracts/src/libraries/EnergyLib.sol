// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

/// @title Eight intervals' energies in a word
/// @notice Packing of a member's closed net exports. Pure: no storage, no caller, no clock.
/// @dev Interval n lies in word n / 8, lane n % 8, an int32 in two's complement each, lanes counted from the right:
///
///     | lane 7 (32) | lane 6 (32) | ... | lane 1 (32) | lane 0 (32) |   [Wh]
library EnergyLib {
    uint256 internal constant LANES = 8;

    uint256 private constant LANE_BITS = 32;
    uint256 private constant LANE_MASK = type(uint32).max;

    /// @dev Returns `word` with the lane of `interval` set to `energyWh`.
    function withEnergyWh(uint256 word, uint256 interval, int32 energyWh) internal pure returns (uint256) {
        uint256 shift = (interval % LANES) * LANE_BITS;
        return (word & ~(LANE_MASK << shift)) | (uint256(uint32(energyWh)) << shift);
    }

    /// @dev Returns the energy in the lane of `interval`. [Wh]
    function energyWhAt(uint256 word, uint256 interval) internal pure returns (int32) {
        return int32(uint32(word >> ((interval % LANES) * LANE_BITS)));
    }
}
