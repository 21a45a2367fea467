"""A particle swarm as a prosumer's planner."""

from dataclasses import dataclass, field
from typing import Any, Final

from pymoo.algorithms.soo.nonconvex.pso import PSO

from devices.arrays import FloatArray
from hems.prosumer import Course, Prospect
from scenarios.prosumer.evolved import Budget, best_course

INERTIA: Final = 0.7298
PULL: Final = 1.4962
"""ω and c1 = c2 with which a swarm converges (M. Clerc and J. Kennedy, IEEE Transactions on
Evolutionary Computation 6, 2002, doi:10.1109/4235.985692); the paper prints none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Swarm:
    """Schedule by a particle swarm; see `hems.prosumer.Planner`.

    Notes
    -----
    Becchi 2024, eq. (3)-(4), with constant weights.
    """

    budget: Budget = field(default_factory=Budget)
    """What a plan may take."""
    trade: bool = True
    """Whether the battery may charge from the grid and discharge into it."""
    seed: int = 0
    """Of all draws: same prospect, same course, but for a budget of seconds."""

    def plan(self, prospect: Prospect) -> Course:
        """Return the best course found."""
        return best_course(
            prospect, self._search, budget=self.budget, trade=self.trade, seed=self.seed
        )

    def _search(self, first: FloatArray) -> Any:  # noqa: ANN401 - pymoo has no types
        return PSO(
            pop_size=len(first),
            sampling=first,
            w=INERTIA,
            c1=PULL,
            c2=PULL,
            adaptive=False,
            pertube_best=False,
        )
