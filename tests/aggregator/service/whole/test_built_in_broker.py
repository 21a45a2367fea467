"""The built-in broker, asked by clients who want what is not theirs."""

import asyncio
import threading
from datetime import UTC, datetime, timedelta

import paho.mqtt.client as paho
import pytest

from aggregator.service.broker import BuiltInBroker, may_be
from aggregator.service.credentials import SERVICE, BrokerUsers
from aggregator.service.settings import BrokerSettings
from contracts.local.local_node import free_port
from devices.adapter.certificates import make_certificates

LONG_S = 60.0
ROOT = "gridpact"
OURS = "gridpact-service"
MANY = 100


class Client:
    """A client at the broker; its password is its name."""

    def __init__(self, port, ca, name, client_id, *, password=None, clean=True, topics=()):
        self.heard, self.answer = [], None
        self._answered, self._listens = threading.Event(), threading.Event()
        self._client = paho.Client(
            paho.CallbackAPIVersion.VERSION2, client_id=client_id, clean_session=clean
        )
        self._client.tls_set(ca)
        self._client.username_pw_set(name, password or name)
        self._client.on_connect = self._connected
        self._client.on_message = self._message
        self._client.on_subscribe = lambda *_: self._listens.set()
        self._topics = topics
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        assert self._answered.wait(LONG_S)
        assert not topics or self._listens.wait(LONG_S)

    def _connected(self, client, data, flags, reason, properties):
        self.answer = str(reason)
        if self._topics:
            client.subscribe([(each, 1) for each in self._topics])
        self._answered.set()

    def _message(self, client, data, message):
        self.heard.append((message.topic, message.payload))

    def say(self, topic, payload, *, retain=False):
        self._client.publish(topic, payload, 1, retain).wait_for_publish(LONG_S)

    def pass_on(self, topic, payload):
        self._client.publish(topic, payload, 1)

    def ask(self, topic):
        self._client.subscribe(topic, 1)

    def close(self):
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    """Return the port and the authority of a broker that lets in us and two gateways."""
    folder = tmp_path_factory.mktemp("broker")
    tls = make_certificates(
        folder / "tls", hosts=("127.0.0.1",), now=datetime.now(UTC) - timedelta(minutes=5)
    )
    users = BrokerUsers(folder / "users")
    for name in (SERVICE, "home-1", "home-2"):
        users.add(name, name)
    settings = BrokerSettings(port=free_port())
    broker = BuiltInBroker(settings, users=folder / "users", tls=tls)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    def run(coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, loop).result(LONG_S)

    run(broker.start())
    yield settings.port, str(tls.ca)
    run(broker.stop())
    loop.call_soon_threadsafe(loop.stop)
    thread.join(LONG_S)
    loop.close()


@pytest.fixture
def client(broker):
    """Return what connects a client."""
    made = []

    def connect(name, client_id, **more):
        made.append(Client(*broker, name, client_id, **more))
        return made[-1]

    yield connect
    for each in made:
        each.close()


def test_a_gateway_hears_nothing_that_is_kept_of_another_one(client, waits_until):
    service = client(SERVICE, OURS, topics=[f"{ROOT}/+/status"])
    service.say(f"{ROOT}/received", b"offered", retain=True)
    other = client("home-1", "gridpact-home-1")
    other.say(f"{ROOT}/home-1/status", b"online", retain=True)
    waits_until(lambda: service.heard, "the broker keeps nothing")

    gateway = client("home-2", "gridpact-home-2", topics=[f"{ROOT}/received"])

    waits_until(lambda: gateway.heard, "the offer was not kept")
    assert gateway.heard == [(f"{ROOT}/received", b"offered")]


def test_nobody_ends_another_s_session_or_goes_on_with_it(client, waits_until):
    service = client(SERVICE, OURS, clean=False, topics=[f"{ROOT}/+/status"])
    away = client("home-1", "its own", clean=False, topics=[f"{ROOT}/home-1/command"])
    away.close()

    tried = [
        client(name, client_id, password=password, clean=clean).answer
        for name, password, client_id in (
            ("home-2", "home-2", OURS),
            ("home-2", "home-2", "gridpact-home-1"),
            ("home-2", "home-2", "its own"),
            (SERVICE, "guessed", OURS),
            ("nobody", "nobody", OURS),
        )
        for clean in (True, False)
    ]

    assert tried == ["Not authorized"] * 10
    client("home-2", "gridpact-home-2").say(f"{ROOT}/home-2/status", b"online")
    waits_until(lambda: (f"{ROOT}/home-2/status", b"online") in service.heard, service.heard)
    back = client("home-1", "its own", clean=False)
    service.say(f"{ROOT}/home-1/command", b"stop")
    waits_until(lambda: back.heard == [(f"{ROOT}/home-1/command", b"stop")], back.heard)


def test_nothing_is_lost_while_others_come_and_ask(client, waits_until):
    client(SERVICE, "gridpact-first", topics=[f"{ROOT}/home-1/+"])
    service = client(SERVICE, OURS, topics=[f"{ROOT}/+/telemetry"])
    gateway, busy = client("home-1", "gridpact-home-1"), client("home-2", "gridpact-home-2")
    for number in range(MANY):
        gateway.pass_on(f"{ROOT}/home-1/telemetry", b"%d" % number)
        busy.ask(f"{ROOT}/home-2/command/{number}")
    waits_until(lambda: len(service.heard) >= MANY, lambda: len(service.heard))

    told = [(f"{ROOT}/home-1/telemetry", b"%d" % number) for number in range(MANY)]
    assert sorted(service.heard) == sorted(told)


@pytest.mark.parametrize(
    ("name", "client_id", "may"),
    [
        (SERVICE, OURS, True),
        (SERVICE, "gridpact-east-commands", True),
        ("home-1", "gridpact-home-1", True),
        ("home-1", "gridpact-home-10", False),
        ("home-1", "gridpact-", False),
        ("home-1", "explorer", True),
        ("home-1", "", True),
    ],
)
def test_a_gateway_s_name_at_the_broker_is_its_own(name, client_id, may):
    assert may_be(name, client_id) is may
