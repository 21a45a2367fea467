"""What members say they did."""

import pytest

from contracts.abi import event_topic
from contracts.chain import Receipt
from contracts.errors import (
    FleetEnergyLimit,
    FleetEnergyOverflow,
    FleetIntervalEnergyLimit,
    FleetIntervalFuture,
    FleetIntervalOrder,
    FleetIntervalOver,
    FleetMemberUnknown,
    FleetSocRange,
)
from contracts.promise import Delivery, Member, Report

REPORTED = event_topic("Reported(address,uint32,int32,uint16)")
CLOSED = event_topic("IntervalClosed(uint32,int40,uint40)")


def number(word: bytes) -> int:
    return int.from_bytes(word, "big", signed=True)


def test_a_stranger_cannot_report(world):
    world.at(60)

    assert repr(world.report(world.stranger, 1)) == repr(FleetMemberUnknown(world.stranger))


def test_more_than_a_full_battery_is_refused(world):
    world.at(60)

    assert repr(world.report(world.homes[0], 1, 10_001)) == repr(FleetSocRange(10_001))


def test_the_next_interval_is_refused_until_it_begins(world):
    world.at(1799)

    refused = world.report(world.homes[0], 1, slot=1)

    assert repr(refused) == repr(FleetIntervalFuture(world.first + 1, world.first))
    world.at(1800)
    assert isinstance(world.report(world.homes[0], 1, slot=1), Receipt)


def test_an_interval_takes_reports_until_its_grace_is_over(world):
    world.at(0)
    world.report(world.homes[0], 1)
    world.report(world.homes[1], 1)

    world.at(1800 + 599)
    in_time = world.report(world.homes[0], 1)
    world.at(1800 + 600)
    late = world.report(world.homes[1], 1)

    assert isinstance(in_time, Receipt)
    deadline = (world.first + 1) * 1800 + 600
    assert repr(late) == repr(FleetIntervalOver(world.first, deadline))
    assert world.ledger.fleet.is_final(world.first)


def test_a_member_cannot_go_back(world):
    world.at(1800 + 60)
    world.report(world.homes[0], 1, slot=1)

    refused = world.report(world.homes[0], 1)

    assert repr(refused) == repr(FleetIntervalOrder(world.homes[0], world.first, world.first + 1))


def test_a_member_cannot_report_for_an_interval_before_it_joined(world):
    world.at(1800 + 60)
    late_home = Member(account=world.stranger, capacity_wh=1, grid_power_w=1)
    world.ledger.fleet.enrol([late_home])

    refused = world.report(world.stranger, 0)

    assert repr(refused) == repr(FleetIntervalOrder(world.stranger, world.first, world.first + 1))


@pytest.mark.parametrize("sign", [1, -1])
def test_energy_is_bound_by_the_connection_and_the_time(world, sign):
    world.at(0)
    world.report(world.homes[0], 0)
    world.at(300)
    # 12 kW for 300 s and a tolerance of 60 s.
    limit_wh = 12_000 * 360 // 3600

    refused = world.report(world.homes[0], sign * (limit_wh + 1))

    assert repr(refused) == repr(FleetEnergyLimit(world.homes[0], sign * (limit_wh + 1), limit_wh))
    assert isinstance(world.report(world.homes[0], sign * limit_wh), Receipt)


