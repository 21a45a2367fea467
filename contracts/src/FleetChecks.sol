// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.28;

import {SignedMath} from "@openzeppelin/contracts/utils/math/SignedMath.sol";

import {FleetState} from "./FleetState.sol";
import {FaultLib, Faults} from "./libraries/FaultLib.sol";
import {Member} from "./libraries/MemberLib.sol";
import {Moment, MomentLib} from "./libraries/MomentLib.sol";
import {PackedReport} from "./libraries/ReportLib.sol";
import {Totals} from "./libraries/TotalsLib.sol";
import {WeightLib} from "./libraries/WeightLib.sol";

/// @title What a fleet asks of a report
/// @notice The checks of a report, and the errors that it is refused with. Nothing here changes anything.
abstract contract FleetChecks is FleetState {
    /// @dev Seconds in an hour: W s in a Wh.
    uint256 private constant HOUR_S = 3600;

    /* CHECKS */

    /// @dev Returns the present moment.
    function _moment(Totals t) internal view returns (Moment now_) {
        now_ = MomentLib.at(block.timestamp, intervalS, toleranceS);
        uint256 current = now_.interval();
        now_ = now_.withTarget(current == t.interval() ? t.targetSocBp() : _targetSocBp(current));
    }

    /// @dev Returns whether a report is for the interval of the clock, of its member's last report and of the fleet's:
    /// nearly all are, and find what they need in the words at hand.
    function _isSteady(Totals t, Member m, PackedReport p, Moment now_) internal pure returns (bool) {
        uint256 word = p.intervalAndAbove();
        // Bits that differ, of any, without a jump; masked once.
        uint256 differences = (word ^ now_.interval()) |
            (word ^ m.intervalAndAbove()) |
            (word ^ t.intervalAndAbove());
        return uint32(differences) == 0;
    }

    /// @dev Returns what is wrong with a report that brings its member's net export of the interval to `afterWh` and
    /// the fleet's to `deliveredWh` and `exportedWh`, but for the interval itself. In the part of it that is over, and
    /// the tolerance, are `allowedS`: `limitWs` alone would grant the tolerance anew with each report, and a long
    /// silence to a single interval. [Wh, s]
    function _check(
        Member m,
        PackedReport p,
        uint256 allowedS,
        int256 afterWh,
        int256 deliveredWh,
        int256 exportedWh
    ) internal view returns (Faults) {
        // s < 2**41 and W <= 2**32 and Wh <= 2**32: far from overflow, and the last report is not of the future.
        unchecked {
            uint256 powerW = m.gridPowerW();
            uint256 limitWs = powerW * (block.timestamp - m.reportedAt() + toleranceS);
            uint256 intervalLimitWs = powerW * allowedS;
            int256 overflows = (afterWh ^ int32(afterWh)) |
                (deliveredWh ^ int40(deliveredWh)) |
                (exportedWh ^ int40(exportedWh));
            return
                FaultLib.MEMBER_UNKNOWN.when(!m.enrolled()) |
                FaultLib.SOC_RANGE.when(p.socBp() > WeightLib.FULL_BP) |
                FaultLib.ENERGY_LIMIT.when(SignedMath.abs(p.netExportWh()) * HOUR_S > limitWs) |
                FaultLib.INTERVAL_ENERGY_LIMIT.when(SignedMath.abs(afterWh) * HOUR_S > intervalLimitWs) |
                FaultLib.ENERGY_OVERFLOW.when(overflows != 0);
        }
    }

    /// @dev Returns what is wrong with reporting for `interval`.
    function _checkInterval(Member m, uint256 interval, uint256 current) internal view returns (Faults faults) {
        faults =
            FaultLib.INTERVAL_FUTURE.when(interval > current) |
            FaultLib.INTERVAL_ORDER.when(interval < m.interval());
        if (interval < current) faults = faults | FaultLib.INTERVAL_OVER.when(block.timestamp >= _deadline(interval));
    }

    /* REFUSALS */

    /// @dev Returns the first of `faults`, ABI-encoded as the error that a report is refused with.
    function _reason(Faults faults, Totals t, Member m, PackedReport p) internal view returns (bytes memory) {
        Faults fault = faults.first();
        if (fault.equals(FaultLib.NONCE)) {
            uint256 given = ((m.nonce() >> 16) << 16) | p.nonceLow();
            return abi.encodeWithSelector(FleetNonce.selector, p.member(), given, m.nonce());
        }
        if (fault.equals(FaultLib.SOC_RANGE)) return abi.encodeWithSelector(FleetSocRange.selector, p.socBp());
        if (fault.before(FaultLib.SOC_RANGE)) return _reasonOfSigner(fault, p.member());
        if (fault.before(FaultLib.ENERGY_LIMIT)) return _reasonOfInterval(fault, m, p);
        return _reasonOfEnergy(fault, t, m, p);
    }

    function _reasonOfSigner(Faults fault, address member) private pure returns (bytes memory) {
        bytes4 selector = FleetMemberUnknown.selector;
        if (fault.equals(FaultLib.SIGNATURE_INVALID)) selector = FleetSignatureInvalid.selector;
        if (fault.equals(FaultLib.METER_EVIDENCE_MISSING)) selector = FleetMeterEvidenceMissing.selector;
        if (fault.equals(FaultLib.METER_UNREGISTERED)) selector = FleetMeterUnregistered.selector;
        if (fault.equals(FaultLib.METER_SIGNATURE_INVALID)) selector = FleetMeterSignatureInvalid.selector;
        return abi.encodeWithSelector(selector, member);
    }

    function _reasonOfInterval(Faults fault, Member m, PackedReport p) private view returns (bytes memory) {
        uint256 interval = p.interval();
        if (fault.equals(FaultLib.INTERVAL_FUTURE)) {
            return abi.encodeWithSelector(FleetIntervalFuture.selector, interval, _currentInterval());
        }
        if (fault.equals(FaultLib.INTERVAL_OVER)) {
            return abi.encodeWithSelector(FleetIntervalOver.selector, interval, _deadline(interval));
        }
        return abi.encodeWithSelector(FleetIntervalOrder.selector, p.member(), interval, m.interval());
    }

    function _reasonOfEnergy(Faults fault, Totals t, Member m, PackedReport p) private view returns (bytes memory) {
        uint256 interval = p.interval();
        int256 netExportWh = p.netExportWh();
        int256 beforeWh = interval == m.interval() ? m.netExportWh() : int256(0);
        int256 afterWh = beforeWh + netExportWh;
        if (fault.equals(FaultLib.ENERGY_LIMIT)) {
            uint256 sinceS = block.timestamp - m.reportedAt();
            return abi.encodeWithSelector(FleetEnergyLimit.selector, p.member(), netExportWh, _limitWh(m, sinceS));
        }
        if (fault.equals(FaultLib.INTERVAL_ENERGY_LIMIT)) {
            bytes4 selector = FleetIntervalEnergyLimit.selector;
            uint256 elapsedS = interval == _currentInterval() ? block.timestamp % intervalS : intervalS;
            return abi.encodeWithSelector(selector, p.member(), interval, afterWh, _limitWh(m, elapsedS));
        }
        (int256 deliveredWh, int256 exportedWh) = _energiesOf(t, interval);
        int256 sumWh = exportedWh + SignedMath.max(afterWh, 0) - SignedMath.max(beforeWh, 0);
        deliveredWh += netExportWh;
        if (deliveredWh != int40(deliveredWh)) sumWh = deliveredWh;
        if (afterWh != int32(afterWh)) sumWh = afterWh;
        return abi.encodeWithSelector(FleetEnergyOverflow.selector, sumWh);
    }

    /// @dev Returns what the connection of `m` carries in `elapsedS` [s] and the tolerance. [Wh]
    function _limitWh(Member m, uint256 elapsedS) private view returns (uint256) {
        return (m.gridPowerW() * (elapsedS + toleranceS)) / HOUR_S;
    }
}
