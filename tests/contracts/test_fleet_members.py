"""Who belongs to a fleet."""

import pytest

from contracts.abi import Function
from contracts.chain import Call
from contracts.errors import (
    FleetMemberExists,
    FleetMemberMissing,
    FleetMemberUnknown,
    FleetMeterIsMember,
    FleetOwnerNeeded,
    OwnableUnauthorizedAccount,
)
from contracts.fleet_client import ENROL, NOBODY, RETIRE
from contracts.promise import Coordination, Delivery, Member


def test_a_stranger_cannot_enrol(world):
    data = ENROL.encode(world.stranger, 1, 1, NOBODY)
    call = Call(sender=world.stranger, to=world.deployment.fleet, data=data)

    assert repr(world.chain.send_all([call])[0]) == repr(OwnableUnauthorizedAccount(world.stranger))


def test_a_member_cannot_retire_another(world):
    data = RETIRE.encode(world.homes[1])
    call = Call(sender=world.homes[0], to=world.deployment.fleet, data=data)

    assert repr(world.chain.send_all([call])[0]) == repr(OwnableUnauthorizedAccount(world.homes[0]))


@pytest.mark.parametrize("sender", ["owner", "stranger"])
def test_a_fleet_keeps_its_owner(world, sender):
    data = Function("renounceOwnership()").encode()
    call = Call(sender=getattr(world, sender), to=world.deployment.fleet, data=data)

    (refused,) = world.chain.send_all([call])

    assert repr(refused) == repr(FleetOwnerNeeded())
    world.promise(1000)


def test_enrolling_twice_is_refused(world):
    member = Member(account=world.homes[0], capacity_wh=1, grid_power_w=1)

    with pytest.raises(FleetMemberExists) as refused:
        world.ledger.fleet.enrol([member])

    assert refused.value.member == world.homes[0]


def test_retiring_a_stranger_is_refused(world):
    with pytest.raises(FleetMemberUnknown) as refused:
        world.ledger.fleet.retire(world.stranger)

    assert refused.value.member == world.stranger


def test_reading_a_stranger_is_refused(world):
    with pytest.raises(FleetMemberUnknown):
        world.ledger.fleet.member(world.stranger)


def test_a_member_is_as_enrolled(empty_world):
    member = Member(account=empty_world.homes[0], capacity_wh=10_300, grid_power_w=2**32 - 1)

    (receipt,) = empty_world.ledger.fleet.enrol([member])

    assert empty_world.ledger.fleet.member(member.account) == member
    (log,) = receipt.logs
    assert log.topics[1][12:].hex() == member.account[2:].lower()
    assert log.data == b"".join(number.to_bytes(32, "big") for number in (10_300, 2**32 - 1, 0))


def test_nobody_cannot_be_enrolled(world):
    with pytest.raises(FleetMemberMissing):
        world.ledger.fleet.enrol([Member(account=NOBODY, capacity_wh=1, grid_power_w=1)])


def test_a_member_cannot_be_its_own_meter(world):
    member = Member(
        account=world.stranger, capacity_wh=1, grid_power_w=1, meter=world.stranger.lower()
    )

    with pytest.raises(FleetMeterIsMember) as refused:
        world.ledger.fleet.enrol([member])

    assert refused.value.member == world.stranger


def test_a_member_s_meter_is_as_enrolled_and_goes_with_it(world):
    fleet = world.ledger.fleet
    metered = Member(account=world.stranger, capacity_wh=1, grid_power_w=1, meter=world.market)
    plain = Member(account=world.stranger, capacity_wh=2, grid_power_w=2)

    fleet.enrol([metered])
    before = fleet.member(world.stranger)
    fleet.retire(world.stranger)
    fleet.enrol([plain])

    assert (before, fleet.member(world.stranger)) == (metered, plain)


def test_a_retired_member_takes_its_weight_along_and_leaves_its_energy(world):
    world.promise(1000)
    world.at(600)
    for home in world.homes:
        world.report(home, 100)

    world.ledger.fleet.retire(world.homes[0])

    fleet = world.ledger.fleet
    assert fleet.delivery(world.first) == Delivery(
        interval=world.first, commitment_wh=1000, delivered_wh=300, exported_wh=300
    )
    assert fleet.export_wh(world.homes[0], world.first) == 100
    assert fleet.coordinate(world.homes[1:2], world.first) == [
        Coordination(
            remaining_export_wh=700,
            export_weight_ppb=500_000_000,
            import_weight_ppb=500_000_000,
            steered=True,
            soc_bp=0,
            commitment_wh=1000,
        )
    ]
    assert repr(world.report(world.homes[0], 1)) == repr(FleetMemberUnknown(world.homes[0]))


def test_a_retired_member_does_not_count_where_shares_follow_the_charge(world):
    world.promise(1000, soc_bp=9000)
    world.at(60)
    for home, soc_bp in zip(world.homes, (8000, 3000, 1000), strict=True):
        world.report(home, 0, soc_bp)

    world.ledger.fleet.retire(world.homes[0])

    answers = world.ledger.fleet.coordinate(world.homes[1:], world.first)
    assert [each.export_weight_ppb for each in answers] == [750_000_000, 250_000_000]


def test_a_member_that_never_reported_can_be_retired(world):
    world.ledger.fleet.retire(world.homes[0])

    with pytest.raises(FleetMemberUnknown):
        world.ledger.fleet.member(world.homes[0])


def test_a_member_that_comes_back_in_the_same_interval_keeps_its_energy(world):
    world.at(600)
    world.report(world.homes[0], 100)

    world.ledger.fleet.retire(world.homes[0])
    world.ledger.fleet.enrol([Member(account=world.homes[0], capacity_wh=1, grid_power_w=12_000)])
    world.at(900)
    world.report(world.homes[0], -30)

    fleet = world.ledger.fleet
    assert fleet.export_wh(world.homes[0], world.first) == 70
    world.at(1800 + 60)
    world.report(world.homes[0], 1, slot=1)
    assert fleet.export_wh(world.homes[0], world.first) == 70
    assert world.ledger.fleet.delivery(world.first) == Delivery(
        interval=world.first, commitment_wh=0, delivered_wh=70, exported_wh=70
    )
