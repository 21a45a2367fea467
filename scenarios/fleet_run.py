"""A fleet over many days on one ledger: each day promised, lived, accounted for; paid at the end.

A run leaves a checkpoint after each day, in the folder of its results, and resumes from it. The
contracts go on where they were because the checkpoint holds their storage: a fresh contract each
day would lose the weights of silent batteries and reports that come late, and replaying a month of
reports would take as long as the month.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from aggregator.files import write_text
from contracts.client import Ledger, Terms, connect, deploy
from contracts.deployment import Deployment
from contracts.local.chain_revm import RevmChain
from contracts.promise import Clearing
from devices.arrays import FloatArray
from hems.controller import Controller
from scenarios.checkpoint import Checkpoint, Totals, load, save
from scenarios.closed_loop import ClosedLoop, DayTrace
from scenarios.data.calendar import market_grid
from scenarios.data.fleet_data import MINUTE_S, FleetData
from scenarios.day_source import HISTORY_DAYS, DaySource
from scenarios.errors import ScenarioInputError
from scenarios.fleet import Fleet, Rules, made_up_accounts, paper_fleet
from scenarios.fleet_day import DAY_AHEAD_S, LivedDay, Promise, account_for, clearings, promise_day
from scenarios.fleet_records import Columns, read_days, write_bills, write_day
from scenarios.fleet_state import FleetState
from scenarios.fleet_total import summary
from scenarios.payment import Payment, pay
from scenarios.report.clock import local_date

QUARTERS_KEPT = 96 * HISTORY_DAYS
SETUP_S = 3600
"""The chain begins this long before the first promise is published. [s]"""
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

    def __post_init__(self) -> None:
        if self.days < 1 or self.homes < 1:
            msg = f"{self.days} days of {self.homes} homes: a run needs at least one of each"
            raise ScenarioInputError(msg)
        if not MINUTE_S <= self.gate_s <= GATE_LAST_S or self.gate_s % MINUTE_S:
            msg = f"gate of {self.gate_s} s: choose whole minutes from 1 to {GATE_LAST_S // 60}"
            raise ScenarioInputError(msg)

    def asked(self) -> dict[str, object]:
        """Return the run as JSON has it."""
        asked: dict[str, object] = json.loads(json.dumps(asdict(self), default=str))
        return asked


def run_fleet(
    run: FleetRun,
    out: Path,
    *,
    controller: Controller,
    progress: Progress = lambda *_: None,
) -> dict[str, object]:
    """Live through a run, or through what is left of it.

    Parameters
    ----------
    run : FleetRun
        What is asked for.
    out : Path
        Folder of its results and its checkpoint.
    controller : Controller
        Decides for all homes.
    progress : Progress
        Called after each simulated minute.

    Returns
    -------
    dict[str, object]
        What `summary.json` holds: see `scenarios.fleet_total`.

    Raises
    ------
    ScenarioInputError
        If the folder holds another run.
    """
    out.mkdir(parents=True, exist_ok=True)
    season = Season(run, out, controller=controller, stood=load(out, run.asked()))
    while season.days_done < run.days:
        season.live_day(progress)
    payment = season.settle()
    figures = summary(run.asked(), read_days(out), payment)
    write_bills(out / "bills.parquet", season.bill_columns(payment))
    write_text(out / "summary.json", json.dumps(figures, indent=2) + "\n")
    return figures


class Season:
    """A run between its days: see `run_fleet`."""

    def __init__(
        self, run: FleetRun, out: Path, *, controller: Controller, stood: Checkpoint | None
    ) -> None:
        self._run, self._out, self._controller = run, out, controller
        self._source = DaySource(homes=run.homes, seed=run.rules.seed, folder=run.folder)
        self._owner, self._market, *members = made_up_accounts(run.homes + 3)
        self._fleet: Fleet = paper_fleet(run.homes, tuple(members))
        self._terms = Terms(interval_s=run.rules.interval_s, fee_bp=run.rules.fee_bp)
        if stood is None:
            self._begin()
        else:
            self._resume(stood)

    def _begin(self) -> None:
        """Put new contracts on a new chain and promise the first day."""
        run, bank = self._run, self._fleet.bank
        self.days_done, self._totals = 0, Totals.none(run.homes)
        self._data, past = self._source.begin(run.first_day)
        gate_s = int(self._data.market_grid.start.timestamp()) - run.gate_s
        self._chain = RevmChain(start_timestamp=gate_s - SETUP_S)
        self._deployment = deploy(
            self._chain, owner=self._owner, market=self._market, terms=self._terms
        )
        self._ledger: Ledger = connect(self._chain, self._deployment)
        self._ledger.fleet.enrol(self._fleet.members())
        self._chain.set_time(gate_s)
        self._expected_wh = run.rules.soc_start * bank.capacity_wh
        self._state = FleetState.fresh(stored_wh=self._expected_wh.copy(), past=past)
        self._promise = self._promised(self._data)
        self._ledger.fleet.publish(self._promise.schedule)

    def _resume(self, stood: Checkpoint) -> None:
        """Go on where a checkpoint stands; what follows from it is worked out again."""
        self.days_done, self._totals, self._state = stood.days_done, stood.totals, stood.state
        self._chain = RevmChain(start_timestamp=stood.now_s, state=stood.chain)
        self._deployment = Deployment(
            chain_id=self._chain.chain_id,
            interval_s=self._run.rules.interval_s,
            owner=self._owner,
            **stood.contracts,
        )
        self._ledger = connect(self._chain, self._deployment)
        self._expected_wh = stood.expected_wh
        if self.days_done < self._run.days:
            self._data = self._source.day(self._date(self.days_done))
            self._promise = self._promised(self._data)

    def _date(self, number: int) -> date:
        return self._run.first_day + timedelta(days=number)

    def live_day(self, progress: Progress) -> None:
        """Live through the next day, promise the one after it, write and remember what was."""
        grid, minutes = self._data.market_grid, self._data.minute_grid.count
        done, everything = self.days_done * 1440, self._run.days * 1440
        ahead: list[tuple[FleetData, Promise]] = []
        gate_minute = minutes - self._run.gate_s // MINUTE_S

        def tick(minute: int) -> None:
            if minute == gate_minute and self.days_done + 1 < self._run.days:
                ahead.append(self._promise_ahead(loop.stored_wh, minute))
            progress(done + min(minute, 1440), everything)

        loop = ClosedLoop(
            data=self._data,
            fleet=self._fleet,
            rules=self._run.rules,
            controller=self._controller,
            ledger=self._ledger.fleet,
            clock=self._chain,
            ledger_grid=grid,
            state=self._state,
        )
        lived = self._accounted(loop.run(tick))
        write_day(self._out, lived)
        self._add(lived)
        self._state.past = self._state.past.then(self._data, keep_quarters=QUARTERS_KEPT)
        self.days_done += 1
        if ahead:
            self._data, self._promise = ahead[0]
        self._save()

    def _promise_ahead(self, stored_wh: FloatArray, minute: int) -> tuple[FleetData, Promise]:
        """Plan, sell and publish the next day from what is known at a minute of this one.

        What will be in the cells is what is in them now and what the plan of today still adds.
        """
        data = self._source.day(self._date(self.days_done + 1))
        soc, bank = self._promise.replan.soc, self._fleet.bank
        slot = minute * MINUTE_S // self._run.rules.interval_s
        planned = float(soc[-1] - soc[slot - 1])
        low_wh, high_wh = bank.soc_min * bank.capacity_wh, bank.soc_max * bank.capacity_wh
        self._expected_wh = np.clip(stored_wh + planned * bank.capacity_wh, low_wh, high_wh)
        promise = self._promised(data)
        self._ledger.fleet.publish(promise.schedule)
        return data, promise

    def _promised(self, data: FleetData) -> Promise:
        return promise_day(
            data,
            self._fleet,
            self._run.rules,
            stored_wh=self._expected_wh,
            stream=(local_date(data.market_grid).toordinal(),),
        )

    def _accounted(self, trace: DayTrace) -> LivedDay:
        ask = self._ledger.fleet.delivery
        return account_for(
            self._data,
            self._fleet,
            self._run.rules,
            promise=self._promise,
            trace=trace,
            deliveries=tuple(ask(interval) for interval in self._data.market_grid.intervals),
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
        deployment = self._deployment
        save(
            self._out,
            Checkpoint(
                asked=self._run.asked(),
                days_done=self.days_done,
                contracts={
                    "fleet": deployment.fleet,
                    "settlement": deployment.settlement,
                    "token": deployment.token,
                },
                now_s=self._chain.now_s(),
                chain=self._chain.state(),
                expected_wh=self._expected_wh,
                state=self._state,
                totals=self._totals,
            ),
        )

    def settle(self) -> Payment:
        """Pay for all days, once the last interval takes no more reports."""
        first = market_grid(self._run.first_day)
        last = market_grid(self._date(self._run.days - 1))
        self._chain.set_time(int(last.end.timestamp()) + self._terms.grace_s)
        intervals = range(first.first_interval, last.first_interval + last.count)
        return pay(
            self._ledger,
            members=self._fleet.accounts,
            deliveries=[self._ledger.fleet.delivery(interval) for interval in intervals],
            clearings=[
                Clearing(
                    interval=interval,
                    price_micro_per_mwh=price,
                    imbalance_price_micro_per_mwh=imbalance,
                )
                for interval, price, imbalance in self._totals.clearings.tolist()
            ],
            bond_micro=self._run.rules.bond_micro,
        )

    def bill_columns(self, payment: Payment) -> Columns:
        """Return a row per home: what it pays at retail, and what the contract paid it."""
        return {
            "bill": self._totals.bill,
            "baseline": self._totals.baseline,
            "wire_wh": self._totals.wire_wh,
            "credit_micro": payment.credits_micro[:-1],
        }
