"""A dead-man and the relay that its killed controller opened: the house is back on the grid."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from devices.battery_model import BatteryModel
from devices.dead_man import Order, carry_out
from devices.drivers.xtender_objects import FIRST_UNIT, RELAY_ALLOWED
from devices.emulators.faults import Fault, FaultPlan
from devices.emulators.house import EmulatedHome
from devices.emulators.xtender import XtenderEmulator
from devices.hand_clock import HandClock
from devices.registry import DRIVERS, Site, open_device
from devices.write_log import WriteLog

LONG_S = 60.0


@asynccontextmanager
async def left_open(path, **emulated):
    """Give an Xtender that a killed controller told to leave the grid, the clock, and an order."""
    clock = HandClock()
    home = EmulatedHome(
        model=BatteryModel.lead_acid(1),
        soc=0.7,
        clock=clock.monotonic_s,
        demand=lambda _: (1_500.0, 900.0),
    )
    emulator = XtenderEmulator(home, clock=clock, **emulated)
    await emulator.start()
    try:
        with WriteLog(path) as log:
            order = Order(
                settings=emulator.settings,
                name="battery",
                where="[battery]",
                log=str(path),
                claim=log.claim("battery"),
                drivers=DRIVERS,
            )
            site = Site(name="battery", where="[battery]", clock=clock, log=log)
            device = await open_device(emulator.settings, site)
            await device.relay.set_relay(closed=False)
            await device.battery.close()  # the line alone: what was told stands
            yield emulator, clock, order
    finally:
        await emulator.stop()


async def passing(clock, holds):
    """Let time pass, second by second, and the line work, until something is so."""
    async with asyncio.timeout(LONG_S):
        while not holds():
            await clock.advance(1)
            await asyncio.sleep(0.01)


def allowed(emulator):
    return emulator.units[FIRST_UNIT].value(RELAY_ALLOWED)


@pytest.mark.parametrize("fault", [Fault.BUSY, Fault.WRITE_IGNORED])
def test_a_relay_that_does_not_obey_is_told_until_it_does(tmp_path, fault):
    async def story():
        said = []
        async with left_open(tmp_path / "log") as (emulator, clock, order):
            found = emulator.home.islanded
            emulator.faults = FaultPlan.always(fault)
            work = asyncio.create_task(carry_out(order, clock=clock, say=said.append))
            await passing(clock, lambda: bool(said))
            still = emulator.home.islanded
            emulator.faults = FaultPlan.none()
            await passing(clock, work.done)
            return (found, still, emulator.home.islanded, allowed(emulator)), said

    relay, said = asyncio.run(story())

    assert relay == (True, True, False, 1.0)
    assert said[0].startswith("[battery] cannot be let go yet (")
    assert said[1:] == ["[battery] is back in self-consumption; its controller had died"]


def test_a_relay_that_was_told_to_open_and_is_still_seen_closed_is_not_left_to_open_later(tmp_path):
    async def story():
        async with left_open(tmp_path / "log") as (emulator, clock, order):
            emulator.home.islanded = False  # its contacts have not moved yet
            work = asyncio.create_task(carry_out(order, clock=clock, say=lambda _: None))
            await passing(clock, work.done)
            return allowed(emulator), emulator.home.islanded

    assert asyncio.run(story()) == (1.0, False)


def test_an_owner_who_forbids_the_grid_is_not_overruled(tmp_path):
    async def story():
        saved = {RELAY_ALLOWED.object_id: 0.0}
        async with left_open(tmp_path / "log", saved=saved) as (emulator, clock, order):
            work = asyncio.create_task(carry_out(order, clock=clock, say=lambda _: None))
            await passing(clock, work.done)
            return allowed(emulator), dict(emulator.writes)

    assert asyncio.run(story()) == (0.0, {})
