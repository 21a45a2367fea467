"""Reports that a relay hands in for those who signed them."""

from dataclasses import replace

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data

from contracts.abi import event_topic
from contracts.chain import Call, Receipt
from contracts.errors import (
    FleetEvidencePlace,
    FleetIntervalEnergyLimit,
    FleetIntervalFuture,
    FleetMemberUnknown,
    FleetMeterEvidenceMissing,
    FleetMeterSignatureInvalid,
    FleetMeterUnregistered,
    FleetNonce,
    FleetSignatureInvalid,
    FleetSocRange,
)
from contracts.fleet_client import REPORT_SIGNED
from contracts.promise import Delivery, Member, Report
from contracts.signing import Domain, SignedReport, digest, sign_report, typed_data

RELAYED = event_topic("ReportsRelayed(address,bytes32[])")
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


def one_refused(world, signed: SignedReport, *, metered: bool = False):
    """Hand in ``signed`` after a good report; return what became of it, the good one counted."""
    good = world.signed(world.homes[2], 7, nonce=world.ledger.fleet.nonces([world.homes[2]])[0])
    taken, refused = world.ledger.fleet.report_signed([good, signed], relay=world.stranger)
    assert isinstance(taken, Receipt)
    assert world.ledger.fleet.delivery(world.first).delivered_wh == 7
    return refused


def test_a_report_of_a_stranger_is_skipped(world):
    world.at(60)

    refused = one_refused(world, world.signed(world.stranger, 1))

    assert repr(refused) == repr(FleetMemberUnknown(world.stranger))


@pytest.mark.parametrize("nonce", [1, 70_000])
def test_a_report_with_another_nonce_is_skipped(world, nonce):
    world.at(60)

    refused = one_refused(world, world.signed(world.homes[0], 1, nonce=nonce))

    assert repr(refused) == repr(FleetNonce(world.homes[0], nonce % 2**16, 0))


def test_a_nonce_of_65536_reports_ago_does_not_fit_the_signature(world):
    world.at(60)

    refused = one_refused(world, world.signed(world.homes[0], 1, nonce=2**16))

    assert repr(refused) == repr(FleetSignatureInvalid(world.homes[0]))


@pytest.mark.parametrize("changed", [{"net_export_wh": 2}, {"soc_bp": 5001}])
def test_a_report_that_was_changed_is_skipped(world, changed):
    world.at(60)
    signed = world.signed(world.homes[0], 1)

    refused = one_refused(world, replace(signed, report=replace(signed.report, **changed)))

    assert repr(refused) == repr(FleetSignatureInvalid(world.homes[0]))


def test_a_report_signed_by_another_member_is_skipped(world):
    world.at(60)
    report = world.signed(world.homes[0], 1).report
    signed = sign_report(report, 0, world.ledger.fleet.domain(), world.keys[world.homes[1]])

    assert repr(one_refused(world, signed)) == repr(FleetSignatureInvalid(world.homes[0]))


@pytest.mark.parametrize("where", ["chain", "fleet"])
def test_a_report_signed_for_another_place_is_skipped(world, where):
    world.at(60)
    domain = world.ledger.fleet.domain()
    other = (
        Domain(chain_id=1, fleet=domain.fleet)
        if where == "chain"
        else Domain(chain_id=domain.chain_id, fleet=world.deployment.token)
    )
    report = world.signed(world.homes[0], 1).report

    refused = one_refused(world, sign_report(report, 0, other, world.keys[world.homes[0]]))

    assert repr(refused) == repr(FleetSignatureInvalid(world.homes[0]))


def test_a_signature_turned_into_its_twin_is_skipped(world):
    world.at(60)
    signed = world.signed(world.homes[0], 1)
    word = int.from_bytes(signed.signature[32:], "big")
    parity, s = word >> 255, word % 2**255
    # (r, n - s) with the other parity signs the same; its s does not fit the compact form's 255
    # bits, but may be tried with any.
    twin = ((1 - parity) << 255) | (ORDER - s) % 2**255

    forged = replace(signed, signature=signed.signature[:32] + twin.to_bytes(32, "big"))

    assert repr(one_refused(world, forged)) == repr(FleetSignatureInvalid(world.homes[0]))


def test_what_is_wrong_with_the_content_is_told_as_of_a_direct_report(world):
    world.at(60)
    home = world.homes[0]
    domain, key = world.ledger.fleet.domain(), world.keys[home]
    of = Report(account=home, interval=world.first, net_export_wh=0, soc_bp=0)
    bad = [
        replace(of, soc_bp=10_001),
        replace(of, interval=world.first + 1),
        replace(of, net_export_wh=-1000),
    ]

    outcomes = world.ledger.fleet.report_signed([sign_report(r, 0, domain, key) for r in bad])

    assert [repr(each) for each in outcomes] == [
        repr(FleetSocRange(10_001)),
        repr(FleetIntervalFuture(world.first + 1, world.first)),
        # 12 kW for 60 s and a tolerance of 60 s.
        repr(FleetIntervalEnergyLimit(home, world.first, -1000, 400)),
    ]


