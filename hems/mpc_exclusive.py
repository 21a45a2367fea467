"""Exclusivity in the home MPC: never charge and discharge, nor import and export, in one block.

Netting settles it for most homes; the rest needs binaries.
"""

import highspy
import numpy as np

from devices.arrays import BoolArray, FloatArray
from devices.battery_bank import BatteryBank
from hems.controller import Observation
from hems.errors import ControlError
from hems.mpc_program import (
    CHARGE,
    DISCHARGE,
    EXPORT,
    EXPORT_OVER,
    IMPORT,
    IMPORT_OVER,
    Program,
    pattern,
)
from hems.mpc_relaxation import MINIMISE, ROW_WISE, quiet_highs

TOLERANCE_WH = 1e-6
"""Energies below this are zero. [Wh]"""
TOLERANCE_MICRO = 1e-3
"""Objectives this close are equal: a billionth of a currency unit. [micro]"""


def net_out(
    seen: Observation, numbers: Program, values: FloatArray
) -> tuple[FloatArray, BoolArray]:
    """Net simultaneous flows of a relaxed optimum and say where the result is still optimal.

    Parameters
    ----------
    seen : Observation
        What the homes know.
    numbers : Program
        The program that was solved.
    values : FloatArray, shape (homes, columns)
        Its relaxed optimum. [Wh]

    Returns
    -------
    tuple[FloatArray, BoolArray]
        The netted columns [Wh]; True where they are feasible, exclusive and no dearer than the
        relaxation, which proves them optimal, shape (homes,).
    """
    before = (numbers.cost * values).sum(axis=1)
    netted = values.copy()
    energy = numbers.energy_wh(netted)
    # Netting import against export gains unless the pair is paid for, at a negative price.
    both = np.minimum(energy[:, IMPORT], energy[:, EXPORT])
    cost = numbers.energy_wh(numbers.cost)
    both = np.where(cost[:, IMPORT] + cost[:, EXPORT] >= 0, both, 0.0)
    energy[:, IMPORT] -= both
    energy[:, EXPORT] -= both

    eta_c, eta_d = seen.bank.charge_efficiency[:, None], seen.bank.discharge_efficiency[:, None]
    terminal = energy[:, CHARGE] / eta_c - energy[:, DISCHARGE] * eta_d
    energy[:, CHARGE] = np.maximum(terminal, 0.0) * eta_c
    energy[:, DISCHARGE] = np.maximum(-terminal, 0.0) / eta_d
    stored = np.cumsum(energy[:, CHARGE] - energy[:, DISCHARGE], axis=1)
    _set_soc_deviation(numbers, netted, stored[:, -1])

    blocks = numbers.blocks
    fits = np.all(stored <= numbers.row_high[:, blocks : 2 * blocks] + TOLERANCE_WH, axis=1)
    fits &= np.all(stored >= numbers.row_low[:, blocks : 2 * blocks] - TOLERANCE_WH, axis=1)
    wheels = np.minimum(
        energy[:, IMPORT] + energy[:, IMPORT_OVER], energy[:, EXPORT] + energy[:, EXPORT_OVER]
    )
    fits &= np.all(wheels <= TOLERANCE_WH, axis=1)
    after = (numbers.cost * netted).sum(axis=1)
    return netted, fits & (after <= before + TOLERANCE_MICRO + 1e-9 * np.abs(before))


def _set_soc_deviation(numbers: Program, values: FloatArray, stored_wh: FloatArray) -> None:
    """Recompute the two state-of-charge deviations from the energy stored at the end."""
    missing_wh = numbers.row_low[:, -1] - stored_wh
    values[:, -2] = np.maximum(missing_wh, 0.0)
    values[:, -1] = np.maximum(-missing_wh, 0.0)


