"""The controllers that are compared, by name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Final

from hems.prosumer import Planner
from hems.prosumer_rules import CounterMeasures, FirstHour, RuleBased
from hems.prosumer_unplanned import Unplanned
from scenarios.prosumer.evolved import Budget
from scenarios.prosumer.genetic import Genetic
from scenarios.prosumer.milp import Milp
from scenarios.prosumer.one_hour import OneHour
from scenarios.prosumer.rules_compiled import CompiledRules
from scenarios.prosumer.swarm import Swarm

Make = Callable[[Budget, int], Planner]
"""Makes a planner of a search's budget and a seed; most need neither."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """One controller."""

    label: str
    """What it is called in tables and charts."""
    make: Make
    """Makes it."""
    trades: bool = False
    """Whether its battery may charge from the grid and discharge into it."""
    searches: bool = False
    """Whether it is a search with a budget: too slow for a year of hourly plans."""


def _fixed(planner: Planner) -> Make:
    return lambda _budget, _seed: planner


def _rules(measures: CounterMeasures | None = None, hour: FirstHour = FirstHour.SLOT) -> Make:
    rules = RuleBased(measures=measures or CounterMeasures(), first_hour=hour)
    return _fixed(CompiledRules(rules=rules))


ALONE: Final[Mapping[str, str]] = {
    "correct_target": "targets corrected by past errors",
    "cover_dearest": "dearest two hours covered",
    "store_cheapest": "cheapest two hours stored",
    "cover_missing_surplus": "missing surplus covered",
    "release_plenty": "plenty released",
}
"""Counter-measures by the names of `CounterMeasures`."""


def _only(name: str) -> CounterMeasures:
    return CounterMeasures(**{each.name: each.name == name for each in fields(CounterMeasures)})


METHODS: Final[Mapping[str, Method]] = {
    "none": Method(label="No controller", make=_fixed(Unplanned())),
    "mpc": Method(label="MPC of one hour", make=_fixed(OneHour()), trades=True),
    "rules": Method(label="Rules of the paper", make=_rules()),
    "rules_no_countermeasures": Method(
        label="Rules, no counter-measures", make=_rules(CounterMeasures.none())
    ),
    **{
        f"rules_only_{name}": Method(label=f"Rules, only {label}", make=_rules(_only(name)))
        for name, label in ALONE.items()
    },
    "rules_worth": Method(label="Rules by worth", make=_rules(hour=FirstHour.WORTH)),
    "milp_no_trade": Method(label="MILP without trade", make=_fixed(Milp(trade=False))),
    "rules_trade": Method(
        label="Rules by worth, trading", make=_rules(hour=FirstHour.TRADE), trades=True
    ),
    "milp": Method(label="MILP", make=_fixed(Milp()), trades=True),
    "ga_no_trade": Method(
        label="GA without trade",
        make=lambda budget, seed: Genetic(budget=budget, seed=seed, trade=False),
        searches=True,
    ),
    "pso_no_trade": Method(
        label="PSO without trade",
        make=lambda budget, seed: Swarm(budget=budget, seed=seed, trade=False),
        searches=True,
    ),
    "ga": Method(
        label="GA",
        make=lambda budget, seed: Genetic(budget=budget, seed=seed),
        trades=True,
        searches=True,
    ),
    "pso": Method(
        label="PSO",
        make=lambda budget, seed: Swarm(budget=budget, seed=seed),
        trades=True,
        searches=True,
    ),
}
"""By name, in the order of tables."""
