"""The emulated adapter: the real one before an emulated inverter, failing where it is told to."""

import asyncio
import json
import ssl
from contextlib import asynccontextmanager

import aiomqtt
import pytest

from devices.adapter.messages import COMMAND, CONFIGURATION, MONITORING
from devices.battery_model import BatteryModel
from devices.emulators.faults import Fault, FaultPlan
from devices.emulators.house import EmulatedHome
from devices.emulators.sunspec_adapter import AdapterEmulator
from devices.hand_clock import HandClock


@asynccontextmanager
async def asked(**options):
    """Run an emulated adapter, configured, and give what asks it."""
    clock = HandClock()
    home = EmulatedHome(
        model=BatteryModel.lfp(1), soc=0.5, clock=clock.monotonic_s, demand=lambda _: (500.0, 0.0)
    )
    adapter = AdapterEmulator(home, clock=clock, **options)
    await adapter.start()
    settings = adapter.settings
    config = {
        "storage": settings["storage"],
        "model": "x",
        "address": settings["address"],
        "port": settings["storage_port"],
        "crate": {"max": settings["rated_w"]},
    }
    context = ssl.create_default_context(cafile=settings["ca_file"])
    client = aiomqtt.Client("127.0.0.1", settings["port"], tls_context=context, timeout=30)

    async def ask(document, topic=COMMAND):
        await client.publish(topic, json.dumps(document), qos=1)
        async with asyncio.timeout(5):
            return (await anext(client.messages)).payload

    try:
        async with client:
            await client.subscribe(MONITORING, qos=1)
            await ask(config, CONFIGURATION)
            yield adapter, ask, clock
    finally:
        await adapter.stop()


CHARGE = {"write": "charge", "power": 40, "interval": 60}


def told(fault, *documents):
    """Return the answers to documents of an adapter that fails at the first."""

    async def talk():
        async with asked() as (adapter, ask, _):
            adapter.faults = FaultPlan.once(fault)
            answers = [json.loads(await ask(document)) for document in documents]
            return answers, round(adapter.home.state().battery_power_w), dict(adapter.writes)

    return asyncio.run(talk())


def test_without_faults_a_command_moves_the_battery_and_is_counted():
    async def talk():
        async with asked() as (adapter, ask, _):
            answer = json.loads(await ask(CHARGE))
            power_w = round(adapter.home.state().battery_power_w)
            return answer["accepted"], power_w, dict(adapter.writes)

    assert asyncio.run(talk()) == (True, 2_000, {"charge": 1})


def test_an_ignored_write_is_acknowledged_and_nothing_changes():
    (answer,), power_w, writes = told(Fault.WRITE_IGNORED, CHARGE)

    assert (answer["accepted"], power_w, writes) == (True, -500, {"charge": 1})


def test_a_late_write_is_done_some_seconds_after_it_was_acknowledged():
    async def talk():
        async with asked() as (adapter, ask, clock):
            adapter.faults = FaultPlan.once(Fault.WRITE_LATE)
            answer = json.loads(await ask(CHARGE))
            await clock.advance(1)
            powers_w = [round(adapter.home.state().battery_power_w)]
            await clock.advance(5)
            powers_w.append(round(adapter.home.state().battery_power_w))
            return answer["accepted"], powers_w

    assert asyncio.run(talk()) == (True, [-500, 2_000])


def test_a_value_that_is_not_there_is_null_and_a_stuck_sensor_repeats_itself():
    (answer, _), _, _ = told(
        Fault.NOT_IMPLEMENTED_VALUE, {"read": "State of charge"}, {"read": "Active power"}
    )
    assert answer["last"] is None

    async def talk():
        async with asked() as (adapter, ask, _):
            before = json.loads(await ask({"read": "Active power"}))
            await ask(CHARGE)
            adapter.faults = FaultPlan.once(Fault.STUCK_SENSOR)
            stuck = json.loads(await ask({"read": "Active power"}))
            after = json.loads(await ask({"read": "Active power"}))
            return [(each["last"], each["type"]) for each in (before, stuck, after)]

    assert asyncio.run(talk()) == [
        (500.0, "delivered"),
        (500.0, "delivered"),
        (2_000.0, "absorbed"),
    ]


@pytest.mark.parametrize("fault", [Fault.BUSY, Fault.SERVER_ERROR])
def test_an_adapter_that_cannot_now_says_unavailable_and_does_nothing(fault):
    (answer,), power_w, _ = told(fault, CHARGE)

    assert (answer["code"], answer["accepted"], power_w) == ("unavailable", False, -500)


def test_a_page_and_half_an_answer_are_no_json():
    async def talk(fault):
        async with asked() as (adapter, ask, _):
            adapter.faults = FaultPlan.once(fault)
            return await ask({"read": "Active power"})

    page = asyncio.run(talk(Fault.HTML_INSTEAD_OF_JSON))
    half = asyncio.run(talk(Fault.HALF_ANSWER))

    assert page.startswith(b"<!DOCTYPE html>")
    with pytest.raises(ValueError, match=r"Expecting|Unterminated"):
        json.loads(half)


def test_no_answer_comes_where_none_is_to_come():
    with pytest.raises(TimeoutError):
        told(Fault.TIMEOUT, CHARGE)


def test_after_a_restart_the_battery_follows_by_itself_and_the_storage_is_forgotten():
    async def talk():
        async with asked() as (adapter, ask, clock):
            await ask(CHARGE)
            adapter.faults = FaultPlan.once(Fault.REBOOT)
            with pytest.raises(aiomqtt.MqttError):
                await ask({"read": "Active power"})
            await clock.advance(5)
            return round(adapter.home.state().battery_power_w)

    assert asyncio.run(talk()) == -500


def test_faults_strike_the_inverter_behind_it_too():
    async def talk():
        async with asked() as (adapter, ask, _):
            adapter.inverter.faults = FaultPlan.always(Fault.SERVER_ERROR)
            return json.loads(await ask({"read": "Active power"}))["code"]

    assert asyncio.run(talk()) == "unavailable"


def test_what_it_cannot_show_or_be_is_refused():
    async def talk(**options):
        async with asked(**options):
            pass

    with pytest.raises(ValueError, match="cannot be shown"):
        asyncio.run(talk(faults=FaultPlan.always(Fault.WRONG_CHECKSUM)))
    with pytest.raises(ValueError, match="is not emulated"):
        asyncio.run(talk(storage="tesla"))


@pytest.mark.parametrize("storage", ["sunspec", "solaredge", "sonnen"])
def test_it_stands_before_every_kind_of_inverter(storage):
    async def talk():
        async with asked(storage=storage, rated_w=2_500.0) as (adapter, ask, clock):
            charge = asyncio.ensure_future(ask(CHARGE))
            while not charge.done():
                await clock.advance(0.2)
                await asyncio.sleep(0.01)
            return json.loads(charge.result())["accepted"], adapter.home.state().battery_power_w

    accepted, power_w = asyncio.run(talk())

    assert (accepted, round(power_w)) == (True, 1_000)
