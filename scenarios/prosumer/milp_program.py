"""The program of one prosumer's hours ahead, in HiGHS: loaded once, then only numbers change.

Columns, each kind once per hour, energies in Wh: import, export, charge and discharge (at the
cells), stored at the end; with binaries two more: buying, charging. Rows: balance, storage; with
binaries four more, each of which closes one flow. The objective is in micro-units of the currency.
"""

from dataclasses import dataclass, replace
from typing import Any, Self

import highspy
import numpy as np

from devices.arrays import BoolArray, FloatArray
from devices.battery_bank import BatteryBank
from hems.errors import ControlError
from hems.mpc_relaxation import MINIMISE, ROW_WISE, quiet_highs
from hems.prosumer import Prospect

KINDS = ("import", "export", "charge", "discharge", "stored")
IMPORT, EXPORT, CHARGE, DISCHARGE, STORED = range(len(KINDS))
BOTH_WAYS_WH = 1e-6
"""A flow this small beside its opposite is none. [Wh]"""
Entries = list[tuple[int, int, float]]
"""Row, column and coefficient."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """What changes from plan to plan, for one home."""

    cost: FloatArray
    """Of each column, shape (kinds × hours,). [micro/Wh]"""
    low: FloatArray
    """Lower bounds of the columns. [Wh]"""
    high: FloatArray
    """Upper bounds of the columns. [Wh]"""
    right: FloatArray
    """Right-hand sides of balance and storage, shape (2 × hours,). [Wh]"""

    @classmethod
    def of(cls, prospect: Prospect, home: int) -> Self:
        """Return the numbers of a home."""
        bank, hours = prospect.bank, prospect.hours
        most_wh = float(bank.power_max_w[home]) * prospect.step_h
        stored_wh = float(prospect.stored_wh[home])
        low_wh, high_wh = (float(end[home]) for end in bank.window_wh(prospect.stored_wh))
        load_wh, pv_wh = prospect.load_wh[home], prospect.pv_wh[home]
        one = np.ones(hours)
        prices = [
            np.broadcast_to(price, prospect.load_wh.shape)[home]
            for price in (prospect.import_price_per_mwh, prospect.export_price_per_mwh)
        ]
        wear = prospect.wear_price_per_mwh * one
        # no more than house and battery can take or give: nothing is bought to be sold at once
        import_wh = load_wh + most_wh / float(bank.charge_efficiency[home])
        export_wh = pv_wh + most_wh * float(bank.discharge_efficiency[home])
        floor_wh = np.concatenate([np.zeros(4 * hours), low_wh * one])
        ceiling_wh = np.concatenate(
            [import_wh, export_wh, most_wh * one, most_wh * one, high_wh * one]
        )
        start_wh = np.concatenate([[stored_wh], np.zeros(hours - 1)])
        return cls(
            cost=np.concatenate([prices[0], -prices[1], wear, wear, 0 * one]),
            low=floor_wh,
            high=ceiling_wh,
            right=np.concatenate([load_wh - pv_wh, start_wh]),
        )

    def within_wh(self, house_wh: FloatArray) -> Self:
        """Return the same where the cells move no more than the house has or wants.

        Parameters
        ----------
        house_wh : FloatArray, shape (hours,)
            Its surplus, or its demand as a negative number, at the cells. [Wh]
        """
        high_wh = self.high.reshape(len(KINDS), -1).copy()
        high_wh[CHARGE] = np.maximum(house_wh, 0.0)
        high_wh[DISCHARGE] = np.maximum(-house_wh, 0.0)
        return replace(self, high=high_wh.ravel())


class Program:
    """The relaxation of one battery over some hours."""

    def __init__(self, bank: BatteryBank, hours: int) -> None:
        self.bank = bank
        self.hours = hours
        self._solver: Any = None

    def solve(self, numbers: Numbers) -> FloatArray:
        """Return the relaxed optimum, shape (kinds, hours). [Wh]"""
        if self._solver is None:
            self._solver = _load(_entries(self.bank, self.hours), numbers)
        else:
            _update(self._solver, numbers)
        return _solved(self._solver, self.hours)


def solve_with_binaries(bank: BatteryBank, hours: int, numbers: Numbers) -> FloatArray:
    """Return the optimum without opposite flows in an hour, shape (kinds, hours). [Wh]"""
    solver = _load(_entries(bank, hours), numbers)
    last, pairs = len(KINDS) * hours, 2 * hours
    solver.addVars(pairs, np.zeros(pairs), np.ones(pairs))
    switches = np.arange(last, last + pairs)
    kind = np.full(pairs, int(highspy.HighsVarType.kInteger), dtype=np.uint8)
    solver.changeColsIntegrality(pairs, switches.astype(np.int32), kind)
    firsts = np.concatenate([np.arange(hours) + kind * hours for kind in (IMPORT, CHARGE)])
    seconds = np.concatenate([np.arange(hours) + kind * hours for kind in (EXPORT, DISCHARGE)])
    # first <= most × switch, second <= most × (1 − switch)
    columns = np.stack([np.append(firsts, seconds), np.append(switches, switches)], axis=1)
    most_wh = numbers.high[columns[:, 0]]
    sign = np.repeat([-1.0, 1.0], pairs)
    solver.addRows(
        2 * pairs,
        np.full(2 * pairs, -highspy.kHighsInf),
        np.where(sign > 0, most_wh, 0.0),
        4 * pairs,
        np.arange(0, 4 * pairs, 2, dtype=np.int32),
        columns.ravel().astype(np.int32),
        np.stack([np.ones(2 * pairs), sign * most_wh], axis=1).ravel(),
    )
    return _solved(solver, hours)


def both_ways(flows_wh: FloatArray) -> BoolArray:
    """Return the hours in which a plan lets opposite flows pass, shape (hours,)."""
    grid: BoolArray = np.minimum(flows_wh[IMPORT], flows_wh[EXPORT]) > BOTH_WAYS_WH
    cells: BoolArray = np.minimum(flows_wh[CHARGE], flows_wh[DISCHARGE]) > BOTH_WAYS_WH
    return np.logical_or(grid, cells)


def _entries(bank: BatteryBank, hours: int) -> Entries:
    """Return the matrix: E_i − E_e + η_d E_D − E_C/η_c = load − pv, and Q' − Q = E_C − E_D."""
    into = {
        IMPORT: 1.0,
        EXPORT: -1.0,
        CHARGE: -1 / float(bank.charge_efficiency[0]),
        DISCHARGE: float(bank.discharge_efficiency[0]),
    }
    entries: Entries = []
    for hour in range(hours):
        entries += [(hour, kind * hours + hour, share) for kind, share in into.items()]
    for hour in range(hours):
        storage = {CHARGE: -1.0, DISCHARGE: 1.0, STORED: 1.0}
        entries += [(hours + hour, kind * hours + hour, sign) for kind, sign in storage.items()]
        if hour:
            entries.append((hours + hour, STORED * hours + hour - 1, -1.0))
    return entries


