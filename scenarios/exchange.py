"""What passes between the members of a fleet and its contract: reports there, answers back."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from contracts.chain import TimeMachine
from contracts.errors import LedgerError
from contracts.fleet_arrays import Answers, ArrayLedger, FleetReport
from contracts.ledger import FleetLedger
from contracts.promise import SOC_BP_MAX, WEIGHT_PPB, Schedule
from contracts.timegrid import TimeGrid
from devices.arrays import BoolArray, FloatArray, IntArray
from hems.see import owed_export_wh, unreported_wh
from scenarios.data.fleet_data import MINUTE_S
from scenarios.fleet import Fleet, Rules
from scenarios.fleet_state import FleetState


class LoopLedger(FleetLedger, ArrayLedger, Protocol):
    """The ledger as a simulation needs it."""


@dataclass(slots=True, kw_only=True)
class Counts:
    """What became of the reports of a day."""

    reports: int = 0
    """Reports that the contract took."""
    refusals: list[str]
    """Why it refused others."""
    lost: int = 0
    """Exchanges that failed on the way."""
    gas_used: int | None = 0
    """What the reports paid; None once a chain does not count truly. [gas]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sent:
    """Reports on their way."""

    minute: int
    """When they were made."""
    members: IntArray
    """Whose they are; the plant is the last member."""
    report: FleetReport
    """What they say."""
    net_export_wh: FloatArray
    """What the members' meters showed, shape (members,). [Wh]"""
    at_answer_wh: FloatArray
    """What the members' answers knew of before, shape (members,). [Wh]"""


