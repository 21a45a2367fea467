"""A gateway with rules for one place: the real process killed in an island, and its commands."""

import asyncio
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from devices.battery_model import BatteryModel
from devices.clock import SystemClock
from devices.emulators.feeds import PriceService, PublishedPrices
from devices.emulators.feeds_dialects import energy_charts
from devices.emulators.house import EmulatedHome
from devices.emulators.sunspec import SunSpecEmulator
from devices.emulators.sunspec_control import SunSpecMake
from devices.emulators.xtender import XtenderEmulator

GRIDPACT = [sys.executable, "-c", "from scenarios.cli import main; main()"]
LONG_S = 60.0
HOME = """
[home]
name = "Edge"
device_id = "edge"
state_folder = "state"
[storage]
capacity_wh = 26208
power_max_w = 3600
soc_min = 0.5
soc_max = 0.9
[grid]
import_max_w = 10000
export_max_w = 10000
[tariff]
import_price_per_mwh = 300
export_price_per_mwh = 80
[controller]
kind = "soc-rules"
device_cycle_s = 1
[relay]
inverter_w = 4000
"""


def branch(clock, model, load_w, pv_w):
    home = EmulatedHome(
        model=BatteryModel.lfp(1),
        soc=0.5,
        clock=clock.monotonic_s,
        demand=lambda _: (load_w, pv_w),
    )
    home.steer(lambda load_w, pv_w: 0.0)
    return SunSpecEmulator(home, clock=clock, make=SunSpecMake(chain=(model,)))


def table(name, settings):
    lines = [
        f"{key} = {json.dumps(value) if isinstance(value, bool | str) else value}"
        for key, value in settings.items()
    ]
    return "\n".join([f"[{name}]", *lines, ""])


@asynccontextmanager
async def laboratory(tmp_path):
    """Emulate battery, sun, load and market in this process, and write their home.toml."""
    clock = SystemClock()
    home = EmulatedHome(
        model=BatteryModel.lead_acid(1),
        soc=0.7,
        clock=clock.monotonic_s,
        demand=lambda _: (1_500.0, 900.0),
    )
    xtender = XtenderEmulator(home, clock=clock)
    pv, load = branch(clock, 103, 0.0, 900.0), branch(clock, 203, 1_500.0, 0.0)
    quarters = PublishedPrices(price_of=lambda _: 100.0, step=timedelta(minutes=15))
    market = PriceService(energy_charts(), prices=quarters, clock=clock)
    started = (xtender, pv, load, market)
    for each in started:
        await each.start()
    prices = {"source": "energy-charts", "area": "DE-LU", "url": market.url}
    tables = {
        "battery": xtender.settings,
        "pv": pv.settings,
        "load": load.settings,
        "prices": prices,
    }
    config = tmp_path / "home.toml"
    config.write_text(HOME + "".join(table(*each) for each in tables.items()), "utf-8")
    try:
        yield home, config
    finally:
        for each in started:
            await each.stop()


async def gridpact(*arguments):
    process = await asyncio.create_subprocess_exec(
        *(*GRIDPACT, "agent", *map(str, arguments)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    async with asyncio.timeout(LONG_S):
        out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    return json.loads(out)


async def until(holds):
    async with asyncio.timeout(LONG_S):
        while not holds():  # noqa: ASYNC110 -- an emulated relay is no event
            await asyncio.sleep(0.02)


@pytest.fixture(scope="module")
def story(tmp_path_factory):
    """Let an agent check, run, part the house from the grid and be killed; return what was seen."""
    tmp_path = tmp_path_factory.mktemp("edge")

    async def told():
        async with laboratory(tmp_path) as (home, config):
            checked = await gridpact("check", "--config", config, "--json")
            arguments = [*GRIDPACT, "agent", "run", "--config", str(config)]
            log = (tmp_path / "agent.log").open("wb")
            manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            manager.bind(f"\0gridpact-{os.getpid()}")
            manager.settimeout(LONG_S)
            process = await asyncio.create_subprocess_exec(
                *arguments,
                stderr=log,
                env=os.environ | {"NOTIFY_SOCKET": f"@gridpact-{os.getpid()}"},
            )
            try:
                await until(
                    lambda: (
                        "relay opened" in (tmp_path / "agent.log").read_text()
                        or process.returncode is not None
                    )
                )
                before = home.islanded, await asyncio.to_thread(manager.recv, 64)
                os.kill(process.pid, signal.SIGSTOP)  # it hangs
                os.kill(process.pid, signal.SIGKILL)
                await process.wait()
                await until(lambda: not home.islanded)
            finally:
                if process.returncode is None:
                    process.kill()
                    await process.wait()
                log.close()
                manager.close()
            status = await gridpact("status", "--config", config, "--json")
            await until(lambda: "its controller had died" in (tmp_path / "agent.log").read_text())
            with sqlite3.connect(tmp_path / "state" / "state.sqlite") as base:
                cycles = base.execute("SELECT load_w, pv_w, relay_closed FROM cycles").fetchall()
            return checked, before, status, cycles, (tmp_path / "agent.log").read_text()

    return asyncio.run(told())


def test_check_reaches_sun_load_relay_and_market(story):
    found = {each["thing"]: (each["ok"], each["line"]) for each in story[0]}

    assert {thing: ok for thing, (ok, _) in found.items()} == dict.fromkeys(
        ("state folder", "battery", "meter", "pv", "load", "relay", "prices"), True
    )
    assert found["relay"][1] == "closed, the house is on the grid"
    assert "energy-charts: 100.00 EUR/MWh (market), 100.00 to the home" in found["prices"][1]


def test_a_gateway_that_hangs_in_an_island_and_is_killed_leaves_its_house_on_the_grid(story):
    _, before, status, cycles, log = story

    assert before == (True, b"WATCHDOG=1")
    assert "relay opened: the house is an island" in log
    assert "home.toml [battery] is back in self-consumption; its controller had died" in log
    assert status["running_pid"] is None
    assert cycles[-1] == (1_500.0, 900.0, 0)
