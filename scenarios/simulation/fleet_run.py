"""A fleet over many days: each day promised, lived, accounted for; paid at the end.

Who is in the fleet, what stands where and how it is run is data: `FleetRun`. A run leaves a
checkpoint after each day, in the folder of its results, and resumes from it. The contracts go on
where they were because the checkpoint holds their storage: a fresh contract each day would lose the
weights of silent batteries and reports that come late, and replaying a month of reports would take
as long as the month.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import get_args

import numpy as np

from aggregator.files import write_text
from aggregator.settle import ImbalanceRule
from contracts.client import Terms
from contracts.promise import Clearing
from devices.arrays import FloatArray
from hems.controller import Controller
from scenarios.data.calendar import market_grid
from scenarios.data.fleet_data import MINUTE_S, FleetData
from scenarios.errors import ScenarioInputError
from scenarios.intraday.day import TradingDay, with_trades, write_trades
from scenarios.intraday.firming import Intraday
from scenarios.report.clock import local_date
from scenarios.simulation.arrangement import FRAMEWORK, Arrangement
from scenarios.simulation.checkpoint import Checkpoint, Totals, load, save
from scenarios.simulation.closed_loop import ClosedLoop
from scenarios.simulation.controllers import Named, PerHome, controller_named
from scenarios.simulation.day_record import DayRecord
from scenarios.simulation.day_source import DaySource
from scenarios.simulation.fleet import (
    PAPER_BATTERY,
    Battery,
    Fleet,
    Rules,
    made_up_accounts,
    paper_fleet,
)
from scenarios.simulation.fleet_day import (
    DAY_AHEAD_S,
    LivedDay,
    Promise,
    account_for,
    clearings,
    net_export_wh,
    promise_day,
    promise_nothing,
)
from scenarios.simulation.fleet_homes import FleetHomes
from scenarios.simulation.fleet_records import Columns, read_days, write_bills, write_day
from scenarios.simulation.fleet_state import ContractSide, FleetState
from scenarios.simulation.fleet_total import summary
from scenarios.simulation.payment import Payment
from scenarios.simulation.shards import LOCAL, Engine
from scenarios.simulation.trace import DayOutcome
from scenarios.simulation.venue import Due, Nowhere, OnLedger, Venue

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


class Season:
    """A run between its days: see `run_fleet`."""

    def __init__(
        self,
        run: FleetRun,
        out: Path,
        fleet: Fleet,
        *,
        homes: FleetHomes,
        operators: tuple[str, str],
        stood: Checkpoint | None,
    ) -> None:
        self._run, self._out, self._fleet, self._homes = run, out, fleet, homes
        self._owner, self._market = operators
        self._terms = Terms(interval_s=run.rules.interval_s, fee_bp=run.rules.fee_bp)
        if stood is None:
            self._begin()
        else:
            self._resume(stood)

    def _begin(self) -> None:
        """Begin where nothing is known, and promise the first day."""
        run, bank = self._run, self._fleet.bank
        billed = run.arrangement.billed(run.homes)
        self.days_done, self._totals = 0, Totals.none(billed)
        self._expected_wh = run.rules.soc_start * bank.capacity_wh
        self._data = self._homes.first(run.first_day, self._expected_wh)
        self._contract = ContractSide.fresh(bank.homes)
        gate_s = int(self._data.market_grid.start.timestamp()) - run.gate_s
        self._venue: Venue = Nowhere(bank.homes + 1)
        if run.arrangement.market:
            self._venue = OnLedger.begin(
                gate_s=gate_s,
                owner=self._owner,
                market=self._market,
                terms=self._terms,
                members=self._fleet.members(),
            )
        self._promise = self._promised(self._data)
        self._venue.publish(self._promise.schedule)

    def _resume(self, stood: Checkpoint) -> None:
        """Go on where a checkpoint stands; what follows from it is worked out again."""
        self.days_done, self._totals = stood.days_done, stood.totals
        self._contract = stood.state.contract
        self._homes.restore(stood.state.homes)
        self._venue = Nowhere(self._fleet.homes + 1)
        if self._run.arrangement.market:
            self._venue = OnLedger.resume(
                stood, owner=self._owner, terms=self._terms, members=self._fleet.members()
            )
        self._expected_wh = stood.expected_wh
        if self.days_done < self._run.days:
            self._data = self._homes.ahead(self._date(self.days_done))
            self._promise = self._promised(self._data)

    def _date(self, number: int) -> date:
        return self._run.first_day + timedelta(days=number)

    def live_day(self, progress: Progress) -> None:
        """Live through the next day, promise the one after it, write and remember what was."""
        minutes = self._data.minute_grid.count
        done, everything = self.days_done * 1440, self._run.days * 1440
        ahead: list[tuple[FleetData, Promise]] = []
        gate_minute = minutes - self._run.gate_s // MINUTE_S
        trading = self._trading()

        def tick(minute: int) -> None:
            if trading is not None and trading.is_due(minute):
                self._trade(trading, loop, minute)
            if minute == gate_minute and self.days_done + 1 < self._run.days:
                ahead.append(self._promise_ahead(loop.stored_wh, minute))
            progress(done + min(minute, 1440), everything)

        loop = self._homes.loop(
            self._data,
            ledger=self._venue.ledger,
            clock=self._venue.clock,
            state=self._contract,
        )
        self._close_day(loop.run(tick, stops=(gate_minute,)))
        if trading is not None:
            write_trades(self._out, trading, self._data)
        self.days_done += 1
        if ahead:
            self._data, self._promise = ahead[0]
        self._save()

    def _close_day(self, outcome: DayOutcome) -> None:
        """Write and count what a day left; of its record nothing stays."""
        lived = self._accounted(self._homes.record(outcome))
        write_day(self._out, lived)
        self._add(lived)

    def _trading(self) -> TradingDay | None:
        """Return the day's trading, None where the run does not trade within days."""
        run = self._run
        if run.intraday is None:
            return None
        return TradingDay(
            run.intraday,
            data=self._data,
            fleet=self._fleet,
            rules=run.rules,
            rule=run.imbalance,
            promise=self._promise,
        )

    def _trade(self, trading: TradingDay, loop: ClosedLoop, minute: int) -> None:
        """Plan the rest of the day again, trade, and let the homes know."""
        published = trading.plan_again(minute, loop.stored_wh)
        self._promise = trading.promise
        if published is not None:
            self._venue.publish(published)
            loop.schedule_changed()

    def _promise_ahead(self, stored_wh: FloatArray, minute: int) -> tuple[FleetData, Promise]:
        """Plan, sell and publish the next day from what is known at a minute of this one.

        What will be in the cells is what is in them now and what the plan of today still adds.
        """
        data = self._homes.ahead(self._date(self.days_done + 1))
        soc, bank = self._promise.replan.soc, self._fleet.bank
        slot = minute * MINUTE_S // self._run.rules.interval_s
        planned = float(soc[-1] - soc[slot - 1])
        low_wh, high_wh = bank.soc_min * bank.capacity_wh, bank.soc_max * bank.capacity_wh
        self._expected_wh = np.clip(stored_wh + planned * bank.capacity_wh, low_wh, high_wh)
        promise = self._promised(data)
        self._venue.publish(promise.schedule)
        return data, promise

    def _promised(self, data: FleetData) -> Promise:
        promise = promise_day if self._run.arrangement.market else promise_nothing
        return promise(
            data,
            self._fleet,
            self._run.rules,
            stored_wh=self._expected_wh,
            stream=(local_date(data.market_grid).toordinal(),),
        )

    def _accounted(self, record: DayRecord) -> LivedDay:
        run, grid = self._run, self._data.market_grid
        return account_for(
            self._data,
            self._fleet,
            run.rules,
            promise=self._promise,
            record=record,
            deliveries=self._venue.deliveries(grid, net_export_wh(record, grid)),
            arrangement=run.arrangement,
            rule=run.imbalance,
        )

    def _add(self, lived: LivedDay) -> None:
        totals = self._totals
        totals.bill += lived.bills.bill
        totals.baseline += lived.bills.baseline
        totals.wire_wh += lived.bills.wire_wh
        posted = [
            (each.interval, each.price_micro_per_mwh, each.imbalance_price_micro_per_mwh)
            for each in clearings(lived.data, lived.deliveries)
        ]
        rows = np.array(posted, dtype=np.int64).reshape(-1, 3)
        totals.clearings = np.concatenate([totals.clearings, rows])

    def _save(self) -> None:
        save(
            self._out,
            Checkpoint(
                asked=self._run.asked(),
                days_done=self.days_done,
                contracts=self._venue.contracts(),
                now_s=self._venue.now_s(),
                chain=self._venue.state(),
                expected_wh=self._expected_wh,
                state=FleetState(homes=self._homes.state(), contract=self._contract),
                totals=self._totals,
            ),
        )

    def settle(self) -> Payment:
        """Pay for all days, once the last interval takes no more reports."""
        first = market_grid(self._run.first_day)
        last = market_grid(self._date(self._run.days - 1))
        return self._venue.settle(
            Due(
                intervals=range(first.first_interval, last.first_interval + last.count),
                clearings=tuple(
                    Clearing(
                        interval=interval,
                        price_micro_per_mwh=price,
                        imbalance_price_micro_per_mwh=imbalance,
                    )
                    for interval, price, imbalance in self._totals.clearings.tolist()
                ),
                rule=self._run.imbalance,
                end_s=int(last.end.timestamp()),
                bond_micro=self._run.rules.bond_micro,
            )
        )

    def bill_columns(self, payment: Payment) -> Columns:
        """Return a row per bill: what is paid at retail, and what the contract paid its owner.

        The bills are the homes', and after them that of the central site where there is one.
        """
        credits_micro = np.zeros_like(self._totals.bill, dtype=np.int64)
        members = payment.credits_micro[:-1]
        credits_micro[-members.shape[0] :] = members
        return {
            "bill": self._totals.bill,
            "baseline": self._totals.baseline,
            "wire_wh": self._totals.wire_wh,
            "credit_micro": credits_micro,
        }
