"""One home under every controller: who earns most, and by what."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from devices.ageing import sequence_cost, wear_price_per_mwh
from devices.ageing_law import AgeingLaw
from devices.arrays import FloatArray
from devices.battery_bank import BatteryBank
from hems.prosumer import Planner
from hems.prosumer_rules import CounterMeasures, FirstHour, RuleBased
from hems.prosumer_unplanned import Unplanned
from scenarios.prosumer.forecasts import Outlook
from scenarios.prosumer.foreseen import Method, errors, imperfect
from scenarios.prosumer.milp import Milp
from scenarios.prosumer.rules_compiled import CompiledRules
from scenarios.prosumer.series import ProsumerSeries
from scenarios.prosumer.year import Lived, Span, live

HISTORY_H: Final = 24
"""Hours of the series before the first plan, from which forecasts begin. [h]"""
JUDGED_H: Final = 24
"""Hours ahead by which forecasts are judged. [h]"""
JUDGED_EVERY_H: Final = 5
"""Hours from one forecast that is judged to the next: all times of day in turn. [h]"""
NONE: Final = "none"
"""Name of the case without controller: self-consumption, as most batteries ship."""
Progress = Callable[[float], None]
"""Told the hours that are done, of all cases."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Controller:
    """One way to steer a battery."""

    name: str
    """Short name."""
    about: str
    """What it does."""
    planner: Planner
    """Who plans."""
    trades: bool = False
    """Whether the battery charges from the grid and discharges into it."""
    bound: bool = False
    """Whether it only shows what could be earned, knowing all."""


