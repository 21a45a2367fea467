"""A fleet over many days: each day promised, lived, accounted for; paid at the end.

Who is in the fleet, what stands where and how it is run is data: `FleetRun`. A run leaves a
checkpoint after each day, in the folder of its results, and resumes from it. The contracts go on
where they were because the checkpoint holds their storage: a fresh contract each day would lose the
weights of silent batteries and reports that come late, and replaying a month of reports would take
as long as the month.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import get_args

import numpy as np

from aggregator.files import write_text
from aggregator.settle import ImbalanceRule
from hems.controller import Controller
from scenarios.data.fleet_data import MINUTE_S
from scenarios.errors import ScenarioInputError
from scenarios.intraday.day import with_trades
from scenarios.intraday.firming import Intraday
from scenarios.simulation.arrangement import FRAMEWORK, Arrangement
from scenarios.simulation.assigned import assigned, members_named
from scenarios.simulation.checkpoint import load
from scenarios.simulation.controllers import Named, PerHome, controller_named
from scenarios.simulation.day_source import DaySource
from scenarios.simulation.fleet import (
    PAPER_BATTERY,
    Battery,
    Rules,
    made_up_accounts,
    paper_fleet,
)
from scenarios.simulation.fleet_day import (
    DAY_AHEAD_S,
)
from scenarios.simulation.fleet_homes import FleetHomes
from scenarios.simulation.fleet_records import read_days, write_bills
from scenarios.simulation.fleet_total import summary
from scenarios.simulation.season import Season
from scenarios.simulation.shards import LOCAL, Engine

GATE_LAST_S = 22 * 3600
"""A promise is published on the day before, which may have 23 hours. [s]"""

Progress = Callable[[int, int], None]
"""Told the minutes done and the minutes in all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetRun:
    """What a run is asked for.

    Raises
    ------
    ScenarioInputError
        If a number is out of its range.
    """

    first_day: date
    """Local market day that it begins with."""
    days: int
    """Days in all."""
    homes: int
    """Number of homes."""
    rules: Rules = field(default_factory=Rules)
    """How each day is run, and what goes wrong."""
    folder: Path | None = None
    """Folder of real series; None generates."""
    gate_s: int = DAY_AHEAD_S
    """Time from a day's promise to its beginning. [s]"""
    battery: Battery = PAPER_BATTERY
    """What each home has, or adds to a central site."""
    arrangement: Arrangement = FRAMEWORK
    """Where panels and batteries stand, and who sells."""
    controller: Named = "mpc"
    """What decides for the batteries."""
    controllers: Mapping[str, Named] = field(default_factory=dict)
    """What decides for single homes in its place, by their names: ``hh_03`` is number 3."""
    imbalance: ImbalanceRule = "paper"
    """How a deviation from the promise is priced."""
    price_volatility: float = 1.0
    """Multiplies the day-ahead prices' deviations from each day's mean, >= 0."""
    watch: tuple[int, ...] = (0, 1, 2)
    """Members whose minutes are written, by number from 0; those that there are."""
    intraday: Intraday | None = None
    """How the aggregator trades through the day; None trades day-ahead alone."""

    def __post_init__(self) -> None:
        self._check_names()
        if not 0 <= self.price_volatility < np.inf:
            msg = f"price volatility of {self.price_volatility}: choose a factor >= 0, 1 for as is"
            raise ScenarioInputError(msg)
        if self.intraday is not None and not self.arrangement.market:
            msg = "intraday trade without a market: nobody trades; choose an arrangement with one"
            raise ScenarioInputError(msg)
        if any(member < 0 for member in self.watch):
            msg = f"watch {self.watch}: members are numbered from 0"
            raise ScenarioInputError(msg)
        if self.days < 1 or self.homes < 1:
            msg = f"{self.days} days of {self.homes} homes: a run needs at least one of each"
            raise ScenarioInputError(msg)
        if self.controllers and self.arrangement.central:
            msg = "controllers of homes at a central site: no home decides; name one for the run"
            raise ScenarioInputError(msg)
        members_named(self.controllers, self.homes)
        if not MINUTE_S <= self.gate_s <= GATE_LAST_S or self.gate_s % MINUTE_S:
            msg = f"gate of {self.gate_s} s: choose whole minutes from 1 to {GATE_LAST_S // 60}"
            raise ScenarioInputError(msg)

    def _check_names(self) -> None:
        for name, known in (("controller", Named), ("imbalance", ImbalanceRule)):
            if getattr(self, name) not in get_args(known):
                choices = ", ".join(get_args(known))
                msg = f"{name} {getattr(self, name)!r}: choose one of {choices}"
                raise ScenarioInputError(msg)

    def asked(self) -> dict[str, object]:
        """Return the run as JSON has it."""
        asked: dict[str, object] = json.loads(json.dumps(asdict(self), default=str))
        return asked


def run_fleet(
    run: FleetRun,
    out: Path,
    *,
    controller: Controller | None = None,
    progress: Progress = lambda *_: None,
    engine: Engine = LOCAL,
    shards: int | None = None,
) -> dict[str, object]:
    """Live through a run, or through what is left of it.

    Parameters
    ----------
    run : FleetRun
        What is asked for.
    out : Path
        Folder of its results and its checkpoint.
    controller : Controller, optional
        Decides for all homes; without, the one that the run names. It must decide as that does.
    progress : Progress
        Called after each simulated minute.
    engine : Engine
        Where the homes live; results are the same wherever that is.
    shards : int, optional
        Into how many parts the fleet is cut; without, as many as suit its size.

    Returns
    -------
    dict[str, object]
        What `summary.json` holds: see `scenarios.simulation.fleet_total`.

    Raises
    ------
    ScenarioInputError
        If the folder holds another run.
    """
    out.mkdir(parents=True, exist_ok=True)
    stood = load(out, run.asked())
    decides = controller or controller_named(run.controller)
    decides = assigned(decides, members_named(run.controllers, run.homes))
    if run.arrangement.central:
        decides = PerHome(decides, run.homes)
    owner, market, *accounts = made_up_accounts(run.arrangement.members(run.homes) + 3)
    fleet = paper_fleet(
        run.homes, tuple(accounts), battery=run.battery, arrangement=run.arrangement
    )
    with FleetHomes(
        source=_source(run),
        fleet=fleet,
        rules=run.rules,
        controller=decides,
        watch=run.watch,
        engine=engine,
        shards=shards,
    ) as homes:
        season = Season(run, out, fleet, homes=homes, operators=(owner, market), stood=stood)
        while season.days_done < run.days:
            season.live_day(progress)
    payment = season.settle()
    figures = summary(run.asked(), read_days(out), payment)
    if run.intraday is not None:
        figures = with_trades(figures, out)
    write_bills(out / "bills.parquet", season.bill_columns(payment))
    write_text(out / "summary.json", json.dumps(figures, indent=2) + "\n")
    return figures


def _source(run: FleetRun) -> DaySource:
    return DaySource(
        homes=run.homes,
        seed=run.rules.seed,
        folder=run.folder,
        arrangement=run.arrangement,
        price_volatility=run.price_volatility,
    )
