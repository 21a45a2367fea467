"""One emulated home at a clock in the test's hand."""

import math
from dataclasses import asdict, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.battery_bank import BatteryBank
from devices.battery_model import BatteryModel
from devices.emulators.house import LONGEST_STEP_S, MOST_CYCLES, EmulatedHome, HomeState
from devices.errors import DeviceRefusedError

IDEAL = BatteryModel.of_bank(
    BatteryBank.uniform(1, capacity_wh=3_600.0, power_max_w=3_600.0, efficiency=1.0)
)
"""A watt for a second is 1/3600 Wh, and 3600 W are a Wh a second."""


class Hand:
    """A home with the hands on its clock and its house."""

    def __init__(self, *, model=IDEAL, soc=0.5, cycle_s=1.0, load_w=0.0, pv_w=0.0, demand=None):
        self.now_s = 1_000.0
        self.demand_w = (load_w, pv_w)
        self.home = EmulatedHome(
            model=model,
            soc=soc,
            clock=lambda: self.now_s,
            demand=demand or (lambda _: self.demand_w),
            cycle_s=cycle_s,
        )

    def after(self, seconds):
        self.now_s += seconds
        return self.home.state()


def always(battery_power_w):
    return lambda _load_w, _pv_w: battery_power_w


def test_home_of_round_numbers_shows_them_all():
    hand = Hand(load_w=500.0, pv_w=1_400.0)

    # 900 W for 8 s are 2 Wh of 3600
    assert hand.after(8.0) == HomeState(
        time_s=1_008.0,
        soc=1_802 / 3_600,
        estimated_soc=pytest.approx(1_802 / 3_600),
        battery_power_w=900.0,
        cell_temperature_c=25.0,
        dc_voltage_v=48.0,
        dc_current_a=900 / 48,
        load_w=500.0,
        pv_w=1_400.0,
        grid_power_w=0.0,
        charged_wh=2.0,
        discharged_wh=0.0,
        imported_wh=0.0,
        exported_wh=0.0,
        unserved_w=0.0,
        curtailed_w=0.0,
    )


def test_energy_at_the_grid_is_counted_each_way():
    hand = Hand(load_w=500.0, pv_w=1_400.0)
    hand.home.steer(always(0.0))
    hand.after(8.0)
    hand.home.steer(always(1_800.0))
    state = hand.after(4.0)
    assert (state.exported_wh, state.imported_wh) == (2.0, 1.0)

    hand.home.islanded = True
    island = hand.after(60.0)
    assert (island.exported_wh, island.imported_wh) == (2.0, 1.0)


def test_rule_sees_load_and_production_and_its_answer_is_held():
    hand = Hand(load_w=200.0, pv_w=1_000.0)

    hand.home.steer(lambda load_w, pv_w: pv_w / 2 - load_w)

    state = hand.after(12.0)
    assert state.battery_power_w == 300.0
    assert state.grid_power_w == -500.0
    assert state.charged_wh == pytest.approx(1.0)
    assert hand.home.steered


def test_home_steered_no_longer_consumes_its_own():
    hand = Hand(load_w=200.0)
    hand.home.steer(always(1_000.0))
    hand.after(5.0)

    hand.home.steer(None)

    assert hand.after(0.0).battery_power_w == -200.0
    assert not hand.home.steered


@pytest.mark.parametrize("seen", [True, False], ids=["seen", "unseen"])
def test_rule_ends_to_the_second_inside_a_cycle(seen):
    hand = Hand(cycle_s=10.0)

    hand.home.steer(always(3_600.0), until_s=hand.home.now_s + 4.0)
    for _ in range(9 if seen else 0):
        hand.after(1.0)
    hand.now_s = 1_010.0

    # 1 Wh a second for four seconds
    assert hand.home.state().charged_wh == pytest.approx(4.0)
    assert not hand.home.steered


def test_rule_that_has_ended_before_it_begins_never_holds():
    hand = Hand(load_w=100.0)

    hand.home.steer(always(3_600.0), until_s=hand.now_s)

    assert hand.after(3.0).charged_wh == 0.0


def test_new_rule_replaces_the_old_and_its_end():
    hand = Hand()
    hand.home.steer(always(3_600.0), until_s=hand.now_s + 2.0)

    hand.home.steer(always(-3_600.0))

    state = hand.after(5.0)
    assert (state.charged_wh, state.discharged_wh) == (0.0, pytest.approx(5.0))


def test_limits_bound_what_the_rule_wants_until_they_are_lifted():
    hand = Hand()
    hand.home.steer(always(2_000.0))

    hand.home.limit(500.0, 0.0)
    bounded = hand.after(0.0).battery_power_w
    hand.home.steer(always(-2_000.0))
    barred = hand.after(0.0).battery_power_w
    hand.home.limit(None, None)

    assert (bounded, barred, hand.after(0.0).battery_power_w) == (500.0, 0.0, -2_000.0)


def test_time_before_a_new_limit_passed_under_the_old_one():
    hand = Hand()
    hand.home.steer(always(3_600.0))
    hand.now_s += 3.0

    hand.home.limit(0.0, 0.0)

    assert hand.after(3.0).charged_wh == pytest.approx(3.0)