def solve_home(seen: Observation, numbers: Program, home: int) -> tuple[FloatArray, bool]:
    """Solve one home's mixed-integer program.

    Parameters
    ----------
    seen : Observation
        What the homes know.
    numbers : Program
        The program of all homes.
    home : int
        Row of the home.

    Returns
    -------
    tuple[FloatArray, bool]
        Its columns, shape (columns,) [Wh], and whether HiGHS proved them optimal.
    """
    bank = _one(seen.bank, home)
    blocks, columns = numbers.blocks, numbers.cost.shape[1]
    matrix, high = _exclusive_rows(seen, numbers, home)
    plain = pattern(bank, seen.block_s)
    index = np.concatenate([plain.index, np.nonzero(matrix)[1]])
    value = np.concatenate([plain.value, matrix[np.nonzero(matrix)]])
    lengths = np.concatenate([np.diff(plain.start), np.count_nonzero(matrix, axis=1)])
    binaries = 2 * blocks
    solver = quiet_highs()
    solver.setOptionValue("mip_rel_gap", 1e-9)
    solver.setOptionValue("mip_abs_gap", TOLERANCE_MICRO / 10)
    solver.passModel(
        columns + binaries,
        len(lengths),
        len(value),
        ROW_WISE,
        MINIMISE,
        0.0,
        np.concatenate([numbers.cost[home], np.zeros(binaries)]),
        np.zeros(columns + binaries),
        np.concatenate([numbers.column_high[home], np.ones(binaries)]),
        np.concatenate([numbers.row_low[home], np.full(len(high), -np.inf)]),
        np.concatenate([numbers.row_high[home], high]),
        np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32),
        index.astype(np.int32),
        value,
        np.concatenate([np.zeros(columns), np.ones(binaries)]).astype(np.int32),
    )
    solver.run()
    if not np.isfinite(solver.getInfo().objective_function_value):
        msg = f"home MPC: HiGHS found no plan for home {home}; report it with the observation"
        raise ControlError(msg)
    proved = solver.getModelStatus() == highspy.HighsModelStatus.kOptimal
    return np.array(solver.getSolution().col_value)[:columns], proved


def _exclusive_rows(
    seen: Observation, numbers: Program, home: int
) -> tuple[FloatArray, FloatArray]:
    """Return the rows ``x − M u <= 0`` and ``y + M u <= M`` of both pairs, and their bounds."""
    blocks, columns = numbers.blocks, numbers.cost.shape[1]
    step_h = seen.block_s / 3600
    surplus_wh = (seen.pv_w[home] - seen.load_w[home]) * step_h
    cells_wh = seen.bank.power_max_w[home] * step_h
    # The most that physics lets through the meter: tight, so that the tree stays small.
    import_wh = np.maximum(0.0, cells_wh / seen.bank.charge_efficiency[home] - surplus_wh)
    export_wh = np.maximum(0.0, cells_wh * seen.bank.discharge_efficiency[home] + surplus_wh)
    matrix = np.zeros((4 * blocks, columns + 2 * blocks))
    high = np.zeros(4 * blocks)
    for b in range(blocks):
        sides = (
            ((IMPORT, IMPORT_OVER), import_wh[b], 0, False),
            ((EXPORT, EXPORT_OVER), export_wh[b], 0, True),
            ((CHARGE,), cells_wh[b], 1, False),
            ((DISCHARGE,), cells_wh[b], 1, True),
        )
        for side, (kinds, most_wh, binary, opposite) in enumerate(sides):
            row = side * blocks + b
            matrix[row, [kind * blocks + b for kind in kinds]] = 1.0
            matrix[row, columns + binary * blocks + b] = most_wh if opposite else -most_wh
            high[row] = most_wh if opposite else 0.0
    return matrix, high


def _one(bank: BatteryBank, home: int) -> BatteryBank:
    """Return the bank of one home."""
    pick = slice(home, home + 1)
    return BatteryBank(
        capacity_wh=bank.capacity_wh[pick],
        power_max_w=bank.power_max_w[pick],
        charge_efficiency=bank.charge_efficiency[pick],
        discharge_efficiency=bank.discharge_efficiency[pick],
        soc_min=bank.soc_min[pick],
        soc_max=bank.soc_max[pick],
    )
