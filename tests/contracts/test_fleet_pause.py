"""When reports are stopped, and when a silent battery loses its weight."""

import pytest

from contracts.chain import Call, Receipt
from contracts.errors import (
    FleetIntervalOver,
    FleetMemberHeard,
    FleetMemberUnknown,
    FleetMemberWeightless,
    FleetNotPaused,
    FleetPaused,
    OwnableUnauthorizedAccount,
)
from contracts.fleet_client import LAPSE, PAUSE, UNPAUSE
from contracts.promise import Member

OVER_S = 1800 + 600


@pytest.mark.parametrize("data", [PAUSE.encode(), UNPAUSE.encode()])
def test_only_the_owner_stops_reports(world, data):
    call = Call(sender=world.homes[0], to=world.deployment.fleet, data=data)

    (refused,) = world.chain.send_all([call])

    assert repr(refused) == repr(OwnableUnauthorizedAccount(world.homes[0]))


def test_reports_are_stopped_once_and_go_on_once(world):
    fleet = world.ledger.fleet
    with pytest.raises(FleetNotPaused):
        fleet.unpause()
    fleet.pause()
    with pytest.raises(FleetPaused):
        fleet.pause()

    seen = [fleet.paused()]
    fleet.unpause()
    seen.append(fleet.paused())

    assert seen == [True, False]


def test_no_report_of_any_kind_is_taken_while_stopped(world):
    fleet = world.ledger.fleet
    world.at(300)
    signed = world.signed(world.homes[1], 1, meter=world.market)
    fleet.pause()

    outcomes = [world.report(world.homes[0], 1), *fleet.report_signed([signed, signed])]

    assert [repr(each) for each in outcomes] == [repr(FleetPaused())] * 3
    with pytest.raises(FleetPaused):
        fleet.report_metered(signed.report, signed.meter_signature)
    assert fleet.delivery(world.first).delivered_wh == 0


def test_members_and_promises_go_on_while_stopped(world):
    world.ledger.fleet.pause()

    world.promise(1000)
    world.ledger.fleet.retire(world.homes[0])
    world.ledger.fleet.enrol([Member(account=world.homes[0], capacity_wh=1, grid_power_w=1)])

    assert world.ledger.fleet.delivery(world.first).commitment_wh == 1000


def test_sums_and_shares_are_as_before_when_reports_go_on(world):
    fleet = world.ledger.fleet
    world.at(300)
    world.report(world.homes[0], 100)
    before = (fleet.delivery(world.first), fleet.coordinate(world.homes, world.first))

    fleet.pause()
    during = (fleet.delivery(world.first), fleet.coordinate(world.homes, world.first))
    fleet.unpause()
    world.at(600)
    world.report(world.homes[0], 10)

    assert before == during
    assert fleet.delivery(world.first).delivered_wh == 110


def finals(world, count: int) -> list[bool]:
    return [world.ledger.fleet.is_final(world.first + slot) for slot in range(count)]


def test_grace_time_stands_still_during_a_pause(world):
    world.at(1800 + 500)
    world.ledger.fleet.pause()
    world.at(100_000)
    during = finals(world, 2)
    world.ledger.fleet.unpause()
    resumed_s = world.chain.now_s() - world.first * 1800

    world.at(resumed_s + 590)
    in_time = world.report(world.homes[0], 5)
    world.at(resumed_s + 600)
    late = world.report(world.homes[1], 5)

    assert during == [False, False]
    assert isinstance(in_time, Receipt)
    deadline = world.first * 1800 + resumed_s + 600
    assert repr(late) == repr(FleetIntervalOver(world.first, deadline))
    assert finals(world, 2) == [True, True]


def test_what_was_final_stays_final(exact_world):
    world = exact_world
    world.at(OVER_S)
    assert finals(world, 2) == [True, False]

    world.ledger.fleet.pause()
    world.at(3 * 1800)
    during = finals(world, 2)
    world.ledger.fleet.unpause()

    assert during == [True, False]
    assert isinstance(world.report(world.homes[0], 1), FleetIntervalOver)
    assert isinstance(world.report(world.homes[0], 1, slot=1), Receipt)


