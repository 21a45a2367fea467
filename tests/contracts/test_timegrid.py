"""The one description of time: local days, intervals on the ledger, refusals."""

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.timegrid import TimeGrid

NOON = datetime(2022, 6, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("day", "start", "count"),
    [
        (date(2022, 1, 15), datetime(2022, 1, 15, tzinfo=UTC), 48),
        (date(2022, 7, 15), datetime(2022, 7, 14, 23, tzinfo=UTC), 48),  # summer time
        (date(2022, 3, 27), datetime(2022, 3, 27, tzinfo=UTC), 46),  # clocks go forward: 23 hours
        (date(2022, 10, 30), datetime(2022, 10, 29, 23, tzinfo=UTC), 50),  # and back: 25 hours
    ],
)
def test_local_day_is_as_long_as_its_clocks_make_it(day, start, count):
    assert TimeGrid.local_day(day) == TimeGrid(start=start, step_s=1_800, count=count)


@pytest.mark.parametrize(
    ("zone", "day", "start", "count"),
    [
        ("Europe/Rome", date(2022, 3, 27), datetime(2022, 3, 26, 23, tzinfo=UTC), 23),
        ("Europe/Rome", date(2022, 10, 30), datetime(2022, 10, 29, 22, tzinfo=UTC), 25),
        ("Asia/Kolkata", date(2022, 3, 27), datetime(2022, 3, 26, 18, 30, tzinfo=UTC), 24),
    ],
)
def test_local_day_of_another_zone_begins_at_its_own_midnight(zone, day, start, count):
    grid = TimeGrid.local_day(day, zone=zone, step_s=1_800)

    assert (grid.start, grid.count, grid.end - grid.start) == (
        start,
        2 * count,
        timedelta(hours=count),
    )


@given(st.dates(date(2015, 1, 1), date(2035, 12, 30)))
def test_local_days_follow_each_other_without_gap(day):
    today, tomorrow = TimeGrid.local_day(day), TimeGrid.local_day(day + timedelta(days=1))

    assert today.end == tomorrow.start
    assert today.intervals.stop == tomorrow.first_interval


def test_intervals_are_counted_in_steps_since_1970():
    grid = TimeGrid(start=NOON, step_s=1_800, count=3)

    # 2022-06-01 is day 19144: 19144 × 48 half-hours and 24 more up to noon
    assert grid.first_interval == 19_144 * 48 + 24
    assert grid.intervals == range(918_936, 918_939)


def test_slots_begin_a_step_apart_and_end_where_the_next_would_begin():
    grid = TimeGrid(start=NOON, step_s=900, count=3)

    assert grid.starts() == [NOON, NOON + timedelta(minutes=15), NOON + timedelta(minutes=30)]
    assert grid.end == NOON + timedelta(minutes=45)
    assert grid.step_h == 0.25


def test_split_covers_the_same_span_in_other_slots():
    halves = TimeGrid(start=NOON, step_s=1_800, count=4)

    assert halves.split(60) == TimeGrid(start=NOON, step_s=60, count=120)
    assert halves.split(3_600) == TimeGrid(start=NOON, step_s=3_600, count=2)
    assert halves.split(60).end == halves.end
    assert halves.split(60).split(1_800) == halves


@pytest.mark.parametrize(
    ("step_s", "message"),
    [(5_400, "5400 s does not divide a span of 7200 s"), (-1_800, "needs a positive step")],
)
def test_split_that_does_not_fit_is_refused(step_s, message):
    with pytest.raises(ValueError, match=message):
        TimeGrid(start=NOON, step_s=1_800, count=4).split(step_s)


def test_split_that_would_begin_off_a_whole_step_is_refused():
    half_past = TimeGrid(start=NOON + timedelta(minutes=30), step_s=1_800, count=2)

    with pytest.raises(ValueError, match="is not on a whole 3600 s step"):
        half_past.split(3_600)


def test_shifted_grid_has_the_same_slots_later_or_earlier():
    grid = TimeGrid(start=NOON, step_s=1_800, count=3)

    assert grid.shifted(3_600) == TimeGrid(start=NOON + timedelta(hours=1), step_s=1_800, count=3)
    assert grid.shifted(-1_800).first_interval == grid.first_interval - 1
    assert grid.shifted(0) == grid


def test_shift_off_the_steps_is_refused():
    with pytest.raises(ValueError, match="is not on a whole 1800 s step"):
        TimeGrid(start=NOON, step_s=1_800, count=3).shifted(60)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"start": datetime(2022, 6, 1, 12)}, "is not in UTC"),  # noqa: DTZ001
        (
            {"start": datetime(2022, 6, 1, 12, tzinfo=timezone(timedelta(hours=1)))},
            r"is not in UTC; convert it with \.astimezone\(UTC\)",
        ),
        ({"start": datetime(2022, 6, 1, 12, tzinfo=ZoneInfo("Europe/London"))}, "is not in UTC"),
        ({"start": NOON + timedelta(seconds=1)}, "is not on a whole 1800 s step"),
        ({"start": NOON + timedelta(microseconds=1)}, "is not on a whole 1800 s step"),
        ({"step_s": 0}, "positive step and count, got 0 s × 3"),
        ({"step_s": -1_800}, "positive step and count, got -1800 s × 3"),
        ({"count": 0}, "positive step and count, got 1800 s × 0"),
        ({"count": -1}, "positive step and count, got 1800 s × -1"),
    ],
)
def test_grid_that_cannot_be_is_refused(changed, message):
    with pytest.raises(ValueError, match=message):
        TimeGrid(**({"start": NOON, "step_s": 1_800, "count": 3} | changed))


def winter_grid_in_local_time():
    """Return a grid begun in London's winter, where the local clock shows UTC, for 46 slots."""
    midnight = datetime(2022, 3, 27, tzinfo=ZoneInfo("Europe/London"))
    return TimeGrid(start=midnight, step_s=1_800, count=46)


def test_start_in_a_local_zone_is_refused_even_while_its_clocks_show_utc():
    with pytest.raises(ValueError, match="is not in UTC"):
        winter_grid_in_local_time()


def test_local_day_that_the_step_does_not_divide_is_refused():
    with pytest.raises(ValueError, match="divide"):
        TimeGrid.local_day(date(2022, 3, 27), step_s=7_200)


def test_split_into_slots_of_no_length_is_refused():
    with pytest.raises(ValueError, match="positive step"):
        TimeGrid(start=NOON, step_s=1_800, count=4).split(0)
