// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IERC5267} from "@openzeppelin/contracts/interfaces/IERC5267.sol";

import {PackedReport} from "../libraries/ReportLib.sol";

/// @title Fleet: who belongs, what was promised, what was delivered
/// @notice An aggregator promises the market an export per interval; its members report what they did, and read from
/// here how much the fleet still owes and what their share of it is (Couraud 2021, eq. 10-12).
/// @dev Intervals are numbered `timestamp / intervalS`. Energy is in Wh, power in W, state of charge in basis points of
/// nominal capacity (0..10000). Net export is positive when a member feeds the grid. No function loops over members.
///
/// A report, and the evidence of a member's meter, is signed as EIP-712 typed data of the domain that `eip712Domain`
/// tells:
///
///     Report(address member,uint32 interval,int32 netExportWh,uint16 socBp,uint32 nonce)
///
/// where `nonce` is the member's `nonceOf` when the report is counted. Each counted report, signed or not, takes the
/// next one: nothing signed is counted twice, nor beside a report of the same energy that its member sent itself.
///
/// Assumptions: the owner enrols devices whose meter it trusts, since energy is bounded by the rating of the member's
/// grid connection, per report and per interval, and proved at most by a signature of the meter. Block time is right to
/// within a few seconds.
interface IFleet is IERC5267 {
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
        /// Whether its battery has a weight: it reported, and did not lapse since.
        bool weighed;
        /// How many of its reports were counted, also before it retired and came back.
        uint32 nonce;
        /// The key of its meter, zero for a member that reports without one.
        address meter;
    }

    /// @notice A report signed by its member; signatures are in EIP-2098's compact form.
    struct SignedReport {
        PackedReport report;
        bytes32 r;
        bytes32 vs;
    }

    /// @notice A meter's signature of the report at `place` in a batch.
    struct MeterEvidence {
        uint256 place;
        bytes32 r;
        bytes32 vs;
    }

    /* EVENTS */

    /// @notice A member joined, with the capacity of its battery [Wh], the rating of its connection [W] and the key of
    /// its meter, if it has one.
    event MemberEnrolled(address indexed member, uint32 capacityWh, uint32 gridPowerW, address meter);

    /// @notice A member left; what it exported stays recorded.
    event MemberRetired(address indexed member);

    /// @notice A member's battery lost its weight, since it had not been heard of after `heardAt`. [s]
    event MemberLapsed(address indexed member, uint256 heardAt);

    /// @notice Consecutive intervals from `firstInterval` on were promised. [bp, Wh]
    event SchedulePublished(uint32 indexed firstInterval, uint16[] socBp, uint32[] commitmentWh, bool[] steered);

    /// @notice A member added `netExportWh` to `interval` and stated its battery's charge. [Wh, bp]
    event Reported(address indexed member, uint32 indexed interval, int32 netExportWh, uint16 socBp);

    /// @notice A batch of signed reports was counted; a report that was skipped is zero in its place.
    /// @dev Stands for a `Reported` each. A report's word is drawn at `PackedReport`.
    event ReportsRelayed(address indexed relay, PackedReport[] reports);

    /// @notice The report at `place` of a batch was not counted; `reason` is the error, ABI-encoded, with which it
    /// would have been refused alone.
    event ReportSkipped(address indexed member, uint256 place, bytes reason);

    /// @notice Reports were stopped.
    event ReportsPaused();

    /// @notice Reports go on.
    event ReportsResumed();

    /// @notice The first report of a later interval closed this one. [Wh]
    /// @dev Late reports may still change the figures until `isFinal`.
    event IntervalClosed(uint32 indexed interval, int40 deliveredWh, uint40 exportedWh);

    /* ERRORS */

    /// @notice Thrown when a fleet is created with an interval other than 900, 1800 or 3600 s.
    error FleetIntervalLength(uint32 intervalS);

    /// @notice Thrown when an account is enrolled twice.
    error FleetMemberExists(address member);

    /// @notice Thrown when the zero address is to be enrolled.
    error FleetMemberMissing();

    /// @notice Thrown when a member is to be enrolled as its own meter.
    error FleetMeterIsMember(address member);

    /// @notice Thrown when an account that is not enrolled reports, lapses, is retired or asks for its share.
    error FleetMemberUnknown(address member);

    /// @notice Thrown when a battery is to lapse whose member was heard of at `heardAt`, an interval ago or less. [s]
    error FleetMemberHeard(address member, uint256 heardAt);

    /// @notice Thrown when a battery is to lapse that has no weight.
    error FleetMemberWeightless(address member);

    /// @notice Thrown when a member with a meter reports without its signature.
    error FleetMeterEvidenceMissing(address member);

    /// @notice Thrown when a meter's signature comes with the report of a member without one.
    error FleetMeterUnregistered(address member);

    /// @notice Thrown when a meter's signature is not of this report, or not of the member's meter.
    error FleetMeterSignatureInvalid(address member);

    /// @notice Thrown when a member's signature is not of this report, or not of the member.
    error FleetSignatureInvalid(address member);

    /// @notice Thrown when a signed report is not its member's next one; `given` is taken to share the upper half of
    /// `expected`.
    error FleetNonce(address member, uint32 given, uint32 expected);

    /// @notice Thrown when a batch has a meter's signature for a place that is not after the one before, or not in it.
    error FleetEvidencePlace(uint256 place);

    /// @notice Thrown while reports are stopped.
    error FleetPaused();

    /// @notice Thrown when reports are to go on that are not stopped.
    error FleetNotPaused();

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
    /// @param capacityWh Nominal capacity of its battery, 0 for a member without one: it reports but has no weight.
    /// [Wh]
    /// @param gridPowerW Rating of its grid connection, each way. [W]
    /// @param meter Key that has to sign each of its reports too; zero for none.
    function enrol(address member, uint32 capacityWh, uint32 gridPowerW, address meter) external;

    /// @notice Dismiss `member`. Its exports stay recorded and payable; it may be enrolled again.
    /// @dev Warning: the owner can dismiss a member at any time; energy not yet reported is then lost to it.
    function retire(address member) external;

    /// @notice Take the weight of a battery whose member was not heard of for longer than an interval. Anybody may.
    /// @dev Time in which reports were stopped does not count. The member's next report brings the battery back.
    function lapse(address member) external;

    /// @notice Returns what is known of `member`; all zero but its nonce for an account that is not enrolled.
    function memberOf(address member) external view returns (MemberView memory);

    /// @notice Returns the nonce that `member` signs its next report with.
    function nonceOf(address member) external view returns (uint32);

    /// @notice Returns the key of `member`'s meter, zero where it has none.
    function meterOf(address member) external view returns (address);

    /* OWNERSHIP */

    /// @notice Always refused: without an owner nothing could be promised any more. Use `transferOwnership`.
    /// @dev Warning: by `transferOwnership` the owner hands all its powers to another account, once that accepts;
    /// members are not asked.
    function renounceOwnership() external;

    /* PAUSE */

    /// @notice Stop reports. Members, promises and what was counted stay as they are.
    /// @dev Grace time stands still: an interval that took reports when the pause began is not final while it lasts,
    /// and takes them until `graceS` after its end. One that was final stays so.
    ///
    /// Warning: the owner can stop reports at any time and for ever; energy not yet reported cannot be settled
    /// meanwhile.
    function pause() external;

    /// @notice Let reports go on.
    /// @dev Warning: the owner alone decides when.
    function unpause() external;

    /// @notice Returns whether reports are stopped.
    function paused() external view returns (bool);

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
    /// A member with a meter uses `reportMetered`. A battery that falls silent keeps its weight until it lapses.
    /// @param interval Number of the interval that the energy belongs to.
    /// @param netExportWh Energy exported less energy imported since the caller's last report. [Wh]
    /// @param socBp State of charge now; ignored for a member without battery. [bp]
    function report(uint32 interval, int32 netExportWh, uint16 socBp) external;

    /// @notice Report as with `report`, for a member that has a meter.
    /// @param meterR Its signature of the report, in EIP-2098's compact form.
    /// @param meterVs Its second half.
    function reportMetered(
        uint32 interval,
        int32 netExportWh,
        uint16 socBp,
        bytes32 meterR,
        bytes32 meterVs
    ) external;

    /// @notice Report in the names of members that signed. Anybody may.
    /// @dev A report that would be refused alone is skipped, told in `ReportSkipped`, and does not stop the others. A
    /// member may occur more than once, with consecutive nonces.
    ///
    /// Warning: a relay can keep a report back until its interval is over; a member that sees this reports by itself.
    /// @param evidence Signatures of the meters of those reports whose members have one, in order of `place`.
    function reportSigned(SignedReport[] calldata reports, MeterEvidence[] calldata evidence) external;

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
