"""How an emulated battery behaves: efficiency, window, heat, voltage and gauge."""

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.battery_bank import BatteryBank
from devices.battery_efficiency import EfficiencyTable
from devices.battery_model import BatteryModel, BatteryModelState

KINDS = {"lfp": BatteryModel.lfp, "lead_acid": BatteryModel.lead_acid}
EVERY_KIND = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)

powers_w = st.floats(-30_000, 30_000, allow_subnormal=False)
steps_s = st.sampled_from([0.2, 1.0, 60.0, 900.0])


@st.composite
def batteries(draw):
    """Return two batteries of a kind, anywhere in charge and temperature."""
    soc_min = draw(st.floats(0, 0.5))
    kind = draw(st.sampled_from([*KINDS.values()]))
    window = {"soc_min": soc_min, "soc_max": draw(st.floats(soc_min, 1))}
    model = kind(
        2,
        power_max_w=draw(st.floats(100, 8_000)),
        ambient_c=draw(st.floats(-10, 40)),
        seed=draw(st.integers(0, 9)),
        **window,
    )
    pair = st.tuples(st.floats(0, 1), st.floats(0, 1)).map(np.array)
    state = BatteryModelState(
        stored_wh=draw(pair) * model.bank.capacity_wh,
        cell_temperature_c=np.array(draw(st.tuples(*[st.floats(-20, 70)] * 2))),
        estimated_soc=draw(pair),
    )
    return model, state


def one(model, soc, *, temperature_c=25.0, estimated=None):
    """Return the state of one battery."""
    return BatteryModelState(
        stored_wh=np.array([soc]) * model.bank.capacity_wh,
        cell_temperature_c=np.array([temperature_c]),
        estimated_soc=np.array([soc if estimated is None else estimated]),
    )


def interpolated(table, rate, soc):
    """Return a bilinear efficiency by the textbook, for one home."""
    by_rate = [np.interp(soc, table.socs, row) for row in table.charge[0]]
    return np.interp(rate, table.c_rates, by_rate)


@given(batteries(), powers_w, powers_w, steps_s)
def test_what_the_cells_gain_and_what_is_lost_passed_the_terminals(battery, one_w, other_w, step_s):
    model, state = battery
    capacity_wh, step_h = model.bank.capacity_wh, step_s / 3600

    after, power_w = model.advance(state, np.array([one_w, other_w]), step_s)

    for home in range(2):
        terminal_wh = power_w[home] * step_h
        gained_wh = after.stored_wh[home] - state.stored_wh[home]
        rate = abs(gained_wh) / step_h / capacity_wh[home]
        soc = state.stored_wh[home] / capacity_wh[home]
        efficiency = interpolated(model.efficiency, rate, soc)
        share_lost = 1 / efficiency - 1 if gained_wh >= 0 else 1 - efficiency
        assert terminal_wh == pytest.approx(
            gained_wh + share_lost * abs(gained_wh), rel=1e-9, abs=1e-9
        )


@given(batteries(), powers_w, steps_s)
def test_cells_keep_to_their_window_their_power_and_their_derating(battery, wanted_w, step_s):
    model, state = battery
    bank, step_h = model.bank, step_s / 3600
    low_wh, high_wh = bank.window_wh(state.stored_wh)
    most_w = bank.power_max_w * model.power_share(state.cell_temperature_c)

    after, _ = model.advance(state, np.full(2, wanted_w), step_s)

    assert np.all(after.stored_wh >= low_wh)
    assert np.all(after.stored_wh <= high_wh)
    assert np.all(np.abs(after.stored_wh - state.stored_wh) <= most_w * step_h + 1e-9)


@given(batteries(), powers_w, steps_s)
def test_battery_does_as_asked_or_less_and_never_the_opposite(battery, wanted_w, step_s):
    model, state = battery

    _, power_w = model.advance(state, np.full(2, wanted_w), step_s)

    # a window's end is met by a difference of energies, whose rounding a short step divides
    rounding_w = 1e-11 * model.bank.capacity_wh / (step_s / 3600)
    assert np.all(power_w >= min(wanted_w, 0.0) - rounding_w)
    assert np.all(power_w <= max(wanted_w, 0.0) + rounding_w)


