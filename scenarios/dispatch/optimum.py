"""The best that any dispatch of a battery can come to: the bound beside which policies stand.

A year is one linear program. Prices of import never fall below those of export nor below zero, so
charging and discharging at once gains nothing: where the program does both, one is taken off the
other without cost, and what is left is the optimum of the program with binaries, too.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from devices.arrays import FloatArray, IntArray
from scenarios.dispatch.optimum_battery import IdealBattery
from scenarios.dispatch.optimum_program import (
    DISCHARGE,
    EXPORT,
    GRID_CHARGE,
    IMPORT,
    KINDS,
    PV_CHARGE,
    STORED,
    Numbers,
    solve,
)
from scenarios.errors import ScenarioInputError

DAY_H: Final = 24
KEPT_SHARE: Final = 0.5
"""Worth of a stored Wh after the last foreseen step, in the dearest import that it can replace."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """What import, export and peaks cost.

    Raises
    ------
    ScenarioInputError
        Unless 0 <= export <= import at every step, and peaks cost nothing or something.
    """

    import_price_per_mwh: float | FloatArray
    """Of import, one or one per step. [currency/MWh]"""
    export_price_per_mwh: float | FloatArray = 0.0
    """Paid for export, one or one per step. [currency/MWh]"""
    peak_price_per_kw: float | FloatArray = 0.0
    """Of a billing period's highest import, one or one per period. [currency/kW]"""

    def __post_init__(self) -> None:
        least = np.minimum(self.export_price_per_mwh, self.import_price_per_mwh)
        if not np.all((least >= 0) & (self.export_price_per_mwh == least)):
            msg = (
                "optimum: prices must hold 0 <= export <= import at every step; else one would "
                "burn energy, and the linear program is no bound"
            )
            raise ScenarioInputError(msg)
        if not np.all(np.asarray(self.peak_price_per_kw) >= 0):
            msg = f"optimum: a peak's price is {self.peak_price_per_kw}; give 0 or more"
            raise ScenarioInputError(msg)

    def cost(
        self,
        grid_import_w: FloatArray,
        grid_export_w: FloatArray,
        *,
        step_s: float,
        period: IntArray,
    ) -> float:
        """Return what a year's import and export come to. [currency]

        Parameters
        ----------
        grid_import_w, grid_export_w : FloatArray, shape (steps,)
            What passes the meter. [W]
        step_s : float
            Length of a step. [s]
        period : IntArray, shape (steps,)
            Billing period of each step, from 0.
        """
        mwh = step_s / 3600 / 1e6
        energy = np.sum(self.import_price_per_mwh * grid_import_w) * mwh
        energy -= np.sum(self.export_price_per_mwh * grid_export_w) * mwh
        peaks_w = peaks(grid_import_w, period)
        return float(energy + np.sum(self.peak_price_per_kw * peaks_w / 1000))


