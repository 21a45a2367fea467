"""The driver of a SunSpec adapter over MQTT and TLS, on real sockets."""

import asyncio
import json
import socket
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest

from devices.adapter.broker import AdapterBroker, server_context
from devices.adapter.certificates import make_certificates
from devices.adapter.messages import COMMAND, CONFIGURATION
from devices.battery import BatteryState
from devices.battery_model import BatteryModel
from devices.emulators.faults import Fault, FaultPlan
from devices.emulators.house import EmulatedHome
from devices.emulators.sunspec_adapter import AdapterEmulator
from devices.errors import (
    DeviceConfigError,
    DeviceRefusedError,
    DeviceReplyError,
    DeviceUnavailableError,
)
from devices.hand_clock import HandClock
from devices.registry import Site, open_device
from devices.write_log import WriteLog


@asynccontextmanager
async def opened(settings, *, clock=None, read_only=False):
    """Open the driver and close it, whatever happens."""
    with WriteLog() as log:
        clock = clock or HandClock()
        site = Site(name="home", where="test", clock=clock, log=log, read_only=read_only)
        device = await open_device(settings, site)
        try:
            yield device.battery
        finally:
            async with asyncio.timeout(5):
                if device.battery._keeper is not None:
                    device.battery._keeper.cancel()
                await device.battery._link.close()


@asynccontextmanager
async def emulated(**options):
    """Run an adapter before an emulated inverter whose house takes 500 W."""
    clock = HandClock()
    home = EmulatedHome(
        model=BatteryModel.lfp(1), soc=0.5, clock=clock.monotonic_s, demand=lambda _: (500.0, 0.0)
    )
    adapter = AdapterEmulator(home, clock=clock, **options)
    await adapter.start()
    try:
        yield adapter, clock
    finally:
        await adapter.stop()


@asynccontextmanager
async def scripted(folder, answers):
    """Run a broker that answers as another maker's adapter does; give what it heard."""
    files = make_certificates(folder, hosts=("127.0.0.1",), now=datetime.now(UTC))
    heard = []

    async def handle(topic, payload):
        heard.append((topic, json.loads(payload)))
        for answer in answers(topic, json.loads(payload)):
            await broker.publish(answer)

    tls = server_context(files.certificate, files.key)
    broker = AdapterBroker(handle, host="127.0.0.1", port=0, tls=tls)
    await broker.start()
    settings = {
        "driver": "sunspec-adapter",
        "host": "127.0.0.1",
        "port": broker.port,
        "ca_file": str(files.ca),
        "storage": "solaredge",
        "address": "192.168.1.20",
        "rated_w": 4000,
        "timeout_s": 5.0,
    }
    try:
        yield settings, heard
    finally:
        await broker.stop()


def paper_only(topic, request):
    """Answer as an adapter that knows the paper and nothing of ours."""
    if request.get("read") == "State of charge":
        yield b'{"read": "Frequency", "value": 50.0}'
        yield b'{"read": "State of charge", "value": 55}'
    if request.get("read") == "Active power":
        yield b'{"read": "Active power", "value": 2000, "type": "delivered"}'


def test_an_adapter_that_only_speaks_the_papers_tables_is_read_and_written(tmp_path):
    async def talk():
        async with scripted(tmp_path, paper_only) as (settings, heard):
            clock = HandClock()
            async with opened({**settings, "answers_writes": False}, clock=clock) as battery:
                await battery.set_power(2_000, valid_s=3_600)
                states = [await battery.read()]
                battery._keeper.cancel()
                await clock.advance(61)
                states.append(await battery.read())
            return heard, states

    heard, states = asyncio.run(talk())

    assert heard[0] == (
        CONFIGURATION,
        {
            "timestamp": 1_780_315_200,
            "storage": "solaredge",
            "model": "unknown",
            "address": "192.168.1.20",
            "crate": {"max": 4000.0},
            "soc": {"mins": 5.0},
        },
    )
    assert heard[1:4] == [
        (COMMAND, {"write": "charge", "power": 50.0, "interval": 1.0}),
        (COMMAND, {"read": "State of charge"}),
        (COMMAND, {"read": "Active power"}),
    ]
    assert states == [
        BatteryState(soc=0.55, battery_power_w=-2_000.0, following=False),
        BatteryState(soc=0.55, battery_power_w=-2_000.0, following=True),
    ]


def test_answers_to_others_are_not_taken_for_ours(tmp_path):
    def answers(topic, request):
        if topic == CONFIGURATION:
            yield json.dumps({"configured": True, "id": request["id"]}).encode()
        else:
            value = {"State of charge": 55, "Active power": 100}[request["read"]]
            yield b'{"quantity": "State of charge", "last": 11, "id": "another-gateway-1"}'
            yield b'{"quantity": "State of charge", "last": 22}'
            report = {"quantity": request["read"], "last": value, "id": request["id"]}
            yield json.dumps(report).encode()

    async def talk():
        async with scripted(tmp_path, answers) as (settings, _), opened(settings) as battery:
            return (await battery.read()).soc

    assert asyncio.run(talk()) == 0.55


