"""What solves the home MPC's program, and the reference that does: HiGHS."""

from dataclasses import dataclass, field
from typing import Protocol

from devices.arrays import BoolArray, FloatArray
from hems.controller import Observation
from hems.mpc_branch import branch
from hems.mpc_exclusive import net_out
from hems.mpc_program import Program
from hems.mpc_relaxation import Relaxation

KEPT_MAX = 32
"""Models kept, the oldest makes room: a half-hour of one-minute steps has 30 kinds of horizon."""


class Engine(Protocol):
    """Solves the programs of all homes, each exactly."""

    def solve(self, seen: Observation, numbers: Program) -> tuple[FloatArray, BoolArray]:
        """Return every home's optimal columns, and whether they are proved optimal.

        Parameters
        ----------
        seen : Observation
            What the homes know.
        numbers : Program
            Their program.

        Returns
        -------
        tuple[FloatArray, BoolArray]
            Shape (homes, columns), NaN for a home that could not be solved [Wh]; shape (homes,).
        """
        ...


@dataclass(frozen=True, slots=True)
class HighsEngine:
    """Solve all homes as one sparse program on HiGHS: what a gateway has, and the reference.

    First the relaxation, without exclusivity, is solved. Where that charges and discharges, or
    imports and exports, at once, the two are netted; if netting costs nothing the result is the
    proved optimum. What is left, homes that would burn energy or be paid for wheeling it through,
    is settled by branch and bound.
    """

    _kept: dict[tuple[float, ...], Relaxation] = field(
        default_factory=dict, repr=False, compare=False
    )
    """Models by lengths of blocks, loaded once; a cache that never changes a result."""

    def solve(self, seen: Observation, numbers: Program) -> tuple[FloatArray, BoolArray]:
        """See `Engine`."""
        relaxed = self._relaxation(seen).solve(numbers)
        return branch(seen, numbers, relaxed, net_out(seen.bank, numbers, relaxed))

    def _relaxation(self, seen: Observation) -> Relaxation:
        lengths = tuple(seen.block_s.tolist())
        kept = self._kept.get(lengths)
        if kept is None or kept.bank is not seen.bank:
            if len(self._kept) >= KEPT_MAX:
                self._kept.pop(next(iter(self._kept)))
            kept = self._kept[lengths] = Relaxation(seen.bank, seen.block_s)
        return kept
