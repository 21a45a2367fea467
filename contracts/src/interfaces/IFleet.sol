// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

/// @title Fleet: who belongs, what was promised, what was delivered
/// @notice An aggregator promises the market an export per interval; its members report what they did, and read from
/// here how much the fleet still owes and what their share of it is (Couraud 2021, eq. 10-12).
/// @dev Intervals are numbered `timestamp / intervalS`. Energy is in Wh, power in W, state of charge in basis points of
/// nominal capacity (0..10000). Net export is positive when a member feeds the grid. No function loops over members.
///
/// Assumptions: the owner enrols devices whose meter it trusts, since energy is bounded by the rating of the member's
/// grid connection, per report and per interval, and not proved. Block time is right to within a few seconds.
interface IFleet {
    /// @notice A member as enrolled and as last reported.
    struct MemberView {
        bool enrolled;
        /// Nominal capacity of the battery, 0 for a member without one. [Wh]
        uint32 capacityWh;
        /// Rating of the grid connection, each way. [W]
        uint32 gridPowerW;
        /// Interval of the last report, or of the enrolment.
        uint32 interval;
        /// Time of the last report, or of the enrolment. [s]
        uint40 reportedAt;
        /// Net export in `interval` so far. [Wh]
        int32 netExportWh;
        /// State of charge in the last report. [bp]
        uint16 socBp;
    }

    /* EVENTS */

    /// @notice A member joined, with the capacity of its battery [Wh] and the rating of its connection [W].
    event MemberEnrolled(address indexed member, uint32 capacityWh, uint32 gridPowerW);

    /// @notice A member left; what it exported stays recorded.
    event MemberRetired(address indexed member);

    /// @notice Consecutive intervals from `firstInterval` on were promised. [bp, Wh]
    event SchedulePublished(uint32 indexed firstInterval, uint16[] socBp, uint32[] commitmentWh, bool[] steered);

    /// @notice A member added `netExportWh` to `interval` and stated its battery's charge. [Wh, bp]
    event Reported(address indexed member, uint32 indexed interval, int32 netExportWh, uint16 socBp);

    /// @notice The first report of a later interval closed this one. [Wh]
    /// @dev Late reports may still change the figures until `isFinal`.
    event IntervalClosed(uint32 indexed interval, int40 deliveredWh, uint40 exportedWh);

    /* ERRORS */

    /// @notice Thrown when a fleet is created with an interval other than 900, 1800 or 3600 s.
    error FleetIntervalLength(uint32 intervalS);

    /// @notice Thrown when an account is enrolled twice.
    error FleetMemberExists(address member);

    /// @notice Thrown when an account that is not enrolled reports, is retired or asks for its share.
    error FleetMemberUnknown(address member);

    /// @notice Thrown when a schedule's series differ in length or are empty.
    error FleetScheduleShape(uint256 socCount, uint256 commitmentCount, uint256 steeredCount);

    /// @notice Thrown when a state of charge is above 10000 basis points.
    error FleetSocRange(uint16 socBp);

    /// @notice Thrown when a schedule would change an interval that began by `timestamp`.
    error FleetIntervalBegun(uint32 interval, uint256 timestamp);

    /// @notice Thrown when a report is for an interval after the current one.
    error FleetIntervalFuture(uint32 interval, uint256 currentInterval);

    /// @notice Thrown when a report comes at or after the `deadline` of its interval. [s]
    error FleetIntervalOver(uint32 interval, uint256 deadline);

    /// @notice Thrown when a report is for an interval before the member's last one.
    error FleetIntervalOrder(address member, uint32 interval, uint32 lastInterval);

    /// @notice Thrown when a report claims more energy than the connection carries since the last report. [Wh]
    error FleetEnergyLimit(address member, int32 netExportWh, uint256 limitWh);

    /// @notice Thrown when a report would bring a member's net export of `interval` to `netExportWh`, more than its
    /// connection carries since the interval began, until now or its end. [Wh]
    error FleetIntervalEnergyLimit(address member, uint32 interval, int256 netExportWh, uint256 limitWh);

    /// @notice Thrown when a sum of energy does not fit its field. [Wh]
    error FleetEnergyOverflow(int256 sumWh);

    /// @notice Thrown when the owner would leave the fleet without one.
    error FleetOwnerNeeded();

    /* MEMBERS */