def test_home_cut_off_is_served_by_its_battery_whatever_the_rule():
    hand = Hand(load_w=800.0, pv_w=300.0)
    hand.home.steer(always(3_000.0))

    hand.home.islanded = True

    state = hand.after(7.2)
    assert hand.home.islanded
    assert (state.battery_power_w, state.grid_power_w) == (-500.0, 0.0)
    assert (state.load_w, state.pv_w, state.unserved_w, state.curtailed_w) == (800, 300, 0, 0)
    assert state.discharged_wh == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("soc", "house_w", "served_w"),
    [
        (0.5, (5_000.0, 0.0), {"load_w": 3_600.0, "unserved_w": 1_400.0}),
        (0.0, (500.0, 100.0), {"load_w": 100.0, "unserved_w": 400.0, "pv_w": 100.0}),
        (1.0, (500.0, 900.0), {"load_w": 500.0, "pv_w": 500.0, "curtailed_w": 400.0}),
    ],
)
def test_home_cut_off_says_what_its_battery_cannot_balance(soc, house_w, served_w):
    hand = Hand(soc=soc, load_w=house_w[0], pv_w=house_w[1])

    hand.home.islanded = True

    shown = asdict(hand.after(0.0))
    nothing = {"unserved_w": 0.0, "curtailed_w": 0.0, "pv_w": 0.0, "grid_power_w": 0.0}
    expected = nothing | served_w
    assert {name: shown[name] for name in expected} == pytest.approx(expected)
    assert shown["load_w"] + shown["battery_power_w"] == pytest.approx(shown["pv_w"])


def test_island_balances_at_once_while_a_battery_on_the_grid_waits_for_its_cycle():
    hands = [Hand(cycle_s=10.0, load_w=100.0) for _ in range(2)]
    hands[0].home.islanded = True
    for hand in hands:
        hand.after(5.0)
        hand.demand_w = (700.0, 0.0)

    island, grid = (hand.after(0.0) for hand in hands)

    assert (island.battery_power_w, island.grid_power_w, island.unserved_w) == (-700.0, 0.0, 0.0)
    assert (grid.battery_power_w, grid.grid_power_w) == (-100.0, 600.0)


def test_home_put_back_on_the_grid_follows_its_rule_again():
    hand = Hand(load_w=800.0)
    hand.home.steer(always(1_000.0))
    hand.home.islanded = True
    hand.after(5.0)

    hand.home.islanded = False

    assert hand.after(0.0).grid_power_w == 1_800.0


def test_lead_of_the_gauge_over_the_truth_ends_when_the_battery_is_full():
    hand = Hand(model=BatteryModel.lfp(1), soc=0.5)
    hand.home.steer(always(4_000.0))

    under_way, full = hand.after(1_800.0), hand.after(7_200.0)

    assert under_way.estimated_soc > under_way.soc + 0.001
    assert (full.soc, full.estimated_soc) == (1.0, 1.0)
    assert full.battery_power_w == 0.0


def test_clock_that_runs_backwards_moves_nothing():
    hand = Hand(load_w=500.0)
    before = hand.after(10.0)

    assert hand.after(-5.0) == before


def ramp(at_s):
    """Return a house of another load each second, with clouds."""
    return 500 + 300 * math.sin(at_s / 7), max(0.0, 2_000 * math.sin(at_s / 40))


@settings(max_examples=25)
@given(st.lists(st.floats(0.01, 20), min_size=1, max_size=30), st.sampled_from([0.3, 1.0, 7.0]))
def test_reading_often_changes_nothing_of_a_bank_of_constant_efficiency(pauses_s, cycle_s):
    often, seldom = (Hand(demand=ramp, cycle_s=cycle_s) for _ in range(2))
    for pause_s in pauses_s:
        last = often.after(pause_s)

    seldom.now_s = often.now_s

    state = seldom.home.state()
    assert asdict(last) == pytest.approx(asdict(state), abs=1e-9, rel=1e-9)


def test_reading_often_changes_a_real_battery_by_less_than_documented():
    """Steps of at most a minute against steps of a second, under power that does not change."""
    often, seldom = (Hand(model=BatteryModel.lfp(1), soc=0.05) for _ in range(2))
    for hand in (often, seldom):
        hand.home.steer(always(4_000.0))
    for _ in range(1_800):
        last = often.after(1.0)

    state = seldom.after(1_800.0)

    assert state.soc == pytest.approx(last.soc, abs=2e-4)
    assert state.cell_temperature_c == pytest.approx(last.cell_temperature_c, abs=0.01)


