"""What homes tell the contract and hear of it: the homes' end of `scenarios.simulation.exchange`.

These values are all that passes between a shard of homes and the rest of a simulation while a day
goes on: whole watt-hours and basis points there, the contract's answers back.
"""

from dataclasses import dataclass

import numpy as np

from contracts.promise import SOC_BP_MAX, WEIGHT_PPB, Schedule
from devices.arrays import BoolArray, FloatArray, IntArray
from hems.see import owed_export_wh, unreported_wh
from scenarios.data.fleet_data import MINUTE_S
from scenarios.simulation.fleet import Rules
from scenarios.simulation.fleet_state import HomesState


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What homes would report; arrays have shape (homes,)."""

    due_wh: IntArray
    """Net export that was never reported. [Wh]"""
    soc_bp: IntArray
    """State of charge. [bp]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """The contract's answers; arrays have shape (homes,), of homes that did not ask unused."""

    remaining_export_wh: IntArray
    """RE^{t,A}. [Wh]"""
    export_weight_ppb: IntArray
    """w_e^k. [1e-9]"""
    import_weight_ppb: IntArray
    """w_i^k. [1e-9]"""
    answered_s: float
    """When the answers were true, since the market interval began. [s]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What came back of an exchange."""

    refused: IntArray
    """Whose report was refused, by their place."""
    plant_power_w: float
    """The plant's mean export between its last two reports. [W]"""
    answers: Answered | None
    """What homes owe; None after the day's last report."""


class Correspondence:
    """What homes told the contract and were told by it, over one day.

    Parameters
    ----------
    state : HomesState
        Meters and answers; changed as the day goes on.
    capacity_wh : FloatArray, shape (homes,)
        Of the batteries. [Wh]
    rules : Rules
        Cycles.
    offline : BoolArray, shape (homes,)
        Who has no connection.
    schedule : Schedule or None
        What was published; None where nothing is promised and nobody reports.
    plant_power_w : float
        The plant's mean export between its last two reports. [W]
    """

    def __init__(
        self,
        *,
        state: HomesState,
        capacity_wh: FloatArray,
        rules: Rules,
        offline: BoolArray,
        schedule: Schedule | None,
        plant_power_w: float,
    ) -> None:
        homes = offline.shape[0]
        self._state, self._capacity_wh, self._rules = state, capacity_wh, rules
        self._plant_power_w = plant_power_w
        self._remaining_wh, self._answered_s = np.zeros(homes), np.zeros(homes)
        self._reporting = np.zeros(homes, dtype=np.bool_)
        self._said_wh = np.zeros(homes, dtype=np.int64)
        self._metered_wh = self._known_wh = np.zeros(homes)
        self.offline = offline
        self.schedule = schedule

    def say(self, stored_wh: FloatArray, silent: BoolArray, *, old_interval: bool) -> Said:
        """Make the reports of all homes, of which those of ``silent`` ones do not go out.

        ``old_interval`` says that what is reported belongs to an interval that ends now.
        """
        state = self._state
        due_wh = unreported_wh(state.net_export_wh, state.reported_wh)
        self._said_wh, self._reporting = due_wh, ~silent
        self._metered_wh, self._known_wh = state.net_export_wh.copy(), state.at_answer_wh.copy()
        if old_interval:
            # What is on its way is the old interval's: nothing of it is exported in the new one.
            state.at_answer_wh[self._reporting] = state.net_export_wh[self._reporting]
        soc_bp = np.rint(stored_wh / self._capacity_wh * SOC_BP_MAX).astype(np.int64)
        return Said(due_wh=due_wh, soc_bp=soc_bp)

    def hear(self, heard: Heard) -> None:
        """Count what the contract took, leave what it refused to the next report, and learn."""
        state, taken, refused = self._state, self._reporting.copy(), heard.refused
        taken[refused] = False
        state.reported_wh[taken] += self._said_wh[taken]
        state.at_answer_wh[taken] = self._metered_wh[taken]
        # A refused report's energy is not in the answer: it stays "exported since".
        state.at_answer_wh[refused] = self._known_wh[refused]
        self._plant_power_w = heard.plant_power_w
        answers, asked = heard.answers, self._reporting
        if answers is None:
            return
        self._remaining_wh[asked] = answers.remaining_export_wh[asked]
        state.export_weight[asked] = answers.export_weight_ppb[asked] / WEIGHT_PPB
        state.import_weight[asked] = answers.import_weight_ppb[asked] / WEIGHT_PPB
        self._answered_s[asked] = answers.answered_s

    def begin_interval(self, slot: int) -> None:
        """Go by the schedule until an answer comes: all that was promised is still owed."""
        if self.schedule is not None:
            self._remaining_wh[:] = self.schedule.commitment_wh[slot]
            self._answered_s[:] = 0.0

    def give_up(self) -> None:
        """Let go of what offline homes exported: nobody will ever report it."""
        state, away = self._state, self.offline
        state.reported_wh[away] += unreported_wh(state.net_export_wh, state.reported_wh)[away]
        state.at_answer_wh[away] = state.net_export_wh[away]

    def owed_wh(self, minute: int) -> FloatArray:
        """Return RE^{t,k} of every home as it knows it, shape (homes,). [Wh]"""
        state, schedule, rules = self._state, self.schedule, self._rules
        if schedule is None:
            return np.zeros_like(self._remaining_wh)
        slot = minute * MINUTE_S // rules.interval_s
        ahead_s = rules.interval_s - self._answered_s
        plant_w = self._plant_power_w if rules.anticipate_plant else 0.0
        return owed_export_wh(
            remaining_export_wh=self._remaining_wh,
            export_weight=state.export_weight,
            import_weight=state.import_weight,
            exported_since_wh=state.net_export_wh - state.at_answer_wh,
            promised=schedule.commitment_wh[slot] > 0,
            steered=schedule.steered[slot],
            unsteered_wh=plant_w * ahead_s / 3600,
        )

    def steered(self, minute: int) -> BoolArray:
        """Return S^t at a minute, shape (homes,)."""
        schedule, slot = self.schedule, minute * MINUTE_S // self._rules.interval_s
        return np.full(self.offline.shape, schedule is not None and schedule.steered[slot])

    def soc_target(self, minute: int) -> FloatArray:
        """Return SoC^{t,A} at a minute, shape (homes,), 0..1."""
        schedule, slot = self.schedule, minute * MINUTE_S // self._rules.interval_s
        target = 0.0 if schedule is None else schedule.soc_bp[slot] / SOC_BP_MAX
        return np.full(self.offline.shape, target)
