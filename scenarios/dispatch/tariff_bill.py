"""A site's bill: what its import and export cost, month by month, item by item.

``cost(grid_import_w, grid_export_w, *, step_s, start, tariff) -> Bill``.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd

from devices.arrays import BoolArray, FloatArray, IntArray
from scenarios.dispatch.tariff import SiteTariff, TariffPeriod, period_table
from scenarios.errors import ScenarioInputError


@dataclass(frozen=True, slots=True, kw_only=True)
class BillItem:
    """One line."""

    name: str
    """What for, such as ``energy F1``."""
    quantity: float
    """How much."""
    unit: str
    """Of what: ``kWh``, ``kW`` or ``month``."""
    amount: float
    """What it costs; a credit is negative. [currency]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthBill:
    """The lines of a calendar month, or of the part of it that was billed."""

    year: int
    """Year."""
    month: int
    """Month, 1 to 12."""
    items: tuple[BillItem, ...]
    """Its lines."""

    @property
    def total(self) -> float:
        """What it comes to. [currency]"""
        return sum(item.amount for item in self.items)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """All months."""

    months: tuple[MonthBill, ...]
    """In their order."""
    currency: str
    """What amounts are in."""

    @property
    def total(self) -> float:
        """What it comes to. [currency]"""
        return sum(month.total for month in self.months)

    def amount(self, beginning: str) -> float:
        """Return what all lines come to whose name begins so, such as ``demand``. [currency]"""
        lines = [item for month in self.months for item in month.items]
        return sum(item.amount for item in lines if item.name.startswith(beginning))


@dataclass(frozen=True, slots=True)
class _Series:
    """What is billed, and when; arrays of shape (steps,)."""

    import_kwh: FloatArray
    export_kwh: FloatArray
    peak_kw: FloatArray
    period: IntArray
    month: IntArray
    """Months since year 0."""


def cost(
    grid_import_w: FloatArray,
    grid_export_w: FloatArray,
    *,
    step_s: int,
    start: datetime,
    tariff: SiteTariff,
) -> Bill:
    """Return the itemised bill of a series.

    Parameters
    ----------
    grid_import_w, grid_export_w : FloatArray, shape (steps,)
        Means over the steps, >= 0. [W]
    step_s : int
        Length of a step. [s]
    start : datetime
        When the first step begins, aware; the tariff's clock is that of its zone. SAM's year is
        `campus_year.YEAR_BEGIN`, whose clock never changes.
    tariff : SiteTariff
        What is paid. A step belongs to the month and period that it begins in.

    Raises
    ------
    ScenarioInputError
        If the series do not fit each other, or hold what is no power.
    """
    _require_series(grid_import_w, grid_export_w, step_s, start)
    series = _series(grid_import_w, grid_export_w, step_s=step_s, start=start, tariff=tariff)
    months = []
    for month in np.unique(series.month):
        here = series.month == month
        year, number = divmod(int(month), 12)
        items = tuple(_items(series, here, tariff))
        months.append(MonthBill(year=year, month=number + 1, items=items))
    return Bill(months=tuple(months), currency=tariff.charges.currency)


def _items(series: _Series, here: BoolArray, tariff: SiteTariff) -> Iterator[BillItem]:
    """Yield the lines of a month; what is neither used nor priced has none."""
    for number, period in enumerate(tariff.periods):
        held = here & (series.period == number)
        yield from _energy(period, float(series.import_kwh[held].sum()), tariff)
        sold_kwh = float(series.export_kwh[held].sum())
        if period.export_price_per_mwh and sold_kwh:
            amount = -sold_kwh * period.export_price_per_mwh / 1000
            yield _item(f"export {period.name}", sold_kwh, "kWh", amount)
        if period.demand_price_per_kw_month:
            peak_kw = float(series.peak_kw[held].max(initial=0.0))
            amount = peak_kw * period.demand_price_per_kw_month
            yield _item(f"demand {period.name}", peak_kw, "kW", amount)
    if tariff.charges.demand_price_per_kw_month:
        peak_kw = float(series.peak_kw[here].max())
        yield _item("demand", peak_kw, "kW", peak_kw * tariff.charges.demand_price_per_kw_month)
    if tariff.charges.fixed_price_per_month:
        yield _item("fixed", 1.0, "month", tariff.charges.fixed_price_per_month)


