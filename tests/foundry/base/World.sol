// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {IFleet} from "../../../contracts/src/interfaces/IFleet.sol";
import {ISettlement} from "../../../contracts/src/interfaces/ISettlement.sol";
import {PackedReport, ReportLib} from "../../../contracts/src/libraries/ReportLib.sol";

import {vm} from "./Vm.sol";

interface IOwned {
    function owner() external view returns (address);
    function pendingOwner() external view returns (address);
    function transferOwnership(address newOwner) external;
    function acceptOwnership() external;
}

interface ITestToken is IERC20 {
    function mint(address account, uint256 amountMicro) external;
}

/// @title A fleet of three homes an hour before its first promised interval
/// @notice The test itself is the owner. The third home has a meter.
abstract contract World {
    uint32 internal constant INTERVAL_S = 1800;
    uint32 internal constant GRACE_S = 600;
    uint32 internal constant TOLERANCE_S = 60;
    uint16 internal constant FEE_BP = 1000;
    uint16 internal constant BOUNDARY_TOLERANCE_BP = 100;
    /// @dev Rating of each home's connection. [W]
    uint32 internal constant GRID_POWER_W = 12_000;
    uint32 internal constant CAPACITY_WH = 10_000;

    uint32 internal constant FIRST = 989_040;
    uint256 internal constant START_S = uint256(FIRST) * INTERVAL_S;

    uint256 internal constant KEY_A = 0xA11CE;
    uint256 internal constant KEY_B = 0xB0B;
    uint256 internal constant KEY_C = 0xCA401;
    uint256 internal constant KEY_METER = 0x3E7E4;
    uint256 internal constant KEY_STRANGER = 0x57A;

    address internal immutable homeA = vm.addr(KEY_A);
    address internal immutable homeB = vm.addr(KEY_B);
    /// @dev The home with a meter.
    address internal immutable homeC = vm.addr(KEY_C);
    address internal immutable meter = vm.addr(KEY_METER);
    address internal immutable stranger = vm.addr(KEY_STRANGER);
    address internal immutable market = vm.addr(0x3A4E7);

    IFleet internal fleet;
    ISettlement internal settlement;
    ITestToken internal token;

    function setUp() public virtual {
        vm.warp(START_S - 3600);
        token = ITestToken(deploy("TestToken", abi.encode(address(this))));
        fleet = IFleet(newFleet(INTERVAL_S, GRACE_S, TOLERANCE_S));
        settlement = ISettlement(newSettlement(address(fleet), address(token), market, FEE_BP, BOUNDARY_TOLERANCE_BP));
        fleet.enrol(homeA, CAPACITY_WH, GRID_POWER_W, address(0));
        fleet.enrol(homeB, CAPACITY_WH, GRID_POWER_W, address(0));
        fleet.enrol(homeC, CAPACITY_WH, GRID_POWER_W, meter);
        token.mint(address(this), 1e12);
        token.approve(address(settlement), type(uint256).max);
    }

    /* CONTRACTS */

    /// @dev Creates a contract from the committed artifact, or reverts as its constructor does.
    function deploy(string memory name, bytes memory arguments) internal returns (address created) {
        bytes memory code = bytes.concat(artifact(name), arguments);
        assembly {
            created := create(0, add(code, 32), mload(code))
            if iszero(created) {
                returndatacopy(0, 0, returndatasize())
                revert(0, returndatasize())
            }
        }
    }

    function artifact(string memory name) internal view returns (bytes memory) {
        return vm.getCode(string.concat("contracts/artifacts/", name, ".json"));
    }

    function newFleet(uint32 intervalS, uint32 graceS, uint32 toleranceS) public returns (address) {
        return deploy("Fleet", abi.encode(address(this), intervalS, graceS, toleranceS));
    }

    function newSettlement(address fleet_, address token_, address market_, uint16 feeBp, uint16 toleranceBp)
        public
        returns (address)
    {
        return deploy("Settlement", abi.encode(address(this), fleet_, token_, market_, feeBp, toleranceBp));
    }

    /* TIME */

    /// @dev Goes to `seconds_` after the first interval's begin.
    function at(uint256 seconds_) internal {
        vm.warp(START_S + seconds_);
    }

    /* PROMISES */

    /// @dev Promises `commitmentWh` in each of `count` intervals from the first one on.
    function commit(uint256 count, uint32 commitmentWh) internal {
        publish(FIRST, count, 0, commitmentWh);
    }

    function publish(uint32 first, uint256 count, uint16 socBp, uint32 commitmentWh) internal {
        uint16[] memory socs = new uint16[](count);
        uint32[] memory commitments = new uint32[](count);
        for (uint256 i = 0; i < count; ++i) {
            (socs[i], commitments[i]) = (socBp, commitmentWh);
        }
        fleet.publish(first, socs, commitments, new bool[](count));
    }

    /* REPORTS */

    function report(address home, uint32 interval, int32 netExportWh) internal {
        vm.prank(home);
        fleet.report(interval, netExportWh, 5000);
    }

    /// @dev Returns a report that `key` signed with `nonce`.
    function signed(uint256 key, uint32 interval, int32 netExportWh, uint32 nonce)
        internal
        view
        returns (IFleet.SignedReport memory)
    {
        return signedFor(account(key), key, interval, netExportWh, nonce);
    }

    /// @dev Returns the account of `key`; that of a home is known, and to work it out costs as much as to sign.
    function account(uint256 key) private view returns (address) {
        if (key == KEY_A) return homeA;
        if (key == KEY_B) return homeB;
        return key == KEY_C ? homeC : vm.addr(key);
    }

    /// @dev Returns a report of `home` that `key` signed.
    function signedFor(address home, uint256 key, uint32 interval, int32 netExportWh, uint32 nonce)
        internal
        view
        returns (IFleet.SignedReport memory)
    {
        (PackedReport p, bytes32 digest) = words(home, interval, netExportWh, nonce);
        (bytes32 r, bytes32 vs) = vm.signCompact(key, digest);
        return IFleet.SignedReport({report: p, r: r, vs: vs});
    }

    /// @dev Returns the meter's signature of the same report.
    function evidence(uint256 place, address home, uint32 interval, int32 netExportWh, uint32 nonce)
        internal
        view
        returns (IFleet.MeterEvidence memory)
    {
        (, bytes32 digest) = words(home, interval, netExportWh, nonce);
        (bytes32 r, bytes32 vs) = vm.signCompact(KEY_METER, digest);
        return IFleet.MeterEvidence({place: place, r: r, vs: vs});
    }

    function words(address home, uint32 interval, int32 netExportWh, uint32 nonce)
        internal
        view
        returns (PackedReport p, bytes32 digest)
    {
        p = ReportLib.pack(home, interval, netExportWh, 5000);
        digest = digestOf(p, nonce, block.chainid, address(fleet));
        p = PackedReport.wrap(PackedReport.unwrap(p) | bytes32(uint256(nonce % 2 ** 16)));
    }

    /// @dev Returns what is signed, for any chain and contract.
    function digestOf(PackedReport p, uint32 nonce, uint256 chainId, address verifier) internal pure returns (bytes32) {
        return p.digest(ReportLib.domainSeparator("Gridpact Fleet", "1", chainId, verifier), nonce);
    }

    function batch(IFleet.SignedReport memory only) internal pure returns (IFleet.SignedReport[] memory reports) {
        reports = new IFleet.SignedReport[](1);
        reports[0] = only;
    }

    function batch(IFleet.SignedReport memory first, IFleet.SignedReport memory second)
        internal
        pure
        returns (IFleet.SignedReport[] memory reports)
    {
        reports = new IFleet.SignedReport[](2);
        (reports[0], reports[1]) = (first, second);
    }

    function proof(IFleet.MeterEvidence memory only) internal pure returns (IFleet.MeterEvidence[] memory proofs) {
        proofs = new IFleet.MeterEvidence[](1);
        proofs[0] = only;
    }

    function noProof() internal pure returns (IFleet.MeterEvidence[] memory) {
        return new IFleet.MeterEvidence[](0);
    }

    /* OUTCOMES */

    function deliveredWh(uint32 interval) internal view returns (int256 wh) {
        (, wh,) = fleet.delivery(interval);
    }

    function expectSkipped(address member, uint256 place, bytes memory reason) internal {
        vm.expectEmit(address(fleet));
        emit IFleet.ReportSkipped(member, place, reason);
    }

    /// @dev Returns a revert of the language itself, such as 0x11 for an overflow.
    function panic(uint256 code) internal pure returns (bytes memory) {
        return abi.encodeWithSignature("Panic(uint256)", code);
    }

    function notOwner(address account) internal pure returns (bytes memory) {
        return abi.encodeWithSignature("OwnableUnauthorizedAccount(address)", account);
    }

    /// @dev Returns what the contract owes by its own books. [micro]
    function owedMicro(ISettlement s) internal view returns (uint256) {
        return uint256(s.bondMicro()) + s.fundsMicro() + s.feesMicro() + s.creditsMicro() + s.lossesMicro();
    }

    function assertBooks(ISettlement s, IERC20 paid) internal view {
        vm.assertEq(paid.balanceOf(address(s)), owedMicro(s), "balance = bond + funds + fees + credits + losses");
    }
}
