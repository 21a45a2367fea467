"""The optimum of a prosumer's hours ahead, as a mixed-integer program on HiGHS.

The relaxation comes first. Where its optimum never imports and exports, nor charges and discharges,
in the same hour, it is the optimum; a home where it does is solved again with binaries.
"""

from dataclasses import dataclass, field, replace

import numpy as np

from devices.arrays import FloatArray
from hems.prosumer import Course, Prospect, course_of_cells
from scenarios.prosumer.milp_program import (
    CHARGE,
    DISCHARGE,
    Numbers,
    Program,
    both_ways,
    solve_with_binaries,
)
from scenarios.prosumer.rights import kept_to_house, of_house_wh

KEPT_MAX = 64
"""Programs kept, the oldest makes room."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Milp:
    """Schedule at least cost of energy and ageing; see `hems.prosumer.Planner`.

    Notes
    -----
    Becchi 2024, eq. (5)-(6), names the method and gives no program; this is ours. Energy stored at
    the end of the horizon is worth nothing, as in the rules. Ageing is that of the throughput at
    `Prospect.wear_price_per_mwh`: rainflow counting is not linear.
    """

    relax_first: bool = True
    """False: always with binaries, as the paper's name for the method has it; a hundred times
    slower, and the same cost."""
    trade: bool = True
    """Whether the battery may charge from the grid and discharge into it. False: it takes from the
    surplus and gives to the house only, as the paper's rules do."""
    _kept: dict[tuple[float, ...], Program] = field(default_factory=dict, repr=False, compare=False)
    """Relaxations by efficiencies and hours, loaded once; a cache that never changes a result."""

    def plan(self, prospect: Prospect) -> Course:
        """Return a proved optimum for every home.

        Raises
        ------
        ControlError
            If HiGHS does not find the optimum of a home.
        """
        cells_wh = [self._home(prospect, home) for home in range(prospect.bank.homes)]
        found = replace(course_of_cells(prospect, np.stack(cells_wh)), proved=True)
        return found if self.trade else kept_to_house(found)

    def _home(self, prospect: Prospect, home: int) -> FloatArray:
        """Return one home's optimal actions at the cells, shape (hours,). [Wh]"""
        bank, hours = prospect.bank.pick(np.array([home])), prospect.hours
        numbers = Numbers.of(prospect, home)
        if not self.trade:
            numbers = numbers.within_wh(of_house_wh(prospect)[home])
        if self.relax_first:
            flows_wh = self._relaxation(prospect, home).solve(numbers)
        if not self.relax_first or both_ways(flows_wh).any():
            flows_wh = solve_with_binaries(bank, hours, numbers)
        cells_wh: FloatArray = flows_wh[CHARGE] - flows_wh[DISCHARGE]
        return cells_wh

    def _relaxation(self, prospect: Prospect, home: int) -> Program:
        bank, hours = prospect.bank, prospect.hours
        key = (
            float(bank.charge_efficiency[home]),
            float(bank.discharge_efficiency[home]),
            float(hours),
        )
        kept = self._kept.get(key)
        if kept is None:
            if len(self._kept) >= KEPT_MAX:
                self._kept.pop(next(iter(self._kept)))
            kept = self._kept[key] = Program(bank.pick(np.array([home])), hours)
        return kept
