"""Becchi's rules: an hour-by-hour plan of home batteries from forecasts and prices, by slots.

No optimisation and no loop over homes: a plan is some tens of operations on arrays.
"""

from dataclasses import dataclass, fields
from enum import StrEnum

import numpy as np

from devices.arrays import BoolArray, FloatArray
from hems.prosumer import Course, Leave, Prospect, carry_out, course_of_cells
from hems.prosumer_slots import Slots, Turn
from hems.prosumer_worth import leave_by_worth

HALF = 0.5
"""Least target of a day's last positive slot, share of capacity."""
FREE_HOURS = 2
"""Hours at the best prices of a slot in which its limits do not hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CounterMeasures:
    """What is done against bad forecasts, each on its own (Becchi 2024, §II.B)."""

    correct_target: bool = True
    """Add the mean error of past negative slots to the targets of the positive ones."""
    cover_dearest: bool = True
    """Cover all consumption in the two dearest hours of a negative slot."""
    store_cheapest: bool = True
    """Store all surplus in the two hours of a positive slot at which selling earns least."""
    cover_missing_surplus: bool = True
    """Discharge in a positive slot where the surplus does not come."""
    release_plenty: bool = True
    """Cover all consumption in a negative slot that the stored energy outlasts as expected."""

    @classmethod
    def none(cls) -> "CounterMeasures":
        """Return the rules alone."""
        return cls(**{field.name: False for field in fields(cls)})


class FirstHour(StrEnum):
    """What decides the hour that begins."""

    SLOT = "slot"
    """The paper's rules: its slot's budget, loosened by counter-measures."""
    WORTH = "worth"
    """Beyond the paper: the worth of stored energy in all hours ahead; `hems.prosumer_worth`."""
    TRADE = "trade"
    """The same, and the battery may charge from the grid and discharge into it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleBased:
    """Schedule by rules; see `hems.prosumer.Planner`.

    Notes
    -----
    Becchi 2024, §II.B. Where the paper leaves a choice:

    - The forecast of energy demand in the following hours that sets a positive slot's target is
      the demand of the next negative slot, and what the positive slots after it will not bring in.
      This is where a horizon of 72 hours differs from one of 24.
    - A battery charges from surplus only and discharges into the house only.
      `FirstHour.TRADE` lifts this.
    - The two best hours of a slot are those of what is left of it: a plan does not look back.
    - The correction of a target may be negative, as an average error may.
    """

    measures: CounterMeasures = CounterMeasures()
    """Counter-measures in force."""
    first_hour: FirstHour = FirstHour.SLOT
    """What decides the hour that begins; the hours after it go by slots, and are planned again."""

    def plan(self, prospect: Prospect) -> Course:
        """Return the course by rules."""
        if self.first_hour is FirstHour.SLOT:
            cells_wh, leave = self._by_slots(prospect)
            return course_of_cells(prospect, cells_wh, leave=leave)
        leave = leave_by_worth(prospect, trade=self.first_hour is FirstHour.TRADE)
        after_wh, _ = carry_out(
            prospect.bank,
            prospect.stored_wh,
            leave,
            prospect.net_wh[:, 0],
            step_h=prospect.step_h,
        )
        cells_wh = (after_wh - prospect.stored_wh)[:, None]
        if prospect.hours > 1:
            later_wh, _ = self._by_slots(prospect.later(after_wh))
            cells_wh = np.concatenate([cells_wh, later_wh], axis=1)
        return course_of_cells(prospect, cells_wh, leave=leave)

    def _by_slots(self, prospect: Prospect) -> tuple[FloatArray, Leave]:
        """Return the actions at the cells by the paper's rules [Wh], and the first hour's leave."""
        net_wh = prospect.net_wh
        slots = Slots.of(net_wh)
        most_wh = _most_wh(prospect, net_wh, slots.positive)
        totals_wh = slots.totals(most_wh)
        targets_wh = _targets_wh(prospect, slots, totals_wh)
        if self.measures.correct_target:
            targets_wh = targets_wh + _correction_wh(prospect)
        budget_wh = _budgets_wh(prospect, slots, totals_wh, targets_wh)
        turn = Turn.of(
            import_price=prospect.import_price_per_mwh, export_price=prospect.export_price_per_mwh
        )
        cells_wh = slots.share_out(budget_wh, most_wh, totals_wh, turn)
        np.negative(cells_wh, out=cells_wh, where=~slots.positive)
        bank = prospect.bank
        first_wh = bank.terminal_power_w(cells_wh[:, 0])
        return cells_wh, self._leave(prospect, slots, first_wh, totals_wh[:, 0])

    def _leave(
        self, prospect: Prospect, slots: Slots, first_wh: FloatArray, expected_wh: FloatArray
    ) -> Leave:
        """Return what the first hour may do: as planned, or more by counter-measures."""
        positive = slots.positive[:, 0]
        low_wh, high_wh = np.minimum(first_wh, 0.0), np.maximum(first_wh, 0.0)
        free_low = np.zeros(positive.shape, dtype=np.bool_)
        if self.measures.cover_dearest:
            free_low = ~positive & _among_first(slots, -prospect.import_price_per_mwh)
        if self.measures.cover_missing_surplus:
            free_low |= positive
        if self.measures.release_plenty:
            bank = prospect.bank
            left_wh = prospect.stored_wh - bank.soc_min * bank.capacity_wh
            free_low |= ~positive & (left_wh > expected_wh)
        if self.measures.store_cheapest:
            free_high = positive & _among_first(slots, prospect.export_price_per_mwh)
            high_wh = np.where(free_high, np.inf, high_wh)
        return Leave(low_wh=np.where(free_low, -np.inf, low_wh), high_wh=high_wh)


