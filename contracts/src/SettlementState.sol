// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.28;

import {Ownable, Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {SignedMath} from "@openzeppelin/contracts/utils/math/SignedMath.sol";
import {BitMaps} from "@openzeppelin/contracts/utils/structs/BitMaps.sol";

import {IFleet} from "./interfaces/IFleet.sol";
import {ISettlement} from "./interfaces/ISettlement.sol";
import {BoundaryLib} from "./libraries/BoundaryLib.sol";
import {RevenueLib} from "./libraries/RevenueLib.sol";

/// @title What a settlement remembers
/// @notice Terms and storage of `Settlement`, and how they are read.
abstract contract SettlementState is ISettlement, Ownable2Step {
    using BitMaps for BitMaps.BitMap;

    /// @dev One storage slot, 232 of 256 bits: what was posted of an interval [micro/MWh, Wh], and the interval that
    /// was posted before it, 0 for none.
    struct Clearing {
        int64 priceMicroPerMwh;
        int64 imbalancePriceMicroPerMwh;
        int40 boundaryWh;
        uint32 previous;
        bool bounded;
        bool posted;
        bool settled;
        bool scaled;
    }

    /// @dev Decimals of a token whose unit is a millionth.
    uint256 private constant DECIMALS = 6;

    /// @dev One storage slot, 256 bits, from the right:
    ///
    ///     | exportedWh 40 | poolMicro 72 | feeMicro 72 | revenueMicro 72 |
    ///
    /// All that a claim has to know of an interval. What was repaid is revenue - fee - pool.
    struct Shares {
        int72 revenueMicro;
        uint72 feeMicro;
        uint72 poolMicro;
        uint40 exportedWh;
    }

    /* IMMUTABLES */

    /// @inheritdoc ISettlement
    IFleet public immutable fleet;
    /// @inheritdoc ISettlement
    IERC20 public immutable token;
    /// @inheritdoc ISettlement
    address public immutable market;
    /// @inheritdoc ISettlement
    uint16 public immutable feeBp;
    /// @inheritdoc ISettlement
    uint16 public immutable boundaryToleranceBp;

    /* STORAGE */

    // The order packs what is written together: the bond shares the slot of Ownable2Step's pending owner, the three that
    // a gain changes have one (240 of 256 bits), the last four another (224).

    /// @inheritdoc ISettlement
    uint80 public bondMicro;
    /// @inheritdoc ISettlement
    uint80 public fundsMicro;
    /// @inheritdoc ISettlement
    uint80 public feesMicro;
    /// @inheritdoc ISettlement
    uint80 public creditsMicro;
    /// @inheritdoc ISettlement
    uint80 public carriedLossMicro;
    /// @inheritdoc ISettlement
    uint80 public lossesMicro;
    /// @inheritdoc ISettlement
    uint32 public openIntervals;
    /// @dev The interval posted last, 0 for none.
    uint32 internal _lastPosted;

    mapping(uint32 interval => Clearing) internal _clearings;
    mapping(uint32 interval => Shares) internal _shares;
    mapping(address member => BitMaps.BitMap) internal _claimed;

    constructor(
        IFleet fleet_,
        IERC20 token_,
        address market_,
        uint16 feeBp_,
        uint16 boundaryToleranceBp_
    ) {
        if (address(fleet_).code.length == 0) revert SettlementFleetMissing(address(fleet_));
        if (address(token_).code.length == 0) revert SettlementTokenMissing(address(token_));
        if (market_ == address(0) || market_ == address(this)) revert SettlementMarketMissing();
        if (feeBp_ > RevenueLib.ALL_BP) revert SettlementFeeRange(feeBp_);
        if (boundaryToleranceBp_ > BoundaryLib.ALL_BP) revert SettlementToleranceRange(boundaryToleranceBp_);
        _checkDecimals(token_);
        fleet = fleet_;
        token = token_;
        market = market_;
        feeBp = feeBp_;
        boundaryToleranceBp = boundaryToleranceBp_;
    }

    /* OWNERSHIP */

    /// @inheritdoc ISettlement
    function renounceOwnership() public pure override(ISettlement, Ownable) {
        revert SettlementOwnerNeeded();
    }

    /* VIEWS */

    /// @inheritdoc ISettlement
    function settlementOf(uint32 interval) external view returns (SettlementView memory) {
        Clearing memory c = _clearings[interval];
        Shares memory s = _shares[interval];
        int256 revenueMicro = s.revenueMicro;
        uint256 gainMicro = uint256(SignedMath.max(revenueMicro, 0));
        return
            SettlementView({
                posted: c.posted,
                settled: c.settled,
                priceMicroPerMwh: c.priceMicroPerMwh,
                imbalancePriceMicroPerMwh: c.imbalancePriceMicroPerMwh,
                revenueMicro: revenueMicro,
                feeMicro: s.feeMicro,
                poolMicro: s.poolMicro,
                repaidMicro: gainMicro - s.feeMicro - s.poolMicro,
                lossMicro: uint256(SignedMath.max(-revenueMicro, 0)),
                exportedWh: s.exportedWh,
                bounded: c.bounded,
                boundaryWh: c.boundaryWh,
                scaled: c.scaled
            });
    }

    /// @inheritdoc ISettlement
    function creditOf(address member, uint32 interval) public view returns (uint256 amountMicro) {
        Shares memory s = _shares[interval];
        if (s.poolMicro == 0 || isClaimed(member, interval)) return 0;
        return RevenueLib.creditMicroDown(s.poolMicro, fleet.exportOf(member, interval), s.exportedWh);
    }

    /// @inheritdoc ISettlement
    function isClaimed(address member, uint32 interval) public view returns (bool) {
        return _claimed[member].get(interval);
    }

    /* INTERNAL: CHECKS */

    /// @dev Reverts if `token_` tells other than six decimals; it need not tell any.
    function _checkDecimals(IERC20 token_) private view {
        (bool answered, bytes memory data) = address(token_).staticcall(abi.encodeCall(IERC20Metadata.decimals, ()));
        if (!answered || data.length != 32) return;
        uint256 decimals = abi.decode(data, (uint256));
        if (decimals != DECIMALS) revert SettlementTokenDecimals(decimals);
    }
}
