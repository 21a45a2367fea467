"""The first start makes every secret, no two alike, and the broker lets in whom it should."""

import asyncio
import itertools
import os
import re
import signal
import ssl
import stat
import subprocess
from contextlib import asynccontextmanager, suppress

import aiomqtt
import pytest

from contracts.local.local_node import free_port

LONG_S = 30.0
KINDS = ("status", "telemetry", "acknowledgement", "outcome", "state")
NOT_OURS = ("command", "received")


def files(first):
    return sorted(path for path in first.secrets.rglob("*") if path.is_file())


def test_every_secret_is_its_owners_alone_and_no_two_are_alike(first):
    passwords = [path.read_text().strip() for path in files(first) if path.suffix == ".password"]

    assert {stat.S_IMODE(path.stat().st_mode) for path in files(first)} == {0o600}
    assert stat.S_IMODE(first.secrets.stat().st_mode) == 0o700
    assert len(passwords) == len(set(passwords)) == 5
    assert all(re.fullmatch(r"[0-9a-f]{64}", each) for each in passwords)
    told = (first.secrets / "broker.users").read_text()
    assert [line.split(":")[0] for line in told.splitlines()] == ["operator", "home-1"]
    assert not [each for each in passwords if each in told]
    assert not list(first.secrets.rglob(".*"))


def test_a_second_start_leaves_everything_as_it_is_and_tells_no_secret(first):
    before = {path: path.read_bytes() for path in files(first)}
    environment = (first.folder / ".env").read_text()
    done = first.run("elsewhere.example.org")

    assert done.returncode == 0
    assert {path: path.read_bytes() for path in files(first)} == before
    assert (first.folder / ".env").read_text() == environment
    assert not [
        path for path, data in before.items() if data.strip() and data.decode() in done.stdout
    ]


def test_nobody_is_root(first):
    told = dict(line.split("=") for line in (first.folder / ".env").read_text().splitlines())
    assert set(told) == {"GRIDPACT_UID", "GRIDPACT_GID"}
    assert told["GRIDPACT_UID"] == str(os.getuid() or 10_001)
    owners = {path.stat().st_uid for path in (*files(first), *(first.folder / "state").iterdir())}
    assert owners == {int(told["GRIDPACT_UID"])}


def test_whoever_the_programs_run_as_reads_what_is_mounted_whatever_the_umask_was(fresh):
    for path in fresh.folder.rglob("*"):
        path.chmod(0o700 if path.is_dir() or path.suffix == ".sh" else 0o600)
    assert fresh.run("broker.example.org").returncode == 0

    told = dict(line.split("=") for line in (fresh.folder / ".env").read_text().splitlines())
    mounted = {
        fresh.folder / mount.split(":")[0]
        for service in fresh.compose()["services"].values()
        for mount in service["volumes"]
    }
    files = {path for each in mounted for path in (each, *each.rglob("*"))}
    modes = {path: path.stat() for path in files}
    assert len(files) > len(mounted)
    for path, found in modes.items():
        bits = found.st_mode >> (6 if found.st_uid == int(told["GRIDPACT_UID"]) else 0)
        wanted = 0o5 if path.is_dir() or path.suffix == ".sh" else 0o4
        assert bits & wanted == wanted, path


@pytest.mark.parametrize(
    "words", [(), ("gateway",), ("gateway", "a/b"), ("gateway", "operator"), ("gateway", "a b")]
)
def test_what_cannot_be_is_refused_in_one_line_and_makes_no_password(fresh, words):
    done = fresh.run(*words)

    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert not list(fresh.folder.rglob("*.password"))


@pytest.mark.parametrize("host", ["broker.example.org", "broker", "localhost"])
def test_the_brokers_certificate_carries_what_is_dialled(first, host):
    text = subprocess.run(
        [
            *("openssl", "verify", "-x509_strict", "-purpose", "sslserver"),
            *("-verify_hostname", host, "-CAfile", first.secrets / "ca.pem"),
            first.secrets / "broker.pem",
        ],
        capture_output=True, text=True, timeout=LONG_S, check=False,
    )  # fmt: skip
    assert text.returncode == 0, text.stderr


