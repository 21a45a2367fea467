"""What the fleet owes and who is to give it (Couraud 2021, eq. 10-12)."""

from datetime import UTC, datetime

import pytest

from contracts.errors import FleetMemberUnknown
from contracts.promise import Coordination, Member, Schedule
from contracts.timegrid import TimeGrid

START = datetime(2026, 6, 1, tzinfo=UTC)


def shares(world, slot=0):
    answers = world.ledger.fleet.coordinate(world.homes, world.first + slot)
    return [(each.export_weight_ppb, each.import_weight_ppb) for each in answers]


def test_a_stranger_is_refused(world):
    with pytest.raises(FleetMemberUnknown):
        world.ledger.fleet.coordinate([world.stranger], world.first)


def test_before_any_report_the_whole_promise_is_owed_and_nobody_has_a_share(world):
    world.promise(1500, soc_bp=4000, steered=False)

    (answer, *_) = world.ledger.fleet.coordinate(world.homes, world.first)

    assert answer == Coordination(
        remaining_export_wh=1500,
        export_weight_ppb=0,
        import_weight_ppb=0,
        steered=False,
        soc_bp=4000,
        commitment_wh=1500,
    )


def test_shares_follow_charge_and_room(world):
    world.promise(1500, soc_bp=2000)
    world.at(60)
    for home, soc_bp in zip(world.homes, (2000, 3000, 5000), strict=True):
        world.report(home, 10, soc_bp)

    assert shares(world) == [
        (200_000_000, 400_000_000),
        (300_000_000, 350_000_000),
        (500_000_000, 250_000_000),
    ]


def test_one_that_imports_or_is_below_the_target_does_not_export(world):
    world.promise(1500, soc_bp=3000)
    world.at(60)
    for home, energy_wh, soc_bp in zip(world.homes, (0, -1, 0), (3000, 9000, 2999), strict=True):
        world.report(home, energy_wh, soc_bp)

    assert [export for export, _ in shares(world)] == [1_000_000_000, 0, 0]


def test_a_late_report_is_weighed_by_the_target_of_the_interval_now_running(world):
    grid = TimeGrid(start=START, step_s=1800, count=2)
    world.ledger.fleet.publish(
        Schedule(grid=grid, soc_bp=(2000, 6000), commitment_wh=(0, 0), steered=(True, True))
    )
    world.at(1700)
    world.report(world.homes[0], 0, 5000)
    world.report(world.homes[1], 0, 5000)
    assert [export for export, _ in shares(world)] == [500_000_000, 500_000_000, 0]

    world.at(1800 + 60)
    world.report(world.homes[0], 0, 5000)

    assert [export for export, _ in shares(world)] == [0, 1_000_000_000, 0]


def test_a_report_is_weighed_by_the_target_of_now_also_after_the_interval_rolled_over(world):
    grid = TimeGrid(start=START, step_s=1800, count=2)
    world.ledger.fleet.publish(
        Schedule(grid=grid, soc_bp=(6000, 2000), commitment_wh=(0, 0), steered=(True, True))
    )
    world.at(1800 + 60)
    world.report(world.homes[0], 0, 5000, slot=1)
    world.report(world.homes[1], 0, 3000)
    world.report(world.homes[2], 0, 2000, slot=1)

    assert [export for export, _ in shares(world)] == [500_000_000, 300_000_000, 200_000_000]


def test_where_nobody_qualifies_the_share_is_that_of_the_charge(world):
    world.promise(1500, soc_bp=9000)
    world.at(60)
    for home, soc_bp in zip(world.homes, (1000, 3000, 4000), strict=True):
        world.report(home, 0, soc_bp)

    assert [export for export, _ in shares(world)] == [125_000_000, 375_000_000, 500_000_000]


@pytest.mark.parametrize(
    ("soc_bp", "expected"), [(0, (0, 333_333_333)), (10_000, (333_333_333, 0))]
)
def test_empty_fleets_have_nothing_to_give_and_full_ones_no_room(world, soc_bp, expected):
    world.at(60)
    for home in world.homes:
        world.report(home, 0, soc_bp)

    assert shares(world) == [expected] * 3


def test_a_member_without_battery_reports_but_has_no_share(world):
    plant = Member(account=world.stranger, capacity_wh=0, grid_power_w=200_000)
    world.ledger.fleet.enrol([plant])
    world.promise(5000)
    world.at(600)
    world.report(world.homes[0], 100, 5000)
    world.report(world.stranger, 7000, 5000)

    assert world.ledger.fleet.coordinate([world.stranger, world.homes[0]], world.first) == [
        Coordination(
            remaining_export_wh=-2100,
            export_weight_ppb=share,
            import_weight_ppb=share,
            steered=True,
            soc_bp=0,
            commitment_wh=5000,
        )
        for share in (0, 1_000_000_000)
    ]


def test_debts_are_those_of_the_interval_asked_for(world):
    world.promise(1000, 2000, 3000)
    world.at(600)
    world.report(world.homes[0], 100)
    world.at(1800 + 600)
    world.report(world.homes[0], 200, slot=1)

    answers = [
        world.ledger.fleet.coordinate(world.homes[:1], world.first + slot)[0] for slot in range(4)
    ]

    assert [each.remaining_export_wh for each in answers] == [900, 1800, 3000, 0]
