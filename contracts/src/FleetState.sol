// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.28;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {IFleet} from "./interfaces/IFleet.sol";
import {EnergyLib} from "./libraries/EnergyLib.sol";
import {Member} from "./libraries/MemberLib.sol";
import {ReportLib} from "./libraries/ReportLib.sol";
import {ScheduleLib} from "./libraries/ScheduleLib.sol";
import {Totals} from "./libraries/TotalsLib.sol";

/// @title What a fleet remembers
/// @notice Terms and storage of `Fleet`, and how they are read.
abstract contract FleetState is IFleet {
    using EnergyLib for uint256;
    using ScheduleLib for uint256;

    /// @dev One storage slot, 80 of 256 bits: what the fleet did in one interval. [Wh]
    struct Energies {
        int40 deliveredWh;
        uint40 exportedWh;
    }

    /// @dev One storage slot: a member. A struct, so that its place is found once for reading and writing.
    struct Slot {
        Member word;
    }

    /// @dev One storage slot, 80 of 256 bits: when reports were last stopped, and went on; while they are stopped, this
    /// is `NEVER`. A pause that begins before the grace time granted after the one before is over counts as one with
    /// it. [s]
    struct Pause {
        uint40 pausedAt;
        uint40 resumedAt;
    }

    uint40 internal constant NEVER = type(uint40).max;

    string private constant NAME = "Gridpact Fleet";
    string private constant VERSION = "1";

    /* IMMUTABLES */

    /// @inheritdoc IFleet
    uint32 public immutable intervalS;
    /// @inheritdoc IFleet
    uint32 public immutable graceS;
    /// @inheritdoc IFleet
    uint32 public immutable toleranceS;

    /// @dev Hash of the domain on the chain of the deployment.
    bytes32 private immutable _domain;
    /// @dev Number of that chain.
    uint256 private immutable _chainId;

    /* STORAGE */

    /// @dev The running interval's sums.
    Totals internal _totals;
    /// @dev A member's net export is that of its last interval, earlier ones are in `_exports`.
    mapping(address member => Slot) internal _members;
    /// @dev See `ScheduleLib`.
    mapping(uint256 word => uint256) internal _promises;
    /// @dev What the fleet did in intervals before the running one.
    mapping(uint256 interval => Energies) internal _deliveries;
    /// @dev See `EnergyLib`.
    mapping(address member => mapping(uint256 word => uint256)) internal _exports;
    /// @dev The keys of those members whose word says that they have one.
    mapping(address member => address) internal _meters;
    /// @dev The last pause.
    Pause internal _pause;

    constructor(uint32 intervalS_, uint32 graceS_, uint32 toleranceS_) {
        if (intervalS_ != 900 && intervalS_ != 1800 && intervalS_ != 3600) revert FleetIntervalLength(intervalS_);
        intervalS = intervalS_;
        graceS = graceS_;
        toleranceS = toleranceS_;
        _domain = _domainOf(block.chainid);
        _chainId = block.chainid;
    }

    /* SIGNATURES */

    /// @dev OpenZeppelin's `EIP712` cannot be compiled for Shanghai.
    function eip712Domain()
        external
        view
        returns (
            bytes1 fields,
            string memory name,
            string memory version,
            uint256 chainId,
            address verifyingContract,
            bytes32 salt,
            uint256[] memory extensions
        )
    {
        // Name, version, chain and contract are used, which are bits 0 to 3.
        return (0x0f, NAME, VERSION, block.chainid, address(this), 0, new uint256[](0));
    }

    /// @dev Returns the hash of the domain; a chain that forks changes its number.
    function _domainSeparator() internal view returns (bytes32) {
        return block.chainid == _chainId ? _domain : _domainOf(block.chainid);
    }

    function _domainOf(uint256 chainId) private view returns (bytes32) {
        return ReportLib.domainSeparator(NAME, VERSION, chainId, address(this));
    }

    /* TIME */

    /// @dev Returns the number of the interval now running.
    function _currentInterval() internal view returns (uint256) {
        // At 900 s, 2**32 intervals last until the year 124000.
        return block.timestamp / intervalS;
    }

    /// @dev Returns the time from which `interval` takes no more reports. [s]
    function _deadline(uint256 interval) internal view returns (uint256 deadline) {
        // s <= 2**32 * 3600 + 2**32: far from overflow.
        unchecked {
            Pause memory p = _pause;
            deadline = (interval + 1) * intervalS + graceS;
            if (deadline > p.pausedAt) deadline = Math.max(deadline, uint256(p.resumedAt) + graceS);
        }
    }

    /* READS */

    /// @dev Returns `member`'s slot, or reverts if it is not enrolled.
    function _enrolled(address member) internal view returns (Member m) {
        m = _members[member].word;
        if (!m.enrolled()) revert FleetMemberUnknown(member);
    }

    function _promiseOf(
        uint256 interval
    ) internal view returns (uint16 socBp, uint32 commitmentWh, bool steered, bool published) {
        return _promises[interval / ScheduleLib.LANES].promiseAt(interval);
    }

    function _targetSocBp(uint256 interval) internal view returns (uint16 socBp) {
        (socBp, , , ) = _promiseOf(interval);
    }

    /// @dev Returns what the fleet did in `interval`, running or recorded. [Wh]
    function _energiesOf(Totals t, uint256 interval) internal view returns (int256 deliveredWh, int256 exportedWh) {
        if (interval == t.interval()) return (t.deliveredWh(), t.exportedWh());
        return _recorded(interval);
    }

    /// @dev Returns what the fleet did in `interval`, as recorded. [Wh]
    function _recorded(uint256 interval) internal view returns (int256 deliveredWh, int256 exportedWh) {
        Energies memory e = _deliveries[interval];
        return (e.deliveredWh, int256(uint256(e.exportedWh)));
    }

    /* WRITES */

    /// @dev Writes the net export of `member`'s last interval to its record.
    function _recordExport(address member, Member m) internal {
        uint256 word = m.interval() / EnergyLib.LANES;
        _exports[member][word] = _exports[member][word].withEnergyWh(m.interval(), int32(m.netExportWh()));
    }
}
