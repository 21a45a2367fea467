"""Many devices read over and over, each in its own moment."""

import asyncio

from devices.errors import DeviceUnavailableError
from devices.hand_clock import HandClock
from devices.polling import Polled, poll


def heard_of(reads, *, clock, rounds, until_s):
    """Poll until a time and return what was heard."""
    heard = []

    async def run():
        polling = asyncio.ensure_future(
            poll(reads(clock), heard.append, clock=clock, rounds=rounds)
        )
        await asyncio.sleep(0.01)
        while clock.monotonic_s() < until_s and not polling.done():
            await clock.advance(0.25)
        await polling

    asyncio.run(run())
    return heard


def test_devices_are_read_in_turn_spread_over_the_period():
    moments = []

    def reads(clock):
        async def read(index):
            moments.append((clock.monotonic_s(), index))
            return index

        return [lambda index=index: read(index) for index in range(4)]

    heard = heard_of(reads, clock=HandClock(), rounds=2, until_s=3)

    assert moments == [(round_s + index / 4, index) for round_s in (0, 1) for index in range(4)]
    assert (
        heard
        == [Polled(index=index, late_s=0.0, answer=index, error=None) for index in range(4)] * 2
    )


def test_a_device_that_does_not_answer_stops_nobody():
    gone = DeviceUnavailableError("gone")

    def reads(clock):
        async def good():
            return 1

        async def bad():
            raise gone

        return [good, bad]

    heard = heard_of(reads, clock=HandClock(), rounds=2, until_s=3)

    assert [(each.index, each.answer, each.error) for each in heard] == [
        (0, 1, None),
        (1, None, gone),
    ] * 2


def test_a_slow_device_misses_turns_and_is_not_asked_twice_at_once():
    def reads(clock):
        async def slow():
            await clock.sleep(1.5)
            return clock.monotonic_s()

        return [slow]

    heard = heard_of(reads, clock=HandClock(), rounds=4, until_s=6)

    assert [(each.late_s, each.answer, each.missed) for each in heard] == [
        (1.5, 1.5, 1),
        (1.5, 3.5, 1),
    ]


def test_turns_after_the_last_round_are_not_missed():
    def reads(clock):
        async def slow():
            await clock.sleep(5.5)
            return clock.monotonic_s()

        return [slow]

    heard = heard_of(reads, clock=HandClock(), rounds=3, until_s=7)

    assert [(each.late_s, each.answer, each.missed) for each in heard] == [(5.5, 5.5, 2)]
