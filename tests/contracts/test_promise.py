"""The values both sides sign: what is kept, what is refused."""

from dataclasses import FrozenInstanceError, replace
from datetime import UTC, datetime

import pytest

from contracts.promise import SOC_BP_MAX, WEIGHT_PPB, Coordination, Member, Report, Schedule
from contracts.timegrid import TimeGrid

GRID = TimeGrid(start=datetime(2022, 6, 1, tzinfo=UTC), step_s=1_800, count=3)
SCHEDULE = Schedule(
    grid=GRID,
    soc_bp=(0, 5_000, SOC_BP_MAX),
    commitment_wh=(0, 12_345, 2**32 - 1),
    steered=(True, False, True),
)


def test_schedule_at_the_ends_of_its_ranges_is_kept_as_given():
    assert (SCHEDULE.soc_bp, SCHEDULE.commitment_wh, SCHEDULE.steered) == (
        (0, 5_000, 10_000),
        (0, 12_345, 4_294_967_295),
        (True, False, True),
    )


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"soc_bp": (0, 0)}, "soc_bp has 2 entries, the grid 3"),
        ({"commitment_wh": (0, 0, 0, 0)}, "commitment_wh has 4 entries, the grid 3"),
        ({"steered": ()}, "steered has 0 entries, the grid 3"),
        ({"soc_bp": (0, 10_001, 0)}, r"soc_bp\[1\] = 10001 is outside 0\.\.10000"),
        ({"soc_bp": (0, 0, -1)}, r"soc_bp\[2\] = -1 is outside 0\.\.10000"),
        ({"commitment_wh": (-1, 0, 0)}, r"commitment_wh\[0\] = -1 is outside"),
        ({"commitment_wh": (0, 2**32, 0)}, r"commitment_wh\[1\] = 4294967296 is outside"),
    ],
)
def test_schedule_that_cannot_be_signed_is_refused_with_its_series_and_slot(changed, message):
    with pytest.raises(ValueError, match=message):
        replace(SCHEDULE, **changed)


def test_values_on_the_wire_are_whole_basis_points_and_parts_per_billion():
    assert (SOC_BP_MAX, WEIGHT_PPB) == (10_000, 1_000_000_000)


@pytest.mark.parametrize(
    "value",
    [
        SCHEDULE,
        Member(account="0x01", capacity_wh=10_300, grid_power_w=23_000),
        Report(account="0x01", interval=918_936, net_export_wh=-12, soc_bp=5_000),
        Coordination(
            remaining_export_wh=-7,
            export_weight_ppb=0,
            import_weight_ppb=WEIGHT_PPB,
            steered=False,
            soc_bp=5_000,
            commitment_wh=0,
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_signed_value_equals_its_copy_and_cannot_be_changed(value):
    name = next(iter(type(value).__dataclass_fields__))

    assert replace(value) == value
    with pytest.raises(FrozenInstanceError):
        setattr(value, name, None)
