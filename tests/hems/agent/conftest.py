"""Real brokers on free ports, a plain client that listens, and readings."""

import asyncio
import contextlib
import json
import signal
import socket
import subprocess
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import aiomqtt
import pytest
from amqtt.broker import Broker
from amqtt.contexts import BrokerConfig, ListenerConfig

from devices.adapter.certificates import make_certificates
from devices.battery import BatteryState, MeterState
from devices.hand_clock import HandClock
from hems.agent.reading import Reading

LONG_S = 20.0


def free_port():
    with socket.socket() as tried:
        tried.bind(("127.0.0.1", 0))
        return tried.getsockname()[1]


@pytest.fixture(scope="session")
def certificates(tmp_path_factory):
    """Return certificates of a broker on 127.0.0.1 and of a gateway."""
    return make_certificates(
        tmp_path_factory.mktemp("tls"), hosts=("127.0.0.1",), now=datetime.now(UTC)
    )


class Mosquitto:
    """A real broker that speaks MQTT 5, as a process; `kill` and `start` it again at will."""

    speaks_5 = True

    def __init__(self, program, folder, lines):
        self.port = free_port()
        self._config = folder / "mosquitto.conf"
        self._log = folder / "mosquitto.log"
        head = [f"listener {self.port} 127.0.0.1", "set_tcp_nodelay true", "user root"]
        self._config.write_text("\n".join([*head, *lines]) + "\n")
        self._program = program
        self._process = None

    async def start(self):
        self._process = self._spawn()
        async with asyncio.timeout(LONG_S):
            while True:
                assert self._process.poll() is None, self._log.read_text()
                with contextlib.suppress(OSError):
                    _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                    writer.close()
                    await writer.wait_closed()
                    return
                await asyncio.sleep(0.02)

    def _spawn(self):
        with self._log.open("ab") as log:
            return subprocess.Popen([self._program, "-c", self._config], stdout=log, stderr=log)

    async def kill(self):
        """End it as a power cut does."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait(LONG_S)
            self._process = None

    stop = kill


class Amqtt:
    """The built-in broker, which speaks MQTT 3.1.1 only, in this process."""

    speaks_5 = False

    def __init__(self):
        self.port = free_port()
        self._broker = None

    async def start(self):
        listener = ListenerConfig(bind=f"127.0.0.1:{self.port}")
        plugin = "amqtt.plugins.authentication.AnonymousAuthPlugin"
        self._broker = Broker(
            BrokerConfig(
                listeners={"default": listener}, plugins={plugin: {"allow_anonymous": True}}
            )
        )
        await self._broker.start()

    async def stop(self):
        if self._broker is not None:
            await self._broker.shutdown()
            self._broker = None


@pytest.fixture
def mosquitto(needs_mosquitto, tmp_path):
    """Return what makes a mosquitto with lines of its configuration."""

    @asynccontextmanager
    async def run(*lines):
        broker = Mosquitto(needs_mosquitto, tmp_path, lines or ["allow_anonymous true"])
        await broker.start()
        try:
            yield broker
        finally:
            await broker.stop()

    return run


@pytest.fixture
def amqtt():
    """Return what makes a broker that speaks MQTT 3.1.1 only."""

    @asynccontextmanager
    async def run():
        broker = Amqtt()
        await broker.start()
        try:
            yield broker
        finally:
            await broker.stop()

    return run


@pytest.fixture(params=["mosquitto", "amqtt"])
def any_broker(request):
    """Return each of the two brokers in its turn."""
    return request.getfixturevalue(request.param)


class Heard:
    """Messages that a plain client got, as (topic, payload, retain)."""

    def __init__(self):
        self.messages = []
        self.over = asyncio.Event()
        self._news = asyncio.Event()

    def add(self, message):
        self.messages.append((str(message.topic), bytes(message.payload), message.retain))
        self._news.set()

    def on(self, end):
        """Return the documents of topics that end so."""
        return [json.loads(payload) for topic, payload, _ in self.messages if topic.endswith(end)]

    async def until(self, enough):
        """Wait until ``enough(self)``."""
        async with asyncio.timeout(LONG_S):
            while not enough(self):
                self._news.clear()
                await self._news.wait()


@pytest.fixture
def listener():
    """Return what connects a plain client: it hears a topic, at QoS 0, and can publish."""

    @asynccontextmanager
    async def listen(port, topic="gridpact/#"):
        heard = Heard()

        async def hear(client):
            with contextlib.suppress(aiomqtt.MqttError):
                async for message in client.messages:
                    # amqtt hands out what it kept of other topics too
                    if message.topic.matches(topic) or message.topic.matches("end"):
                        heard.add(message)
            while client._queue.qsize():  # what came before a broker was killed
                heard.add(client._queue.get_nowait())
            heard.over.set()

        with contextlib.suppress(aiomqtt.MqttError):  # a broker that is gone hears no farewell
            async with aiomqtt.Client("127.0.0.1", port, timeout=LONG_S) as client:
                await client.subscribe(topic)
                task = asyncio.create_task(hear(client))
                try:
                    yield client, heard
                finally:
                    task.cancel()
                    await asyncio.gather(task, return_exceptions=True)

    return listen


@pytest.fixture
def clock():
    return HandClock()


@pytest.fixture(scope="session")
def reading_at():
    """Return what makes a reading of a home at a clock's present."""

    def make(clock, *, soc=0.5, battery_w=1_000.0, load_w=400.0, pv_w=0.0, **fields):
        battery = BatteryState(soc=soc, battery_power_w=battery_w, following=False)
        meter = MeterState(load_w=load_w, pv_w=pv_w, grid_power_w=load_w + battery_w - pv_w)
        return Reading(
            utc=clock.utc(),
            monotonic_s=clock.monotonic_s(),
            **{"battery": battery, "meter": meter, **fields},
        )

    return make
