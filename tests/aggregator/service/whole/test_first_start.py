"""`gridpact serve` from nothing: it makes its secrets, hears a gateway, and ends when told."""

import re
import signal
import ssl
import stat
import threading
import time

import paho.mqtt.client as paho
import pytest
from sqlalchemy import select

from aggregator.service.broker import may_use
from aggregator.service.serve import known_tables
from aggregator.service.settings import read_service
from aggregator.service.store.store import open_store
from aggregator.service.store.tables import telemetry, tokens
from contracts.local.local_node import free_port
from scenarios.bench.service_load import payload
from scenarios.bench.service_world import GRIDPACT, Process, started_service
from scenarios.cli import main

LONG_S = 60.0


class Serving:
    """The service with its built-in broker, as a process."""

    def __init__(self, folder):
        self.folder, self.port = folder / "service", free_port()
        self.config = folder / "service.toml"
        self.config.write_text(f"[broker]\nport = {self.port}\n[rest]\nport = 0\n")
        self.words = ["serve", "--config", str(self.config), "--folder", str(self.folder)]
        self.log = folder / "service.log"
        self.runs = None

    def start(self, *words):
        self.runs = Process([*GRIDPACT, *self.words, *words], self.log)
        started_service(self.runs)

    def do(self, *words):
        with pytest.raises(SystemExit) as left:
            main([*self.words, *words])
        return left.value.code or 0

    def stop(self):
        self.runs.process.send_signal(signal.SIGTERM)
        return self.runs.process.wait(LONG_S)

    def gateway(self, password):
        """Return a connected client and what the broker answered."""
        answered, answers = threading.Event(), []
        client = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id="gridpact-home-1")
        client.tls_set_context(ssl.create_default_context(cafile=self.folder / "tls" / "ca.pem"))
        client.username_pw_set("home-1", password)
        client.on_connect = lambda _, __, ___, reason, ____: (
            answers.append(reason.is_failure),
            answered.set(),
        )
        client.connect("127.0.0.1", self.port)
        client.loop_start()
        assert answered.wait(LONG_S)
        return client, answers[0]


@pytest.fixture
def serving(tmp_path):
    made = Serving(tmp_path)
    yield made
    if made.runs is not None:
        made.runs.kill()


def count(serving, table):
    store = open_store(f"sqlite:///{serving.folder / 'service.db'}")
    try:
        with store.read() as connection:
            return len(connection.execute(select(table)).all())
    finally:
        store.close()


def test_a_first_start_makes_its_secrets_hears_a_gateway_and_ends_when_told(serving, waits_until):
    serving.start()
    token = (serving.folder / "admin.token").read_text().strip()
    assert serving.do("gateway", "home-1") == 0
    password = (serving.folder / "home-1.password").read_text().strip()
    client, refused = serving.gateway(password)
    assert not refused
    message = payload("home-1", "a-1", time.time(), receipt=False)
    client.publish("gridpact/home-1/telemetry", message, qos=1).wait_for_publish(LONG_S)
    waits_until(lambda: count(serving, telemetry) == 10, serving.runs.said())
    client.disconnect()
    client.loop_stop()
    stranger, refused = serving.gateway("guessed")
    assert refused
    stranger.loop_stop()

    assert serving.stop() == 0
    said = serving.runs.said()
    assert said.splitlines()[-1].endswith("stopped")
    assert f"the operator's token is in {serving.folder / 'admin.token'}" in said
    assert not [each for each in (token, password) if each in said]
    # a line each, and no trace of a client that was cut off
    assert [each for each in said.splitlines() if not re.match(r"\d{4}-\d\d-\d\dT", each)] == []
    secrets = (
        "service.db",
        "admin.token",
        "broker.password",
        "broker.users",
        "home-1.password",
        "tls/adapter.key",
    )
    assert {stat.S_IMODE((serving.folder / name).stat().st_mode) for name in secrets} == {0o600}

    serving.start("--only", "ingest")  # of the secrets every start takes care
    assert serving.stop() == 0
    assert serving.runs.said().count("first start") == 1
    assert count(serving, tokens) == 1


def test_the_file_that_init_writes_is_one_that_it_reads(tmp_path, capsys):
    path = tmp_path / "service.toml"
    for code in (0, 1):
        with pytest.raises(SystemExit) as left:
            main(["serve", "--config", str(path), "--init"])
        assert (left.value.code or 0) == code
    assert capsys.readouterr().err == (
        f"gridpact: {path}: cannot be written (File exists); name a file that is not there yet\n"
    )
    assert read_service(path, folder=tmp_path, known=known_tables()).file == path


@pytest.mark.parametrize(
    ("topic", "writes", "allowed"),
    [
        ("gridpact/home-1/telemetry", True, True),
        ("gridpact/home-1/command", True, False),
        ("gridpact/home-1/command/owner", True, False),
        ("gridpact/home-1/received", True, False),
        ("gridpact/received", True, False),
        ("gridpact/home-2/telemetry", True, False),
        ("gridpact/home-10/telemetry", True, False),
        ("homeassistant/device/home-1/gridpact/config", True, True),
        ("homeassistant/device/home-2/gridpact/config", True, False),
        ("gridpact/home-1/command", False, True),
        ("gridpact/home-1/command/owner", False, True),
        ("gridpact/home-1/received", False, True),
        ("gridpact/received", False, True),
        ("gridpact/home-1/telemetry", False, False),
        ("gridpact/home-2/command", False, False),
        ("gridpact/#", False, False),
        ("gridpact/+/command", False, False),
        ("#", False, False),
    ],
)
def test_a_gateway_uses_its_own_topics_and_no_other(topic, writes, allowed):
    assert may_use("home-1", topic, root="gridpact", writes=writes) is allowed
