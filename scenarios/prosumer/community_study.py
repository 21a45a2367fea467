"""A community over some weeks: without batteries, each for itself, and for one another."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Final

import numpy as np

from contracts.timegrid import TimeGrid
from devices.ageing import wear_price_per_mwh
from devices.ageing_law import AgeingLaw
from devices.arrays import BoolArray, FloatArray
from devices.battery_bank import BatteryBank
from hems.prosumer import Planner
from hems.prosumer_rules import FirstHour, RuleBased
from hems.prosumer_unplanned import Unplanned
from scenarios.data.files.prices import ITALY_FILE, italy_day_ahead
from scenarios.data.files.tables import on_grid
from scenarios.data.models.prices import generated_prices
from scenarios.data.source import fleet_data
from scenarios.prosumer.community import Account, CommunityAware, Incentive, account
from scenarios.prosumer.foreseen import Method, imperfect
from scenarios.prosumer.rules_compiled import CompiledRules
from scenarios.prosumer.series import HOUR_S, ProsumerSeries
from scenarios.prosumer.year import Lived, Span, live

PRICED_LATER: Final = timedelta(weeks=104)
"""How much later the real prices are than the real homes: PUN of 2022, weekdays stay."""
HISTORY_H: Final = 24
"""Hours before the first plan. [h]"""
BATTERY_WH: Final = 6_000.0
"""Becchi 2024's battery. [Wh]"""
BATTERY_W: Final = 3_000.0
"""Its power. [W]"""
BATTERY_PRICE: Final = 3_000.0
"""What a new one costs. [currency]"""
PUN_MEAN: Final = 304.0
"""Mean of the market's price of 2022, to which generated prices are scaled. [currency/MWh]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Community:
    """Members, some with panels, some with batteries too."""

    series: ProsumerSeries
    """What they use, make and pay; panels of those that have none make nothing."""
    bank: BatteryBank
    """Batteries; those that have none have one of no power."""
    has_battery: BoolArray
    """Who has one, shape (homes,)."""
    incentive: Incentive
    """What sharing earns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What one way of steering came to."""

    name: str
    """Short name."""
    about: str
    """What it does."""
    account: Account
    """Energies and money."""
    ageing_cost: float
    """Of all batteries. [currency]"""
    left: float
    """Worth of what is stored at the end beyond the start's. [currency]"""
    decision_us_per_home: float
    """Processor's time of a plan. [µs]"""

    @property
    def net(self) -> float:
        """Incentive and what is left less bills and ageing. [currency]"""
        return self.account.incentive + self.left - self.account.bills - self.ageing_cost


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """All ways over the same hours."""

    homes: int
    """Members."""
    with_panels: int
    """Of them."""
    with_battery: int
    """Of them."""
    hours: int
    """Hours lived through. [h]"""
    currency: str
    """Of all money."""
    incentive: Incentive
    """What sharing earned."""
    provenance: tuple[str, ...]
    """Where the series come from."""
    cases: tuple[Case, ...]
    """What each came to."""

    def lines(self) -> tuple[str, ...]:
        """Return the study for a terminal."""
        head = (
            f"{'':20} {'net':>8} {'bills':>8} {'incentive':>9} {'ageing':>7} {'shared':>7} "
            f"{'self-cons.':>10} {'supply':>6} {'peak in':>7} {'peak out':>8} {'µs/home':>7}"
        )
        unit = f"{'':20} {self.currency:>8} {self.currency:>8} {self.currency:>9} "
        unit += f"{self.currency:>7} {'kWh':>7} {'':10} {'':6} {'kW':>7} {'kW':>8}"
        rows = [_row(case) for case in self.cases]
        intro = (
            f"{self.homes} members, {self.with_panels} with panels, {self.with_battery} with a "
            f"battery of {BATTERY_WH / 1e3:g} kWh, {self.hours / 24:.0f} days",
            f"incentive {self.incentive.name}: {self.incentive.source}",
        )
        return (*self.provenance, *intro, "", head, unit, *rows)


