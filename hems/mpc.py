"""The home MPC of Couraud 2021, eq. (5)-(9), for all homes at once.

Homes do not touch each other; their programs are solved by an engine: HiGHS, the reference, or
compiled code for fleets of thousands.
"""

from dataclasses import dataclass, field

import numpy as np

from devices.arrays import BoolArray, FloatArray
from hems.controller import Decision, Observation
from hems.errors import ControlInputError
from hems.mpc_engine import Engine, HighsEngine
from hems.mpc_program import CHARGE, DISCHARGE, EXPORT_OVER, IMPORT_OVER, program
from hems.reach import cap_excess_wh, followed_wh

FOLLOW_TOLERANCE_W = 0.5
"""A first step this close to residual demand is a recommendation to follow it. [W]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mpc:
    """Solve each home's problem exactly and turn its first step into a set-point.

    Notes
    -----
    Couraud 2021, eq. (5), with two corrections of the print (the weight of the owed export is |ε|,
    the state-of-charge term an absolute value) and one addition: the penalty of export that nobody
    asked for, (1−ε) π_e, is never taken below ``export_penalty_min_per_mwh``. At a negative market
    price it would otherwise pay homes to empty themselves into the grid, and at a price of zero
    nothing would prefer the battery to the grid. Prices are per unit of the fleet's currency (GBP,
    EUR): the dimensionless terms of eq. (5) count one such unit.

    ε is the sign of the owed export as seen, before it is coerced into reach: where nothing is owed
    the state of charge is steered, whatever the home is bound to import or export.

    Grid caps are soft at a price above all else, and no battery breaks one: where a home with an
    idle battery would, the battery only brings it back. A plan always comes back and
    `Decision.cap_excess_wh` says by how much it exceeds a cap. A state of charge found outside its
    window may not go further out.
    """

    export_penalty_min_per_mwh: float = 1.0
    """Least penalty of export without an owed export, > 0. [currency/MWh]"""
    engine: Engine = field(default_factory=HighsEngine, repr=False, compare=False)
    """What solves the programs; engines agree on the cost of a plan, to rounding."""

    def __post_init__(self) -> None:
        if not 0 < self.export_penalty_min_per_mwh < np.inf:
            msg = f"MPC: export penalty of {self.export_penalty_min_per_mwh}; choose one > 0"
            raise ControlInputError(msg)

    def decide(self, seen: Observation) -> Decision:
        """Return the first step of every home's optimal plan."""
        energy_wh, proved = self.plan(seen)
        cells_wh = energy_wh[:, CHARGE, 0] - energy_wh[:, DISCHARGE, 0]
        step_h = float(seen.block_s[0]) / 3600
        cell_power_w = cells_wh / step_h
        unsolved = np.isnan(cells_wh)  # such a home is safe with its own self-consumption
        follows = np.abs(cell_power_w - followed_wh(seen) / step_h) <= FOLLOW_TOLERANCE_W
        power_w = seen.bank.terminal_power_w(np.where(unsolved, 0.0, cell_power_w))
        excess_wh = energy_wh[:, [IMPORT_OVER, EXPORT_OVER], 0].sum(axis=1)
        return Decision(
            follow=unsolved | follows,
            battery_power_w=power_w,
            proved=proved,
            cap_excess_wh=np.where(unsolved, cap_excess_wh(seen), excess_wh),
        )

    def plan(self, seen: Observation) -> tuple[FloatArray, BoolArray]:
        """Return every home's energies by kind and block, and whether they are proved optimal.

        Returns
        -------
        tuple[FloatArray, BoolArray]
            Shape (homes, kinds, blocks), kinds as in `hems.mpc_program.KINDS` [Wh]; shape (homes,).
        """
        numbers = program(seen, export_penalty_min_per_mwh=self.export_penalty_min_per_mwh)
        values, proved = self.engine.solve(seen, numbers)
        return numbers.energy_wh(values), proved