class Broker:
    """The real broker with our configuration; nothing but places and the port are others."""

    def __init__(self, program, first, folder):
        self.first, self.port = first, free_port()
        (folder / "data").mkdir()
        config = first.rewritten(
            "mosquitto/mosquitto.conf",
            {
                "listener 8883": f"user root\nlistener {self.port} 127.0.0.1",
                "/run/secrets/broker-certificate": first.secrets / "broker.pem",
                "/run/secrets/broker-key": first.secrets / "broker.key",
                "/run/secrets/broker-users": first.secrets / "broker.users",
                "/mosquitto/config/access": first.folder / "mosquitto" / "access",
                "/mosquitto/data/": f"{folder / 'data'}/",
            },
            folder / "mosquitto.conf",
        )
        self.log = folder / "log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen([program, "-c", config], stdout=log, stderr=log)

    @asynccontextmanager
    async def client(self, user=None, password=None):
        tls = ssl.create_default_context(cafile=self.first.secrets / "ca.pem")
        async with aiomqtt.Client(
            "127.0.0.1", self.port, username=user, password=password, tls_context=tls,
            protocol=aiomqtt.ProtocolVersion.V5, timeout=LONG_S,
        ) as client:  # fmt: skip
            yield client

    async def ready(self):
        async with asyncio.timeout(LONG_S):
            while True:
                assert self.process.poll() is None, self.log.read_text()
                with suppress(OSError):
                    _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                    writer.close()
                    return
                await asyncio.sleep(0.02)


@pytest.fixture
def broker(needs_mosquitto, first, tmp_path):
    made = Broker(needs_mosquitto, first, tmp_path)
    yield made
    made.process.kill()
    made.process.wait(LONG_S)


async def lets_in(broker, user=None, password=None):
    try:
        async with broker.client(user, password):
            return True
    except aiomqtt.MqttError:
        return False


async def heard(client, is_last):
    """Return the topics of what came before the last."""
    topics = []
    async with asyncio.timeout(LONG_S):
        async for message in client.messages:
            if is_last(message):
                break
            topics.append(str(message.topic))
    return topics


async def say(broker, topic, payload):
    """Publish as home-1; some mosquittos hang up on whoever they refuse."""
    with suppress(aiomqtt.MqttError):
        async with broker.client("home-1", broker.first.password("gateways/home-1")) as client:
            await client.publish(topic, payload, qos=1)
    if client._disconnected.done() and not client._disconnected.cancelled():
        client._disconnected.exception()  # else asyncio complains that nobody asked


def test_the_broker_lets_in_whom_it_knows_and_nobody_else(broker, first):
    async def story():
        await broker.ready()
        password = first.password("gateways/home-1")
        return [
            await lets_in(broker, "operator", first.password("operator")),
            await lets_in(broker, "home-1", password),
            await lets_in(broker, "home-1", first.password("operator")),
            await lets_in(broker, "home-2", password),
            await lets_in(broker),
        ]

    assert asyncio.run(story()) == [True, True, False, False, False]


def test_a_gateway_says_and_hears_what_is_its_own(broker, first):
    """As `docs/mqtt.md` has it: the broker throws the rest away."""

    async def story():
        await broker.ready()
        async with (
            broker.client("operator", first.password("operator")) as operator,
            broker.client("home-1", first.password("gateways/home-1")) as gateway,
        ):
            await operator.subscribe("gridpact/#", qos=1)
            for topic in ("gridpact/#", "gridpact/+/command", "gridpact/home-1/command/#"):
                with suppress(aiomqtt.MqttError):
                    await gateway.subscribe(topic, qos=1)
            await gateway.subscribe("gridpact/received", qos=1)
            await gateway.subscribe("gridpact/home-1/received", qos=1)
            for home, kind in itertools.product(("home-1", "home-2"), (*KINDS, *NOT_OURS)):
                await say(broker, f"gridpact/{home}/{kind}", b"x")
            await say(broker, "gridpact/received", b"x")
            await say(broker, "gridpact/home-1/status", b"end")
            said = await heard(operator, lambda message: message.payload == b"end")
            for home in ("home-2", "home-1"):
                await operator.publish(f"gridpact/{home}/command/operator", b"x", qos=1)
                await operator.publish(f"gridpact/{home}/received", b"x", qos=1)
            await operator.publish("gridpact/received", b"offered", qos=1)
            end = "gridpact/received"
            return said, await heard(gateway, lambda message: str(message.topic) == end)

    said, told = asyncio.run(story())
    assert said == [f"gridpact/home-1/{kind}" for kind in KINDS]
    assert sorted(set(told)) == ["gridpact/home-1/command/operator", "gridpact/home-1/received"]


def test_a_new_gateway_comes_in_once_the_broker_has_read_its_users_again(broker, first):
    async def story():
        await broker.ready()
        done = first.run("gateway", "home-9")
        password = first.password("gateways/home-9")
        assert (done.returncode, password in done.stdout) == (0, False)
        before = await lets_in(broker, "home-9", password)
        broker.process.send_signal(signal.SIGHUP)
        async with asyncio.timeout(LONG_S):
            while not await lets_in(broker, "home-9", password):  # noqa: ASYNC110 -- a process
                await asyncio.sleep(0.1)
        return before

    try:
        assert asyncio.run(story()) is False
    finally:  # others of this module count who there is
        users = first.secrets / "broker.users"
        users.write_text("".join(users.read_text().splitlines(keepends=True)[:2]))
        (first.secrets / "gateways" / "home-9.password").unlink()
