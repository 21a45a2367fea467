"""What breaks around a home: what its battery does meanwhile, what is told, and that no Wh is lost.

The devices are on real sockets; the energy is the emulated house's own, by its meter's counters.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from devices.emulators.faults import Fault, FaultPlan
from hems.agent.ledger.metering import Metering
from scenarios.bench.agent_bench_world import fleet_here
from scenarios.soak.faults import LEDGER, Wire

LONG_S = 60.0
HELD_W = -1_500
STEP_S = 900
AHEAD_S = 600.0
"""How far the interval is when a home begins: the next one shall begin soon. [s]"""


async def battery_gone(alive):
    await alive.battery.stop()


async def battery_back(alive):
    again = type(alive.battery)(
        alive.battery.home, clock=alive.clock, port=alive.battery.settings["port"]
    )
    await again.start()
    again._battery = alive.battery._battery
    alive.battery = again


async def meter_gone(alive):
    await alive.meter.stop()


async def meter_back(alive):
    await alive.meter_again()


def faulty(fault):
    async def strike(alive):
        alive.battery.faults = FaultPlan.always(fault)

    return strike


async def well(alive):
    alive.battery.faults, alive.battery.vpp = FaultPlan.none(), False


async def refuses(alive):
    alive.battery.vpp = True
    alive.decider.says = 700.0  # what was set before the plant took it over stands no more


async def obeys(alive):
    alive.battery.vpp = False
    alive.decider.says = float(HELD_W)


def set_clock(seconds):
    async def strike(alive):
        alive.clock.ahead_s = seconds

    return strike


@dataclass(frozen=True)
class Case:
    """One thing that breaks."""

    name: str
    strike: Callable[..., Any]
    mend: Callable[..., Any]
    lost: tuple[str, ...]
    """What is told lost once, and back once."""
    meanwhile: tuple[Any, ...]
    """What the battery may do when it has settled: a power that it holds, or "follows"."""


CASES = (
    Case("the meter is gone", meter_gone, meter_back, ("meter",), (0,)),
    # nobody reaches it: it does what it was told last, and has no watchdog
    Case(
        "the battery is gone",
        battery_gone,
        battery_back,
        ("battery", "battery set-point"),
        (HELD_W, "follows"),
    ),
    Case("the battery refuses", refuses, obeys, ("battery set-point",), (HELD_W, "follows")),
    Case(
        "the battery talks garbage",
        faulty(Fault.HTML_INSTEAD_OF_JSON),
        well,
        ("battery", "battery set-point"),
        (HELD_W, "follows"),
    ),
    Case("the clock is an hour ahead", set_clock(3_600.0), set_clock(0.0), (), (HELD_W,)),
    Case("the clock is an hour behind", set_clock(-3_600.0), set_clock(0.0), (), (HELD_W,)),
)


def counted_wh(home):
    """Return net export by the meter's counters, whole watt-hours each."""
    state = home.state()
    return int(state.exported_wh) - int(state.imported_wh)


def metering_of(alive):
    """Return what counts the home's energy as its books do, and where the meter stood then."""
    parts = alive.agent.parts
    metering = Metering(parts.store, parts.health, interval_s=STEP_S)
    heard, begins = parts.history.add, []

    def hear(reading):
        heard(reading)
        if not begins and reading.meter is not None:
            begins.append(counted_wh(alive.battery.home))
        metering.add(reading)

    parts.history.add = hear
    return metering, begins


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_breaks_is_told_once_and_costs_no_energy(living, case):
    async def run():
        async with living(power_w=float(HELD_W), meter="counters") as alive:
            metering, begins = metering_of(alive)
            await alive.until(lambda: alive.power_w == HELD_W)
            alive.clock.turns = 40
            await case.strike(alive)
            await alive.pass_s(90)
            assert alive.power_w in case.meanwhile
            await case.mend(alive)
            await alive.until(lambda: alive.power_w == HELD_W)
            await alive.pass_s(60)

            for thing in ("meter", "battery", "battery set-point"):
                told = [f"{thing} lost", f"{thing} back"] if thing in case.lost else []
                assert alive.told(thing) == told, alive.lines
            # the counters show whole watt-hours, and readings between two of their steps add power
            flowed_wh = counted_wh(alive.battery.home) - begins[0]
            assert metering.total_wh == pytest.approx(flowed_wh, abs=1.5)

    asyncio.run(run())