def test_nothing_signed_is_counted_twice_nor_beside_a_direct_report(world):
    fleet = world.ledger.fleet
    first, second = world.homes[:2]
    world.at(300)
    signed = [world.signed(first, 10), world.signed(second, 20)]
    fleet.report_signed(signed)
    again = fleet.report_signed(signed)
    late = world.signed(first, 30, nonce=1)
    world.report(first, 30)

    (beside,) = fleet.report_signed([late])

    assert [repr(each) for each in again] == [
        repr(FleetNonce(first, 0, 1)),
        repr(FleetNonce(second, 0, 1)),
    ]
    assert repr(beside) == repr(FleetNonce(first, 1, 2))
    assert fleet.delivery(world.first).delivered_wh == 60
    assert fleet.nonces(world.homes) == [2, 1, 0]


def test_what_was_signed_before_a_member_left_stays_dead(world):
    fleet = world.ledger.fleet
    home = world.homes[0]
    world.at(300)
    old = world.signed(home, 10)
    fleet.report_signed([old])

    fleet.retire(home)
    gone = fleet.nonces([home])
    fleet.enrol([Member(account=home, capacity_wh=1, grid_power_w=12_000)])
    (refused,) = fleet.report_signed([old])

    assert gone == [1]
    assert repr(refused) == repr(FleetNonce(home, 0, 1))


def test_a_member_may_occur_more_than_once(world):
    world.at(300)
    batch = [world.signed(world.homes[0], 10, nonce=nonce) for nonce in (0, 1, 1, 2)]

    outcomes = world.ledger.fleet.report_signed(batch)

    assert [isinstance(each, Receipt) for each in outcomes] == [True, True, False, True]
    assert world.ledger.fleet.export_wh(world.homes[0], world.first) == 30


def test_a_batch_counts_as_its_reports_alone_do(world, build_world):
    alone = build_world()
    alone.ledger.fleet.enrol(
        [world.ledger.fleet.member(account) for account in world.homes],
    )
    figures = [(0, 100, 0), (1, -30, 0), (2, 50, 0), (0, 5, 1), (1, 9, 1)]
    for each in (world, alone):
        each.promise(1000, 500, soc_bp=4000)
        each.at(1800 + 300)
    nonces = dict.fromkeys(world.homes, 0)
    batch = []
    for home, energy_wh, slot in figures:
        account = world.homes[home]
        batch.append(world.signed(account, energy_wh, nonce=nonces[account], slot=slot))
        nonces[account] += 1
        alone.report(account, energy_wh, slot=slot)

    outcomes = world.ledger.fleet.report_signed(batch)

    assert all(isinstance(each, Receipt) for each in outcomes)
    for slot in (0, 1):
        interval = world.first + slot
        ours, theirs = world.ledger.fleet, alone.ledger.fleet
        assert ours.delivery(interval) == theirs.delivery(interval)
        assert ours.coordinate(world.homes, interval) == theirs.coordinate(world.homes, interval)
        for home in world.homes:
            assert ours.export_wh(home, interval) == theirs.export_wh(home, interval)
    assert world.ledger.fleet.delivery(world.first) == Delivery(
        interval=world.first, commitment_wh=1000, delivered_wh=120, exported_wh=150
    )


def test_a_batch_is_written_to_the_log_with_zeros_for_what_was_skipped(world):
    world.at(300)
    batch = [world.signed(world.homes[0], -12), world.signed(world.stranger, 1)]

    receipt = world.ledger.fleet.report_signed(batch, relay=world.stranger)[0]

    log = receipt.logs[-1]
    assert log.topics == (RELAYED, bytes(12) + bytes.fromhex(world.stranger[2:]))
    word = (
        bytes.fromhex(world.homes[0][2:])
        + world.first.to_bytes(4, "big")
        + (-12).to_bytes(4, "big", signed=True)
        + (5000).to_bytes(2, "big")
        + bytes(2)
    )
    assert log.data == b"".join(n.to_bytes(32, "big") for n in (32, 2)) + word + bytes(32)


def test_a_batch_of_nothing_changes_nothing(world):
    assert world.ledger.fleet.report_signed([]) == []