@pytest.mark.parametrize("sign", [1, -1])
def test_many_reports_in_a_second_carry_no_more_than_the_interval_has_lasted(exact_world, sign):
    account = exact_world.homes[0]
    exact_world.at(300)
    # 12 kW for 300 s and a tolerance of 60 s; a report of its own may carry 200 Wh at once.
    limit_wh = 12_000 * 360 // 3600
    report = Report(
        account=account, interval=exact_world.first, net_export_wh=sign * 200, soc_bp=5000
    )

    outcomes = exact_world.ledger.fleet.report_all([report] * 100)

    refused = FleetIntervalEnergyLimit(account, exact_world.first, sign * 1400, limit_wh)
    assert [isinstance(each, Receipt) for each in outcomes] == [True] * 6 + [False] * 94
    assert {repr(each) for each in outcomes[6:]} == {repr(refused)}
    assert exact_world.ledger.fleet.export_wh(account, exact_world.first) == sign * limit_wh


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(
    ("seconds", "slot", "limit_wh"),
    [
        # Into the running interval, that has lasted 900 s, at 12 kW with a tolerance of 60 s.
        (4 * 1800 + 900, 4, 3200),
        # Into the one before, late: it lasted no longer than 1800 s.
        (4 * 1800 + 599, 3, 6200),
    ],
)
def test_energy_of_a_silence_does_not_fit_into_one_interval(
    exact_world, sign, seconds, slot, limit_wh
):
    account, interval = exact_world.homes[0], exact_world.first + slot
    exact_world.at(0)
    exact_world.report(account, 0)
    exact_world.at(seconds)

    dump = exact_world.report(account, sign * 24_000, slot=slot)
    refused = exact_world.report(account, sign * (limit_wh + 1), slot=slot)
    taken = exact_world.report(account, sign * limit_wh, slot=slot)

    assert [repr(dump), repr(refused)] == [
        repr(FleetIntervalEnergyLimit(account, interval, sign * 24_000, limit_wh)),
        repr(FleetIntervalEnergyLimit(account, interval, sign * (limit_wh + 1), limit_wh)),
    ]
    assert isinstance(taken, Receipt)


def test_what_was_exported_may_be_taken_back(world):
    world.at(300)
    world.report(world.homes[0], 1200)
    world.at(600)

    assert isinstance(world.report(world.homes[0], -1200), Receipt)
    assert world.ledger.fleet.export_wh(world.homes[0], world.first) == 0


def test_a_member_that_comes_back_cannot_fill_the_interval_twice(exact_world):
    account = exact_world.homes[0]
    exact_world.at(300)
    exact_world.report(account, 1200)

    exact_world.ledger.fleet.retire(account)
    exact_world.ledger.fleet.enrol([Member(account=account, capacity_wh=1, grid_power_w=12_000)])
    exact_world.at(300)

    assert isinstance(exact_world.report(account, 200), FleetIntervalEnergyLimit)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("off_s", [(0,), (7,), (-7, 7, 0), (5, 0, -3, 20)])
@pytest.mark.parametrize("every_s", [300, 900])
def test_full_power_can_be_reported_by_blocks_that_are_early_or_late(world, sign, off_s, every_s):
    account = world.homes[0]
    world.at(0)
    world.report(account, 0)
    before_s, reported_wh, outcomes = 0, [0, 0, 0], []

    # Each report belongs to the interval that it was due in, though its block may be of the next.
    for place, seconds in enumerate(range(every_s, 3 * 1800 + 1, every_s)):
        at_s, slot = seconds + off_s[place % len(off_s)], (seconds - 1) // 1800
        world.at(at_s)
        energy_wh = 12_000 * (at_s - before_s) // 3600
        outcomes.append(world.report(account, sign * energy_wh, slot=slot))
        before_s = at_s
        reported_wh[slot] += sign * energy_wh

    assert all(isinstance(outcome, Receipt) for outcome in outcomes)
    exports = [world.ledger.fleet.export_wh(account, world.first + slot) for slot in range(3)]
    assert exports == reported_wh


def test_the_smallest_number_is_refused_like_any_other(world):
    world.at(300)

    assert isinstance(world.report(world.homes[0], -(2**31)), FleetEnergyLimit)


def test_a_member_s_sum_that_does_not_fit_is_refused(empty_world):
    giant = Member(account=empty_world.homes[0], capacity_wh=0, grid_power_w=2**32 - 1)
    empty_world.ledger.fleet.enrol([giant])
    empty_world.at(600)
    empty_world.report(giant.account, 700_000_000)
    empty_world.at(1200)
    empty_world.report(giant.account, 700_000_000)
    empty_world.at(1799)

    refused = empty_world.report(giant.account, 750_000_000)

    assert repr(refused) == repr(FleetEnergyOverflow(2_150_000_000))
    assert empty_world.ledger.fleet.export_wh(giant.account, empty_world.first) == 1_400_000_000


