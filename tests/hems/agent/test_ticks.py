"""Schedules on the UTC line: no drift, no burst, no silence, whatever the clock is set to."""

import asyncio
import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hems.agent.ticks import EARLY, LATE, LOOK_S, Ticks

START = datetime(2026, 3, 29, 0, 59, 51, 250_000, tzinfo=UTC)


class SetClock:
    """A clock whose time of day is set to another at moments of its own."""

    def __init__(self, jumps=()):
        self.now_s = 1_000.0
        self.jumps = sorted(jumps)
        self.slept = []

    def monotonic_s(self):
        return self.now_s

    def utc(self):
        ahead_s = sum(by_s for at_s, by_s in self.jumps if 1_000.0 + at_s <= self.now_s)
        return START + timedelta(seconds=self.now_s - 1_000.0 + ahead_s)

    async def sleep(self, seconds):
        self.slept.append(seconds)
        self.now_s += max(seconds, 0.0)


def fire(ticks, count, clock, work_s=0.0):
    """Return each tick and when it came by the clock that does not jump."""

    async def story():
        fired = []
        for _ in range(count):
            fired.append((await ticks.wait(), clock.monotonic_s()))
            await clock.sleep(work_s)
        return fired

    return asyncio.run(story())


def test_ticks_come_at_whole_multiples_and_never_drift():
    clock = SetClock()
    fired = fire(Ticks(60.0, clock=clock), 500, clock, work_s=7.3)

    first = datetime(2026, 3, 29, 1, tzinfo=UTC)
    assert [tick.due for tick, _ in fired] == [first + timedelta(minutes=i) for i in range(500)]
    assert all(abs(tick.late_s) < 1e-5 for tick, _ in fired)


def test_an_offset_moves_every_tick():
    clock = SetClock()
    fired = fire(Ticks(900.0, clock=clock, offset_s=40.0), 3, clock)

    first = datetime(2026, 3, 29, 1, 0, 40, tzinfo=UTC)
    assert [tick.due for tick, _ in fired] == [first + timedelta(minutes=15 * i) for i in range(3)]


def test_the_first_tick_comes_at_once_where_asked():
    clock = SetClock()
    fired = fire(Ticks(60.0, clock=clock, at_once=True), 3, clock)

    assert fired[0][1] == 1_000.0
    assert fired[0][0].due == datetime(2026, 3, 29, 0, 59, tzinfo=UTC)
    # nine seconds later is too soon after it
    assert [tick.due.minute for tick, _ in fired[1:]] == [1, 2]


def test_whoever_comes_back_late_gets_one_tick_for_those_missed():
    clock = SetClock()
    fired = fire(Ticks(60.0, clock=clock), 3, clock, work_s=200.0)

    assert [tick.due.minute for tick, _ in fired] == [0, 3, 6]


@given(
    period_s=st.sampled_from([1.0, 2.0, 5.0, 60.0, 120.0, 900.0]),
    jumps=st.lists(
        st.tuples(
            st.floats(0, 5_000),
            st.sampled_from([3600.0, -3600.0, 1.0, -1.0, 0.4, -30.0, 59.0, 86_400.0, -86_400.0]),
        ),
        max_size=12,
    ),
    work=st.floats(0, 0.4),
)
def test_a_clock_that_is_set_neither_silences_a_schedule_nor_makes_it_burst(period_s, jumps, work):
    clock = SetClock(jumps)
    fired = fire(Ticks(period_s, clock=clock), 40, clock, work_s=work * period_s)

    gaps = [after - before for (_, before), (_, after) in itertools.pairwise(fired)]
    assert min(gaps) >= EARLY * period_s - 0.01
    assert max(gaps) <= LATE * period_s + 0.01
    assert all((tick.due.timestamp() % period_s) == 0 for tick, _ in fired)
    assert max(clock.slept) <= max(LOOK_S, work * period_s)


@given(at_s=st.floats(0, 600), by_s=st.sampled_from([3600.0, -3600.0, 1.0, -1.0]))
def test_a_schedule_is_back_on_the_multiples_after_the_clock_was_set(at_s, by_s):
    clock = SetClock([(at_s, by_s)])
    fired = fire(Ticks(60.0, clock=clock), 20, clock)

    later = [tick for tick, at in fired if at > 1_000.0 + at_s + 2 * 60]
    assert all(abs(tick.late_s) < 1e-4 for tick in later)
    dues = [tick.due for tick in later]
    assert dues == [dues[0] + timedelta(minutes=i) for i in range(len(dues))]


@pytest.mark.parametrize(("period_s", "offset_s"), [(0, 0), (-1, 0), (60, 60), (60, -1)])
def test_a_schedule_that_cannot_be_is_refused(period_s, offset_s):
    with pytest.raises(ValueError, match="give a period > 0, offset below it"):
        Ticks(period_s, clock=SetClock(), offset_s=offset_s)
