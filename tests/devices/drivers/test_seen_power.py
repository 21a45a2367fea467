"""When a measured power shows that a command was done."""

import pytest

from devices.battery import BatteryState
from devices.drivers.seen_power import SeenPower


def before(battery_power_w, soc=0.5):
    return BatteryState(soc=soc, battery_power_w=battery_power_w, following=False)


@pytest.mark.parametrize(
    ("wanted_w", "before_w", "found_w", "done"),
    [
        (1_000, -500, 1_000, True),
        (1_000, -500, 901, True),
        (1_000, -500, -500, False),
        (1_000, -500, 0, False),
        (1_000, -500, 600, True),
        (1_000, 600, 600, False),
        (1_000, 600, 1_500, False),
        (-1_000, 500, -1_060, True),
        (-1_000, 500, -600, True),
        (-1_000, 500, 500, False),
        (0, -500, -4, True),
        (0, -500, -500, False),
        (5_000, 0, 4_600, True),
    ],
)
def test_less_counts_only_where_the_battery_went_there(wanted_w, before_w, found_w, done):
    assert SeenPower().judge(wanted_w, before(before_w))(wanted_w, found_w) is done


@pytest.mark.parametrize(
    ("soc", "wanted_w", "done"),
    [(0.97, 1_000, True), (0.97, -1_000, False), (0.05, -1_000, True), (0.05, 1_000, False)],
)
def test_a_full_battery_may_take_nothing_and_an_empty_one_give_nothing(soc, wanted_w, done):
    assert SeenPower().judge(wanted_w, before(0, soc))(wanted_w, 0.0) is done


def test_a_battery_that_showed_its_limit_may_stay_there():
    seen = SeenPower()

    assert seen.judge(2_000, before(-500))(2_000, 1_200.0)
    assert seen.judge(1_800, before(1_200))(1_800, 1_210.0)


def test_what_is_no_number_is_not_done():
    assert not SeenPower().judge(0, before(0))(0, "0")