def test_a_report_is_written_to_the_log(world):
    world.at(60)

    receipt = world.report(world.homes[0], -12, 4321)

    (log,) = receipt.logs
    assert log.address == world.deployment.fleet
    assert log.topics[0] == REPORTED
    assert log.topics[1][12:].hex() == world.homes[0][2:].lower()
    assert number(log.topics[2]) == world.first
    assert (number(log.data[:32]), number(log.data[32:])) == (-12, 4321)


def test_exports_count_each_member_s_sum_once_it_is_positive(world):
    delivery = world.ledger.fleet.delivery
    seen = []
    for seconds, home, energy_wh in (
        (60, 0, 100),
        (70, 1, -50),
        (200, 0, -150),
        (300, 1, 70),
        (600, 0, 80),
    ):
        world.at(seconds)
        world.report(world.homes[home], energy_wh)
        done = delivery(world.first)
        seen.append((done.delivered_wh, done.exported_wh))

    # Members' sums: 100, -50, -50, 20, 30.
    assert seen == [(100, 100), (50, 100), (-100, 0), (-30, 20), (50, 50)]


def test_a_later_interval_closes_the_one_before(world):
    world.at(60)
    world.report(world.homes[0], 100)
    world.at(1800 + 60)

    receipt = world.report(world.homes[1], 7, slot=1)

    closed, reported = receipt.logs
    assert closed.topics[0] == CLOSED
    assert number(closed.topics[1]) == world.first
    assert (number(closed.data[:32]), number(closed.data[32:])) == (100, 100)
    assert reported.topics[0] == REPORTED


def test_a_late_report_lands_in_its_own_interval(world):
    fleet = world.ledger.fleet
    world.at(1700)
    world.report(world.homes[0], 100)
    world.report(world.homes[1], -40)
    world.at(1800 + 60)
    world.report(world.homes[0], 9, slot=1)

    world.at(1800 + 120)
    world.report(world.homes[1], 60)
    world.report(world.homes[2], 5)
    world.at(1800 + 180)
    world.report(world.homes[1], 3, slot=1)

    assert [fleet.delivery(world.first + slot) for slot in (0, 1)] == [
        Delivery(interval=world.first, commitment_wh=0, delivered_wh=125, exported_wh=125),
        Delivery(interval=world.first + 1, commitment_wh=0, delivered_wh=12, exported_wh=12),
    ]
    assert [
        [fleet.export_wh(home, world.first + slot) for home in world.homes] for slot in (0, 1)
    ] == [[100, 20, 5], [9, 3, 0]]


def test_members_may_skip_intervals(world):
    fleet = world.ledger.fleet
    slots = (0, 1, 7, 8, 9, 30)
    for slot in slots:
        world.at(1800 * slot + 60)
        world.report(world.homes[0], -slot - 1, slot=slot)

    exports = {slot: fleet.export_wh(world.homes[0], world.first + slot) for slot in range(32)}

    assert exports == {slot: -slot - 1 if slot in slots else 0 for slot in range(32)}


def test_one_refusal_in_a_batch_does_not_stop_the_others(world):
    world.at(60)
    reports = [
        Report(account=account, interval=world.first, net_export_wh=10, soc_bp=soc_bp)
        for account, soc_bp in zip(world.homes, (5000, 20_000, 5000), strict=True)
    ]

    outcomes = world.ledger.fleet.report_all(reports)

    assert [isinstance(outcome, Receipt) for outcome in outcomes] == [True, False, True]
    assert world.ledger.fleet.delivery(world.first).delivered_wh == 20


@pytest.mark.parametrize(
    "wrong", [{"interval": -1}, {"net_export_wh": 2**31}, {"soc_bp": -1}, {"interval": 2**32}]
)
def test_a_report_that_does_not_fit_the_wire_is_not_made(wrong):
    fitting = {"account": "0x" + 40 * "1", "interval": 1, "net_export_wh": 1, "soc_bp": 1}
    (name,) = wrong

    with pytest.raises(ValueError, match=name):
        Report(**{**fitting, **wrong})
