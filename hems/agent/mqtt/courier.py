"""The gateway's MQTT side: telemetry out, commands in, Home Assistant, a name in the network."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from random import SystemRandom
from typing import TYPE_CHECKING, Final, TypedDict

from devices.clock import Clock
from hems.agent.health import Health
from hems.agent.mqtt.announce import Announcer
from hems.agent.mqtt.backoff import Backoff
from hems.agent.mqtt.command_desk import CommandDesk
from hems.agent.mqtt.commands_in import Envelope
from hems.agent.mqtt.panel import Panel
from hems.agent.mqtt.receipts import Receipts
from hems.agent.mqtt.settings import CourierSettings, Topics
from hems.agent.mqtt.spool import THING as SPOOL
from hems.agent.mqtt.spool import Lane, Letter, Spool
from hems.agent.mqtt.telemetry import Telemetry
from hems.agent.orders import GivenUp, OrderDesk
from hems.agent.reading import Reading
from hems.agent.settings import HomeSettings
from hems.agent.standing import Standing
from hems.agent.store import Store
from hems.agent.ticks import Ticks
from hems.errors import BrokerError, BrokerRefusedError, StoreError

if TYPE_CHECKING:
    from devices.announce import Interfaces
    from hems.agent.mqtt.link import Connection, Link

BROKER: Final = "broker"
"""What the log calls the connection."""
COMMANDS: Final = "commands by MQTT"
"""What the log calls the subscription."""
BATCH: Final = 10
"""Messages that wait for their acknowledgement at a time."""
STOOD_S: Final = 60.0
"""A connection that stood so long was a good one: the next pause is short again. [s]"""
FAREWELL_S: Final = 3.0
"""How long saying farewell may take. [s]"""
_READ_AGAIN_S: Final = 10.0
_RECEIPTS_S: Final = 60.0
"""How often it is looked whether receipts are overdue. [s]"""


class _Kept(TypedDict):
    """What every part of the courier works with."""

    store: Store
    clock: Clock
    health: Health


class Courier:
    """Speak to the broker: see `hems.agent.parts.Carries`.

    Parameters
    ----------
    settings : CourierSettings
        Broker, telemetry, commands, Home Assistant.
    home : HomeSettings
        Name and id of the gateway.
    store : Store
        Keeps messages and what commands were taken.
    clock : Clock
        The time.
    health : Health
        Is told once of each loss and its end.
    desk : OrderDesk
        Carries commands out.
    facts : Callable[[], Standing | None]
        What the home knows of its fleet's promise now, for its owner.
    interfaces : sequence of str, optional
        Interfaces that mDNS uses; None for all.
    forecast_errors : Callable[[], Mapping[str, object]], optional
        How far forecasts were off, for telemetry; None tells nothing of it.

    Raises
    ------
    StoreError
        If its tables cannot be made.
    """

    def __init__(  # noqa: PLR0913 -- what it carries, all by keyword
        self,
        settings: CourierSettings,
        *,
        home: HomeSettings,
        store: Store,
        clock: Clock,
        health: Health,
        desk: OrderDesk,
        facts: Callable[[], Standing | None],
        interfaces: "Interfaces" = None,
        forecast_errors: Callable[[], Mapping[str, object]] | None = None,
    ) -> None:
        self._settings = settings
        self._forecast_errors = forecast_errors
        self._clock = clock
        self._health = health
        self._facts = facts
        telemetry = settings.telemetry
        topics = self._topics = Topics(settings.broker.topic_root, home.device_id)
        self._telemetry = Telemetry(sample_s=telemetry.sample_s, period_s=telemetry.period_s)
        kept = _Kept(store=store, clock=clock, health=health)
        spool_bytes = int(telemetry.spool_mb * 1e6)
        self.spool = Spool(
            store, health=health, rows_max=telemetry.spool_rows, bytes_max=spool_bytes
        )
        """What waits for the broker."""
        wanted, believed_s = settings.broker.receipts, telemetry.expire_h * 3600
        self._receipts = Receipts(topics, wanted=wanted, believed_s=believed_s, **kept)
        self._desk = CommandDesk(settings.commands, topics, orders=desk, spool=self.spool, **kept)
        self._panel = Panel(settings.homeassistant, topics, name=home.name, **kept)
        self._announcer = Announcer(
            name=home.name,
            device_id=home.device_id,
            clock=clock,
            health=health,
            interfaces=interfaces,
        )
        self._link: Link | None = None
        self._connection: Connection | None = None

    def add(self, reading: Reading) -> None:
        """See `hems.agent.reading.Listener`."""
        self._telemetry.add(reading)
        self._panel.add(reading)

    def aborted(self, order: GivenUp) -> None:
        """Tell the operator of an order that ended before its time."""
        self._desk.aborted(order)

    async def run(self) -> None:
        """Measure, send, hear and carry out until cancelled; nothing of the broker ends it."""
        loops = [self._measure(), self._stay_connected(), self._desk.work()]
        if self._settings.broker.announce:
            loops.append(self._announcer.run())
        await _together(*loops)

    async def close(self) -> None:
        """Say that the gateway goes and let go of the broker, within a bound; keep what is left."""
        self.spool.save()
        connection, self._connection = self._connection, None
        with suppress(BrokerError, TimeoutError):
            async with asyncio.timeout(FAREWELL_S):
                if connection is not None:
                    await self._say_farewell(connection)
                if self._link is not None:
                    await self._link.close()
        self.spool.save()

    async def _measure(self) -> None:
        """Sample at an even pace and say what a period was like when it is over."""
        settings = self._settings.telemetry
        ticks = Ticks(settings.sample_s, clock=self._clock)
        while True:
            tick = await ticks.wait()
            self._desk.time.look()
            for ends, rows in self._telemetry.sample(tick.due, now_s=self._clock.monotonic_s()):
                time_s = ends.timestamp()
                body = {
                    "timestamp": time_s,
                    "device": self._topics.device_id,
                    "period_s": settings.period_s,
                    "dropped": self.spool.dropped,
                    "rows": [{"timestamp": time_s, **row} for row in rows],
                }
                if self._receipts.wanted:
                    body["receipt"] = True
                errors = self._forecast_errors() if self._forecast_errors is not None else {}
                if errors:
                    body["forecast_errors"] = errors
                expires_s = self._clock.utc().timestamp() + settings.expire_h * 3600
                self.spool.put(Lane.TELEMETRY, self._topics.telemetry, body, expires_s=expires_s)

    async def _stay_connected(self) -> None:
        """Connect again and again, with pauses that grow and that no two gateways share."""
        from hems.agent.mqtt.link import Link  # noqa: PLC0415 -- loads paho

        self._link = Link(
            self._settings.broker,
            client_id=f"gridpact-{self._topics.device_id}",
            clock=self._clock,
            will_topic=self._topics.status,
        )
        backoff = Backoff(self._clock)
        share = SystemRandom()
        while True:
            began_s = self._clock.monotonic_s()
            try:
                self._connection = await self._link.connect()
                began_s = self._clock.monotonic_s()
                await self._speak(self._connection)
            except BrokerError as error:
                self._health.lost(BROKER, str(error))
                await self._hang_up()
            if self._clock.monotonic_s() - began_s >= STOOD_S:
                backoff.worked()
            backoff.failed(longest_s=self._settings.broker.retry_longest_s)
            await self._clock.sleep(backoff.left_s * share.uniform(0.5, 1.0))

    async def _speak(self, connection: "Connection") -> None:
        """Use a connection until it ends."""
        from hems.agent.mqtt.link import ONLINE  # noqa: PLC0415 -- loads paho

        await connection.publish(self._topics.status, ONLINE, retain=True)
        commands = await self._listen(connection) if self._settings.commands.enabled else set()
        receipts = await self._receipts.listen(connection)
        await self._panel.introduce(connection)
        self.spool.begin()
        await _together(
            self._send(connection),
            self._panel.show(connection, self._facts),
            self._send_again(),
            *([self._hear(connection, commands)] if commands or receipts else []),
        )

    async def _listen(self, connection: "Connection") -> set[str]:
        """Subscribe to commands; return their topics, none where the broker does not let us."""
        topics = self._topics.commands(self._settings.commands.names)
        try:
            for topic in topics:
                await connection.subscribe(topic)
        except BrokerRefusedError as error:
            self._health.lost(COMMANDS, str(error))
            return set()
        self._health.back(COMMANDS)
        return set(topics)

    async def _hear(self, connection: "Connection", commands: set[str]) -> None:
        async for message in connection.incoming():
            # some brokers hand out retained messages of topics that nobody here asked for
            if message.topic in commands:
                envelope = Envelope(
                    correlation=message.correlation, expires_in_s=message.expires_in_s
                )
                self._desk.receive(message.payload, envelope, retained=message.retained)
            else:
                self.spool.received(self._receipts.hear(message.topic, message.payload))

    async def _send(self, connection: "Connection") -> None:
        """Send what waits, a few messages at a time, each until it is acknowledged."""
        while True:
            try:
                letters = self.spool.next(BATCH, now_s=self._clock.utc().timestamp())
            except StoreError as error:
                self._health.lost(SPOOL, str(error))
                await self._clock.sleep(_READ_AGAIN_S)
                continue
            sent = [self._deliver(connection, letter) for letter in letters]
            for fault in await asyncio.gather(*sent, return_exceptions=True):
                if fault is not None:
                    raise fault
            self._health.back(BROKER)
            if not letters:
                await self.spool.more()

    async def _send_again(self) -> None:
        """Send again what waits for its receipt for too long."""
        while True:
            await self._clock.sleep(_RECEIPTS_S)
            self.spool.send_again(now_s=self._clock.monotonic_s())

    async def _deliver(self, connection: "Connection", letter: Letter) -> None:
        receipt = self._receipts.heard and letter.wants_receipt
        if receipt:
            self.spool.expect(letter)
        await connection.publish(
            letter.topic,
            letter.payload,
            expires_in_s=letter.expires_s - self._clock.utc().timestamp(),
            correlation_id=letter.correlation_id,
        )
        # the first offer may have come meanwhile: the broker hands it out before its answer
        if receipt and self._receipts.offered:
            self.spool.hand_over(letter, now_s=self._clock.monotonic_s())
        else:
            self.spool.delivered(letter)

    async def _say_farewell(self, connection: "Connection") -> None:
        from hems.agent.mqtt.link import OFFLINE  # noqa: PLC0415 -- loads paho

        try:
            await connection.publish(self._topics.status, OFFLINE, retain=True)
        finally:
            await connection.close()

    async def _hang_up(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()


async def _together(*loops: Coroutine[object, object, None]) -> None:
    """Run loops until one ends, then end the others and raise what ended it."""
    tasks = [asyncio.ensure_future(each) for each in loops]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for each in tasks:
            each.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for each in done:
        each.result()
