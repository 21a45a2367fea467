"""The rules of a prosumer in compiled code: for thousands of homes, and for many years of one."""

from dataclasses import dataclass, field

import numpy as np

from hems.prosumer import Course, Leave, Prospect
from hems.prosumer_rules import HALF, FirstHour, RuleBased
from hems.prosumer_slots import Turn
from scenarios.prosumer.rules_kernel import Ahead, Homes, Plans, Switches, plan_homes


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledRules:
    """The same plans as `hems.prosumer_rules.RuleBased`, ten times faster; needs numba.

    A gateway, which has no numba, uses the original; here it is the oracle.
    """

    rules: RuleBased = field(default_factory=RuleBased)
    """What it does as."""

    def plan(self, prospect: Prospect) -> Course:
        """Return the course by rules; see `hems.prosumer.Planner`."""
        plans = _room(prospect)
        plan_homes(self._homes(prospect), _ahead(prospect), self._switches(), plans)
        return Course(
            battery_wh=plans.battery_wh,
            stored_wh=plans.stored_wh,
            soc=plans.stored_wh / prospect.bank.capacity_wh[:, None],
            grid_wh=plans.grid_wh,
            cost_micro=plans.cost_micro,
            wear_micro=plans.wear_micro,
            leave=Leave(low_wh=plans.low_wh, high_wh=plans.high_wh),
        )

    def _homes(self, prospect: Prospect) -> Homes:
        bank = prospect.bank
        corrected = self.rules.measures.correct_target
        return Homes(
            stored_wh=prospect.stored_wh,
            low_wh=bank.soc_min * bank.capacity_wh,
            high_wh=bank.soc_max * bank.capacity_wh,
            half_wh=HALF * bank.capacity_wh,
            most_wh=bank.power_max_w * prospect.step_h,
            eta_c=bank.charge_efficiency,
            eta_d=bank.discharge_efficiency,
            correction_wh=prospect.shortfall_wh / bank.discharge_efficiency * corrected,
        )

    def _switches(self) -> Switches:
        return Switches(
            cover_dearest=self.rules.measures.cover_dearest,
            store_cheapest=self.rules.measures.store_cheapest,
            cover_missing_surplus=self.rules.measures.cover_missing_surplus,
            release_plenty=self.rules.measures.release_plenty,
            by_worth=self.rules.first_hour is not FirstHour.SLOT,
            trade=self.rules.first_hour is FirstHour.TRADE,
        )


def _ahead(prospect: Prospect) -> Ahead:
    imports, exports = prospect.import_price_per_mwh, prospect.export_price_per_mwh
    rows = max(imports.shape[0], exports.shape[0])
    turn = Turn.of(
        import_price=np.broadcast_to(imports, (rows, prospect.hours)),
        export_price=np.broadcast_to(exports, (rows, prospect.hours)),
    )
    each = (np.ascontiguousarray(values) for values in (prospect.load_wh, prospect.pv_wh))
    load_wh, pv_wh = each
    return Ahead(
        load_wh=load_wh,
        pv_wh=pv_wh,
        imports=np.ascontiguousarray(np.broadcast_to(imports, (rows, prospect.hours))),
        exports=np.ascontiguousarray(np.broadcast_to(exports, (rows, prospect.hours))),
        dearest=turn.hours[0],
        cheapest=turn.hours[1],
        day=np.ascontiguousarray(prospect.day),
        wear=float(prospect.wear_price_per_mwh),
    )


def _room(prospect: Prospect) -> Plans:
    """Return arrays for the plans to be written into."""
    shape = prospect.load_wh.shape
    return Plans(*(np.empty(shape) for _ in range(4)), *(np.zeros(shape[:1]) for _ in range(4)))
