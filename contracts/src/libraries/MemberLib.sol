// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

/// @dev A member as enrolled and last reported, in one word. From the left:
///
///     | nonce 32 | 21 empty | metered 1 | weighed 1 | enrolled 1 | exportWeight 16 | socBp 16 | netExportWh 32 |
///     | reportedAt 40 | interval 32 | gridPowerW 32 | capacityWh 32 |
///
/// capacityWh    nominal capacity of the battery, 0 for a member without one [Wh]
/// gridPowerW    rating of the grid connection, each way [W]
/// interval      that of the last report, or of the enrolment
/// reportedAt    time of the last report, or of the enrolment [s]
/// netExportWh   net export in `interval` so far [Wh]
/// socBp         state of charge in the last report [bp]
/// exportWeight  W_e as of the last report [bp]
/// enrolled      whether the account belongs to the fleet
/// weighed       whether its battery has reported and not lapsed since: otherwise its charge is unknown, its weight 0
/// metered       whether each report must bear a meter's signature
/// nonce         how many of its reports were counted; all that a member leaves behind when it retires
///
/// A word and not a struct, since the compiler reads and writes a stored struct field by field, at 100 gas each.
type Member is uint256;

using MemberLib for Member global;

/// @title A member in a word
/// @notice Reading and replacing its fields. Pure: no storage, no caller, no clock.
/// @dev Fields come out, and go in, as whole words of the right range, since each narrower type costs a mask at each
/// use.
library MemberLib {
    uint256 private constant GRID_POWER = 32;
    uint256 private constant INTERVAL = 64;
    uint256 private constant REPORTED_AT = 96;
    uint256 private constant NET_EXPORT = 136;
    uint256 private constant SOC = 168;
    uint256 private constant EXPORT_WEIGHT = 184;
    uint256 private constant ENROLLED = 1 << 200;
    uint256 private constant WEIGHED = 1 << 201;
    uint256 private constant METERED = 1 << 202;
    uint256 private constant NONCE = 224;

    /// @dev capacityWh, gridPowerW, enrolled, metered, nonce: what a report leaves as it is, or counts up.
    uint256 private constant ENROLMENT_MASK = type(uint64).max | ENROLLED | METERED | NONCE_MASK;
    uint256 private constant NONCE_MASK = uint256(type(uint32).max) << NONCE;

    /// @dev Returns a member with the ratings given [Wh, W], that was `m` before: its nonce goes on.
    function withRatings(
        Member m,
        uint256 capacityWh_,
        uint256 gridPowerW_,
        bool metered_
    ) internal pure returns (Member) {
        uint256 fields = ENROLLED | (gridPowerW_ << GRID_POWER) | capacityWh_;
        if (metered_) fields |= METERED;
        return Member.wrap((Member.unwrap(m) & NONCE_MASK) | fields);
    }

    /// @dev Returns `m`, whose fields in question are empty, as if it had reported at `timestamp` [s] and had
    /// `netExportWh_` [Wh] in `interval_`.
    function withEnergy(
        Member m,
        uint256 interval_,
        uint256 timestamp,
        int256 netExportWh_
    ) internal pure returns (Member) {
        uint256 fields = uint256(uint32(int32(netExportWh_))) << NET_EXPORT;
        return Member.wrap(Member.unwrap(m) | fields | (timestamp << REPORTED_AT) | (interval_ << INTERVAL));
    }

    /// @dev Returns what remains of `m` when it retires.
    function retired(Member m) internal pure returns (Member) {
        return Member.wrap(Member.unwrap(m) & NONCE_MASK);
    }

    /// @dev Returns `m` with a report more counted, that came at `timestamp` [s] and brought its net export in
    /// `interval_` to `netExportWh_` [Wh], and its battery's charge unknown.
    function withReport(
        Member m,
        uint256 interval_,
        uint256 timestamp,
        int256 netExportWh_
    ) internal pure returns (Member) {
        uint256 fields = (uint256(uint32(int32(netExportWh_))) << NET_EXPORT) | (1 << NONCE);
        // 40 bits of seconds last until the year 36812, and intervals are fewer than seconds.
        fields |= (timestamp << REPORTED_AT) | (interval_ << INTERVAL);
        // The uppermost field: at its end the nonce starts again, and carries into nothing.
        unchecked {
            return Member.wrap((Member.unwrap(m) & ENROLMENT_MASK) + fields);
        }
    }

    /// @dev Returns `m`, whose fields in question are empty, with the charge and weight of its battery. [bp]
    function withBattery(Member m, uint256 socBp_, uint256 exportWeight_) internal pure returns (Member) {
        return Member.wrap(Member.unwrap(m) | WEIGHED | (exportWeight_ << EXPORT_WEIGHT) | (socBp_ << SOC));
    }

    /// @dev Returns `m` with its battery's charge unknown.
    function lapsed(Member m) internal pure returns (Member) {
        return Member.wrap(Member.unwrap(m) & ~WEIGHED);
    }

    function capacityWh(Member m) internal pure returns (uint256) {
        return uint32(Member.unwrap(m));
    }

    function gridPowerW(Member m) internal pure returns (uint256) {
        return uint32(Member.unwrap(m) >> GRID_POWER);
    }

    function interval(Member m) internal pure returns (uint256) {
        return uint32(Member.unwrap(m) >> INTERVAL);
    }

    /// @dev Returns `interval` in the lowest 32 bits, with other fields above it: for comparing without a mask.
    function intervalAndAbove(Member m) internal pure returns (uint256) {
        return Member.unwrap(m) >> INTERVAL;
    }

    function reportedAt(Member m) internal pure returns (uint256) {
        return uint40(Member.unwrap(m) >> REPORTED_AT);
    }

    function netExportWh(Member m) internal pure returns (int256) {
        return int256(Member.unwrap(m) << (256 - 32 - NET_EXPORT)) >> (256 - 32);
    }

    function socBp(Member m) internal pure returns (uint256) {
        return uint16(Member.unwrap(m) >> SOC);
    }

    function exportWeight(Member m) internal pure returns (uint256) {
        return uint16(Member.unwrap(m) >> EXPORT_WEIGHT);
    }

    function enrolled(Member m) internal pure returns (bool) {
        return Member.unwrap(m) & ENROLLED != 0;
    }

    function weighed(Member m) internal pure returns (bool) {
        return Member.unwrap(m) & WEIGHED != 0;
    }

    function metered(Member m) internal pure returns (bool) {
        return Member.unwrap(m) & METERED != 0;
    }

    function nonce(Member m) internal pure returns (uint256) {
        return Member.unwrap(m) >> NONCE;
    }
}
