"""`gridpact serve` from nothing: it makes its secrets, hears a gateway, and ends when told."""

import signal
import socket
import ssl
import stat
import subprocess
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
        self.words = [*GRIDPACT, "serve", "--config", self.config, "--folder", self.folder]
        self.runs = Process(self.words, folder / "service.log")

    def start(self):
        started_service(self.runs)

    def do(self, *words):
        command = [str(word) for word in (*self.words, *words)]
        return subprocess.run(command, capture_output=True, text=True, timeout=LONG_S, check=False)

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
    assert serving.do("gateway", "home-1").returncode == 0
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
    secrets = (
        "admin.token",
        "broker.password",
        "broker.users",
        "home-1.password",
        "tls/adapter.key",
    )
    assert {stat.S_IMODE((serving.folder / name).stat().st_mode) for name in secrets} == {0o600}

    serving.start()
    assert serving.stop() == 0
    assert serving.runs.said().count("first start") == 1
    assert count(serving, tokens) == 1


BROKER = '[broker]\nhost = "127.0.0.1"\nport = 1\ntls = false\n'


@pytest.fixture
def refused(tmp_path, capsys):
    """Return what a start says that fails, without its log's lines."""

    def start(settings, folder="service"):
        config = tmp_path / "service.toml"
        config.write_text(settings)
        words = ["--config", config, "--folder", tmp_path / folder, "--without", "ingest"]
        with pytest.raises(SystemExit) as left:
            main(["serve", *map(str, words)])
        assert left.value.code == 1
        lines = capsys.readouterr().err.splitlines()
        (line,) = (each for each in lines if each.startswith("gridpact: "))
        assert line == lines[-1]
        return line.removeprefix("gridpact: ").replace(str(tmp_path), "HERE")

    return start


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ('[broker]\nprotocol = "4"', "[broker]: protocol is '4'; give one of 5, 3.1.1"),
        ("[store]\nurll = 1", "[store]: urll is no setting here; it takes url, password_file"),
        (f"{BROKER}[rest]\nporrt = 1", "[rest]: porrt is no setting here; it takes listen, port"),
    ],
)
def test_a_setting_that_cannot_be_used_is_one_line(refused, settings, line):
    assert refused(settings).startswith(f"service.toml {line}")


def test_a_port_that_is_taken_is_one_line(refused):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        rest = refused(f"{BROKER}[rest]\nport = {port}\n")
        broker = refused(f"[broker]\nport = {port}\n[rest]\nport = 0\n")

    assert rest.startswith(f"[rest] 127.0.0.1:{port} cannot be listened at (Address already in use")
    assert broker.startswith(f"built-in broker at 127.0.0.1:{port}: ")
    assert broker.endswith("set another [broker] port or listen")


def test_a_folder_or_a_file_that_cannot_be_used_is_one_line(refused, tmp_path):
    (tmp_path / "taken").write_text("this is no database")
    (tmp_path / "is-a-folder").mkdir()

    assert refused(BROKER, "taken/below") == (
        "HERE/taken/below: cannot be made (Not a directory); name another with --folder"
    )
    assert refused(f'{BROKER}[store]\nurl = "sqlite:///{tmp_path}/taken"') == (
        "HERE/taken cannot be read (file is not a database); restore a backup or name another file"
    )
    assert refused(f'{BROKER}[store]\nurl = "sqlite:///{tmp_path}/is-a-folder"') == (
        "HERE/is-a-folder does not answer (unable to open database file); "
        "check the file and its folder"
    )


def test_a_database_that_does_not_answer_or_let_us_in_is_one_line(refused, needs_postgres):
    nobody = refused(f'{BROKER}[store]\nurl = "postgresql://nobody@127.0.0.1:1/none"\n')
    assert nobody.startswith("database 127.0.0.1/none does not answer (")
    port = needs_postgres.port
    wrong = refused(f'{BROKER}[store]\nurl = "postgresql://gridpact@127.0.0.1:{port}/none"\n')
    assert 'database "none" does not exist' in wrong
    for line in (nobody, wrong):
        assert line.endswith("; check that it runs, and user and password")


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