def _row(case: Case) -> str:
    of = case.account
    return (
        f"{case.name:20} {case.net:8.2f} {of.bills:8.2f} {of.incentive:9.2f} "
        f"{case.ageing_cost:7.2f} {of.shared_kwh:7.0f} {of.collective_self_consumption:10.1%} "
        f"{of.collective_self_supply:6.1%} {of.peak_import_w / 1e3:7.2f} "
        f"{of.peak_export_w / 1e3:8.2f} {case.decision_us_per_home:7.1f}"
    )


def gather(  # noqa: PLR0913 - who, when, what they have and what they pay
    folder: Path | None,
    *,
    last_day: date,
    days: int,
    homes: int,
    seed: int = 0,
    panels: float = 0.6,
    batteries: float = 0.6,
    charges_per_mwh: float = 150.0,
    incentive: Incentive | None = None,
) -> Community:
    """Return a community of real or generated homes.

    Parameters
    ----------
    folder : Path | None
        Folder of the real set; None generates.
    last_day : date
        Its last day.
    days : int
        Days, the first of them history for the first plans.
    homes : int
        Members.
    seed : int
        Of all draws.
    panels, batteries : float
        Share of members with panels, and of those with a battery too, 0..1.
    charges_per_mwh : float
        On top of the market's price for import. [currency/MWh]
    incentive : Incentive | None
        What sharing earns; None: Italy's of 2023.
    """
    data = fleet_data(folder, day=last_day, homes=homes, seed=seed, history_days=days - 1)
    grid = TimeGrid(start=data.minute_grid.start, step_s=HOUR_S, count=data.minute_grid.count // 60)
    market, told = _market(folder, grid, seed)
    order = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(1,))).permutation(homes)
    has_panels = order < round(panels * homes)
    has_battery = order < round(panels * batteries * homes)
    hourly = (homes, grid.count, 60)
    series = ProsumerSeries(
        grid=grid,
        zone="Europe/London",
        load_wh=data.load_w.reshape(hourly).mean(axis=2),
        pv_wh=data.pv_w.reshape(hourly).mean(axis=2) * has_panels[:, None],
        import_price_per_mwh=market[None] + charges_per_mwh,
        export_price_per_mwh=market[None],
        currency="EUR",
        source=data.source,
        provenance=(*data.provenance, told, f"import: {charges_per_mwh / 1e3:g} EUR/kWh more"),
    )
    return Community(
        series=series,
        bank=_bank(has_battery),
        has_battery=has_battery,
        incentive=incentive or Incentive.named("2023"),
    )


def _bank(has_battery: BoolArray) -> BatteryBank:
    homes = has_battery.size
    bank = BatteryBank.uniform(
        homes, capacity_wh=BATTERY_WH, power_max_w=BATTERY_W, efficiency=0.95, soc_min=0.1
    )
    return replace(bank, power_max_w=np.where(has_battery, BATTERY_W, 0.0))


