"""What use and time take from a battery: by hand, in pieces, and for many at once."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.ageing import (
    YEAR_H,
    Loss,
    advance,
    loss,
    sequence_cost,
    sequence_loss,
    start,
    wear_price_per_mwh,
)
from devices.ageing_law import AgeingLaw, Growth

LAW = AgeingLaw.lfp()
HOUR_S = 3600.0
socs = st.floats(0, 1, allow_subnormal=False)


def life(depth, c_rate):
    """Return the cycles to the end of life, from the table's corners used here."""
    return {(1.0, 0.25): 17_240.0, (0.5, 0.25): 36_120.0, (1.0, 0.5): 13_270.0}[depth, c_rate]


def test_a_full_cycle_in_eight_hours_costs_its_share_of_a_life():
    soc = np.array([[0, 0.25, 0.5, 0.75, 1, 0.75, 0.5, 0.25, 0]])

    lost = sequence_loss(LAW, soc, step_s=HOUR_S)

    # two halves of depth 1 at C/4
    assert lost.cycle == pytest.approx([0.2 / life(1.0, 0.25)])


def test_twice_the_pace_wears_more_and_rest_wears_nothing():
    fast = np.array([[0, 0.5, 1, 0.5, 0]])
    rested = np.array([[0, 0.5, 0.5, 0.5, 1, 1, 0.5, 0.5, 0]])

    expected = pytest.approx([0.2 / life(1.0, 0.5)])
    assert sequence_loss(LAW, fast, step_s=HOUR_S).cycle == expected
    assert sequence_loss(LAW, rested, step_s=HOUR_S).cycle == expected


def test_a_year_of_rest_costs_what_the_table_says():
    soc = np.full((2, 8767), 0.5)
    soc[1] = 1.0

    lost = sequence_loss(LAW, soc, step_s=HOUR_S)

    assert lost.calendar == pytest.approx([0.009044, 0.02295])
    assert lost.cycle.tolist() == [0.0, 0.0]


def test_heat_speeds_both_kinds_of_ageing_by_its_time():
    soc = np.array([[0, 0.25, 0.5, 0.75, 1, 0.75, 0.5, 0.25, 0]])
    half_hot_c = np.array([[25.0] * 4 + [40.0] * 4])

    cool = sequence_loss(LAW, soc, step_s=HOUR_S)
    hot = sequence_loss(LAW, soc, step_s=HOUR_S, temperature_c=40.0)
    half = sequence_loss(LAW, soc, step_s=HOUR_S, temperature_c=half_hot_c)

    assert hot.cycle == pytest.approx(cool.cycle * 1.839)
    assert half.cycle == pytest.approx(cool.cycle * (1 + 1.839) / 2)
    assert half.calendar == pytest.approx((cool.calendar + hot.calendar) / 2)


def test_each_battery_may_have_its_own_temperature():
    soc = np.array([[0, 0.25, 0.5, 0.25, 0]] * 2)

    lost = sequence_loss(LAW, soc, step_s=HOUR_S, temperature_c=np.array([[25.0], [40.0]]))

    assert lost.cycle[1] == pytest.approx(1.839 * lost.cycle[0])


def test_equations_8_and_9_by_hand():
    lost = Loss(cycle=np.array([0.01, 0.9]), calendar=np.array([0.03, 0.2]))

    assert lost.total == pytest.approx([0.04, 1.0])
    assert lost.state_of_health == pytest.approx([0.96, 0.0])
    # a fifth of the way to 20 % of a battery of 3000
    assert sequence_cost(LAW, lost, 3000.0)[0] == pytest.approx(600.0)


def test_wear_is_priced_by_the_energy_that_a_cycle_moves():
    price = wear_price_per_mwh(
        LAW, battery_price=3000.0, capacity_wh=6000.0, depth=1.0, c_rate=0.25
    )

    assert price == pytest.approx(3000.0 / life(1.0, 0.25) / 0.012)


def test_losses_by_the_root_come_early_and_agree_at_the_end_of_life():
    root = AgeingLaw.lfp(Growth.ROOT)
    years = np.full((1, 24), 0.5)
    state = start(np.array([0.5]))
    found = {}
    for year in range(1, 23):
        state = advance(LAW, state, years, step_s=YEAR_H * HOUR_S / 24)
        found[year] = (loss(root, state).calendar[0], loss(LAW, state).calendar[0])

    assert found[1] == pytest.approx((np.sqrt(0.2 * 0.009044), 0.009044))
    assert found[22] == pytest.approx((0.2, 0.2), rel=0.01)


@given(
    st.lists(st.tuples(socs, socs), min_size=2, max_size=60),
    st.integers(1, 25),
    st.sampled_from([60.0, 900.0, HOUR_S]),
)
def test_a_history_in_pieces_ages_as_in_one(pairs, piece, step_s):
    soc = np.array(pairs).T
    warmth_c = np.linspace(10, 45, soc.shape[1] - 1)[None]

    state = start(soc[:, 0])
    for begin in range(1, soc.shape[1], piece):
        state = advance(
            LAW,
            state,
            soc[:, begin : begin + piece],
            step_s=step_s,
            temperature_c=warmth_c[:, begin - 1 : begin - 1 + piece],
        )

    whole = sequence_loss(LAW, soc, step_s=step_s, temperature_c=warmth_c)
    pieces = loss(LAW, state)
    assert pieces.cycle == pytest.approx(whole.cycle, rel=1e-9, abs=1e-15)
    assert pieces.calendar == pytest.approx(whole.calendar, rel=1e-9)
    moved = np.abs(np.diff(soc, axis=1)).sum(axis=1)
    assert state.full_equivalent_cycles == pytest.approx(moved / 2)


def test_homes_age_together_as_each_alone():
    rng = np.random.default_rng(8)
    soc = np.clip(np.cumsum(rng.normal(0, 0.1, (5, 500)), axis=1) % 1.0, 0, 1)

    together = sequence_loss(LAW, soc, step_s=900.0)

    alone = [sequence_loss(LAW, soc[home : home + 1], step_s=900.0) for home in range(5)]
    assert together.cycle.tolist() == pytest.approx([float(one.cycle[0]) for one in alone])
    assert together.calendar.tolist() == [float(one.calendar[0]) for one in alone]


def test_ten_years_of_days_keep_few_points_open():
    day = np.array([[0.2, 0.4, 0.9, 0.9, 0.6, 0.1]])
    state = start(np.array([0.1]))
    for _ in range(3650):
        state = advance(LAW, state, day, step_s=4 * HOUR_S)

    assert state.open_points.soc.size <= 3
    assert state.closed_cycles[0] == pytest.approx(3650, abs=1)


def test_an_empty_stretch_changes_nothing():
    state = start(np.array([0.5]))

    assert advance(LAW, state, np.empty((1, 0)), step_s=60.0) is state


@pytest.mark.parametrize(
    ("soc", "temperature_c", "says"),
    [
        ([[1.1]], 25.0, "state of charge is 1.1, must be in 0..1"),
        ([[np.nan]], 25.0, "state of charge is nan"),
        ([[0.5]], np.inf, "temperature is inf"),
    ],
)
def test_what_cannot_be_is_refused(soc, temperature_c, says):
    state = start(np.array([0.5]))

    with pytest.raises(ValueError, match=says):
        advance(LAW, state, np.array(soc), step_s=60.0, temperature_c=temperature_c)
