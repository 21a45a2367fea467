"""A microgrid's physics: small cases by hand, balances for all, and what an island cannot do."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.timegrid import TimeGrid
from devices.battery_bank import BatteryBank
from scenarios.errors import ScenarioInputError
from scenarios.microgrid.model import Surroundings, simulate
from scenarios.microgrid.plant import Microgrid, lead_acid_bank
from scenarios.microgrid.violations import Violation, violations

START = datetime(2020, 5, 11, 8, tzinfo=UTC)
SMALL = BatteryBank.uniform(1, capacity_wh=1000.0, power_max_w=600.0, efficiency=0.8)


class Held:
    """Gives the same orders in every cycle, and remembers what it was told."""

    def __init__(self, set_point_w: float, *, closed: bool) -> None:
        self.set_point_w, self.closed, self.told = set_point_w, closed, []

    def edge(self, power_balance_w, soc, price_level):
        self.told.append((power_balance_w.copy(), soc.copy(), price_level.copy()))
        return np.full(soc.shape, self.set_point_w), np.full(soc.shape, self.closed)


def around(load_w, pv_w, *, deviation_hz=0.0, step_s=60) -> Surroundings:
    load_w, pv_w = np.atleast_2d(np.array(load_w, float)), np.atleast_2d(np.array(pv_w, float))
    return Surroundings(
        grid=TimeGrid(start=START, step_s=step_s, count=load_w.shape[1]),
        load_w=load_w,
        pv_w=pv_w,
        price_level=np.full(load_w.shape, 0.5),
        deviation_hz=np.full(load_w.shape, deviation_hz),
    )


def run(load_w, pv_w, *, closed, set_point_w=0.0, soc=0.6, bank=SMALL, **asked):
    extra = {name: asked.pop(name) for name in ("deviation_hz", "step_s") if name in asked}
    held = Held(set_point_w, closed=closed)
    return simulate(
        Microgrid(bank=bank, **asked),
        around(load_w, pv_w, **extra),
        held,
        soc_start=np.full(bank.homes, soc),
    )


def test_on_the_grid_the_battery_holds_its_set_point_and_the_grid_takes_the_rest():
    trace = run([300, 300], [100, 500], closed=True, set_point_w=150.0)

    # 150 W at the terminals are 120 W at the cells: 2 Wh a minute
    assert trace.flows.stored_wh.tolist() == [[600.0, 602.0, 604.0]]
    assert trace.flows.grid_power_w.tolist() == [[350.0, -50.0]]
    assert trace.flows.battery_power_w.tolist() == [[150.0, 150.0]]


def test_an_islands_battery_takes_what_the_balance_leaves_whatever_was_ordered():
    trace = run([300, 300], [100, 500], closed=False, set_point_w=150.0)

    # -200 W at the terminals are -250 W at the cells, 200 W are 160 W
    assert trace.flows.battery_power_w.tolist() == [[-200.0, 200.0]]
    assert trace.flows.grid_power_w.tolist() == [[0.0, 0.0]]
    assert np.diff(trace.flows.stored_wh[0]) == pytest.approx([-250 / 60, 160 / 60], abs=1e-12)


def test_a_frequency_above_nominal_charges_by_the_droop():
    trace = run([0], [0], closed=True, set_point_w=100.0, deviation_hz=0.02, power_max_w=500.0)

    # 500 W at 1 Hz: 10 W at 20 mHz
    assert trace.flows.battery_power_w.tolist() == [[110.0]]


def test_an_islands_surplus_beyond_the_inverter_fades_the_sun_until_both_agree():
    trace = run(
        [100],
        [900],
        closed=False,
        bank=replace(SMALL, power_max_w=np.array([2000.0])),
        power_max_w=400.0,
    )

    # asked 800 W; p = 900 (1 - (p / 400 - 1)) - 100 gives p = 1700 / 3.25
    power_w = 1700 / 3.25
    assert trace.flows.battery_power_w[0, 0] == pytest.approx(power_w, abs=1e-9)
    assert trace.flows.curtailed_w[0, 0] == pytest.approx(800 - power_w, abs=1e-9)
    assert trace.flows.overload_w[0, 0] == 400.0


def test_a_full_battery_in_an_island_curtails_and_is_told_as_over_charged():
    trace = run([0] * 4, [300] * 4, closed=False, soc=0.99, step_s=600, soc_min=0.0)

    # 240 W at the cells for ten minutes are 40 Wh, but 10 Wh fill it
    assert trace.flows.stored_wh.tolist() == [[990.0, 1000.0, 1000.0, 1000.0, 1000.0]]
    assert trace.flows.curtailed_w[0] == pytest.approx([225.0, 300.0, 300.0, 300.0])
    (found,) = violations(trace)
    assert (found.kind, found.start, found.steps) == ("over-charge", 0, 4)
    assert found.worst == pytest.approx(0.1)


def test_an_empty_battery_in_an_island_leaves_load_unserved():
    trace = run([480, 480], [0, 0], closed=False, soc=0.005, soc_min=0.0)

    # 480 W take 10 Wh a minute out of the cells; 5 Wh are left, 240 W for a minute
    assert trace.flows.unserved_w[0] == pytest.approx([240.0, 480.0])
    assert trace.flows.stored_wh[0] == pytest.approx([5.0, 0.0, 0.0])
    assert violations(trace) == []


def test_each_overload_is_told_with_its_start_length_and_worst():
    load_w = [100, 500, 700, 100, 650, 100]

    trace = run(load_w, [0] * 6, closed=False, power_max_w=400.0)

    assert violations(trace) == [
        Violation(kind="overload", home=0, start=1, steps=2, worst=300.0),
        Violation(kind="overload", home=0, start=4, steps=1, worst=250.0),
    ]


def test_on_the_grid_nothing_is_an_overload():
    assert violations(run([9000], [0], closed=True, set_point_w=9000.0, soc_min=0.0)) == []


def test_decisions_know_the_step_before_and_nothing_of_what_comes():
    held = Held(0.0, closed=True)
    load_w, pv_w = np.arange(20.0), np.zeros(20)

    simulate(Microgrid(bank=SMALL), around(load_w, pv_w), held, soc_start=np.array([0.6]))

    assert [float(balance[0]) for balance, _, _ in held.told] == [0.0, -9.0]


def test_a_shorter_cycle_asks_more_often_and_a_last_one_may_be_cut_off():
    held = Held(0.0, closed=True)

    trace = simulate(
        Microgrid(bank=SMALL),
        around([0.0] * 7, [0.0] * 7),
        held,
        soc_start=np.array([0.6]),
        cycle_s=180,
    )

    assert len(held.told) == 3
    assert trace.soc_every(180).tolist() == [[0.6] * 4]


watts = st.floats(0, 20_000)


@settings(max_examples=60)
@given(
    st.lists(st.tuples(watts, watts, watts, watts), min_size=1, max_size=12),
    st.floats(-9000, 9000),
    st.booleans(),
    st.floats(0, 1),
    st.floats(-0.5, 0.5),
)
def test_power_and_energy_balance_at_every_step(minutes, set_point_w, closed, soc, deviation_hz):
    values = np.array(minutes).T
    bank = lead_acid_bank(2)
    trace = run(
        values[:2],
        values[2:],
        closed=closed,
        set_point_w=set_point_w,
        soc=soc,
        bank=bank,
        deviation_hz=deviation_hz,
    )
    flows, given_w = trace.flows, trace.surroundings

    assert np.abs(trace.imbalance_w).max() <= 1e-9
    cells_w = np.diff(flows.stored_wh, axis=1) * 60
    terminals_w = np.where(cells_w >= 0, cells_w / (8 / 9), cells_w * (8 / 9))
    # a difference of 26 kWh over a minute cannot tell less than a microwatt
    assert np.abs(terminals_w - flows.battery_power_w).max() <= 1e-6
    assert (flows.curtailed_w >= 0).all()
    assert (flows.curtailed_w <= given_w.pv_w + 1e-9).all()
    assert (flows.unserved_w >= 0).all()
    assert (flows.unserved_w <= given_w.load_w + 1e-9).all()
    low_wh, high_wh = bank.window_wh(flows.stored_wh[:, 0])
    assert (flows.stored_wh >= low_wh[:, None] - 1e-9).all()
    assert (flows.stored_wh <= high_wh[:, None] + 1e-9).all()
    assert not (flows.grid_power_w[~flows.closed]).any()


def test_homes_do_not_touch_each_other():
    rng = np.random.default_rng(1)
    load_w, pv_w = rng.uniform(0, 6000, (2, 3, 60))
    bank = lead_acid_bank(3)
    together = run(load_w, pv_w, closed=False, bank=bank, soc=0.7)

    for home in range(3):
        alone = run(load_w[home], pv_w[home], closed=False, bank=lead_acid_bank(1), soc=0.7)
        assert alone.flows.stored_wh[0].tolist() == together.flows.stored_wh[home].tolist()


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"load_w": [-1.0]}, "load_w is -1, must be finite and >= 0"),
        ({"pv_w": [np.nan]}, "pv_w is nan"),
        ({"pv_w": [1.0, 2.0]}, r"pv_w has shape \(1, 2\), must be \(1, 1\)"),
    ],
)
def test_surroundings_that_cannot_be_are_told(wrong, told):
    with pytest.raises(ScenarioInputError, match=told):
        around(**({"load_w": [0.0], "pv_w": [0.0]} | wrong))


@pytest.mark.parametrize(
    ("cycle_s", "soc", "told"),
    [
        (90, [0.6], "whole steps of 60 s"),
        (0, [0.6], "cycle is 0 s"),
        (60, [0.6, 0.6], "one of each"),
    ],
)
def test_cycles_and_states_that_do_not_fit_are_told(cycle_s, soc, told):
    with pytest.raises(ScenarioInputError, match=told):
        simulate(
            Microgrid(bank=SMALL),
            around([0.0], [0.0]),
            Held(0.0, closed=True),
            soc_start=np.array(soc),
            cycle_s=cycle_s,
        )


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"power_max_w": 0.0}, "power_max_w is 0, must be > 0"),
        ({"droop_hz": np.nan}, "droop_hz is nan"),
        ({"soc_min": 0.95}, "window is 0.95 to 0.9"),
    ],
)
def test_a_microgrid_that_cannot_be_is_told(wrong, told):
    with pytest.raises(ValueError, match=told):
        Microgrid(**wrong)


def test_the_papers_bank_is_546_ah_at_48_v_and_gives_its_inverters_power():
    bank = Microgrid().bank

    assert bank.capacity_wh.tolist() == [546 * 48]
    assert bank.discharge_efficiency[0] * 4500 == pytest.approx(4000)
    assert Microgrid().limits(600).charge_max_w == 4000