def _market(folder: Path | None, grid: TimeGrid, seed: int) -> tuple[FloatArray, str]:
    """Return the market's price of each hour, and where it comes from. [currency/MWh]"""
    if folder is None:
        half_hours = generated_prices(seed, grid.split(HOUR_S // 2)).day_ahead_per_mwh
        price = half_hours.reshape(-1, 2).mean(axis=1)
        scaled: FloatArray = price * (PUN_MEAN / price.mean())
        return scaled, f"market: generated, scaled to a mean of {PUN_MEAN:g} EUR/MWh"
    later = TimeGrid(start=grid.start + PRICED_LATER, step_s=grid.step_s, count=grid.count)
    pun = on_grid(italy_day_ahead(folder), later, name=ITALY_FILE)
    return pun, f"market: PUN of {later.start:%Y-%m-%d} on; {ITALY_FILE}"


def ways(incentive: Incentive) -> tuple[tuple[str, str, Planner], ...]:
    """Return name, meaning and planner of all that are compared."""
    rules = CompiledRules()
    worth, trade = (
        CompiledRules(rules=RuleBased(first_hour=each))
        for each in (FirstHour.WORTH, FirstHour.TRADE)
    )

    def aware(planner: Planner) -> Planner:
        return CommunityAware(planner=planner, incentive=incentive)

    return (
        ("self-consumption", "each for itself, no plan", Unplanned()),
        ("rules", "each for itself, Becchi's rules", rules),
        ("rules, aware", "the same, knowing the incentive", aware(rules)),
        ("worth", "each for itself, by the worth of what is stored", worth),
        ("worth, aware", "the same, knowing the incentive", aware(worth)),
        ("trade", "each for itself, free to buy and sell", trade),
        ("trade, aware", "the same, knowing the incentive", aware(trade)),
    )


def study(
    community: Community,
    *,
    method: Method | None = None,
    horizon_h: int = 72,
    progress: Callable[[int], None] = lambda _: None,
) -> Study:
    """Return what a community comes to, way by way.

    Parameters
    ----------
    community : Community
        Its members.
    method : Method | None
        How they forecast; None knows all.
    horizon_h : int
        Hours that a plan looks ahead. [h]
    progress : Callable[[int], None]
        Told the hours that are done, of all ways.
    """
    series, law = community.series, AgeingLaw.lfp()
    hours = series.hours - HISTORY_H
    wear = wear_price_per_mwh(law, battery_price=BATTERY_PRICE, capacity_wh=BATTERY_WH)
    outlook = None if method is None else imperfect(series, method)
    cases = [_without(community)]
    for place, (name, about, planner) in enumerate(ways(community.incentive)):
        lived = live(
            series,
            planner,
            community.bank,
            outlook=outlook,
            span=Span(begin=HISTORY_H, horizon_h=horizon_h),
            wear_price_per_mwh=wear,
            progress=lambda done, before=place * hours: progress(before + done),  # type: ignore[misc] # mypy knows no lambda with a default
        )
        cases.append(_case(community, name, about, lived))
    return Study(
        homes=series.homes,
        with_panels=int((series.pv_wh.sum(axis=1) > 0).sum()),
        with_battery=int(community.has_battery.sum()),
        hours=hours,
        currency=series.currency,
        incentive=community.incentive,
        provenance=series.provenance,
        cases=tuple(cases),
    )


def _account(community: Community, grid_wh: FloatArray) -> Account:
    series, part = community.series, slice(HISTORY_H, None)
    exports = series.export_price_per_mwh[:, part]
    return account(
        grid_wh,
        series.load_wh[:, part],
        series.pv_wh[:, part],
        prices=(series.import_price_per_mwh[:, part], exports),
        incentive_per_mwh=community.incentive.per_mwh(exports.mean(axis=0)),
    )


def _without(community: Community) -> Case:
    """Return the community as if nobody had a battery."""
    series = community.series
    net_wh = (series.load_wh - series.pv_wh)[:, HISTORY_H:]
    return Case(
        name="no batteries",
        about="panels alone",
        account=_account(community, net_wh),
        ageing_cost=0.0,
        left=0.0,
        decision_us_per_home=0.0,
    )


def _case(community: Community, name: str, about: str, lived: Lived) -> Case:
    cost = lived.ageing_cost(AgeingLaw.lfp(), community.bank, BATTERY_PRICE)
    return Case(
        name=name,
        about=about,
        account=_account(community, lived.grid_wh),
        ageing_cost=float(cost[community.has_battery].sum()),
        left=float(lived.left_micro[community.has_battery].sum()) / 1e6,
        decision_us_per_home=1e6 * float(lived.decision_s.mean()) / community.series.homes,
    )
