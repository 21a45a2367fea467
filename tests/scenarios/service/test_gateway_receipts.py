"""A real gateway, the real service, and a broker that is killed: what a receipt is worth."""

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from aggregator.service.store.store import open_store
from aggregator.service.store.tables import telemetry
from devices.battery import BatteryState, MeterState
from devices.hand_clock import HandClock
from hems.agent.health import Health
from hems.agent.mqtt.courier import Courier
from hems.agent.mqtt.settings import BrokerSettings, CourierSettings, TelemetrySettings
from hems.agent.reading import Reading
from hems.agent.settings import HomeSettings
from hems.agent.store import Store
from scenarios.bench.service_world import Mosquitto, service_process, started_service

LONG_S = 60.0
ROWS = 5  # of a message: battery, state of charge and the meter's three


class RecentClock(HandClock):
    """Begins some hours ago, so that the service takes what is measured by it."""

    def __init__(self):
        super().__init__()
        whole = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
        self._shift = whole - timedelta(hours=6) - super().utc()

    def utc(self):
        return super().utc() + self._shift


class World:
    """A broker and the service as processes, and one gateway in this one."""

    def __init__(self, program, folder):
        self.folder = folder
        self.broker = Mosquitto(program, folder)
        config = folder / "mosquitto.conf"  # what it holds when it is killed is gone
        config.write_text(config.read_text().replace("persistence true", "persistence false"))
        self.url = f"sqlite:///{folder / 'service.db'}"
        self.service = service_process(folder, url=self.url, broker_port=self.broker.port)
        self.memory = Store(folder / "state.sqlite")
        self.clock = RecentClock()
        self.lines = []

    @asynccontextmanager
    async def gateway(self, *, receipts):
        courier = Courier(
            CourierSettings(
                broker=BrokerSettings(
                    host="127.0.0.1",
                    port=self.broker.port,
                    tls=False,
                    announce=False,
                    protocol="5",
                    receipts=receipts,
                ),
                telemetry=TelemetrySettings(sample_s=60.0),
            ),
            home=HomeSettings(name="Home 7", device_id="home-7", state_folder=self.folder),
            store=self.memory,
            clock=self.clock,
            health=Health(self.lines.append),
            desk=None,
            facts=lambda: None,
        )
        task = asyncio.create_task(courier.run())
        try:
            yield courier
            assert not task.done(), task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await courier.close()

    async def minutes(self, courier, count):
        for _ in range(count):
            courier.add(
                Reading(
                    utc=self.clock.utc(),
                    monotonic_s=self.clock.monotonic_s(),
                    battery=BatteryState(soc=0.5, battery_power_w=100.0, following=False),
                    meter=MeterState(load_w=400.0, pv_w=0.0, grid_power_w=500.0),
                )
            )
            await self.clock.advance(60.0)

    async def until(self, holds, *, passing_s=0.0):
        """Wait until something holds, while the gateway's time passes or stands still."""
        async with asyncio.timeout(LONG_S):
            while not holds():
                await self.clock.advance(passing_s)
                await asyncio.sleep(0.02)

    def rows(self):
        store = open_store(self.url)
        try:
            with store.read() as connection:
                return connection.execute(select(func.count()).select_from(telemetry)).scalar()
        finally:
            store.close()

    def close(self):
        self.service.kill()
        self.broker.kill()
        self.memory.close()


@pytest.fixture
def world(needs_mosquitto, tmp_path):
    made = World(needs_mosquitto, tmp_path)
    made.broker.start()
    started_service(made.service)
    yield made
    made.close()


async def five_minutes_at_the_broker(world, courier, acknowledged):
    """Let the service take one message and be killed, then the broker take five more."""
    await world.until(lambda: courier._connection is not None)
    await world.minutes(courier, 1)
    await world.until(lambda: world.rows() == ROWS and not courier.spool.waiting)
    await world.until(lambda: courier._receipts.offered is courier._receipts.wanted)
    world.service.kill()
    await world.minutes(courier, 5)
    await world.until(lambda: acknowledged(courier.spool))


def test_what_the_broker_acknowledged_and_lost_comes_again_even_from_a_gateway_that_was_restarted(
    world,
):
    async def story():
        async with world.gateway(receipts=True) as courier:
            await five_minutes_at_the_broker(
                world, courier, lambda spool: len(spool._handed_over) == 5
            )
            world.broker.kill()
        world.broker.start()
        async with world.gateway(receipts=True) as again:
            # the broker has forgotten that receipts were offered; the gateway has not
            await world.until(lambda: len(again.spool._handed_over) == 5, passing_s=1.0)
            world.broker.kill()
            await world.until(lambda: not again._receipts.offered or again._connection is None)
            world.broker.start()
            await world.until(lambda: again._connection is not None, passing_s=1.0)
            started_service(world.service)
            await world.until(lambda: not again.spool.waiting, passing_s=30.0)
        return world.rows()

    assert asyncio.run(story()) == 6 * ROWS


def test_without_receipts_what_a_killed_broker_had_acknowledged_is_gone(world):
    async def story():
        async with world.gateway(receipts=False) as courier:
            await five_minutes_at_the_broker(world, courier, lambda spool: not spool.waiting)
            world.broker.kill()
            await world.until(lambda: courier._connection is None)
            world.broker.start()
            started_service(world.service)
            await world.until(lambda: courier._connection is not None, passing_s=1.0)
            await world.minutes(courier, 1)
            await world.until(lambda: world.rows() > ROWS)
        return world.rows()

    assert asyncio.run(story()) == 2 * ROWS
