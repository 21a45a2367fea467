// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.28;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

import {Form, PackedReport, ReportLib} from "../../contracts/src/libraries/ReportLib.sol";
import {vm} from "./base/Vm.sol";

/// @notice The form that a batch is checked with says what plain encoding and OpenZeppelin's ECDSA say.
contract ReportFormTest {
    uint256 private constant ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;

    event ReportsRelayed(address indexed relay, PackedReport[] reports);

    function test_fuzz_form_hashesLikePlainEncoding(bytes32 domain, bytes32 a, uint32 n, bytes32 b, uint32 k)
        public
        pure
    {
        Form memory form = ReportLib.form(domain);
        form.fill(PackedReport.wrap(a), n);
        vm.assertEq(form.digest(), PackedReport.wrap(a).digest(domain, n), "first");
        // Nothing of the first one stays.
        form.fill(PackedReport.wrap(b), k);
        vm.assertEq(form.digest(), PackedReport.wrap(b).digest(domain, k), "second");
    }

    function test_fuzz_form_acceptsWhatEcdsaAccepts(bytes32 domain, bytes32 word, uint256 key, uint8 how) public view {
        key = key % (ORDER - 1) + 1;
        address signer = vm.addr(key);
        PackedReport p = PackedReport.wrap(word);
        Form memory form = ReportLib.form(domain);
        form.fill(p, 7);
        (bytes32 r, bytes32 vs) = vm.signCompact(key, p.digest(domain, 7));
        (uint256 odd, uint256 s) = (uint256(vs) >> 255, uint256(vs) % 2 ** 255);
        // The other parity, the malleable twin, no point of the curve, no number.
        if (how % 5 == 1) vs = bytes32(uint256(vs) ^ (1 << 255));
        if (how % 5 == 2) vs = bytes32((ORDER - s) % 2 ** 255 | ((1 - odd) << 255));
        if (how % 5 == 3) r = 0;
        if (how % 5 == 4) vs = 0;
        (address recovered,,) = ECDSA.tryRecover(p.digest(domain, 7), r, vs);
        vm.assertEq(form.signed(signer, r, vs), recovered == signer, "the signer");
        vm.assertEq(how % 5 == 0, recovered == signer, "only the true one");
    }

    function test_fuzz_log_isTheEvent(address relay, bytes32[] calldata words) public {
        PackedReport[] memory plain = new PackedReport[](words.length);
        PackedReport[] memory ours = new PackedReport[](words.length + 1);
        for (uint256 i = 0; i < words.length; ++i) {
            plain[i] = PackedReport.wrap(words[i]);
            ReportLib.put(ours, i, plain[i]);
        }
        vm.expectEmit(address(this));
        emit ReportsRelayed(relay, plain);
        ReportLib.logRelayed(relay, ours);
    }
}
