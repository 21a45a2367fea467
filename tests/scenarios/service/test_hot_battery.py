"""A battery that gets hot, from the words on its wire to the message that somebody reads."""

import asyncio
import hashlib
import hmac
import json
import threading
from contextlib import asynccontextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from sqlalchemy import func, select

from aggregator.service.store.store import open_store
from aggregator.service.store.tables import alarms, channels, telemetry
from devices.battery_model import BatteryBank, BatteryModel
from devices.clock import SystemClock
from devices.emulators.house import EmulatedHome
from devices.emulators.solaredge import SolarEdgeEmulator
from hems.agent.agent import Agent
from hems.agent.config import read_config
from scenarios.bench.service_world import (
    Mosquitto,
    running,
    service_process,
    started_service,
    wait_until,
)

LONG_S = 60.0
SECRET = "not-a-real-secret"
ALARMS = """[alarms]
each_s = 1
gather_s = 0
pause_s = 0
webhook_url = "{url}"
webhook_secret_file = "webhook.secret"
"""
HOME = """[home]
name = "Home 7"
device_id = "home-7"
state_folder = "state"
[battery]
driver = "solaredge"
host = "{host}"
port = {port}
[storage]
capacity_wh = 10000
power_max_w = 5000
[grid]
import_max_w = 10000
export_max_w = 5000
[tariff]
import_price_per_mwh = 250
export_price_per_mwh = 50
[controller]
device_cycle_s = 1
[broker]
host = "127.0.0.1"
port = {broker}
tls = false
protocol = "5"
announce = false
[telemetry]
sample_s = 1
period_s = 1
"""


class Inbox:
    """A web server that takes messages with the right signature and no others."""

    def __init__(self):
        self.taken = []
        inbox = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                at_s, _, signed = self.headers["Gridpact-Signature"].partition(",v1=")
                asked = f"{at_s.removeprefix('t=')}.".encode() + body
                good = signed == hmac.new(SECRET.encode(), asked, hashlib.sha256).hexdigest()
                self.send_response(204 if good else 403)
                self.end_headers()
                if good:
                    inbox.taken += json.loads(body)["kinds"]

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/"

    def close(self):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def inbox(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    server = Inbox()
    yield server
    server.close()


@pytest.fixture
def broker(needs_mosquitto, tmp_path):
    made = Mosquitto(needs_mosquitto, tmp_path)
    made.start()
    with running(made):
        yield made


@pytest.fixture
def service(broker, inbox, tmp_path):
    made = service_process(
        tmp_path,
        url=f"sqlite:///{tmp_path / 'service.db'}",
        broker_port=broker.port,
        arguments=("--only", "ingest,alarms"),
    )
    config, secret = tmp_path / "service.toml", tmp_path / "webhook.secret"
    config.write_text(config.read_text() + ALARMS.format(url=inbox.url))
    secret.write_text(SECRET + "\n")
    secret.chmod(0o600)
    started_service(made)
    with running(made):
        yield made


def in_a_room():
    """Return a battery that is as warm as its room within seconds, and the room."""
    bank = BatteryBank.uniform(1, capacity_wh=10_000.0, power_max_w=5_000.0)
    model = BatteryModel.of_bank(bank)
    model.thermal_mass_j_per_k[:] = 1.0
    return model, model.ambient_c


@asynccontextmanager
async def gateway(home, broker, folder, lines):
    """Run a whole gateway on an emulated battery's socket."""
    clock = SystemClock()
    battery = SolarEdgeEmulator(home, clock=clock)
    await battery.start()
    told = battery.settings
    path = folder / "home.toml"
    path.write_text(HOME.format(host=told["host"], port=told["port"], broker=broker.port))
    agent = Agent(read_config(path), clock=clock, tell=lines.append)
    task = asyncio.create_task(agent.run())
    try:
        yield
    finally:
        agent.stop()
        async with asyncio.timeout(LONG_S):
            await task
        await battery.stop()


def test_a_battery_that_gets_hot_on_its_wire_rings_and_when_it_has_cooled_it_is_over(
    inbox, broker, service, tmp_path
):
    model, room_c = in_a_room()
    home = EmulatedHome(
        model=model, soc=0.5, clock=SystemClock().monotonic_s, demand=lambda _: (500.0, 0.0)
    )
    store, lines = open_store(f"sqlite:///{tmp_path / 'service.db'}"), []

    def warmest_c():
        of = telemetry.join(channels, channels.c.number == telemetry.c.channel_number)
        query = select(func.max(telemetry.c.last)).select_from(of)
        with store.read() as connection:
            return connection.scalar(query.where(channels.c.quantity == "Temperature")) or np.nan

    async def until(holds):
        def said():
            return f"{inbox.taken} {lines} {service.said()}"

        await asyncio.to_thread(wait_until, holds, said)

    async def story():
        async with gateway(home, broker, tmp_path, lines):
            await until(lambda: warmest_c() < 45.0)
            assert inbox.taken == []
            room_c[:] = 62.5
            await until(lambda: inbox.taken)
            room_c[:] = 20.0
            await until(lambda: len(inbox.taken) > 1)

    asyncio.run(story())
    with store.read() as connection:
        (row,) = connection.execute(select(alarms)).all()
    store.close()
    begun, over = inbox.taken
    assert [(each["kind"], each["event"], each["count"]) for each in (begun, over)] == [
        ("temperature", "begun", 1),
        ("temperature", "over", 1),
    ]
    assert begun["alarms"] == [
        {
            "number": row.number,
            "home": "home-7",
            "severity": "critical",
            "state": "raised",
            "line": row.line,
            "raised_ms": row.raised_ms,
            "resolved_ms": None,
            "resolved_by": None,
        }
    ]
    assert over["alarms"][0] == begun["alarms"][0] | {
        "state": "resolved",
        "resolved_ms": row.resolved_ms,
        "resolved_by": "service",
    }
    assert row.line.endswith("°C, more than 50 °C")
    assert (row.kind, row.state, row.told_ms >= row.resolved_ms) == (
        "temperature", "resolved", True,
    )  # fmt: skip
