"""How long plans take on this machine, all of them of the same hours."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from time import perf_counter

import numpy as np

from devices.arrays import FloatArray
from hems.prosumer import Planner, Prospect
from hems.prosumer_rules import RuleBased
from scenarios.prosumer.genetic import Genetic
from scenarios.prosumer.milp import Milp
from scenarios.prosumer.rules_compiled import CompiledRules
from scenarios.prosumer.study import Study
from scenarios.prosumer.swarm import Swarm
from scenarios.prosumer.year import Span, prospect_at

HOURS_APART = 797
"""Hours from one plan that is timed to the next: a prime, so that all hours of a day come."""
BATCH = 1000
"""Homes of the batch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """Times by the clock, the mean of the best of some tries of each plan."""

    rules_ms: float
    """The rules as they ship for studies, compiled, one home. [ms]"""
    rules_numpy_ms: float
    """The same on a gateway, where nothing is compiled. [ms]"""
    rules_batch_us: float
    """The rules, compiled, of a home among 1,000. [µs]"""
    rules_numpy_batch_us: float
    """The same, not compiled. [µs]"""
    milp_ms: float
    """The MILP whose relaxation comes first. [ms]"""
    milp_binaries_ms: float
    """The MILP always with binaries. [ms]"""
    ga_ms: float
    """The genetic algorithm within its budget. [ms]"""
    pso_ms: float
    """The particle swarm within the same. [ms]"""

    @property
    def speedup_rules_milp(self) -> float:
        """The MILP's time over the rules', both as they ship for studies."""
        return self.milp_ms / self.rules_ms

    @property
    def speedup_rules_numpy_milp(self) -> float:
        """The MILP's time over that of the rules of a gateway."""
        return self.milp_ms / self.rules_numpy_ms

    @property
    def speedup_rules_milp_binaries(self) -> float:
        """The same of the MILP always with binaries over the rules as they ship."""
        return self.milp_binaries_ms / self.rules_ms


def speed(study: Study) -> Speed:
    """Return the times of plans of some hours of a study, known perfectly."""
    many = _prospects(study, every=HOURS_APART)
    few, batch = many[::4], [_batch(study, many[0])]
    rules, plain_rules = CompiledRules(), RuleBased()
    rules_ms, rules_numpy_ms, milp_ms = _means_ms((rules, plain_rules, Milp()), many, tries=30)
    batch_ms, numpy_batch_ms = _means_ms((rules, plain_rules), batch, tries=10)
    binaries_ms, ga_ms, pso_ms = _means_ms(
        (Milp(relax_first=False), Genetic(budget=study.budget), Swarm(budget=study.budget)),
        few,
        tries=2,
    )
    return Speed(
        rules_ms=rules_ms,
        rules_numpy_ms=rules_numpy_ms,
        rules_batch_us=batch_ms * 1e3 / BATCH,
        rules_numpy_batch_us=numpy_batch_ms * 1e3 / BATCH,
        milp_ms=milp_ms,
        milp_binaries_ms=binaries_ms,
        ga_ms=ga_ms,
        pso_ms=pso_ms,
    )


def _means_ms(
    planners: Sequence[Planner], prospects: Sequence[Prospect], *, tries: int
) -> list[float]:
    """Return each planner's mean over plans of the best of some tries.

    They take turns from plan to plan, so that what else the machine does disturbs all alike. The
    first plan of each loads and compiles, and does not count.
    """
    for planner in planners:
        planner.plan(prospects[0])
    best_s = np.full((len(planners), len(prospects)), np.inf)
    for column, prospect in enumerate(prospects):
        for row, planner in enumerate(planners):
            for _ in range(tries):
                begun_s = perf_counter()
                planner.plan(prospect)
                best_s[row, column] = min(best_s[row, column], perf_counter() - begun_s)
    return [float(mean_s) * 1e3 for mean_s in best_s.mean(axis=1)]


def _prospects(study: Study, *, every: int) -> list[Prospect]:
    """Return what is known in some hours of the study, the battery half full."""
    bank = study.battery.bank
    return [
        prospect_at(
            study.series,
            study.perfect,
            Span(),
            hour,
            bank=bank,
            stored_wh=bank.capacity_wh / 2,
            shortfall_wh=np.zeros(bank.homes),
            wear_price_per_mwh=study.battery.wear_price_per_mwh,
        )
        for hour in range(study.begin, study.begin + study.hours, every)
    ]


def _batch(study: Study, prospect: Prospect) -> Prospect:
    """Return 1,000 homes: the same battery, and each the home's hours of another time."""
    rng, place = np.random.default_rng(0), np.zeros(BATCH, dtype=np.int64)
    begin = rng.integers(0, study.series.hours - prospect.hours, BATCH)
    hours = begin[:, None] + np.arange(prospect.hours)

    def others(series_wh: FloatArray) -> FloatArray:
        taken_wh: FloatArray = series_wh[0, hours]
        return taken_wh

    return replace(
        prospect,
        bank=prospect.bank.pick(place),
        stored_wh=rng.uniform(0.1, 1.0, BATCH) * prospect.bank.capacity_wh[0],
        shortfall_wh=prospect.shortfall_wh[place],
        load_wh=others(study.series.load_wh),
        pv_wh=others(study.series.pv_wh),
    )
