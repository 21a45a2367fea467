"""Bounded queues: nobody waits for a slow client, and who comes back goes on."""

import asyncio
import threading

from aggregator.service.rest.hub import EventHub

LONG_S = 30.0


def on_a_loop(story):
    """Run a test that waits."""

    def test():
        asyncio.run(story())

    return test


async def bodies(watcher):
    return [event.told_to(watcher.home) for event in await watcher.next(LONG_S)]


@on_a_loop
async def test_each_reads_what_concerns_it():
    hub = EventHub("run")
    fleet, one = hub.watch(None), hub.watch("home-1")

    hub.publish("values", {"all": 1}, {"home-1": {"own": 1}, "home-2": {"own": 2}})
    hub.publish("values", {"all": 2}, {"home-2": {"own": 3}})

    assert await bodies(fleet) == [b'{"all":1}', b'{"all":2}']
    assert await bodies(one) == [b'{"own":1}']


@on_a_loop
async def test_who_comes_back_reads_what_it_missed():
    hub = EventHub("run")
    for number in range(1, 4):
        hub.publish("values", {"n": number})

    back = hub.watch(None, "run-1")

    assert back.lost is False
    assert await bodies(back) == [b'{"n":2}', b'{"n":3}']
    assert hub.watch(None, "run-3").lost is False


@on_a_loop
async def test_who_missed_too_much_is_told_so():
    hub = EventHub("run", kept=2)
    for number in range(1, 5):
        hub.publish("values", {"n": number})

    told = {
        given: hub.watch(None, given).lost
        for given in (
            "run-1",
            "run-2",
            "run-9",
            "earlier-2",
            "",
            "run-",
            "run-x",
            "run-" + "9" * 30,
        )
    }

    assert told == {given: given != "run-2" for given in told}


@on_a_loop
async def test_a_slow_client_is_let_go_and_the_others_are_told():
    hub = EventHub("run", queue=3)
    slow, quick = hub.watch(None), hub.watch(None)
    for number in range(3):
        hub.publish("values", {"n": number})
    await bodies(quick)

    hub.publish("values", {"n": 3})

    assert await slow.next(LONG_S) is None
    assert await bodies(quick) == [b'{"n":3}']
    assert (hub.watching, hub.let_go) == (1, 1)


@on_a_loop
async def test_no_more_watch_than_there_is_room_for():
    hub = EventHub("run", watchers=1)
    first = hub.watch(None)

    assert hub.watch(None) is None
    hub.leave(first)
    assert hub.watch(None) is not None


@on_a_loop
async def test_nobody_takes_the_places_of_all_others():
    hub = EventHub("run", each=2)
    taken = [hub.watch(None, who="one") for _ in range(3)]

    assert [watcher is not None for watcher in taken] == [True, True, False]
    assert hub.watch(None, who="other") is not None
    hub.release(taken[0])
    assert hub.watch(None, who="one") is not None


@on_a_loop
async def test_nothing_is_lost_between_threads():
    hub = EventHub("run", queue=10_000)
    watcher = hub.watch(None)

    def tell():
        for _ in range(500):
            hub.publish("values", {})

    threads = [threading.Thread(target=tell) for _ in range(4)]
    for thread in threads:
        thread.start()
    numbers = []
    while len(numbers) < 2000:
        came = await watcher.next(LONG_S)
        assert came, "an event was not told"
        numbers += [event.number for event in came]
    for thread in threads:
        thread.join()

    assert numbers == list(range(1, 2001))


@on_a_loop
async def test_all_are_let_go_when_the_service_ends():
    hub = EventHub("run")
    watcher = hub.watch(None)
    waiting = asyncio.create_task(watcher.next(LONG_S))
    await asyncio.sleep(0)

    hub.close()

    assert await waiting is None
