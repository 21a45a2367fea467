"""The home MPC's program solved by compiled code, home by home: for fleets of thousands."""

import numpy as np

from devices.arrays import BoolArray, FloatArray
from hems.controller import Observation
from hems.interrupts import interrupts_told
from hems.mpc_program import Program
from hems.mpc_tree import Numbers, solve_homes


class CompiledEngine:
    """See `hems.mpc_engine.Engine`; needs numba, which compiles it in ten seconds, once."""

    def solve(self, seen: Observation, numbers: Program) -> tuple[FloatArray, BoolArray]:
        """See `hems.mpc_engine.Engine`."""
        bank = seen.bank
        numbers_of_homes = Numbers(
            numbers.cost,
            numbers.column_high,
            numbers.row_low,
            numbers.row_high,
            np.stack([bank.charge_efficiency, bank.discharge_efficiency], axis=1),
            float(seen.block_s[0] / seen.block_s.sum()),
        )
        with interrupts_told():
            return solve_homes(numbers_of_homes)
