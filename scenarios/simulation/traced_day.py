"""One day of a fleet whose data are at hand, with every minute kept: the demo's, and of tests."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date

from contracts.chain import TimeMachine
from contracts.timegrid import TimeGrid
from hems.controller import Controller
from scenarios.data.fleet_data import FleetData
from scenarios.data.home_minutes import HomeMinutes
from scenarios.report.clock import local_date
from scenarios.simulation.closed_loop import ClosedLoop
from scenarios.simulation.day_record import DayRecord
from scenarios.simulation.exchange import LoopLedger
from scenarios.simulation.fleet import Fleet, Rules
from scenarios.simulation.fleet_state import ContractSide
from scenarios.simulation.half_hours import HalfHours
from scenarios.simulation.shards import LocalShards, parts_of, shard_homes
from scenarios.simulation.trace import DayTrace, FullTrace, joined

TRACE, HALF_HOURS = "trace", "half-hours"


@dataclass(frozen=True, slots=True)
class Held:
    """See `scenarios.simulation.prepared_day.MinuteSource`; one day that somebody has at hand."""

    data: FleetData
    """The day and the history before it."""

    def minutes(self, day: date, part: range, *, history_days: int) -> Iterator[HomeMinutes]:
        """See `scenarios.simulation.prepared_day.MinuteSource`."""
        del day, history_days
        homes = slice(part.start, part.stop)
        yield HomeMinutes(load_w=self.data.load_w[homes], pv_w=self.data.pv_w[homes])


def trace_day(
    *,
    data: FleetData,
    fleet: Fleet,
    rules: Rules,
    controller: Controller,
    ledger: LoopLedger,
    clock: TimeMachine,
    ledger_grid: TimeGrid,
    tick: Callable[[int], None] = lambda _: None,
) -> tuple[DayTrace, DayRecord]:
    """Live through a day of a fleet that never reported, and keep every minute.

    Parameters
    ----------
    data : FleetData
        Load, production and prices of the day and of the history before it.
    fleet, rules, ledger, clock, ledger_grid
        As for `scenarios.simulation.closed_loop.ClosedLoop`.
    controller : Controller
        Decides for all homes.
    tick : Callable[[int], None]
        Called after each minute with the minutes done.
    """
    # one shard: a controller that solves all homes together then has them together
    parts = parts_of(fleet.homes, 1)
    homes = shard_homes(
        parts,
        fleet=fleet,
        rules=rules,
        controller=controller,
        source=Held(data),
        recorders={TRACE: FullTrace, HALF_HOURS: HalfHours},
    )
    shards = LocalShards(homes)
    try:
        shards.one(0, "prepare", local_date(data.market_grid), ledger_grid.count, 0)
        shards.one(0, "start", rules.soc_start * fleet.bank.capacity_wh)
        loop = ClosedLoop(
            shards=shards,
            data=data,
            fleet=fleet,
            rules=rules,
            ledger=ledger,
            clock=clock,
            ledger_grid=ledger_grid,
            state=ContractSide.fresh(fleet.homes),
        )
        outcome = loop.run(tick)
        record = DayRecord(outcome=outcome, parts=(shards.one(0, "kept", HALF_HOURS),), minutes={})
        return joined(outcome, [shards.one(0, "kept", TRACE)]), record
    finally:
        shards.close()
