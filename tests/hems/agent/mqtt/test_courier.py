"""The gateway's MQTT side against real brokers: what is said, heard and survived."""

import asyncio
import json
from contextlib import asynccontextmanager
from pathlib import Path

from hems.agent.health import Health
from hems.agent.mqtt.courier import Courier
from hems.agent.mqtt.settings import (
    BrokerSettings,
    CommandSettings,
    CourierSettings,
    HomeAssistantSettings,
    TelemetrySettings,
)
from hems.agent.mqtt.spool import Lane
from hems.agent.settings import HomeSettings
from hems.agent.standing import Standing
from hems.agent.store import Store

HOME = HomeSettings(name="Elm Street 7", device_id="home-7", state_folder=Path("unused"))
STATUS = "gridpact/home-7/status"


class Orders:
    """Takes orders down."""

    rated_w = (3_000.0, 4_000.0)

    def __init__(self):
        self.taken = []

    async def take(self, order):
        self.taken.append(order)

    async def end_order(self):
        self.taken.append("end")


class Gateway:
    """A courier over a store that outlives it."""

    def __init__(self, broker, clock, *, store=None, standing=None, errors=None, **parts):
        fields = {
            "host": "127.0.0.1",
            "port": broker.port,
            "tls": False,
            "announce": False,
            "protocol": "5" if broker.speaks_5 else "3.1.1",
            **parts.pop("broker", {}),
        }
        self.clock = clock
        self.sample_s = parts.get("telemetry", TelemetrySettings()).sample_s
        self.store = store or Store()
        self.orders = Orders()
        self.lines = []
        self.courier = Courier(
            CourierSettings(broker=BrokerSettings(**fields), **parts),
            home=HOME,
            store=self.store,
            clock=clock,
            health=Health(self.lines.append),
            desk=self.orders,
            facts=lambda: standing,
            forecast_errors=lambda: errors or {},
        )

    @asynccontextmanager
    async def running(self):
        task = asyncio.create_task(self.courier.run())
        try:
            yield self
            assert not task.done(), task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await self.courier.close()

    def rests(self):
        """Return whether it waits, with no connection, for its clock to move on."""
        # who sleeps then is who measures and who will connect
        return self.courier._connection is None and len(self.clock._sleepers) == 2

    async def live(self, seconds, reading_at, **fields):
        """Let time pass with a reading for each sample."""
        for _ in range(round(seconds / self.sample_s)):
            self.courier.add(reading_at(self.clock, **fields))
            await self.clock.advance(self.sample_s)


async def until(true):
    """Wait until something is so of which no event tells."""
    async with asyncio.timeout(60):
        while not true():  # noqa: ASYNC110 -- see above
            await asyncio.sleep(0.01)


