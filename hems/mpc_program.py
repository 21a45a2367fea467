"""The mathematical program of the home MPC: columns, rows and numbers, for all homes at once.

Homes do not touch each other, so the program is block-diagonal: one block of rows and columns per
home, all of the same pattern. This file builds numbers only; `hems.mpc` solves.

Columns of a home, each kind once per time block, energies in Wh:
import, export, import above its cap, export above its cap, charge, discharge (at the cells);
then six one-sided deviations: first step ahead of the even pace, behind it, owed export too low,
too high, state of charge too low, too high.
Rows of a home: balance per block, stored energy per block, even pace, owed export, state of charge.

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
DEVIATIONS = 6
Row = list[tuple[int, FloatArray]]
"""Entries of one row: column of a home, coefficient of each home."""
MICRO = 1e6
OWED_TOLERANCE_WH = 1e-6
"""Below this a home owes nothing: ε = 0. Reports are whole Wh, so it only removes rounding. [Wh]"""
EVEN = 1e-2
"""Cost of a first step off the even pace, where export is owed. [micro/Wh]

Eq. (5) does not care when in the interval the owed export happens. An even pace leaves the fleet's
next coordination something to correct, and spares it from giving first and taking back later.
"""
WEAR = 1e-2
"""Cost of moving energy into or out of the cells: no cycling for an even pace. [micro/Wh]"""
LATER = 1e-5
"""What `WEAR` grows by per block: of two equal plans, the one that acts now. [micro/Wh]"""


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

    def pick(self, home: IntArray) -> "Program":
        """Return the program of some homes, one row per entry of ``home``."""
        return Program(
            cost=self.cost[home],
            column_high=self.column_high[home],
            row_low=self.row_low[home],
            row_high=self.row_high[home],
            blocks=self.blocks,
        )

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
    balance_wh = (seen.load_w - seen.pv_w) * step_h
    import_cap_wh = seen.import_limit_w[:, None] * step_h
    export_cap_wh = seen.export_limit_w[:, None] * step_h
    column_high = np.concatenate(
        [
            import_cap_wh,
            export_cap_wh,
            # A battery may relieve a cap, never break it: idle, it is always within these two.
            np.maximum(balance_wh - import_cap_wh, 0.0),
            np.maximum(-balance_wh - export_cap_wh, 0.0),
            cells_wh,
            cells_wh,
            np.full((bank.homes, DEVIATIONS), np.inf),
        ],
        axis=1,
    )
    ends = np.stack([np.zeros(bank.homes), owed_wh, target_wh - seen.stored_wh], axis=1)
    stored = np.ones((1, blocks))
    return Program(
        cost=_cost(seen, export_penalty_min_per_mwh),
        column_high=column_high,
        row_low=np.hstack([balance_wh, (low_wh - seen.stored_wh)[:, None] * stored, ends]),
        row_high=np.hstack([balance_wh, (high_wh - seen.stored_wh)[:, None] * stored, ends]),
        blocks=blocks,
    )


def _cost(seen: Observation, export_penalty_min: float) -> FloatArray:
    """Eq. (5): (1−ε) π_e on export, π_i on import, |ε| on owed export, S (1−ε²) on the SoC."""
    bank, blocks = seen.bank, seen.block_s.shape[0]
    # ε is the sign of what is owed, not of what it was coerced to: an empty battery under load
    # cannot but import, yet owes nobody that import and may be steered.
    owing = np.abs(seen.remaining_export_wh) > OWED_TOLERANCE_WH
    sign = np.where(owing, np.sign(seen.remaining_export_wh), 0.0)
    penalty = max(seen.export_price_per_mwh, export_penalty_min)
    widest_w = np.maximum(seen.import_limit_w, seen.export_limit_w)
    # With both caps at zero the paper's weight has no denominator; the battery's power is next.
    widest_w = np.where(widest_w > 0, widest_w, np.maximum(bank.power_max_w, 1.0))
    owed = MICRO * np.abs(sign) / (widest_w * seen.block_s[0] / 3600)
    soc = MICRO * seen.steered * (1 - sign**2) / bank.capacity_wh

    even = EVEN * np.abs(sign)

    import_cost = np.full((bank.homes, blocks), seen.import_price_per_mwh)
    export_cost = np.broadcast_to(((1 - sign) * penalty)[:, None], (bank.homes, blocks))
    # A cap is soft so that a plan always exists; its price beats all that breaking it could gain.
    gain = np.abs(seen.import_price_per_mwh) + 2 * abs(penalty) + owed + soc
    over_cost = np.broadcast_to((10 * gain)[:, None], (bank.homes, blocks))
    cells_cost = np.broadcast_to(WEAR + LATER * np.arange(blocks), (bank.homes, blocks))
    return np.concatenate(
        [
            import_cost,
            export_cost,
            import_cost + over_cost,
            export_cost + over_cost,
            cells_cost,
            cells_cost,
            np.stack([even, even, owed, owed, soc, soc], axis=1),
        ],
        axis=1,
    )


def pattern(bank: BatteryBank, block_s: FloatArray) -> Pattern:
    """Return the sparse matrix for ``bank``'s homes: only efficiencies differ between them."""
    blocks = block_s.shape[0]
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
    out_of_meter = {kind: -value for kind, value in into_meter.items()}
    owed: Row = [*at(out_of_meter, times), (first + 2, one), (first + 3, -one)]
    target: Row = [*at(into_cells, times), (first + 4, one), (first + 5, -one)]
    # the first step's net export, and what it would be at the horizon's mean power
    pace = -block_s[0] / block_s.sum()
    share = {kind: pace * value for kind, value in out_of_meter.items()}
    rest = {kind: (1 + pace) * value for kind, value in out_of_meter.items()}
    even: Row = [*at(rest, [0]), *at(share, times[1:]), (first, -one), (first + 1, one)]
    return _flatten([*balance, *stored, even, owed, target], bank.homes, first + DEVIATIONS)


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
