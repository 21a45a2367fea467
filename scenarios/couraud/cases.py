"""The six scenarios of Couraud 2021, section IV.B, as data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Final

from scenarios.simulation.arrangement import ALONE, FRAMEWORK, Arrangement
from scenarios.simulation.controllers import Named
from scenarios.simulation.fleet import Rules
from scenarios.simulation.fleet_run import FleetRun


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One scenario of the paper."""

    name: str
    """What it is, for tables."""
    about: str
    """What stands where and who sells, in a sentence."""
    arrangement: Arrangement
    """The same as data."""
    controller: Named
    """What decides for the batteries."""


CASES: Final[Mapping[int, Case]] = {
    0: Case(
        name="Demand only",
        about="70 homes without panels or batteries; the bills that the others are measured by.",
        arrangement=Arrangement(
            panels="none",
            batteries="none",
            market=False,
            households_in_portfolio=False,
            plant=False,
        ),
        controller="self-consumption",
    ),
    1: Case(
        name="PV and battery alone",
        about="Every home for itself: its battery follows its residual demand, and nobody pays for "
        "what it exports.",
        arrangement=ALONE,
        controller="self-consumption",
    ),
    2: Case(
        name="Central assets",
        about="All panels and batteries in one place, and the aggregator's plant; all is sold. The "
        "homes buy elsewhere.",
        arrangement=Arrangement(
            panels="central", batteries="central", households_in_portfolio=False
        ),
        controller="mpc",
    ),
    3: Case(
        name="Central assets, homes by wire",
        about="As 2, but the homes' demand is in the portfolio and they buy over its private wire.",
        arrangement=Arrangement(panels="central", batteries="central"),
        controller="mpc",
    ),
    4: Case(
        name="The framework",
        about="Panels and batteries at the homes, coordinated through the contract, and the "
        "aggregator's plant.",
        arrangement=FRAMEWORK,
        controller="mpc",
    ),
    5: Case(
        name="PV alone",
        about="As 1, without batteries.",
        arrangement=Arrangement(
            batteries="none", market=False, households_in_portfolio=False, plant=False
        ),
        controller="self-consumption",
    ),
}
"""By the paper's numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """What all scenarios have in common."""

    first_day: date
    """Local market day that they begin with."""
    days: int = 30
    """Days of each."""
    homes: int = 70
    """Homes of each."""
    folder: Path | None = None
    """Folder of real series; None generates."""
    rules: Rules = field(default_factory=Rules)
    """How each day is run: the paper's cycles and forecast error by default."""

    def run(self, number: int) -> FleetRun:
        """Return a scenario's run."""
        case = CASES[number]
        return FleetRun(
            first_day=self.first_day,
            days=self.days,
            homes=self.homes,
            rules=self.rules,
            folder=self.folder,
            arrangement=case.arrangement,
            controller=case.controller,
        )
