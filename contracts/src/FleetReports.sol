// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.28;

import {LowLevelCall} from "@openzeppelin/contracts/utils/LowLevelCall.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {SignedMath} from "@openzeppelin/contracts/utils/math/SignedMath.sol";

import {FleetChecks} from "./FleetChecks.sol";
import {IFleet} from "./interfaces/IFleet.sol";
import {FaultLib, Faults} from "./libraries/FaultLib.sol";
import {Member} from "./libraries/MemberLib.sol";
import {Moment} from "./libraries/MomentLib.sol";
import {Form, PackedReport, ReportLib} from "./libraries/ReportLib.sol";
import {Totals} from "./libraries/TotalsLib.sol";
import {WeightLib} from "./libraries/WeightLib.sol";

/// @title How a fleet takes reports
/// @notice The part of `Fleet` that members and relays call.
/// @dev Both take a report by the same path, `_take`, as one word. What is wrong with it is returned as a set of
/// faults, empty where nothing is: alone a report is refused with the first of them, in a batch it is skipped. The
/// functions of this path return at their end only, and are called from one place where they can, since the compiler
/// inlines no others: a fleet of homes pays for each jump.
abstract contract FleetReports is FleetChecks {
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
        if (!_signedByMeter(msg.sender, digest, meterR, meterVs)) revert FleetMeterSignatureInvalid(msg.sender);

        _reportAlone(t, slot, m, p);

        emit Reported(msg.sender, interval, netExportWh, socBp);
    }

    /// @dev Counts a report whose member's slot holds `m`, or reverts.
    function _reportAlone(Totals t, Slot storage slot, Member m, PackedReport p) private {
        (Totals counted, Faults faults) = _take(t, slot, m, p, _moment(t), FaultLib.NONE);
        if (!faults.none()) LowLevelCall.bubbleRevert(_reason(faults, t, m, p));
        _totals = counted;
    }

    /* MANY REPORTS */

    /// @inheritdoc IFleet
    function reportSigned(SignedReport[] calldata reports, MeterEvidence[] calldata evidence) external {
        Totals t = _totals;
        if (t.paused()) revert FleetPaused();

        Moment now_ = _moment(t);
        Form memory form = ReportLib.form(_domainSeparator());
        // With a word more, for which see `logRelayed`.
        PackedReport[] memory counted = new PackedReport[](reports.length + 1);
        for (uint256 place = 0; place < reports.length; ++place) {
            SignedReport calldata signed = reports[place];
            PackedReport p = signed.report;
            Slot storage slot = _members[p.member()];
            Member m = slot.word;
            form.fill(p, m.nonce());

            Faults faults = FaultLib.METER_EVIDENCE_MISSING.when(m.metered());
            if (evidence.length != 0) {
                if (evidence[0].place == place) {
                    faults = _checkMeter(m, p, form.domain, evidence[0]);
                    evidence = evidence[1:];
                }
            }
            faults =
                faults |
                FaultLib.NONCE.when(!p.bears(m.nonce())) |
                FaultLib.SIGNATURE_INVALID.when(!form.signed(p.member(), signed.r, signed.vs));
            (t, faults) = _take(t, slot, m, p, now_, faults);

            if (faults.none()) ReportLib.put(counted, place, p);
            else emit ReportSkipped(p.member(), place, _reason(faults, t, m, p));
        }
        if (evidence.length != 0) revert FleetEvidencePlace(evidence[0].place);
        _totals = t;

        ReportLib.logRelayed(msg.sender, counted);
    }

    /// @dev Returns what is wrong with the meter's signature of a report.
    function _checkMeter(
        Member m,
        PackedReport p,
        bytes32 domain,
        MeterEvidence calldata evidence
    ) private view returns (Faults) {
        if (!m.metered()) return FaultLib.METER_UNREGISTERED;
        bool signed = _signedByMeter(p.member(), p.digest(domain, m.nonce()), evidence.r, evidence.vs);
        return FaultLib.METER_SIGNATURE_INVALID.when(!signed);
    }

    /// @dev Returns whether the meter of `member`, which has one, signed `digest`. Evidence is checked by OpenZeppelin's
    /// `ECDSA`, and a member's own signature by `ReportLib.signed`: what either accepts, the other does.
    function _signedByMeter(address member, bytes32 digest, bytes32 r, bytes32 vs) private view returns (bool) {
        (address recovered, , ) = ECDSA.tryRecover(digest, r, vs);
        return recovered == _meters[member];
    }

    /* THE PATH OF A REPORT */

    /// @dev Counts a report whose member's slot holds `m`, unless it has `faults`: stores all but the totals, which are
    /// returned, with all its faults. Where something is wrong nothing is changed.
    function _take(
        Totals t,
        Slot storage slot,
        Member m,
        PackedReport p,
        Moment now_,
        Faults faults
    ) private returns (Totals, Faults) {
        bool moved = false;
        uint256 allowedS = now_.allowedS();
        int256 beforeWh = m.netExportWh();
        (int256 deliveredWh, int256 exportedWh) = (t.deliveredWh(), t.exportedWh());
        if (!_isSteady(t, m, p, now_)) {
            moved = true;
            faults = faults | _checkInterval(m, p.interval(), now_.interval());
            (allowedS, beforeWh, deliveredWh, exportedWh) = _sumsElsewhere(t, m, p, now_);
        }
        int256 afterWh;
        // Two int32; sums of 40 bits and a few of 33. Exports are a sum of positive parts, this member's among them:
        // never negative.
        unchecked {
            afterWh = beforeWh + p.netExportWh();
            deliveredWh += p.netExportWh();
            exportedWh += SignedMath.max(afterWh, 0) - SignedMath.max(beforeWh, 0);
        }
        faults = faults | _check(m, p, allowedS, afterWh, deliveredWh, exportedWh);
        if (!faults.none()) return (t, faults);

        if (moved) (t, deliveredWh, exportedWh) = _move(t, m, p, deliveredWh, exportedWh);
        t = t.withEnergies(deliveredWh, exportedWh);
        Member n = m.withReport(p.interval(), block.timestamp, afterWh);
        uint256 weight = WeightLib.exportWeight(p.socBp(), p.netExportWh(), now_.targetSocBp());
        if (m.weighed()) {
            t = t.withBatteryChanged(m.socBp(), m.exportWeight(), p.socBp(), weight);
        } else if (m.capacityWh() == 0) {
            slot.word = n;
            return (t, faults);
        } else {
            t = t.withBattery(p.socBp(), weight);
        }
        slot.word = n.withBattery(p.socBp(), weight);
        return (t, faults);
    }

    /// @dev Returns `allowedS` of the report's interval, see `_check` [s], and the net exports in it so far: its
    /// member's, and the fleet's sums [Wh].
    function _sumsElsewhere(
        Totals t,
        Member m,
        PackedReport p,
        Moment now_
    ) private view returns (uint256 allowedS, int256 beforeWh, int256 deliveredWh, int256 exportedWh) {
        uint256 interval = p.interval();
        allowedS = interval == now_.interval() ? now_.allowedS() : uint256(intervalS) + toleranceS;
        if (interval == m.interval()) beforeWh = m.netExportWh();
        // Of an interval after the running one there is nothing to read.
        if (interval <= t.interval()) (deliveredWh, exportedWh) = _energiesOf(t, interval);
    }

    /// @dev Counts a report for another interval than the member's last or the fleet's running one, that brings the
    /// fleet's sums to `deliveredWh` and `exportedWh`; returns what is then the running interval's.
    function _move(
        Totals t,
        Member m,
        PackedReport p,
        int256 deliveredWh,
        int256 exportedWh
    ) private returns (Totals, int256, int256) {
        uint256 interval = p.interval();
        if (interval != m.interval()) _recordExport(p.member(), m);
        if (interval < t.interval()) {
            _deliveries[interval] = _energies(deliveredWh, exportedWh);
            return (t, t.deliveredWh(), t.exportedWh());
        }
        if (interval > t.interval()) t = _rollOver(t, interval);
        return (t, deliveredWh, exportedWh);
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

    /// @dev Returns sums that fit, as they are stored. [Wh]
    function _energies(int256 deliveredWh, int256 exportedWh) private pure returns (Energies memory) {
        return Energies({deliveredWh: int40(deliveredWh), exportedWh: uint40(int40(exportedWh))});
    }
}
