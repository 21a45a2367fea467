"""The relay's keeper on an emulated Xtender: opened once all agrees, closed at every doubt."""

import asyncio
import sqlite3
from contextlib import asynccontextmanager
from dataclasses import replace

import numpy as np
import pytest

from devices.battery import BatteryState, MeterState
from devices.battery_model import BatteryModel
from devices.emulators.faults import Fault, FaultPlan
from devices.emulators.house import EmulatedHome
from devices.emulators.xtender import XtenderEmulator
from devices.errors import DeviceConfigError, DeviceError
from devices.hand_clock import HandClock
from devices.registry import Site, open_device
from devices.write_log import WriteLog
from hems.agent.health import Health
from hems.agent.settings import StorageSettings
from hems.agent.steering.island import IslandCase
from hems.agent.steering.relay import Contacts, RelayKeeper, RelaySettings
from hems.controller import Decision

BANK = StorageSettings(capacity_wh=26_208, power_max_w=4_000, soc_min=0.5, soc_max=0.9).bank()


def wants(*, closed):
    """Return a decision of its own each time."""
    return Decision(
        follow=np.array([not closed]),
        battery_power_w=np.zeros(1),
        proved=np.array([False]),
        cap_excess_wh=np.zeros(1),
        relay_closed=np.array([closed]),
    )


def case(*, closed=False, load_w=1_500.0):
    return IslandCase(
        meter=MeterState(load_w=load_w, pv_w=900.0, grid_power_w=load_w - 900.0),
        battery=BatteryState(soc=0.7, battery_power_w=0.0, following=True),
        decision=wants(closed=closed),
        ordered=False,
        charge_max_w=2_500.0,
        reserve_soc=0.0,
    )


class Held:
    """A keeper, its relay, and what it said."""

    def __init__(self, keeper, relay, emulator, clock, lines):
        self.keeper, self.relay, self.emulator = keeper, relay, emulator
        self.clock, self.lines = clock, lines

    @property
    def island(self):
        return self.emulator.home.islanded

    async def cycle(self, seen, *, following=True):
        """Do what steering does in a device cycle of a battery that follows."""
        self.keeper.see(await self.relay.read_relay())
        if await self.keeper.on_grid(seen):
            await self.keeper.open(following=following)


@asynccontextmanager
async def held(*, log=None, before=None, **settings):
    clock = HandClock()
    home = EmulatedHome(
        model=BatteryModel.lead_acid(1),
        soc=0.7,
        clock=clock.monotonic_s,
        demand=lambda _: (1_500.0, 900.0),
    )
    emulator = XtenderEmulator(home, clock=clock)
    await emulator.start()
    lines = []
    with WriteLog() as own:
        site = Site(name="battery", where="home.toml [battery]", clock=clock, log=log or own)
        device = await open_device(emulator.settings, site)
        if before is not None:
            await before(emulator, device)
        contacts = Contacts(
            relay=lambda: _there(device.relay),
            bank=BANK,
            log=log or own,
            clock=clock,
            health=Health(lines.append),
        )
        keeper = RelayKeeper(RelaySettings(inverter_w=4_000.0, **settings), contacts)
        try:
            yield Held(keeper, device.relay, emulator, clock, lines)
        finally:
            emulator.faults = FaultPlan.none()
            await device.close()
            await emulator.stop()


async def _there(relay):
    return relay


def told(lines):
    return [line.split(":")[0] for line in lines]


def test_it_opens_when_all_agrees_and_closes_within_the_cycle_that_does_not():
    async def story():
        async with held() as house:
            assert not await house.keeper.on_grid(case())  # nobody has looked at it yet
            await house.cycle(case())
            opened = house.island, house.keeper.status
            await house.cycle(case(load_w=4_100.0))
            return opened, house.island, house.keeper.status, house.lines

    opened, island, status, lines = asyncio.run(story())

    assert opened == (True, {"closed": False, "told": "open", "why": "", "openings_today": 1})
    load = "the load of 4100 W is more than the inverter's 4000 W"
    assert (island, status["closed"], status["told"]) == (False, True, "close")
    assert lines == [
        "relay opened: the house is an island",
        f"relay closed, the house is on the grid: {load}",
    ]


def test_a_battery_that_does_not_follow_keeps_the_house_on_the_grid():
    async def story():
        async with held() as house:
            await house.cycle(case(), following=False)
            waited = house.island, house.keeper.why
            await house.cycle(case())
            return waited, house.island

    assert asyncio.run(story()) == ((False, "the battery does not follow the house yet"), True)


