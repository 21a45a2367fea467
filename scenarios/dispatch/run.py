"""A plant run by a policy for a year or many: every flow of every step."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from devices.arrays import FloatArray, IntArray
from hems.dispatch.policies import MONTHS, Policy
from scenarios.dispatch.kernel import (
    CAPACITY,
    FROM_GRID,
    FROM_PV,
    OUT,
    POWER,
    RESULTS,
    SOC,
    run,
)
from scenarios.dispatch.numbers import order_of, site_of
from scenarios.dispatch.plant import DispatchBattery
from scenarios.dispatch.summary import Peak, Summary
from scenarios.errors import ScenarioInputError

SAM_START = datetime(2018, 1, 1)  # noqa: DTZ001 -- a clock of its own: SAM's years, which have no date
"""A Monday, 1 January, of a year of 365 days, as SAM's years all begin."""
HOUR_S, DAY_S = 3600.0, 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispatched:
    """Every flow of a plant, arrays of shape (years * steps,), magnitudes at the AC side. [W]"""

    start: datetime
    """When the first step begins, on the plant's own clock."""
    step_s: float
    """Length of a step. [s]"""
    years: int
    """Years in a row."""
    battery: DispatchBattery
    """The battery."""
    load_w: FloatArray
    """Demand. [W]"""
    pv_w: FloatArray
    """Production, after its yearly loss. [W]"""
    grid_import_w: FloatArray
    """All import. [W]"""
    grid_export_w: FloatArray
    """All export. [W]"""
    pv_to_load_w: FloatArray
    """Production that covers load. [W]"""
    pv_to_battery_w: FloatArray
    """Production that charges; with DC coupling what it would have been at the AC side. [W]"""
    pv_to_grid_w: FloatArray
    """Production that is exported. [W]"""
    grid_to_load_w: FloatArray
    """Import that covers load. [W]"""
    grid_to_battery_w: FloatArray
    """Import that charges. [W]"""
    battery_to_load_w: FloatArray
    """Discharge that covers load. [W]"""
    battery_to_grid_w: FloatArray
    """Discharge that is exported; no policy does. [W]"""
    spared_w: FloatArray
    """What PV that charges would have lost in its inverter, had it gone to the AC side: with DC
    coupling there is as much more of it; with AC coupling 0. [W]"""
    loss_w: FloatArray
    """Lost in conversion: ``grid_import_w + pv_w + spared_w`` less load, export and cells. [W]"""
    cell_power_w: FloatArray
    """Power into the cells, > 0 charges. [W]"""
    soc: FloatArray
    """State of charge at the end of each step, 0..1."""
    capacity_left: FloatArray
    """Capacity at the end of each step, share of nominal."""

    def summary(self) -> Summary:
        """Return peaks, energies, efficiency, cycles and capacity, for each year."""
        step_h = self.step_s / HOUR_S
        discharged = self._by_year(np.maximum(-self.cell_power_w, 0.0)) * step_h
        return Summary(
            demand_peak_kw=self._peaks(),
            battery_to_load_kwh=self._energy_kwh(self.battery_to_load_w),
            grid_to_load_kwh=self._energy_kwh(self.grid_to_load_w),
            pv_to_load_kwh=self._energy_kwh(self.pv_to_load_w),
            round_trip_efficiency=self._efficiency(),
            cycles=tuple((discharged / self.battery.capacity_wh).tolist()),
            capacity_left=tuple(self.capacity_left.reshape(self.years, -1)[:, -1].tolist()),
        )

    def _by_year(self, flow_w: FloatArray) -> FloatArray:
        total: FloatArray = flow_w.reshape(self.years, -1).sum(axis=1)
        return total

    def _energy_kwh(self, flow_w: FloatArray) -> tuple[float, ...]:
        return tuple((self._by_year(flow_w) * self.step_s / HOUR_S / 1000).tolist())

    def _efficiency(self) -> tuple[float, ...]:
        charged = np.cumsum(self._by_year(self.pv_to_battery_w + self.grid_to_battery_w))
        out = np.cumsum(self._by_year(self.battery_to_load_w + self.battery_to_grid_w))
        share = np.divide(out, charged, out=np.zeros(self.years), where=charged > 0)
        return tuple(share.tolist())

    def _peaks(self) -> tuple[Peak, ...]:
        imported = self.grid_import_w.reshape(self.years, -1) / 1000
        month = months(self.start, self.step_s, imported.shape[1])
        highest = np.stack(
            [imported[:, month == m].max(axis=1, initial=0.0) for m in range(MONTHS)]
        )
        return tuple(
            Peak(annual=float(year.max()), by_month=tuple(year.tolist())) for year in highest.T
        )


