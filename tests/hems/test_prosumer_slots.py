"""Slots of surplus, and sharing energy out within them."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hems.prosumer_slots import Slots, Turn

NET_WH = np.array([[5.0, 3.0, -1.0, 0.0, -2.0, 4.0], [-1.0, -1.0, -1.0, -1.0, -1.0, -1.0]])


def test_slots_begin_and_end_with_the_surplus_and_an_even_hour_is_negative():
    slots = Slots.of(NET_WH)

    assert slots.number.tolist() == [[0, 0, 1, 1, 1, 2], [0] * 6]
    assert slots.is_positive.tolist() == [[True, False, True], [False, True, False]]
    assert slots.totals(NET_WH).tolist() == [[8.0, -3.0, 4.0], [-6.0, 0.0, 0.0]]


def test_the_last_surplus_of_each_day_is_found():
    slots = Slots.of(NET_WH)

    assert slots.last_of_days(np.array([0, 0, 0, 0, 0, 0])).tolist() == [
        [False, False, True],
        [False, False, False],
    ]
    assert slots.last_of_days(np.array([0, 0, 0, 1, 1, 1])).tolist() == [
        [True, False, True],
        [False, False, False],
    ]


def test_equal_prices_come_in_order_of_time():
    turn = Turn.of(
        import_price=np.array([[1.0, 3.0, 3.0, 2.0]]), export_price=np.array([[2.0, 1.0, 1.0, 3.0]])
    )

    assert turn.hours.tolist() == [[[1, 2, 3, 0]], [[1, 2, 0, 3]]]
    assert turn.ranks.tolist() == [[[3, 0, 1, 2]], [[2, 0, 1, 3]]]


def one_by_one(slots, budget, most, imports, exports):
    """Share out in plain loops."""
    given = np.zeros(most.shape)
    for home in range(most.shape[0]):
        for slot in range(slots.count):
            hours = [h for h in range(most.shape[1]) if slots.number[home, h] == slot]
            price = exports if hours and slots.positive[home, hours[0]] else -imports
            left = budget[home, slot]
            for hour in sorted(hours, key=lambda h, p=price: (p[min(home, len(p) - 1), h], h)):
                given[home, hour] = min(left, most[home, hour])
                left -= given[home, hour]
    return given


@given(
    homes=st.integers(1, 4),
    hours=st.sampled_from([1, 5, 24, 72, 200]),
    own_prices=st.booleans(),
    seed=st.integers(0, 10_000),
)
def test_the_best_hours_get_theirs_first(homes, hours, own_prices, seed):
    rng = np.random.default_rng(seed)
    slots = Slots.of(rng.integers(-3, 4, (homes, hours)).astype(np.float64))
    imports, exports = rng.integers(0, 5, (2, homes if own_prices else 1, hours)).astype(np.float64)
    most = rng.integers(0, 10, (homes, hours)).astype(np.float64)
    totals = slots.totals(most)
    budget = np.floor(totals * rng.uniform(0, 1, totals.shape))

    given = slots.share_out(
        budget, most, totals, Turn.of(import_price=imports, export_price=exports)
    )

    assert given.tolist() == one_by_one(slots, budget, most, imports, exports).tolist()
