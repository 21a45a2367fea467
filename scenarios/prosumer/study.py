"""The study of one prosumer: which controller lives through which hours, and what it comes to."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Final, Literal

import numpy as np

from devices.ageing import wear_price_per_mwh
from devices.ageing_law import AgeingLaw
from devices.arrays import FloatArray
from devices.battery_bank import BatteryBank
from scenarios.prosumer.evolved import Budget
from scenarios.prosumer.forecasts import HORIZON_H, Outlook
from scenarios.prosumer.methods import ALONE, METHODS
from scenarios.prosumer.series import Known, ProsumerSeries
from scenarios.prosumer.year import Lived, Span, live

Forecast = Literal["perfect", "imperfect"]
"""What is known of load and production."""
Stretch = Literal["year", "month"]
"""Which hours: all that are asked for, or the few in which searches are compared."""
DAY_H: Final = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Battery:
    """The battery of the study, and how it ages."""

    bank: BatteryBank = field(
        default_factory=lambda: BatteryBank.uniform(
            1, capacity_wh=6000.0, power_max_w=3000.0, efficiency=0.95, soc_min=0.1
        )
    )
    """One home's. The paper prints 6 kWh and that charge stays above 10 %."""
    price: float = 3000.0
    """Price of the battery, an assumption: 500 per kWh. [currency]"""
    law: AgeingLaw = field(default_factory=AgeingLaw.lfp)
    """How it ages."""

    @property
    def wear_price_per_mwh(self) -> float:
        """What planners reckon for energy into or out of the cells. [currency/MWh]"""
        capacity_wh = float(self.bank.capacity_wh[0])
        return wear_price_per_mwh(self.law, battery_price=self.price, capacity_wh=capacity_wh)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One run."""

    method: str
    """Key of `METHODS`."""
    forecast: Forecast = "perfect"
    """What is known."""
    stretch: Stretch = "year"
    """Which hours."""
    horizon_h: int = HORIZON_H
    """Hours ahead. [h]"""

    @property
    def name(self) -> str:
        """Its name in files and figures."""
        short = "" if self.horizon_h == HORIZON_H else f"_{self.horizon_h}h"
        return f"{self.method}{short}-{self.forecast}-{self.stretch}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a run came to."""

    case: Case
    """Which."""
    days: float
    """Days lived through. [d]"""
    cash_flow: float
    """Export sold less import paid for, and the worth of what is left. [currency]"""
    cycle_cost: float
    """Eq. (9) of ageing by use. [currency]"""
    calendar_cost: float
    """Eq. (9) of ageing by time. [currency]"""
    import_wh: float
    """Taken from the grid. [Wh]"""
    export_wh: float
    """Fed into it. [Wh]"""
    import_peak_wh: float
    """Greatest hour of import. [Wh]"""
    export_peak_wh: float
    """Greatest hour of export. [Wh]"""
    cycles: float
    """Throughput over twice the capacity."""
    capacity_loss: float
    """Lost capacity over nominal."""
    decision_ms: float
    """Processor's time of a plan, the mean. [ms]"""
    daily: FloatArray
    """Cash flow since the beginning at the end of each day, shape (days,). [currency]"""

    def plain(self) -> dict[str, object]:
        """Return the figures as JSON carries them, without the curve."""
        told = asdict(self)
        del told["daily"]
        return told | {"case": self.case.name, **asdict(self.case)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """What all runs have in common."""

    series: ProsumerSeries
    """What happens."""
    imperfect: Outlook
    """What is expected where forecasts are not perfect."""
    begin: int
    """First hour of the year in the series. [h]"""
    hours: int
    """Hours of the year, or fewer. [h]"""
    month_begin: int
    """First hour of the stretch of searches. [h]"""
    month_hours: int
    """Its hours, 0 leaves searches out. [h]"""
    battery: Battery = field(default_factory=Battery)
    """The battery."""
    budget: Budget = field(default_factory=Budget)
    """What a search may take for a plan."""
    known: Known = "all"
    """Prices that plans know."""
    seed: int = 0
    """Of searches."""

    @property
    def perfect(self) -> Outlook:
        """What is expected where forecasts are perfect."""
        series = self.series
        return Outlook.perfect(series.load_wh, series.pv_wh, first_hour=series.first_hour)

    def live(self, case: Case, progress: Callable[[int], None] = lambda _: None) -> Lived:
        """Live through a run; ``progress`` is told the hours that are done."""
        year = case.stretch == "year"
        span = Span(
            begin=self.begin if year else self.month_begin,
            hours=self.hours if year else self.month_hours,
            horizon_h=case.horizon_h,
            known=self.known,
        )
        return live(
            self.series,
            METHODS[case.method].make(self.budget, self.seed),
            self.battery.bank,
            outlook=self.perfect if case.forecast == "perfect" else self.imperfect,
            span=span,
            wear_price_per_mwh=self.battery.wear_price_per_mwh,
            progress=progress,
        )

    def judged(self, case: Case, lived: Lived) -> Outcome:
        """Return what a run came to."""
        battery = self.battery
        lost = lived.ageing(battery.law, battery.bank)
        per_loss = battery.price / battery.law.end_of_life_loss
        grid_wh = lived.grid_wh[0]
        moved_wh = np.abs(np.diff(lived.stored_wh[0])).sum()
        hours = grid_wh.size
        daily = np.cumsum(lived.income_micro[0])[DAY_H - 1 :: DAY_H] / 1e6
        return Outcome(
            case=case,
            days=hours / DAY_H,
            cash_flow=float(lived.cash_flow[0]),
            cycle_cost=float(lost.cycle[0]) * per_loss,
            calendar_cost=float(lost.calendar[0]) * per_loss,
            import_wh=float(np.maximum(grid_wh, 0.0).sum()),
            export_wh=float(np.maximum(-grid_wh, 0.0).sum()),
            import_peak_wh=float(max(grid_wh.max(), 0.0)),
            export_peak_wh=float(max(-grid_wh.min(), 0.0)),
            cycles=float(moved_wh / 2 / battery.bank.capacity_wh[0]),
            capacity_loss=float(lost.total[0]),
            decision_ms=float(lived.decision_s.mean() * 1e3),
            daily=daily,
        )


def cases(*, month: bool = True) -> list[Case]:
    """Return the runs of the study, the longest last; without ``month`` no searches."""
    found = [Case(method="none"), Case(method="rules", horizon_h=DAY_H)]
    for forecast in FORECASTS:
        found += [Case(method=method, forecast=forecast) for method in ("mpc", "rules")]
        found += [
            Case(method=method, forecast=forecast)
            for method in ("rules_no_countermeasures", "rules_worth", "rules_trade")
        ]
    found += [Case(method=f"rules_only_{name}", forecast="imperfect") for name in ALONE]
    found.append(Case(method="rules", forecast="imperfect", horizon_h=DAY_H))
    for forecast in FORECASTS:
        found += [Case(method=method, forecast=forecast) for method in ("milp_no_trade", "milp")]
    if month:
        found += [Case(method="none", stretch="month")]
        found += [
            Case(method=method, forecast=forecast, stretch="month")
            for forecast in FORECASTS
            for method in MONTHLY
        ]
    return found


FORECASTS: Final[tuple[Forecast, ...]] = ("perfect", "imperfect")
MONTHLY: Final = (
    "rules",
    "rules_worth",
    "rules_trade",
    "milp_no_trade",
    "milp",
    *(name for name, method in METHODS.items() if method.searches),
)
"""What is compared in the month."""
Outcomes = Mapping[str, Outcome]
"""By the names of their cases."""


def run(
    study: Study, chosen: Iterable[Case], progress: Callable[[Case, int], None] = lambda *_: None
) -> dict[str, Outcome]:
    """Live through runs and judge them.

    Parameters
    ----------
    study : Study
        What they have in common.
    chosen : Iterable[Case]
        The runs.
    progress : Callable[[Case, int], None]
        Told the run and the hours of it that are done.
    """
    outcomes = {}
    for case in chosen:
        lived = study.live(case, lambda done, case=case: progress(case, done))  # type: ignore[misc] # mypy knows no lambda with a default
        outcomes[case.name] = study.judged(case, lived)
    return outcomes


def gain(outcomes: Outcomes, case: Case) -> float:
    """Return what a run brings beyond no controller in the same hours. [currency]"""
    base = Case(method="none", stretch=case.stretch)
    return outcomes[case.name].cash_flow - outcomes[base.name].cash_flow


def yearly_gain(outcomes: Outcomes, case: Case) -> float | None:
    """Return the gain of the study's year, [currency]; a search's is estimated by its month.

    Notes
    -----
    The month's, times what the MILP of the same rights gains with perfect forecasts in the year
    over what it gains in the month: seasons differ too much to scale a month by its days. None
    where it gains nothing in the month.
    """
    if case.stretch == "year":
        return gain(outcomes, case)
    best = "milp" if METHODS[case.method].trades else "milp_no_trade"
    most = gain(outcomes, Case(method=best, stretch="month"))
    if most <= 0:
        return None
    return gain(outcomes, case) * gain(outcomes, Case(method=best)) / most