def _energy(period: TariffPeriod, kwh: float, tariff: SiteTariff) -> Iterator[BillItem]:
    """Yield a line for each tier that a period's import of a month reaches."""
    tiers = [tier for tier in tariff.tiers if tier.period == period.name]
    begins = [0.0, *(tier.above_kwh_per_month for tier in tiers), np.inf]
    prices = [period.import_price_per_mwh, *(tier.import_price_per_mwh for tier in tiers)]
    for number, price in enumerate(prices):
        inside_kwh = min(kwh, begins[number + 1]) - begins[number]
        if inside_kwh > 0:
            tier = f" tier {number + 1}" if tiers else ""
            yield _item(f"energy {period.name}{tier}", inside_kwh, "kWh", inside_kwh * price / 1000)


def _item(name: str, quantity: float, unit: str, amount: float) -> BillItem:
    return BillItem(name=name, quantity=quantity, unit=unit, amount=amount)


def _series(
    grid_import_w: FloatArray,
    grid_export_w: FloatArray,
    *,
    step_s: int,
    start: datetime,
    tariff: SiteTariff,
) -> _Series:
    """Return what is billed with the month and the period of each step."""
    times = pd.date_range(start, periods=grid_import_w.size, freq=pd.Timedelta(seconds=step_s))
    month = times.month.to_numpy().astype(np.int64)
    minute = (times.hour * 60 + times.minute).to_numpy().astype(np.int64)
    day = times.day_of_week.to_numpy().astype(np.int64)
    kwh_per_w = step_s / 3600 / 1000
    return _Series(
        grid_import_w * kwh_per_w,
        grid_export_w * kwh_per_w,
        _peak_kw(grid_import_w, step_s, tariff.charges.demand_step_s),
        period_table(tariff)[month - 1, day, minute],
        times.year.to_numpy().astype(np.int64) * 12 + month - 1,
    )


def _peak_kw(grid_import_w: FloatArray, step_s: int, demand_step_s: int) -> FloatArray:
    """Return each step's import, as the mean of the demand step that it lies in. [kW]"""
    steps = max(demand_step_s // step_s, 1)
    if demand_step_s and demand_step_s % step_s:
        msg = f"tariff: demand_step_s is {demand_step_s}; give a multiple of the step, {step_s} s"
        raise ScenarioInputError(msg)
    begins = np.arange(0, grid_import_w.size, steps)
    counts = np.diff(np.append(begins, grid_import_w.size))
    return np.repeat(np.add.reduceat(grid_import_w, begins) / counts, counts) / 1000


def _require_series(
    grid_import_w: FloatArray, grid_export_w: FloatArray, step_s: int, start: datetime
) -> None:
    """Raise unless there is something to bill."""
    if start.tzinfo is None or step_s <= 0:
        msg = f"bill: start is {start}, step_s {step_s}; give an aware time and a step above 0 s"
        raise ScenarioInputError(msg)
    shape = grid_import_w.shape
    if len(shape) != 1 or not grid_import_w.size or shape != grid_export_w.shape:
        msg = f"bill: import has shape {shape}, export {grid_export_w.shape}; give two alike"
        raise ScenarioInputError(msg)
    for name, values in (("grid_import_w", grid_import_w), ("grid_export_w", grid_export_w)):
        good = np.isfinite(values) & (values >= 0)
        if not good.all():
            step = int(np.argmin(good))
            msg = f"bill: {name} at step {step + 1} is {values[step]:g}; give watts, 0 or more"
            raise ScenarioInputError(msg)