@pytest.fixture
def metered(world):
    """Return a world whose stranger is a member with the market's key as its meter."""
    world.ledger.fleet.enrol(
        [Member(account=world.stranger, capacity_wh=1, grid_power_w=12_000, meter=world.market)]
    )
    world.at(300)
    return world


def test_a_metered_member_needs_its_meter(metered):
    fleet, home = metered.ledger.fleet, metered.stranger
    without = metered.signed(home, 1)
    wrong = metered.signed(home, 1, meter=metered.homes[0])

    outcomes = [metered.report(home, 1), *fleet.report_signed([without, wrong])]

    assert [repr(each) for each in outcomes] == [
        repr(FleetMeterEvidenceMissing(home)),
        repr(FleetMeterEvidenceMissing(home)),
        repr(FleetMeterSignatureInvalid(home)),
    ]


def test_a_metered_member_reports_with_its_meter_alone_and_in_a_batch(metered):
    fleet, home = metered.ledger.fleet, metered.stranger
    first = metered.signed(home, 11, meter=metered.market)
    fleet.report_metered(first.report, first.meter_signature)
    second = metered.signed(home, 22, nonce=1, meter=metered.market)

    outcomes = fleet.report_signed([metered.signed(metered.homes[0], 3), second])

    assert all(isinstance(each, Receipt) for each in outcomes)
    assert fleet.delivery(metered.first).delivered_wh == 36
    assert fleet.nonces([home]) == [2]


def test_a_meter_s_word_for_another_report_is_refused(metered):
    first = metered.signed(metered.stranger, 11, meter=metered.market)
    changed = replace(first.report, net_export_wh=12)

    with pytest.raises(FleetMeterSignatureInvalid):
        metered.ledger.fleet.report_metered(changed, first.meter_signature)


def test_a_meter_s_word_is_used_once(metered):
    first = metered.signed(metered.stranger, 11, meter=metered.market)
    metered.ledger.fleet.report_metered(first.report, first.meter_signature)

    with pytest.raises(FleetMeterSignatureInvalid):
        metered.ledger.fleet.report_metered(first.report, first.meter_signature)


def test_evidence_of_a_member_without_meter_is_refused(metered):
    fleet, home = metered.ledger.fleet, metered.homes[0]
    signed = metered.signed(home, 1, meter=metered.market)

    (refused,) = fleet.report_signed([signed])
    with pytest.raises(FleetMeterUnregistered):
        fleet.report_metered(signed.report, signed.meter_signature)

    assert repr(refused) == repr(FleetMeterUnregistered(home))


def test_a_stranger_has_no_meter(metered):
    signed = metered.signed(metered.owner, 1, meter=metered.market)

    with pytest.raises(FleetMemberUnknown):
        metered.ledger.fleet.report_metered(signed.report, signed.meter_signature)


@pytest.mark.parametrize("places", [[1], [0, 0], [2**200]])
def test_evidence_out_of_place_stops_the_batch(metered, places):
    signed = metered.signed(metered.stranger, 1, meter=metered.market)
    word = bytes.fromhex(signed.report.account[2:]) + bytes(12)
    proofs = [(place, bytes(32), bytes(32)) for place in places]
    data = REPORT_SIGNED.encode([(word, bytes(32), bytes(32))], proofs)
    call = Call(sender=metered.owner, to=metered.deployment.fleet, data=data)

    (refused,) = metered.chain.send_all([call])

    assert repr(refused) == repr(FleetEvidencePlace(places[-1]))


def test_what_is_signed_is_what_wallets_sign(world):
    report = Report(account=world.homes[0], interval=world.first, net_export_wh=-7, soc_bp=5000)
    domain = world.ledger.fleet.domain()
    key = world.keys[world.homes[0]]

    message = encode_typed_data(full_message=typed_data(report, 3, domain))
    theirs = key.sign_message(message)
    ours = sign_report(report, 3, domain, key)

    parity = int.from_bytes(ours.signature[32:], "big") >> 255
    assert (
        Account._recover_hash(digest(report, 3, domain), signature=theirs.signature)
        == (world.homes[0])
    )
    assert ours.signature[:32] == theirs.r.to_bytes(32, "big")
    assert parity == theirs.v - 27


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"nonce": -1}, "nonce = -1 is outside"),
        ({"nonce": 2**32}, "nonce = 4294967296 is outside"),
        ({"signature": bytes(65)}, "has 65 bytes, not 64"),
        ({"meter_signature": b""}, "has 0 bytes, not 64"),
    ],
)
def test_a_signed_report_that_does_not_fit_the_wire_is_not_made(world, wrong, message):
    with pytest.raises(ValueError, match=message):
        replace(world.signed(world.homes[0], 1), **wrong)
