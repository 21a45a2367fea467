"""An alarm begins once, after its time, and is over at another value than it began."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.service.alarms.rules import Rule
from aggregator.service.alarms.watch import Watch


def rule(held_s=0.0):
    return Rule(kind="x", severity="warning", above=10.0, clear=5.0, held_s=held_s, line="")


def looked(watch, values, now_s=0, numbers=None):
    of = np.arange(1, len(values) + 1) if numbers is None else np.array(numbers)
    news = watch.look(of, np.array(values, dtype=np.float64), now_s)
    return news.raised.tolist(), news.over.tolist()


@pytest.mark.parametrize(
    ("values", "begins", "ends"),
    [
        ([10.0, 10.1, 11.0, 12.0], [1], []),
        ([11.0, 8.0, 11.0, 5.1], [0], []),
        ([11.0, 5.0, 5.0, 11.0], [0, 3], [1]),
        ([11.0, np.nan, np.nan, 5.0], [0], [3]),
        ([np.nan, np.nan, 5.0, 4.0], [], []),
        ([np.inf, 0.0, 0.0, 0.0], [0], [1]),
    ],
)
def test_it_is_raised_once_and_over_below_where_it_began(values, begins, ends):
    watch = Watch(rule())
    news = [looked(watch, [value], now_s) for now_s, value in enumerate(values)]

    assert [n for n, (raised, _) in enumerate(news) if raised] == begins
    assert [n for n, (_, over) in enumerate(news) if over] == ends


def test_what_has_to_be_held_begins_after_its_time_and_a_dip_starts_it_anew():
    watch = Watch(rule(held_s=60.0))
    told = [(0, 11.0), (59, 11.0), (60, 11.0), (61, 11.0)]
    assert [looked(watch, [value], at)[0] for at, value in told] == [[], [], [1], []]

    watch = Watch(rule(held_s=60.0))
    told = [(0, 11.0), (30, 9.0), (60, 11.0), (119, np.nan), (120, 11.0)]
    assert [looked(watch, [value], at)[0] for at, value in told] == [
        [], [], [], [], [1],
    ]  # fmt: skip


def test_a_store_that_failed_in_between_does_not_start_the_time_anew():
    watch = Watch(rule(held_s=60.0))
    assert [looked(watch, [11.0, 11.0], now_s)[0] for now_s in (0, 60)] == [[], [1, 2]]
    watch.resume([2])

    assert looked(watch, [11.0, 11.0], 61) == ([1], [])


def test_after_a_start_what_is_raised_is_not_raised_again_and_ends_as_it_would_have():
    watch = Watch(rule(), raised=[2, 5_000])

    assert looked(watch, [11.0, 11.0, 11.0]) == ([1, 3], [])
    assert looked(watch, [11.0, 4.0, 11.0, 4.0], numbers=[1, 2, 3, 5_000]) == ([], [2, 5_000])


def test_homes_out_of_use_are_over():
    watch = Watch(rule(), raised=[2, 7])

    assert watch.forget(np.array([1, 2, 3])).tolist() == [7]
    assert watch.forget(np.array([1, 2, 3])).tolist() == []
    assert looked(watch, [11.0], numbers=[7]) == ([7], [])


def one_by_one(values_of_home):
    """Say when one home's alarm begins and ends: the rule in words."""
    raised, since, news = False, None, []
    for now, value in enumerate(values_of_home):
        if value > 10 and since is None:
            since = now
        if value <= 10:
            since = None
        if not raised and value > 10 and now - since >= 2:
            raised = True
            news.append((now, "begins"))
        elif raised and value <= 5:
            raised = False
            news.append((now, "ends"))
    return news


@given(st.lists(st.lists(st.sampled_from([0.0, 5.0, 7.0, 10.0, 11.0, np.nan]), min_size=12,
                         max_size=12), min_size=1, max_size=8))  # fmt: skip
def test_arrays_say_what_each_home_alone_would(homes):
    watch, news = Watch(rule(held_s=2.0)), [[] for _ in homes]
    for now in range(12):
        raised, over = looked(watch, [values[now] for values in homes], now)
        for number in raised:
            news[number - 1].append((now, "begins"))
        for number in over:
            news[number - 1].append((now, "ends"))

    assert news == [one_by_one(values) for values in homes]
