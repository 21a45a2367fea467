"""What a site pays: prices by period of the local week and month, tiers, peaks and export.

A `SiteTariff` holds periods (prices), windows (when they hold) and tiers (dearer or cheaper energy
beyond an amount a month). Windows are those of a home's tariff, `hems.agent.steering.tariff`, with
months; together they must fill every minute of the year once. `tariff_bill.cost` bills by it,
`tariff_file.read_tariff` reads one from TOML.
"""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Final

import numpy as np

from devices.arrays import BoolArray, IntArray
from hems.agent.steering.tariff import DAYS, TariffWindow
from scenarios.errors import ScenarioInputError

MONTHS: Final = "1 2 3 4 5 6 7 8 9 10 11 12"
DAY_MINUTES: Final = 1440
MONDAY: Final = datetime(2018, 1, 1)  # noqa: DTZ001 -- any Monday, of a clock without a place


def _require_prices(what: str, owner: object, *names: str) -> None:
    """Raise unless the prices are finite."""
    for name in names:
        if not np.isfinite(getattr(owner, name)):
            msg = f"{what}: {name} is {getattr(owner, name):g}; give a price"
            raise ScenarioInputError(msg)


def _require_charges(what: str, owner: object, *names: str) -> None:
    """Raise unless the charges are finite and not negative."""
    _require_prices(what, owner, *names)
    for name in names:
        if getattr(owner, name) < 0:
            msg = f"{what}: {name} is {getattr(owner, name):g}; give 0 or more"
            raise ScenarioInputError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class TariffPeriod:
    """Prices that hold in some windows: a table ``[[period]]``."""

    name: str
    """What windows and tiers call it."""
    import_price_per_mwh: float
    """Price of import, below the first tier. [currency/MWh]"""
    export_price_per_mwh: float = 0.0
    """Credit of export. [currency/MWh]"""
    demand_price_per_kw_month: float = 0.0
    """Of the month's highest import in this period. [currency/kW]"""

    def __post_init__(self) -> None:
        _require_prices("period", self, "import_price_per_mwh", "export_price_per_mwh")
        _require_charges("period", self, "demand_price_per_kw_month")


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteWindow:
    """When a period holds: a table ``[[window]]``.

    Raises
    ------
    ScenarioInputError
        If a time is none, or a day or a month is unknown.
    """

    period: str
    """Name of the period."""
    begin: str = "00:00"
    """Local time of day from which it holds, ``"HH:MM"``."""
    end: str = "00:00"
    """Local time of day before which it ends; one that is no later goes over midnight."""
    days: str = " ".join(DAYS)
    """Local days on which it begins, separated by spaces."""
    months: str = MONTHS
    """Months in which it holds, 1 to 12, separated by spaces."""

    def __post_init__(self) -> None:
        unknown = set(self.months.split()) - set(MONTHS.split())
        if unknown or not self.months.split():
            msg = f"window of {self.period}: months is {self.months!r}; give some of {MONTHS}"
            raise ScenarioInputError(msg)
        try:
            self.week()
        except ValueError as error:
            msg = f"window of {self.period}: {error}"
            raise ScenarioInputError(msg) from error

    def week(self) -> BoolArray:
        """Return the minutes of the week in which it holds, shape (7, 1440)."""
        # A home's window must say a price; which one does not matter for when it holds.
        window = TariffWindow(
            begin=self.begin, end=self.end, days=self.days, import_price_per_mwh=0.0
        )
        turns = {0, *(_minute(text) for text in (self.begin, self.end)), DAY_MINUTES}
        held = np.zeros((len(DAYS), DAY_MINUTES), dtype=np.bool_)
        for day in range(len(DAYS)):
            for first, after in pairwise(sorted(turns)):
                held[day, first:after] = window.holds(MONDAY + timedelta(days=day, minutes=first))
        return held


