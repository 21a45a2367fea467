// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

/// @dev What the clock says to all reports of a transaction, in one word. From the left:
///
///     | interval 192 | allowedS 48 | targetSocBp 16 |
///
/// targetSocBp  SoC^{t,A} of `interval` [bp]
/// allowedS     time since `interval` began, and the tolerance: less than 3600 + 2**32 [s]
/// interval     number of the interval now running
type Moment is uint256;

using MomentLib for Moment global;

/// @title A moment in a word
/// @notice Pure: no storage, no caller, no clock.
/// @dev A word and not a struct, since three values are found out once and handed on together.
library MomentLib {
    uint256 private constant ALLOWED = 16;
    uint256 private constant INTERVAL = 64;

    /// @dev Returns the moment at `timestamp`, `intervalS` being the length of an interval and not zero. [s]
    function at(uint256 timestamp, uint256 intervalS, uint256 toleranceS) internal pure returns (Moment) {
        // interval <= timestamp / 900 and the rest is less than 3600: all fit.
        unchecked {
            uint256 interval_ = timestamp / intervalS;
            uint256 allowedS_ = timestamp - interval_ * intervalS + toleranceS;
            return Moment.wrap((interval_ << INTERVAL) | (allowedS_ << ALLOWED));
        }
    }

    /// @dev Returns `now_`, whose target is empty, with one. [bp]
    function withTarget(Moment now_, uint256 targetSocBp_) internal pure returns (Moment) {
        return Moment.wrap(Moment.unwrap(now_) | targetSocBp_);
    }

    function interval(Moment now_) internal pure returns (uint256) {
        return Moment.unwrap(now_) >> INTERVAL;
    }

    function allowedS(Moment now_) internal pure returns (uint256) {
        return uint48(Moment.unwrap(now_) >> ALLOWED);
    }

    function targetSocBp(Moment now_) internal pure returns (uint256) {
        return uint16(Moment.unwrap(now_));
    }
}