class Exchange:
    """One day of reports and answers, with what the rules let go wrong.

    Parameters
    ----------
    fleet : Fleet
        Who reports.
    rules : Rules
        Cycles and disturbances.
    ledger : LoopLedger
        Takes reports and answers them; the day's schedule is published.
    clock : TimeMachine
        The ledger's chain.
    grid : TimeGrid
        The market day as the ledger dates it.
    state : FleetState
        Meters and answers; changed as the day goes on.
    day : int
        Ordinal of the day, which picks the draws.
    """

    def __init__(
        self,
        *,
        fleet: Fleet,
        rules: Rules,
        ledger: LoopLedger,
        clock: TimeMachine,
        grid: TimeGrid,
        state: FleetState,
        day: int,
    ) -> None:
        self._fleet, self._rules, self._ledger, self._clock = fleet, rules, ledger, clock
        self._grid, self._state, self._day = grid, state, day
        self._schedule: Schedule = ledger.schedule(grid)
        self._on_the_way: _Sent | None = None
        self._remaining_wh = np.zeros(fleet.homes)
        self._answered_s = np.zeros(fleet.homes)
        self._plant_wh: dict[int, int] = {}
        self._everybody = np.arange(fleet.homes + 1)
        disturbed = rules.disturbances
        self.offline = disturbed.offline(seed=rules.seed, day=day, homes=fleet.homes)
        self.counts = Counts(refusals=[])

    def step(self, minute: int, stored_wh: FloatArray) -> None:
        """Do what is due at the beginning of a minute, or at the end of the day."""
        now_s, interval_s = minute * MINUTE_S, self._rules.interval_s
        self._arrive(minute)
        begins = now_s % interval_s == 0 and now_s < self._grid.count * interval_s
        if now_s % self._rules.report_s == 0:
            self._send(minute, stored_wh, old_interval=begins)
        if begins:
            self._begin_interval(now_s // interval_s)
        self._arrive(minute)
        if now_s == interval_s + self._rules.report_s:
            self._lapse(now_s)

    def finish(self, stored_wh: FloatArray) -> None:
        """Report for the last time of the day, and give up what offline homes never reported."""
        minutes = self._grid.count * self._rules.interval_s // MINUTE_S
        self.step(minutes, stored_wh)
        self._arrive(minutes + self._rules.report_s // MINUTE_S)
        away = np.append(self.offline, False)  # the plant is never away
        state = self._state
        state.reported_wh[away] += unreported_wh(state.net_export_wh, state.reported_wh)[away]
        state.at_answer_wh[away] = state.net_export_wh[away]

    def owed_wh(self, minute: int) -> FloatArray:
        """Return RE^{t,k} of every home as it knows it, shape (homes,). [Wh]"""
        state, slot = self._state, minute * MINUTE_S // self._rules.interval_s
        ahead_s = self._rules.interval_s - self._answered_s
        plant_w = state.plant_power_w if self._rules.anticipate_plant else 0.0
        return owed_export_wh(
            remaining_export_wh=self._remaining_wh,
            export_weight=state.export_weight,
            import_weight=state.import_weight,
            exported_since_wh=(state.net_export_wh - state.at_answer_wh)[:-1],
            promised=self._schedule.commitment_wh[slot] > 0,
            steered=self._schedule.steered[slot],
            unsteered_wh=plant_w * ahead_s / 3600,
        )

    def steered(self, minute: int) -> BoolArray:
        """Return S^t at a minute, shape (homes,)."""
        slot = minute * MINUTE_S // self._rules.interval_s
        return np.full(self._fleet.homes, self._schedule.steered[slot])

    def soc_target(self, minute: int) -> FloatArray:
        """Return SoC^{t,A} at a minute, shape (homes,), 0..1."""
        slot = minute * MINUTE_S // self._rules.interval_s
        return np.full(self._fleet.homes, self._schedule.soc_bp[slot] / SOC_BP_MAX)

    def _send(self, minute: int, stored_wh: FloatArray, *, old_interval: bool) -> None:
        """Make the reports of everybody whose exchange will not fail."""
        rules, state, fleet = self._rules, self._state, self._fleet
        lost = rules.disturbances.lost(
            seed=rules.seed, day=self._day, minute=minute, homes=fleet.homes
        )
        lost &= ~self.offline
        self.counts.lost += int(lost.sum())
        silent = lost | self.offline
        members = self._everybody
        if silent.any():
            members = np.append(np.flatnonzero(~silent), fleet.homes)
        soc_bp = np.rint(stored_wh / fleet.bank.capacity_wh * SOC_BP_MAX).astype(np.int64)
        due_wh = unreported_wh(state.net_export_wh, state.reported_wh)
        now_s = minute * MINUTE_S
        self._on_the_way = _Sent(
            minute=minute,
            members=members,
            report=FleetReport(
                accounts=self._accounts(members),
                # Energy up to now belongs to the interval that ends now, if one does.
                interval=self._grid.first_interval + max(now_s - 1, 0) // rules.interval_s,
                net_export_wh=due_wh[members],
                soc_bp=np.append(soc_bp, 0)[members],
            ),
            net_export_wh=state.net_export_wh[members],
            at_answer_wh=state.at_answer_wh[members],
        )
        if old_interval:
            # What is on its way is the old interval's: nothing of it is exported in the new one.
            state.at_answer_wh[members] = state.net_export_wh[members]

    def _arrive(self, minute: int) -> None:
        """Hand reports to the contract that have been on their way for long enough."""
        sent, latency_s = self._on_the_way, self._rules.disturbances.latency_s
        if sent is None or sent.minute * MINUTE_S + latency_s > minute * MINUTE_S:
            return
        self._on_the_way = None
        start_s = int(self._grid.start.timestamp())
        self._clock.set_time(start_s + sent.minute * MINUTE_S + latency_s)
        outcomes = self._ledger.report_arrays(sent.report)
        self._take(sent, outcomes.refusals)
        self._count_gas(outcomes.gas_used)
        state = self._state
        if sent.minute:
            state.plant_power_w = self._plant_power_w(sent.report.interval)
        if minute * MINUTE_S < self._grid.count * self._rules.interval_s:
            self._answer(sent, minute)

    def _take(self, sent: _Sent, refusals: dict[int, LedgerError]) -> None:
        """Count what the contract took, and leave what it refused to the next report."""
        state = self._state
        taken = np.ones(sent.members.shape[0], dtype=np.bool_)
        taken[list(refusals)] = False
        members, refused = sent.members[taken], sent.members[~taken]
        state.reported_wh[members] += sent.report.net_export_wh[taken]
        state.at_answer_wh[members] = sent.net_export_wh[taken]
        # A refused report's energy is not in the answer: it stays "exported since".
        state.at_answer_wh[refused] = sent.at_answer_wh[~taken]
        state.weighed[members[members < self._fleet.homes]] = True
        self.counts.reports += members.shape[0]
        self.counts.refusals += [str(each) for each in refusals.values()]

    def _answer(self, sent: _Sent, minute: int) -> None:
        """Read what the fleet owes now, for those who reported."""
        slot, homes = minute * MINUTE_S // self._rules.interval_s, sent.members[:-1]
        answers: Answers = self._ledger.coordinate_arrays(
            self._accounts(homes), self._grid.first_interval + slot
        )
        state = self._state
        self._remaining_wh[homes] = answers.remaining_export_wh
        state.export_weight[homes] = answers.export_weight_ppb / WEIGHT_PPB
        state.import_weight[homes] = answers.import_weight_ppb / WEIGHT_PPB
        self._answered_s[homes] = max(sent.minute * MINUTE_S - slot * self._rules.interval_s, 0)

    def _begin_interval(self, slot: int) -> None:
        """Go by the schedule until an answer comes: all that was promised is still owed."""
        self._remaining_wh[:] = self._schedule.commitment_wh[slot]
        self._answered_s[:] = 0.0

    def _lapse(self, now_s: int) -> None:
        """Take the weight of batteries that have been offline since the day began."""
        silent = np.flatnonzero(self.offline & self._state.weighed).tolist()
        if silent:
            self._clock.set_time(int(self._grid.start.timestamp()) + now_s)
        for home in silent:
            self._ledger.lapse(self._fleet.accounts[home])
            self._state.weighed[home] = False

    def _plant_power_w(self, interval: int) -> float:
        """Return the plant's mean export since the last t_sc, from the ledger. [W]"""
        recorded_wh = self._ledger.export_wh(self._fleet.accounts[-1], interval)
        before_wh = self._plant_wh.get(interval, 0)
        self._plant_wh = {interval: recorded_wh}
        return (recorded_wh - before_wh) * 3600 / self._rules.report_s

    def _count_gas(self, gas_used: int | None) -> None:
        total = self.counts.gas_used
        self.counts.gas_used = None if total is None or gas_used is None else total + gas_used

    def _accounts(self, members: IntArray) -> Sequence[str]:
        accounts = self._fleet.accounts
        if members.shape[0] == len(accounts):
            return accounts
        return [accounts[member] for member in members.tolist()]
