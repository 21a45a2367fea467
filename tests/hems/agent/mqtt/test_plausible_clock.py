"""A clock is doubted when it is earlier than it was, and believed again in the end."""

from datetime import UTC, datetime, timedelta

from hems.agent.health import Health
from hems.agent.mqtt.plausible_clock import PlausibleClock
from hems.agent.store import Store

START = datetime(2026, 11, 1, 12, tzinfo=UTC)


class SetClock:
    """A clock whose time of day can be set, as NTP does."""

    def __init__(self, utc=START):
        self._utc = utc
        self._monotonic_s = 0.0

    def utc(self):
        return self._utc

    def monotonic_s(self):
        return self._monotonic_s

    def set(self, **shift):
        self._utc += timedelta(**shift)

    def run(self, minutes, watch):
        for _ in range(minutes):
            self._utc += timedelta(minutes=1)
            self._monotonic_s += 60
            watch.look()


def watch_of(clock, store):
    return PlausibleClock(clock, store=store, health=Health([].append))


def test_a_clock_before_this_program_was_written_is_doubted():
    clock = SetClock(datetime(1970, 1, 1, tzinfo=UTC))
    doubt = watch_of(clock, Store()).doubt()

    assert doubt == (
        "the gateway's clock says 1970-01-01 00:00 UTC and it was 2026-01-01 00:00 before; see "
        "that it reaches a time server"
    )


def test_a_clock_that_starts_before_the_time_it_had_is_doubted_until_it_is_put_right():
    clock, store = SetClock(), Store()
    watch = watch_of(clock, store)
    clock.run(180, watch)
    clock.set(hours=-2)

    again = watch_of(clock, store)
    assert again.doubt() is not None
    clock.set(hours=2)
    assert again.doubt() is None


def test_an_hour_ahead_for_less_than_an_hour_is_not_remembered():
    clock = SetClock()
    watch = watch_of(clock, Store())
    clock.run(120, watch)
    clock.set(hours=1)
    clock.run(30, watch)
    clock.set(hours=-1)

    assert watch.doubt() is None


def test_a_clock_that_was_a_year_ahead_for_long_is_believed_a_day_after_it_was_put_right():
    clock = SetClock()
    watch = watch_of(clock, Store())
    clock.set(days=365)
    clock.run(180, watch)
    clock.set(days=-365)
    assert watch.doubt() is not None
    clock.run(23 * 60, watch)
    assert watch.doubt() is not None
    clock.run(62, watch)

    assert watch.doubt() is None


def test_a_second_of_correction_is_no_reason_for_doubt():
    clock = SetClock()
    watch = watch_of(clock, Store())
    clock.run(180, watch)
    clock.set(seconds=-30)

    assert watch.doubt() is None
