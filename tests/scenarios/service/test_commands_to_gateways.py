"""The service's commands to real gateways' desks, over a real broker that may be killed."""

import asyncio
import json
import threading
import time
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner
from sqlalchemy import select, update

from aggregator.service.commands.errors import (
    OrderFailedError,
    OrderInputError,
    OrderUnavailableError,
)
from aggregator.service.commands.order_command import order as order_command
from aggregator.service.serve import known_tables
from aggregator.service.settings import read_service
from aggregator.service.store.store import open_store
from aggregator.service.store.tables import commands
from contracts.local.local_node import free_port
from devices.clock import SystemClock
from devices.errors import DeviceUnavailableError
from hems.agent.health import Health
from hems.agent.mqtt.courier import Courier
from hems.agent.mqtt.settings import BrokerSettings, CourierSettings
from hems.agent.orders import GivenUp
from hems.agent.settings import HomeSettings
from hems.agent.store import Store
from scenarios.bench.service_world import Mosquitto, service_process, started_service

LONG_S = 60.0


class Battery:
    """The part of an agent that holds the battery: takes orders down, or does not answer."""

    rated_w = (3_000.0, 4_000.0)

    def __init__(self):
        self.taken, self.fault = [], None

    async def take(self, order):
        if self.fault is not None:
            raise self.fault
        self.taken.append((order.battery_power_w, order.grid_power_w))

    async def end_order(self):
        self.taken.append("end")


