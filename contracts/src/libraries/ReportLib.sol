// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

/// @dev A report as a relay hands it in, in one word. From the left:
///
///     | member 160 | interval 32 | netExportWh 32 | socBp 16 | nonceLow 16 |
///
/// member       the account that signed it
/// interval     number of the interval that the energy belongs to
/// netExportWh  energy exported less energy imported since the member's last report, in two's complement [Wh]
/// socBp        state of charge [bp]
/// nonceLow     lower half of the nonce that was signed; the contract knows the upper one
type PackedReport is bytes32;

using ReportLib for PackedReport global;
using ReportLib for Form global;

/// @dev What is hashed of a report, laid out as EIP-712 has it: six words, then two bytes and two words. Kept and
/// filled in again for each report of a batch, since encoding takes new memory, and costs several times the hash.
struct Form {
    bytes32 reportType;
    address member;
    uint256 interval;
    int256 netExportWh;
    uint256 socBp;
    uint256 nonce;
    uint256 prefix;
    bytes32 domain;
    bytes32 report;
    bytes32 hash;
    uint256 v;
    bytes32 r;
    uint256 s;
}

/// @title A report in a word, and what is signed of it
/// @notice EIP-712 hashes, and the log of a batch. No storage, no caller, no clock.
/// @dev The only place with assembly: `Form`, `put` and `logRelayed` save a relay's batch what the compiler spends on copying.
/// `digest(PackedReport, ...)` says the same as `Form` in plain words, and checks the evidence of meters.
library ReportLib {
    bytes32 private constant DOMAIN_TYPE =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    bytes32 private constant REPORT_TYPE =
        keccak256("Report(address member,uint32 interval,int32 netExportWh,uint16 socBp,uint32 nonce)");

    bytes32 private constant RELAYED = keccak256("ReportsRelayed(address,bytes32[])");

    /// @dev Half the order of secp256k1, rounded down: of the two s that make a signature one is not above it.
    uint256 private constant HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0;

    /// @dev What is signed begins with these two bytes (EIP-191, version 1).
    uint256 private constant PREFIX = 0x1901;

    uint256 private constant MEMBER = 96;
    uint256 private constant INTERVAL = 64;
    uint256 private constant NET_EXPORT = 32;
    uint256 private constant SOC = 16;

    function member(PackedReport p) internal pure returns (address) {
        return address(uint160(uint256(PackedReport.unwrap(p)) >> MEMBER));
    }

    function interval(PackedReport p) internal pure returns (uint256) {
        return uint32(uint256(PackedReport.unwrap(p)) >> INTERVAL);
    }

    /// @dev Returns `interval` in the lowest 32 bits, with other fields above it: for comparing without a mask.
    function intervalAndAbove(PackedReport p) internal pure returns (uint256) {
        return uint256(PackedReport.unwrap(p)) >> INTERVAL;
    }

    function netExportWh(PackedReport p) internal pure returns (int256) {
        return int256(uint256(PackedReport.unwrap(p)) << (256 - 32 - NET_EXPORT)) >> (256 - 32);
    }

    function socBp(PackedReport p) internal pure returns (uint256) {
        return uint16(uint256(PackedReport.unwrap(p)) >> SOC);
    }

    function nonceLow(PackedReport p) internal pure returns (uint256) {
        return uint16(uint256(PackedReport.unwrap(p)));
    }

    /// @dev Returns whether the report's `nonceLow` is the lower half of `nonce`.
    function bears(PackedReport p, uint256 nonce) internal pure returns (bool) {
        return uint16(uint256(PackedReport.unwrap(p)) ^ nonce) == 0;
    }

    /// @dev Returns the hash that tells one contract's signatures from another's (EIP-712).
    function domainSeparator(
        string memory name,
        string memory version,
        uint256 chainId,
        address verifier
    ) internal pure returns (bytes32) {
        return keccak256(abi.encode(DOMAIN_TYPE, keccak256(bytes(name)), keccak256(bytes(version)), chainId, verifier));
    }

    /// @dev Returns a report in a word, without nonce.
    function pack(
        address member_,
        uint32 interval_,
        int32 netExportWh_,
        uint16 socBp_
    ) internal pure returns (PackedReport) {
        uint256 word = (uint256(uint160(member_)) << MEMBER) | (uint256(interval_) << INTERVAL);
        word |= (uint256(uint32(netExportWh_)) << NET_EXPORT) | (uint256(socBp_) << SOC);
        return PackedReport.wrap(bytes32(word));
    }

    /// @dev Returns a form to fill in with reports for the contract that `domain` stands for.
    function form(bytes32 domain) internal pure returns (Form memory f) {
        f.reportType = REPORT_TYPE;
        f.prefix = PREFIX;
        f.domain = domain;
    }

    /// @dev Fills `f` in with a report.
    function fill(Form memory f, PackedReport p, uint256 nonce) internal pure {
        f.member = p.member();
        f.interval = p.interval();
        f.netExportWh = p.netExportWh();
        f.socBp = p.socBp();
        f.nonce = nonce;
    }

    /// @dev Returns whether `signer`, which is not zero, signed what `f` is filled in with.
    function signed(Form memory f, address signer, bytes32 r, bytes32 vs) internal view returns (bool) {
        f.hash = f.digest();
        // s < 2**255 and v of 27 or 28, as in EIP-2098: far from overflow.
        unchecked {
            f.v = (uint256(vs) >> 255) + 27;
        }
        f.r = r;
        f.s = uint256(vs) & (type(uint256).max >> 1);
        uint256 recovered;
        // Proof: hash, v, r and s are four words in a row, as precompile 1 takes them; it writes an address to the
        // scratch space, or nothing, so that 0 stays, which is no signer. It fails for want of gas alone: then the 64th
        // part that is kept does not last either.
        assembly ("memory-safe") {
            mstore(0, 0)
            pop(staticcall(gas(), 1, add(f, 0x120), 0x80, 0, 0x20))
            recovered := mload(0)
        }
        // As in OpenZeppelin's `ECDSA.tryRecover`, of the two s that make a signature the upper one is refused.
        return SafeCast.toUint(recovered == uint160(signer)) & SafeCast.toUint(f.s <= HALF_ORDER) != 0;
    }

    /// @dev Returns what a member, and its meter, sign of the report that `f` is filled in with (EIP-712); the hash of
    /// the report alone stays in `f`.
    function digest(Form memory f) internal pure returns (bytes32 hash) {
        bytes32 report;
        // Proof: a struct in memory is its fields, a word each, from where it points to. The first six words are
        // `abi.encode` of the type and its values; nothing is written.
        assembly ("memory-safe") {
            report := keccak256(f, 0xc0)
        }
        f.report = report;
        // Proof: the last two bytes of the seventh word, the eighth and the ninth one are the 66 bytes of
        // `abi.encodePacked(hex"1901", domain, report)`; nothing is written.
        assembly ("memory-safe") {
            hash := keccak256(add(f, 0xde), 0x42)
        }
    }

    /// @dev Returns what a member, and its meter, sign of a report (EIP-712).
    function digest(PackedReport p, bytes32 domain, uint256 nonce) internal pure returns (bytes32) {
        bytes32 report = keccak256(
            abi.encode(REPORT_TYPE, p.member(), p.interval(), p.netExportWh(), p.socBp(), nonce)
        );
        return keccak256(abi.encodePacked(hex"1901", domain, report));
    }

    /// @dev Sets the word for `place` of those that `logRelayed` writes; `place` is one of theirs.
    function put(PackedReport[] memory words, uint256 place, PackedReport p) internal pure {
        // Proof: `place` + 1 is less than the length, by the caller: word `place` + 1 lies that many words, and that of
        // the length, after where the array begins.
        assembly ("memory-safe") {
            mstore(add(add(words, 0x40), shl(5, place)), p)
        }
    }

    /// @dev Emits `IFleet.ReportsRelayed` with the `words` after the first one, and uses them up. The compiler would
    /// copy them first.
    function logRelayed(address relay, PackedReport[] memory words) internal {
        bytes32 topic = RELAYED;
        // Proof: an array in memory is its length n and its n words. With the length replaced by 0x20 and the first
        // word by n - 1 these are `abi.encode` of an array of n - 1 words, in the memory that the array has, n + 1
        // words.
        assembly ("memory-safe") {
            let count := mload(words)
            mstore(words, 0x20)
            mstore(add(words, 0x20), sub(count, 1))
            log2(words, mul(0x20, add(count, 1)), topic, relay)
        }
    }
}
