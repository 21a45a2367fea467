"""The mathematical program of the home MPC: columns, rows and numbers, for all homes at once.

Homes do not touch each other, so the program is block-diagonal: one block of rows and columns per
home, all of the same pattern. This file builds numbers only; `hems.mpc` solves.

Columns of a home, each kind once per time block, energies in Wh:
import, export, import above its cap, export above its cap, charge, discharge (at the cells);
then four one-sided deviations: owed export too low, too high, state of charge too low, too high.
Rows of a home: balance per block, stored energy per block, owed export, state-of-charge target.

The objective is in micro-units of the currency: Wh × price_per_mwh is micro (§2), and the paper's
two dimensionless terms count one unit of currency each.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from devices.arrays import FloatArray, IntArray
from devices.battery_bank import BatteryBank
from hems.controller import Observation
from hems.reach import reach

KINDS = ("import", "export", "import_over", "export_over", "charge", "discharge")
IMPORT, EXPORT, IMPORT_OVER, EXPORT_OVER, CHARGE, DISCHARGE = range(len(KINDS))
DEVIATIONS = 4
Row = list[tuple[int, FloatArray]]
"""Entries of one row: column of a home, coefficient of each home."""
MICRO = 1e6
OWED_TOLERANCE_WH = 1e-6
"""Below this a home owes nothing: ε = 0. Reports are whole Wh, so it only removes rounding. [Wh]"""
TIE_BREAK = 1e-3
"""Cost per Wh and block of moving energy through the cells: earlier beats later. [micro/Wh]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """Numbers of the program; ``cost`` and column bounds have shape (homes, columns)."""

    cost: FloatArray
    """Objective coefficients. [micro/Wh]"""
    column_high: FloatArray
    """Upper bounds of the columns; the lower are 0. [Wh]"""
    row_low: FloatArray
    """Lower bounds of the rows, shape (homes, rows). [Wh]"""
    row_high: FloatArray
    """Upper bounds of the rows, shape (homes, rows). [Wh]"""
    blocks: int
    """Time blocks."""

    def energy_wh(self, values: FloatArray) -> FloatArray:
        """Return the columns of a solution by kind, shape (homes, kinds, blocks). [Wh]"""
        homes = values.shape[0]
        return values[:, : len(KINDS) * self.blocks].reshape(homes, len(KINDS), self.blocks)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """Row-wise sparse matrix of the program for some homes and blocks."""

    start: IntArray
    """First entry of each row, shape (homes × rows + 1,)."""
    index: IntArray
    """Column of each entry."""
    value: FloatArray
    """Coefficient of each entry."""
    columns: int
    """Columns of one home."""
    rows: int
    """Rows of one home."""


def program(seen: Observation, *, export_penalty_min_per_mwh: float) -> Program:
    """Return the numbers of eq. (5) with its constraints (2) and (4) for every home.

    Parameters
    ----------
    seen : Observation
        What the homes know.
    export_penalty_min_per_mwh : float
        Least penalty of export that nobody asked for; see `hems.mpc.Mpc`. [currency/MWh]

    Returns
    -------
    Program
        Costs and bounds.
    """
    bank, blocks = seen.bank, seen.block_s.shape[0]
    step_h = seen.block_s / 3600
    can = reach(seen)
    owed_wh = np.clip(seen.remaining_export_wh, can.export_low_wh, can.export_high_wh)
    target_wh = np.clip(seen.soc_target * bank.capacity_wh, can.stored_low_wh, can.stored_high_wh)
    low_wh, high_wh = bank.window_wh(seen.stored_wh)

    cells_wh = bank.power_max_w[:, None] * step_h
    free = np.full((bank.homes, blocks), np.inf)
    column_high = np.concatenate(
        [
            seen.import_limit_w[:, None] * step_h,
            seen.export_limit_w[:, None] * step_h,
            free,
            free,
            cells_wh,
            cells_wh,
            np.full((bank.homes, DEVIATIONS), np.inf),
        ],
        axis=1,
    )
    balance_wh = (seen.load_w - seen.pv_w) * step_h
    ends = np.stack([owed_wh, target_wh - seen.stored_wh], axis=1)
    stored = np.ones((1, blocks))
    return Program(
        cost=_cost(seen, owed_wh, export_penalty_min_per_mwh),
        column_high=column_high,
        row_low=np.hstack([balance_wh, (low_wh - seen.stored_wh)[:, None] * stored, ends]),
        row_high=np.hstack([balance_wh, (high_wh - seen.stored_wh)[:, None] * stored, ends]),
        blocks=blocks,
    )


