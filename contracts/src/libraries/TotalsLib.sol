// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

/// @dev What the fleet's members sum to, in one word. From the left:
///
///     | 24 empty | exportedWh 40 | deliveredWh 40 | targetSocBp 16 | interval 32 | batteries 24 |
///     | importWeightSum 40 | exportWeightSum 40 |
///
/// exportWeightSum  ΣW_e [bp]
/// importWeightSum  ΣW_i [bp]
/// batteries        how many have reported; each weighs at most 10000, so that 2**24 sum to less than 2**38
/// interval         the latest that was reported for: the running one
/// targetSocBp      SoC^{t,A} of `interval`, which cannot change any more: a copy that saves each report a read [bp]
/// deliveredWh      net export of all members in `interval` [Wh]
/// exportedWh       sum of the members' positive net exports in `interval` [Wh]
///
/// A word and not a struct, for the reason given at `Member`.
type Totals is uint256;

using TotalsLib for Totals global;

/// @title The fleet's sums in a word
/// @notice Reading and replacing its fields. Pure: no storage, no caller, no clock.
library TotalsLib {
    uint256 private constant IMPORT_WEIGHT_SUM = 40;
    uint256 private constant BATTERIES = 80;
    uint256 private constant INTERVAL = 104;
    uint256 private constant TARGET_SOC = 136;
    uint256 private constant DELIVERED = 152;
    uint256 private constant EXPORTED = 192;

    /// @dev exportWeightSum, importWeightSum, batteries.
    uint256 private constant WEIGHTS_MASK = (1 << INTERVAL) - 1;
    /// @dev deliveredWh, exportedWh.
    uint256 private constant ENERGIES_MASK = uint256(type(uint80).max) << DELIVERED;

    /// @dev Returns `t` with its running interval replaced by a later one, in which nothing was delivered yet.
    function withInterval(Totals t, uint32 interval_, uint16 targetSocBp_) internal pure returns (Totals) {
        uint256 fields = (uint256(targetSocBp_) << TARGET_SOC) | (uint256(interval_) << INTERVAL);
        return Totals.wrap((Totals.unwrap(t) & WEIGHTS_MASK) | fields);
    }

    /// @dev Returns `t` with the energies of its running interval. [Wh]
    function withEnergies(Totals t, int40 deliveredWh_, uint40 exportedWh_) internal pure returns (Totals) {
        uint256 fields = (uint256(exportedWh_) << EXPORTED) | (uint256(uint40(deliveredWh_)) << DELIVERED);
        return Totals.wrap((Totals.unwrap(t) & ~ENERGIES_MASK) | fields);
    }

    /// @dev Returns `t` with the sums of weights [bp] of as many batteries.
    function withWeights(
        Totals t,
        uint40 exportWeightSum_,
        uint40 importWeightSum_,
        uint24 batteries_
    ) internal pure returns (Totals) {
        uint256 fields = (uint256(batteries_) << BATTERIES) | (uint256(importWeightSum_) << IMPORT_WEIGHT_SUM);
        return Totals.wrap((Totals.unwrap(t) & ~WEIGHTS_MASK) | fields | exportWeightSum_);
    }

    function exportWeightSum(Totals t) internal pure returns (uint40) {
        return uint40(Totals.unwrap(t));
    }

    function importWeightSum(Totals t) internal pure returns (uint40) {
        return uint40(Totals.unwrap(t) >> IMPORT_WEIGHT_SUM);
    }

    function batteries(Totals t) internal pure returns (uint24) {
        return uint24(Totals.unwrap(t) >> BATTERIES);
    }

    function interval(Totals t) internal pure returns (uint32) {
        return uint32(Totals.unwrap(t) >> INTERVAL);
    }

    function targetSocBp(Totals t) internal pure returns (uint16) {
        return uint16(Totals.unwrap(t) >> TARGET_SOC);
    }

    function deliveredWh(Totals t) internal pure returns (int40) {
        return int40(uint40(Totals.unwrap(t) >> DELIVERED));
    }

    function exportedWh(Totals t) internal pure returns (uint40) {
        return uint40(Totals.unwrap(t) >> EXPORTED);
    }
}