def missing(heard):
    """Return the minutes between the first and the last of which nothing was heard."""
    minutes = {each["timestamp"] // 60 for each in heard.on("/telemetry")}
    return set(range(int(min(minutes)), int(max(minutes)))) - minutes


def numbers_of(heard):
    return {each["number"] for each in heard.on("/telemetry")}


def is_online(heard):
    return (STATUS, b"online") in [message[:2] for message in heard.messages]


def named(end, field, heard):
    """Return what each command was told, in order and without what came twice."""
    told = [(each.get("correlation_id"), each[field]) for each in heard.on(f"/{end}")]
    return dict.fromkeys(told).keys()


def command(clock, name, **asked):
    expires = clock.utc().timestamp() + 60
    return json.dumps({"device": "home-7", "correlation_id": name, "expires": expires, **asked})


def test_each_minute_is_told_with_all_of_the_papers_fields(any_broker, listener, clock, reading_at):
    async def talk():
        async with any_broker() as broker, listener(broker.port) as (_, heard):
            async with Gateway(broker, clock).running() as gateway:
                await heard.until(is_online)
                await gateway.live(45, reading_at, battery_w=1_000.0, pv_w=0.0)
                await gateway.live(15, reading_at, battery_w=-600.0, pv_w=2_000.0)
                await heard.until(lambda _: heard.on("/telemetry"))
            return heard.on("/telemetry")

    ((told),) = asyncio.run(talk())
    noon_s = clock.utc().timestamp() - 60

    assert told.pop("id")
    assert {key: value for key, value in told.items() if key != "rows"} == {
        "timestamp": noon_s + 60,
        "device": "home-7",
        "period_s": 60.0,
        "dropped": 0,
        "receipt": True,
        "expires": noon_s + 60 + 7 * 86_400,
    }
    assert told["rows"][0] == {
        "timestamp": noon_s + 60,
        "device": "storage",
        "details": "",
        "quantity": "Active power",
        "direction": "delivered",
        "unit": "W",
        "min": -1_000.0,
        "max": 600.0,
        "avg": -600.0,
        "last": 600.0,
    }
    assert [(row["device"], row["details"], row["quantity"]) for row in told["rows"][1:]] == [
        ("storage", "", "State of charge"),
        ("meter", "consumption", "Active power"),
        ("meter", "production", "Active power"),
        ("meter", "grid", "Active power"),
    ]


def test_a_minute_tells_how_far_forecasts_were_off_once_one_was_scored(
    amqtt, listener, clock, reading_at
):
    errors = {"load": {"4": {"mean_absolute_w": 210.5, "bias_w": -12.0, "relative": 0.31}}}

    async def talk():
        async with amqtt() as broker, listener(broker.port) as (_, heard):
            async with Gateway(broker, clock, errors=errors).running() as gateway:
                await heard.until(is_online)
                await gateway.live(60, reading_at)
                await heard.until(lambda _: heard.on("/telemetry"))
            return heard.on("/telemetry")

    (told,) = asyncio.run(talk())
    assert told["forecast_errors"] == errors


def test_a_gateway_is_online_until_it_says_farewell(any_broker, listener, clock):
    async def talk():
        async with any_broker() as broker:
            async with listener(broker.port) as (_, heard):
                gateway = Gateway(broker, clock)
                async with gateway.running():
                    await heard.until(is_online)
                    async with listener(broker.port) as (_, later):
                        await later.until(lambda _: later.messages)
                await heard.until(lambda _: heard.messages[-1][1] == b"offline")
            return heard.messages, later.messages, gateway.lines

    assert asyncio.run(talk()) == (
        [(STATUS, b"online", False), (STATUS, b"offline", False)],
        [(STATUS, b"online", True)],
        [],
    )


def test_commands_are_acknowledged_carried_out_and_answered_and_retained_ones_are_not(
    any_broker, listener, clock
):
    topic = "gridpact/home-7/command"

    async def talk():
        async with any_broker() as broker, listener(broker.port) as (client, heard):
            kept = command(clock, "kept", write="charge", power=100, interval=60)
            await client.publish(topic, kept, qos=1, retain=True)
            async with Gateway(broker, clock).running() as gateway:
                await heard.until(lambda _: heard.on("/outcome"))
                for _ in range(2):
                    sent = command(clock, "sent", write="discharge", power=50, interval=60)
                    await client.publish(topic, sent, qos=1)
                await client.publish(topic, b"\xff\x00", qos=1)
                await heard.until(lambda _: len(named("outcome", "code", heard)) == 4)
            return gateway.orders.taken, heard

    orders, heard = asyncio.run(talk())

    assert [each.battery_power_w for each in orders] == [-2_000.0]
    # amqtt hands out what it kept twice
    assert list(named("acknowledgement", "code", heard)) == [
        ("kept", "retained"),
        ("sent", None),
        ("sent", "repeated"),
        (None, "malformed"),
    ]
    assert named("outcome", "outcome", heard) == {
        ("kept", "refused"),
        ("sent", "done"),
        (None, "refused"),
    }


def test_only_named_senders_topics_are_listened_to(mosquitto, listener, clock):
    async def talk():
        async with mosquitto() as broker, listener(broker.port) as (client, heard):
            settings = CommandSettings(senders="operator")
            async with Gateway(broker, clock, commands=settings).running() as gateway:
                await heard.until(is_online)
                for last in ("command", "command/owner", "command/operator"):
                    sent = command(clock, last, write="release")
                    await client.publish(f"gridpact/home-7/{last}", sent, qos=1)
                await heard.until(lambda _: heard.on("/outcome"))
            return gateway.orders.taken, [each["correlation_id"] for each in heard.on("/outcome")]

    assert asyncio.run(talk()) == (["end"], ["command/operator"])


def test_home_assistant_sees_the_home_until_it_is_switched_off(
    any_broker, listener, clock, reading_at
):
    standing = Standing(
        source="answer", commitment_wh=1_200, owed_wh=314.25, earned_micro=12_345_678
    )
    topic = "homeassistant/device/home-7/gridpact/config"

    async def removed(broker):
        async with listener(broker.port, topic) as (client, heard):
            await client.subscribe("end")
            await client.publish("end", b"")  # comes after whatever the broker had kept
            await heard.until(lambda _: heard.messages)
            return heard.messages[0][0] == "end"

    async def talk():
        store = Store()
        on = HomeAssistantSettings(enabled=True, state_s=15)
        async with any_broker() as broker:
            async with listener(broker.port) as (_, heard):
                gateway = Gateway(broker, clock, store=store, standing=standing, homeassistant=on)
                async with gateway.running():
                    await heard.until(is_online)
                    await gateway.live(15, reading_at, pv_w=250.0)
                    await heard.until(lambda _: "soc" in (heard.on("/state") or [{}])[-1])
                shown = heard.on("/state")[-1]
            async with listener(broker.port, topic) as (_, heard):
                await heard.until(lambda _: heard.messages)
                seen = heard.messages[0]
            async with Gateway(broker, clock, store=store).running():
                await until(lambda: not store.rows("SELECT * FROM described"))
            return shown, seen, await removed(broker)

    shown, (_, payload, retained), gone = asyncio.run(talk())
    document = json.loads(payload)
    components = document.pop("components")

    assert (retained, gone) == (True, True)
    assert shown == {
        "soc": 50.0,
        "battery_power_w": 1_000.0,
        "mode": "set-point",
        "grid_power_w": 1_150.0,
        "load_w": 400.0,
        "pv_w": 250.0,
        "commitment_wh": 1_200,
        "owed_wh": 314.25,
        "earned": 12.35,
    }
    assert set(components) == set(shown)
    assert components["earned"] == {
        "platform": "sensor",
        "unique_id": "gridpact_home-7_earned",
        "name": "Earned",
        "value_template": "{{ value_json.get('earned') }}",
        "device_class": "monetary",
        "unit_of_measurement": "GBP",
        "state_class": "total",
    }
    assert document["device"]["name"] == "Elm Street 7"
    assert (document["availability_topic"], document["state_topic"]) == (
        STATUS,
        "gridpact/home-7/state",
    )


def test_a_broker_that_is_away_for_hours_gets_what_fits_in_order_and_is_told_what_did_not(
    any_broker, listener, clock, reading_at, tmp_path
):
    async def talk():
        store = Store(tmp_path / "state.sqlite")
        async with any_broker() as broker:
            await broker.stop()
            telemetry = TelemetrySettings(sample_s=60, spool_rows=100)
            gateway = Gateway(broker, clock, store=store, telemetry=telemetry)
            async with gateway.running():
                await gateway.live(130 * 60, reading_at)
                await until(gateway.rests)
                await broker.start()
                async with listener(broker.port, "gridpact/home-7/telemetry") as (_, heard):
                    await gateway.live(10 * 60, reading_at)
                    await until(lambda: len(heard.messages) >= 100 and not missing(heard))
            store.close()
            return [json.loads(payload) for _, payload, _ in heard.messages], gateway.lines

    told, lines = asyncio.run(talk())
    by_time = sorted(told, key=lambda each: each["timestamp"])

    assert len({each["id"] for each in told}) == len(told)
    assert by_time[-1]["dropped"] >= 30
    assert len(lines) == 2, lines
    assert lines[0].startswith("broker lost: the broker at 127.0.0.1:")
    assert lines[1] == "broker back"


def test_a_broker_that_refuses_telemetry_is_told_once_and_nothing_is_lost(
    mosquitto, listener, clock, reading_at, tmp_path
):
    rules = tmp_path / "rules"
    rules.write_text("topic readwrite gridpact/+/status\ntopic read #\n")

    async def talk():
        async with (
            mosquitto("allow_anonymous true", f"acl_file {rules}") as broker,
            listener(broker.port) as (_, heard),
        ):
            gateway = Gateway(broker, clock)
            async with gateway.running():
                await heard.until(is_online)
                await gateway.live(300, reading_at)
                await until(lambda: gateway.lines)
            return gateway.lines, gateway.courier.spool.waiting, heard.on("/telemetry")

    lines, waiting, told = asyncio.run(talk())

    assert lines == [
        "broker lost: the broker refuses messages on gridpact/home-7/telemetry (Not authorized); "
        "mend its access list"
    ]
    assert (waiting, told) == (5, [])


def test_home_assistants_topics_may_be_refused_without_harm(
    mosquitto, listener, clock, reading_at, tmp_path
):
    rules = tmp_path / "rules"
    rules.write_text("topic readwrite gridpact/#\n")

    async def talk():
        async with (
            mosquitto("allow_anonymous true", f"acl_file {rules}") as broker,
            listener(broker.port) as (_, heard),
        ):
            on = HomeAssistantSettings(enabled=True, state_s=3_600)
            gateway = Gateway(broker, clock, homeassistant=on)
            async with gateway.running():
                await heard.until(is_online)
                await gateway.live(60, reading_at)
                await heard.until(lambda _: heard.on("/telemetry"))
            return gateway.lines[0]

    assert asyncio.run(talk()) == (
        "Home Assistant lost: the broker refuses messages on "
        "homeassistant/device/home-7/gridpact/config (Not authorized); mend its access list"
    )


def test_a_broker_killed_in_mid_stream_loses_nothing_that_it_had_not_acknowledged(
    mosquitto, listener, clock, tmp_path
):
    topic = "gridpact/home-7/telemetry"
    count = 400

    async def talk():
        store = Store(tmp_path / "state.sqlite")
        got, left = [], []

        def all_there():
            return len({each["number"] for each in got} | numbers_of(heard)) == count

        async with mosquitto() as broker:
            await broker.kill()
            gateway = Gateway(broker, clock, store=store)
            spool = gateway.courier.spool
            for number in range(count):
                spool.put(Lane.TELEMETRY, topic, {"number": number}, expires_s=4e9)
            async with gateway.running():
                for kills in (True, True, False):
                    await until(gateway.rests)
                    await broker.start()
                    async with listener(broker.port, topic) as (_, heard):
                        reconnecting = asyncio.create_task(clock.advance(300))
                        if kills:
                            await heard.until(lambda _: len(heard.messages) >= 25)
                            await broker.kill()
                            await until(heard.over.is_set)
                        else:
                            await until(lambda: not spool.waiting)
                            await until(all_there)
                        await reconnecting
                        got += [json.loads(payload) for _, payload, _ in heard.messages]
                    left.append(spool.waiting)
            store.close()
        return got, left

    got, left = asyncio.run(talk())
    by_id = {each["id"]: each for each in got}

    assert count > left[0] > left[1] > left[2] == 0
    assert all(by_id[each["id"]] == each for each in got)
    assert sorted(each["number"] for each in by_id.values()) == list(range(count))
