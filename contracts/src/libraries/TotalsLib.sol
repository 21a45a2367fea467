// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {WeightLib} from "./WeightLib.sol";

/// @dev What the fleet's members sum to, in one word. From the left:
///
///     | deliveredWh 40 | exportedWh 40 | 23 empty | paused 1 | targetSocBp 16 | interval 32 | batteries 24 |
///     | importWeightSum 40 | exportWeightSum 40 |
///
/// exportWeightSum  ΣW_e [bp]
/// importWeightSum  ΣW_i [bp]
/// batteries        how many have reported; each weighs at most 10000, so that 2**24 sum to less than 2**38
/// interval         the latest that was reported for: the running one
/// targetSocBp      SoC^{t,A} of `interval`, which cannot change any more: a copy that saves each report a read [bp]
/// paused           whether reports are stopped
/// exportedWh       sum of the members' positive net exports in `interval` [Wh]
/// deliveredWh      net export of all members in `interval` [Wh]
///
/// A word and not a struct, for the reason given at `Member`.
type Totals is uint256;

using TotalsLib for Totals global;

/// @title The fleet's sums in a word
/// @notice Reading and replacing its fields. Pure: no storage, no caller, no clock.
/// @dev Fields come out, and go in, as whole words of the right range, as with `MemberLib`.
library TotalsLib {
    uint256 private constant IMPORT_WEIGHT_SUM = 40;
    uint256 private constant BATTERIES = 80;
    uint256 private constant INTERVAL = 104;
    uint256 private constant TARGET_SOC = 136;
    uint256 private constant PAUSED = 1 << 152;
    uint256 private constant EXPORTED = 176;
    uint256 private constant DELIVERED = 216;

    /// @dev exportWeightSum, importWeightSum, batteries, paused: what outlives an interval.
    uint256 private constant LASTING_MASK = ((1 << INTERVAL) - 1) | PAUSED;

    /// @dev All but exportedWh, deliveredWh.
    uint256 private constant ENERGIES_MASK = (1 << EXPORTED) - 1;

    /// @dev Returns `t` with its running interval replaced by a later one, in which nothing was delivered yet.
    function withInterval(Totals t, uint256 interval_, uint256 targetSocBp_) internal pure returns (Totals) {
        uint256 fields = (targetSocBp_ << TARGET_SOC) | (interval_ << INTERVAL);
        return Totals.wrap((Totals.unwrap(t) & LASTING_MASK) | fields);
    }

    /// @dev Returns `t` with the energies of its running interval replaced; both fit their fields. [Wh]
    function withEnergies(Totals t, int256 deliveredWh_, int256 exportedWh_) internal pure returns (Totals) {
        // Exports are not negative; what is delivered is uppermost.
        uint256 fields = (uint256(deliveredWh_) << DELIVERED) | (uint256(exportedWh_) << EXPORTED);
        return Totals.wrap((Totals.unwrap(t) & ENERGIES_MASK) | fields);
    }

    /// @dev Returns `t` with a battery of this charge and weight more. [bp]
    function withBattery(Totals t, uint256 socBp, uint256 exportWeight) internal pure returns (Totals) {
        // Fewer than 2**24 batteries of at most 10000 each: no sum leaves its field.
        unchecked {
            return Totals.wrap(Totals.unwrap(t) + _battery(socBp, exportWeight));
        }
    }

    /// @dev Returns `t` without a battery that is in it with this charge and weight. [bp]
    function withoutBattery(Totals t, uint256 socBp, uint256 exportWeight) internal pure returns (Totals) {
        // Each sum holds what is taken from it: no field borrows from the next.
        unchecked {
            return Totals.wrap(Totals.unwrap(t) - _battery(socBp, exportWeight));
        }
    }

    /// @dev Returns `t` with a battery that is in it changed from the first charge and weight to the second ones. [bp]
    function withBatteryChanged(
        Totals t,
        uint256 socBp,
        uint256 exportWeight,
        uint256 nextSocBp,
        uint256 nextExportWeight
    ) internal pure returns (Totals) {
        // Modulo 2**256 this is `withoutBattery` and `withBattery`, whose results are in range.
        unchecked {
            uint256 difference = ((socBp - nextSocBp) << IMPORT_WEIGHT_SUM) + nextExportWeight - exportWeight;
            return Totals.wrap(Totals.unwrap(t) + difference);
        }
    }

    /// @dev Returns `t` with reports stopped or not.
    function withPaused(Totals t, bool paused_) internal pure returns (Totals) {
        uint256 word = Totals.unwrap(t);
        return Totals.wrap(paused_ ? word | PAUSED : word & ~PAUSED);
    }

    function exportWeightSum(Totals t) internal pure returns (uint256) {
        return uint40(Totals.unwrap(t));
    }

    function importWeightSum(Totals t) internal pure returns (uint256) {
        return uint40(Totals.unwrap(t) >> IMPORT_WEIGHT_SUM);
    }

    function batteries(Totals t) internal pure returns (uint256) {
        return uint24(Totals.unwrap(t) >> BATTERIES);
    }

    function interval(Totals t) internal pure returns (uint256) {
        return uint32(Totals.unwrap(t) >> INTERVAL);
    }

    /// @dev Returns `interval` in the lowest 32 bits, with other fields above it: for comparing without a mask.
    function intervalAndAbove(Totals t) internal pure returns (uint256) {
        return Totals.unwrap(t) >> INTERVAL;
    }

    function targetSocBp(Totals t) internal pure returns (uint256) {
        return uint16(Totals.unwrap(t) >> TARGET_SOC);
    }

    function paused(Totals t) internal pure returns (bool) {
        return Totals.unwrap(t) & PAUSED != 0;
    }

    function exportedWh(Totals t) internal pure returns (int256) {
        return int256(uint256(uint40(Totals.unwrap(t) >> EXPORTED)));
    }

    function deliveredWh(Totals t) internal pure returns (int256) {
        return int256(Totals.unwrap(t)) >> DELIVERED;
    }

    /// @dev Returns a battery's part in the three sums, each in its place. [bp]
    function _battery(uint256 socBp, uint256 exportWeight) private pure returns (uint256) {
        return (1 << BATTERIES) | (WeightLib.importWeight(socBp) << IMPORT_WEIGHT_SUM) | exportWeight;
    }
}