def _load(entries: Entries, numbers: Numbers) -> Any:  # noqa: ANN401 - highspy's stubs fall short
    solver = quiet_highs()
    rows, columns, values = (np.array(part) for part in zip(*entries, strict=True))
    start = np.searchsorted(rows, np.arange(numbers.right.size + 1))
    solver.passModel(
        numbers.cost.size,
        numbers.right.size,
        values.size,
        ROW_WISE,
        MINIMISE,
        0.0,
        numbers.cost,
        numbers.low,
        numbers.high,
        numbers.right,
        numbers.right,
        start.astype(np.int32),
        columns.astype(np.int32),
        values,
        np.zeros(numbers.cost.size, dtype=np.int32),
    )
    return solver


def _update(solver: Any, numbers: Numbers) -> None:  # noqa: ANN401 - see above
    columns = np.arange(numbers.cost.size, dtype=np.int32)
    rows = np.arange(numbers.right.size, dtype=np.int32)
    solver.changeColsCost(columns.size, columns, numbers.cost)
    solver.changeColsBounds(columns.size, columns, numbers.low, numbers.high)
    solver.changeRowsBounds(rows.size, rows, numbers.right, numbers.right)
    # a start from the last basis would pick, among equal optima, one that depends on the past
    solver.clearSolver()


def _solved(solver: Any, hours: int) -> FloatArray:  # noqa: ANN401 - see above
    solver.run()
    status = solver.getModelStatus()
    if status != highspy.HighsModelStatus.kOptimal:
        msg = f"milp: HiGHS ended with {solver.modelStatusToString(status)}; check the prospect"
        raise ControlError(msg)
    values = np.array(solver.getSolution().col_value)
    return values[: len(KINDS) * hours].reshape(len(KINDS), hours)
