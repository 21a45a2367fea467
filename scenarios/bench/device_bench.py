"""How fast the Modbus devices' code is: pure functions that return numbers."""

import asyncio
import gc
import multiprocessing
import resource
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Final

import numpy as np

from devices.battery import BatteryState
from devices.battery_model import BatteryModel
from devices.clock import SystemClock
from devices.drivers.sunspec import SunSpecBattery, SunSpecSettings, new_link
from devices.drivers.sunspec_codec import compiled
from devices.emulators.house import EmulatedHome
from devices.emulators.sunspec import SunSpecEmulator
from devices.polling import Polled, poll
from devices.registry import Site
from devices.write_log import WriteLog

_FILES_EACH: Final = 3
_STARTED_S: Final = 120.0
"""How long the emulated batteries may take to start. [s]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PollFigures:
    """What one process heard of many batteries."""

    devices: int
    """How many answered in every round."""
    reads: int
    """Answers."""
    errors: int
    """Reads without one."""
    missed: int
    """Reads that were due and not asked for: the one before had taken too long."""
    p50_ms: float
    """Half of the answers were there so long after they were due, or sooner. [ms]"""
    p99_ms: float
    """Ninety-nine in a hundred. [ms]"""
    busy: float
    """Share of one core that the polling process took."""


def sunspec_codec_per_s(seconds: float = 1.0) -> float:
    """Return decodes and encodes of a SunSpec block a second, one model 124 after another."""
    layout = compiled(124, 26)
    scales = {"WChaMax_SF": 0, "MinRsvPct_SF": -2, "ChaState_SF": -2, "InOutWRte_SF": -2}
    values = {"ID": 124, "L": 24, "WChaMax": 5_000, "StorCtl_Mod": 3, "ChaState": 55.5}
    registers = layout.encode({**scales, **values, "OutWRte": -30, "InWRte": 30, "ChaGriSet": 1})
    return _per_s(lambda: layout.encode(layout.decode(registers)), 1, seconds)


def sunspec_read_requests() -> int:
    """Return the Modbus requests of a full battery read from an emulated inverter."""
    return asyncio.run(_read_requests())


async def measure_polling(devices: int, seconds: int) -> PollFigures:
    """Poll emulated batteries, which run in a process of their own, once a second.

    Parameters
    ----------
    devices : int
        How many.
    seconds : int
        How long. [s]
    """
    allow_files(_FILES_EACH * devices)
    heard: list[Polled[BatteryState]] = []
    async with _served(devices) as ports, AsyncExitStack() as links:
        batteries = [await links.enter_async_context(_opened(port)) for port in ports]
        for battery in batteries:
            await battery.read()  # connections and scale factors are there before it counts
        before_s = time.process_time()
        await poll(
            [battery.read for battery in batteries],
            heard.append,
            clock=SystemClock(),
            rounds=seconds,
        )
        used_s = time.process_time() - before_s
    late_ms = [1000 * each.late_s for each in heard if each.error is None] or [float("inf")]
    answers = Counter(each.index for each in heard if each.error is None)
    return PollFigures(
        devices=sum(count == seconds for count in answers.values()),
        reads=sum(each.error is None for each in heard),
        errors=sum(each.error is not None for each in heard),
        missed=sum(each.missed for each in heard),
        p50_ms=float(np.percentile(late_ms, 50)),
        p99_ms=float(np.percentile(late_ms, 99)),
        busy=used_s / seconds,
    )


def allow_files(count: int) -> None:
    """Let this process have so many files open, as far as the system allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count + 200
    if soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))


def _per_s(work: Callable[[], object], items: int, seconds: float) -> float:
    """Return how many items a second ``work`` does, which does some at a time."""
    work()
    done, start_s = 0, time.perf_counter()
    while (passed_s := time.perf_counter() - start_s) < seconds:
        work()
        done += items
    return done / passed_s


async def _read_requests() -> int:
    emulator = _emulated_battery()
    await emulator.start()
    try:
        async with _opened(int(str(emulator.settings["port"]))) as battery:
            await battery.read()
            before = battery.requests
            await battery.read()
            return battery.requests - before
    finally:
        await emulator.stop()


@asynccontextmanager
async def _opened(port: int) -> AsyncIterator[SunSpecBattery]:
    """Open one battery."""
    with WriteLog() as log:
        site = Site(name=f"battery-{port}", where="bench", clock=SystemClock(), log=log)
        battery = new_link(SunSpecSettings(host="127.0.0.1", port=port), site)
        try:
            await battery.limits()
            yield battery
        finally:
            await battery.close()


@asynccontextmanager
async def _served(devices: int) -> AsyncIterator[list[int]]:
    """Run emulated batteries in a process of their own; yield their ports."""
    here, there = multiprocessing.Pipe()
    # spawned: a fork would copy this process's loop and connections
    process = multiprocessing.get_context("spawn").Process(
        target=_serve, args=(devices, there), daemon=True
    )
    process.start()
    there.close()
    try:
        if not await asyncio.to_thread(here.poll, _STARTED_S):
            msg = f"the process of {devices} emulated batteries did not start in {_STARTED_S} s"
            raise TimeoutError(msg)
        ports: list[int] = here.recv()
        yield ports
    finally:
        here.close()
        process.terminate()
        process.join()
        process.close()


def _serve(devices: int, there: Connection) -> None:
    """Run emulated batteries until the process is ended."""
    allow_files(_FILES_EACH * devices)
    asyncio.run(_serve_all(devices, there))


async def _serve_all(devices: int, there: Connection) -> None:
    emulators = [_emulated_battery() for _ in range(devices)]
    for emulator in emulators:
        await emulator.start()
    gc.freeze()  # what lives as long as the process is not to be gone through again and again
    there.send([emulator.settings["port"] for emulator in emulators])
    await asyncio.Event().wait()


def _emulated_battery() -> SunSpecEmulator:
    clock = SystemClock()
    home = EmulatedHome(
        model=BatteryModel.lfp(1),
        soc=0.5,
        clock=clock.monotonic_s,
        demand=lambda time_s: (500.0 + 100.0 * (time_s % 7), 300.0),
    )
    return SunSpecEmulator(home, clock=clock)
