// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.28;

import {LowLevelCall} from "@openzeppelin/contracts/utils/LowLevelCall.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {SignedMath} from "@openzeppelin/contracts/utils/math/SignedMath.sol";

import {FleetState} from "./FleetState.sol";
import {IFleet} from "./interfaces/IFleet.sol";
import {Member} from "./libraries/MemberLib.sol";
import {PackedReport, ReportLib} from "./libraries/ReportLib.sol";
import {Totals} from "./libraries/TotalsLib.sol";
import {WeightLib} from "./libraries/WeightLib.sol";

/// @title How a fleet takes reports
/// @notice The part of `Fleet` that members and relays call.
/// @dev Both take a report by the same path, `_take`, as one word. What is wrong with it is returned as the error,
/// ABI-encoded, empty where nothing is: alone a report is refused with it, in a batch it is skipped. The functions of
/// this path return at their end only, and are called from one place, since the compiler inlines no others: a fleet of
/// homes pays for each jump.
abstract contract FleetReports is FleetState {
    /// @dev Seconds in an hour: W s in a Wh.
    uint256 private constant HOUR_S = 3600;

    /* ONE REPORT */

    /// @inheritdoc IFleet
    function report(uint32 interval, int32 netExportWh, uint16 socBp) external {
        Totals t = _totals;
        if (t.paused()) revert FleetPaused();
        Slot storage slot = _members[msg.sender];
        Member m = slot.word;
        if (m.metered()) revert FleetMeterEvidenceMissing(msg.sender);

        _reportAlone(t, slot, m, ReportLib.pack(msg.sender, interval, netExportWh, socBp));

        emit Reported(msg.sender, interval, netExportWh, socBp);
    }

    /// @inheritdoc IFleet
    function reportMetered(
        uint32 interval,
        int32 netExportWh,
        uint16 socBp,
        bytes32 meterR,
        bytes32 meterVs
    ) external {
        Totals t = _totals;
        if (t.paused()) revert FleetPaused();
        Slot storage slot = _members[msg.sender];
        Member m = slot.word;
        if (!m.enrolled()) revert FleetMemberUnknown(msg.sender);
        if (!m.metered()) revert FleetMeterUnregistered(msg.sender);
        PackedReport p = ReportLib.pack(msg.sender, interval, netExportWh, socBp);
        bytes32 digest = p.digest(_domainSeparator(), m.nonce());
        if (!_signed(_meters[msg.sender], digest, meterR, meterVs)) revert FleetMeterSignatureInvalid(msg.sender);

        _reportAlone(t, slot, m, p);

        emit Reported(msg.sender, interval, netExportWh, socBp);
    }

    /// @dev Counts a report whose member's slot holds `m`, or reverts.
    function _reportAlone(Totals t, Slot storage slot, Member m, PackedReport p) private {
        (Totals counted, bytes memory reason) = _take(t, slot, m, p, _currentInterval());
        if (reason.length != 0) LowLevelCall.bubbleRevert(reason);
        _totals = counted;
    }

    /* MANY REPORTS */

    /// @inheritdoc IFleet
    function reportSigned(SignedReport[] calldata reports, MeterEvidence[] calldata evidence) external {
        Totals t = _totals;
        if (t.paused()) revert FleetPaused();

        bytes32 domain = _domainSeparator();
        uint256 current = _currentInterval();
        PackedReport[] memory counted = new PackedReport[](reports.length);
        uint256 used = 0;
        for (uint256 place = 0; place < reports.length; ++place) {
            SignedReport calldata signed = reports[place];
            PackedReport p = signed.report;
            Slot storage slot = _members[p.member()];
            Member m = slot.word;
            bytes32 digest = p.digest(domain, m.nonce());

            bytes memory reason = _checkMember(m, p, digest, signed);
            if (used < evidence.length && evidence[used].place == place) {
                if (reason.length == 0) reason = _checkMeter(m, p, digest, evidence[used]);
                ++used;
            } else if (m.metered() && reason.length == 0) {
                reason = abi.encodeWithSelector(FleetMeterEvidenceMissing.selector, p.member());
            }
            if (reason.length == 0) (t, reason) = _take(t, slot, m, p, current);

            if (reason.length == 0) counted[place] = p;
            else emit ReportSkipped(p.member(), place, reason);
        }
        if (used != evidence.length) revert FleetEvidencePlace(evidence[used].place);
        _totals = t;

        emit ReportsRelayed(msg.sender, counted);
    }

    /// @dev Returns what is wrong with who signed a report; `m` is what the slot of the member that it names holds.
    function _checkMember(
        Member m,
        PackedReport p,
        bytes32 digest,
        SignedReport calldata signed
    ) private pure returns (bytes memory reason) {
        uint256 nonce = m.nonce();
        if (!_signed(p.member(), digest, signed.r, signed.vs)) {
            reason = abi.encodeWithSelector(FleetSignatureInvalid.selector, p.member());
        }
        if (p.nonceLow() != nonce % (1 << 16)) {
            uint256 given = ((nonce >> 16) << 16) | p.nonceLow();
            reason = abi.encodeWithSelector(FleetNonce.selector, p.member(), given, nonce);
        }
        if (!m.enrolled()) reason = abi.encodeWithSelector(FleetMemberUnknown.selector, p.member());
    }

    /// @dev Returns what is wrong with the meter's signature of a report.
    function _checkMeter(
        Member m,
        PackedReport p,
        bytes32 digest,
        MeterEvidence calldata evidence
    ) private view returns (bytes memory reason) {
        address member = p.member();
        if (!m.metered()) {
            reason = abi.encodeWithSelector(FleetMeterUnregistered.selector, member);
        } else if (!_signed(_meters[member], digest, evidence.r, evidence.vs)) {
            reason = abi.encodeWithSelector(FleetMeterSignatureInvalid.selector, member);
        }
    }

    /// @dev Returns whether `signer`, which is not zero, signed `digest`.
    function _signed(address signer, bytes32 digest, bytes32 r, bytes32 vs) private pure returns (bool) {
        (address recovered, , ) = ECDSA.tryRecover(digest, r, vs);
        return recovered == signer;
    }

    /* THE PATH OF A REPORT */

    /// @dev Counts a report whose member's slot holds `m`: stores all but the totals, which are returned. Where
    /// something is wrong nothing is changed.
    function _take(
        Totals t,
        Slot storage slot,
        Member m,
        PackedReport p,
        uint256 current
    ) private returns (Totals, bytes memory reason) {
        (int256 beforeWh, int256 afterWh) = _memberSum(m, p);
        reason = _check(m, p, current, afterWh);
        if (reason.length == 0) (t, reason) = _count(t, p.interval(), beforeWh, afterWh);
        if (reason.length == 0) {
            if (p.interval() != m.interval()) _recordExport(p.member(), m);
            Member n = m.withReport(p.interval(), block.timestamp, afterWh);
            if (m.capacityWh() != 0) {
                uint256 targetSocBp = t.targetSocBp();
                if (current != t.interval()) targetSocBp = _targetSocBp(current);
                uint256 weight = WeightLib.exportWeight(p.socBp(), p.netExportWh(), targetSocBp);
                n = n.withBattery(p.socBp(), weight);
                if (m.weighed()) t = t.withoutBattery(m.socBp(), m.exportWeight());
                t = t.withBattery(p.socBp(), weight);
            }
            slot.word = n;
        }
        return (t, reason);
    }

    /// @dev Returns the member's net export of the report's interval without and with it. [Wh]
    function _memberSum(Member m, PackedReport p) private pure returns (int256 beforeWh, int256 afterWh) {
        if (p.interval() == m.interval()) beforeWh = m.netExportWh();
        // Two int32.
        unchecked {
            afterWh = beforeWh + p.netExportWh();
        }
    }

    /// @dev Returns what is wrong with a report that brings its member's net export of the interval to `afterWh`: of
    /// several things the last one here.
    function _check(
        Member m,
        PackedReport p,
        uint256 current,
        int256 afterWh
    ) private view returns (bytes memory reason) {
        address member = p.member();
        uint256 interval = p.interval();
        // Wh <= 2**32: far from overflow.
        unchecked {
            if (afterWh != int32(afterWh)) reason = abi.encodeWithSelector(FleetEnergyOverflow.selector, afterWh);
            uint256 limitWs = _intervalLimitWs(m, interval, current);
            if (SignedMath.abs(afterWh) * HOUR_S > limitWs) {
                bytes4 selector = FleetIntervalEnergyLimit.selector;
                reason = abi.encodeWithSelector(selector, member, interval, afterWh, limitWs / HOUR_S);
            }
            limitWs = _limitWs(m);
            if (SignedMath.abs(p.netExportWh()) * HOUR_S > limitWs) {
                bytes4 selector = FleetEnergyLimit.selector;
                reason = abi.encodeWithSelector(selector, member, p.netExportWh(), limitWs / HOUR_S);
            }
        }
        if (interval < m.interval()) {
            reason = abi.encodeWithSelector(FleetIntervalOrder.selector, member, interval, m.interval());
        }
        if (interval != current) {
            uint256 deadline = _deadline(interval);
            if (interval > current) {
                reason = abi.encodeWithSelector(FleetIntervalFuture.selector, interval, current);
            } else if (block.timestamp >= deadline) {
                reason = abi.encodeWithSelector(FleetIntervalOver.selector, interval, deadline);
            }
        }
        if (p.socBp() > WeightLib.FULL_BP) reason = abi.encodeWithSelector(FleetSocRange.selector, p.socBp());
        if (!m.enrolled()) reason = abi.encodeWithSelector(FleetMemberUnknown.selector, member);
    }

    /// @dev Returns what the connection of `m` carries since its last report. [W s]
    function _limitWs(Member m) private view returns (uint256) {
        // W * s <= 2**32 * (2**40 + 2**32): far from overflow, and the last report is not of the future.
        unchecked {
            return m.gridPowerW() * (block.timestamp - m.reportedAt() + toleranceS);
        }
    }

    /// @dev Returns what the connection of `m` carries since `interval` began, until now or its end. [W s]
    /// `_limitWs` alone would grant `toleranceS` anew with each report, and a long silence to a single interval.
    function _intervalLimitWs(Member m, uint256 interval, uint256 current) private view returns (uint256) {
        // s < 2**33, W * s < 2**65: far from overflow, and the running interval has begun.
        unchecked {
            uint256 elapsedS = intervalS;
            if (interval == current) elapsedS = block.timestamp - current * elapsedS;
            return m.gridPowerW() * (elapsedS + toleranceS);
        }
    }

    /// @dev Counts a member's net export of `interval`, which went from `beforeWh` to `afterWh`, for the fleet. Where a
    /// sum does not fit nothing is changed.
    function _count(
        Totals t,
        uint256 interval,
        int256 beforeWh,
        int256 afterWh
    ) private returns (Totals, bytes memory reason) {
        (int256 moreDeliveredWh, int256 moreExportedWh) = _changes(beforeWh, afterWh);
        if (interval > t.interval()) t = _rollOver(t, interval);
        int256 deliveredWh = t.deliveredWh();
        int256 exportedWh = t.exportedWh();
        if (interval != t.interval()) {
            Energies memory e = _deliveries[interval];
            (deliveredWh, exportedWh) = (e.deliveredWh, int256(uint256(e.exportedWh)));
        }
        // Sums of 40 bits and a few of 33. Exports are a sum of positive parts, this member's among them: never
        // negative.
        unchecked {
            deliveredWh += moreDeliveredWh;
            exportedWh += moreExportedWh;
        }
        if (deliveredWh != int40(deliveredWh)) {
            reason = abi.encodeWithSelector(FleetEnergyOverflow.selector, deliveredWh);
        } else if (exportedWh != int40(exportedWh)) {
            reason = abi.encodeWithSelector(FleetEnergyOverflow.selector, exportedWh);
        } else if (interval == t.interval()) {
            t = t.plusEnergies(moreDeliveredWh, moreExportedWh);
        } else {
            _deliveries[interval] = _energies(deliveredWh, exportedWh);
        }
        return (t, reason);
    }

    /// @dev Records the fleet's running interval and begins `interval`, for which nobody reported before.
    function _rollOver(Totals t, uint256 interval) private returns (Totals) {
        uint256 closed = t.interval();
        if (closed != 0) {
            Energies memory e = _energies(t.deliveredWh(), t.exportedWh());
            _deliveries[closed] = e;
            emit IntervalClosed(uint32(closed), e.deliveredWh, e.exportedWh);
        }
        return t.withInterval(interval, _targetSocBp(interval));
    }

    /// @dev Returns by how much the fleet's sums change when a member's net export does. [Wh]
    function _changes(int256 beforeWh, int256 afterWh) private pure returns (int256 deliveredWh, int256 exportedWh) {
        // Few int33.
        unchecked {
            deliveredWh = afterWh - beforeWh;
            if (afterWh > 0) exportedWh = afterWh;
            if (beforeWh > 0) exportedWh -= beforeWh;
        }
    }

    /// @dev Returns sums that fit, as they are stored. [Wh]
    function _energies(int256 deliveredWh, int256 exportedWh) private pure returns (Energies memory) {
        return Energies({deliveredWh: int40(deliveredWh), exportedWh: uint40(int40(exportedWh))});
    }
}