@dataclass(frozen=True, slots=True, kw_only=True)
class Optimum:
    """A plant's best dispatch; arrays of shape (steps,)."""

    pv_to_battery_w: FloatArray
    """Production that charges. [W]"""
    grid_to_battery_w: FloatArray
    """Import that charges. [W]"""
    battery_to_load_w: FloatArray
    """Discharge. [W]"""
    grid_import_w: FloatArray
    """Import. [W]"""
    grid_export_w: FloatArray
    """Export. [W]"""
    stored_wh: FloatArray
    """Stored at the end of each step. [Wh]"""
    peak_w: FloatArray
    """Highest import of each billing period, shape (periods,). [W]"""
    cost: float
    """Of import and peaks, less export. [currency]"""

    @property
    def battery_power_w(self) -> FloatArray:
        """The battery's power at the meter, > 0 charges. [W]"""
        return self.pv_to_battery_w + self.grid_to_battery_w - self.battery_to_load_w


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Steps that are planned together."""

    load_w: FloatArray
    pv_w: FloatArray
    period: IntArray
    import_price: FloatArray
    export_price: FloatArray
    peak_price: FloatArray
    kept_price: float
    peak_so_far_w: FloatArray
    step_h: float


def optimum(
    load_w: FloatArray,
    pv_w: FloatArray,
    *,
    step_s: float,
    period: IntArray,
    battery: IdealBattery,
    prices: Prices,
) -> Optimum:
    """Return the cheapest dispatch of all steps, known from the first on.

    Parameters
    ----------
    load_w, pv_w : FloatArray, shape (steps,)
        Demand and production at the AC side. [W]
    step_s : float
        Length of a step. [s]
    period : IntArray, shape (steps,)
        Billing period of each step, from 0 without a gap; months as a rule.
    battery : IdealBattery
        The battery, without what makes it depend on its past.
    prices : Prices
        What is charged.

    Raises
    ------
    ScenarioInputError
        If the program has no optimum.

    Notes
    -----
    min Σ p I − x E + Σ_m π_m P_m, with I − E = L − G + C − D, S' = S + η_c C − D / η_d, P_m >= I,
    D <= max(0, L − G), and C <= G where the grid may not charge. No policy of `scenarios.dispatch`
    can do better, for its battery loses at least as much and holds no more.
    """
    whole = _stretch(load_w, pv_w, period, prices, step_s=step_s)
    flows_kw = _plan(whole, battery, battery.stored_begin_wh)
    return _outcome(flows_kw, step_s=step_s, period=period, prices=prices)


def rolling(
    load_w: FloatArray,
    pv_w: FloatArray,
    *,
    step_s: float,
    period: IntArray,
    battery: IdealBattery,
    prices: Prices,
    foresight_h: float = DAY_H,
    progress: Callable[[int], None] = lambda _: None,
) -> Optimum:
    """Return what comes of the cheapest plan for the next hours, made each midnight.

    The plan knows those hours, and the peaks of their billing periods so far, which are owed.

    Parameters
    ----------
    load_w, pv_w, step_s, period, battery, prices
        As in `optimum`; the first step begins at a midnight.
    foresight_h : float
        Hours that each plan knows; a day at least. [h]
    progress : Callable[[int], None]
        Told after each day how many there were.

    Raises
    ------
    ScenarioInputError
        If less than a day is foreseen, or a plan has no optimum.
    """
    if foresight_h < DAY_H:
        msg = f"optimum: foresight is {foresight_h:g} h; give {DAY_H} or more"
        raise ScenarioInputError(msg)
    whole = _stretch(load_w, pv_w, period, prices, step_s=step_s)
    day, ahead = (round(hours * 3600 / step_s) for hours in (DAY_H, foresight_h))
    stored_wh, parts = battery.stored_begin_wh, []
    peak_w = np.zeros(int(period.max()) + 1)
    for first in range(0, load_w.size, day):
        seen = _part(whole, slice(first, first + ahead), peak_w)
        lived = _plan(seen, battery, stored_wh)[:, :day]
        parts.append(lived)
        stored_wh = float(lived[STORED, -1]) * 1000
        np.maximum.at(peak_w, period[first : first + day], lived[IMPORT] * 1000)
        progress(first // day + 1)
    return _outcome(np.concatenate(parts, axis=1), step_s=step_s, period=period, prices=prices)


def most_delivered_wh(
    load_w: FloatArray, pv_w: FloatArray, *, step_s: float, battery: IdealBattery
) -> float:
    """Return a bound on the energy that a battery can give the load, at whatever cost. [Wh]

    Parameters
    ----------
    load_w, pv_w, step_s, battery
        As in `optimum`.

    Notes
    -----
    Charging and discharging may share a step's time here, so no dispatch reaches more, and none
    need reach as much.
    """
    net_kw, step_h = (load_w - pv_w) / 1000, step_s / 3600
    cost = np.zeros((len(KINDS), net_kw.size))
    cost[DISCHARGE] = -step_h
    flows_kw = solve(
        Numbers(
            cost=cost,
            high=battery.high(load_w, pv_w),
            stored_low_kwh=battery.stored_low_wh / 1000,
            stored_begin_kwh=battery.stored_begin_wh / 1000,
            net_load_kw=net_kw,
            charge_max_kw=battery.charge_max_w / 1000,
            discharge_max_kw=battery.discharge_max_w / 1000,
            period=np.zeros(net_kw.size, dtype=np.int64),
            peak_cost=np.zeros(1),
            peak_low_kw=np.zeros(1),
        ),
        efficiencies=battery.efficiencies,
        step_h=step_h,
    )
    return float(flows_kw[DISCHARGE].sum()) * step_h * 1000


def peaks(grid_import_w: FloatArray, period: IntArray) -> FloatArray:
    """Return the highest import of each billing period, shape (periods,). [W]"""
    found_w = np.zeros(int(period.max()) + 1)
    np.maximum.at(found_w, period, grid_import_w)
    return found_w


def share_of_saving(cost: float, *, without: float, best: float) -> float | None:
    """Return the part of the greatest saving that a dispatch reaches, None where there is none.

    Parameters
    ----------
    cost, without, best : float
        Of the dispatch, without a battery, and of the optimum. [currency]
    """
    return (without - cost) / (without - best) if without - best > 1e-9 * abs(without) else None


def _stretch(
    load_w: FloatArray, pv_w: FloatArray, period: IntArray, prices: Prices, *, step_s: float
) -> _Stretch:
    """Return all steps as one stretch, with a price for each."""
    if not load_w.shape == pv_w.shape == period.shape or load_w.ndim != 1 or not load_w.size:
        msg = (
            f"optimum: load, PV and billing periods have shapes {load_w.shape}, {pv_w.shape} and "
            f"{period.shape}; give three rows of equal length"
        )
        raise ScenarioInputError(msg)
    periods = int(period.max()) + 1
    return _Stretch(
        load_w=load_w,
        pv_w=pv_w,
        period=period.astype(np.int64),
        import_price=np.broadcast_to(prices.import_price_per_mwh, load_w.shape) / 1000,
        export_price=np.broadcast_to(prices.export_price_per_mwh, load_w.shape) / 1000,
        peak_price=np.broadcast_to(prices.peak_price_per_kw, periods).astype(np.float64),
        kept_price=0.0,
        peak_so_far_w=np.zeros(periods),
        step_h=step_s / 3600,
    )


def _part(whole: _Stretch, steps: slice, peak_w: FloatArray) -> _Stretch:
    """Return some steps, with the peaks that are owed and a worth of what is left at their end."""
    named, period = np.unique(whole.period[steps], return_inverse=True)
    import_price = whole.import_price[steps]
    last = steps.stop >= whole.load_w.size
    return _Stretch(
        load_w=whole.load_w[steps],
        pv_w=whole.pv_w[steps],
        period=period.astype(np.int64),
        import_price=import_price,
        export_price=whole.export_price[steps],
        peak_price=whole.peak_price[named],
        kept_price=0.0 if last else KEPT_SHARE * float(import_price.max()),
        peak_so_far_w=peak_w[named],
        step_h=whole.step_h,
    )


def _plan(seen: _Stretch, battery: IdealBattery, stored_wh: float) -> FloatArray:
    """Return the cheapest plan of a stretch, shape (kinds, steps). [kW, kWh]"""
    net_kw = (seen.load_w - seen.pv_w) / 1000
    cost = np.zeros((len(KINDS), net_kw.size))
    cost[IMPORT] = seen.import_price * seen.step_h
    cost[EXPORT] = -seen.export_price * seen.step_h
    cost[STORED, -1] = -seen.kept_price * battery.discharge_efficiency
    efficiencies = battery.efficiencies
    flows_kw = solve(
        Numbers(
            cost=cost,
            high=battery.high(seen.load_w, seen.pv_w),
            stored_low_kwh=battery.stored_low_wh / 1000,
            stored_begin_kwh=stored_wh / 1000,
            net_load_kw=net_kw,
            charge_max_kw=battery.charge_max_w / 1000,
            discharge_max_kw=battery.discharge_max_w / 1000,
            period=seen.period,
            peak_cost=seen.peak_price,
            peak_low_kw=seen.peak_so_far_w / 1000,
        ),
        efficiencies=efficiencies,
        step_h=seen.step_h,
    )
    return _one_way(flows_kw, efficiencies, net_kw)


def _one_way(
    flows_kw: FloatArray, efficiencies: tuple[float, float, float], net_kw: FloatArray
) -> FloatArray:
    """Return the plan without charging and discharging at once; what is stored stays the same."""
    from_pv, from_grid, to_load = efficiencies
    back_kw = flows_kw[DISCHARGE] / to_load  # what the cells give, in their own kW
    grid_off_kw = np.minimum(flows_kw[GRID_CHARGE], back_kw / from_grid)
    back_kw = back_kw - grid_off_kw * from_grid
    pv_off_kw = np.minimum(flows_kw[PV_CHARGE], back_kw / from_pv)
    back_kw = np.maximum(back_kw - pv_off_kw * from_pv, 0.0)
    found = flows_kw.copy()
    found[GRID_CHARGE] -= grid_off_kw
    found[PV_CHARGE] -= pv_off_kw
    found[DISCHARGE] = back_kw * to_load
    meter_kw = net_kw + found[PV_CHARGE] + found[GRID_CHARGE] - found[DISCHARGE]
    found[IMPORT], found[EXPORT] = np.maximum(meter_kw, 0.0), np.maximum(-meter_kw, 0.0)
    return found


def _outcome(flows_kw: FloatArray, *, step_s: float, period: IntArray, prices: Prices) -> Optimum:
    flows_w = flows_kw * 1000
    return Optimum(
        pv_to_battery_w=flows_w[PV_CHARGE],
        grid_to_battery_w=flows_w[GRID_CHARGE],
        battery_to_load_w=flows_w[DISCHARGE],
        grid_import_w=flows_w[IMPORT],
        grid_export_w=flows_w[EXPORT],
        stored_wh=flows_w[STORED],
        peak_w=peaks(flows_w[IMPORT], period),
        cost=prices.cost(flows_w[IMPORT], flows_w[EXPORT], step_s=step_s, period=period),
    )
