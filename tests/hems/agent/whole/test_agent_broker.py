"""A whole agent and a real broker: it says what it measures and does what it is told."""

import asyncio
import json
import time

from hems.agent.status import read_status

LONG_S = 60.0


def broker_table(port):
    return (
        f'[broker]\nhost = "127.0.0.1"\nport = {port}\ntls = false\nprotocol = "3.1.1"\n'
        "announce = false\n"
    )


async def both(alive, holds):
    """Let the home's time pass and the broker work, until something holds."""
    deadline_s = time.monotonic() + LONG_S
    while not holds():
        assert time.monotonic() < deadline_s, alive.lines
        await alive.pass_s(1.0)
        await asyncio.sleep(0.02)


def test_a_home_measures_obeys_and_keeps_what_a_broker_that_is_gone_cannot_take(
    living, amqtt, listener
):
    async def run():
        async with amqtt() as broker, living(extra=broker_table(broker.port)) as alive:
            alive.clock.turns = 40  # whoever is connected does not sleep again
            async with listener(broker.port) as (client, heard):
                await both(alive, lambda: ("gridpact/home-1/status", b"online") in topics(heard))
                await both(alive, lambda: heard.on("/telemetry"))
                order = {
                    "device": "home-1",
                    "correlation_id": "c-1",
                    "expires": alive.clock.utc().timestamp() + 300,
                    "write": "charge",
                    "power": 50,
                    "interval": 3,
                }
                await client.publish("gridpact/home-1/command", json.dumps(order))
                await both(alive, lambda: heard.on("/outcome"))
                assert heard.on("/outcome")[0]["outcome"] == "done"
                assert alive.power_w == 1_650  # half of what the battery says that it takes
            await broker.stop()
            await both(alive, lambda: alive.told("broker") == ["broker lost"])
            assert alive.power_w == 1_650
            await both(alive, lambda: alive.agent.parts.courier.spool.waiting >= 1)
            await broker.start()
            await both(alive, lambda: alive.told("broker") == ["broker lost", "broker back"])
            await both(alive, lambda: alive.agent.parts.courier.spool.waiting == 0)
            folder = alive.agent._config.home.state_folder
            await both(alive, lambda: read_status(folder)["order"] is None)

            assert read_status(folder)["spool"]["dropped"] == 0
            assert alive.power_w == "follows"

    asyncio.run(run())


def topics(heard):
    return [(topic, payload) for topic, payload, _ in heard.messages]
