"""The demo: one real day of a fleet, start to finish, with everything it leaves behind."""

import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from aggregator.files import write_plan, write_schedule, write_text
from aggregator.tables import write_series
from contracts.chain import Chain
from contracts.local.embedded import development_accounts, embedded_chain
from contracts.promise import SOC_BP_MAX
from contracts.timegrid import TimeGrid
from devices.arrays import FloatArray
from hems.mpc import Mpc
from scenarios.data.fleet_data import FleetData
from scenarios.data.source import fleet_data
from scenarios.errors import ScenarioInputError
from scenarios.report.page import write_report
from scenarios.report.picture import write_picture
from scenarios.simulation.fleet import Rules, paper_fleet
from scenarios.simulation.fleet_day import DAY_AHEAD_S, FleetDay, live_day
from scenarios.simulation.summary import summary

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

PYREVM, ETH_TESTER, ANVIL = "pyrevm", "eth-tester", "Anvil"
SETUP_S = 3600
"""An embedded chain begins this long before the promise is published. [s]"""

Progress = Callable[[str, int, int], None]
"""Told a task's name, the minutes done and the minutes in all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Demo:
    """What the demo was asked for."""

    day: date
    """Local market day."""
    homes: int
    """Number of homes."""
    rules: Rules
    """How the day is run."""
    data: Path | None
    """Folder of real series; None generates."""
    chain: str
    """``pyrevm``, ``eth-tester`` or the URL of an Anvil node."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What the demo found out."""

    day: FleetDay
    """The day as planned with the rules' forecast error."""
    figures: dict[str, object]
    """See `scenarios.simulation.summary`; with the chain's name and gas. Follows from the seed."""
    timings: dict[str, float]
    """What differs from run to run: ``plan_s`` and ``wall_s``. [s]"""


def default_chain() -> str:
    """Return the fastest embedded chain that is installed."""
    return PYREVM if find_spec("pyrevm") is not None else ETH_TESTER


def run_demo(asked: Demo, progress: Progress = lambda *_: None) -> Outcome:
    """Live through the day twice: with the forecast error asked for and, to compare, without.

    Notes
    -----
    The comparison runs on pyrevm and is left out where that is not installed: on eth-tester it
    would double a run of minutes.
    """
    if asked.homes < 1:
        msg = f"{asked.homes} homes: a fleet needs at least one"
        raise ScenarioInputError(msg)
    began = time.perf_counter()
    data = fleet_data(asked.data, day=asked.day, homes=asked.homes, seed=asked.rules.seed)
    chain_open = time.perf_counter()
    day, counts_gas = _live(asked, data, asked.rules, tick=partial(progress, "day"))
    without_error = None
    if asked.rules.forecast_error and default_chain() == PYREVM:
        perfect = replace(asked.rules, forecast_error=0.0, forecast_step_s=asked.rules.interval_s)
        beside = replace(asked, chain=PYREVM)
        without_error, _ = _live(beside, data, perfect, tick=partial(progress, "perfect forecast"))
    figures = summary(day, without_error=without_error) | {
        "chain": ANVIL if asked.chain.startswith("http") else asked.chain,
        "gas_per_report": day.trace.gas_per_report if counts_gas else None,
    }
    timings = {
        "data_s": chain_open - began,
        "plan_s": day.promise.plan_s,
        "wall_s": time.perf_counter() - began,
    }
    return Outcome(day=day, figures=figures, timings=timings)


def _live(
    asked: Demo, data: FleetData, rules: Rules, *, tick: Callable[[int, int], None]
) -> tuple[FleetDay, bool]:
    """Run the day once on a chain of its own; tell also whether that counts gas truly."""
    keys = development_accounts(asked.rules.seed, asked.homes + 3)
    owner, market, *members = (key.address for key in keys)
    minutes = data.market_grid.split(60).count
    with _open_chain(asked.chain, data.market_grid, keys) as chain:
        day = live_day(
            data=data,
            fleet=paper_fleet(asked.homes, tuple(members)),
            rules=rules,
            controller=Mpc(),
            chain=chain,
            owner=owner,
            market_account=market,
            tick=lambda minute: tick(minute, minutes),
        )
        return day, chain.counts_gas_truly


