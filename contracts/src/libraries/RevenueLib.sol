// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SignedMath} from "@openzeppelin/contracts/utils/math/SignedMath.sol";

/// @title Revenue of an interval and its shares
/// @notice Arithmetic of money. Pure: no storage, no caller, no clock.
library RevenueLib {
    /// @dev All of it. [bp]
    uint256 internal constant ALL_BP = 10_000;

    /// @dev Largest price, either way: with it, no revenue leaves int72 (see `revenueMicroDown`). [micro/MWh]
    int64 internal constant PRICE_MAX = 1e15;

    /// @dev Wh in a MWh.
    int256 private constant WH_PER_MWH = 1e6;

    /// @dev Returns (E_c * price - |delivered - E_c| * imbalance price) / 1e6, rounded towards minus infinity. [micro]
    function revenueMicroDown(
        uint32 commitmentWh,
        int40 deliveredWh,
        int64 priceMicroPerMwh,
        int64 imbalancePriceMicroPerMwh
    ) internal pure returns (int72) {
        int256 committedWh = int256(uint256(commitmentWh));
        int256 deviationWh = int256(SignedMath.abs(int256(deliveredWh) - committedWh));
        int256 microWh = committedWh * priceMicroPerMwh - deviationWh * imbalancePriceMicroPerMwh;
        int256 revenueMicro = microWh / WH_PER_MWH;
        if (microWh % WH_PER_MWH < 0) --revenueMicro;
        // |microWh| <= (2 * 2**32 + 2**39) * 1e15, so the revenue is at most 5.6e20 < 2**71.
        return int72(revenueMicro);
    }

    /// @dev Returns the aggregator's part of `amountMicro`. [micro]
    function feeMicroDown(uint256 amountMicro, uint16 feeBp) internal pure returns (uint256) {
        return (amountMicro * feeBp) / ALL_BP;
    }

    /// @dev Returns the part of the pool of a member that exported `netExportWh` of `exportedWh`. [micro]
    function creditMicroDown(uint256 poolMicro, int32 netExportWh, uint256 exportedWh) internal pure returns (uint256) {
        if (netExportWh <= 0) return 0;
        return Math.mulDiv(poolMicro, uint256(int256(netExportWh)), exportedWh);
    }
}
