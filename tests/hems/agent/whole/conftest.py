"""Whole agents against emulated devices on real sockets, at a clock that is moved by hand."""

import asyncio
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from devices.battery_model import BatteryModel
from devices.emulators.faults import FaultPlan
from devices.emulators.house import EmulatedHome
from devices.emulators.sonnen import SonnenV2Emulator
from devices.emulators.sunspec import SunSpecEmulator
from devices.hand_clock import HandClock
from hems.agent.agent import Agent
from hems.agent.build import build
from hems.agent.config import read_config
from hems.controller import Decision

LONG_S = 60.0
"""What nothing here may take, however busy the computer is."""


class SetClock(HandClock):
    """A clock moved by hand, patient with a busy computer, whose time of day can be set."""

    def __init__(self):
        super().__init__(turns=200)
        self.ahead_s = 0.0

    def utc(self):
        return super().utc() + timedelta(seconds=self.ahead_s)


class Holding:
    """Decide as a test says: a power to hold, None to follow, an exception to raise."""

    def __init__(self, power_w):
        self.says = power_w
        self.decided = []

    def decide(self, utc, **seen):
        self.decided.append((utc, seen))
        if isinstance(self.says, Exception):
            raise self.says
        return Decision(
            follow=np.array([self.says is None]),
            battery_power_w=np.array([self.says or 0.0]),
            proved=np.array([False]),
            cap_excess_wh=np.zeros(1),
        )


@dataclass
class Living:
    """One agent and what is around it."""

    agent: Agent
    clock: SetClock
    battery: SonnenV2Emulator
    meter: SonnenV2Emulator | SunSpecEmulator | None
    decider: Holding
    demand: list
    lines: list = field(default_factory=list)
    task: Any = None

    @property
    def power_w(self):
        """What the battery does, and whether it follows by itself. [W]"""
        state = self.battery.home.state()
        return round(state.battery_power_w) if self.battery.home.steered else "follows"

    async def begun(self):
        """Wait, in real time, until the devices are open."""
        before = len(self.lines)
        async with asyncio.timeout(LONG_S):
            while len(self.lines) == before and not self.task.done():  # noqa: ASYNC110 -- no event
                await asyncio.sleep(0.01)

    async def meter_again(self):
        """Have a meter listen where the one that was stopped did."""
        gone = self.meter
        self.meter = type(gone)(gone.home, clock=self.clock, port=gone.settings["port"])
        await self.meter.start()

    def told(self, thing):
        """Return what was said of a thing, without why."""
        begins = (f"{thing} lost: ", f"{thing} back")
        return [line.split(":")[0] for line in self.lines if line.startswith(begins)]

    async def pass_s(self, seconds):
        await self.clock.advance(seconds)
        if self.task.done():
            await self.task

    async def until(self, holds, *, within_s=600.0):
        """Let time pass, a second at a time, until something holds."""
        for _ in range(int(within_s)):
            if holds():
                return
            await self.pass_s(1.0)
        pytest.fail(f"not so after {within_s:g} s; the agent said {self.lines}")

    async def done(self, task):
        """Let time pass until a task is done that also waits for what takes real time."""
        async with asyncio.timeout(LONG_S):
            while not task.done():
                await self.clock.advance(1.0)
                await asyncio.sleep(0.005)
        return await task

    async def end(self):
        """Stop the agent and let the time pass that it needs for that."""
        self.agent.stop()
        async with asyncio.timeout(LONG_S):
            while not self.task.done():
                await self.clock.advance(0.5)
                await asyncio.sleep(0.005)
        await self.task


TEXT = """
[home]
name = "Test"
device_id = "home-1"
state_folder = "state"
[storage]
capacity_wh = 10000
power_max_w = 3300
[grid]
import_max_w = 10000
export_max_w = 5000
[tariff]
import_price_per_mwh = 250
export_price_per_mwh = 50
[controller]
device_cycle_s = 5
"""


def table(name, settings):
    lines = [f"[{name}]"]
    for key, value in settings.items():
        lines.append(f"{key} = {value}" if isinstance(value, int | float) else f'{key} = "{value}"')
    return "\n".join(lines) + "\n"


@pytest.fixture
def written(tmp_path):
    """Return what writes a home.toml and reads it."""

    def write(*tables, name="home"):
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        (folder / "home.toml").write_text(TEXT + "".join(tables), "utf-8")
        return read_config(folder / "home.toml")

    return write


def emulators_of(clock, demand, *, soc, meter):
    def home():
        return EmulatedHome(
            model=BatteryModel.lfp(1),
            soc=soc,
            clock=clock.monotonic_s,
            demand=lambda _: tuple(demand),
        )

    battery = SonnenV2Emulator(home(), clock=clock)
    if meter == "counters":  # of the same home, so that it counts what the battery does, too
        return [battery, SunSpecEmulator(battery.home, clock=clock)]
    return [battery, *([SonnenV2Emulator(home(), clock=clock)] if meter else [])]


async def leave(alive):
    """End what still runs."""
    devices = [each for each in (alive.battery, alive.meter) if each is not None]
    for each in devices:
        each.faults = FaultPlan.none()
        each.vpp = False
    if not alive.task.done():
        with suppress(Exception):
            await alive.end()
    for each in devices:
        await each.stop()


@pytest.fixture
def living(written):
    """Return what runs an agent: with a meter of its own if asked, and a decider of the test's."""

    @asynccontextmanager
    async def run(
        *,
        power_w=None,
        soc=0.5,
        load_w=500.0,
        pv_w=0.0,
        meter=False,
        own=False,
        extra="",
        ahead_s=0.0,
    ):
        clock, demand = SetClock(), [load_w, pv_w]
        clock.ahead_s = ahead_s
        emulators = emulators_of(clock, demand, soc=soc, meter=meter)
        for each in emulators:
            await each.start()
        names = ("battery", "meter")
        tables = [table(n, e.settings) for n, e in zip(names, emulators, strict=False)]
        decider = Holding(power_w)

        def make(config, **rest):
            parts = build(config, **rest)
            return parts if own else replace(parts, decider=decider)

        lines = []
        agent = Agent(written(*tables, extra), clock=clock, tell=lines.append, make=make)
        alive = Living(
            agent, clock, emulators[0], emulators[1] if meter else None, decider, demand, lines
        )
        alive.task = asyncio.ensure_future(agent.run())
        try:
            await alive.begun()
            yield alive
        finally:
            await leave(alive)

    return run
