// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

/// @title Four promised intervals in a word
/// @notice Packing of schedules. Pure: no storage, no caller, no clock.
/// @dev Interval n lies in word n / 4, lane n % 4, lanes counted from the right:
///
///     | lane 3 (64) | lane 2 (64) | lane 1 (64) | lane 0 (64) |
///
///     lane = | 14 empty | published 1 | steered 1 | commitmentWh 32 | socBp 16 |
library ScheduleLib {
    uint256 internal constant LANES = 4;

    uint256 private constant LANE_BITS = 64;
    uint256 private constant LANE_MASK = type(uint64).max;
    uint256 private constant COMMITMENT_SHIFT = 16;
    uint256 private constant STEERED = 1 << 48;
    uint256 private constant PUBLISHED = 1 << 49;

    /// @dev Returns `word` with the lane of `interval` replaced by a published promise.
    function withPromise(
        uint256 word,
        uint256 interval,
        uint16 socBp,
        uint32 commitmentWh,
        bool steered
    ) internal pure returns (uint256) {
        uint256 lane = uint256(socBp) | (uint256(commitmentWh) << COMMITMENT_SHIFT) | PUBLISHED;
        if (steered) lane |= STEERED;
        uint256 shift = (interval % LANES) * LANE_BITS;
        return (word & ~(LANE_MASK << shift)) | (lane << shift);
    }

    /// @dev Returns the promise in the lane of `interval`. [bp, Wh]
    function promiseAt(
        uint256 word,
        uint256 interval
    ) internal pure returns (uint16 socBp, uint32 commitmentWh, bool steered, bool published) {
        uint256 lane = word >> ((interval % LANES) * LANE_BITS);
        socBp = uint16(lane);
        commitmentWh = uint32(lane >> COMMITMENT_SHIFT);
        steered = lane & STEERED != 0;
        published = lane & PUBLISHED != 0;
    }
}
