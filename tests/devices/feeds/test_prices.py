"""Series of prices: steps, holes, days that are no 24 hours, what newer documents replace."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.errors import DeviceReplyError
from devices.feeds.local_days import at_local, day_of, same_hour_before
from devices.feeds.prices import PriceSeries, PriceSlot, series_of, slots_of_begins

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
HOUR, QUARTER = timedelta(hours=1), timedelta(minutes=15)
BERLIN = ZoneInfo("Europe/Berlin")


def slot(hours, price, length=HOUR):
    begin = NOON + hours * HOUR
    return PriceSlot(begin=begin, end=begin + length, price_per_mwh=price)


def test_slots_in_any_order_are_one_series_with_its_hole_and_its_negative_price():
    series = series_of([slot(3, -20.0), slot(0, 50.0), slot(1, 60.0)], currency="EUR")

    assert series == PriceSeries(
        currency="EUR", begin=NOON, step_s=3600, price_per_mwh=(50.0, 60.0, None, -20.0)
    )
    assert [series.at(NOON + n * HOUR) for n in (-1, 0, 2, 3, 4)] == [None, 50.0, None, -20.0, None]
    assert series.holes(NOON, NOON + 5 * HOUR) == (
        (NOON + 2 * HOUR, NOON + 3 * HOUR),
        (NOON + 4 * HOUR, NOON + 5 * HOUR),
    )
    assert series.holes(NOON, NOON + 2 * HOUR) == ()


def test_a_market_that_goes_from_hours_to_quarters_is_one_series_of_quarters():
    begins = {NOON: 40.0, NOON + HOUR: 50.0}
    begins |= {NOON + 2 * HOUR + n * QUARTER: 60.0 + n for n in range(3)}
    series = series_of(slots_of_begins(begins, last_s=900), currency="EUR")

    assert series.step_s == 900
    assert series.price_per_mwh == (*(40.0,) * 4, *(50.0,) * 4, 60.0, 61.0, 62.0)


def test_a_hole_does_not_make_its_neighbours_longer():
    begins = {NOON + n * QUARTER: 1.0 * n for n in (0, 1, 5, 6)}
    series = series_of(slots_of_begins(begins, last_s=900), currency="EUR")

    assert series.price_per_mwh == (0.0, 1.0, None, None, None, 5.0, 6.0)


def test_two_prices_of_one_time_are_refused_and_equal_ones_are_not():
    with pytest.raises(DeviceReplyError, match="2026-06-01 12:00 contradict each other"):
        series_of([slot(0, 1.0), slot(0, 2.0)], currency="EUR")

    assert series_of([slot(0, 1.0), slot(0, 1.0)], currency="EUR").price_per_mwh == (1.0,)


def test_a_newer_document_replaces_what_it_tells_and_nothing_else():
    older = series_of([slot(0, 1.0), slot(1, 2.0), slot(2, 3.0)], currency="EUR")
    newer = series_of([slot(1, 9.0, QUARTER)], currency="EUR")

    assert older.joined(newer).price_per_mwh == (*(1.0,) * 4, 9.0, *(2.0,) * 3, *(3.0,) * 4)
    with pytest.raises(DeviceReplyError, match="prices in GBP do not go on from EUR"):
        older.joined(PriceSeries.empty("GBP"))


@given(st.lists(st.floats(-500, 4_000) | st.none(), min_size=1, max_size=60))
def test_what_is_told_slot_by_slot_comes_back(prices):
    slots = [slot(n, price) for n, price in enumerate(prices) if price is not None]
    series = series_of(slots, currency="EUR")

    assert [series.at(NOON + n * HOUR) for n in range(len(prices))] == prices
    assert series_of(series.slots(), currency="EUR") == series
    assert series.between(series.begin, series.end) == series


@pytest.mark.parametrize(
    ("begin", "end", "price", "complaint"),
    [
        (NOON, NOON, 1.0, "no time of whole minutes"),
        (NOON, NOON + timedelta(seconds=30), 1.0, "no time of whole minutes"),
        (NOON.replace(tzinfo=None), NOON, 1.0, "a time has no zone"),
        (NOON, NOON + HOUR, float("nan"), "which cannot be"),
        (NOON, NOON + HOUR, 1e9, "which cannot be"),
    ],
)
def test_a_slot_that_cannot_be_is_refused(begin, end, price, complaint):
    with pytest.raises(DeviceReplyError, match=complaint):
        PriceSlot(begin=begin, end=end, price_per_mwh=price)


@pytest.mark.parametrize(
    ("noon", "hours"),
    [
        (datetime(2026, 3, 29, 10, tzinfo=UTC), 23),
        (datetime(2026, 6, 1, 10, tzinfo=UTC), 24),
        (datetime(2026, 10, 25, 10, tzinfo=UTC), 25),
    ],
)
def test_a_market_day_is_as_long_as_its_clock_says(noon, hours):
    begin, end = day_of(noon, BERLIN)

    assert (end - begin, begin.astimezone(BERLIN).hour) == (hours * HOUR, 0)


def test_the_same_hour_of_the_day_before_is_by_the_local_clock():
    after_change = datetime(2026, 10, 26, 7, tzinfo=UTC)  # 08:00 in winter
    skipped = datetime(2026, 3, 30, 0, 30, tzinfo=UTC)  # 02:30, which the day before did not have

    assert same_hour_before(after_change, BERLIN, days=1) == datetime(2026, 10, 25, 7, tzinfo=UTC)
    assert same_hour_before(after_change, BERLIN, days=2) == datetime(2026, 10, 24, 6, tzinfo=UTC)
    assert same_hour_before(skipped, BERLIN, days=1) == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)


def test_the_next_publication_is_today_or_tomorrow_by_the_local_clock():
    one = time(13)

    assert at_local(datetime(2026, 6, 1, 10, tzinfo=UTC), one, BERLIN).hour == 11
    assert at_local(datetime(2026, 6, 1, 12, tzinfo=UTC), one, BERLIN).day == 2
