"""Whether a house may leave the grid: one case in which it may, and every doubt."""

from dataclasses import replace

import numpy as np
import pytest

from devices.battery import BatteryState, MeterState
from hems.agent.settings import StorageSettings
from hems.agent.steering.island import IslandCase, kept_on_grid
from hems.controller import Decision

BANK = StorageSettings(
    capacity_wh=26_208, power_max_w=4_000, soc_min=0.5, soc_max=0.9, discharge_efficiency=0.9
).bank()


def decision(*, closed):
    return Decision(
        follow=np.array([True]),
        battery_power_w=np.zeros(1),
        proved=np.array([False]),
        cap_excess_wh=np.zeros(1),
        relay_closed=None if closed is None else np.array([closed]),
    )


def meter(load_w=1_500.0, pv_w=900.0):
    return MeterState(load_w=load_w, pv_w=pv_w, grid_power_w=load_w - pv_w)


def battery(soc, power_w=0.0):
    return BatteryState(soc=soc, battery_power_w=power_w, following=True)


GOOD = IslandCase(
    meter=meter(),
    battery=battery(0.7),
    decision=decision(closed=False),
    ordered=False,
    charge_max_w=2_500.0,
    reserve_soc=0.0,
)


def test_an_island_that_the_controller_wants_and_nothing_speaks_against_is_allowed():
    assert kept_on_grid(GOOD, bank=BANK, inverter_w=4_000.0) is None


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"meter": None}, "no meter answers"),
        ({"battery": None}, "no battery answers"),
        ({"ordered": True}, "an order stands"),
        ({"decision": None}, "no decision asks for an island"),
        ({"decision": decision(closed=None)}, "no decision asks for an island"),
        ({"decision": decision(closed=True)}, "the controller wants the grid"),
        (
            {"meter": meter(4_100.0, 4_000.0)},
            "the load of 4100 W is more than the inverter's 4000 W",
        ),
        ({"meter": meter(3_900.0, 0.0)}, "the house lacks 3900 W, the battery gives 3600 W"),
        ({"battery": battery(0.7, -3_700.0)}, "the battery gives 3700 W, its most is 3600 W"),
        ({"battery": battery(0.5)}, "the battery is at 50.0 %, its floor is 50.0 %"),
        ({"reserve_soc": 0.75}, "the battery is at 70.0 %, its floor is 75.0 %"),
        (
            {"battery": battery(0.9), "meter": meter(0.0, 800.0)},
            "the battery is at 90.0 %, its most is 90.0 %",
        ),
        ({"meter": meter(0.0, 2_600.0)}, "2600 W are left over, the battery takes 2500 W"),
    ],
)
def test_every_doubt_keeps_the_house_on_the_grid_and_says_why(change, why):
    assert kept_on_grid(replace(GOOD, **change), bank=BANK, inverter_w=4_000.0) == why


def test_an_empty_battery_may_take_a_surplus_and_a_full_one_give():
    filling = replace(GOOD, battery=battery(0.4), meter=meter(0.0, 800.0))
    giving = replace(GOOD, battery=battery(0.95))

    assert [kept_on_grid(each, bank=BANK, inverter_w=4e3) for each in (filling, giving)] == [
        None
    ] * 2
