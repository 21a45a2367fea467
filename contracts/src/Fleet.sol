// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.28;

import {Ownable, Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {SignedMath} from "@openzeppelin/contracts/utils/math/SignedMath.sol";

import {IFleet} from "./interfaces/IFleet.sol";
import {EnergyLib} from "./libraries/EnergyLib.sol";
import {Member, MemberLib} from "./libraries/MemberLib.sol";
import {ScheduleLib} from "./libraries/ScheduleLib.sol";
import {Totals} from "./libraries/TotalsLib.sol";
import {WeightLib} from "./libraries/WeightLib.sol";

/// @title Fleet
/// @notice Who belongs, what was promised, what was delivered: see `IFleet`.
contract Fleet is IFleet, Ownable2Step {
    using EnergyLib for uint256;
    using ScheduleLib for uint256;

    /// @dev One storage slot, 80 of 256 bits: what the fleet did in one interval. [Wh]
    struct Energies {
        int40 deliveredWh;
        uint40 exportedWh;
    }

    /* IMMUTABLES */

    /// @inheritdoc IFleet
    uint32 public immutable intervalS;
    /// @inheritdoc IFleet
    uint32 public immutable graceS;
    /// @inheritdoc IFleet
    uint32 public immutable toleranceS;

    /* STORAGE */

    /// @dev The running interval's sums.
    Totals private _totals;
    /// @dev A member's net export is that of its last interval, earlier ones are in `_exports`.
    mapping(address member => Member) private _members;
    /// @dev See `ScheduleLib`.
    mapping(uint256 word => uint256) private _promises;
    /// @dev What the fleet did in intervals before the running one.
    mapping(uint256 interval => Energies) private _deliveries;
    /// @dev See `EnergyLib`.
    mapping(address member => mapping(uint256 word => uint256)) private _exports;

    constructor(address owner, uint32 intervalS_, uint32 graceS_, uint32 toleranceS_) Ownable(owner) {
        if (intervalS_ != 900 && intervalS_ != 1800 && intervalS_ != 3600) revert FleetIntervalLength(intervalS_);
        intervalS = intervalS_;
        graceS = graceS_;
        toleranceS = toleranceS_;
    }

    /* MEMBERS */

    /// @inheritdoc IFleet
    function enrol(address member, uint32 capacityWh, uint32 gridPowerW) external onlyOwner {
        if (_members[member].enrolled()) revert FleetMemberExists(member);

        uint32 interval = _currentInterval();
        // Not 0 for a member that left in this very interval and comes back.
        int32 netExportWh = _exports[member][interval / EnergyLib.LANES].energyWhAt(interval);
        Member m = MemberLib.withRatings(capacityWh, gridPowerW);
        _members[member] = m.withReport(interval, block.timestamp, netExportWh);

        emit MemberEnrolled(member, capacityWh, gridPowerW);
    }

    /// @inheritdoc IFleet
    function retire(address member) external onlyOwner {
        Member m = _enrolled(member);

        _recordExport(member, m);
        if (m.weighed()) _totals = _without(_totals, m);
        _members[member] = Member.wrap(0);

        emit MemberRetired(member);
    }

    /// @inheritdoc IFleet
    function memberOf(address member) external view returns (MemberView memory) {
        Member m = _members[member];
        return
            MemberView({
                enrolled: m.enrolled(),
                capacityWh: m.capacityWh(),
                gridPowerW: m.gridPowerW(),
                interval: m.interval(),
                reportedAt: m.reportedAt(),
                netExportWh: m.netExportWh(),
                socBp: m.socBp()
            });
    }

    /* OWNERSHIP */

    /// @inheritdoc IFleet
    function renounceOwnership() public pure override(IFleet, Ownable) {
        revert FleetOwnerNeeded();
    }

    /* PROMISE */

    /// @inheritdoc IFleet
    function publish(
        uint32 firstInterval,
        uint16[] calldata socBp,
        uint32[] calldata commitmentWh,
        bool[] calldata steered
    ) external onlyOwner {
        uint256 count = socBp.length;
        if (count == 0 || count != commitmentWh.length || count != steered.length) {
            revert FleetScheduleShape(count, commitmentWh.length, steered.length);
        }
        if (uint256(firstInterval) * intervalS <= block.timestamp) {
            revert FleetIntervalBegun(firstInterval, block.timestamp);
        }

        uint256 interval = firstInterval;
        uint256 word = _promises[interval / ScheduleLib.LANES];
        for (uint256 i = 0; i < count; ++i) {
            if (socBp[i] > WeightLib.FULL_BP) revert FleetSocRange(socBp[i]);
            word = word.withPromise(interval, socBp[i], commitmentWh[i], steered[i]);
            ++interval;
            // A full word is stored at once, and the next one taken up as it was.
            if (interval % ScheduleLib.LANES == 0) {
                _promises[interval / ScheduleLib.LANES - 1] = word;
                word = _promises[interval / ScheduleLib.LANES];
            }
        }
        if (interval % ScheduleLib.LANES != 0) _promises[interval / ScheduleLib.LANES] = word;

        emit SchedulePublished(firstInterval, socBp, commitmentWh, steered);
    }

    /// @inheritdoc IFleet
    function promiseOf(
        uint32 interval
    ) external view returns (uint16 socBp, uint32 commitmentWh, bool steered, bool published) {
        return _promiseOf(interval);
    }

    /* DELIVERY */

    /// @inheritdoc IFleet
    function report(uint32 interval, int32 netExportWh, uint16 socBp) external {
        Member m = _enrolled(msg.sender);
        uint32 current = _currentInterval();
        _checkReport(m, interval, current, netExportWh, socBp);

        int32 beforeWh = m.netExportWh();
        if (interval != m.interval()) {
            _recordExport(msg.sender, m);
            beforeWh = 0;
        }
        int256 sumWh = int256(beforeWh) + netExportWh;
        _checkSum(m, interval, current, sumWh);
        int32 afterWh = _toInt32(sumWh);
        m = m.withReport(interval, block.timestamp, afterWh);

        Totals t = _count(_totals, interval, beforeWh, afterWh);
        if (m.capacityWh() != 0) {
            uint16 targetSocBp = current == t.interval() ? t.targetSocBp() : _targetSocBp(current);
            Member weighed = m.withWeights(socBp, WeightLib.exportWeight(socBp, netExportWh, targetSocBp));
            t = _reweigh(t, m, weighed);
            m = weighed;
        }
        _totals = t;
        _members[msg.sender] = m;

        emit Reported(msg.sender, interval, netExportWh, socBp);
    }

    /// @inheritdoc IFleet
    function coordination(
        address member,
        uint32 interval
    )
        external
        view
        returns (
            int64 remainingExportWh,
            uint32 exportWeightPpb,
            uint32 importWeightPpb,
            bool steered,
            uint16 socBp,
            uint32 commitmentWh
        )
    {
        Member m = _enrolled(member);
        Totals t = _totals;
        (socBp, commitmentWh, steered, ) = _promiseOf(interval);
        (int40 deliveredWh, ) = _energiesOf(t, interval);
        remainingExportWh = int64(uint64(commitmentWh)) - deliveredWh;
        if (m.weighed()) {
            exportWeightPpb = t.exportWeightSum() == 0
                ? WeightLib.sharePpbDown(m.socBp(), _socSum(t))
                : WeightLib.sharePpbDown(m.exportWeight(), t.exportWeightSum());
            importWeightPpb = WeightLib.sharePpbDown(WeightLib.importWeight(m.socBp()), t.importWeightSum());
        }
    }

    /// @inheritdoc IFleet
    function delivery(
        uint32 interval
    ) external view returns (uint32 commitmentWh, int40 deliveredWh, uint40 exportedWh) {
        (, commitmentWh, , ) = _promiseOf(interval);
        (deliveredWh, exportedWh) = _energiesOf(_totals, interval);
    }

    /// @inheritdoc IFleet
    function exportOf(address member, uint32 interval) external view returns (int32 netExportWh) {
        Member m = _members[member];
        // A retired member's slot is empty, and interval 0 lies in 1970: its exports are all recorded.
        if (m.interval() == interval) return m.netExportWh();
        return _exports[member][interval / EnergyLib.LANES].energyWhAt(interval);
    }

    /// @inheritdoc IFleet
    function isFinal(uint32 interval) external view returns (bool) {
        return block.timestamp >= _deadline(interval);
    }

    /* INTERNAL: CHECKS */

    /// @dev Returns `member`'s slot, or reverts if it is not enrolled.
    function _enrolled(address member) private view returns (Member m) {
        m = _members[member];
        if (!m.enrolled()) revert FleetMemberUnknown(member);
    }

    /// @dev Reverts unless the sender, whose slot is `m`, may report this now.
    function _checkReport(
        Member m,
        uint32 interval,
        uint32 current,
        int32 netExportWh,
        uint16 socBp
    ) private view {
        if (socBp > WeightLib.FULL_BP) revert FleetSocRange(socBp);
        if (interval > current) revert FleetIntervalFuture(interval, current);
        if (interval != current && block.timestamp >= _deadline(interval)) {
            revert FleetIntervalOver(interval, _deadline(interval));
        }
        if (interval < m.interval()) revert FleetIntervalOrder(msg.sender, interval, m.interval());
        // W * s <= 2**32 * (2**40 + 2**32), Wh <= 2**31: far from overflow, and the last report is not of the future.
        unchecked {
            uint256 limitWs = uint256(m.gridPowerW()) * (block.timestamp - m.reportedAt() + toleranceS);
            if (SignedMath.abs(netExportWh) * 3600 > limitWs) {
                revert FleetEnergyLimit(msg.sender, netExportWh, limitWs / 3600);
            }
        }
    }

    /// @dev Reverts if the sender, whose slot is `m`, cannot have exported or imported `sumWh` since `interval` began.
    /// `_checkReport` alone would grant `toleranceS` anew with each report, and a long silence to a single interval.
    function _checkSum(Member m, uint32 interval, uint32 current, int256 sumWh) private view {
        // s < 2**33, W * s < 2**65, Wh <= 2**32: far from overflow, and the running interval has begun.
        unchecked {
            uint256 elapsedS = interval == current ? block.timestamp - uint256(current) * intervalS : intervalS;
            uint256 limitWs = uint256(m.gridPowerW()) * (elapsedS + toleranceS);
            if (SignedMath.abs(sumWh) * 3600 > limitWs) {
                revert FleetIntervalEnergyLimit(msg.sender, interval, sumWh, limitWs / 3600);
            }
        }
    }

    /// @dev Returns the time from which `interval` takes no more reports. [s]
    function _deadline(uint32 interval) private view returns (uint256) {
        return (uint256(interval) + 1) * intervalS + graceS;
    }

    /// @dev Returns the number of the interval now running.
    function _currentInterval() private view returns (uint32) {
        // At 900 s, 2**32 intervals last until the year 124000.
        return uint32(block.timestamp / intervalS);
    }

    /* INTERNAL: EFFECTS */

    /// @dev Writes the net export of `member`'s last interval to its record.
    function _recordExport(address member, Member m) private {
        uint256 word = m.interval() / EnergyLib.LANES;
        _exports[member][word] = _exports[member][word].withEnergyWh(m.interval(), m.netExportWh());
    }

    /// @dev Counts a member's net export of `interval`, which went from `beforeWh` to `afterWh`, for the fleet.
    function _count(Totals t, uint32 interval, int32 beforeWh, int32 afterWh) private returns (Totals) {
        if (interval > t.interval()) t = _rollOver(t, interval);
        (int40 deliveredWh, uint40 exportedWh) = _energiesOf(t, interval);
        deliveredWh = _toInt40(int256(deliveredWh) + afterWh - beforeWh);
        // A sum of positive parts, so never negative; it fits int40, so it fits uint40.
        exportedWh = uint40(_toInt40(int256(uint256(exportedWh)) + _positive(afterWh) - _positive(beforeWh)));
        if (interval == t.interval()) return t.withEnergies(deliveredWh, exportedWh);
        _deliveries[interval] = Energies({deliveredWh: deliveredWh, exportedWh: exportedWh});
        return t;
    }

    /// @dev Records the fleet's running interval and begins `interval`, for which nobody reported before.
    function _rollOver(Totals t, uint32 interval) private returns (Totals) {
        uint32 closed = t.interval();
        if (closed != 0) {
            _deliveries[closed] = Energies({deliveredWh: t.deliveredWh(), exportedWh: t.exportedWh()});
            emit IntervalClosed(closed, t.deliveredWh(), t.exportedWh());
        }
        return t.withInterval(interval, _targetSocBp(interval));
    }

    /* INTERNAL: READS */

    function _promiseOf(
        uint32 interval
    ) private view returns (uint16 socBp, uint32 commitmentWh, bool steered, bool published) {
        return _promises[interval / ScheduleLib.LANES].promiseAt(interval);
    }

    function _targetSocBp(uint32 interval) private view returns (uint16 socBp) {
        (socBp, , , ) = _promiseOf(interval);
    }

    /// @dev Returns what the fleet did in `interval`, running or recorded. [Wh]
    function _energiesOf(Totals t, uint32 interval) private view returns (int40 deliveredWh, uint40 exportedWh) {
        if (interval == t.interval()) return (t.deliveredWh(), t.exportedWh());
        Energies memory e = _deliveries[interval];
        return (e.deliveredWh, e.exportedWh);
    }

    /* INTERNAL: ARITHMETIC */

    /// @dev Returns `t` with the weights of a battery that were those `from`, if it had any, and are now those `to`.
    function _reweigh(Totals t, Member from, Member to) private pure returns (Totals) {
        uint40 exportWeightSum = t.exportWeightSum() + to.exportWeight();
        uint40 importWeightSum = t.importWeightSum() + WeightLib.importWeight(to.socBp());
        if (!from.weighed()) return t.withWeights(exportWeightSum, importWeightSum, t.batteries() + 1);
        exportWeightSum -= from.exportWeight();
        importWeightSum -= WeightLib.importWeight(from.socBp());
        return t.withWeights(exportWeightSum, importWeightSum, t.batteries());
    }

    /// @dev Returns `t` without the weights of the battery of `m`.
    function _without(Totals t, Member m) private pure returns (Totals) {
        return
            t.withWeights(
                t.exportWeightSum() - m.exportWeight(),
                t.importWeightSum() - WeightLib.importWeight(m.socBp()),
                t.batteries() - 1
            );
    }

    /// @dev Returns the sum of all batteries' charges: each weighs 10000 - soc. [bp]
    function _socSum(Totals t) private pure returns (uint256) {
        return uint256(t.batteries()) * WeightLib.FULL_BP - t.importWeightSum();
    }

    /// @dev Returns `energyWh` where it is positive, else 0. [Wh]
    function _positive(int32 energyWh) private pure returns (int256) {
        return energyWh > 0 ? energyWh : int32(0);
    }

    /// @dev Returns `sumWh`, or reverts if it does not fit.
    function _toInt32(int256 sumWh) private pure returns (int32) {
        if (sumWh != int32(sumWh)) revert FleetEnergyOverflow(sumWh);
        return int32(sumWh);
    }

    /// @dev Returns `sumWh`, or reverts if it does not fit.
    function _toInt40(int256 sumWh) private pure returns (int40) {
        if (sumWh != int40(sumWh)) revert FleetEnergyOverflow(sumWh);
        return int40(sumWh);
    }
}
