"""The study as values: a building's year, what was run with it, and what came of that."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Final

from devices.arrays import FloatArray, IntArray
from scenarios.dispatch.campus import campus_load
from scenarios.dispatch.ev_profiles import Reading, ev_load
from scenarios.dispatch.optimum import Optimum, Prices, share_of_saving
from scenarios.dispatch.plant import Generation
from scenarios.dispatch.run import SAM_START, months
from scenarios.dispatch.sun import production
from scenarios.dispatch.tariff_marchi import COMBINATIONS
from scenarios.marchi import cases, paper

STEP_S: Final = 3600
PAPERS: Final[Generation] = "2020"
"""The SAM that the paper must have run."""
TODAYS: Final[Generation] = "2025"
"""The SAM of today."""
PricePair = tuple[float, float]
"""Of energy [EUR/MWh], and of peaks for a year [EUR/kW]."""
PAIRS: Final[tuple[PricePair, ...]] = tuple(
    (each.energy_price_per_mwh, each.peak_price_per_kw_year) for each in COMBINATIONS
)
"""The paper's nine combinations."""
MIDDLE: Final[PricePair] = PAIRS[len(PAIRS) // 2]
"""The middle one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """A building's year, its panels' and its cars'."""

    load_w: FloatArray
    """Demand without cars, by hours. [W]"""
    pv_w: FloatArray
    """Production at the AC side. [W]"""
    reading: Reading = "curve"
    """Which of the paper's statements says what a car takes."""
    source: str = "generated"
    """``real`` or ``generated``."""
    years: int = paper.YEARS
    """Years that a battery's life is run for."""
    pairs: tuple[PricePair, ...] = PAIRS
    """Prices; the `MIDDLE` is among them."""
    bounded: tuple[int, ...] = tuple(cases.WINDOWS)
    """Configurations whose optimum is looked for; `cases.SHOWN_WINDOW` is among them."""

    @property
    def month(self) -> IntArray:
        """Month of each hour, 0..11."""
        return months(SAM_START, STEP_S, self.load_w.size)

    def with_cars_w(self, hypothesis: int) -> FloatArray:
        """Return the demand with the cars of a hypothesis. [W]"""
        return self.load_w + ev_load(hypothesis, STEP_S, reading=self.reading)


@dataclass(frozen=True, slots=True, kw_only=True)
class Year:
    """The first year of a run, and what 25 of them leave of the battery."""

    import_w: FloatArray
    """Import by hours. [W]"""
    export_w: FloatArray
    """Export. [W]"""
    charged_w: FloatArray
    """Production that charges. [W]"""
    delivered_w: FloatArray
    """Battery to load. [W]"""
    soc: FloatArray
    """State of charge at the end of each hour."""
    peaks_kw: tuple[float, ...]
    """Highest import of each month. [kW]"""
    round_trip: float
    """Energy discharged over energy charged."""
    cycles: float
    """Equivalent full cycles of all years."""
    left: tuple[float, ...]
    """Capacity left at the end of each year, share."""

    @property
    def peak_kw(self) -> float:
        """Highest import of the year. [kW]"""
        return max(self.peaks_kw)

    @property
    def delivered_mwh(self) -> float:
        """Load that the battery covered. [MWh]"""
        return float(self.delivered_w.sum()) / 1e6

    def cost(self, study: Study, prices: Prices) -> float:
        """Return what the year costs. [EUR]"""
        return prices.cost(self.import_w, self.export_w, step_s=STEP_S, period=study.month)


@dataclass(frozen=True, slots=True, kw_only=True)
class Best:
    """What no dispatch can do better in one of the paper's windows."""

    peak_kw: float
    """Lowest highest import of the year. [kW]"""
    delivered_mwh: float
    """Bound on the load that the battery covers. [MWh]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """What the year costs at a pair of prices, configuration 3. [EUR]"""

    grid: float
    """Without PV and battery."""
    pv: float
    """With PV alone."""
    by_policy: Mapping[Generation, Mapping[int, float]]
    """With both, by policy."""
    tuned: float
    """With policy 3 and the optimum's monthly peaks as its targets, as the paper's SAM ran it."""
    rolling: float
    """With the cheapest plan of each day, as it is planned: by a battery without resistance."""
    carried: float
    """With the same plan as an input dispatch of the policies' battery."""
    best_carried: float
    """With the optimum's plan as an input dispatch of the policies' battery."""
    best: float
    """With the optimum of the year."""

    def share(self, cost: float) -> float:
        """Return the part of the greatest saving that a cost reaches."""
        return share_of_saving(cost, without=self.pv, best=self.best) or 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What the study came to."""

    study: Study
    """What was run."""
    matrix: Mapping[tuple[Generation, int, int], Year]
    """By generation, configuration and policy."""
    wishes: Mapping[tuple[Generation, str], Year]
    """Policy 4's series in configuration 3, one year."""
    best: Mapping[int, Best]
    """By configuration."""
    peaks: Mapping[tuple[Generation, int], tuple[float, ...]]
    """Table 4: highest import of each month, by scenario. [kW]"""
    best_peaks: Mapping[int, tuple[float, ...]]
    """The lowest sum of the same, scenarios 4 and 6. [kW]"""
    cars: Mapping[tuple[Generation, int], Year]
    """By hypothesis of the cars; policy 3, configuration 3."""
    with_cars: Mapping[tuple[Generation, int], Year]
    """By policy, four cars; configuration 3."""
    bills: Mapping[PricePair, Bill]
    """By prices."""
    best_year: Optimum
    """The optimum at the middle prices, configuration 3."""


def make_study(
    data: Path | None, *, seed: int, reading: Reading = "curve", quick: bool = False
) -> Study:
    """Return the building of a data folder, or a drawn one.

    Parameters
    ----------
    data : Path or None
        Folder of real series; None draws.
    seed : int
        Of everything drawn.
    reading : {"curve", "soc"}
        What a car takes.
    quick : bool
        Two years of life, one pair of prices, and the optimum in one configuration only.
    """
    study = Study(
        load_w=campus_load(STEP_S, seed, data),
        pv_w=production(STEP_S, seed, data),
        reading=reading,
        source="generated" if data is None else "real",
    )
    if quick:
        return replace(study, years=2, pairs=(MIDDLE,), bounded=(cases.SHOWN_WINDOW,))
    return study


def prices_of(pair: PricePair) -> Prices:
    """Return the paper's tariff: Cost = E p_e + P p_p / 12, P being each month's highest import."""
    energy, peak = pair
    return Prices(import_price_per_mwh=energy, peak_price_per_kw=peak / 12)


def calendar(hour: int) -> str:
    """Return an hour of SAM's year as people say it."""
    return f"{SAM_START + timedelta(hours=hour):%A %-d %B, %-H h}"