@given(batteries(), powers_w, steps_s)
def test_temperature_goes_towards_ambient_and_the_losses_heat(battery, wanted_w, step_s):
    model, state = battery
    step_h = step_s / 3600

    after, power_w = model.advance(state, np.full(2, wanted_w), step_s)

    lost_w = power_w - (after.stored_wh - state.stored_wh) / step_h
    hottest_c = np.maximum(
        state.cell_temperature_c, model.ambient_c + lost_w / model.thermal_loss_w_per_k
    )
    coldest_c = np.minimum(state.cell_temperature_c, model.ambient_c)
    assert np.all(after.cell_temperature_c <= hottest_c + 1e-6)
    assert np.all(after.cell_temperature_c >= coldest_c - 1e-6)


@given(batteries(), steps_s, st.sampled_from([-1e6, 1e6]))
def test_gauge_is_right_at_the_ends_of_the_window_however_wrong_it_was(battery, step_s, wanted_w):
    model, state = battery
    bank = model.bank
    state = replace(
        state,
        stored_wh=(bank.soc_min if wanted_w < 0 else bank.soc_max) * bank.capacity_wh,
    )

    after, _ = model.advance(state, np.full(2, wanted_w), step_s)

    assert after.estimated_soc == pytest.approx(after.stored_wh / bank.capacity_wh, abs=1e-12)


@given(batteries(), powers_w, steps_s)
def test_gauge_stays_a_fraction(battery, wanted_w, step_s):
    model, state = battery

    after, _ = model.advance(state, np.full(2, wanted_w), step_s)

    assert np.all((after.estimated_soc >= 0) & (after.estimated_soc <= 1))


@given(batteries(), powers_w)
def test_cell_power_and_terminal_power_are_each_others_inverse(battery, wanted_w):
    model, state = battery
    soc = state.stored_wh / model.bank.capacity_wh
    wanted = np.full(2, wanted_w)

    back_w = model.terminal_power_w(model.cell_power_w(wanted, soc), soc)

    assert back_w == pytest.approx(wanted, rel=1e-11, abs=1e-9)


@given(batteries(), powers_w, powers_w)
def test_more_at_the_terminals_is_never_less_in_the_cells(battery, one_w, other_w):
    model, state = battery
    soc = state.stored_wh / model.bank.capacity_wh
    less_w, more_w = sorted((one_w, other_w))

    less_w = model.cell_power_w(np.full(2, less_w), soc)
    more_w = model.cell_power_w(np.full(2, more_w), soc)

    assert np.all(more_w >= less_w - 1e-9)


@given(st.floats(0.5, 1), st.floats(0.5, 1), st.floats(0, 1), powers_w, steps_s)
def test_model_of_a_bank_does_what_the_bank_does(charge, discharge, soc, wanted_w, step_s):
    bank = replace(
        BatteryBank.uniform(1, soc_min=0.1, soc_max=0.9),
        charge_efficiency=np.array([charge]),
        discharge_efficiency=np.array([discharge]),
    )
    model, wanted = BatteryModel.of_bank(bank), np.array([wanted_w])
    state = model.start(np.array([soc]))

    after, power_w = model.advance(state, wanted, step_s)
    stored_wh, bank_w = bank.advance(state.stored_wh, wanted, step_s)

    rounding_w = 1e-11 * bank.capacity_wh[0] / (step_s / 3600)
    assert after.stored_wh == pytest.approx(stored_wh, abs=1e-9)
    assert power_w == pytest.approx(bank_w, abs=rounding_w)
    assert after.estimated_soc == pytest.approx(after.stored_wh / bank.capacity_wh, abs=1e-12)
    assert after.cell_temperature_c == pytest.approx([25.0])


@EVERY_KIND
def test_homes_do_not_touch_each_other(kind):
    many, state_soc = kind(3), np.array([0.25, 0.5, 0.95])
    wanted_w = np.array([-2_000.0, 30.0, 4_000.0])

    after, power_w = many.advance(many.start(state_soc), wanted_w, 60.0)

    for home in range(3):
        single = kind(1)
        alone, alone_w = single.advance(single.start(state_soc[[home]]), wanted_w[[home]], 60.0)
        assert power_w[home] == alone_w[0]
        for field in fields(after):
            assert getattr(after, field.name)[home] == getattr(alone, field.name)[0]


@EVERY_KIND
def test_advance_leaves_its_arguments_alone(kind):
    model, wanted_w = kind(1), np.array([1_000.0])
    state = one(model, 0.5)

    _, power_w = model.advance(state, wanted_w, 60.0)
    power_w[0] = 0.0

    assert wanted_w == [1_000.0]
    assert [getattr(state, field.name)[0] for field in fields(state)] == [
        0.5 * model.bank.capacity_wh[0], 25.0, 0.5,
    ]  # fmt: skip


