"""What the battery shall do: orders before decisions, within limits, stopped without a meter."""

from datetime import UTC, datetime

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from devices.battery import BatteryState, MeterState
from hems.agent.orders import Order
from hems.agent.steering.wish import Limits, Seen, Wish, bounds_w, wished
from hems.controller import Decision

LIMITS = Limits(charge_max_w=5e3, discharge_max_w=4e3, import_max_w=8e3, export_max_w=3e3)
BATTERY = BatteryState(soc=0.5, battery_power_w=0.0, following=True)


def meter(load_w=500.0, pv_w=0.0):
    return MeterState(load_w=load_w, pv_w=pv_w, grid_power_w=load_w - pv_w)


def decision(power_w=None):
    return Decision(
        follow=np.array([power_w is None]),
        battery_power_w=np.array([power_w or 0.0]),
        proved=np.array([True]),
        cap_excess_wh=np.zeros(1),
    )


def order(**way):
    return Order(correlation_id="o", until=datetime(2026, 1, 1, tzinfo=UTC), **way)


def wish(**fields):
    given_ = {"limits": LIMITS, "meter": meter(), "battery": BATTERY, **fields}
    found = wished(Seen(**given_))
    return found.battery_power_w, found.why


def test_without_a_meter_the_battery_is_stopped_and_followed_where_it_is_silent_too():
    asked = {"decision": decision(1_000.0), "order": order(battery_power_w=2_000.0)}

    assert wish(meter=None, **asked) == (0.0, "no meter")
    assert wish(meter=None, battery=None, **asked) == (None, "no meter")


def test_without_a_decision_the_battery_follows():
    assert wish() == (None, "no decision")


def test_a_decision_is_held_or_followed():
    assert wish(decision=decision(-1_000.0)) == (-1_000.0, "decision")
    assert wish(decision=decision()) == (None, "decision")


def test_an_order_outranks_the_decision():
    held = {"decision": decision(-1_000.0)}

    assert wish(order=order(battery_power_w=700.0), **held) == (700.0, "order")
    assert wish(order=order(follow=True), **held) == (None, "order")
    assert wish(order=order(grid_power_w=0.0), referred_w=-450.0, **held) == (-450.0, "order")


def test_a_set_point_is_kept_within_battery_and_connection():
    assert wish(decision=decision(9_000.0)) == (5_000.0, "decision")
    assert wish(decision=decision(-9_000.0)) == (-3_500.0, "decision")  # 3 kW out, 0.5 kW at home
    assert wish(decision=decision(5_000.0), meter=meter(load_w=6_000.0)) == (2_000.0, "decision")
    # the house breaks the limit by itself: the battery brings it back as far as it can
    assert wish(decision=decision(0.0), meter=meter(load_w=9_000.0)) == (-1_000.0, "decision")
    assert wish(decision=decision(0.0), meter=meter(pv_w=9_500.0)) == (5_000.0, "decision")


def test_a_reserve_is_kept_from_the_house_and_not_from_an_order():
    low = BatteryState(soc=0.3, battery_power_w=0.0, following=True)
    kept = {"battery": low, "reserve_soc": 0.3}

    assert wish(**kept) == (0.0, "reserve")
    assert wish(meter=meter(pv_w=1_700.0), **kept) == (1_200.0, "reserve")
    assert wish(decision=decision(-800.0), **kept) == (0.0, "reserve")
    assert wish(decision=decision(800.0), **kept) == (800.0, "decision")
    assert wish(order=order(battery_power_w=-800.0), **kept) == (-800.0, "order")
    assert wish(order=order(follow=True), **kept) == (0.0, "reserve")
    assert wish(battery=BATTERY, reserve_soc=0.3) == (None, "no decision")


@given(
    power_w=st.floats(-2e4, 2e4),
    load_w=st.floats(0, 2e4),
    pv_w=st.floats(0, 2e4),
    limits=st.tuples(*[st.floats(0, 1e4)] * 4),
)
def test_no_set_point_leaves_the_battery_s_limits_nor_pushes_the_connection_out(
    power_w, load_w, pv_w, limits
):
    bounds = Limits(
        charge_max_w=limits[0],
        discharge_max_w=limits[1],
        import_max_w=limits[2],
        export_max_w=limits[3],
    )
    seen = Seen(limits=bounds, meter=meter(load_w, pv_w), decision=decision(power_w))
    found = wished(seen)
    held_w = found.battery_power_w
    deficit_w = load_w - pv_w

    assert found.low_w <= held_w <= found.high_w
    assert -bounds.discharge_max_w <= held_w <= bounds.charge_max_w
    # beyond a limit of the connection only where the battery can do no more about it
    assert deficit_w + held_w <= bounds.import_max_w + 1e-6 or held_w == -bounds.discharge_max_w
    assert -(deficit_w + held_w) <= bounds.export_max_w + 1e-6 or held_w == bounds.charge_max_w


def test_bounds_are_of_the_grid_where_that_is_narrower():
    assert bounds_w(meter(), LIMITS) == (-3_500.0, 5_000.0)
    assert wished(Seen(limits=LIMITS, meter=meter(), decision=decision(100.0))) == Wish(
        battery_power_w=100.0, why="decision", low_w=-3_500.0, high_w=5_000.0
    )
