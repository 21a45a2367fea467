"""Exclusivity in the home MPC, by netting: what flows both ways at once is cancelled.

Where that costs nothing, the relaxed optimum was a plan already, and is proved optimal. It settles
most homes; the rest, who would burn energy or are paid to wheel it through, needs branching
(`hems.mpc_branch`).
"""

from dataclasses import dataclass

import numpy as np

from devices.arrays import BoolArray, FloatArray
from devices.battery_bank import BatteryBank
from hems.mpc_program import (
    CHARGE,
    DISCHARGE,
    EXPORT,
    EXPORT_OVER,
    IMPORT,
    IMPORT_OVER,
    Program,
)

TOLERANCE_WH = 1e-6
"""Energies below this are zero. [Wh]"""
TOLERANCE_MICRO = 1e-3
"""Objectives this close are equal: a billionth of a currency unit. [micro]"""
FREE, FIRST, SECOND = 0, 1, 2
"""What a plan is allowed of a pair of opposed flows: both, only the first, only the second."""
GRID, CELLS = 0, 1
"""The two pairs: import and export, charge and discharge."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Netted:
    """Plans without simultaneous opposed flows, one per row of a program."""

    values: FloatArray
    """Columns, shape (homes, columns). [Wh]"""
    cost: FloatArray
    """Objective, infinite where the plan breaks a limit, shape (homes,). [micro]"""
    proved: BoolArray
    """True where no dearer than the relaxation it came from: a proved optimum, shape (homes,)."""


def net_out(bank: BatteryBank, numbers: Program, relaxed: FloatArray) -> Netted:
    """Cancel simultaneous flows of a relaxed optimum.

    Parameters
    ----------
    bank : BatteryBank
        Ratings, one row per row of the program.
    numbers : Program
        The program, its bounds those of the plan wanted.
    relaxed : FloatArray, shape (homes, columns)
        An optimum of its relaxation. [Wh]

    Returns
    -------
    Netted
        The same exchange with grid and house in every block, each through one flow. The cells may
        hold more than before, since nothing is lost in cancelled cycles.
    """
    values = relaxed.copy()
    energy, most = numbers.energy_wh(values), numbers.energy_wh(numbers.column_high)
    grid_wh = energy[:, IMPORT] + energy[:, IMPORT_OVER]
    grid_wh = grid_wh - energy[:, EXPORT] - energy[:, EXPORT_OVER]
    fits = np.ones(len(values), dtype=bool)
    for flow_wh, kind, over in (
        (np.maximum(grid_wh, 0.0), IMPORT, IMPORT_OVER),
        (np.maximum(-grid_wh, 0.0), EXPORT, EXPORT_OVER),
    ):
        energy[:, kind] = np.minimum(flow_wh, most[:, kind])
        energy[:, over] = flow_wh - energy[:, kind]
        fits &= np.all(energy[:, over] <= most[:, over] + TOLERANCE_WH, axis=1)

    eta_c, eta_d = bank.charge_efficiency[:, None], bank.discharge_efficiency[:, None]
    terminal_wh = energy[:, CHARGE] / eta_c - energy[:, DISCHARGE] * eta_d
    energy[:, CHARGE] = np.maximum(terminal_wh, 0.0) * eta_c
    energy[:, DISCHARGE] = np.maximum(-terminal_wh, 0.0) / eta_d
    stored_wh = np.cumsum(energy[:, CHARGE] - energy[:, DISCHARGE], axis=1)
    window = slice(numbers.blocks, 2 * numbers.blocks)
    fits &= np.all(stored_wh <= numbers.row_high[:, window] + TOLERANCE_WH, axis=1)
    fits &= np.all(stored_wh >= numbers.row_low[:, window] - TOLERANCE_WH, axis=1)
    _set_soc_deviation(numbers, values, stored_wh[:, -1])

    bound = (numbers.cost * relaxed).sum(axis=1)
    cost = np.where(fits, (numbers.cost * values).sum(axis=1), np.inf)
    return Netted(values=values, cost=cost, proved=no_dearer(cost, bound))


def no_dearer(cost: FloatArray, bound: FloatArray) -> BoolArray:
    """Return where a cost is no greater than a bound, within what counts as equal."""
    dearest: BoolArray = cost <= bound + TOLERANCE_MICRO + 1e-9 * np.abs(bound)
    return dearest


def _set_soc_deviation(numbers: Program, values: FloatArray, stored_wh: FloatArray) -> None:
    """Recompute the two state-of-charge deviations from the energy stored at the end."""
    missing_wh = numbers.row_low[:, -1] - stored_wh
    values[:, -2] = np.maximum(missing_wh, 0.0)
    values[:, -1] = np.maximum(-missing_wh, 0.0)
