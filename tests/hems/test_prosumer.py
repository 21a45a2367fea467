"""What a plan comes to, and what a battery may do under it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.battery_bank import BatteryBank
from hems.errors import ControlInputError
from hems.prosumer import Leave, Prospect, carry_out, course
from hems.prosumer_unplanned import Unplanned

energies_wh = st.floats(-8_000, 8_000, allow_subnormal=False)


def prospect(net_wh, **fields):
    """Return a prospect of one home, 6 kWh and 3 kW, as a surplus or deficit per hour."""
    net_wh = np.atleast_2d(np.array(net_wh, dtype=np.float64))
    homes, hours = net_wh.shape
    given = {
        "bank": BatteryBank.uniform(
            homes, capacity_wh=6000.0, power_max_w=3000.0, efficiency=0.8, soc_min=0.1
        ),
        "stored_wh": np.full(homes, 3000.0),
        "load_wh": np.maximum(-net_wh, 0.0),
        "pv_wh": np.maximum(net_wh, 0.0),
        "import_price_per_mwh": np.full((1, hours), 300.0),
        "export_price_per_mwh": np.full((1, hours), 100.0),
        "day": np.arange(hours) // 24,
        "shortfall_wh": np.zeros(homes),
    }
    return Prospect(**given | fields)


def test_a_course_by_hand():
    seen = prospect([1000.0, -500.0, 0.0], wear_price_per_mwh=10.0)

    found = course(seen, np.array([[500.0, -400.0, 1000.0]]))

    assert found.stored_wh.tolist() == [[3400.0, 2900.0, 3700.0]]
    assert found.soc == pytest.approx(np.array([[3400.0, 2900.0, 3700.0]]) / 6000)
    assert found.battery_wh == pytest.approx(np.array([[500.0, -400.0, 1000.0]]))
    assert found.grid_wh == pytest.approx(np.array([[-500.0, 100.0, 1000.0]]))
    assert found.cost_micro == pytest.approx([-500 * 100 + 1100 * 300])
    # 400 in, 500 out, 800 in
    assert found.wear_micro == pytest.approx([1700 * 10.0])
    assert (found.leave.low_wh.tolist(), found.leave.high_wh.tolist()) == ([500.0], [500.0])
    assert not found.proved


def test_a_full_battery_takes_no_more_and_an_empty_one_gives_no_more():
    seen = prospect([0.0] * 5, stored_wh=np.array([5000.0]))

    found = course(seen, np.array([[2000.0, 2000.0, -2400.0, -2400.0, -2400.0]]))

    assert found.stored_wh == pytest.approx(np.array([[6000.0, 6000.0, 3000.0, 600.0, 600.0]]))
    assert found.battery_wh == pytest.approx(np.array([[1250.0, 0.0, -2400.0, -1920.0, 0.0]]))


@given(
    st.lists(st.tuples(energies_wh, energies_wh), min_size=1, max_size=12),
    st.tuples(st.floats(0, 1), st.floats(0, 1)),
)
def test_a_course_is_what_the_bank_does_hour_by_hour(actions, soc):
    wanted_wh = np.array(actions).T
    seen = prospect(np.zeros(wanted_wh.shape), stored_wh=np.array(soc) * 6000)

    found = course(seen, wanted_wh)

    stored_wh = seen.stored_wh
    for hour in range(seen.hours):
        stored_wh, power_w = seen.bank.advance(stored_wh, wanted_wh[:, hour], 3600.0)
        assert found.stored_wh[:, hour] == pytest.approx(stored_wh, abs=1e-5)
        assert found.battery_wh[:, hour] == pytest.approx(power_w, abs=1e-5)


def test_a_leave_follows_the_real_surplus_between_its_bounds():
    bank = BatteryBank.uniform(4, capacity_wh=6000.0, power_max_w=3000.0, efficiency=1.0)
    leave = Leave(
        low_wh=np.array([500.0, 0.0, -300.0, -np.inf]), high_wh=np.array([500.0, 200.0, 0.0, 0.0])
    )

    after_wh, battery_wh = carry_out(
        bank, np.full(4, 3000.0), leave, np.array([-900.0, 900.0, -900.0, -900.0])
    )

    assert battery_wh.tolist() == [500.0, 200.0, -300.0, -900.0]
    assert after_wh.tolist() == [3500.0, 3200.0, 2700.0, 2100.0]


def test_a_leave_of_a_quarter_of_an_hour_keeps_to_the_power():
    bank = BatteryBank.uniform(1, capacity_wh=6000.0, power_max_w=3000.0, efficiency=1.0)
    free = Leave(low_wh=np.array([-np.inf]), high_wh=np.array([np.inf]))

    after_wh, battery_wh = carry_out(
        bank, np.array([3000.0]), free, np.array([1000.0]), step_h=0.25
    )

    assert (after_wh.tolist(), battery_wh.tolist()) == ([3750.0], [750.0])


def test_no_controller_follows_the_surplus_as_long_as_it_can():
    found = Unplanned().plan(prospect([2000.0, 5000.0, -1000.0]))

    assert found.stored_wh == pytest.approx(np.array([[4600.0, 6000.0, 4750.0]]))
    assert found.leave == Leave(low_wh=found.leave.low_wh, high_wh=found.leave.high_wh)
    assert (found.leave.low_wh.tolist(), found.leave.high_wh.tolist()) == ([-np.inf], [np.inf])


def test_a_battery_outside_its_window_only_comes_back():
    seen = prospect([0.0, 0.0], stored_wh=np.array([100.0]))

    found = course(seen, np.array([[-500.0, 250.0]]))

    assert found.stored_wh == pytest.approx(np.array([[100.0, 300.0]]))


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"load_wh": np.array([1.0, 2.0])}, r"load_wh has shape \(2,\)"),
        ({"pv_wh": np.array([[1.0]])}, r"pv_wh has shape \(1, 1\)"),
        ({"pv_wh": np.array([[1.0, -1.0]])}, r"pv_wh\[0, 1\] is -1"),
        ({"load_wh": np.array([[np.nan, 1.0]])}, r"load_wh\[0, 0\] is nan"),
        ({"import_price_per_mwh": np.array([[np.inf, 1.0]])}, r"price_per_mwh\[0, 0\] is inf"),
        ({"shortfall_wh": np.array([np.nan])}, r"shortfall_wh\[0\] is nan"),
        ({"stored_wh": np.array([7000.0])}, "home 0 stores 7000 Wh, more than its capacity"),
        ({"day": np.array([1, 0])}, "days must be one rising number per hour"),
        ({"step_h": 0.0}, "step 0.0 h is wrong"),
        ({"wear_price_per_mwh": np.nan}, "wear price nan"),
    ],
)
def test_a_prospect_that_cannot_be_used_is_refused(fields, says):
    with pytest.raises(ControlInputError, match=says):
        prospect([1.0, 2.0], **fields)
