"""Roll-ups against pandas: late data, repeated data and repeated roll-ups make no difference."""

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import select

from aggregator.service.store.retention import RetentionSettings, forget_old
from aggregator.service.store.rollups import SETTLED_MS, due_since_ms, roll_up
from aggregator.service.store.tables import telemetry, telemetry_1day
from aggregator.service.store.telemetry import (
    DAY_MS,
    MINUTE_MS,
    QUARTER_MS,
    ROLLUPS,
    numbers_of,
    write_measurements,
)

START_MS = 1_780_272_000_000  # a midnight, UTC
KEY = ["home_number", "channel_number", "start_ms"]
LATER_MS = START_MS + 10 * DAY_MS


def random_rows(seed, count):
    """Return rows of two days, with periods of two lengths and times that come twice."""
    rng = np.random.default_rng(seed)
    ends = START_MS + rng.integers(0, 2 * DAY_MS // 20_000, count) * 20_000
    ends[: count // 2] = START_MS + rng.integers(0, 200, count // 2) * 20_000
    rows = {}
    for number in range(count):
        low, mean, high = sorted(float(value) for value in rng.normal(0, 1e3, 3))
        last = float(rng.uniform(low, high))
        home, channel = int(rng.integers(1, 4)), int(rng.integers(1, 3))
        period_ms = int(rng.choice([20_000, 60_000]))
        key = (home, int(ends[number]), channel)
        rows.setdefault(key, (*key, period_ms, low, high, mean, last))
    return list(rows.values())


def by_pandas(rows, size_ms):
    """Return what a roll-up of all rows at once gives."""
    names = [column.name for column in telemetry.columns]
    frame = pd.DataFrame(rows, columns=names).sort_values("end_ms")
    frame["start_ms"] = (frame.end_ms - 1) // size_ms * size_ms
    frame["weighted"] = frame["mean"] * frame.period_ms
    found = frame.groupby(KEY).agg(
        covered_ms=("period_ms", "sum"),
        last_ms=("end_ms", "max"),
        low=("low", "min"),
        high=("high", "max"),
        mean=("weighted", "sum"),
        last=("last", "last"),
    )
    found["mean"] /= found.covered_ms
    return found.reset_index()


def stored(store, table):
    with store.read() as connection:
        rows = connection.execute(select(table).order_by(*table.primary_key.columns)).all()
    return pd.DataFrame(rows, columns=[column.name for column in table.columns])


def write(store, rows):
    with store.write() as connection:
        return write_measurements(connection, rows)


@pytest.mark.parametrize("seed", [1, 2])
def test_minutes_quarters_and_days_are_those_of_pandas_however_late_the_rows_came(store, seed):
    rows = random_rows(seed, 900)
    early, late = rows[: len(rows) * 2 // 3], rows[len(rows) * 2 // 3 :]
    assert write(store, early) == len(early)
    assert roll_up(store, now_ms=LATER_MS, most=200) > 0
    assert write(store, late) == len(late)
    assert write(store, rows) == 0  # a redelivery
    assert roll_up(store, now_ms=LATER_MS) > 0

    for size_ms, table in ROLLUPS.items():
        pd.testing.assert_frame_equal(
            stored(store, table), by_pandas(rows, size_ms), check_dtype=False, rtol=1e-12
        )
    with store.read() as connection:
        assert due_since_ms(connection) is None
    assert roll_up(store, now_ms=LATER_MS) == 0


def test_a_row_that_is_there_stays_as_it_is(store):
    first = (1, START_MS + 60_000, 1, 60_000, 1.0, 3.0, 2.0, 3.0)
    assert write(store, [first]) == 1
    assert write(store, [(*first[:4], 7.0, 9.0, 8.0, 9.0), (*first[:4], 5.0, 5.0, 5.0, 5.0)]) == 0

    with store.read() as connection:
        assert [tuple(each) for each in connection.execute(select(telemetry))] == [first]


def test_a_bin_waits_for_its_end_and_a_period_that_ends_with_it_is_in_it(sqlite_store):
    end_ms = START_MS + MINUTE_MS
    write(sqlite_store, [(1, end_ms, 1, 60_000, 1.0, 3.0, 2.0, 2.5)])

    assert roll_up(sqlite_store, now_ms=end_ms + SETTLED_MS - 1) == 0
    assert roll_up(sqlite_store, now_ms=end_ms + SETTLED_MS) == 1

    with sqlite_store.read() as connection:
        minutes = connection.execute(select(ROLLUPS[MINUTE_MS])).all()
    assert [tuple(each) for each in minutes] == [
        (1, 1, START_MS, 60_000, end_ms, 1.0, 3.0, 2.0, 2.5)
    ]
    assert stored(sqlite_store, ROLLUPS[QUARTER_MS]).empty


def test_what_is_old_goes_but_not_before_it_was_rolled_up_and_days_stay(store):
    with store.write() as connection:
        numbers_of(connection, ["home-1"], now_ms=START_MS, admit=True)
    rows = [(1, START_MS + 3600_000 + n * DAY_MS, 1, 60_000, 1.0, 3.0, 2.0, 3.0) for n in range(30)]
    write(store, rows)
    settings = RetentionSettings(raw_days=10, minute_days=15, quarter_days=20)
    now_ms = START_MS + 30 * DAY_MS

    assert sum(forget_old(store, settings, now_ms=now_ms)) == 0
    roll_up(store, now_ms=now_ms + DAY_MS)
    gone = sum(forget_old(store, settings, now_ms=now_ms))

    left = [len(stored(store, table)) for table in (telemetry, *ROLLUPS.values())]
    assert (left, gone) == ([10, 15, 20, 30], 20 + 15 + 10)
    assert stored(store, telemetry_1day)["mean"].tolist() == [2.0] * 30


def test_late_rows_are_taken_only_while_their_day_can_be_made_anew():
    settings = RetentionSettings(raw_days=10)
    now_ms = START_MS + 30 * DAY_MS + 12_345
    assert settings.accepts_from_ms(now_ms) == START_MS + 21 * DAY_MS + 12_345


@pytest.mark.parametrize("days", [(8, 90, 900), (30, 20, 900), (30, 90, 80)])
def test_coarser_rows_are_kept_at_least_as_long_as_finer_ones(days):
    raw, minute, quarter = days
    with pytest.raises(ValueError, match=f"are {raw}, {minute}, {quarter}; give 9 or more"):
        RetentionSettings(raw_days=raw, minute_days=minute, quarter_days=quarter)
