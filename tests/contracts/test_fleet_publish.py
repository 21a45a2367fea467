"""What a fleet promises."""

from datetime import UTC, datetime, timedelta

import pytest

from contracts.chain import Call
from contracts.errors import (
    FleetIntervalBegun,
    FleetScheduleShape,
    FleetSocRange,
    OwnableUnauthorizedAccount,
)
from contracts.fleet_client import PUBLISH
from contracts.promise import Schedule
from contracts.timegrid import TimeGrid

TUESDAY = datetime(2026, 6, 2, tzinfo=UTC)


def refusal(world, *arguments, sender=None):
    call = Call(
        sender=sender or world.owner, to=world.deployment.fleet, data=PUBLISH.encode(*arguments)
    )
    return repr(world.chain.send_all([call])[0])


def test_a_member_cannot_publish(world):
    refused = refusal(world, world.first, [0], [0], [False], sender=world.homes[0])

    assert refused == repr(OwnableUnauthorizedAccount(world.homes[0]))


@pytest.mark.parametrize(("socs", "commitments", "flags"), [(0, 0, 0), (2, 1, 2), (2, 2, 1)])
def test_series_of_unequal_length_are_refused(world, socs, commitments, flags):
    refused = refusal(world, world.first, [0] * socs, [0] * commitments, [True] * flags)

    assert refused == repr(FleetScheduleShape(socs, commitments, flags))


def test_more_than_a_full_battery_is_refused(world):
    assert refusal(world, world.first, [0, 10_001], [0, 0], [True, True]) == repr(
        FleetSocRange(10_001)
    )


@pytest.mark.parametrize("seconds", [0, 1, 1800])
def test_an_interval_that_has_begun_cannot_be_promised(world, seconds):
    world.at(seconds)

    refused = refusal(world, world.first, [0, 0], [0, 0], [True, True])

    begun_at = world.first * 1800 + seconds
    assert refused == repr(FleetIntervalBegun(world.first, begun_at))


def test_the_last_second_before_an_interval_is_early_enough(world):
    world.at(-1)

    schedule = world.promise(5)

    assert world.ledger.fleet.schedule(schedule.grid) == schedule


def varied(grid: TimeGrid, seed: int) -> Schedule:
    count = range(grid.count)
    return Schedule(
        grid=grid,
        soc_bp=tuple((seed + 997 * slot) % 10_001 for slot in count),
        commitment_wh=tuple(2**32 - 1 - seed - slot for slot in count),
        steered=tuple((seed + slot) % 3 == 0 for slot in count),
    )


@pytest.mark.parametrize("offset", range(4))
@pytest.mark.parametrize("count", [1, 3, 4, 5, 48])
def test_a_schedule_reads_back_wherever_it_begins_and_ends(world, offset, count):
    grid = TimeGrid(start=TUESDAY + timedelta(minutes=30 * offset), step_s=1800, count=count)
    around = TimeGrid(start=grid.start - timedelta(hours=3), step_s=1800, count=count + 12)
    world.ledger.fleet.publish(varied(around, 5))

    receipt = world.ledger.fleet.publish(varied(grid, 11))

    outside, inside = varied(around, 5), varied(grid, 11)
    read = world.ledger.fleet.schedule(around)
    for name in ("soc_bp", "commitment_wh", "steered"):
        old = getattr(outside, name)
        assert getattr(read, name) == old[:6] + getattr(inside, name) + old[-6:]
    assert int.from_bytes(receipt.logs[0].topics[1], "big") == grid.first_interval


def test_a_grid_of_other_slots_is_refused_before_it_is_sent(world):
    grid = TimeGrid(start=TUESDAY, step_s=900, count=1)

    with pytest.raises(ValueError, match="slots of 900 s, the fleet 1800 s"):
        world.ledger.fleet.schedule(grid)