def controllers(*, optimum: bool = True) -> tuple[Controller, ...]:
    """Return all that are compared; without ``optimum`` those that take a minute are left out."""
    alone = CompiledRules(rules=RuleBased(measures=CounterMeasures.none()))
    worth, trade = (
        CompiledRules(rules=RuleBased(first_hour=each))
        for each in (FirstHour.WORTH, FirstHour.TRADE)
    )
    found = (
        Controller(name=NONE, about="self-consumption, no plan", planner=Unplanned()),
        Controller(
            name="rules", about="Becchi's rules with counter-measures", planner=CompiledRules()
        ),
        Controller(name="rules alone", about="Becchi's rules as they are", planner=alone),
        Controller(name="worth", about="rules by the worth of stored energy", planner=worth),
        Controller(
            name="trade", about="the same, free to buy and sell", planner=trade, trades=True
        ),
    )
    if not optimum:
        return found
    return (
        *found,
        Controller(
            name="optimum", about="MILP that knows all", planner=Milp(trade=False), bound=True
        ),
        Controller(
            name="optimum, trade",
            about="the same, free to buy and sell",
            planner=Milp(),
            trades=True,
            bound=True,
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """A home and its battery."""

    series: ProsumerSeries
    """What happens, for one home."""
    bank: BatteryBank
    """Its battery."""
    battery_price: float
    """What a new one costs. [currency]"""
    law: AgeingLaw = field(default_factory=AgeingLaw.lfp)
    """How it ages."""
    temperature_c: float = 25.0
    """Of its cells. [°C]"""
    method: Method = "linear"
    """How it forecasts, where no outlook is given."""
    outlook: Outlook | None = None
    """What it expects, from its own past."""
    horizon_h: int = 72
    """Hours that a plan looks ahead. [h]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Earned:
    """What a controller came to. Money is in the series' currency."""

    controller: str
    """Its name."""
    about: str
    """What it does."""
    trades: bool
    """Whether it buys to store and sells what it stored."""
    knows_all: bool
    """Whether it knew load, production and prices of all hours."""
    cash_flow: float
    """Export sold less import paid for, and the worth of what is left. [currency]"""
    ageing_cost: float
    """Eq. (9) of Becchi 2024. [currency]"""
    import_kwh: float
    """[kWh]"""
    export_kwh: float
    """[kWh]"""
    import_price: float
    """Mean price paid, 0 without import. [currency/kWh]"""
    export_price: float
    """Mean price got, 0 without export. [currency/kWh]"""
    left: float
    """Worth of what is stored at the end beyond the start's, in ``cash_flow``. [currency]"""
    peak_import_w: float
    """Greatest hourly mean. [W]"""
    full_cycles: float
    """Throughput of the cells over twice the capacity."""
    daily_cash_flow: tuple[float, ...]
    """Export sold less import paid for of each 24 hours. [currency]"""

    @property
    def net(self) -> float:
        """Cash flow less ageing. [currency]"""
        return self.cash_flow - self.ageing_cost


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """All controllers over the same hours."""

    hours: int
    """Hours lived through. [h]"""
    without_battery: float
    """Cash flow of the same home without a battery. [currency]"""
    earned: tuple[Earned, ...]
    """What each came to; those that know all after those that do not."""
    forecast_errors: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    """Σ|expected − real| / Σ real of ``load`` and ``pv`` by hours ahead, the next hour first; of
    what there was any."""

    def of(self, controller: str, *, knows_all: bool) -> Earned:
        """Return what a controller came to."""
        for each in self.earned:
            if (each.controller, each.knows_all) == (controller, knows_all):
                return each
        raise KeyError(controller)

    def best(self, *, trades: bool) -> Earned:
        """Return who earned most of those that know no more than a home does."""
        able = [each for each in self.earned if not each.knows_all and each.trades <= trades]
        return max(able, key=lambda each: each.net)


def compare(
    home: Home, cases: tuple[Controller, ...], progress: Progress = lambda _: None
) -> Comparison:
    """Return what controllers come to over a home's hours.

    Parameters
    ----------
    home : Home
        The home; the first `HISTORY_H` hours of its series are history.
    cases : tuple[Controller, ...]
        Who is compared, `NONE` among them. Those that are no bound also run with forecasts made of
        the past alone and with prices until tomorrow's end.
    progress : Progress
        Called as hours are done, out of `total_hours`.

    Raises
    ------
    ControlError
        If a planner cannot plan.
    """
    series, wear = home.series, _wear(home)
    learnt = home.outlook or imperfect(series, home.method)
    earned, done = [], 0.0
    for knows_all in (False, True):
        span = Span(
            begin=HISTORY_H, horizon_h=home.horizon_h, known="all" if knows_all else "published"
        )
        for case in cases:
            if case.bound and not knows_all:
                continue
            lived = live(
                series,
                case.planner,
                home.bank,
                outlook=None if knows_all else learnt,
                span=span,
                wear_price_per_mwh=wear,
                progress=lambda hours, so_far=done: progress(so_far + hours),  # type: ignore[misc] # mypy knows no lambda with a default
            )
            done += series.hours - HISTORY_H
            earned.append(_earned(home, case, lived, knows_all=knows_all))
    net_wh = (series.load_wh - series.pv_wh)[:, HISTORY_H:]
    return Comparison(
        hours=series.hours - HISTORY_H,
        without_battery=-float((net_wh * _price(series, net_wh)).sum()) / 1e6,
        earned=tuple(earned),
        forecast_errors=_forecast_errors(learnt, series),
    )


def _forecast_errors(outlook: Outlook, series: ProsumerSeries) -> dict[str, tuple[float, ...]]:
    found = errors(
        outlook,
        series,
        begin=HISTORY_H,
        hours=series.hours,
        horizon_h=JUDGED_H,
        every=JUDGED_EVERY_H,
    )
    real = {"load": series.load_wh, "pv": series.pv_wh}
    return {name: tuple(each) for name, each in found.items() if real[name].any()}


def total_hours(home: Home, cases: tuple[Controller, ...]) -> int:
    """Return the hours that `compare` lives through, of all cases together."""
    runs = sum(1 if case.bound else 2 for case in cases)
    return runs * (home.series.hours - HISTORY_H)


def _wear(home: Home) -> float:
    return wear_price_per_mwh(
        home.law,
        battery_price=home.battery_price,
        capacity_wh=float(home.bank.capacity_wh[0]),
        temperature_c=home.temperature_c,
    )


def _price(series: ProsumerSeries, grid_wh: FloatArray) -> FloatArray:
    """Return what each hour's exchange costs, of the series' last hours. [currency/MWh]"""
    part = slice(series.hours - grid_wh.shape[1], None)
    imports, exports = series.import_price_per_mwh[:, part], series.export_price_per_mwh[:, part]
    return np.where(grid_wh > 0, imports, exports)


def _earned(home: Home, case: Controller, lived: Lived, *, knows_all: bool) -> Earned:
    grid_wh, price = lived.grid_wh[0], _price(home.series, lived.grid_wh)[0]
    imports, exports = np.maximum(grid_wh, 0.0), np.maximum(-grid_wh, 0.0)
    import_wh, export_wh = float(imports.sum()), float(exports.sum())
    whole = lived.income_micro[0]
    days = np.add.reduceat(whole, np.arange(0, whole.size, 24)) / 1e6
    moved_wh = float(np.abs(np.diff(lived.stored_wh[0])).sum())
    lost = lived.ageing(home.law, home.bank, temperature_c=home.temperature_c)
    ageing_cost = sequence_cost(home.law, lost, home.battery_price)
    return Earned(
        controller=case.name,
        about=case.about,
        trades=case.trades,
        knows_all=knows_all,
        cash_flow=float(lived.cash_flow[0]),
        ageing_cost=float(ageing_cost[0]),
        import_kwh=import_wh / 1e3,
        export_kwh=export_wh / 1e3,
        import_price=float(imports @ price) / import_wh / 1e3 if import_wh else 0.0,
        export_price=float(exports @ price) / export_wh / 1e3 if export_wh else 0.0,
        left=float(lived.left_micro[0]) / 1e6,
        peak_import_w=float(imports.max()),
        full_cycles=moved_wh / 2 / float(home.bank.capacity_wh[0]),
        daily_cash_flow=tuple(days.tolist()),
    )
