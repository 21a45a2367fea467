"""The physics that every simulation and every controller relies on."""

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from devices.battery_bank import BatteryBank

SLACK_WH = 1e-6


@st.composite
def batteries(draw):
    """Return one battery and the energy in it, inside its window or not."""
    soc_min = draw(st.floats(0, 0.5))
    bank = BatteryBank(
        capacity_wh=np.array([draw(st.floats(100, 50_000))]),
        power_max_w=np.array([draw(st.floats(0, 20_000))]),
        charge_efficiency=np.array([draw(st.floats(0.5, 1))]),
        discharge_efficiency=np.array([draw(st.floats(0.5, 1))]),
        soc_min=np.array([soc_min]),
        soc_max=np.array([draw(st.floats(soc_min, 1))]),
    )
    return bank, np.array([draw(st.floats(0, 1))]) * bank.capacity_wh


powers_w = st.floats(-30_000, 30_000, allow_subnormal=False)
steps_s = st.sampled_from([1.0, 2.0, 60.0, 900.0, 1_800.0])


@given(batteries(), powers_w, steps_s)
def test_what_passes_the_terminals_is_what_the_cells_gain_and_the_losses(battery, wanted_w, step_s):
    bank, stored_wh = battery

    after_wh, power_w = bank.advance(stored_wh, np.array([wanted_w]), step_s)

    terminal_wh, gained_wh = power_w[0] * step_s / 3600, (after_wh - stored_wh)[0]
    loss_wh = terminal_wh - gained_wh
    if gained_wh >= 0:
        expected_wh = terminal_wh * (1 - bank.charge_efficiency[0])
    else:
        expected_wh = -gained_wh * (1 - bank.discharge_efficiency[0])
    assert loss_wh == pytest.approx(expected_wh, abs=SLACK_WH)
    assert loss_wh >= -SLACK_WH


@given(batteries(), powers_w, steps_s)
def test_cells_keep_to_their_power_and_to_their_window(battery, wanted_w, step_s):
    bank, stored_wh = battery
    low_wh = min(bank.soc_min[0] * bank.capacity_wh[0], stored_wh[0])
    high_wh = max(bank.soc_max[0] * bank.capacity_wh[0], stored_wh[0])

    after_wh, power_w = bank.advance(stored_wh, np.array([wanted_w]), step_s)

    assert low_wh <= after_wh[0] <= high_wh
    assert abs(after_wh - stored_wh)[0] <= bank.power_max_w[0] * step_s / 3600 + SLACK_WH
    # a power is a difference of energies over a step: the rounding of the one divided by the other
    rounding_w = 1e-11 * bank.capacity_wh[0] / (step_s / 3600)
    assert abs(bank.cell_power_w(power_w)[0]) <= bank.power_max_w[0] + rounding_w


@given(batteries(), powers_w, steps_s)
def test_battery_does_as_asked_or_less_and_never_the_opposite(battery, wanted_w, step_s):
    bank, stored_wh = battery

    _, power_w = bank.advance(stored_wh, np.array([wanted_w]), step_s)

    rounding_w = 1e-11 * bank.capacity_wh[0] / (step_s / 3600)
    assert min(wanted_w, 0.0) - rounding_w <= power_w[0] <= max(wanted_w, 0.0) + rounding_w


@given(batteries(), powers_w, powers_w, steps_s)
def test_asking_for_more_never_gives_less(battery, one_w, other_w, step_s):
    bank, stored_wh = battery
    assume(one_w <= other_w)

    less_wh, _ = bank.advance(stored_wh, np.array([one_w]), step_s)
    more_wh, _ = bank.advance(stored_wh, np.array([other_w]), step_s)

    assert less_wh[0] <= more_wh[0]


@given(batteries(), powers_w)
def test_cells_and_terminals_are_turned_into_each_other(battery, power_w):
    bank, _ = battery
    power = np.array([power_w])

    assert bank.terminal_power_w(bank.cell_power_w(power)) == pytest.approx(power)
    assert np.sign(bank.cell_power_w(power)) == np.sign(power)


