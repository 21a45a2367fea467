"""An order that comes while the house is an island: the grid first, then the order."""

import asyncio
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import pytest

from devices.battery_model import BatteryModel
from devices.emulators.house import EmulatedHome
from devices.emulators.xtender import XtenderEmulator
from devices.hand_clock import HandClock
from hems.agent.agent import Agent
from hems.agent.config import read_config
from hems.agent.orders import Order
from hems.agent.status import read_status

LONG_S = 60.0
DECIDE_S = 300
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
    rules = f'kind = "soc-rules"\ndecide_s = {DECIDE_S}\ndevice_cycle_s = 5'
    text = text.replace("device_cycle_s = 5", rules).replace(
        "capacity_wh = 10000", "capacity_wh = 26208"
    )
    config.path.write_text(text, "utf-8")
    lines = []
    agent = Agent(read_config(config.path), clock=clock, tell=lines.append)
    running = asyncio.ensure_future(agent.run())
    try:
        yield agent, home, clock, lines, config.home.state_folder
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


def noted_between_decisions(folder):
    """Return whether others can see that the house is an island before the next decision."""
    seen = read_status(folder)
    between = datetime.fromisoformat(seen["utc"]).timestamp() % DECIDE_S > 0
    return seen["relay"]["closed"] is False and between


def test_an_order_closes_the_relay_is_carried_out_and_the_next_decision_opens_it_again(written):
    async def story():
        async with island(written) as (agent, home, clock, lines, folder):
            await until(clock, lambda: home.islanded)
            order = Order(
                correlation_id="a",
                until=clock.utc() + timedelta(seconds=30),
                battery_power_w=1_000.0,
            )
            await passing(clock, asyncio.ensure_future(agent.parts.steering.take(order)))
            ordered = home.islanded, home.state().battery_power_w, agent.parts.steering.wish.why
            await until(clock, lambda: agent.parts.steering.order is None)
            # it is said a moment after the relay has opened, once it is read back
            await until(clock, lambda: len(lines) == 4)
            await until(clock, lambda: noted_between_decisions(folder))
            return ordered, [line.partition(" (")[0] for line in lines[1:]]

    (islanded, power_w, why), lines = asyncio.run(story())

    assert (islanded, why) == (False, "order")
    assert 850 < power_w < 1_150  # whole amperes
    assert lines == [
        "relay opened: the house is an island",
        "relay closed, the house is on the grid: an order stands",
        "relay opened: the house is an island",
    ]
