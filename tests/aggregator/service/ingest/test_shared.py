"""Several processes share the messages; the part of one that has gone for good is not kept long."""

import json
import time

import paho.mqtt.client as paho
import pytest
from sqlalchemy import func, select

from aggregator.service.ingest.ingest import Ingest
from aggregator.service.settings import BrokerSettings, IngestSettings, ServiceSettings
from aggregator.service.store.tables import telemetry
from devices.clock import SystemClock

BURST = 8
LONG_S = 60.0


@pytest.fixture
def member(mosquitto, sqlite_store, tmp_path):
    """Return what starts one of the processes that share the messages."""
    begun = []

    def start(name):
        made = Ingest(
            ServiceSettings(
                folder=tmp_path,
                broker=BrokerSettings(host="127.0.0.1", port=mosquitto.port, tls=False),
                ingest=IngestSettings(name=name, share="all", session_s=1),
            ),
            store=sqlite_store,
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


@pytest.fixture
def say(mosquitto):
    """Return what sends a burst of messages that no one was sent before."""
    client = paho.Client(paho.CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
    client.connect("127.0.0.1", mosquitto.port)
    client.loop_start()
    sent = []

    def burst():
        for _ in range(BURST):
            sent.append(time.time() - 3_600 + len(sent))
            body = {
                "id": f"a-{len(sent)}", "device": "home-1", "timestamp": sent[-1],
                "period_s": 1.0, "rows": [{
                    "timestamp": sent[-1], "device": "storage", "details": "", "unit": "%",
                    "quantity": "State of charge", "min": 1.0, "max": 3.0, "avg": 2.0, "last": 2.0,
                }],
            }  # fmt: skip
            told = client.publish("gridpact/home-1/telemetry", json.dumps(body), qos=1)
            told.wait_for_publish(LONG_S)
        return len(sent)

    yield burst
    client.disconnect()
    client.loop_stop()


def test_two_processes_share_and_one_takes_all_once_the_others_session_is_over(
    member, say, sqlite_store, waits_until
):
    def rows():
        with sqlite_store.read() as connection:
            return connection.execute(select(func.count()).select_from(telemetry)).scalar()

    one, other = member("ingest-0"), member("ingest-1")
    waits_until(lambda: one.counts().connected and other.counts().connected, "no broker")
    sent = say()
    waits_until(lambda: rows() == sent, "not all came")
    shared = (one.counts().messages, other.counts().messages)
    other.stop()
    # what it was dealt after it went is given up with its session: gateways send that again
    deadline_s = time.monotonic() + LONG_S
    while True:
        before = rows()
        say()
        time.sleep(0.5)
        if rows() == before + BURST:
            break
        assert time.monotonic() < deadline_s, "the session is kept"

    assert sum(shared) == BURST
    assert min(shared) > 0
    assert other.counts().messages == shared[1]