def _most_wh(prospect: Prospect, net_wh: FloatArray, positive: BoolArray) -> FloatArray:
    """Return what the cells can take of a surplus or give to a deficit, >= 0. [Wh]"""
    bank = prospect.bank
    share = np.where(
        positive, bank.charge_efficiency[:, None], -1 / bank.discharge_efficiency[:, None]
    )
    limit_wh = (bank.power_max_w * prospect.step_h)[:, None]
    return np.minimum(net_wh * share, limit_wh)


def _targets_wh(prospect: Prospect, slots: Slots, totals_wh: FloatArray) -> FloatArray:
    """Return the stored energy wanted at the end of each slot, shape (homes, slots). [Wh]

    Notes
    -----
    Rules three and four. From the last slot back: what has to be stored before a negative slot is
    its demand and what is wanted after it; before a positive slot, what it will not bring in.
    """
    bank = prospect.bank
    low_wh, high_wh = bank.soc_min * bank.capacity_wh, bank.soc_max * bank.capacity_wh
    signed_wh = np.where(slots.is_positive, -totals_wh, totals_wh)
    targets_wh = np.empty(totals_wh.shape)
    wanted_wh = low_wh
    for slot in range(slots.count - 1, -1, -1):
        targets_wh[:, slot] = wanted_wh
        wanted_wh = np.minimum(np.maximum(wanted_wh + signed_wh[:, slot], low_wh), high_wh)
    least_wh = np.where(slots.last_of_days(prospect.day), HALF * bank.capacity_wh[:, None], 0.0)
    return np.maximum(targets_wh, least_wh)


def _correction_wh(prospect: Prospect) -> FloatArray:
    """Return what past errors add to a target, at the cells, shape (homes, 1). [Wh]"""
    return (prospect.shortfall_wh / prospect.bank.discharge_efficiency)[:, None]


def _budgets_wh(
    prospect: Prospect, slots: Slots, totals_wh: FloatArray, targets_wh: FloatArray
) -> FloatArray:
    """Return what the cells take or give in each slot, >= 0, shape (homes, slots). [Wh]

    Notes
    -----
    Rules one and two: a negative slot has what is stored, a positive one lacks what is missing to
    its target.
    """
    bank = prospect.bank
    low_wh, high_wh = bank.soc_min * bank.capacity_wh, bank.soc_max * bank.capacity_wh
    positive = slots.is_positive
    sign = np.where(positive, 1.0, -1.0)
    ends_wh = np.where(positive, np.minimum(targets_wh, high_wh[:, None]), low_wh[:, None])
    budgets_wh = np.empty(totals_wh.shape)
    stored_wh = prospect.stored_wh
    for slot in range(slots.count):
        missing_wh = (ends_wh[:, slot] - stored_wh) * sign[:, slot]
        moved_wh = np.minimum(np.maximum(missing_wh, 0.0), totals_wh[:, slot])
        budgets_wh[:, slot] = moved_wh
        stored_wh = stored_wh + sign[:, slot] * moved_wh
    return budgets_wh


def _among_first(slots: Slots, price: FloatArray) -> BoolArray:
    """Return where the first hour is among the best of its slot, the lowest price the best."""
    better = (slots.number == 0) & (price < price[:, :1])
    few: BoolArray = better.sum(axis=1) < FREE_HOURS
    return few