@EVERY_KIND
def test_heat_of_the_resistance_is_part_of_the_losses(kind):
    model = kind(1)

    for soc in np.linspace(0, 1, 21):
        for cell_w in (*np.linspace(50, 5_000, 30), *np.linspace(-5_000, -50, 30)):
            cells, at = np.array([cell_w]), np.array([soc])
            terminal_w = model.terminal_power_w(cells, at)
            _, current_a = model.dc_side(one(model, soc), terminal_w)
            assert model.resistance_ohm[0] * current_a[0] ** 2 <= terminal_w[0] - cell_w


# --- golden: by hand -----------------------------------------------------------------------------


def hand_made(**changes):
    """Return a battery of 1 kWh, 500 W, 50 V whose numbers are round."""
    bank = BatteryBank.uniform(1, capacity_wh=1_000.0, power_max_w=500.0, soc_min=0.1, soc_max=0.9)
    return replace(BatteryModel.of_bank(bank), voltage_nominal_v=np.array([50.0]), **changes)


TABLE = EfficiencyTable.separable(
    1, by_c_rate={0.0: 0.6, 0.1: 0.9, 0.3: 0.8}, by_soc={0.4: 1.0, 0.6: 0.5}
)


@pytest.mark.parametrize(
    ("soc", "cell_w", "terminal_w"),
    [
        (0.4, 50.0, 50 / 0.75),  # half way from 0.6 to 0.9
        (0.4, -50.0, -50 * 0.75),
        (0.4, 200.0, 200 / 0.85),  # half way from 0.9 to 0.8
        (0.4, 400.0, 400 / 0.8),  # beyond the end: flat
        (0.4, -400.0, -400 * 0.8),
        (0.2, 100.0, 100 / 0.9),  # below the lowest soc: flat
        (0.5, 100.0, 100 / 0.675),  # half way from 0.9 to 0.45
        (0.9, -100.0, -45.0),  # above the highest soc: flat
        (0.5, 0.0, 0.0),
    ],
)
def test_efficiency_is_read_off_the_table(soc, cell_w, terminal_w):
    model, at = hand_made(efficiency=TABLE), np.array([soc])

    assert model.terminal_power_w(np.array([cell_w]), at) == pytest.approx([terminal_w])
    assert model.cell_power_w(np.array([terminal_w]), at) == pytest.approx([cell_w])


@pytest.mark.parametrize(
    ("temperature_c", "share"),
    [(-5, 0.0), (0, 0.0), (5, 0.5), (10, 1.0), (25, 1.0), (45, 1.0), (50, 0.5), (55, 0.0), (60, 0)],
)
@EVERY_KIND
def test_cold_and_hot_cells_give_less(kind, temperature_c, share):
    model = kind(1)

    after, _ = model.advance(one(model, 0.5, temperature_c=temperature_c), np.array([1e5]), 36.0)

    gained_wh = after.stored_wh[0] - 0.5 * model.bank.capacity_wh[0]
    # 5000 W for a hundredth of an hour
    assert gained_wh == pytest.approx(50.0 * share, abs=1e-9)


def test_cells_warm_half_way_to_where_their_heat_settles_in_a_half_life():
    model = hand_made(
        resistance_ohm=np.array([0.5]),
        thermal_mass_j_per_k=np.array([1_000.0]),
        thermal_loss_w_per_k=np.array([10.0]),
    )

    # 500 W at 50 V are 10 A, 50 W in half an ohm, 5 K above ambient; e^(-t/100 s) = 1/2
    after, power_w = model.advance(one(model, 0.5), np.array([500 / 0.9]), 100 * np.log(2))

    assert after.cell_temperature_c == pytest.approx([27.5])
    assert power_w == pytest.approx([500 / 0.9])


@pytest.mark.parametrize(
    ("battery_power_w", "voltage_v", "current_a"),
    [(0.0, 50.0, 0.0), (500 / 0.9, 55.0, 10.0), (-450.0, 45.0, -10.0)],
)
def test_voltage_rises_with_charge_current_and_sags_with_discharge(
    battery_power_w, voltage_v, current_a
):
    model = hand_made(resistance_ohm=np.array([0.5]))

    sides = model.dc_side(one(model, 0.5), np.array([battery_power_w]))

    assert np.array(sides) == pytest.approx(np.array([[voltage_v], [current_a]]))


