// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.28;

import {Ownable, Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {FleetReports} from "./FleetReports.sol";
import {FleetState} from "./FleetState.sol";
import {IFleet} from "./interfaces/IFleet.sol";
import {EnergyLib} from "./libraries/EnergyLib.sol";
import {Member} from "./libraries/MemberLib.sol";
import {ScheduleLib} from "./libraries/ScheduleLib.sol";
import {Totals} from "./libraries/TotalsLib.sol";
import {WeightLib} from "./libraries/WeightLib.sol";

/// @title Fleet
/// @notice Who belongs, what was promised, what was delivered: see `IFleet`.
contract Fleet is FleetReports, Ownable2Step {
    using EnergyLib for uint256;
    using ScheduleLib for uint256;

    constructor(
        address owner,
        uint32 intervalS_,
        uint32 graceS_,
        uint32 toleranceS_
    ) Ownable(owner) FleetState(intervalS_, graceS_, toleranceS_) {}

    /* MEMBERS */

    /// @inheritdoc IFleet
    function enrol(address member, uint32 capacityWh, uint32 gridPowerW, address meter) external onlyOwner {
        if (member == address(0)) revert FleetMemberMissing();
        if (meter == member) revert FleetMeterIsMember(member);
        Member m = _members[member].word;
        if (m.enrolled()) revert FleetMemberExists(member);

        uint256 interval = _currentInterval();
        // Not 0 for a member that left in this very interval and comes back.
        int32 netExportWh = _exports[member][interval / EnergyLib.LANES].energyWhAt(interval);
        m = m.withRatings(capacityWh, gridPowerW, meter != address(0));
        _members[member].word = m.withEnergy(interval, block.timestamp, netExportWh);
        if (meter != address(0)) _meters[member] = meter;

        emit MemberEnrolled(member, capacityWh, gridPowerW, meter);
    }

    /// @inheritdoc IFleet
    function retire(address member) external onlyOwner {
        Member m = _enrolled(member);

        _recordExport(member, m);
        if (m.weighed()) _totals = _totals.withoutBattery(m.socBp(), m.exportWeight());
        if (m.metered()) delete _meters[member];
        _members[member].word = m.retired();

        emit MemberRetired(member);
    }

    /// @inheritdoc IFleet
    function lapse(address member) external {
        Member m = _enrolled(member);
        Totals t = _totals;
        if (t.paused()) revert FleetPaused();
        if (!m.weighed()) revert FleetMemberWeightless(member);
        uint256 heardAt = Math.max(m.reportedAt(), _pause.resumedAt);
        if (block.timestamp <= heardAt + intervalS) revert FleetMemberHeard(member, heardAt);

        _totals = t.withoutBattery(m.socBp(), m.exportWeight());
        _members[member].word = m.lapsed();

        emit MemberLapsed(member, heardAt);
    }

    /// @inheritdoc IFleet
    function memberOf(address member) external view returns (MemberView memory) {
        Member m = _members[member].word;
        return
            MemberView({
                enrolled: m.enrolled(),
                capacityWh: uint32(m.capacityWh()),
                gridPowerW: uint32(m.gridPowerW()),
                interval: uint32(m.interval()),
                reportedAt: uint40(m.reportedAt()),
                netExportWh: int32(m.netExportWh()),
                socBp: uint16(m.socBp()),
                weighed: m.weighed(),
                nonce: uint32(m.nonce()),
                meter: _meters[member]
            });
    }

    /// @inheritdoc IFleet
    function nonceOf(address member) external view returns (uint32) {
        return uint32(_members[member].word.nonce());
    }

    /// @inheritdoc IFleet
    function meterOf(address member) external view returns (address) {
        return _meters[member];
    }

    /* OWNERSHIP */

    /// @inheritdoc IFleet
    function renounceOwnership() public pure override(IFleet, Ownable) {
        revert FleetOwnerNeeded();
    }

    /* PAUSE */

    /// @inheritdoc IFleet
    function pause() external onlyOwner {
        if (_totals.paused()) revert FleetPaused();

        Pause memory p = _pause;
        // Intervals that the last pause keeps open stay open: it began when they were.
        bool over = block.timestamp >= uint256(p.resumedAt) + graceS;
        _pause = Pause({pausedAt: over ? uint40(block.timestamp) : p.pausedAt, resumedAt: NEVER});
        _totals = _totals.withPaused(true);

        emit ReportsPaused();
    }

    /// @inheritdoc IFleet
    function unpause() external onlyOwner {
        if (!_totals.paused()) revert FleetNotPaused();

        _pause.resumedAt = uint40(block.timestamp);
        _totals = _totals.withPaused(false);

        emit ReportsResumed();
    }

    /// @inheritdoc IFleet
    function paused() external view returns (bool) {
        return _totals.paused();
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
        (int256 deliveredWh, ) = _energiesOf(t, interval);
        // 32 bits less 40.
        remainingExportWh = int64(int256(uint256(commitmentWh)) - deliveredWh);
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
        (int256 netWh, int256 positiveWh) = _energiesOf(_totals, interval);
        (deliveredWh, exportedWh) = (int40(netWh), uint40(int40(positiveWh)));
    }

    /// @inheritdoc IFleet
    function exportOf(address member, uint32 interval) external view returns (int32 netExportWh) {
        Member m = _members[member].word;
        // A retired member's slot is empty but for its nonce, and interval 0 lies in 1970: its exports are all
        // recorded.
        if (m.interval() == interval) return int32(m.netExportWh());
        return _exports[member][interval / EnergyLib.LANES].energyWhAt(interval);
    }

    /// @inheritdoc IFleet
    function isFinal(uint32 interval) external view returns (bool) {
        return block.timestamp >= _deadline(interval);
    }

    /// @dev Returns the sum of all batteries' charges: each weighs 10000 - soc. [bp]
    function _socSum(Totals t) private pure returns (uint256) {
        return t.batteries() * WeightLib.FULL_BP - t.importWeightSum();
    }
}
