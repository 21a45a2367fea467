"""Words of fuzzy rules moved to where they cost least: the rules themselves stay as printed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from pymoo.algorithms.soo.nonconvex.de import DE
from pymoo.core.problem import ElementwiseProblem
from pymoo.optimize import minimize
from pymoo.termination import get_termination

from devices.arrays import FloatArray
from hems.fuzzy.rule_base import RuleBase
from hems.fuzzy.variables import Term, Variable

APART: Final = 0.05
"""Least distance of two peaks, as a share of the range: closer, words become switches."""
Peaks = Mapping[str, tuple[float, ...]]
"""Where each word of an input holds in full and no other does, from left to right, by input."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """What some words came to on some days."""

    cost: float
    """To be made least. [currency/day]"""
    held: tuple[float, ...]
    """What must not grow over the words that a search begins with."""


def peaks(base: RuleBase) -> dict[str, tuple[float, ...]]:
    """Return the peaks of words that share every value out: each falls as the next one rises."""
    found = {}
    for variable in base.inputs:
        first, *others = (term.corners for term in variable.terms)
        # A word at the left end holds up to its peak, all others from theirs.
        found[variable.name] = (first[2], *(corners[1] for corners in others))
    return found


def shaped(base: RuleBase, at: Peaks) -> RuleBase:
    """Return the same rules with words that peak elsewhere, and share every value out.

    Parameters
    ----------
    base : RuleBase
        Rules.
    at : Peaks
        Rising, within the inputs' ranges.
    """
    return replace(
        base,
        inputs=tuple(_with_peaks(variable, at[variable.name]) for variable in base.inputs),
    )


def _with_peaks(variable: Variable, at: tuple[float, ...]) -> Variable:
    edges = (variable.low, *at, variable.high)
    corners = [
        (before, peak, peak, after)
        for before, peak, after in zip(edges, at, edges[2:], strict=False)
    ]
    corners[0] = (variable.low, variable.low, at[0], at[1])
    corners[-1] = (at[-2], at[-1], variable.high, variable.high)
    terms = tuple(
        Term(name=term.name, corners=each)
        for term, each in zip(variable.terms, corners, strict=True)
    )
    return replace(variable, terms=terms)


def tuned(
    base: RuleBase,
    judge: Callable[[RuleBase], Score],
    *,
    evaluations: int,
    population: int = 24,
    seed: int = 0,
    tell: Callable[[int], None] = lambda _: None,
) -> RuleBase:
    """Return the rules with the words that a search found best.

    Parameters
    ----------
    base : RuleBase
        Rules to begin with, among the first candidates: what is found is never worse to ``judge``.
    judge : Callable[[RuleBase], Score]
        Tells what words come to on the days of training.
    evaluations : int
        How many words are tried.
    population : int
        Candidates of a generation.
    seed : int
        Of all draws.
    tell : Callable[[int], None]
        Told how many were tried.

    Notes
    -----
    Differential evolution (R. Storn and K. Price, Journal of Global Optimization 11, 1997), a
    candidate that keeps `Score.held` before one that does not.
    """
    problem = _Words(base, judge, tell)
    rng = np.random.default_rng(seed)
    first = rng.uniform(0.0, 1.0, (population, problem.n_var))
    first[0] = problem.begin
    # Half of them close by: the printed order of words is a good place to look.
    near = population // 2
    first[1:near] = np.clip(first[0] + rng.normal(0.0, 0.05, (near - 1, problem.n_var)), 0.0, 1.0)
    found = minimize(
        problem,
        DE(pop_size=population, sampling=first, variant="DE/best/1/bin", CR=0.7),
        get_termination("n_eval", evaluations),
        seed=seed,
        verbose=False,
    )
    return problem.rules(found.X)


class _Words(ElementwiseProblem):  # type: ignore[misc] # pymoo has no types
    """Peaks of words as pymoo sees them: places in their ranges, in any order."""

    def __init__(
        self,
        base: RuleBase,
        judge: Callable[[RuleBase], Score],
        tell: Callable[[int], None],
    ) -> None:
        self._base, self._judge, self._tell, self._tried = base, judge, tell, 0
        printed = peaks(base)
        self.begin = np.concatenate(
            [_places(variable, printed[variable.name]) for variable in base.inputs]
        )
        self._limit = judge(base).held
        super().__init__(
            n_var=self.begin.size, n_obj=1, n_ieq_constr=len(self._limit), xl=0.0, xu=1.0
        )

    def rules(self, x: FloatArray) -> RuleBase:
        """Return the rules with the words of a candidate."""
        ends = np.cumsum([len(variable.terms) for variable in self._base.inputs])
        parts = np.split(x, ends[:-1])
        at = {
            variable.name: _peaks_at(variable, part)
            for variable, part in zip(self._base.inputs, parts, strict=True)
        }
        return shaped(self._base, at)

    def _evaluate(self, x: FloatArray, out: dict[str, Any], *_: object, **__: object) -> None:
        score = self._judge(self.rules(x))
        out["F"] = score.cost
        out["G"] = [now - most for now, most in zip(score.held, self._limit, strict=True)]
        self._tried += 1
        self._tell(self._tried)


def _peaks_at(variable: Variable, places: FloatArray) -> tuple[float, ...]:
    """Return rising peaks, at least `APART`, from places 0..1 in any order."""
    count = places.size
    apart = np.sort(places) * (1 - APART * (count - 1)) + APART * np.arange(count)
    return tuple((variable.low + apart * (variable.high - variable.low)).tolist())


def _places(variable: Variable, at: tuple[float, ...]) -> FloatArray:
    """Return the places of rising peaks: the inverse of `_peaks_at`."""
    share = (np.array(at) - variable.low) / (variable.high - variable.low)
    places: FloatArray = (share - APART * np.arange(share.size)) / (1 - APART * (share.size - 1))
    return places
