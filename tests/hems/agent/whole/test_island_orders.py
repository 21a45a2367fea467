"""An order that comes while the house is an island: the grid first, then the order."""

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from devices.battery_model import BatteryModel
from devices.emulators.house import EmulatedHome
from devices.emulators.xtender import XtenderEmulator
from devices.hand_clock import HandClock
from hems.agent.agent import Agent
from hems.agent.config import read_config
from hems.agent.orders import Order

LONG_S = 60.0
TABLES = """
[battery]
driver = "studer-xtender"
port = "{port}"
parity = "N"
feeds_grid = true
[relay]
inverter_w = 4000
dwell_s = 60
"""


@asynccontextmanager
async def island(written):
    """Run an agent whose rules want an island, until it is one."""
    clock = HandClock(turns=200)
    home = EmulatedHome(
        model=BatteryModel.lead_acid(1),
        soc=0.7,
        clock=clock.monotonic_s,
        demand=lambda _: (1_500.0, 900.0),
    )
    xtender = XtenderEmulator(home, clock=clock)
    await xtender.start()
    config = written(TABLES.format(port=xtender.settings["port"]), name="island")
    text = config.path.read_text("utf-8")
    rules = 'kind = "soc-rules"\ndecide_s = 300\ndevice_cycle_s = 5'
    text = text.replace("device_cycle_s = 5", rules).replace(
        "capacity_wh = 10000", "capacity_wh = 26208"
    )
    config.path.write_text(text, "utf-8")
    lines = []
    agent = Agent(read_config(config.path), clock=clock, tell=lines.append)
    running = asyncio.ensure_future(agent.run())
    try:
        yield agent, home, clock, lines
    finally:
        agent.stop()
        await passing(clock, running)
        await xtender.stop()


async def passing(clock, task):
    """Let time pass until a task is done."""
    async with asyncio.timeout(LONG_S):
        while not task.done():
            await asyncio.sleep(0.005)
            await clock.advance(0.1)
    return await task


async def until(clock, holds, *, within_s=900):
    for _ in range(within_s):
        if holds():
            return
        await clock.advance(1.0)
        await asyncio.sleep(0.002)
    pytest.fail(f"not so after {within_s} s")


def test_an_order_closes_the_relay_is_carried_out_and_the_next_decision_opens_it_again(written):
    async def story():
        async with island(written) as (agent, home, clock, lines):
            await until(clock, lambda: home.islanded)
            order = Order(
                correlation_id="a",
                until=clock.utc() + timedelta(seconds=30),
                battery_power_w=1_000.0,
            )
            await passing(clock, asyncio.ensure_future(agent.parts.steering.take(order)))
            ordered = home.islanded, home.state().battery_power_w, agent.parts.steering.wish.why
            await until(clock, lambda: agent.parts.steering.order is None)
            await until(clock, lambda: home.islanded)
            return ordered, [line.partition(" (")[0] for line in lines[1:]]

    (islanded, power_w, why), lines = asyncio.run(story())

    assert (islanded, why) == (False, "order")
    assert 850 < power_w < 1_150  # whole amperes
    assert lines == [
        "relay opened: the house is an island",
        "relay closed, the house is on the grid: an order stands",
        "relay opened: the house is an island",
    ]