@contextmanager
def _open_chain(name: str, grid: TimeGrid, keys: "Sequence[LocalAccount]") -> Iterator[Chain]:
    """Yield the chain called ``name``, with coins for ``keys`` where it has coins."""
    if name.startswith(("http://", "https://")):
        from contracts.local.chain_dev import anvil_chain  # noqa: PLC0415 - imports web3

        node = anvil_chain(name, signers=keys)
        try:
            yield node
        finally:
            node.release()
        return
    if name not in (PYREVM, ETH_TESTER):
        msg = f"chain {name!r}: choose {PYREVM}, {ETH_TESTER} or the http:// URL of an Anvil node"
        raise ScenarioInputError(msg)
    if name == PYREVM and default_chain() != PYREVM:
        msg = "pyrevm has no wheel for this Python and machine; use --chain eth-tester"
        raise ScenarioInputError(msg)
    start = int(grid.start.timestamp()) - DAY_AHEAD_S - SETUP_S
    prefer: Literal["pyrevm", "eth-tester"] = "pyrevm" if name == PYREVM else "eth-tester"
    yield embedded_chain(start_timestamp=start, accounts=keys, prefer=prefer)


def write_outcome(folder: Path, outcome: Outcome) -> dict[str, Path]:
    """Write the report and everything it was made from into a folder.

    Returns
    -------
    dict[str, Path]
        Name of each thing and its file. All but the report are the same bytes for the same seed.
    """
    make_folder(folder)
    files = {
        "report": folder / "report.html",
        "picture": folder / "fleet-day.png",
        "summary": folder / "summary.json",
        "intervals": folder / "intervals.csv",
        "plan": folder / "plan.json",
        "schedule": folder / "schedule.json",
    }
    day = outcome.day
    write_report(files["report"], day, outcome.figures, outcome.timings, _chain_label(outcome))
    write_picture(files["picture"], day)
    write_text(files["summary"], json.dumps(outcome.figures, indent=2) + "\n")
    write_series(files["intervals"], day.data.market_grid, _intervals(day))
    write_plan(files["plan"], day.promise.replan)
    write_schedule(files["schedule"], day.promise.schedule)
    return files


def make_folder(folder: Path) -> None:
    """Make a folder for results, or say in one line why that cannot be.

    Raises
    ------
    ScenarioInputError
        If it cannot be made or written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        msg = f"{folder} cannot be made ({error.strerror}); name another folder with --out"
        raise ScenarioInputError(msg) from error


def check_folder(folder: Path) -> None:
    """Say before a long run what would keep `make_folder` from working, without making anything."""
    found = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    if not found.is_dir() or not os.access(found, os.W_OK):
        msg = f"{found} is no folder to write in; name another one with --out"
        raise ScenarioInputError(msg)


def _chain_label(outcome: Outcome) -> str:
    """Return the chain's name as a reader wants it."""
    name = str(outcome.figures["chain"])
    return name if name == ANVIL else f"{name}, in process"


def _intervals(day: FleetDay) -> dict[str, FloatArray]:
    """Return the day per market interval, as `intervals.csv` shows it."""
    forecast, promised = day.promise.forecast, day.promise.schedule
    fleet_soc = day.trace.stored_wh.sum(axis=0) / day.fleet.bank.capacity_wh.sum()
    per_slot = day.data.market_grid.step_s // 60
    return {
        "day_ahead_price_per_mwh": day.data.day_ahead_price_per_mwh,
        "import_price_per_mwh": day.data.import_price_per_mwh,
        "imbalance_price_per_mwh": day.data.imbalance_price_per_mwh,
        "forecast_demand_wh": forecast.demand_wh,
        "forecast_production_wh": forecast.production_wh,
        "commitment_wh": np.array(promised.commitment_wh, dtype=np.float64),
        "net_export_wh": np.array([d.delivered_wh for d in day.deliveries], dtype=np.float64),
        "planned_soc": day.promise.replan.soc,
        "published_soc": np.array(promised.soc_bp) / SOC_BP_MAX,
        "soc": fleet_soc[per_slot::per_slot],
        "steered": np.array(promised.steered, dtype=np.float64),
    }