def _cost(seen: Observation, owed_wh: FloatArray, export_penalty_min: float) -> FloatArray:
    """Eq. (5): (1−ε) π_e on export, π_i on import, |ε| on owed export, S (1−ε²) on the SoC."""
    bank, blocks = seen.bank, seen.block_s.shape[0]
    sign = np.where(np.abs(owed_wh) > OWED_TOLERANCE_WH, np.sign(owed_wh), 0.0)
    penalty = max(seen.export_price_per_mwh, export_penalty_min)
    widest_w = np.maximum(seen.import_limit_w, seen.export_limit_w)
    # With both caps at zero the paper's weight has no denominator; the battery's power is next.
    widest_w = np.where(widest_w > 0, widest_w, np.maximum(bank.power_max_w, 1.0))
    owed = MICRO * np.abs(sign) / (widest_w * seen.block_s[0] / 3600)
    soc = MICRO * seen.steered * (1 - sign**2) / bank.capacity_wh

    import_cost = np.full((bank.homes, blocks), seen.import_price_per_mwh)
    export_cost = np.broadcast_to(((1 - sign) * penalty)[:, None], (bank.homes, blocks))
    # A cap is soft so that a plan always exists; its price beats all that breaking it could gain.
    gain = np.abs(seen.import_price_per_mwh) + 2 * abs(penalty) + owed + soc
    over_cost = np.broadcast_to((10 * gain)[:, None], (bank.homes, blocks))
    cells_cost = np.broadcast_to(TIE_BREAK * (1.0 + np.arange(blocks)), (bank.homes, blocks))
    return np.concatenate(
        [
            import_cost,
            export_cost,
            import_cost + over_cost,
            export_cost + over_cost,
            cells_cost,
            cells_cost,
            np.stack([owed, owed, soc, soc], axis=1),
        ],
        axis=1,
    )


def pattern(bank: BatteryBank, blocks: int) -> Pattern:
    """Return the sparse matrix for ``bank``'s homes: only efficiencies differ between them."""
    one, times = np.ones(bank.homes), range(blocks)
    first = len(KINDS) * blocks
    into_meter = {IMPORT: one, EXPORT: -one, IMPORT_OVER: one, EXPORT_OVER: -one}
    into_house = {CHARGE: -1 / bank.charge_efficiency, DISCHARGE: bank.discharge_efficiency}
    into_cells = {CHARGE: one, DISCHARGE: -one}

    def at(flows: dict[int, FloatArray], upto: Iterable[int]) -> Row:
        return [(kind * blocks + b, value) for kind, value in flows.items() for b in upto]

    # eq. (2): E_i − E_e + η_d E_D − E_C/η_c = E_d − E_p in each block
    balance = [at(into_meter | into_house, [b]) for b in times]
    # eq. (4): the energy stored after each block
    stored = [at(into_cells, range(b + 1)) for b in times]
    # Σ(E_e − E_i) plus what is missing, less what is too much, is RE; likewise for the SoC
    exports = at({kind: -value for kind, value in into_meter.items()}, times)
    owed: Row = [*exports, (first, one), (first + 1, -one)]
    target: Row = [*at(into_cells, times), (first + 2, one), (first + 3, -one)]
    return _flatten([*balance, *stored, owed, target], bank.homes, first + DEVIATIONS)


def _flatten(entries: list[Row], homes: int, columns: int) -> Pattern:
    """Lay one home's rows out for all homes, home after home."""
    lengths = np.array([len(row) for row in entries])
    index = np.concatenate([[column for column, _ in row] for row in entries])
    value = np.stack([values for row in entries for _, values in row], axis=1)
    every_index = index[None, :] + columns * np.arange(homes)[:, None]
    start = np.concatenate([[0], np.cumsum(np.tile(lengths, homes))])
    return Pattern(
        start=start.astype(np.int64),
        index=every_index.ravel().astype(np.int64),
        value=value.ravel(),
        columns=columns,
        rows=len(entries),
    )
