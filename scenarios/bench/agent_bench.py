"""How much a home's gateway takes and how quick it is: functions that return numbers."""

import asyncio
import multiprocessing
import os
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

import numpy as np

from devices.battery import BatteryState, MeterState
from devices.battery_model import BatteryModel
from devices.clock import SystemClock
from devices.emulators.house import EmulatedHome
from devices.emulators.http_server import HttpAnswer, HttpRequest
from devices.emulators.sonnen import SonnenV2Emulator
from devices.write_log import WriteLog
from hems.agent.health import Health
from hems.agent.settings import StorageSettings
from hems.agent.standing import Standing
from hems.agent.status import read_status
from hems.agent.steering.decide import Decider
from hems.agent.steering.equipment import Equipment, Places
from hems.agent.steering.grip import Grip
from hems.agent.steering.tariff import Tariff, TariffSettings
from hems.agent.steering.wish import Limits, Wish
from hems.errors import StoreError
from hems.mpc import Mpc
from scenarios.bench.agent_bench_world import (
    CAPACITY_WH,
    GRID_W,
    STARTED_S,
    broker_here,
    fleet_here,
    home_tables,
    write_home,
)
from scenarios.errors import DataError

SETTLED_S: Final = 20.0
"""How long after its first answer of the contract a gateway counts as in its steady state. [s]"""
INTERVAL_S: Final = 1_800
"""Length of a market interval. [s]"""
Tell = Callable[[str], None]
"""Is told what is measured now."""
_IMPORT: Final = (
    "import time; begun = time.perf_counter(); import hems.agent.cli, hems.agent.commands.run;"
    "print(time.perf_counter() - begun)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Steady:
    """What a gateway's process takes while nothing special happens."""

    rss_mb: float
    """Resident memory at the end. [MB]"""
    cpu_share: float
    """Share of one core, the mean of the time."""
    dead_man_mb: float
    """Resident memory of the process that watches over it, where there is one. [MB]"""


def import_s(tries: int = 5) -> float:
    """Return how long ``agent run``'s path takes to import, the median of some processes. [s]"""
    command = [sys.executable, "-c", _IMPORT]
    told = [
        subprocess.run(command, capture_output=True, check=True, text=True).stdout  # noqa: S603 -- ours
        for _ in range(tries)
    ]
    return statistics.median(float(each) for each in told)


def decision_ms(tries: int = 300) -> tuple[float, float]:
    """Return how long a home's MPC decision takes: median, and the first one's. [ms]"""
    decider = Decider(
        Mpc(),
        bank=StorageSettings(capacity_wh=CAPACITY_WH, power_max_w=3_300).bank(),
        forecast=lambda _, quarters: (np.full((1, quarters), 400.0), np.full((1, quarters), 900.0)),
        tariff=Tariff(
            fixed=TariffSettings(import_price_per_mwh=250, export_price_per_mwh=50), windows=()
        ),
        decide_s=60,
        interval_s=INTERVAL_S,
    )
    limits = Limits(
        charge_max_w=3_300, discharge_max_w=3_300, import_max_w=GRID_W, export_max_w=GRID_W
    )
    begun = datetime(2026, 6, 1, 12, tzinfo=UTC)
    took_ms = []
    for number in range(tries):
        load_w, pv_w = 300.0 + 7 * (number % 60), 20.0 * (number % 90)
        standing = Standing(
            source="answer",
            steered=number % 3 == 0,
            soc_target=0.5,
            commitment_wh=800,
            owed_wh=float(number % 11 * 90 - 200),
        )
        start_s = time.perf_counter()
        decider.decide(
            begun + timedelta(seconds=61 * number),
            meter=MeterState(load_w=load_w, pv_w=pv_w, grid_power_w=load_w - pv_w),
            battery=BatteryState(soc=0.3 + number % 40 / 100, battery_power_w=0, following=True),
            standing=standing,
            limits=limits,
        )
        took_ms.append(1000 * (time.perf_counter() - start_s))
    return statistics.median(took_ms[1:]), took_ms[0]


def write_ms(tries: int = 60) -> tuple[float, float]:
    """Return from a decision to its set-point at an emulated battery: median and 99 in 100. [ms]

    The battery is a sonnenBatterie in a process of its own; each set-point is of the other
    direction than the one before, and every third finds it in self-consumption: the slowest ways.
    """
    with _heard_battery() as (table, came):
        took_ms = asyncio.run(_write_all(table, came, tries))
    return float(np.percentile(took_ms, 50)), float(np.percentile(took_ms, 99))


def steady(seconds: float, tell: Tell, *, settled_s: float = SETTLED_S) -> Steady:
    """Return what `gridpact agent run` takes with battery, node and broker, its own defaults kept.

    Parameters
    ----------
    seconds : float
        How long it is measured. [s]
    tell : Tell
        Is told what goes on.
    settled_s : float
        How long after the contract's first answer that begins. [s]

    Raises
    ------
    LedgerUnavailableError
        If Anvil is not there.
    DataError
        If the gateway does not come to an answer of the contract.
    """
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place, ExitStack() as undo:
        folder = Path(place)
        fleet = undo.enter_context(
            fleet_here(
                folder,
                now_s=int(time.time()),
                interval_s=INTERVAL_S,
                commitments_wh=[800] * 6,
            )
        )
        broker = undo.enter_context(broker_here(folder))
        battery, _ = undo.enter_context(_heard_battery())
        tables = home_tables(
            battery=battery, ledger_url=fleet.url, account=fleet.account, broker_port=broker.port
        )
        process = undo.enter_context(_agent(write_home(folder, tables)))
        tell("gateway starts")
        _await_answer(process, folder / "state")
        time.sleep(settled_s)
        tell("gateway in its steady state")
        before_s, begun_s = _cpu_s(process.pid), time.monotonic()
        time.sleep(seconds)
        share = (_cpu_s(process.pid) - before_s) / (time.monotonic() - begun_s)
        children = _children(process.pid)
        return Steady(
            rss_mb=_rss_mb(process.pid),
            cpu_share=share,
            dead_man_mb=sum(_rss_mb(each) for each in children),
        )


async def _write_all(table: dict[str, object], came: Connection, tries: int) -> list[float]:
    """Write set-points; return how long each took to the battery. [ms]"""
    clock = SystemClock()
    took_ms = []
    with tempfile.TemporaryDirectory() as place, WriteLog(Path(place) / "writes.sqlite") as log:
        equipment = Equipment(Places(where="bench", battery=table), clock=clock, log=log)
        grip = Grip(equipment.battery, clock=clock, health=Health(lambda _: None))
        try:
            await equipment.read(within_s=5.0)
            for number in range(tries):
                if number % 3 == 0:
                    await (await equipment.battery()).follow()
                power_w = (500.0 + 20 * number) * (-1) ** number
                wish = Wish(battery_power_w=power_w, why="decision")
                begun_s = time.monotonic()
                await grip.do(wish, valid_s=100.0, seen=None)
                took_ms.append(1000 * (_came_s(came, round(abs(power_w))) - begun_s))
        finally:
            await equipment.close()
    return took_ms


def _came_s(came: Connection, value_w: int) -> float:
    """Return when a set-point came to the battery. [s]"""
    while came.poll(STARTED_S):
        at_s, path = came.recv()
        if path.endswith(f"/{value_w}"):
            return float(at_s)
    msg = f"bench: a set-point of {value_w} W never came to the emulated battery; run it again"
    raise DataError(msg)


@contextmanager
def _heard_battery() -> Iterator[tuple[dict[str, object], Connection]]:
    """Run an emulated battery in a process of its own; yield its table and what tells of writes."""
    here, there = multiprocessing.Pipe()
    # spawned: a fork would copy this process's threads' locks
    process = multiprocessing.get_context("spawn").Process(
        target=_serve, args=(there,), daemon=True
    )
    process.start()
    there.close()
    try:
        if not here.poll(STARTED_S):
            msg = f"bench: the emulated battery does not start in {STARTED_S:g} s; run it again"
            raise DataError(msg)
        yield here.recv(), here
    finally:
        here.close()
        process.terminate()
        process.join()


def _serve(there: Connection) -> None:
    """Run an emulated battery until the process is ended."""
    asyncio.run(_serve_battery(there))


async def _serve_battery(there: Connection) -> None:
    clock = SystemClock()
    home = EmulatedHome(
        model=BatteryModel.lfp(1), soc=0.6, clock=clock.monotonic_s, demand=lambda _: (400.0, 0.0)
    )
    battery = _Telling(home, clock, there)
    await battery.start()
    there.send(dict(battery.settings))
    await asyncio.Event().wait()


class _Telling(SonnenV2Emulator):
    """A battery that tells when a set-point comes."""

    def __init__(self, home: EmulatedHome, clock: SystemClock, there: Connection) -> None:
        super().__init__(home, clock=clock)
        self._there = there

    def answer(self, request: HttpRequest) -> HttpAnswer:
        """See `devices.emulators.http_server.HttpDevice`."""
        if "setpoint" in request.path:
            with suppress(OSError):  # whoever measured has gone
                self._there.send((time.monotonic(), request.path))
        return super().answer(request)


@contextmanager
def _agent(config: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """Run `gridpact agent run` of a configuration."""
    code = "from scenarios.cli import main; main()"
    process = subprocess.Popen(  # noqa: S603 -- ours
        [sys.executable, "-c", code, "agent", "run", "--config", str(config)],
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STARTED_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _await_answer(process: "subprocess.Popen[bytes]", state_folder: Path) -> None:
    """Wait until the contract has answered and was decided for: all is loaded then."""
    deadline_s = time.monotonic() + 2 * STARTED_S
    while time.monotonic() < deadline_s and process.poll() is None:
        with suppress(StoreError):
            if read_status(state_folder)["standing"]["source"] == "answer":
                return
        time.sleep(0.5)
    msg = "bench: the gateway got no answer of its contract; run `gridpact agent run` to see why"
    raise DataError(msg)


def _cpu_s(pid: int) -> float:
    """Return the processor time that a process took. [s]"""
    fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _rss_mb(pid: int) -> float:
    """Return a process's resident memory. [MB]"""
    pages = int(Path(f"/proc/{pid}/statm").read_text("utf-8").split()[1])
    return pages * resource.getpagesize() / 1e6


def _children(pid: int) -> list[int]:
    """Return the processes that a process started."""
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text("utf-8")
    return [int(each) for each in text.split()]
