"""How fast a fleet is planned, decided for and lived through on one core: see docs of the keys."""

import multiprocessing
import os
import resource
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import numpy as np

from aggregator.forecast import Forecast
from aggregator.plan import plan_day
from aggregator.virtual_battery import VirtualBattery, aggregate
from hems.controller import Observation
from hems.mpc import Mpc
from hems.mpc_compiled import CompiledEngine
from hems.mpc_engine import HighsEngine
from hems.mpc_program import program
from scenarios.bench.mpc_instances import random_homes
from scenarios.bench.progress import Tell
from scenarios.data.calendar import default_day
from scenarios.simulation.day_source import DaySource
from scenarios.simulation.fleet import Rules, made_up_accounts, paper_fleet
from scenarios.simulation.fleet_day import promise_day
from scenarios.simulation.fleet_run import FleetRun, run_fleet

MPC_HOMES = 1_000
PAPER_HOMES, PAPER_DAYS = 70, 30
CITY_HOMES = 10_000
MONTH_BEGINS = date(2020, 5, 11)
"""First day of the month: the real data's."""
ORACLE_BATCH = 100
"""Instances that HiGHS takes as one program."""
PLAN_REPEATS = 15
MICRO, MIB = 1e6, 2**20

Figures = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lived:
    """What living through a run took."""

    wall_s: float
    """Time by the clock, data, files and payment included. [s]"""
    cpu_s: float
    """The processor's time. [s]"""
    rss_mb: float
    """Greatest resident memory of the process. [MiB]"""
    reports: int
    """Reports that the contract took."""


def mpc_us_per_home(*, import_price: float, export_price: float, repeats: int = 30) -> float:
    """Return what a decision takes for each of a thousand homes, the median of ``repeats``. [µs]"""
    mpc = Mpc(engine=CompiledEngine())
    seen = [
        random_homes(seed, MPC_HOMES, import_price=import_price, export_price=export_price)
        for seed in range(repeats)
    ]
    mpc.decide(seen[0])  # compiles
    return median(_cpu_s(mpc.decide, each) for each in seen) / MPC_HOMES * 1e6


def _cpu_s(decide: Callable[[Observation], object], seen: Observation) -> float:
    began = time.process_time()
    decide(seen)
    return time.process_time() - began


def mpc_oracle(instances: int, *, tell: Tell = lambda *_: None) -> Figures:
    """Compare the compiled engine with HiGHS on instances drawn at random.

    Returns
    -------
    Figures
        ``instances``; ``worst_gap``: greatest difference of two plans' costs over the greater of
        the reference's and one unit of currency; ``unproved`` by either.
    """
    fast, reference = CompiledEngine(), HighsEngine()
    worst, unproved, done = 0.0, 0, 0
    for seed in range(-(-instances // ORACLE_BATCH)):
        seen = random_homes(seed, ORACLE_BATCH)
        numbers = program(seen, export_penalty_min_per_mwh=1.0)
        costs = []
        for engine in (fast, reference):
            values, proved = engine.solve(seen, numbers)
            costs.append((numbers.cost * values).sum(axis=1) / MICRO)
            unproved += int((~proved).sum())
        gaps = np.abs(costs[0] - costs[1]) / np.maximum(1.0, np.abs(costs[1]))
        worst, done = max(worst, float(gaps.max())), done + ORACLE_BATCH
        tell("MPC against HiGHS", done, instances)
    return {"instances": done, "worst_gap": worst, "unproved": unproved}


def plan_ms(*, flat: bool) -> float:
    """Return what building and solving the plan of a 48-interval day takes, the median. [ms]

    ``flat`` gives all intervals the same prices, where every course costs the same.
    """
    battery, forecast = _planned_day()
    if flat:
        forecast = replace(
            forecast,
            import_price_per_mwh=np.full(forecast.grid.count, 150.0),
            export_price_per_mwh=np.full(forecast.grid.count, 50.0),
        )
    plan_day(battery, forecast)  # imports
    taken = []
    for _ in range(PLAN_REPEATS):
        began = time.perf_counter()
        plan_day(battery, forecast)
        taken.append(time.perf_counter() - began)
    return median(taken) * 1e3


def _planned_day() -> tuple[VirtualBattery, Forecast]:
    data = DaySource(homes=PAPER_HOMES).day(default_day())
    fleet = paper_fleet(PAPER_HOMES, tuple(made_up_accounts(PAPER_HOMES + 1)))
    forecast = promise_day(data, fleet, Rules()).forecast
    return aggregate(fleet.bank, 0.5 * fleet.bank.capacity_wh), forecast


def lived(homes: int, days: int, *, folder: Path | None = None) -> Lived:
    """Live through days of a fleet in a process of its own, and return what that took."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=1, mp_context=spawn) as pool:
        return pool.submit(_live, homes, days, folder).result()


def _live(homes: int, days: int, folder: Path | None) -> Lived:
    """Live through days of a fleet here; the engine is compiled before the clock starts."""
    mpc = Mpc(engine=CompiledEngine())
    mpc.decide(random_homes(0, 1))
    run = FleetRun(first_day=MONTH_BEGINS, days=days, homes=homes, folder=folder)
    wall_s, cpu_s = time.perf_counter(), time.process_time()
    with TemporaryDirectory() as out:
        figures = run_fleet(run, Path(out), controller=mpc)
    return Lived(
        wall_s=time.perf_counter() - wall_s,
        cpu_s=time.process_time() - cpu_s,
        rss_mb=_peak_bytes() / MIB,
        reports=int(str(figures["reports"])),
    )


def _peak_bytes() -> int:
    """Return the greatest resident memory of this process so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def fleet_figures(
    *, quick: bool = False, folder: Path | None = None, tell: Tell = lambda *_: None
) -> Figures:
    """Measure everything.

    Parameters
    ----------
    quick : bool
        Leave out the month and the city, and compare fewer instances.
    folder : Path, optional
        Folder of the real series for the month; generated without.
    tell : Tell
        Told how far it is.
    """
    figures: Figures = {
        "mpc_us_per_home": mpc_us_per_home(import_price=150.0, export_price=50.0),
        "mpc_negative_us_per_home": mpc_us_per_home(import_price=-80.0, export_price=-60.0),
        "mpc_oracle": mpc_oracle(1_000 if quick else 20_000, tell=tell),
        "plan_ms": plan_ms(flat=False),
        "plan_flat_ms": plan_ms(flat=True),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None,
    }
    sizes = (100, 300) if quick else (100, 1_000, CITY_HOMES)
    tasks = len(sizes) + (not quick)
    by_size = []
    for number, homes in enumerate(sizes):
        tell(f"a day of {homes:,} homes", number, tasks)
        day = lived(homes, 1)
        by_size.append(
            {
                "homes": homes,
                "s_per_home_day": day.wall_s / homes,
                "cpu_s_per_home_day": day.cpu_s / homes,
            }
        )
        if homes == CITY_HOMES:
            figures |= {
                "day_10k_s": day.wall_s,
                "day_10k_cpu_s": day.cpu_s,
                "day_10k_rss_mb": day.rss_mb,
            }
    if not quick:
        tell(f"{PAPER_DAYS} days of {PAPER_HOMES} homes", tasks - 1, tasks)
        month = lived(PAPER_HOMES, PAPER_DAYS, folder=folder)
        figures |= {
            "month_s": month.wall_s,
            "month_cpu_s": month.cpu_s,
            "month_reports": month.reports,
        }
    tell("days of fleets", tasks, tasks)
    return figures | {"by_fleet_size": by_size}
