"""The linear program of a plant's best dispatch, in HiGHS.

Columns, each kind once per step, powers in kW: PV that charges, grid that charges, discharge,
import, export; stored at the end of the step in kWh; then one peak for each billing period.
Rows: balance at the meter, storage, peak, and the battery's time.
"""

from dataclasses import dataclass
from functools import lru_cache

import highspy
import numpy as np

from devices.arrays import FloatArray, IntArray
from hems.mpc_relaxation import MINIMISE, ROW_WISE, quiet_highs
from scenarios.errors import ScenarioInputError

KINDS = ("pv_charge", "grid_charge", "discharge", "import", "export", "stored")
PV_CHARGE, GRID_CHARGE, DISCHARGE, IMPORT, EXPORT, STORED = range(len(KINDS))


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """A program's numbers, for one battery and some steps."""

    cost: FloatArray
    """Of each column but the peaks, shape (kinds, steps). [currency/kW or /kWh]"""
    high: FloatArray
    """Upper bounds of the same; lower ones are 0 but for ``stored_low_kwh``."""
    stored_low_kwh: float
    """Least that is stored. [kWh]"""
    stored_begin_kwh: float
    """What is stored before the first step. [kWh]"""
    net_load_kw: FloatArray
    """Load less production, shape (steps,). [kW]"""
    charge_max_kw: float
    """Limit of charging from both sources together. [kW]"""
    discharge_max_kw: float
    """Limit of discharging. [kW]"""
    period: IntArray
    """Billing period of each step, from 0 without a gap, shape (steps,)."""
    peak_cost: FloatArray
    """Of each period's peak, shape (periods,). [currency/kW]"""
    peak_low_kw: FloatArray
    """Peaks that are owed already, shape (periods,). [kW]"""


@dataclass(frozen=True, slots=True)
class _Rates:
    """What turns a step's powers into stored energy [kWh per kW], and into time of the battery."""

    pv: float
    grid: float
    discharge: float
    time: float


@dataclass(frozen=True, slots=True)
class _Matrix:
    """A sparse matrix by rows."""

    start: np.ndarray
    column: np.ndarray
    value: FloatArray


def solve(
    numbers: Numbers, *, efficiencies: tuple[float, float, float], step_h: float
) -> FloatArray:
    """Return the program's optimum, shape (kinds, steps). [kW, kWh]

    Parameters
    ----------
    numbers : Numbers
        The program.
    efficiencies : tuple[float, float, float]
        From PV into the cells, from the grid into the cells, from the cells to the load.
    step_h : float
        Length of a step. [h]

    Raises
    ------
    ScenarioInputError
        If a number is not finite, or the program has no optimum.
    """
    steps, periods = numbers.period.size, numbers.peak_cost.size
    _require_finite(numbers)
    from_pv, from_grid, to_load = efficiencies
    time = numbers.charge_max_kw / numbers.discharge_max_kw
    rates = _Rates(from_pv * step_h, from_grid * step_h, step_h / to_load, time)
    matrix = _matrix(steps, periods, rates, numbers.period.tobytes())
    infinite = highspy.kHighsInf
    low = np.zeros((len(KINDS), steps))
    low[STORED] = numbers.stored_low_kwh
    storage_kwh = np.zeros(steps)
    storage_kwh[0] = numbers.stored_begin_kwh
    held = np.concatenate([numbers.net_load_kw, storage_kwh])
    solver = quiet_highs()
    solver.passModel(
        len(KINDS) * steps + periods,
        4 * steps,
        matrix.value.size,
        ROW_WISE,
        MINIMISE,
        0.0,
        np.concatenate([numbers.cost.ravel(), numbers.peak_cost]),
        np.concatenate([low.ravel(), numbers.peak_low_kw]),
        np.concatenate([numbers.high.ravel(), np.full(periods, infinite)]),
        np.concatenate([held, np.zeros(steps), np.full(steps, -infinite)]),
        np.concatenate([held, np.full(steps, infinite), np.full(steps, numbers.charge_max_kw)]),
        matrix.start,
        matrix.column,
        matrix.value,
        np.zeros(len(KINDS) * steps + periods, dtype=np.int32),
    )
    solver.run()
    status = solver.getModelStatus()
    if status != highspy.HighsModelStatus.kOptimal:
        found = solver.modelStatusToString(status)
        msg = f"optimum: HiGHS ended with {found}; check the battery's window and what it begins at"
        raise ScenarioInputError(msg)
    values = np.array(solver.getSolution().col_value)
    return values[: len(KINDS) * steps].reshape(len(KINDS), steps)


def _require_finite(numbers: Numbers) -> None:
    """Raise where a number would keep HiGHS from returning, or from being right."""
    for name in ("cost", "net_load_kw", "peak_cost", "peak_low_kw"):
        if not np.all(np.isfinite(getattr(numbers, name))):
            msg = f"optimum: {name} has a value that is not finite; mend load, PV or prices"
            raise ScenarioInputError(msg)


@lru_cache(maxsize=8)
def _matrix(steps: int, periods: int, rates: _Rates, period: bytes) -> _Matrix:
    """Return the matrix; equal days and years of a study share it."""
    del periods
    at, one = np.arange(steps), np.ones(steps)
    peak = len(KINDS) * steps + np.frombuffer(period, dtype=np.int64)

    def of(kind: int) -> IntArray:
        return at + kind * steps

    entries = [
        # import − export + discharge − charge = load − PV
        (at, of(PV_CHARGE), -one),
        (at, of(GRID_CHARGE), -one),
        (at, of(DISCHARGE), one),
        (at, of(IMPORT), one),
        (at, of(EXPORT), -one),
        # stored after − stored before = η charge − discharge / η
        (steps + at, of(STORED), one),
        (steps + at[1:], of(STORED)[:-1], -one[1:]),
        (steps + at, of(PV_CHARGE), -rates.pv * one),
        (steps + at, of(GRID_CHARGE), -rates.grid * one),
        (steps + at, of(DISCHARGE), rates.discharge * one),
        # peak >= import
        (2 * steps + at, peak, one),
        (2 * steps + at, of(IMPORT), -one),
        # charging and discharging share the battery's time
        (3 * steps + at, of(PV_CHARGE), one),
        (3 * steps + at, of(GRID_CHARGE), one),
        (3 * steps + at, of(DISCHARGE), rates.time * one),
    ]
    row, column, value = (np.concatenate(part) for part in zip(*entries, strict=True))
    order = np.lexsort((column, row))
    start = np.searchsorted(row[order], np.arange(4 * steps + 1))
    return _Matrix(start.astype(np.int32), column[order].astype(np.int32), value[order])
