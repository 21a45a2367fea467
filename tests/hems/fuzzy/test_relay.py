"""A relay with inertia: rules switch it rarely, safety at once."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hems.errors import ControlInputError
from hems.fuzzy.edge import PAPER_LIMITS, Wish
from hems.fuzzy.habib import HabibFuzzy
from hems.fuzzy.relay import RelayInertia, RelayState, SteadyEdge

CYCLE_S = 600.0


def wish(closed, must_close=False):
    """Return one wish for one relay."""
    return Wish(
        battery_power_w=np.zeros(1), closed=np.array([closed]), must_close=np.array([must_close])
    )


def lived(inertia, wishes):
    """Return where a relay stands under wishes, a cycle each."""
    state, stood = RelayState.closed_for_long((1,)), []
    for asked in wishes:
        state = inertia.next(state, asked, CYCLE_S)
        stood.append(bool(state.closed[0]))
    return stood


WISHES = st.lists(
    st.builds(wish, st.floats(0, 1), st.sampled_from([False, False, False, True])), max_size=40
)
INERTIA = st.builds(
    RelayInertia,
    hysteresis=st.sampled_from([0.0, 0.2, 0.6]),
    dwell_s=st.sampled_from([0.0, 600.0, 1_800.0, 3_000.0]),
)


@given(inertia=INERTIA, wishes=WISHES)
def test_rules_never_switch_twice_within_the_dwell(inertia, wishes):
    stood = lived(inertia, wishes)

    switched = [
        cycle
        for cycle, (was, now) in enumerate(zip([True, *stood], stood, strict=False))
        if was != now
    ]
    for before, after in pairwise(switched):
        if not wishes[after].must_close[0]:
            assert (after - before) * CYCLE_S >= inertia.dwell_s


@given(inertia=INERTIA, wishes=WISHES)
def test_an_island_that_cannot_be_is_closed_at_once(inertia, wishes):
    stood = lived(inertia, wishes)

    assert all(now for now, asked in zip(stood, wishes, strict=True) if asked.must_close[0])


@given(wishes=WISHES)
def test_without_inertia_the_relay_is_the_rounded_wish(wishes):
    assert lived(RelayInertia(hysteresis=0.0, dwell_s=0.0), wishes) == [
        bool(asked.must_close[0]) or float(asked.closed[0]) >= 0.5 for asked in wishes
    ]


def test_inside_the_band_a_relay_stays_as_it_is():
    inertia = RelayInertia(hysteresis=0.2, dwell_s=0.0)

    # open below 0.4, closed again from 0.6
    asked = [wish(value) for value in (0.45, 0.4, 0.39, 0.45, 0.59, 0.6, 0.41)]
    assert lived(inertia, asked) == [True, True, False, False, False, True, True]


def test_what_safety_closed_stays_closed_for_the_dwell():
    inertia = RelayInertia(hysteresis=0.0, dwell_s=1_200.0)

    asked = [wish(0.0), wish(0.0, must_close=True), wish(0.0), wish(0.0), wish(0.0)]
    assert lived(inertia, asked) == [False, True, True, False, False]


@pytest.mark.parametrize(
    ("balance_w", "soc", "why"),
    [(2_000.0, 0.899, "over-charge"), (-4_500.0, 0.7, "overload"), (-500.0, 0.5, "empty")],
)
def test_safety_goes_before_the_dwell(balance_w, soc, why):
    del why
    steady = SteadyEdge(rules=HabibFuzzy(), limits=PAPER_LIMITS)
    # just opened
    state = RelayState(closed=np.array([False]), stood_s=np.array([0.0]))

    power_w, now = steady.edge(
        state, np.array([balance_w]), np.array([soc]), np.array([1.0]), elapsed_s=60.0
    )

    assert (now.closed.tolist(), now.stood_s.tolist()) == ([True], [0.0])
    assert abs(power_w[0]) <= 4_000.0


def test_a_relay_that_waits_has_the_battery_take_the_balance_on_the_grid():
    steady = SteadyEdge(rules=HabibFuzzy(), limits=PAPER_LIMITS)
    inputs = (np.array([-2_000.0]), np.array([0.7]), np.array([1.0]))
    just_closed = RelayState(closed=np.array([True]), stood_s=np.array([0.0]))

    power_w, now = steady.edge(just_closed, *inputs, elapsed_s=600.0)
    again_w, then = steady.edge(now, *inputs, elapsed_s=1_200.0)

    assert (power_w.tolist(), now.closed.tolist(), now.stood_s.tolist()) == (
        [-2e3],
        [True],
        [600.0],
    )
    assert (again_w.tolist(), then.closed.tolist(), then.stood_s.tolist()) == (
        [-2e3],
        [False],
        [0.0],
    )


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"hysteresis": 1.0}, "hysteresis of 1: choose a width from 0 to below 1"),
        ({"hysteresis": float("nan")}, "hysteresis of nan"),
        ({"dwell_s": -1.0}, "dwell of -1 s: choose a time >= 0"),
        ({"dwell_s": float("inf")}, "dwell of inf s"),
    ],
)
def test_inertia_that_cannot_be_is_refused(wrong, message):
    with pytest.raises(ControlInputError, match=message):
        RelayInertia(**wrong)