def test_it_waits_for_a_new_decision_then_for_the_dwell_and_keeps_the_days_budget():
    async def story():
        async with held(dwell_s=600, openings_per_day=2) as house:
            whys, first = [], case()
            await house.cycle(first)
            await house.cycle(replace(first, ordered=True))
            for wait_s, seen in ((0, first), (0, case()), (601, case()), (0, None), (601, case())):
                await house.clock.advance(wait_s)
                await house.cycle(case(closed=True) if seen is None else seen)
                whys.append("island" if house.island else house.keeper.why)
            return whys

    assert asyncio.run(story()) == [
        "it was closed since that decision; the next one may open it",
        "it switched 0 s ago",
        "island",
        "the controller wants the grid",
        "it was opened 2 times today, its budget",
    ]


def test_a_relay_that_is_found_open_is_closed_and_openings_are_counted_over_a_restart():
    async def opened(_, device):
        await device.relay.set_relay(closed=False)

    async def story():
        with WriteLog() as log:
            async with held(log=log) as house:
                await house.cycle(case())
            async with held(log=log, openings_per_day=1, before=opened) as house:
                found = house.island
                await house.cycle(case())
                closed = not house.island
                await house.clock.advance(700.0)
                await house.cycle(case())
                return found, closed, house.island, house.keeper.why

    assert asyncio.run(story()) == (
        *(True, True, False),
        "it was opened 1 times today, its budget",
    )


def test_a_relay_that_ignores_its_opening_is_told_to_close_and_it_is_said_once():
    async def story():
        async with held() as house:
            house.keeper.see(await house.relay.read_relay())
            seen = case()
            assert await house.keeper.on_grid(seen)
            house.emulator.faults = FaultPlan.always(Fault.WRITE_IGNORED)
            opening = asyncio.ensure_future(house.keeper.open(following=True))
            while not opening.done():
                await house.clock.advance(0.5)
            with pytest.raises(DeviceError, match=r"took 0\.0 for 101\.1128 and shows 1"):
                await opening
            on_grid_before = await house.keeper.on_grid(seen)
            house.emulator.faults = FaultPlan.none()
            await house.cycle(seen)
            return on_grid_before, house.island, house.keeper.status["told"], told(house.lines)

    on_grid_before, island, is_told, lines = asyncio.run(story())

    assert (on_grid_before, island, is_told) == (True, False, "close")
    assert lines[0] == "relay lost"
    assert lines.count("relay lost") == 1


def test_a_line_that_is_cut_in_an_island_is_tried_again_until_the_relay_is_closed():
    async def story():
        async with held() as house:
            await house.cycle(case())
            house.emulator.faults = FaultPlan.always(Fault.BUSY)
            unsafe = case(load_w=4_100.0)
            with pytest.raises(DeviceError):
                await house.keeper.on_grid(unsafe)
            still = house.island, await house.keeper.on_grid(unsafe)  # left alone for a moment
            house.emulator.faults = FaultPlan.none()
            await house.clock.advance(3.0)
            await house.keeper.on_grid(unsafe)
            return still, house.island

    assert asyncio.run(story()) == ((True, False), False)


def test_a_relay_that_a_lost_grid_holds_open_is_said_to_be_closed_only_once_it_is():
    async def story():
        async with held() as house:
            await house.cycle(case(closed=True))
            house.emulator.grid_lost = True
            await house.clock.advance(61.0)
            for _ in range(10):
                await house.cycle(case(closed=True))
                await house.clock.advance(61.0)
            outage = list(house.lines)
            house.emulator.grid_lost = False
            await house.clock.advance(61.0)
            await house.cycle(case(closed=True))
            return outage, house.lines[len(outage) :], house.keeper.status["closed"]

    outage, after, closed = asyncio.run(story())

    assert outage == ["relay lost: it was told to close and stays open; see to the grid"]
    assert after == [
        "relay back",
        "relay closed, the house is on the grid: the controller wants the grid",
    ]
    assert closed


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"inverter_w": 0.0}, "inverter_w is 0; give the inverter's rated power"),
        ({"inverter_w": 1.0, "dwell_s": -1}, "dwell_s is -1"),
        ({"inverter_w": 1.0, "openings_per_day": 1001}, "openings_per_day is 1001"),
    ],
)
def test_settings_out_of_range_are_refused(given, complaint):
    with pytest.raises(ValueError, match=complaint):
        RelaySettings(**given)


def test_an_opening_that_cannot_be_counted_is_not_made(tmp_path):
    async def story():
        with WriteLog(tmp_path / "writes.sqlite") as log:
            async with held(log=log) as house:
                with sqlite3.connect(tmp_path / "writes.sqlite") as damaged:
                    damaged.execute("DROP TABLE writes")
                with pytest.raises(DeviceConfigError):
                    await house.cycle(case())
                await house.cycle(case())  # left alone for a moment
                return house.island, house.keeper.status, house.lines

    island, status, lines = asyncio.run(story())

    assert (island, status["told"], status["openings_today"]) == (False, None, None)
    (line,) = lines
    assert line.startswith("relay lost: write log ")
    assert line.endswith("mend it or name another file")