def test_step_by_hand_is_limited_by_power_window_and_efficiency():
    bank = BatteryBank(
        capacity_wh=np.full(6, 10_000.0),
        power_max_w=np.full(6, 5_000.0),
        charge_efficiency=np.full(6, 0.9),
        discharge_efficiency=np.full(6, 0.8),
        soc_min=np.full(6, 0.1),
        soc_max=np.full(6, 0.9),
    )
    stored_wh = np.array([5_000.0, 5_000.0, 5_000.0, 5_000.0, 8_955.0, 1_040.0])
    wanted_w = np.array([2_000.0, -2_000.0, 9_000.0, -9_000.0, 2_000.0, -2_000.0])

    after_wh, power_w = bank.advance(stored_wh, wanted_w, 360.0)

    # a tenth of an hour: 180 Wh in, 250 Wh out, 500 Wh both ways at most, 45 Wh of room, 40 Wh left
    assert after_wh.tolist() == pytest.approx([5_180, 4_750, 5_500, 4_500, 9_000, 1_000])
    assert power_w.tolist() == pytest.approx([2_000, -2_000, 5_000 / 0.9, -4_000, 500, -320])


def test_battery_outside_its_window_may_stay_or_come_back_but_not_go_further():
    bank = BatteryBank.uniform(
        4, capacity_wh=10_000, power_max_w=5_000, efficiency=1.0, soc_min=0.2, soc_max=0.8
    )
    stored_wh = np.array([9_000.0, 9_000.0, 1_000.0, 1_000.0])

    low_wh, high_wh = bank.window_wh(stored_wh)
    after_wh, _ = bank.advance(stored_wh, np.array([1_000.0, -1_000.0, -1_000.0, 1_000.0]), 3_600)

    assert low_wh.tolist() == [2_000, 2_000, 1_000, 1_000]
    assert high_wh.tolist() == [9_000, 9_000, 8_000, 8_000]
    assert after_wh.tolist() == [9_000, 8_000, 1_000, 2_000]


def test_uniform_bank_has_the_papers_battery_in_every_home():
    bank = BatteryBank.uniform(2)

    assert bank.homes == 2
    assert {field.name: getattr(bank, field.name).tolist() for field in fields(bank)} == {
        "capacity_wh": [10_300.0] * 2,
        "power_max_w": [5_300.0] * 2,
        "charge_efficiency": [0.9] * 2,
        "discharge_efficiency": [0.9] * 2,
        "soc_min": [0.0] * 2,
        "soc_max": [1.0] * 2,
    }


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("capacity_wh", 0.0, r"capacity_wh of home 1 is 0, must be > 0"),
        ("capacity_wh", np.inf, r"capacity_wh of home 1 is inf"),
        ("power_max_w", -1.0, r"power_max_w of home 1 is -1, must be >= 0"),
        ("power_max_w", np.nan, r"power_max_w of home 1 is nan"),
        ("charge_efficiency", 0.0, r"charge_efficiency of home 1 is 0, must be in \(0, 1\]"),
        ("charge_efficiency", 1.01, r"charge_efficiency of home 1 is 1\.01"),
        ("discharge_efficiency", 0.0, r"discharge_efficiency of home 1 is 0"),
        ("discharge_efficiency", np.nan, r"discharge_efficiency of home 1 is nan"),
        ("soc_min", -0.1, r"soc_min of home 1 is -0\.1, must be >= 0"),
        ("soc_min", 1.0, r"soc_max of home 1 is 0\.9, must be in \[soc_min, 1\]"),
        ("soc_max", 1.1, r"soc_max of home 1 is 1\.1"),
        ("soc_max", np.nan, r"soc_max of home 1 is nan"),
    ],
)
def test_rating_out_of_range_is_refused_and_the_home_named(name, value, message):
    bank = BatteryBank.uniform(3, soc_max=0.9)
    values = getattr(bank, name).copy()
    values[1] = value

    with pytest.raises(ValueError, match=message):
        replace(bank, **{name: values})


@pytest.mark.parametrize("shape", [(2,), (3, 1), ()])
def test_ratings_of_another_shape_are_refused(shape):
    with pytest.raises(ValueError, match="battery power_max_w has shape"):
        replace(BatteryBank.uniform(3), power_max_w=np.ones(shape))
