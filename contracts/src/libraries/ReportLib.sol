// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

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

/// @title A report in a word, and what is signed of it
/// @notice EIP-712 hashes. Pure: no storage, no caller, no clock.
library ReportLib {
    bytes32 private constant DOMAIN_TYPE =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    bytes32 private constant REPORT_TYPE =
        keccak256("Report(address member,uint32 interval,int32 netExportWh,uint16 socBp,uint32 nonce)");

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

    function netExportWh(PackedReport p) internal pure returns (int256) {
        return int256(uint256(PackedReport.unwrap(p)) << (256 - 32 - NET_EXPORT)) >> (256 - 32);
    }

    function socBp(PackedReport p) internal pure returns (uint256) {
        return uint16(uint256(PackedReport.unwrap(p)) >> SOC);
    }

    function nonceLow(PackedReport p) internal pure returns (uint256) {
        return uint16(uint256(PackedReport.unwrap(p)));
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

    /// @dev Returns what a member, and its meter, sign of a report (EIP-712).
    function digest(PackedReport p, bytes32 domain, uint256 nonce) internal pure returns (bytes32) {
        bytes32 report = keccak256(
            abi.encode(REPORT_TYPE, p.member(), p.interval(), p.netExportWh(), p.socBp(), nonce)
        );
        return keccak256(abi.encodePacked(hex"1901", domain, report));
    }
}