@dataclass(frozen=True, slots=True, kw_only=True)
class TariffTier:
    """The price of a period's import beyond an amount a month: a table ``[[tier]]``."""

    period: str
    """Name of the period."""
    above_kwh_per_month: float
    """Import of the month in this period from which it holds, > 0. [kWh]"""
    import_price_per_mwh: float
    """Price from there on. [currency/MWh]"""

    def __post_init__(self) -> None:
        _require_prices("tier", self, "import_price_per_mwh")


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteCharges:
    """What is paid beside the periods: the table ``[tariff]``."""

    demand_price_per_kw_month: float = 0.0
    """Of the month's highest import, whatever the period. [currency/kW]"""
    fixed_price_per_month: float = 0.0
    """Whatever flows. [currency]"""
    demand_step_s: int = 0
    """Import is a mean over so long before its highest is taken; 0: over the series' steps. [s]"""
    currency: str = "EUR"
    """What prices are in."""

    def __post_init__(self) -> None:
        _require_charges("tariff", self, "demand_price_per_kw_month", "fixed_price_per_month")
        if self.demand_step_s < 0:
            msg = f"tariff: demand_step_s is {self.demand_step_s}; give seconds, or 0"
            raise ScenarioInputError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteTariff:
    """All that a site pays.

    Raises
    ------
    ScenarioInputError
        If windows leave a gap or overlap, tiers do not rise, or a name is unknown or given twice.
    """

    periods: tuple[TariffPeriod, ...]
    """At least one."""
    windows: tuple[SiteWindow, ...] = ()
    """When each holds; none where a single period always does."""
    tiers: tuple[TariffTier, ...] = ()
    """Of each period in rising order."""
    charges: SiteCharges = SiteCharges()
    """What is paid beside the periods."""

    def __post_init__(self) -> None:
        names = [period.name for period in self.periods]
        if not names or len(set(names)) < len(names):
            msg = f"tariff: its periods are {names}; give at least one, each name once"
            raise ScenarioInputError(msg)
        called = [entry.period for entry in self.windows] + [entry.period for entry in self.tiers]
        for name in called:
            if name not in names:
                msg = f"tariff: no period is called {name!r}; give one of {names}"
                raise ScenarioInputError(msg)
        _require_rising(self)
        period_table(self)


@lru_cache(maxsize=32)
def period_table(tariff: SiteTariff) -> IntArray:
    """Return the number of the period at each minute, shape (12, 7, 1440).

    Raises
    ------
    ScenarioInputError
        If windows leave a gap or overlap.
    """
    names = [period.name for period in tariff.periods]
    table = np.full((12, len(DAYS), DAY_MINUTES), -1)
    for window in tariff.windows or tuple(SiteWindow(period=name) for name in names):
        here, number = np.zeros(table.shape, dtype=np.bool_), names.index(window.period)
        here[[int(month) - 1 for month in window.months.split()]] = window.week()
        twice = np.argwhere(here & (table >= 0))
        if twice.size:
            other = names[table[tuple(twice[0])]]
            both = f"windows of {other} and {window.period}"
            msg = f"tariff: {both} both hold {_when(twice[0])}; shorten one"
            raise ScenarioInputError(msg)
        table[here] = number
    gap = np.argwhere(table < 0)
    if gap.size:
        msg = f"tariff: no window holds {_when(gap[0])}; add one, or lengthen its neighbour"
        raise ScenarioInputError(msg)
    table.setflags(write=False)
    return table


def _require_rising(tariff: SiteTariff) -> None:
    """Raise unless each period's tiers begin above 0 and each above the one before."""
    for period in tariff.periods:
        begins = [tier.above_kwh_per_month for tier in tariff.tiers if tier.period == period.name]
        if not all(before < after for before, after in pairwise([0.0, *begins])):
            told = f"tiers of {period.name} begin above {begins} kWh"
            msg = f"tariff: {told}; let them rise from above 0"
            raise ScenarioInputError(msg)


def _minute(text: str) -> int:
    clock = time.fromisoformat(text)
    return clock.hour * 60 + clock.minute


def _when(place: IntArray) -> str:
    """Say which minute of the table is meant."""
    month, day, minute = (int(i) for i in place)
    return f"on {DAYS[day]} at {minute // 60:02d}:{minute % 60:02d} in month {month + 1}"
