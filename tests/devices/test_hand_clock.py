"""The clock that stands still: who sleeps is woken in order, and works before time moves on."""

import asyncio
from datetime import UTC, datetime, timedelta

from devices.hand_clock import HandClock


def test_time_stands_until_it_is_moved_and_the_day_moves_with_it():
    async def story():
        clock = HandClock()
        before = clock.monotonic_s(), clock.utc()
        await clock.advance(90)
        return before, (clock.monotonic_s(), clock.utc())

    noon = datetime(2026, 6, 1, 12, tzinfo=UTC)
    assert asyncio.run(story()) == ((0.0, noon), (90.0, noon + timedelta(seconds=90)))


def test_sleepers_wake_at_their_times_in_their_order():
    async def story():
        clock, woken = HandClock(), []

        async def sleep(name, seconds):
            await clock.sleep(seconds)
            woken.append((name, clock.monotonic_s()))

        tasks = [asyncio.ensure_future(sleep(*each)) for each in (("c", 3), ("a", 1), ("b", 1))]
        await clock.advance(2)
        early = list(woken)
        await clock.advance(1)
        await asyncio.gather(*tasks)
        return early, woken

    early, woken = asyncio.run(story())
    assert early == [("a", 1), ("b", 1)]
    assert woken == [("a", 1), ("b", 1), ("c", 3)]


def test_one_who_sleeps_again_is_woken_again_within_one_move():
    async def story():
        clock, ticks = HandClock(), []

        async def tick():
            while True:
                await clock.sleep(10)
                ticks.append(clock.monotonic_s())

        task = asyncio.ensure_future(tick())
        await clock.advance(35)
        task.cancel()
        return ticks

    assert asyncio.run(story()) == [10, 20, 30]


def test_one_who_is_woken_may_use_a_socket_before_time_moves_on():
    async def story():
        clock, heard = HandClock(), []

        async def serve(reader, writer):
            heard.append((await reader.readline(), clock.monotonic_s()))
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]

        async def speak():
            await clock.sleep(1)
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"one second\n")
            await writer.drain()
            writer.close()
            await writer.wait_closed()

        task = asyncio.ensure_future(speak())
        await clock.advance(100)
        await task
        server.close()
        await server.wait_closed()
        return heard

    assert asyncio.run(story()) == [(b"one second\n", 1.0)]


def test_no_time_to_sleep_lets_others_work_and_passes_none():
    async def story():
        clock, order = HandClock(), []

        async def other():
            order.append("other")

        task = asyncio.ensure_future(other())
        await clock.sleep(0)
        order.append("slept")
        await task
        return order, clock.monotonic_s()

    assert asyncio.run(story()) == (["other", "slept"], 0.0)


def test_turns_say_how_long_one_who_is_woken_may_take():
    async def story(turns):
        clock, done = HandClock(turns=turns), asyncio.Event()

        async def work():
            await clock.sleep(1)
            for _ in range(20):
                await asyncio.sleep(0.004)
            done.set()

        task = asyncio.ensure_future(work())
        await clock.advance(1)
        before = done.is_set()
        await task
        return before

    assert asyncio.run(story(2)) is False
    assert asyncio.run(story(5_000)) is True
