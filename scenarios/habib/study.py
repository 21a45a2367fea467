"""The study: which controller lives through which days, and what it comes to."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from devices.arrays import FloatArray
from scenarios.habib.breaks import CYCLES_MIN, Break, Estimate, breaks, ratio
from scenarios.habib.data import Buildings
from scenarios.habib.eight_hours import Pair, Trials, trials, two_days
from scenarios.habib.methods import COMPARED, METHODS
from scenarios.microgrid.measures import Measures, measures
from scenarios.microgrid.model import CYCLE_S, Trace, simulate
from scenarios.microgrid.plant import Microgrid

Sky = Literal["sunny", "cloudy"]
Stretch = Literal["trials", "month", "year"]
"""All tests of eight hours, or whole days without a break."""
SKIES: Final[tuple[Sky, ...]] = ("sunny", "cloudy")
START: Final[dict[Sky, float]] = {"sunny": 0.9, "cloudy": 0.75}
"""State of charge at ten o'clock: about the upper limit on the paper's sunny day, and about 75 % on
its partly cloudy one (sections 4.2.1 and 4.2.2)."""
START_ELSE: Final = 0.75
"""Of all other runs: where the paper says that its rules work."""
TIMED: Final = 2000
"""Decisions that are timed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One of the two days under one controller."""

    buildings: Buildings
    """The day."""
    trace: Trace
    """What happened."""
    figures: dict[str, float]
    """Its measures."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A measure under a controller less that under another, on the same tests."""

    difference: Estimate
    """Mean of a test."""
    less_share: float
    """Share of tests in which the first has less."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What the study came to."""

    month: Buildings
    """The days."""
    held: Trials
    """A test on each of them."""
    pair: Pair
    """The two that are shown."""
    year: Buildings | None
    """A year, if one was lived through."""
    shown: Mapping[tuple[Sky, str], Shown]
    """The two days by controller."""
    outcomes: Mapping[tuple[Stretch, str], Measures]
    """The rest by controller."""
    broken: tuple[Break, ...]
    """How limits fared in the tests by controller and cycle."""
    decision_us: Mapping[str, float]
    """Time of a decision for one building by controller. [µs]"""

    def mean(self, stretch: Stretch, method: str) -> dict[str, float]:
        """Return a controller's mean figures."""
        return self.outcomes[stretch, method].means()

    def gap(self, name: str, method: str, other: str) -> Gap:
        """Return by how much two controllers differ over all tests."""
        first, second = (getattr(self.outcomes["trials", each], name) for each in (method, other))
        return Gap(
            difference=ratio(first - second, np.ones(first.size), self.held.day),
            less_share=float((first < second).mean()),
        )

    def breaking(self, method: str, cycle_min: int = CYCLE_S // 60) -> dict[str, Break]:
        """Return how limits fared under a controller, by limit."""
        return {
            each.kind: each
            for each in self.broken
            if each.method == method and each.cycle_min == cycle_min
        }

    @property
    def stretches(self) -> tuple[Stretch, ...]:
        """What was lived through."""
        return ("trials", "month") if self.year is None else ("trials", "month", "year")

    @property
    def longest(self) -> Stretch:
        """The last of these."""
        return self.stretches[-1]


def live(buildings: Buildings, method: str, soc_start: float, cycle_s: int | None = None) -> Trace:
    """Live through some minutes.

    Parameters
    ----------
    buildings : Buildings
        Whose.
    method : str
        Key of `METHODS`.
    soc_start : float
        State of charge at first, 0..1.
    cycle_s : int | None
        From one decision to the next; None leaves it to the controller. [s]
    """
    rows, every_s = buildings.around.homes, cycle_s or METHODS[method].cycle_s
    microgrid = Microgrid.of_homes(rows)
    return simulate(
        microgrid,
        buildings.around,
        METHODS[method].make(microgrid.limits(every_s)),
        soc_start=np.full(rows, soc_start),
        cycle_s=every_s,
    )


def run(
    month: Buildings,
    year: Buildings | None,
    progress: Callable[[str], None] = lambda _: None,
) -> Found:
    """Live through everything and judge it.

    Parameters
    ----------
    month : Buildings
        Days whose tests, and which as a whole, are compared.
    year : Buildings | None
        A year, or none.
    progress : Callable[[str], None]
        Told what is done, as often as `parts` says.
    """
    held = trials(month)
    pair = two_days(held)
    shown: dict[tuple[Sky, str], Shown] = {}
    outcomes: dict[tuple[Stretch, str], Measures] = {}
    broken: list[Break] = []
    for method, about in METHODS.items():
        for sky in SKIES:
            shown[sky, method] = _shown(held.one(getattr(pair, sky)), method, START[sky])
        broken += _broken(held, method)
        for name, whole in _stretches(held, month, year).items():
            outcomes[name, method] = _judged(whole, live(whole, method, START_ELSE))
            progress(f"{name}: {about.label}")
    return Found(
        month=month,
        held=held,
        pair=pair,
        year=year,
        shown=shown,
        outcomes=outcomes,
        broken=tuple(broken),
        decision_us={method: _decision_us(method) for method in METHODS},
    )


def parts(year: Buildings | None) -> int:
    """Return how often `run` tells its progress."""
    return len(METHODS) * (2 if year is None else 3)


def _broken(held: Trials, method: str) -> list[Break]:
    """Return how limits fare in the tests by the length of the cycle."""
    found: list[Break] = []
    for minutes in CYCLES_MIN if method in COMPARED else ():
        found += breaks(live(held.buildings, method, START_ELSE, minutes * 60), held.day, method)
    return found


def _stretches(held: Trials, month: Buildings, year: Buildings | None) -> dict[Stretch, Buildings]:
    found: dict[Stretch, Buildings] = {"trials": held.buildings, "month": month}
    return found if year is None else {**found, "year": year}


def _judged(buildings: Buildings, trace: Trace) -> Measures:
    return measures(trace, buildings.tariff, buildings.market)


def _shown(buildings: Buildings, method: str, soc_start: float) -> Shown:
    trace = live(buildings, method, soc_start)
    return Shown(buildings=buildings, trace=trace, figures=_judged(buildings, trace).means())


def _decision_us(method: str) -> float:
    """Return the time of a decision for one building. [µs]"""
    rng = np.random.default_rng(0)
    balance_w, soc, level = (
        rng.uniform(low, high, (TIMED, 1)) for low, high in ((-4e3, 4e3), (0.5, 0.9), (0.0, 1.0))
    )
    controller = METHODS[method].make(Microgrid.of_homes(1).limits(CYCLE_S))

    def ask(place: int) -> FloatArray:
        return controller.edge(balance_w[place], soc[place], level[place])[0]

    ask(0)
    begin = time.perf_counter()
    for place in range(TIMED):
        ask(place)
    return (time.perf_counter() - begin) / TIMED * 1e6