@dataclass
class Owing:
    """A home that owes its fleet energy, and the line to the node."""

    alive: Any
    fleet: Any
    wire: Wire

    @property
    def standing(self):
        return self.alive.agent.parts.books.standing(self.alive.clock.utc())

    def reported_wh(self):
        """Return what the chain has of the home."""
        first = int(self.alive.clock.utc().timestamp()) // STEP_S
        export_wh = self.fleet.ledger.fleet.export_wh
        return sum(export_wh(self.fleet.account, first + each) for each in range(-4, 3))

    async def until(self, holds):
        """Let the home's time pass, and the chain's with it, and the node work."""
        deadline_s = time.monotonic() + LONG_S
        while not holds():
            assert time.monotonic() < deadline_s, self.alive.lines
            await self.pass_s(1.0)
            await asyncio.sleep(0.02)

    async def pass_s(self, seconds):
        await self.alive.pass_s(seconds)
        now_s = int(self.alive.clock.utc().timestamp())
        if now_s > await asyncio.to_thread(self.fleet.chain.now_s) + 60:
            await asyncio.to_thread(self.fleet.chain.set_time, now_s)


@pytest.mark.parametrize("mode", LEDGER)
def test_without_its_ledger_a_home_keeps_its_promise_by_the_schedule_and_reports_later(
    living, tmp_path, needs_anvil, mode
):
    del needs_anvil
    begin_s = 1_780_315_200  # when the hand-moved clock begins: 1 June 2026, 12:00 UTC

    async def run(fleet):
        wire = Wire(fleet.url)
        url = await wire.start()
        extra = (
            f'[ledger]\nurl = "{url}"\ndeployment_file = "{tmp_path}/deployment.json"\n'
            f'account = "{fleet.account}"\nkeys = "{tmp_path}/keys"\nreport_s = 300\n'
            f'passphrase_file = "{tmp_path}/keystore.passphrase"\n'
            "answer_timeout_s = 1\nblock_timeout_s = 1\n"
        )
        try:
            async with living(
                power_w=float(HELD_W), meter="counters", extra=extra, ahead_s=AHEAD_S
            ) as alive:
                alive.clock.turns = 20
                await outlived(Owing(alive, fleet, wire), mode)
        finally:
            await wire.stop()

    with fleet_here(
        tmp_path, now_s=begin_s + int(AHEAD_S), interval_s=STEP_S, commitments_wh=[450] * 6
    ) as fleet:
        asyncio.run(run(fleet))


async def outlived(owing, mode):
    """Break the line to the node over the end of an interval, and mend it."""
    alive = owing.alive
    later = alive.clock.utc() + timedelta(hours=1)
    await owing.until(lambda: owing.standing.source == "answer")
    await owing.until(lambda: alive.agent.parts.books.standing(later).source == "schedule")
    await owing.until(lambda: alive.power_w == HELD_W)
    owing.wire.set_mode(mode)
    # a late node is no lost one: it answers in time, if not at once
    ends_s = (int(alive.clock.utc().timestamp()) // STEP_S + 1) * STEP_S
    while alive.clock.utc().timestamp() < ends_s + 60:
        await owing.pass_s(10.0)
    assert alive.power_w == HELD_W
    assert owing.standing.commitment_wh == 450
    if mode != "ledger answers late":
        assert owing.standing.source == "schedule"
    owing.wire.set_mode("")
    await owing.until(lambda: abs(owing.standing.unreported_wh) < 20)
    await owing.until(lambda: owing.standing.source == "answer")
    await alive.end()

    assert alive.told("ledger") in ([], ["ledger lost", "ledger back"]), alive.lines
    if mode != "ledger answers late":
        assert alive.told("ledger") == ["ledger lost", "ledger back"]
    # the last report was made when the devices were read no more
    assert owing.reported_wh() == pytest.approx(counted_wh(alive.battery.home), abs=5)
