// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

/// @dev A member as enrolled and last reported, in one word. From the left:
///
///     | 54 empty | weighed 1 | enrolled 1 | exportWeight 16 | socBp 16 | netExportWh 32 | reportedAt 40 |
///     | interval 32 | gridPowerW 32 | capacityWh 32 |
///
/// capacityWh    nominal capacity of the battery, 0 for a member without one [Wh]
/// gridPowerW    rating of the grid connection, each way [W]
/// interval      that of the last report, or of the enrolment
/// reportedAt    time of the last report, or of the enrolment [s]
/// netExportWh   net export in `interval` so far [Wh]
/// socBp         state of charge in the last report [bp]
/// exportWeight  W_e as of the last report [bp]
/// enrolled      whether the account belongs to the fleet
/// weighed       whether its battery has reported: until then its charge is unknown and it has no weight
///
/// A word and not a struct, since the compiler reads and writes a stored struct field by field, at 100 gas each.
type Member is uint256;

using MemberLib for Member global;

/// @title A member in a word
/// @notice Reading and replacing its fields. Pure: no storage, no caller, no clock.
library MemberLib {
    uint256 private constant GRID_POWER = 32;
    uint256 private constant INTERVAL = 64;
    uint256 private constant REPORTED_AT = 96;
    uint256 private constant NET_EXPORT = 136;
    uint256 private constant SOC = 168;
    uint256 private constant EXPORT_WEIGHT = 184;
    uint256 private constant ENROLLED = 1 << 200;
    uint256 private constant WEIGHED = 1 << 201;

    /// @dev interval, reportedAt, netExportWh.
    uint256 private constant REPORT_MASK = ((1 << (SOC - INTERVAL)) - 1) << INTERVAL;
    /// @dev socBp, exportWeight.
    uint256 private constant WEIGHTS_MASK = uint256(type(uint32).max) << SOC;

    /// @dev Returns a member with the ratings given. [Wh, W]
    function withRatings(uint32 capacityWh_, uint32 gridPowerW_) internal pure returns (Member) {
        return Member.wrap(ENROLLED | (uint256(gridPowerW_) << GRID_POWER) | capacityWh_);
    }

    /// @dev Returns `m` after a report at `timestamp` [s] that brought the net export in `interval_` to `netExportWh_`.
    function withReport(
        Member m,
        uint32 interval_,
        uint256 timestamp,
        int32 netExportWh_
    ) internal pure returns (Member) {
        uint256 fields = uint256(uint32(netExportWh_)) << NET_EXPORT;
        fields |= (uint256(uint40(timestamp)) << REPORTED_AT) | (uint256(interval_) << INTERVAL);
        return Member.wrap((Member.unwrap(m) & ~REPORT_MASK) | fields);
    }

    /// @dev Returns `m` with the charge and weight of its battery. [bp]
    function withWeights(Member m, uint16 socBp_, uint16 exportWeight_) internal pure returns (Member) {
        uint256 fields = WEIGHED | (uint256(exportWeight_) << EXPORT_WEIGHT) | (uint256(socBp_) << SOC);
        return Member.wrap((Member.unwrap(m) & ~WEIGHTS_MASK) | fields);
    }

    function capacityWh(Member m) internal pure returns (uint32) {
        return uint32(Member.unwrap(m));
    }

    function gridPowerW(Member m) internal pure returns (uint32) {
        return uint32(Member.unwrap(m) >> GRID_POWER);
    }

    function interval(Member m) internal pure returns (uint32) {
        return uint32(Member.unwrap(m) >> INTERVAL);
    }

    function reportedAt(Member m) internal pure returns (uint40) {
        return uint40(Member.unwrap(m) >> REPORTED_AT);
    }

    function netExportWh(Member m) internal pure returns (int32) {
        return int32(uint32(Member.unwrap(m) >> NET_EXPORT));
    }

    function socBp(Member m) internal pure returns (uint16) {
        return uint16(Member.unwrap(m) >> SOC);
    }

    function exportWeight(Member m) internal pure returns (uint16) {
        return uint16(Member.unwrap(m) >> EXPORT_WEIGHT);
    }

    function enrolled(Member m) internal pure returns (bool) {
        return Member.unwrap(m) & ENROLLED != 0;
    }

    function weighed(Member m) internal pure returns (bool) {
        return Member.unwrap(m) & WEIGHED != 0;
    }
}
