"""The day in simulated time: homes decide by the minute and report through the real contract.

Per minute, in this order: at a t_sc the members report what they did and are told what the fleet
owes; at a t_j the homes decide; then the minute passes: batteries follow or hold, meters count.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from contracts.chain import Receipt, TimeMachine
from contracts.errors import LedgerError
from contracts.ledger import FleetLedger
from contracts.promise import SOC_BP_MAX, WEIGHT_PPB, Coordination, Report
from contracts.timegrid import TimeGrid
from devices.arrays import FloatArray, IntArray
from hems.controller import Controller, Decision, Observation, set_point_w
from hems.forecast import QUARTER_S, LinearForecaster, quarter_means_w
from hems.see import blocks_ahead_s, expected_w, owed_export_wh, unreported_wh
from scenarios.data.fleet_data import MINUTE_S, FleetData
from scenarios.fleet import Fleet, Rules


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
    gas_per_report: float | None
    """Mean gas of a report; None on a chain that does not count gas truly."""
    decisions: int
    """Decisions of homes."""
    proved_decisions: int
    """Those that were proved optimal."""
    cap_excess_wh: float
    """Energy by which decided plans exceeded grid caps. [Wh]"""


@dataclass(slots=True, kw_only=True)
class _Meters:
    """Running state of the members between two reports; arrays hold the plant last."""

    net_export_wh: FloatArray
    reported_wh: IntArray
    at_answer_wh: FloatArray
    answers: list[Coordination]
    plant_export_wh: dict[int, int]
    plant_power_w: float

    @classmethod
    def fresh(cls, members: int) -> "_Meters":
        return cls(
            net_export_wh=np.zeros(members),
            reported_wh=np.zeros(members, dtype=np.int64),
            at_answer_wh=np.zeros(members),
            answers=[],
            plant_export_wh={},
            plant_power_w=0.0,
        )


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
    ledger : FleetLedger
        Takes reports and answers them; the fleet is enrolled and the schedule published.
    clock : TimeMachine
        The ledger's chain, whose time this loop sets.
    ledger_grid : TimeGrid
        The market day as the ledger dates it.
    """

    def __init__(
        self,
        *,
        data: FleetData,
        fleet: Fleet,
        rules: Rules,
        controller: Controller,
        ledger: FleetLedger,
        clock: TimeMachine,
        ledger_grid: TimeGrid,
    ) -> None:
        self._data, self._fleet, self._rules = data, fleet, rules
        self._controller, self._ledger, self._clock = controller, ledger, clock
        self._ledger_grid = ledger_grid
        self._forecaster = LinearForecaster()
        self._minutes = ledger_grid.count * rules.interval_s // MINUTE_S
        day = slice(data.day_start_minute, data.day_start_minute + self._minutes)
        self._load_w, self._pv_w = data.load_w[:, day], data.pv_w[:, day]
        self._plant_w = data.plant_pv_w[day] + data.plant_wind_w[day]
        self._meters = _Meters.fresh(fleet.homes + 1)
        self._expected: tuple[FloatArray, FloatArray] = (np.empty(0), np.empty(0))
        self._receipts: list[Receipt] = []
        self._refusals: list[str] = []
        self._decided: list[tuple[int, float]] = []

    def run(self, tick: Callable[[int], None] = lambda _: None) -> DayTrace:
        """Live through the day.

        Parameters
        ----------
        tick : Callable[[int], None]
            Called after each minute with the minutes done, for a progress bar.

        Returns
        -------
        DayTrace
            Everything that happened.
        """
        homes = self._fleet.homes
        stored_wh = np.empty((homes, self._minutes + 1))
        stored_wh[:, 0] = self._rules.soc_start * self._fleet.bank.capacity_wh
        battery_w = np.empty((homes, self._minutes))
        grid_w = np.empty((homes, self._minutes))
        decision: Decision | None = None
        for minute in range(self._minutes):
            now_wh = stored_wh[:, minute]
            if minute * MINUTE_S % self._rules.report_s == 0:
                self._report(minute, now_wh)
            if decision is None or minute * MINUTE_S % self._rules.decide_s == 0:
                decision = self._decide(minute, now_wh)
            wanted_w = set_point_w(decision, self._load_w[:, minute], self._pv_w[:, minute])
            stored_wh[:, minute + 1], battery_w[:, minute] = self._fleet.bank.advance(
                now_wh, wanted_w, MINUTE_S
            )
            grid_w[:, minute] = (
                self._load_w[:, minute] + battery_w[:, minute] - self._pv_w[:, minute]
            )
            self._count(minute, grid_w[:, minute])
            tick(minute + 1)
        self._report(self._minutes, stored_wh[:, -1])
        return self._trace(stored_wh, battery_w, grid_w)

    def _count(self, minute: int, grid_w: FloatArray) -> None:
        """Add one minute to every member's meter."""
        self._meters.net_export_wh[:-1] -= grid_w * (MINUTE_S / 3600)
        self._meters.net_export_wh[-1] += self._plant_w[minute] * (MINUTE_S / 3600)

    def _report(self, minute: int, stored_wh: FloatArray) -> None:
        """Report what was done since the last t_sc, then read what the fleet owes."""
        meters, interval_s = self._meters, self._rules.interval_s
        now_s = minute * MINUTE_S
        first = self._ledger_grid.first_interval
        # Energy up to now belongs to the interval that ends now, if one does.
        past = first + max(now_s - 1, 0) // interval_s
        due_wh = unreported_wh(meters.net_export_wh, meters.reported_wh)
        soc_bp = np.rint(stored_wh / self._fleet.bank.capacity_wh * SOC_BP_MAX).astype(int)
        reports = [
            Report(account=account, interval=past, net_export_wh=int(wh), soc_bp=int(bp))
            for account, wh, bp in zip(self._fleet.accounts, due_wh, [*soc_bp, 0], strict=True)
        ]
        self._clock.set_time(int(self._ledger_grid.start.timestamp()) + now_s)
        for member, outcome in enumerate(self._ledger.report_all(reports)):
            if isinstance(outcome, LedgerError):
                self._refusals.append(str(outcome))
            else:
                self._receipts.append(outcome)
                meters.reported_wh[member] += due_wh[member]
                # a refused report's energy is not in the answer: it stays "exported since"
                meters.at_answer_wh[member] = meters.net_export_wh[member]
        if minute < self._minutes:
            homes = self._fleet.accounts[:-1]
            meters.answers = self._ledger.coordinate(homes, first + now_s // interval_s)
            meters.plant_power_w = self._plant_power_w(minute, past)

    def _plant_power_w(self, minute: int, interval: int) -> float:
        """Return the plant's mean export since the last t_sc, from the ledger. [W]"""
        if minute == 0:
            return 0.0
        recorded_wh = self._ledger.export_wh(self._fleet.accounts[-1], interval)
        before_wh = self._meters.plant_export_wh.get(interval, 0)
        self._meters.plant_export_wh = {interval: recorded_wh}
        return (recorded_wh - before_wh) * 3600 / self._rules.report_s

    def _decide(self, minute: int, stored_wh: FloatArray) -> Decision:
        """Let every home see, then decide."""
        decision = self._controller.decide(self._see(minute, stored_wh))
        self._decided.append((int(decision.proved.sum()), float(decision.cap_excess_wh.sum())))
        return decision

    def _see(self, minute: int, stored_wh: FloatArray) -> Observation:
        """Put together what the homes know at the beginning of a minute."""
        elapsed_s = minute * MINUTE_S % self._rules.interval_s
        slot = minute * MINUTE_S // self._rules.interval_s
        block_s = blocks_ahead_s(elapsed_s, self._rules.interval_s, self._rules.decide_s)
        load_w, pv_w = self._expect(minute, elapsed_s, block_s)
        answers, meters = self._meters.answers, self._meters
        owed_wh = owed_export_wh(
            remaining_export_wh=_column([a.remaining_export_wh for a in answers]),
            export_weight=_column([a.export_weight_ppb for a in answers]) / WEIGHT_PPB,
            import_weight=_column([a.import_weight_ppb for a in answers]) / WEIGHT_PPB,
            exported_since_wh=(meters.net_export_wh - meters.at_answer_wh)[:-1],
            promised=answers[0].commitment_wh > 0,
            steered=answers[0].steered,
            unsteered_wh=self._unsteered_wh(elapsed_s),
        )
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
            remaining_export_wh=owed_wh,
            steered=np.array([a.steered for a in answers]),
            soc_target=_column([a.soc_bp for a in answers]) / SOC_BP_MAX,
        )

    def _unsteered_wh(self, elapsed_s: int) -> float:
        """Return what the plant is expected to add to the last answer's RE, by persistence. [Wh]"""
        if not self._rules.anticipate_plant:
            return 0.0
        answered_s = elapsed_s - elapsed_s % self._rules.report_s
        return self._meters.plant_power_w * (self._rules.interval_s - answered_s) / 3600

    def _expect(
        self, minute: int, elapsed_s: int, block_s: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Return expected load and production by block, from what meters showed until now."""
        now = self._data.day_start_minute + minute
        if minute * MINUTE_S % QUARTER_S < self._rules.decide_s:
            quarters = max(1, self._rules.interval_s // QUARTER_S)
            self._expected = (
                self._forecaster.forecast(_past_quarters(self._data.load_w, now), quarters),
                self._forecaster.forecast(_past_quarters(self._data.pv_w, now), quarters),
            )
        last = max(now - 1, 0)
        measured = (self._data.load_w[:, last], self._data.pv_w[:, last])
        load_w, pv_w = (
            expected_w(now_w, ahead_w, elapsed_s=elapsed_s, block_s=block_s)
            for now_w, ahead_w in zip(measured, self._expected, strict=True)
        )
        return load_w, pv_w

    def _trace(self, stored_wh: FloatArray, battery_w: FloatArray, grid_w: FloatArray) -> DayTrace:
        gas = [receipt.gas_used for receipt in self._receipts if receipt.gas_used is not None]
        return DayTrace(
            battery_power_w=battery_w,
            stored_wh=stored_wh,
            grid_power_w=grid_w,
            plant_w=self._plant_w,
            reports=len(self._receipts),
            refusals=tuple(self._refusals),
            gas_per_report=sum(gas) / len(gas) if gas else None,
            decisions=len(self._decided) * self._fleet.homes,
            proved_decisions=sum(proved for proved, _ in self._decided),
            cap_excess_wh=sum(excess for _, excess in self._decided),
        )


def _column(values: list[int]) -> FloatArray:
    return np.array(values, dtype=np.float64)


def _past_quarters(minutes_w: FloatArray, now: int) -> FloatArray:
    """Return the means of whole quarter-hours before minute ``now``; a lone reading if none is."""
    until = now - now % 15
    if until < 15:
        return minutes_w[:, max(now - 1, 0) : max(now, 1)]
    return quarter_means_w(minutes_w[:, :until])
