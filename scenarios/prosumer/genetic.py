"""A genetic algorithm as a prosumer's planner."""

from dataclasses import dataclass, field
from typing import Any

from pymoo.algorithms.soo.nonconvex.ga import GA

from devices.arrays import FloatArray
from hems.prosumer import Course, Prospect
from scenarios.prosumer.evolved import Budget, best_course


@dataclass(frozen=True, slots=True, kw_only=True)
class Genetic:
    """Schedule by selection, crossover and mutation; see `hems.prosumer.Planner`.

    Notes
    -----
    Becchi 2024, §II.C, without its settings. Ours are pymoo's: tournament, simulated binary
    crossover, polynomial mutation.
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
        # comparing all pairs costs more time than a candidate that comes twice
        return GA(pop_size=len(first), sampling=first, eliminate_duplicates=False)
