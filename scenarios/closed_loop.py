"""The day in simulated time: homes decide by the minute and report through the real contract.

Per minute, in this order: at a t_sc the members report what they did and are told what the fleet
owes; at a t_j the homes decide; then the minute passes: batteries follow or hold, meters count.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from contracts.chain import TimeMachine
from contracts.timegrid import TimeGrid
from devices.arrays import FloatArray
from hems.controller import Controller, Decision, Observation, set_point_w
from hems.forecast import QUARTER_S, LinearForecaster
from hems.see import blocks_ahead_s, expected_w
from scenarios.data.fleet_data import MINUTE_S, FleetData
from scenarios.exchange import Exchange, LoopLedger
from scenarios.fleet import Fleet, Rules
from scenarios.fleet_state import FleetState
from scenarios.past import Measured, Past
from scenarios.report.clock import local_date


@dataclass(frozen=True, slots=True, kw_only=True)
class DayTrace:
    """What happened in a simulated day, minute by minute."""

    battery_power_w: FloatArray
    """Terminal power, > 0 charges, shape (homes, minutes). [W]"""
    stored_wh: FloatArray
    """Energy in the cells at each minute's beginning and at the end, (homes, minutes + 1). [Wh]"""
    grid_power_w: FloatArray
    """Power at the homes' meters, > 0 imports, shape (homes, minutes). [W]"""
    plant_w: FloatArray
    """Export of the aggregator's plant, shape (minutes,). [W]"""
    reports: int
    """Reports that the contract took."""
    refusals: tuple[str, ...]
    """Reports that it refused, with the reason; their energy went into the next report."""
    lost_reports: int
    """Reports that were lost on their way; their energy went into the next one, too."""
    offline_homes: int
    """Homes that had no connection."""
    gas_per_report: float | None
    """Mean gas of a report; None on a chain that does not count gas truly."""
    decisions: int
    """Decisions of homes."""
    proved_decisions: int
    """Those that were proved optimal."""
    cap_excess_wh: float
    """Energy by which decided plans exceeded grid caps. [Wh]"""


