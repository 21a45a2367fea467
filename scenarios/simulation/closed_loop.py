"""The day in simulated time: homes decide by the minute and report through the real contract.

Per minute, in this order: at a t_sc the members report what they did and are told what the fleet
owes; at a t_j the homes decide; then the minute passes: batteries follow or hold, meters count.
Between two of the exchanges homes do not touch each other: shards of them live on their own.
"""

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from contracts.chain import TimeMachine
from contracts.timegrid import TimeGrid
from devices.arrays import BoolArray, FloatArray
from scenarios.data.fleet_data import MINUTE_S, FleetData
from scenarios.report.clock import local_date
from scenarios.simulation.correspondence import Answered, Heard, Said
from scenarios.simulation.exchange import Counts, Exchange, LoopLedger
from scenarios.simulation.fleet import Fleet, Rules
from scenarios.simulation.fleet_state import ContractSide
from scenarios.simulation.home_day import Decided, Morning, Orders
from scenarios.simulation.shards import Shards
from scenarios.simulation.trace import DayOutcome


class ClosedLoop:
    """One market day of a fleet: shards of homes, and the ledger between them.

    Parameters
    ----------
    shards : Shards
        The homes; their day is prepared.
    data : FleetData
        Plant and prices of the day; nobody looks at its homes here.
    fleet : Fleet
        Connections and accounts.
    rules : Rules
        Cycles and what goes wrong.
    ledger : LoopLedger or None
        Takes reports and answers them; the fleet is enrolled and the schedule published. None where
        nothing is promised and nobody reports.
    clock : TimeMachine or None
        The ledger's chain, whose time this loop sets.
    ledger_grid : TimeGrid
        The market day as the ledger dates it.
    state : ContractSide
        Weights and the plant at the day's beginning, and at its end afterwards.
    """

    def __init__(
        self,
        *,
        shards: Shards,
        data: FleetData,
        fleet: Fleet,
        rules: Rules,
        ledger: LoopLedger | None,
        clock: TimeMachine | None,
        ledger_grid: TimeGrid,
        state: ContractSide,
    ) -> None:
        self._shards, self._parts = shards, shards.parts
        self._data, self._fleet, self._rules, self._state = data, fleet, rules, state
        self._minutes = ledger_grid.count * rules.interval_s // MINUTE_S
        day = slice(data.day_start_minute, data.day_start_minute + self._minutes)
        self._plant_w = data.plant_pv_w[day] + data.plant_wind_w[day]
        self._exchange: Exchange | None = None
        if ledger is not None and clock is not None:
            self._exchange = Exchange(
                fleet=fleet,
                rules=rules,
                ledger=ledger,
                clock=clock,
                grid=ledger_grid,
                state=state,
                day=local_date(data.market_grid).toordinal(),
                plant_w=self._plant_w,
            )
        self.schedule_changed()

    def schedule_changed(self) -> None:
        """Let the homes go by what is published now, from the next interval on."""
        self._schedule = self._exchange.schedule() if self._exchange else None

    @property
    def stored_wh(self) -> FloatArray:
        """Return the energy in the cells as it is when ``tick`` is called at a stop. [Wh]"""
        stored_wh: FloatArray = np.concatenate(self._shards.each("stored_wh"))
        return stored_wh

    def run(
        self, tick: Callable[[int], None] = lambda _: None, *, stops: Iterable[int] = ()
    ) -> DayOutcome:
        """Live through the day.

        Parameters
        ----------
        tick : Callable[[int], None]
            Called after each minute with the minutes done, for a progress bar, or for what else
            happens on the ledger: it may set the clock to that minute. Homes live from one t_sc to
            the next before the minutes between are told.
        stops : Iterable[int]
            Minutes at which no home has lived further when they are told.
        """
        self._begin()
        heard: Heard | None = None
        minute = 0
        for mark in self._marks(stops):
            heard = self._live(heard, minute, mark, tick)
            minute = mark
        if self._exchange is not None:
            heard = heard or self._exchange.finish()
        decided: list[Decided] = self._shards.each("finish", self._heard(heard))
        return self._outcome(decided)

    def _marks(self, stops: Iterable[int]) -> list[int]:
        """Return the minutes up to which homes live on their own."""
        latency = -(-self._rules.disturbances.latency_s // MINUTE_S)
        reports = range(0, self._minutes + 1, self._rules.report_s // MINUTE_S)
        wanted = {*reports, *(minute + latency for minute in reports), *stops}
        return sorted(minute for minute in wanted if 0 <= minute <= self._minutes)

    def _live(
        self, heard: Heard | None, minute: int, mark: int, tick: Callable[[int], None]
    ) -> Heard | None:
        """Live up to a mark and do what is due there; return what came back of an exchange."""
        exchange = self._exchange
        silent = exchange.silent(mark) if exchange else None
        late = exchange is not None and exchange.is_due(mark)
        # What is late arrives before the next report is made.
        said = self._advance(heard, mark, None if late else silent)
        for done in range(minute + 1, mark + 1):
            tick(done)
        if exchange is None:
            return None
        back = exchange.arrive(mark)
        if silent is not None:
            if late:
                said = self._advance(back, mark, silent)
            exchange.send(mark, said)
            back = exchange.arrive(mark)
        exchange.lapse(mark)
        return back

    def _begin(self) -> None:
        data = self._data
        offline = (
            self._exchange.offline if self._exchange else np.zeros(self._fleet.homes, np.bool_)
        )
        self._shards.each(
            "begin",
            [
                Morning(
                    import_price_per_mwh=data.import_price_per_mwh,
                    export_price_per_mwh=data.day_ahead_price_per_mwh,
                    schedule=self._schedule,
                    plant_power_w=self._state.plant_power_w,
                    offline=offline[part.start : part.stop],
                )
                for part in self._parts
            ],
        )

    def _advance(self, heard: Heard | None, until: int, silent: BoolArray | None) -> Said:
        """Let all homes hear, live on, and report if reports are due."""
        orders = [
            Orders(
                heard=each,
                schedule=self._schedule,
                until=until,
                silent=None if silent is None else silent[part.start : part.stop],
            )
            for each, part in zip(self._heard(heard), self._parts, strict=True)
        ]
        said: list[Said] = [each for each in self._shards.each("advance", orders) if each]
        nothing = [np.zeros(0, dtype=np.int64)]
        return Said(
            due_wh=np.concatenate([each.due_wh for each in said] or nothing),
            soc_bp=np.concatenate([each.soc_bp for each in said] or nothing),
        )

    def _heard(self, heard: Heard | None) -> list[Heard | None]:
        """Return what each shard hears of what came back."""
        return [None if heard is None else _part(heard, part) for part in self._parts]

    def _outcome(self, decided: Sequence[Decided]) -> DayOutcome:
        exchange = self._exchange
        counts = exchange.counts if exchange else Counts(refusals=[], gas_used=None)
        known = counts.reports and counts.gas_used is not None
        return DayOutcome(
            plant_w=self._plant_w,
            reports=counts.reports,
            refusals=tuple(counts.refusals),
            lost_reports=counts.lost,
            offline_homes=int(exchange.offline.sum()) if exchange else 0,
            gas_per_report=(counts.gas_used or 0) / counts.reports if known else None,
            decisions=sum(each.decisions for each in decided),
            proved_decisions=sum(each.proved for each in decided),
            cap_excess_wh=float(np.concatenate([each.cap_excess_wh for each in decided]).sum()),
        )


def _part(heard: Heard, part: range) -> Heard:
    """Return what some homes hear of what came back."""
    homes, refused, answers = slice(part.start, part.stop), heard.refused, heard.answers
    return Heard(
        refused=refused[(refused >= part.start) & (refused < part.stop)] - part.start,
        plant_power_w=heard.plant_power_w,
        answers=answers
        and Answered(
            remaining_export_wh=answers.remaining_export_wh[homes],
            export_weight_ppb=answers.export_weight_ppb[homes],
            import_weight_ppb=answers.import_weight_ppb[homes],
            answered_s=answers.answered_s,
        ),
    )
