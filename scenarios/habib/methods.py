"""The controllers that are compared, by name."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from hems.fuzzy.edge import Limits
from hems.fuzzy.habib import HabibFuzzy
from hems.fuzzy.relay import SteadyEdge
from hems.fuzzy.soc_rules import SocRules
from scenarios.microgrid.connected import AlwaysConnected
from scenarios.microgrid.kept_relay import KeptRelay
from scenarios.microgrid.model import CYCLE_S, EdgeController


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """One controller."""

    label: str
    """How it is called in tables."""
    make: Callable[[Limits], EdgeController]
    """Makes it for a run, within limits."""
    yardstick: bool = False
    """Whether the paper does not know it."""
    cycle_s: int = CYCLE_S
    """From one decision to the next, unless a study asks for another. [s]"""


def _steady(limits: Limits) -> KeptRelay:
    rules = HabibFuzzy(limits=limits)
    return KeptRelay(steady=SteadyEdge(rules=rules, limits=limits), cycle_s=limits.cycle_s)


METHODS: Final[dict[str, Method]] = {
    "rules": Method(label="SoC rules", make=lambda limits: SocRules(limits=limits)),
    "fuzzy": Method(label="Fuzzy", make=lambda limits: HabibFuzzy(limits=limits)),
    "fuzzy_steady": Method(label="Fuzzy, steady relay", make=_steady, yardstick=True),
    "connected": Method(
        label="Always connected",
        make=lambda limits: AlwaysConnected(limits=limits),
        yardstick=True,
    ),
    "connected_minute": Method(
        label="Connected, by the minute",
        make=lambda limits: AlwaysConnected(limits=limits),
        yardstick=True,
        cycle_s=60,
    ),
}
"""The paper's two first."""
COMPARED: Final = tuple(name for name, method in METHODS.items() if method.cycle_s == CYCLE_S)
"""Those whose cycle a study changes."""
