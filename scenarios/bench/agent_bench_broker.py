"""A broker of MQTT 3.1.1 for measurements: ``python -m scenarios.bench.agent_bench_broker``."""

import asyncio
import sys

from amqtt.broker import Broker
from amqtt.contexts import BrokerConfig, ListenerConfig

_ANYBODY = "amqtt.plugins.authentication.AnonymousAuthPlugin"


async def serve(port: int) -> None:
    """Let anybody in at a port of this computer, until the process ends."""
    listener = ListenerConfig(bind=f"127.0.0.1:{port}")
    plugins = {_ANYBODY: {"allow_anonymous": True}}
    broker = Broker(BrokerConfig(listeners={"default": listener}, plugins=plugins))
    await broker.start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