def test_a_second_pause_before_the_grace_of_the_first_is_over_counts_as_one_with_it(exact_world):
    world = exact_world
    fleet = world.ledger.fleet
    seen = []
    # Interval 0 would be over at 2400; the grace after the first pause ends at 5600.
    for at_s, act in (
        (2399, fleet.pause),
        (5000, fleet.unpause),
        (5599, fleet.pause),
        (9000, fleet.unpause),
        (9599, None),
        (9600, fleet.pause),
        (9700, fleet.unpause),
    ):
        world.at(at_s)
        if act:
            act()
        seen.append(finals(world, 1)[0])

    assert seen == [False, False, False, False, False, True, True]


def test_a_pause_at_the_end_of_the_first_one_s_grace_opens_nothing_again(exact_world):
    world = exact_world
    fleet = world.ledger.fleet
    world.at(2399)
    fleet.pause()
    world.at(5000)
    fleet.unpause()
    world.at(5600)
    before = finals(world, 3)

    fleet.pause()
    during = finals(world, 3)
    world.at(20_000)
    fleet.unpause()
    world.at(20_600)

    # Interval 1 would have been over at 4200, interval 2 at 6000.
    assert (before, during) == ([True, True, False], [True, True, False])
    assert finals(world, 3) == [True, True, True]


def shares(world) -> list[tuple[int, int]]:
    answers = world.ledger.fleet.coordinate(world.homes, world.first)
    return [(each.export_weight_ppb, each.import_weight_ppb) for each in answers]


@pytest.fixture
def weighed(world):
    """Return a world whose first two homes reported at 60 s, at 80 and 20 %."""
    world.at(60)
    world.report(world.homes[0], 0, 8000)
    world.report(world.homes[1], 0, 2000)
    return world


def lapse_by_a_stranger(world, account: str):
    call = Call(sender=world.stranger, to=world.deployment.fleet, data=LAPSE.encode(account))
    return world.chain.send_all([call])[0]


def test_a_stranger_s_weight_cannot_lapse(world):
    assert repr(lapse_by_a_stranger(world, world.market)) == repr(FleetMemberUnknown(world.market))


def test_a_member_that_never_reported_has_no_weight_to_lapse(world):
    refused = lapse_by_a_stranger(world, world.homes[0])

    assert repr(refused) == repr(FleetMemberWeightless(world.homes[0]))


def test_a_member_heard_of_within_an_interval_keeps_its_weight(exact_world):
    world = exact_world
    world.at(60)
    world.report(world.homes[0], 0)
    world.at(60 + 1800)

    refused = lapse_by_a_stranger(world, world.homes[0])

    heard_at = world.first * 1800 + 60
    assert repr(refused) == repr(FleetMemberHeard(world.homes[0], heard_at))
    world.at(60 + 1801)
    assert isinstance(lapse_by_a_stranger(world, world.homes[0]), Receipt)


def test_a_silent_battery_loses_its_weight_and_its_next_report_brings_it_back(weighed):
    world = weighed
    before = shares(world)
    world.at(1800 + 200)
    world.report(world.homes[1], 0, 2000, slot=1)

    lapse_by_a_stranger(world, world.homes[0])
    without = shares(world)
    again = lapse_by_a_stranger(world, world.homes[0])
    world.report(world.homes[0], 0, 8000, slot=1)

    assert before == [(800_000_000, 200_000_000), (200_000_000, 800_000_000), (0, 0)]
    assert without == [(0, 0), (1_000_000_000, 1_000_000_000), (0, 0)]
    assert repr(again) == repr(FleetMemberWeightless(world.homes[0]))
    assert shares(world) == before


def test_a_lapsed_member_can_be_retired(weighed):
    weighed.at(1800 + 200)
    weighed.ledger.fleet.lapse(weighed.homes[0])

    weighed.ledger.fleet.retire(weighed.homes[0])

    assert weighed.ledger.fleet.coordinate(weighed.homes[1:2], weighed.first)[
        0
    ].export_weight_ppb == (1_000_000_000)


def test_silence_while_reports_are_stopped_does_not_count(weighed):
    world = weighed
    world.ledger.fleet.pause()
    world.at(9000)
    during = lapse_by_a_stranger(world, world.homes[0])
    world.ledger.fleet.unpause()
    resumed_at = world.chain.now_s()
    world.at(9000 + 1700)

    after = lapse_by_a_stranger(world, world.homes[0])

    assert repr(during) == repr(FleetPaused())
    assert repr(after) == repr(FleetMemberHeard(world.homes[0], resumed_at))