class Gateways:
    """Some real gateways' couriers, in a thread with a loop of their own."""

    def __init__(self, port, names):
        self.batteries = {name: Battery() for name in names}
        self.lines = []
        self._port = port
        self._loop = asyncio.new_event_loop()
        self._tasks = {}
        self._couriers = {}
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def begin(self, name):
        asyncio.run_coroutine_threadsafe(self._begin(name), self._loop).result(LONG_S)

    async def _begin(self, name):  # a gateway's store is used in one thread
        broker = BrokerSettings(
            host="127.0.0.1", port=self._port, tls=False, announce=False, retry_longest_s=2.0
        )
        courier = self._couriers[name] = Courier(
            CourierSettings(broker=broker),
            home=HomeSettings(name=name, device_id=name, state_folder=Path("unused")),
            store=Store(),
            clock=SystemClock(),
            health=Health(self.lines.append),
            desk=self.batteries[name],
            facts=lambda: None,
        )
        self._tasks[name] = asyncio.create_task(courier.run())

    def give_up(self, name, correlation_id):
        reason = "it was begun, and not done any more for 60 s: no meter answers"
        told = GivenUp(correlation_id=correlation_id, code="unavailable", reason=reason)
        self._loop.call_soon_threadsafe(self._couriers[name].aborted, told)

    def end(self):
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(LONG_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(LONG_S)
        self._loop.close()

    async def _end(self):
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        for courier in self._couriers.values():
            await courier.close()


class World:
    """Broker, service as a process, gateways, and an operator's requests."""

    def __init__(self, folder, program):
        self.broker = Mosquitto(program, folder)
        self.broker.start()
        self.port = free_port()
        self.url = f"sqlite:///{folder / 'service.db'}"
        self.service = service_process(folder, url=self.url, broker_port=self.broker.port)
        config = folder / "service.toml"
        told = config.read_text().replace("port = 0\n", f"port = {self.port}\n")
        config.write_text(
            told + "[commands]\nagain_s = 1\nanswer_s = 1\n[ingest]\nbatch_wait_s = 0\n"
        )
        self.folder = folder
        started_service(self.service)
        secret = (folder / "folder" / "admin.token").read_text().strip()
        self._client = httpx.Client(
            base_url=f"http://127.0.0.1:{self.port}",
            headers={"Authorization": f"Bearer {secret}"},
            timeout=LONG_S,
            verify=False,
        )
        self.store = open_store(self.url)
        self.gateways = Gateways(self.broker.port, ("home-1", "home-2", "home-3"))

    def ask(self, method, path, **more):
        answer = self._client.request(method, path, **more)
        assert answer.status_code < 300, answer.text
        return answer.json()

    def order(self, target, *, expires_in_s=600.0, **command):
        body = {"target": target, "command": command, "expires_in_s": expires_in_s}
        return self.ask("POST", "/api/commands", json=body)["request_id"]

    def states(self, request):
        found = self.ask("GET", f"/api/commands/{request}")["items"]
        return {each["home"]: (each["state"], each["code"]) for each in found}

    def becomes(self, request, expected):
        deadline_s = time.monotonic() + LONG_S
        while (found := self.states(request)) != expected:
            assert time.monotonic() < deadline_s, (found, self.service.said(), self.gateways.lines)
            time.sleep(0.05)

    def known(self, *names):
        deadline_s = time.monotonic() + LONG_S
        while set(self.ask("GET", "/api/fleet")["ids"]) < set(names):
            assert time.monotonic() < deadline_s, self.service.said()
            time.sleep(0.05)

    def typed(self, *words):
        """Return what `gridpact serve order` did with words."""
        settings = read_service(
            self.folder / "service.toml", folder=self.folder / "folder", known=known_tables()
        )
        return CliRunner().invoke(order_command, words, obj=settings)

    def sends(self, request):
        with self.store.read() as connection:
            of_order = select(commands.c.sends).where(commands.c.request_id == request)
            return sorted(connection.execute(of_order).scalars())

    def close(self):
        self.gateways.end()
        self._client.close()
        self.store.close()
        self.service.kill()
        self.broker.kill()


@pytest.fixture(scope="module")
def world(needs_mosquitto, tmp_path_factory):
    made = World(tmp_path_factory.mktemp("world"), needs_mosquitto)
    try:
        made.gateways.begin("home-1")
        made.gateways.begin("home-2")
        made.known("home-1", "home-2")
        yield made
    finally:
        made.close()


DONE = ("done", None)


def test_an_order_to_the_fleet_is_done_by_every_battery_and_counted(world):
    request = world.order("fleet", write="discharge", power=50, interval=30)
    world.becomes(request, {"home-1": DONE, "home-2": DONE})

    taken = [world.gateways.batteries[name].taken[-1] for name in ("home-1", "home-2")]
    assert taken == [(-2_000.0, None)] * 2
    whole = world.ask("GET", f"/api/orders/{request}")
    assert (whole["homes"], whole["states"]) == (2, {"done": 2})
    answers = world.ask("GET", f"/api/orders/{request}/answers")["items"]
    assert sorted((each["home"], each["kind"]) for each in answers) == [
        (home, kind) for home in ("home-1", "home-2") for kind in ("acknowledgement", "outcome")
    ]
    (deed,) = [
        each
        for each in world.ask("GET", "/api/audit")["items"]
        if each["detail"].get("request") == request
    ]
    assert (deed["action"], deed["target"], deed["detail"]["homes"]) == ("command", "fleet", 2)


def test_every_kind_of_write_reaches_the_battery(world):
    battery = world.gateways.batteries["home-1"]
    battery.taken.clear()
    for command in (
        {"write": "charge", "power": 10, "interval": 1},
        {"write": "power reference", "power_w": -500, "interval": 30},
        {"write": "profile", "profile": "self-consumption"},
        {"write": "stop"},
        {"write": "release"},
    ):
        world.becomes(world.order("home:home-1", **command), {"home-1": DONE})

    assert battery.taken == [(300.0, None), (None, -500.0), (None, None), (0.0, None), "end"]


def test_a_device_that_refuses_is_told_with_its_code_and_diagnosed(world):
    battery = world.gateways.batteries["home-2"]
    battery.fault = DeviceUnavailableError("battery: no answer; see to its cable")
    from_ms = round(time.time() * 1000) - 1
    request = world.order("fleet", write="stop")
    try:
        world.becomes(request, {"home-1": DONE, "home-2": ("refused", "unavailable")})
    finally:
        battery.fault = None

    within = {"from_ms": from_ms, "to_ms": from_ms + 3_600_000}
    found = world.ask("GET", "/api/diagnosis/commands", params=within)
    assert found["by_code"] == [
        {"state": "done", "code": None, "commands": 1, "late": 0},
        {"state": "refused", "code": "unavailable", "commands": 1, "late": 0},
    ]
    assert [(each["name"], each["failed"]) for each in found["by_model"]] == [("", 1)]
    assert [(each["name"], each["failed"]) for each in found["by_home"]] == [("home-2", 1)]


def test_what_a_gateway_gives_up_after_it_was_done_is_told_and_diagnosed(world):
    from_ms = round(time.time() * 1000) - 1
    request = world.order("home:home-1", write="charge", power=50, interval=60)
    world.becomes(request, {"home-1": DONE})
    (given,) = world.ask("GET", f"/api/commands/{request}")["items"]
    world.gateways.give_up("home-1", given["correlation_id"])
    world.becomes(request, {"home-1": ("aborted", "unavailable")})

    within = {"from_ms": from_ms, "to_ms": from_ms + 3_600_000}
    found = world.ask("GET", "/api/diagnosis/commands", params=within)
    assert [(each["name"], each["failed"]) for each in found["by_kind"]] == [("charge", 1)]
    assert [(each["request_id"], each["failed"]) for each in found["orders"]] == [(request, 1)]


def test_an_order_from_a_terminal_says_what_became_of_it(world):
    battery = world.gateways.batteries["home-2"]
    well = world.typed("home-1", "charge", "50%", "--for", "15m", "--json")
    told = json.loads(well.stdout)
    assert (well.exit_code, told["target"], told["body"], told["states"]) == (
        0,
        "home:home-1",
        {"write": "charge", "power": 50.0, "interval": 15.0},
        {"done": 1},
    )
    assert [each["home"] for each in told["commands"]] == ["home-1"]
    battery.fault = DeviceUnavailableError("battery: no answer; see to its cable")
    try:
        ill = world.typed("fleet", "stop")
    finally:
        battery.fault = None
    assert isinstance(ill.exception, OrderFailedError)
    first, second = ill.stdout.splitlines()
    assert first.endswith(" to 2 homes: 1 done, 1 refused")
    assert second == "  home-2  refused  unavailable: battery: no answer; see to its cable"
    lost = world.typed("home-1", "stop", "--url", f"http://127.0.0.1:{free_port()}")
    assert isinstance(lost.exception, OrderUnavailableError)
    none = world.typed("group:north", "stop", "--no-wait")
    assert isinstance(none.exception, OrderInputError)
    assert str(none.exception).endswith("group:north names no home in use; see the list of homes")


def test_a_broker_and_a_service_that_are_killed_in_between_do_nothing_twice(world):
    battery = world.gateways.batteries["home-1"]
    battery.taken.clear()
    world.broker.kill()
    request = world.order("home:home-1", write="charge", power=100, interval=60)
    world.service.kill()
    world.broker.start()
    started_service(world.service)
    world.becomes(request, {"home-1": DONE})

    # a gateway that was not back yet heard nothing of the first, and was told again
    assert world.sends(request)[0] >= 1
    assert battery.taken == [(3_000.0, None)]


def test_a_command_that_is_sent_twice_is_answered_twice_and_done_once(world):
    battery = world.gateways.batteries["home-2"]
    battery.taken.clear()
    request = world.order("home:home-2", write="charge", power=100, interval=60)
    world.becomes(request, {"home-2": DONE})
    # as if the service had been killed between sending and marking
    with world.store.write() as connection:
        of_order = update(commands).where(commands.c.request_id == request)
        connection.execute(of_order.values(state="waiting", outcome=None))
    world.becomes(request, {"home-2": DONE})

    def answered():
        found = world.ask("GET", f"/api/orders/{request}/answers")["items"]
        return [(each["kind"], each["body"]["code"]) for each in reversed(found)]

    deadline_s = time.monotonic() + LONG_S
    while len(answered()) < 4:
        assert time.monotonic() < deadline_s, answered()
        time.sleep(0.05)
    assert sorted(answered(), key=str) == [
        ("acknowledgement", "repeated"),
        ("acknowledgement", None),
        ("outcome", "repeated"),
        ("outcome", None),
    ]
    assert world.sends(request) == [2]
    assert world.states(request) == {"home-2": DONE}
    assert battery.taken == [(3_000.0, None)]


def test_a_gateway_that_is_away_is_told_again_when_it_is_back(world):
    home = {"name": "", "zone": "", "group_name": ""}
    world.ask("PUT", "/api/homes/home-3", json=home, headers={"If-None-Match": "*"})
    request = world.order("home:home-3", write="charge", power=100, interval=60)
    world.becomes(request, {"home-3": ("sent", None)})
    world.gateways.begin("home-3")
    world.becomes(request, {"home-3": DONE})

    assert world.sends(request)[0] >= 2
    assert world.gateways.batteries["home-3"].taken == [(3_000.0, None)]
