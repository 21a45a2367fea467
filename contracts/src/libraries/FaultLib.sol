// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

/// @dev All that is wrong with a report, a bit each, 0 where nothing is. Of several faults the lowest is told.
///
/// A set and not the error itself, since nearly every report is right: its checks are numbers joined without a jump,
/// and only what is refused pays for finding out and encoding the values of its error.
type Faults is uint256;

using FaultLib for Faults global;
using {join as |} for Faults global;

/// @dev Returns the faults that are in either.
function join(Faults a, Faults b) pure returns (Faults) {
    return Faults.wrap(Faults.unwrap(a) | Faults.unwrap(b));
}

/// @title What can be wrong with a report, in the order in which it is told
/// @notice Names of the bits. Pure: no storage, no caller, no clock.
library FaultLib {
    Faults internal constant NONE = Faults.wrap(0);

    Faults internal constant MEMBER_UNKNOWN = Faults.wrap(1 << 0);
    Faults internal constant NONCE = Faults.wrap(1 << 1);
    Faults internal constant SIGNATURE_INVALID = Faults.wrap(1 << 2);
    Faults internal constant METER_EVIDENCE_MISSING = Faults.wrap(1 << 3);
    Faults internal constant METER_UNREGISTERED = Faults.wrap(1 << 4);
    Faults internal constant METER_SIGNATURE_INVALID = Faults.wrap(1 << 5);
    Faults internal constant SOC_RANGE = Faults.wrap(1 << 6);
    Faults internal constant INTERVAL_FUTURE = Faults.wrap(1 << 7);
    Faults internal constant INTERVAL_OVER = Faults.wrap(1 << 8);
    Faults internal constant INTERVAL_ORDER = Faults.wrap(1 << 9);
    Faults internal constant ENERGY_LIMIT = Faults.wrap(1 << 10);
    Faults internal constant INTERVAL_ENERGY_LIMIT = Faults.wrap(1 << 11);
    Faults internal constant ENERGY_OVERFLOW = Faults.wrap(1 << 12);

    /// @dev Returns `fault` where `found`, else nothing.
    function when(Faults fault, bool found) internal pure returns (Faults) {
        // At most 2**12 * 1. A product, since the compiler makes two jumps of a condition.
        unchecked {
            return Faults.wrap(Faults.unwrap(fault) * SafeCast.toUint(found));
        }
    }

    /// @dev Returns whether there is none.
    function none(Faults faults) internal pure returns (bool) {
        return Faults.unwrap(faults) == 0;
    }

    /// @dev Returns the first one of several.
    function first(Faults faults) internal pure returns (Faults) {
        uint256 bits = Faults.unwrap(faults);
        // The lowest bit that is set; 0 has none.
        unchecked {
            return Faults.wrap(bits & (0 - bits));
        }
    }

    /// @dev Returns whether both are the same.
    function equals(Faults a, Faults b) internal pure returns (bool) {
        return Faults.unwrap(a) == Faults.unwrap(b);
    }

    /// @dev Returns whether fault `a` is told before `b`.
    function before(Faults a, Faults b) internal pure returns (bool) {
        return Faults.unwrap(a) < Faults.unwrap(b);
    }
}
