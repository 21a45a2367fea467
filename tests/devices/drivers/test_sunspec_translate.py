"""From SunSpec blocks to states and limits: trackers, ratings, what cannot be."""

import pytest

from devices.battery import BatteryLimits
from devices.drivers.sunspec_translate import Plan, limits_of, state_of
from devices.errors import (
    DeviceReplyError,
)


@pytest.mark.parametrize(
    ("charging_w", "discharging_w", "done_w"),
    [(300, 0, 300), (0, 400, -400), (None, 400, -400), (300, None, 300)],
)
def test_a_tracker_that_hides_while_idle_is_nothing(charging_w, discharging_w, done_w):
    plan = Plan(inverter=103, ports=160, store=124, control=124, meter=None)
    limits = BatteryLimits(charge_max_w=5_000, discharge_max_w=5_000)
    trackers = {
        "ID": 160,
        "module[0].IDStr": "StCha 3",
        "module[0].DCW": charging_w,
        "module[1].IDStr": "StDisCha 4",
        "module[1].DCW": discharging_w,
    }
    store = {"ID": 124, "ChaState": 50.0, "StorCtl_Mod": 0}

    state = state_of({160: trackers, 124: store}, plan, limits, name="x")

    assert state.battery_power_w == done_w


def test_trackers_that_both_hide_are_no_power():
    plan = Plan(inverter=103, ports=160, store=124, control=124, meter=None)
    limits = BatteryLimits(charge_max_w=5_000, discharge_max_w=5_000)
    store = {"ID": 124, "ChaState": 50.0, "StorCtl_Mod": 0}

    with pytest.raises(DeviceReplyError, match="160 shows no power of the battery"):
        state_of({160: {"ID": 160}, 124: store}, plan, limits, name="x")


def test_a_rating_of_nothing_gives_way_to_one_of_another_model():
    """An inverter's nameplate may leave the battery's at zero where model 124 has them."""
    blocks = {120: {"MaxChaRte": 0, "WHRtg": 0}, 124: {"WChaMax": 3_300}, 713: {"WHRtg": 9_600}}
    plan = Plan(inverter=103, ports=None, store=713, control=None, meter=None)

    limits = limits_of(blocks, plan, from_grid=True, name="x")

    assert limits == BatteryLimits(charge_max_w=3_300, discharge_max_w=3_300, capacity_wh=9_600)
    for broken in ({120: {"WHRtg": 0}, **blocks, 713: {}}, {}, {124: {"WChaMax": 0}}):
        with pytest.raises(DeviceReplyError, match="ask again"):
            limits_of(broken, plan, from_grid=True, name="x")