class ClosedLoop:
    """One market day of a fleet: plant model, home controllers and the ledger between them.

    Parameters
    ----------
    data : FleetData
        Load, production and prices of the day and of the history before it.
    fleet : Fleet
        Batteries, connections and accounts.
    rules : Rules
        Cycles and start values.
    controller : Controller
        Decides for all homes.
    ledger : LoopLedger
        Takes reports and answers them; the fleet is enrolled and the schedule published.
    clock : TimeMachine
        The ledger's chain, whose time this loop sets.
    ledger_grid : TimeGrid
        The market day as the ledger dates it.
    state : FleetState, optional
        Where the fleet is at the day's beginning, and at its end afterwards; without, it never
        reported, remembers the history in ``data``, and its batteries are as the rules say.
    """

    def __init__(
        self,
        *,
        data: FleetData,
        fleet: Fleet,
        rules: Rules,
        controller: Controller,
        ledger: LoopLedger,
        clock: TimeMachine,
        ledger_grid: TimeGrid,
        state: FleetState | None = None,
    ) -> None:
        self._data, self._fleet, self._rules = data, fleet, rules
        self._controller = controller
        self._forecaster = LinearForecaster()
        self._minutes = ledger_grid.count * rules.interval_s // MINUTE_S
        day = slice(data.day_start_minute, data.day_start_minute + self._minutes)
        self._plant_w = data.plant_pv_w[day] + data.plant_wind_w[day]
        self._state = state or FleetState.fresh(
            stored_wh=rules.soc_start * fleet.bank.capacity_wh, past=Past.before(data)
        )
        past = self._state.past
        self._load = Measured.of(data.load_w[:, day], past.load_w, past.last_load_w)
        self._pv = Measured.of(data.pv_w[:, day], past.pv_w, past.last_pv_w)
        self._exchange = Exchange(
            fleet=fleet,
            rules=rules,
            ledger=ledger,
            clock=clock,
            grid=ledger_grid,
            state=self._state,
            day=local_date(data.market_grid).toordinal(),
        )
        self._expected: tuple[FloatArray, FloatArray] = (np.empty(0), np.empty(0))
        self._decided: list[tuple[int, float]] = []
        self.stored_wh = self._state.stored_wh
        """Energy in the cells after the last minute that was lived, shape (homes,). [Wh]"""

    def run(self, tick: Callable[[int], None] = lambda _: None) -> DayTrace:
        """Live through the day.

        Parameters
        ----------
        tick : Callable[[int], None]
            Called after each minute with the minutes done, for a progress bar, or for what else
            happens on the ledger: it may set the clock to that minute.

        Returns
        -------
        DayTrace
            Everything that happened.
        """
        homes = self._fleet.homes
        # Laid out minute by minute, as they are written; a city's columns would miss every cache.
        stored_wh = np.empty((self._minutes + 1, homes)).T
        stored_wh[:, 0] = self._state.stored_wh
        battery_w = np.empty((self._minutes, homes)).T
        grid_w = np.empty((self._minutes, homes)).T
        decision: Decision | None = None
        for minute in range(self._minutes):
            now_wh = stored_wh[:, minute]
            self._exchange.step(minute, now_wh)
            if decision is None or minute * MINUTE_S % self._rules.decide_s == 0:
                decision = self._decide(minute, now_wh)
            load_w, pv_w = self._load.minutes_w[:, minute], self._pv.minutes_w[:, minute]
            wanted_w = self._rules.disturbances.limited_w(set_point_w(decision, load_w, pv_w))
            stored_wh[:, minute + 1], battery_w[:, minute] = self._fleet.bank.advance(
                now_wh, wanted_w, MINUTE_S
            )
            grid_w[:, minute] = load_w + battery_w[:, minute] - pv_w
            self._count(minute, grid_w[:, minute])
            self.stored_wh = stored_wh[:, minute + 1]
            tick(minute + 1)
        self._exchange.finish(stored_wh[:, -1])
        self._state.stored_wh = stored_wh[:, -1].copy()
        return self._trace(stored_wh, battery_w, grid_w)

    def _count(self, minute: int, grid_w: FloatArray) -> None:
        """Add one minute to every member's meter."""
        net_export_wh = self._state.net_export_wh
        net_export_wh[:-1] -= grid_w * (MINUTE_S / 3600)
        net_export_wh[-1] += self._plant_w[minute] * (MINUTE_S / 3600)

    def _decide(self, minute: int, stored_wh: FloatArray) -> Decision:
        """Let every home see, then decide."""
        decision = self._controller.decide(self._see(minute, stored_wh))
        self._decided.append((int(decision.proved.sum()), float(decision.cap_excess_wh.sum())))
        # Without a connection there is no promise to keep: such a home serves itself.
        return replace(decision, follow=decision.follow | self._exchange.offline)

    def _see(self, minute: int, stored_wh: FloatArray) -> Observation:
        """Put together what the homes know at the beginning of a minute."""
        elapsed_s = minute * MINUTE_S % self._rules.interval_s
        slot = minute * MINUTE_S // self._rules.interval_s
        block_s = blocks_ahead_s(elapsed_s, self._rules.interval_s, self._rules.decide_s)
        load_w, pv_w = self._expect(minute, elapsed_s, block_s)
        return Observation(
            bank=self._fleet.bank,
            stored_wh=stored_wh,
            block_s=block_s,
            load_w=load_w,
            pv_w=pv_w,
            import_price_per_mwh=float(self._data.import_price_per_mwh[slot]),
            export_price_per_mwh=float(self._data.day_ahead_price_per_mwh[slot]),
            import_limit_w=self._fleet.connection_w,
            export_limit_w=self._fleet.connection_w,
            remaining_export_wh=self._exchange.owed_wh(minute),
            steered=self._exchange.steered(minute),
            soc_target=self._exchange.soc_target(minute),
        )

    def _expect(
        self, minute: int, elapsed_s: int, block_s: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Return expected load and production by block, from what meters showed until now."""
        if minute * MINUTE_S % QUARTER_S < self._rules.decide_s:
            quarters = max(1, self._rules.interval_s // QUARTER_S)
            self._expected = (
                self._forecaster.forecast(self._load.history_w(minute), quarters),
                self._forecaster.forecast(self._pv.history_w(minute), quarters),
            )
        measured = (self._load.reading_w(minute), self._pv.reading_w(minute))
        load_w, pv_w = (
            expected_w(now_w, ahead_w, elapsed_s=elapsed_s, block_s=block_s)
            for now_w, ahead_w in zip(measured, self._expected, strict=True)
        )
        return load_w, pv_w

    def _trace(self, stored_wh: FloatArray, battery_w: FloatArray, grid_w: FloatArray) -> DayTrace:
        counts = self._exchange.counts
        known = counts.reports and counts.gas_used is not None
        return DayTrace(
            battery_power_w=np.ascontiguousarray(battery_w),
            stored_wh=np.ascontiguousarray(stored_wh),
            grid_power_w=np.ascontiguousarray(grid_w),
            plant_w=self._plant_w,
            reports=counts.reports,
            refusals=tuple(counts.refusals),
            lost_reports=counts.lost,
            offline_homes=int(self._exchange.offline.sum()),
            gas_per_report=(counts.gas_used or 0) / counts.reports if known else None,
            decisions=len(self._decided) * self._fleet.homes,
            proved_decisions=sum(proved for proved, _ in self._decided),
            cap_excess_wh=sum(excess for _, excess in self._decided),
        )