def test_a_page_instead_of_an_answer_and_no_answer_at_all_are_errors_that_may_be_repeated():
    async def talk():
        async with emulated() as (adapter, clock):
            settings = {**adapter.settings, "timeout_s": 0.3}
            async with opened(settings, clock=clock) as battery:
                adapter.faults = FaultPlan.once(Fault.HTML_INSTEAD_OF_JSON)
                with pytest.raises(DeviceReplyError):
                    await battery.read()
                adapter.faults = FaultPlan.once(Fault.TIMEOUT)
                with pytest.raises(DeviceUnavailableError, match=r"not answer within 0\.3 s"):
                    await battery.read()
                return (await battery.read()).following

    assert asyncio.run(talk())


def test_a_connection_that_was_cut_is_made_again_at_the_next_request():
    async def talk():
        async with emulated() as (adapter, clock), opened(adapter.settings, clock=clock) as battery:
            await battery.read()
            adapter._broker.drop_connections()
            state = await battery.read()
            return state.soc, battery._link.session.connections

    assert asyncio.run(talk()) == (0.5, 2)


def test_an_adapter_that_forgot_its_storage_is_told_again():
    async def talk():
        async with emulated() as (adapter, clock), opened(adapter.settings, clock=clock) as battery:
            await battery.read()
            await adapter._desk.close()
            return (await battery.read()).soc

    assert asyncio.run(talk()) == 0.5


def test_a_gateway_that_is_gone_leaves_a_battery_that_follows_by_itself_at_once():
    async def talk():
        async with emulated() as (adapter, clock), opened(adapter.settings, clock=clock) as battery:
            await battery.set_power(2_000, valid_s=3_600)
            before_w = adapter.home.state().battery_power_w
            battery._keeper.cancel()
            client = battery._link.session._client
            client._client.socket().shutdown(socket.SHUT_RDWR)
            async with asyncio.timeout(5):
                while adapter.home.steered:  # noqa: ASYNC110 -- no event tells
                    await asyncio.sleep(0.01)
            return round(before_w), round(adapter.home.state().battery_power_w)

    assert asyncio.run(talk()) == (2_000, -500)


def test_a_reader_configures_only_an_adapter_that_knows_no_storage_and_leaves_no_will():
    async def talk():
        async with emulated() as (adapter, clock):
            async with opened(adapter.settings, clock=clock, read_only=True) as battery:
                await battery.read()
            first = [topic for topic, _ in adapter.messages].count(CONFIGURATION)
            async with opened(adapter.settings, clock=clock, read_only=True) as battery:
                await battery.read()
                battery._link.session._client._client.socket().shutdown(socket.SHUT_RDWR)
                await asyncio.sleep(0.1)
            second = [topic for topic, _ in adapter.messages].count(CONFIGURATION)
            return first, second, dict(adapter.writes), dict(adapter.inverter.writes)

    assert asyncio.run(talk()) == (1, 1, {}, {})


def test_another_authority_and_another_name_are_refused(tmp_path):
    other = make_certificates(tmp_path / "other", hosts=("127.0.0.1",), now=datetime.now(UTC))

    async def talk():
        async with emulated() as (adapter, clock):
            for change in ({"ca_file": str(other.ca)}, {"host": "localhost"}):
                with pytest.raises(DeviceConfigError, match="is not the adapter"):
                    async with opened({**adapter.settings, **change}, clock=clock):
                        pass
            loose = {**adapter.settings, "host": "localhost", "check_name": False}
            async with opened(loose, clock=clock) as battery:
                return (await battery.read()).soc

    assert asyncio.run(talk()) == 0.5


def test_a_storage_that_cannot_be_used_is_told_in_the_adapters_words():
    async def talk():
        async with emulated() as (adapter, clock):
            with pytest.raises(DeviceRefusedError, match="address is"):
                async with opened({**adapter.settings, "address": "no host"}, clock=clock):
                    pass

    asyncio.run(talk())


@pytest.mark.parametrize(
    "change",
    [
        {"rated_w": 0},
        {"watchdog_s": 0},
        {"timeout_s": 0},
        {"soc_min_percent": 101},
        {"cert_file": "x.pem"},
        {"ca_file": "/nowhere/ca.pem"},
        {"topic": "x"},
    ],
)
def test_settings_that_cannot_be_used_are_refused_before_anything_is_dialled(change, tmp_path):
    files = make_certificates(tmp_path, hosts=("a",), now=datetime.now(UTC))
    settings = {
        "driver": "sunspec-adapter",
        "host": "127.0.0.1",
        "port": 1,
        "ca_file": str(files.ca),
        "storage": "x",
        "address": "y",
        "rated_w": 4000,
        **change,
    }

    async def talk():
        async with opened(settings):
            pass

    with pytest.raises(DeviceConfigError) as refused:
        asyncio.run(talk())

    assert "\n" not in str(refused.value)


def test_an_adapter_that_is_away_can_be_opened_and_is_unavailable_until_it_is_there(tmp_path):
    files = make_certificates(tmp_path, hosts=("127.0.0.1",), now=datetime.now(UTC))
    settings = {
        "driver": "sunspec-adapter",
        "host": "127.0.0.1",
        "port": 1,
        "ca_file": str(files.ca),
        "storage": "x",
        "address": "y",
        "rated_w": 4000,
        "timeout_s": 0.3,
    }

    async def talk():
        async with opened(settings) as battery:
            with pytest.raises(DeviceUnavailableError, match="cannot be reached"):
                await battery.read()

    asyncio.run(talk())
