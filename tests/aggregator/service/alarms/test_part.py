"""The part as the service runs it, and what those who watch hear of it."""

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import replace

from msgspec import json

from aggregator.service.alarms.book import AlarmBook
from aggregator.service.alarms.gauges import BrokerGauge, HeardGauge, LedgerGauge, Reading
from aggregator.service.alarms.news import AlarmNews
from aggregator.service.alarms.part import AlarmsPart
from aggregator.service.alarms.patrol import Patrol
from aggregator.service.alarms.rules import rules_of
from aggregator.service.ingest.counts import Counting
from aggregator.service.rest.hub import EventHub
from aggregator.service.serve import House
from aggregator.service.settings import ServiceSettings
from aggregator.service.store.store import open_store
from devices.clock import SystemClock

LONG_S = 30.0


def test_it_waits_for_the_database_and_looks_until_it_is_stopped_whoever_takes_no_message(
    quick_fleet, fleet_in, tmp_path, waits_until, secret_file
):
    quick_fleet.homes(1)
    quick_fleet.told(1, soc=0.5)  # in a past that is long silent by now
    ready, path = tmp_path / "service.db", tmp_path / "later.db"
    store = open_store(f"sqlite:///{path}")
    lines = []
    table = {
        "each_s": 1,
        "silent_s": 1,
        "gather_s": 0,
        "channel_lost_s": 0,
        "webhook_url": "http://127.0.0.1:1/",  # nobody is there
        "webhook_secret_file": str(secret_file),
    }
    house = House(
        settings=ServiceSettings(folder=tmp_path, tables={"alarms": table}),
        store=store,
        clock=SystemClock(),
        tell=lines.append,
    )
    part = AlarmsPart(house)

    def told():
        return fleet_in(store).alarms()

    async def story():
        await part.start()
        try:
            await asyncio.to_thread(waits_until, path.exists, "it did not look")
            await asyncio.sleep(0.1)
            part.check()
            with closing(sqlite3.connect(ready)) as here, closing(sqlite3.connect(path)) as there:
                here.backup(there)
            await asyncio.to_thread(waits_until, lambda: len(told()) == 2, "no alarm")
            part.check()
        finally:
            await part.stop()

    asyncio.run(story())
    # nobody at all was heard, so that it is no home's silence
    assert told() == [("broker", None, "raised"), ("channel", None, "raised")]
    why = "webhook: ConnectionError; see to the server or [alarms] webhook_url"
    assert lines == [f"alarms not told: {why}"]
    ((line,), *_) = fleet_in(store).alarms("line")[1:]
    assert line.endswith(f" s, more than 0 s ({why})")
    store.close()


def test_those_who_watch_hear_what_begins_what_is_seen_and_what_is_over(quick_fleet, settings):
    hub = EventHub("run")
    news, book = AlarmNews(quick_fleet.store, hub), AlarmBook(quick_fleet.store)
    patrol = Patrol(quick_fleet.store, rules_of(settings), {})
    quick_fleet.homes(2)
    quick_fleet.told(1, 2, soc=1.5)

    async def watched():
        everything, own = hub.watch(None), hub.watch("home-2")
        news.look()
        patrol.look(quick_fleet.now_ms)
        news.look()
        news.look()
        book.acknowledge(1, who="token-1", at_ms=1)
        news.look()
        book.resolve(2, who="token-1", at_ms=1)
        news.look()
        return (
            [json.decode(each.whole) for each in await everything.next(LONG_S)],
            [json.decode(each.by_home["home-2"]) for each in await own.next(LONG_S)],
        )

    told, own = asyncio.run(watched())
    assert [[alarm["home"] for alarm in each["raised"]] for each in told] == [
        ["home-1", "home-2"], [], [],
    ]  # fmt: skip
    assert [(each["standing"], each["acknowledged"], each["resolved"]) for each in told] == [
        (2, [], []),
        (2, [1], []),
        (1, [], [2]),
    ]
    assert [(each["number"], each["kind"]) for each in own] == [(2, "soc")]


def test_a_broker_is_away_from_when_it_was_first_missed():
    counts = Counting().now(waiting=0, connected=True)
    gauge = BrokerGauge(lambda: counts)
    assert gauge(1_000) == Reading(0.0)
    counts = replace(counts, connected=False)
    assert [gauge(at_ms) for at_ms in (2_000, 5_000)] == [Reading(0.0), Reading(3.0)]
    counts = replace(counts, connected=True)
    assert gauge(6_000) == Reading(0.0)


def test_who_hears_by_other_processes_takes_it_for_deafness_when_nobody_at_all_speaks(quick_fleet):
    gauge = HeardGauge(quick_fleet.store)
    quick_fleet.homes(2)
    assert gauge(quick_fleet.now_ms) is None
    quick_fleet.told(1, soc=0.5)
    quick_fleet.now_ms += 60_000
    quick_fleet.told(2, soc=0.5)
    quiet = [gauge(quick_fleet.now_ms + after_s * 1000).value for after_s in (-60, 180, 181)]

    assert quiet == [0.0, 0.0, 181.0]


def test_a_node_that_does_not_answer_leaves_the_ledger_behind_from_then_on():
    gauge = LedgerGauge("http://127.0.0.1:1")
    first, second = gauge(10_000), gauge(70_000)

    assert (first.value, second.value) == (0.0, 60.0)
    assert "127.0.0.1:1" in second.note
    assert "\n" not in second.note
