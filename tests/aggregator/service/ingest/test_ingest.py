"""The ingest between a real broker and a real database."""

import json
import threading
import time
from contextlib import contextmanager

import paho.mqtt.client as paho
import pytest
from sqlalchemy import select

from aggregator.service.ingest.ingest import Ingest
from aggregator.service.settings import BrokerSettings, IngestSettings, ServiceSettings
from aggregator.service.store.tables import answers, homes, homes_now, refusals, telemetry
from devices.clock import SystemClock

MINUTE_MS = 60_000


@pytest.fixture
def ingest(mosquitto, tmp_path):
    """Return what starts an ingest on a store."""
    begun = []

    def start(store, **settings):
        made = Ingest(
            ServiceSettings(
                folder=tmp_path,
                broker=BrokerSettings(host="127.0.0.1", port=mosquitto.port, tls=False),
                ingest=IngestSettings(**settings),
            ),
            store=store,
            clock=SystemClock(),
            tell=[].append,
        )
        made.start()
        begun.append(made)
        return made

    yield start
    for each in begun:
        each.stop()
        each.check()


class Gateways:
    """A plain client that speaks for every gateway and hears what the service says."""

    def __init__(self, port):
        self.heard = []
        self.ready = threading.Event()
        self._client = paho.Client(paho.CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        self._client.on_message = lambda client, data, each: self.heard.append(
            (each.topic, json.loads(each.payload))
        )
        self._client.on_subscribe = lambda *_: self.ready.set()
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        self._client.subscribe("gridpact/+/received", 1)
        assert self.ready.wait(20)

    def say(self, home, kind, payload):
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        self._client.publish(f"gridpact/{home}/{kind}", body, qos=1).wait_for_publish(20)

    def receipts(self):
        return sorted((topic, name) for topic, body in self.heard for name in body["ids"])

    def close(self):
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture
def gateways(mosquitto):
    speaking = Gateways(mosquitto.port)
    yield speaking
    speaking.close()


def message(name, home, end_ms, *, last=600.0, **changes):
    end_s = end_ms / 1000
    row = {
        "timestamp": end_s, "device": "storage", "details": "", "quantity": "Active power",
        "direction": "delivered", "unit": "W", "min": 0.0, "max": 900.0, "avg": 571.25,
        "last": last,
    }  # fmt: skip
    return {"id": name, "timestamp": end_s, "device": home, "period_s": 60.0, "dropped": 3,
            "expires": end_s + 604_800, "rows": [row], "receipt": True} | changes  # fmt: skip


def rows(store, table, *columns):
    with store.read() as connection:
        asked = select(*(table.c[name] for name in columns)).order_by(*table.primary_key.columns)
        return [tuple(each) for each in connection.execute(asked)]


@contextmanager
def nobody_writes(store):
    """Hold the database so that no transaction gets through."""
    if not store.is_postgres:
        with store._writer.begin():
            yield
        return
    with store._writer.begin() as connection:
        connection.exec_driver_sql("LOCK TABLE telemetry, homes IN ACCESS EXCLUSIVE MODE")
        yield


def test_what_gateways_say_comes_into_the_store_once_with_its_own_time(
    store, ingest, gateways, waits_until
):
    running = ingest(store)
    waits_until(lambda: running.counts().connected, "no broker")
    now_ms = round(time.time() * 1000)
    late_ms = now_ms - 5 * 86_400_000
    gateways.say("home-1", "status", b"online")
    gateways.say("home-1", "telemetry", message("a-2", "home-1", now_ms))
    gateways.say("home-1", "telemetry", message("a-1", "home-1", late_ms, last=100.0))
    gateways.say("home-1", "telemetry", message("a-2", "home-1", now_ms))
    answer = {"id": "a-3", "timestamp": 5.0, "device": "home-1", "correlation_id": "c-1"}
    gateways.say("home-1", "outcome", answer)
    gateways.say("home-1", "outcome", answer)
    gateways.say("home-1", "telemetry", b"nonsense")
    gateways.say("home-1", "telemetry", message("a-4", "home-2", now_ms))
    gateways.say("stranger", "telemetry", b"nonsense")
    # one of these clocks is wrong: who is told nothing sends it again when it may be taken
    gateways.say("home-1", "telemetry", message("a-5", "home-1", now_ms + 20 * MINUTE_MS))
    gateways.say("home-1", "telemetry", message("a-6", "home-1", late_ms - 40 * 86_400_000))
    waits_until(lambda: running.counts().messages == 11, running.counts)

    assert rows(store, homes, "number", "id") == [(1, "home-1")]
    assert rows(store, telemetry, "home_number", "end_ms", "last") == [
        (1, late_ms, -100.0),
        (1, now_ms, -600.0),
    ]
    assert rows(store, homes_now, "online", "end_ms", "battery_power_w", "soc", "dropped") == [
        (True, now_ms, -600.0, None, 3)
    ]
    assert rows(store, answers, "id", "kind", "correlation_id", "body") == [
        ("a-3", "outcome", "c-1", answer)
    ]
    assert rows(store, refusals, "reason", "sender", "count") == [
        ("in-future", "home-1", 1),
        ("malformed", "*", 1),
        ("malformed", "home-1", 1),
        ("too-old", "home-1", 1),
        ("wrong-device", "home-1", 1),
    ]
    counts = running.counts()
    assert (counts.rows, counts.repeated) == (2, 1)
    assert counts.refused == {"in-future": 1, "malformed": 2, "too-old": 1, "wrong-device": 1}
    waits_until(lambda: len(gateways.receipts()) == 5, gateways.heard)
    assert gateways.receipts() == [("gridpact/home-1/received", f"a-{n}") for n in (1, 2, 2, 4, 6)]


def test_a_home_that_nobody_entered_is_refused_where_homes_are_not_admitted(
    sqlite_store, ingest, gateways, waits_until
):
    running = ingest(sqlite_store, admit=False)
    waits_until(lambda: running.counts().connected, "no broker")
    gateways.say("home-1", "telemetry", message("a-1", "home-1", round(time.time() * 1000)))
    waits_until(lambda: running.counts().messages == 1, running.counts)

    assert rows(sqlite_store, homes, "id") == []
    assert rows(sqlite_store, refusals, "reason", "sender") == [("unknown-home", "*")]


def test_while_nothing_can_be_written_no_more_is_taken_than_may_be_in_flight_and_nothing_is_lost(
    store, ingest, gateways, waits_until
):
    running = ingest(store, in_flight=20, batch_messages=5)
    waits_until(lambda: running.counts().connected, "no broker")
    now_ms = round(time.time() * 1000)
    with nobody_writes(store):
        for number in range(100):
            end_ms = now_ms - number * MINUTE_MS
            gateways.say("home-1", "telemetry", message(f"a-{number}", "home-1", end_ms))
        # at most 5 are in the transaction, the others wait, and the broker keeps 80
        waits_until(lambda: running.counts().waiting >= 15, running.counts)
        assert running.counts().messages == 0
        assert running.counts().waiting <= 20
    waits_until(lambda: running.counts().rows == 100, running.counts)

    assert len(rows(store, telemetry, "end_ms")) == 100
    assert running.counts().repeated == 0


def test_while_the_disk_is_full_nothing_is_acknowledged_and_then_all_of_it_comes(
    sqlite_store, ingest, gateways, waits_until, files_up_to
):
    lines = []
    sqlite_store.news.tell = lines.append
    running = ingest(sqlite_store)
    waits_until(lambda: running.counts().connected, "no broker")
    now_ms = round(time.time() * 1000)
    with files_up_to(4_096):
        for number in range(20):
            end_ms = now_ms - number * MINUTE_MS
            gateways.say("home-1", "telemetry", message(f"a-{number}", "home-1", end_ms))
        waits_until(lambda: running.counts().failures > 1, running.counts)
        assert (running.counts().messages, gateways.receipts()) == (0, [])
    waits_until(lambda: running.counts().rows == 20, running.counts)

    lost, back = lines
    assert lost.startswith(f"store lost: {sqlite_store.name} does not answer (")
    assert back == "store back"
    assert len(rows(sqlite_store, telemetry, "end_ms")) == 20
    waits_until(lambda: len(gateways.receipts()) == 20, gateways.receipts)


def test_what_is_sent_while_the_service_is_away_is_kept_for_it(
    sqlite_store, ingest, gateways, waits_until
):
    first = ingest(sqlite_store)
    waits_until(lambda: first.counts().connected, "no broker")
    gateways.say("home-1", "status", b"online")
    waits_until(lambda: first.counts().messages == 1, first.counts)
    first.stop()
    gateways.say("home-1", "telemetry", message("a-1", "home-1", round(time.time() * 1000)))
    second = ingest(sqlite_store)
    waits_until(lambda: second.counts().messages == 1, second.counts)

    assert second.counts().rows == 1


def test_two_processes_that_share_the_messages_take_each_of_them_once(
    sqlite_store, ingest, gateways, waits_until
):
    both = [ingest(sqlite_store, name=name, share="fleet") for name in ("one", "two")]
    waits_until(lambda: all(each.counts().connected for each in both), "no broker")
    time_ms = round(time.time() * 1000)
    for number in range(20):
        end_ms = time_ms - number * MINUTE_MS
        gateways.say("home-1", "telemetry", message(f"a-{number}", "home-1", end_ms))
    waits_until(lambda: sum(each.counts().messages for each in both) == 20, "not all came")

    assert sum(each.counts().rows for each in both) == 20
    assert all(each.counts().messages for each in both)
    assert len(rows(sqlite_store, telemetry, "end_ms")) == 20