    /// @notice Admit `member`, which may report from the current interval on.
    /// @dev Warning: the owner decides alone who belongs and with which rating; a rating too large lets a member claim
    /// energy that it cannot have exported.
    /// @param member The account that reports and is paid.
    /// @param capacityWh Nominal capacity of its battery, 0 for a member without one: it reports but has no weight. [Wh]
    /// @param gridPowerW Rating of its grid connection, each way. [W]
    function enrol(address member, uint32 capacityWh, uint32 gridPowerW) external;

    /// @notice Dismiss `member`. Its exports stay recorded and payable; it may be enrolled again.
    /// @dev Warning: the owner can dismiss a member at any time; energy not yet reported is then lost to it.
    function retire(address member) external;

    /// @notice Returns what is known of `member`; all zero for an account that is not enrolled.
    function memberOf(address member) external view returns (MemberView memory);

    /* OWNERSHIP */

    /// @notice Always refused: without an owner nothing could be promised any more. Use `transferOwnership`.
    function renounceOwnership() external;

    /* PROMISE */

    /// @notice Promise consecutive intervals, none of which has begun. Those promised before are replaced.
    /// @dev Warning: the owner may change a promise until its interval begins.
    /// @param firstInterval Number of the first interval.
    /// @param socBp Fleet state of charge to be reached at the end of each interval. [bp]
    /// @param commitmentWh Net export promised in each interval. [Wh]
    /// @param steered Whether batteries aim at `socBp` (true) or follow residual demand (false).
    function publish(
        uint32 firstInterval,
        uint16[] calldata socBp,
        uint32[] calldata commitmentWh,
        bool[] calldata steered
    ) external;

    /// @notice Returns the promise of `interval`; zeros and `published` false where there is none. [bp, Wh]
    function promiseOf(
        uint32 interval
    ) external view returns (uint16 socBp, uint32 commitmentWh, bool steered, bool published);

    /* DELIVERY */

    /// @notice Add `netExportWh` to the caller's `interval` and state its battery's charge.
    /// @dev An interval takes reports from its beginning until `graceS` after its end, also when others already report
    /// for the next one. A member cannot go back to an earlier interval than that of its last report.
    ///
    /// Neither the energy of a report, by the time since the one before, nor the member's net export of the interval,
    /// by the time since it began until now or its end, may be more than the connection carries; each time is taken
    /// `toleranceS` longer. Energy kept back while silent is lost where it exceeds this.
    ///
    /// Warning: a member that falls silent keeps its weight in the others' shares until the owner retires it.
    /// @param interval Number of the interval that the energy belongs to.
    /// @param netExportWh Energy exported less energy imported since the caller's last report. [Wh]
    /// @param socBp State of charge now; ignored for a member without battery. [bp]
    function report(uint32 interval, int32 netExportWh, uint16 socBp) external;

    /// @notice Returns the fleet's debt in `interval` and `member`'s share of it.
    /// @dev The interval is a parameter because nodes differ in the block time that a query sees. Shares are rounded
    /// down, so that those of all members never sum to more than one. Where no member qualifies to export (ΣW_e = 0)
    /// the export share falls back to the member's part of the fleet's charge; where all are empty or all are full
    /// the share in question is 0.
    /// @return remainingExportWh RE: promised less delivered, < 0 when the fleet gave too much. [Wh]
    /// @return exportWeightPpb w_e: the member's share of a debt. [1e-9]
    /// @return importWeightPpb w_i: the member's share of an excess. [1e-9]
    /// @return steered S of the interval.
    /// @return socBp Fleet state of charge to be reached at the end of the interval. [bp]
    /// @return commitmentWh Net export promised in the interval. [Wh]
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
        );

    /// @notice Returns what was promised and done in `interval`, final once `isFinal`.
    /// @return commitmentWh Net export promised. [Wh]
    /// @return deliveredWh Net export of all members. [Wh]
    /// @return exportedWh Sum of the members' positive net exports. [Wh]
    function delivery(
        uint32 interval
    ) external view returns (uint32 commitmentWh, int40 deliveredWh, uint40 exportedWh);

    /// @notice Returns the net export of `member` in `interval`, final once `isFinal`. [Wh]
    function exportOf(address member, uint32 interval) external view returns (int32 netExportWh);

    /// @notice Returns whether `interval` is over and no report can change it any more.
    function isFinal(uint32 interval) external view returns (bool);

    /* TERMS */

    /// @notice Length of an interval. [s]
    function intervalS() external view returns (uint32);

    /// @notice How long after its end an interval still takes reports. [s]
    function graceS() external view returns (uint32);

    /// @notice Time added to that since the last report, and to that since the interval began, when energy is checked
    /// against power. [s]
    function toleranceS() external view returns (uint32);
}