def months(start: datetime, step_s: float, steps: int) -> IntArray:
    """Return the month of each step of a year, 0..11."""
    per_day = round(DAY_S / step_s)
    days = [(start + timedelta(days=day)).month - 1 for day in range(-(-steps // per_day))]
    return np.repeat(np.array(days, dtype=np.int64), per_day)[:steps]


def dispatch(
    load_w: FloatArray,
    pv_w: FloatArray,
    *,
    step_s: float,
    battery: DispatchBattery,
    policy: Policy,
    start: datetime = SAM_START,
    years: int = 1,
    pv_loss_per_year: float = 0.0,
) -> Dispatched:
    """Run a plant by a policy.

    Parameters
    ----------
    load_w, pv_w : FloatArray, shape (steps,)
        A year's demand and production at the AC side, >= 0, in whole days. [W]
    step_s : float
        Length of a step; a whole number of them makes an hour. [s]
    battery : DispatchBattery
        The battery.
    policy : Policy
        What it is told.
    start : datetime
        When the year begins, at a midnight: its months and weekdays. Unless told, SAM's: 365 days,
        of which the first is a Monday, 1 January.
    years : int
        How often the year is run, the battery ageing from each to the next.
    pv_loss_per_year : float
        Share of production that is lost from each year to the next.

    Raises
    ------
    ScenarioInputError
        If series, step, years or policy cannot be run.
    """
    _check(load_w, pv_w, step_s)
    if years < 1 or not 0 <= pv_loss_per_year < 1:
        msg = (
            f"{years} years with a yearly loss of {pv_loss_per_year:g} of PV; give 1 year or more, "
            "and a share of 0 to less than 1"
        )
        raise ScenarioInputError(msg)
    load_w, pv_w = (np.ascontiguousarray(series, np.float64) for series in (load_w, pv_w))
    made_w = np.outer((1 - pv_loss_per_year) ** np.arange(years), pv_w)
    order = order_of(battery, policy, months(start, step_s, load_w.size), start, step_s)
    results = np.zeros((made_w.size, RESULTS))
    run(site_of(battery, step_s), order, load_w, made_w, results)
    flows = _flows(battery, np.tile(load_w, years), made_w.ravel(), results)
    return Dispatched(start=start, step_s=step_s, years=years, battery=battery, **flows)


def _flows(
    battery: DispatchBattery, load_w: FloatArray, pv_w: FloatArray, results: FloatArray
) -> dict[str, FloatArray]:
    """Return all flows that follow from what the battery did."""
    spares = 1 / battery.discharge_efficiency - 1 if battery.coupling == "dc" else 0.0
    by_pv_w, by_grid_w, out_w = results[:, [FROM_PV, FROM_GRID, OUT]].T
    pv_to_load_w = np.minimum(pv_w - by_pv_w, load_w)
    # a battery never gives more than the load lacks, but for rounding
    out_w = np.minimum(out_w, load_w - pv_to_load_w)
    pv_to_grid_w, grid_to_load_w = pv_w - by_pv_w - pv_to_load_w, load_w - pv_to_load_w - out_w
    cell_power_w = results[:, POWER]
    return {
        "load_w": load_w,
        "pv_w": pv_w,
        "grid_import_w": grid_to_load_w + by_grid_w,
        "grid_export_w": pv_to_grid_w,
        "pv_to_load_w": pv_to_load_w,
        "pv_to_battery_w": by_pv_w,
        "pv_to_grid_w": pv_to_grid_w,
        "grid_to_load_w": grid_to_load_w,
        "grid_to_battery_w": by_grid_w,
        "battery_to_load_w": out_w,
        "battery_to_grid_w": np.zeros_like(out_w),
        "spared_w": by_pv_w * spares,
        "loss_w": by_pv_w * (1 + spares) + by_grid_w - out_w - cell_power_w,
        "cell_power_w": cell_power_w,
        "soc": results[:, SOC],
        "capacity_left": results[:, CAPACITY],
    }


def _check(load_w: FloatArray, pv_w: FloatArray, step_s: float) -> None:
    """Raise for what no plant can be run with."""
    for name, series in (("load", load_w), ("PV", pv_w)):
        bad = np.flatnonzero(~(np.isfinite(series) & (series >= 0)))
        if bad.size:
            msg = f"{name}: value {bad[0] + 1} is {series[bad[0]]:g} W; give finite values >= 0"
            raise ScenarioInputError(msg)
    if load_w.shape != pv_w.shape:
        msg = f"load has {load_w.size} values, PV {pv_w.size}; give as many of each"
        raise ScenarioInputError(msg)
    if step_s <= 0 or step_s > HOUR_S or HOUR_S % step_s:
        msg = f"step of {step_s:g} s; give one of which a whole number makes an hour"
        raise ScenarioInputError(msg)
    if not load_w.size or load_w.size % round(DAY_S / step_s):
        msg = f"series of {load_w.size} steps of {step_s:g} s; give whole days"
        raise ScenarioInputError(msg)
