"""The relaxation of the home MPC, kept in HiGHS: only costs and bounds change between decisions."""

from typing import Any

import highspy
import numpy as np

from devices.arrays import FloatArray
from devices.battery_bank import BatteryBank
from hems.mpc_program import Program, pattern

ROW_WISE = 2
MINIMISE = 1


def quiet_highs() -> Any:  # noqa: ANN401 - highspy's stubs lack the batch calls used here
    """Return a HiGHS that prints nothing and computes on one thread, so that runs repeat."""
    solver: Any = highspy.Highs()  # type: ignore[no-untyped-call]
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("threads", 1)
    return solver


class Relaxation:
    """The linear program of one battery bank over some time blocks.

    The solver starts afresh at each decision: a start from the last basis is six times faster, but
    among equal optima it would then pick one that depends on what was asked before.
    """

    def __init__(self, bank: BatteryBank, block_s: FloatArray) -> None:
        self.bank = bank
        self._block_s = block_s
        self._pattern = pattern(bank, block_s)
        self._columns = np.arange(bank.homes * self._pattern.columns, dtype=np.int32)
        self._rows = np.arange(bank.homes * self._pattern.rows, dtype=np.int32)
        self._zeros = np.zeros(len(self._columns))
        self._solver = quiet_highs()
        self._loaded = False

    def solve(self, numbers: Program) -> FloatArray:
        """Return the optimum, shape (homes, columns). [Wh]

        Returns
        -------
        FloatArray, shape (homes, columns)
            NaN for a home whose program HiGHS cannot solve, though it has an optimum. [Wh]

        Notes
        -----
        Without presolve a cold start is four times faster; about one mixed fleet in four thousand
        then ends in doubt. It is tried again with presolve, then home by home, so that one home's
        numbers never cost the others their decision.
        """
        if self._loaded:
            self._update(numbers)
        else:
            self._load(numbers)
        if not (self._optimal("off") or self._optimal("on")):
            return self._solve_each(numbers)
        values = np.array(self._solver.getSolution().col_value)
        return values.reshape(self.bank.homes, self._pattern.columns)

    def _optimal(self, presolve: str) -> bool:
        """Run from scratch and tell whether the optimum was found."""
        self._solver.clearSolver()
        self._solver.setOptionValue("presolve", presolve)
        self._solver.run()
        found: bool = self._solver.getModelStatus() == highspy.HighsModelStatus.kOptimal
        return found

    def _solve_each(self, numbers: Program) -> FloatArray:
        """Return the optimum home by home, NaN where there is none to be had."""
        if self.bank.homes == 1:
            return np.full((1, self._pattern.columns), np.nan)
        return np.concatenate(
            [
                Relaxation(self.bank.pick(home), self._block_s).solve(numbers.pick(home))
                for home in np.arange(self.bank.homes)[:, None]
            ]
        )

    def _load(self, numbers: Program) -> None:
        matrix = self._pattern
        self._solver.passModel(
            len(self._columns),
            len(self._rows),
            len(matrix.value),
            ROW_WISE,
            MINIMISE,
            0.0,
            numbers.cost.ravel(),
            self._zeros,
            numbers.column_high.ravel(),
            numbers.row_low.ravel(),
            numbers.row_high.ravel(),
            matrix.start.astype(np.int32),
            matrix.index.astype(np.int32),
            matrix.value,
            np.zeros(len(self._columns), dtype=np.int32),
        )
        self._loaded = True

    def _update(self, numbers: Program) -> None:
        columns, rows = self._columns, self._rows
        self._solver.changeColsCost(len(columns), columns, numbers.cost.ravel())
        self._solver.changeColsBounds(
            len(columns), columns, self._zeros, numbers.column_high.ravel()
        )
        self._solver.changeRowsBounds(
            len(rows), rows, numbers.row_low.ravel(), numbers.row_high.ravel()
        )
