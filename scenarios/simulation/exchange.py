"""What passes between the members of a fleet and its contract: reports there, answers back."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from contracts.chain import TimeMachine
from contracts.errors import LedgerError
from contracts.fleet_arrays import Answers, ArrayLedger, FleetReport
from contracts.ledger import FleetLedger
from contracts.promise import Schedule
from contracts.timegrid import TimeGrid
from devices.arrays import BoolArray, FloatArray, IntArray
from scenarios.data.fleet_data import MINUTE_S
from scenarios.simulation.correspondence import Answered, Heard, Said
from scenarios.simulation.fleet import Fleet, Rules
from scenarios.simulation.fleet_state import ContractSide


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
    state : ContractSide
        Weights and the plant; changed as the day goes on.
    day : int
        Ordinal of the day, which picks the draws.
    plant_w : FloatArray, shape (minutes,)
        Export of the plant. [W]
    """

    def __init__(
        self,
        *,
        fleet: Fleet,
        rules: Rules,
        ledger: LoopLedger,
        clock: TimeMachine,
        grid: TimeGrid,
        state: ContractSide,
        day: int,
        plant_w: FloatArray,
    ) -> None:
        self._fleet, self._rules, self._ledger, self._clock = fleet, rules, ledger, clock
        self._grid, self._state, self._day = grid, state, day
        self._plant_w, self._metered = plant_w, 0
        self._on_the_way: _Sent | None = None
        self._silent = np.zeros(fleet.homes, dtype=np.bool_)
        self._plant_wh: dict[int, int] = {}
        self._everybody = np.arange(fleet.homes + 1)
        disturbed = rules.disturbances
        self.offline: BoolArray = disturbed.offline(seed=rules.seed, day=day, homes=fleet.homes)
        """Who has no connection today, shape (homes,)."""
        self.counts = Counts(refusals=[])
        """What became of the reports so far."""

    def schedule(self) -> Schedule:
        """Return what is published for the day now."""
        return self._ledger.schedule(self._grid)

    def silent(self, minute: int) -> BoolArray | None:
        """Return whose report at a minute does not go out, None where none is due."""
        rules, fleet = self._rules, self._fleet
        if minute * MINUTE_S % rules.report_s:
            return None
        lost = rules.disturbances.lost(
            seed=rules.seed, day=self._day, minute=minute, homes=fleet.homes
        )
        lost &= ~self.offline
        self.counts.lost += int(lost.sum())
        self._silent = lost | self.offline
        return self._silent

    def send(self, minute: int, said: Said) -> None:
        """Let the reports of everybody go out whose exchange will not fail."""
        state, members = self._state, self._everybody
        if self._silent.any():
            members = np.append(np.flatnonzero(~self._silent), self._fleet.homes)
        for power_w in self._plant_w[self._metered : minute].tolist():
            state.plant_net_export_wh += power_w * (MINUTE_S / 3600)
        self._metered = minute
        plant_due_wh = round(state.plant_net_export_wh) - state.plant_reported_wh
        self._on_the_way = _Sent(
            minute=minute,
            members=members,
            report=FleetReport(
                accounts=self._accounts(members),
                # Energy up to now belongs to the interval that ends now, if one does.
                interval=self._grid.first_interval
                + max(minute * MINUTE_S - 1, 0) // self._rules.interval_s,
                net_export_wh=np.append(said.due_wh, plant_due_wh)[members],
                soc_bp=np.append(said.soc_bp, 0)[members],
            ),
        )

    def is_due(self, minute: int) -> bool:
        """Return whether reports that are on their way have arrived by a minute."""
        sent, latency_s = self._on_the_way, self._rules.disturbances.latency_s
        return sent is not None and sent.minute * MINUTE_S + latency_s <= minute * MINUTE_S

    def arrive(self, minute: int) -> Heard | None:
        """Hand what has arrived to the contract; return what came back, None if nothing has."""
        sent = self._on_the_way
        if sent is None or not self.is_due(minute):
            return None
        self._on_the_way = None
        start_s, latency_s = int(self._grid.start.timestamp()), self._rules.disturbances.latency_s
        self._clock.set_time(start_s + sent.minute * MINUTE_S + latency_s)
        outcomes = self._ledger.report_arrays(sent.report)
        refused = self._take(sent, outcomes.refusals)
        self._count_gas(outcomes.gas_used)
        if sent.minute:
            self._state.plant_power_w = self._plant_power_w(sent.report.interval)
        goes_on = minute * MINUTE_S < self._grid.count * self._rules.interval_s
        return Heard(
            refused=refused,
            plant_power_w=self._state.plant_power_w,
            answers=self._answers(sent, minute) if goes_on else None,
        )

    def finish(self) -> Heard | None:
        """Wait for what is still on its way when the day is over."""
        minutes = self._grid.count * self._rules.interval_s // MINUTE_S
        return self.arrive(minutes + self._rules.report_s // MINUTE_S)

    def lapse(self, minute: int) -> None:
        """Take, one t_sc into the second interval, the weight of batteries offline since before."""
        now_s = minute * MINUTE_S
        if now_s != self._rules.interval_s + self._rules.report_s:
            return
        silent = np.flatnonzero(self.offline & self._state.weighed).tolist()
        if silent:
            self._clock.set_time(int(self._grid.start.timestamp()) + now_s)
        for home in silent:
            self._ledger.lapse(self._fleet.accounts[home])
            self._state.weighed[home] = False

    def _take(self, sent: _Sent, refusals: dict[int, LedgerError]) -> IntArray:
        """Count what the contract took; return which homes' reports it refused."""
        state, homes = self._state, self._fleet.homes
        taken = np.ones(sent.members.shape[0], dtype=np.bool_)
        taken[list(refusals)] = False
        members, refused = sent.members[taken], sent.members[~taken]
        if taken[-1]:
            state.plant_reported_wh += int(sent.report.net_export_wh[-1])
        state.weighed[members[members < homes]] = True
        self.counts.reports += members.shape[0]
        self.counts.refusals += [str(each) for each in refusals.values()]
        return refused[refused < homes]

    def _answers(self, sent: _Sent, minute: int) -> Answered:
        """Read what the fleet owes now, for those who reported."""
        slot, homes = minute * MINUTE_S // self._rules.interval_s, sent.members[:-1]
        answers: Answers = self._ledger.coordinate_arrays(
            self._accounts(homes), self._grid.first_interval + slot
        )

        def of_all(values: IntArray) -> IntArray:
            spread = np.zeros(self._fleet.homes, dtype=np.int64)
            spread[homes] = values
            return spread

        return Answered(
            remaining_export_wh=of_all(answers.remaining_export_wh),
            export_weight_ppb=of_all(answers.export_weight_ppb),
            import_weight_ppb=of_all(answers.import_weight_ppb),
            answered_s=float(max(sent.minute * MINUTE_S - slot * self._rules.interval_s, 0)),
        )

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
