"""What the genetic algorithm and the particle swarm have in common: the problem and the budget.

A candidate holds a number for each hour ahead. With trade it is the energy at the cells over what
the battery can move; without, the share of the hour's surplus or demand that it takes. What a
candidate comes to is told by `hems.prosumer.course_of_cells`, the physics of all planners: what
does not fit into the battery is cut off, so that no candidate is infeasible.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from pymoo.config import Config
from pymoo.core.problem import Problem
from pymoo.optimize import minimize
from pymoo.termination import get_termination

from devices.arrays import FloatArray
from hems.errors import ControlInputError
from hems.prosumer import Course, Prospect, course_of_cells
from scenarios.prosumer.rights import kept_to_house, of_house_wh

Config.show_compile_hint = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What a search may take for one plan; the same for all that are compared.

    Raises
    ------
    ControlInputError
        If a number is not positive.
    """

    evaluations: int = 1000
    """Candidates that are judged; counts where ``seconds`` is None."""
    seconds: float | None = None
    """Time by the clock; plans then depend on how fast the machine is. [s]"""
    population: int = 40
    """Candidates at a time, >= 4."""

    def __post_init__(self) -> None:
        if (
            self.evaluations < 1
            or self.population < 4
            or not (self.seconds is None or self.seconds > 0)
        ):
            msg = f"search: {self} leaves no room; give evaluations, a population >= 4 or seconds"
            raise ControlInputError(msg)


Search = Callable[[FloatArray], Any]
"""Makes pymoo's algorithm of a first population, shape (population, hours)."""


def best_course(
    prospect: Prospect, search: Search, *, budget: Budget, trade: bool, seed: int
) -> Course:
    """Return the best course that a search finds for every home, each by itself.

    Parameters
    ----------
    prospect : Prospect
        What the homes know.
    search : Search
        The algorithm. Its first population is drawn, but for one: self-consumption.
    budget : Budget
        What it may take.
    trade : bool
        Whether a battery may charge from the grid and discharge into it.
    seed : int
        Of all draws; home i's is ``seed + i``.
    """
    cells_wh = [
        _home(_one(prospect, home), search, budget=budget, trade=trade, seed=seed + home)
        for home in range(prospect.bank.homes)
    ]
    found = course_of_cells(prospect, np.stack(cells_wh))
    return found if trade else kept_to_house(found)


def _home(
    prospect: Prospect, search: Search, *, budget: Budget, trade: bool, seed: int
) -> FloatArray:
    """Return the best actions for one home, at the cells, shape (hours,). [Wh]"""
    problem = _Hours(prospect, trade=trade)
    rng = np.random.default_rng(seed)
    first = rng.uniform(problem.xl, problem.xu, (budget.population, prospect.hours))
    first[0] = problem.self_consumption
    if budget.seconds is None:
        end = get_termination("n_eval", budget.evaluations)
    else:
        end = get_termination("time", budget.seconds)
    found = minimize(problem, search(first), end, seed=seed, verbose=False)
    cells_wh: FloatArray = found.X * problem.scale_wh
    return cells_wh


class _Hours(Problem):  # type: ignore[misc] # pymoo has no types
    """One home's hours ahead as pymoo sees them: cost of energy and ageing together.

    Notes
    -----
    Becchi 2024, eq. (1)-(2), names two objectives and does not say which. Energy and ageing are
    both money here and are added.
    """

    def __init__(self, prospect: Prospect, *, trade: bool) -> None:
        house_wh = of_house_wh(prospect)[0]
        most_wh = float(prospect.bank.power_max_w[0]) * prospect.step_h
        self.prospect = prospect
        self.scale_wh = np.full(prospect.hours, most_wh) if trade else house_wh
        own = house_wh / most_wh if trade and most_wh else np.ones(prospect.hours)
        self.self_consumption = own
        self._crowds: dict[int, Prospect] = {}
        super().__init__(n_var=prospect.hours, n_obj=1, xl=-1.0 if trade else 0.0, xu=1.0)

    def _evaluate(
        self, x: FloatArray, out: dict[str, FloatArray], *_: object, **__: object
    ) -> None:
        rows = x.shape[0]
        if rows not in self._crowds:
            self._crowds[rows] = _crowd(self.prospect, rows)
        told = course_of_cells(self._crowds[rows], x * self.scale_wh)
        out["F"] = (told.cost_micro + told.wear_micro)[:, None]


def _one(prospect: Prospect, home: int) -> Prospect:
    """Return one home's prospect."""
    place = np.array([home])

    def row(values: FloatArray) -> FloatArray:
        return np.broadcast_to(values, prospect.load_wh.shape)[home : home + 1]

    return replace(
        prospect,
        bank=prospect.bank.pick(place),
        stored_wh=prospect.stored_wh[place],
        shortfall_wh=prospect.shortfall_wh[place],
        load_wh=row(prospect.load_wh),
        pv_wh=row(prospect.pv_wh),
        import_price_per_mwh=row(prospect.import_price_per_mwh),
        export_price_per_mwh=row(prospect.export_price_per_mwh),
    )


def _crowd(prospect: Prospect, rows: int) -> Prospect:
    """Return one home's prospect as that of many equal homes, one per candidate."""
    shape = (rows, prospect.hours)
    place = np.zeros(rows, dtype=np.int64)
    return replace(
        prospect,
        bank=prospect.bank.pick(place),
        stored_wh=prospect.stored_wh[place],
        shortfall_wh=prospect.shortfall_wh[place],
        load_wh=np.broadcast_to(prospect.load_wh, shape),
        pv_wh=np.broadcast_to(prospect.pv_wh, shape),
    )
