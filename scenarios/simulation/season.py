"""A run between its days: each is promised, lived, accounted for; what stands is saved."""

from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from contracts.client import Terms
from contracts.promise import Clearing
from devices.arrays import FloatArray
from scenarios.data.calendar import market_grid
from scenarios.data.fleet_data import MINUTE_S, FleetData
from scenarios.intraday.day import TradingDay, write_trades
from scenarios.report.clock import local_date
from scenarios.simulation.checkpoint import Checkpoint, Totals, save
from scenarios.simulation.closed_loop import ClosedLoop
from scenarios.simulation.day_record import DayRecord
from scenarios.simulation.fleet import Fleet
from scenarios.simulation.fleet_day import (
    LivedDay,
    Promise,
    account_for,
    clearings,
    net_export_wh,
    promise_day,
    promise_nothing,
)
from scenarios.simulation.fleet_homes import FleetHomes
from scenarios.simulation.fleet_records import Columns, write_day
from scenarios.simulation.fleet_state import ContractSide, FleetState
from scenarios.simulation.payment import Payment
from scenarios.simulation.trace import DayOutcome
from scenarios.simulation.venue import Due, Nowhere, OnLedger, Venue

if TYPE_CHECKING:
    from scenarios.simulation.fleet_run import FleetRun, Progress


class Season:
    """A run between its days: see `scenarios.simulation.fleet_run.run_fleet`."""

    def __init__(
        self,
        run: "FleetRun",
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

    def live_day(self, progress: "Progress") -> None:
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
