"""The gateway's name in the network: found while it runs, gone when it stops."""

import asyncio
import secrets

from zeroconf.asyncio import AsyncServiceInfo

from devices.announce import open_zeroconf
from devices.clock import SystemClock
from devices.discovery import FoundService, browse
from hems.agent.health import Health
from hems.agent.mqtt.announce import SERVICE, Announcer

LOOPBACK = ["127.0.0.1"]
# the network of this computer is shared with whatever else is tested on it
ID = f"home-{secrets.token_hex(4)}"


def announcer(lines, *, interfaces=LOOPBACK):
    return Announcer(
        name="Elm Street 7",
        device_id=ID,
        clock=SystemClock(),
        health=Health(lines.append),
        interfaces=interfaces,
    )


async def texts_of(name):
    zeroconf = open_zeroconf(LOOPBACK)
    try:
        info = AsyncServiceInfo(SERVICE, f"{name}.{SERVICE}")
        assert await info.async_request(zeroconf.zeroconf, 10_000)
        return info.decoded_properties
    finally:
        await zeroconf.async_close()


async def look():
    """Return what is found of ours."""
    found = await browse(1.5, services=[SERVICE], interfaces=LOOPBACK)
    return tuple(each for each in found if each.name == ID)


async def found_within(seconds):
    """Return what is found, looked for until something is."""
    async with asyncio.timeout(seconds):
        while True:
            found = await look()
            if found:
                return found


def test_a_gateway_is_found_with_its_id_and_no_longer_when_it_stops():
    lines = []

    async def find():
        running = asyncio.create_task(announcer(lines).run())
        found = await found_within(30)
        texts = await texts_of(ID)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        return found, texts, await look()

    (found,), texts, gone = asyncio.run(find())

    assert found == FoundService(
        name=ID, service=SERVICE, host=found.host, addresses=("127.0.0.1",), port=0
    )
    assert {key: texts[key] for key in ("id", "name")} == {"id": ID, "name": "Elm Street 7"}
    assert texts["version"]
    assert (gone, lines) == ((), [])


def test_a_network_that_is_not_there_is_told_once():
    lines = []

    async def fail():
        running = asyncio.create_task(announcer(lines, interfaces=["203.0.113.9"]).run())
        async with asyncio.timeout(20):
            while not lines:  # noqa: ASYNC110 -- no event tells
                await asyncio.sleep(0.01)
        assert not running.done()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(fail())

    assert len(lines) == 1
    assert lines[0].startswith("name in the house's network lost: mDNS on 203.0.113.9:")