@settings(max_examples=25)
@given(
    st.lists(st.tuples(st.floats(0.1, 400), st.floats(-9_000, 9_000), st.booleans()), max_size=12),
    st.sampled_from([BatteryModel.lfp(1), BatteryModel.lead_acid(1), IDEAL]),
)
def test_every_state_balances_and_keeps_its_limits(steps, model):
    hand = Hand(model=model, demand=ramp)
    counted_wh = 0.0
    for pause_s, battery_power_w, islanded in steps:
        hand.home.steer(always(battery_power_w))
        hand.home.limit(3_000.0, 2_500.0)
        hand.home.islanded = islanded

        state = hand.after(pause_s)

        assert state.grid_power_w == pytest.approx(
            state.load_w + state.battery_power_w - state.pv_w, abs=1e-9
        )
        assert -2_500 <= state.battery_power_w <= 3_000
        assert model.bank.soc_min[0] <= state.soc <= model.bank.soc_max[0]
        through_wh = state.charged_wh + state.discharged_wh
        assert counted_wh <= through_wh <= counted_wh + 3_000 * pause_s / 3_600 + 1e-9
        counted_wh = through_wh


def test_terminals_count_what_the_cells_gain_at_their_efficiency():
    bank = BatteryBank.uniform(1, capacity_wh=10_000.0, power_max_w=5_000.0, efficiency=0.8)
    hand = Hand(model=BatteryModel.of_bank(bank))
    hand.home.steer(always(1_000.0))
    hand.after(3_600.0)
    hand.home.steer(always(-400.0))

    state = hand.after(3_600.0)

    # + 1000 · 0.8 − 400 / 0.8 = 300 Wh of 10000
    assert (state.charged_wh, state.discharged_wh) == (pytest.approx(1_000), pytest.approx(400))
    assert state.soc == pytest.approx(0.53, abs=1e-12)


@pytest.mark.parametrize("pause_s", [3_600.0, 86_400.0, 31 * 86_400.0])
def test_pause_of_any_length_asks_the_house_a_bounded_number_of_times(pause_s):
    asked = []

    def demand(at_s):
        asked.append(at_s)
        return float(len(asked) % 2), 0.0

    hand = Hand(demand=demand)
    state = hand.after(pause_s)

    # those of the pause, those left over that no lengthened cycle fits in, and the reading itself
    assert len(asked) <= MOST_CYCLES + math.ceil(pause_s / MOST_CYCLES) + 1
    assert state.time_s == 1_000 + pause_s
    # a watt every second cycle
    assert state.discharged_wh == pytest.approx(pause_s / 7_200, rel=1e-3)


def test_cycles_are_of_their_own_length_again_after_a_pause():
    hand = Hand(demand=lambda at_s: (at_s / 1_000, 0.0))
    hand.after(10.5 * MOST_CYCLES)

    later = hand.after(2.0)

    assert later.battery_power_w == -later.time_s / 1_000


def test_house_that_fails_once_loses_no_energy_of_before():
    def demand(at_s):
        if at_s == 1_005.0 and not failed:
            failed.append(at_s)
            msg = "no reading"
            raise LookupError(msg)
        return 3_600.0, 0.0

    failed = []
    hand = Hand(demand=demand)
    with pytest.raises(LookupError):
        hand.after(10.0)

    assert hand.after(0.0).discharged_wh == pytest.approx(10.0)


def test_unchanging_hours_take_steps_of_a_minute():
    steps_s = []

    class Counting(BatteryModel):
        def advance(self, state, battery_power_w, step_s):
            steps_s.append(step_s)
            return BatteryModel.advance(self, state, battery_power_w, step_s)

    fields = {name: getattr(IDEAL, name) for name in BatteryModel.__dataclass_fields__}
    Hand(model=Counting(**fields), load_w=1.0).after(3_600.0)

    # sixty of a minute; the last looks a cycle ahead for the power to show
    assert steps_s == [LONGEST_STEP_S] * 60 + [1.0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"model": BatteryModel.lfp(2)}, "2 batteries given, a home has one"),
        ({"soc": 1.2}, r"state of charge 1\.2 is not in 0\.\.1"),
        ({"soc": math.nan}, "state of charge nan"),
        ({"cycle_s": 0.0}, "device cycle of 0 s"),
        ({"cycle_s": math.inf}, "device cycle of inf s"),
    ],
)
def test_home_that_cannot_be_is_refused(arguments, message):
    with pytest.raises(DeviceRefusedError, match=message):
        Hand(**arguments)


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda home: home.limit(-1.0, None), "limits -1.0 W and None W must be >= 0"),
        (lambda home: home.limit(5.0, math.nan), "limits 5.0 W and nan W"),
        (lambda home: home.steer(always(0.0), until_s=math.nan), "until nan s"),
    ],
)
def test_refused_request_changes_nothing(ask, message):
    hand = Hand(load_w=500.0)
    before = hand.after(1.0)

    with pytest.raises(DeviceRefusedError, match=message):
        ask(hand.home)

    assert hand.after(0.0) == before


def test_rule_that_wants_no_number_is_named():
    hand = Hand(load_w=500.0)
    hand.home.steer(always(math.nan))

    with pytest.raises(DeviceRefusedError, match=r"the rule wants nan W at 500\.0 W load"):
        hand.home.state()


def test_hot_room_bars_the_battery():
    model = replace(BatteryModel.lfp(1), ambient_c=np.array([56.0]))
    hand = Hand(model=model, load_w=500.0)

    state = hand.after(60.0)

    assert (state.battery_power_w, state.grid_power_w) == (0.0, 500.0)
    assert str(state.battery_power_w) == "0.0"