def test_gauge_counts_its_gain_and_its_bias():
    model = hand_made(gauge_gain_error=np.array([0.02]), gauge_bias_w=np.array([-4.0]))

    after, _ = model.advance(one(model, 0.5, estimated=0.4), np.array([100 / 0.9]), 1_800.0)

    # 100 W into the cells for half an hour: 50 Wh, counted as 51 less 2
    assert after.stored_wh == pytest.approx([550.0])
    assert after.estimated_soc == pytest.approx([0.449])


def test_full_battery_of_habib_is_26_kwh_at_48_volts():
    model = BatteryModel.lead_acid(1)

    assert model.bank.capacity_wh == [26_208.0]
    # rested and half full: 1.015 of nominal
    assert model.dc_side(one(model, 0.5), np.zeros(1))[0] == pytest.approx([48.72])


@EVERY_KIND
def test_gauges_of_a_seed_are_the_same_and_differ_between_homes(kind):
    drawn, again, other = kind(5, seed=1), kind(5, seed=1), kind(5, seed=2)

    assert drawn.gauge_gain_error.tolist() == again.gauge_gain_error.tolist()
    assert drawn.gauge_bias_w.tolist() == again.gauge_bias_w.tolist()
    assert drawn.gauge_gain_error.tolist() != other.gauge_gain_error.tolist()
    assert len(set(drawn.gauge_gain_error)) == 5


@EVERY_KIND
def test_small_power_is_stored_worse_than_a_usual_one(kind):
    model, soc = kind(1), np.array([0.5])

    small, usual = (model.cell_power_w(np.array([w]), soc)[0] / w for w in (30.0, 2_000.0))

    assert small < 0.75
    assert usual > 0.85


# --- what cannot be ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"ambient_c": np.zeros(2)}, r"ambient_c has shape \(2,\), must be \(1,\)"),
        ({"thermal_mass_j_per_k": np.zeros(1)}, "thermal_mass_j_per_k is 0"),
        ({"resistance_ohm": np.array([-1.0])}, "resistance_ohm is -1, must be in 0..inf"),
        ({"gauge_bias_w": np.array([np.nan])}, "gauge_bias_w is nan"),
        ({"resistance_ohm": np.array([5.0])}, "no voltage would be left"),
        ({"derating_share": np.array([1.2])}, "derating_share is 1.2, must be in 0..1"),
        ({"derating_share": np.ones(2)}, "as many points as derating_c"),
        ({"open_circuit_share": np.zeros(1)}, "open_circuit_share is 0"),
        ({"derating_c": np.array([2.0, 1.0])}, "derating_c must rise"),
        ({"derating_c": np.array([np.nan])}, "derating_c must be one line of finite numbers"),
        ({"efficiency": EfficiencyTable.constant(np.ones(3), np.ones(3))}, "of 3 homes, not 1"),
    ],
)
def test_battery_that_cannot_be_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        hand_made(**changes)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"by_c_rate": {0.0: 0.0}}, "charge efficiency is 0"),
        ({"by_c_rate": {0.0: 1.1}}, "charge efficiency is 1.1"),
        ({"by_c_rate": {-0.1: 0.9}}, "efficiency c_rates is -0.1"),
        ({"by_c_rate": {0.2: 0.9, 0.1: 0.9}}, "efficiency c_rates must rise"),
        ({"by_soc": {}}, "efficiency socs must be one line"),
        # 0.1 W at 0.1 C, and 0.02 at 0.2 C: more out of the cells, less out of the terminals
        ({"by_c_rate": {0.1: 1.0, 0.2: 0.1}}, "discharge efficiency changes so fast"),
        # 0.5 C in at 0.1 C, 0.2 in at 0.11 C: more into the cells from less at the terminals
        ({"by_c_rate": {0.1: 0.2, 0.11: 0.55}}, "charge efficiency changes so fast"),
    ],
)
def test_efficiency_that_cannot_be_is_refused(table, message):
    with pytest.raises(ValueError, match=message):
        EfficiencyTable.separable(1, **({"by_c_rate": {0.0: 0.9}, "by_soc": {0.0: 1.0}} | table))


def test_efficiency_of_another_shape_is_refused():
    with pytest.raises(ValueError, match=r"discharge efficiency has shape \(1, 2, 1\)"):
        replace(EfficiencyTable.constant(np.ones(1), np.ones(1)), discharge=np.ones((1, 2, 1)))
