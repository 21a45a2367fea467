"""The whole adapter: found by mDNS, spoken to over TLS, reporting at an even pace."""

import asyncio
import json

import pytest

from devices.adapter.adapter import Announced, SunSpecAdapter
from devices.adapter.broker import server_context
from devices.adapter.messages import COMMAND, CONFIGURATION
from devices.announce import own_addresses, own_mac
from devices.discovery import FoundService, browse
from devices.errors import DeviceConfigError

LOOPBACK = ["127.0.0.1"]
MAC = "02:00:00:00:00:01"


def adapter_of(desk, certificates, clock, **options):
    """Return an adapter on a free port of 127.0.0.1."""
    tls = server_context(certificates.certificate, certificates.key)
    return SunSpecAdapter(desk, clock=clock, tls=tls, host="127.0.0.1", port=0, **options)


def test_an_adapter_is_found_by_its_name_and_mac_and_no_longer_when_it_stops(certificates, desk_at):
    async def find():
        async with desk_at() as (desk, _, clock, _):
            announced = Announced(mac=MAC, interfaces=LOOPBACK)
            adapter = adapter_of(desk, certificates, clock, announced=announced)
            async with adapter:
                found = await browse(1.5, interfaces=LOOPBACK)
            gone = await browse(1.5, interfaces=LOOPBACK)
            return found, gone, adapter.port

    found, gone, port = asyncio.run(find())

    assert found == (
        FoundService(
            name=f"sunadp [{MAC}]",
            service="_smqtt._tcp.local.",
            host="sunadp.local",
            addresses=("127.0.0.1",),
            port=port,
        ),
    )
    assert gone == ()


def test_a_gateway_configures_commands_and_hears_reports(certificates, desk_at, client_of):
    async def talk():
        async with desk_at() as (desk, home, clock, port):
            adapter = adapter_of(desk, certificates, clock)
            async with adapter, client_of(adapter.port) as client, asyncio.timeout(60):
                config = {
                    "storage": "sunspec",
                    "model": "x",
                    "address": f"127.0.0.1:{port}",
                    "crate": {"max": 4000},
                }
                await client.publish(CONFIGURATION, json.dumps(config), qos=1)
                configured = json.loads((await anext(client.messages)).payload)
                message = '{"write": "charge", "power": 50, "interval": 60}'
                await client.publish(COMMAND, message, qos=1)
                done = json.loads((await anext(client.messages)).payload)
                power_w = home.state().battery_power_w
                await clock.advance(15)
                report = json.loads((await anext(client.messages)).payload)
                while report["quantity"] != "Active power":
                    report = json.loads((await anext(client.messages)).payload)
            return configured, done, power_w, report, home.state().battery_power_w

    configured, done, power_w, report, after_w = asyncio.run(talk())

    assert (configured["configured"], configured["charge_max_w"]) == (True, 4_000)
    assert (done["accepted"], round(power_w), round(after_w)) == (True, 2_000, -500)
    assert (report["min"], report["max"], report["avg"], report["mode"]) == (
        2_000.0,
        2_000.0,
        2_000.0,
        "charge",
    )


def test_a_machine_has_a_mac_and_addresses_that_others_can_dial():
    assert len(own_mac().split(":")) == 6
    assert own_addresses("192.168.1.9") == ("192.168.1.9",)
    assert all(not each.startswith("127.") for each in own_addresses("0.0.0.0"))
    with pytest.raises(DeviceConfigError, match="give an IP address"):
        own_addresses("inverter.local")
