"""Tuning on some months of a year, judged by the others."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import date, timedelta
from typing import Final

import numpy as np

from contracts.timegrid import TimeGrid
from devices.arrays import IntArray
from hems.fuzzy.habib import HabibFuzzy, paper_rules
from hems.fuzzy.inference import Sugeno
from hems.fuzzy.rule_base import RuleBase
from hems.fuzzy.soc_rules import SocRules
from scenarios.data.calendar import local_midnight
from scenarios.fuzzy.tune import Score, peaks, tuned
from scenarios.habib.data import YEAR, Buildings
from scenarios.microgrid.connected import AlwaysConnected
from scenarios.microgrid.measures import Measures, Tariff, measures
from scenarios.microgrid.model import CYCLE_S, EdgeController, Surroundings, simulate
from scenarios.microgrid.plant import Microgrid

HELD_OUT: Final = (2, 5, 8, 11)
"""Months that no search sees: one of each season."""
TRAINED: Final = tuple(month for month in range(1, 13) if month not in HELD_OUT)
WEEK_MIN: Final = 7 * 1_440
WEEKS: Final = 4
"""Of each month, from its first day."""
START: Final = 0.75
"""State of charge when a week begins, 0..1."""
ROWS: Final[dict[str, str]] = {
    "cost": "cost, EUR a day",
    "soc_step": "mean |ΔSoC| of a cycle, %",
    "outside_share": "time outside the window, %",
    "overload_share": "time overloaded, %",
    "switchings": "switchings of the relay a day",
    "island_share": "time as an island, %",
}
"""What is told of each, in words."""
SHARES: Final = ("soc_step", "outside_share", "overload_share", "island_share")


@dataclass(frozen=True, slots=True, kw_only=True)
class Weeks:
    """Weeks side by side, each on its own from the same state of charge."""

    around: Surroundings
    """Minutes, shape (weeks, minutes); the grid's times are those of the first."""
    tariff: Tariff
    """Prices of each week."""
    market: Tariff
    """The same without charges."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gain:
    """What tuned words save beside another controller, week by week."""

    per_day: float
    """Mean. [EUR/day]"""
    error_per_day: float
    """Standard error of that, from week to week. [EUR/day]"""
    better_weeks: int
    """Weeks in which the tuned words cost less."""
    weeks: int
    """All."""

    @classmethod
    def of(cls, other: Measures, tuned: Measures) -> "Gain":
        """Return the saving over another controller in the same weeks."""
        saved = (other.cost - tuned.cost) / tuned.days
        return cls(
            per_day=float(saved.mean()),
            error_per_day=float(saved.std(ddof=1) / np.sqrt(saved.size)),
            better_weeks=int((saved > 0).sum()),
            weeks=saved.size,
        )

    @property
    def verdict(self) -> str:
        """What may be said: twice the error is what stands out."""
        if abs(self.per_day) <= 2 * self.error_per_day:
            return "no difference that stands out from the weeks' spread"
        return "a real gain" if self.per_day > 0 else "a real loss"


@dataclass(frozen=True, slots=True, kw_only=True)
class TuneFound:
    """What tuning came to."""

    printed: Mapping[str, tuple[float, ...]]
    """Peaks of the words to begin with, by input."""
    tuned: Mapping[str, tuple[float, ...]]
    """Those that were found."""
    trained: Mapping[str, Mapping[str, float]]
    """Mean measures of the weeks of training, by controller."""
    held_out: Mapping[str, Mapping[str, float]]
    """Those of the weeks that the search did not see."""
    gains: Mapping[str, Gain]
    """What tuned words save in held-out weeks, by the controller that they are held against."""
    evaluations: int
    """Words that were tried."""
    provenance: tuple[str, ...]
    """Where the days come from."""

    def lines(self) -> list[str]:
        """Return it as a table and a verdict."""
        names = list(self.trained)
        wide = max(map(len, ROWS.values()))
        told = [*self.provenance, ""]
        for title, figures in (("trained", self.trained), ("held out", self.held_out)):
            told.append(f"{title:{wide}} " + " ".join(f"{name:>10}" for name in names))
            for key, words in ROWS.items():
                scale = 100.0 if key in SHARES else 1.0
                cells = " ".join(f"{scale * figures[name][key]:10.3f}" for name in names)
                told.append(f"{words:{wide}} {cells}")
            told.append("")
        told += [
            f"{name}: peaks {_row(self.printed[name])} became {_row(self.tuned[name])}"
            for name in self.printed
        ]
        return [*told, "", *(f"held out, {self._verdict(name)}" for name in self.gains)]

    def _verdict(self, name: str) -> str:
        gain = self.gains[name]
        return (
            f"tuned against {name}: saves {gain.per_day:+.3f} ± {gain.error_per_day:.3f} EUR "
            f"a day, costs less in {gain.better_weeks} of {gain.weeks} weeks: {gain.verdict}"
        )


def _row(values: tuple[float, ...]) -> str:
    return " ".join(f"{round(value, 2) + 0.0:.2f}" for value in values)  # 0.00, not -0.00


def week_begins(grid: TimeGrid, months: tuple[int, ...]) -> IntArray:
    """Return the minutes at which the first weeks of some local months of the year begin.

    Parameters
    ----------
    grid : TimeGrid
        Minutes.
    months : tuple[int, ...]
        Which, from 1.
    """
    firsts = [local_midnight(date(YEAR, month, 1)) - grid.start for month in months]
    begins = np.array([first // timedelta(minutes=1) for first in firsts], dtype=np.int64)
    return (begins[:, None] + WEEK_MIN * np.arange(WEEKS)).ravel()


def weeks_of(buildings: Buildings, months: tuple[int, ...]) -> Weeks:
    """Return the first weeks of some months of a year, of every building."""
    return cut(buildings, week_begins(buildings.grid, months), WEEK_MIN)


def cut(buildings: Buildings, begins: IntArray, minutes: int) -> Weeks:
    """Return stretches of some minutes side by side, of every building, shape (stretches,)."""
    place = begins[:, None] + np.arange(minutes)

    def beside(values: np.ndarray) -> np.ndarray:
        return values[:, place].reshape(-1, minutes)

    def tariff(of: Tariff) -> Tariff:
        return Tariff(**{each.name: beside(getattr(of, each.name)) for each in fields(Tariff)})

    around = buildings.around
    return Weeks(
        around=Surroundings(
            grid=TimeGrid(start=around.grid.start, step_s=around.grid.step_s, count=minutes),
            load_w=beside(around.load_w),
            pv_w=beside(around.pv_w),
            price_level=beside(around.price_level),
            deviation_hz=beside(around.deviation_hz),
        ),
        tariff=tariff(buildings.tariff),
        market=tariff(buildings.market),
    )


def lived(weeks: Weeks, controller: EdgeController, microgrid: Microgrid) -> Measures:
    """Return what weeks come to under a controller."""
    homes = microgrid.homes
    trace = simulate(microgrid, weeks.around, controller, soc_start=np.full(homes, START))
    return measures(trace, weeks.tariff, weeks.market)


def fuzzy(rules: RuleBase, microgrid: Microgrid) -> HabibFuzzy:
    """Return the fuzzy manager by some rules in a microgrid."""
    return HabibFuzzy(rules=Sugeno(rules), limits=microgrid.limits(CYCLE_S))


def score(found: Measures) -> Score:
    """Return what a search is judged by: cost, and what must not grow for it."""
    held = (found.outside_share, found.overload_share, found.soc_step, found.switchings)
    return Score(
        cost=float(found.cost.mean()) / found.days,
        held=tuple(float(each.mean()) for each in held),
    )


def study(
    trained: Weeks,
    held_out: Weeks,
    *,
    evaluations: int,
    provenance: tuple[str, ...] = (),
    population: int = 24,
    seed: int = 0,
    tell: Callable[[int], None] = lambda _: None,
) -> TuneFound:
    """Tune the words on some weeks and judge them by others.

    Parameters
    ----------
    trained, held_out : Weeks
        What the search sees, and what it does not.
    evaluations, population, seed, tell
        See `scenarios.fuzzy.tune.tuned`.
    provenance : tuple[str, ...]
        Where the weeks come from.
    """
    base = paper_rules().rules
    grids = [Microgrid.of_homes(each.around.homes) for each in (trained, held_out)]

    def judge(rules: RuleBase) -> Score:
        return score(lived(trained, fuzzy(rules, grids[0]), grids[0]))

    best = tuned(base, judge, evaluations=evaluations, population=population, seed=seed, tell=tell)
    found = [
        {
            "printed": lived(weeks, fuzzy(base, grid), grid),
            "SoC rules": lived(weeks, SocRules(limits=grid.limits(CYCLE_S)), grid),
            "on grid": lived(weeks, AlwaysConnected(limits=grid.limits(CYCLE_S)), grid),
            "tuned": lived(weeks, fuzzy(best, grid), grid),
        }
        for weeks, grid in zip((trained, held_out), grids, strict=True)
    ]
    return TuneFound(
        printed=peaks(base),
        tuned=peaks(best),
        trained=_means(found[0]),
        held_out=_means(found[1]),
        gains={
            name: Gain.of(each, found[1]["tuned"])
            for name, each in found[1].items()
            if name != "tuned"
        },
        evaluations=evaluations,
        provenance=provenance,
    )


def _means(found: Mapping[str, Measures]) -> dict[str, dict[str, float]]:
    """Return mean figures by controller, cost by day."""
    return {
        name: {**each.means(), "cost": float(each.cost.mean()) / each.days}
        for name, each in found.items()
    }
