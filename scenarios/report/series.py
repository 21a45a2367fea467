"""What the charts and tables draw: a day's series and sums, in the units of a reader."""

from dataclasses import dataclass

import numpy as np

from devices.arrays import BoolArray, FloatArray
from scenarios.data.fleet_data import MINUTE_S
from scenarios.simulation.day_ahead import slot_energy_wh
from scenarios.simulation.fleet_day import FleetDay

MINUTE_H = MINUTE_S / 3600
SPREAD = (10.0, 90.0)
"""Percentiles of the homes between which the fleet chart shades the state of charge."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetSeries:
    """The fleet's day; slots are market intervals, ends are the day's start and each slot's end."""

    committed_kwh: FloatArray
    """E_c, 0 where nothing was promised, shape (slots,). [kWh]"""
    delivered_kwh: FloatArray
    """Net export as the contract recorded it, shape (slots,). [kWh]"""
    forecast_kwh: FloatArray
    """Forecast production less forecast demand, shape (slots,). [kWh]"""
    surplus_kwh: FloatArray
    """Production less load as they came: net export had no battery moved, shape (slots,). [kWh]"""
    target_percent: FloatArray
    """SoC^A, shape (slots + 1,), the first is the day's start. [%]"""
    steered: BoolArray
    """True where homes aimed at SoC^A, shape (slots,)."""
    soc_percent: FloatArray
    """The fleet's state of charge, shape (minutes + 1,). [%]"""
    low_percent: FloatArray
    """The lower of the `SPREAD` of homes, shape (minutes + 1,). [%]"""
    high_percent: FloatArray
    """The upper, shape (minutes + 1,). [%]"""

    @property
    def promised(self) -> BoolArray:
        """True where something was promised, shape (slots,)."""
        return self.committed_kwh > 0


def fleet_series(day: FleetDay) -> FleetSeries:
    """Return the fleet's day."""
    grid, forecast = day.data.market_grid, day.promise.forecast
    now = slice(day.data.day_start_minute, None)
    own_w = (day.data.pv_w[:, now] - day.data.load_w[:, now]).sum(axis=0) + day.trace.plant_w
    capacity_wh = day.fleet.bank.capacity_wh
    low, high = np.percentile(day.trace.stored_wh / capacity_wh[:, None], SPREAD, axis=0)
    fleet_soc = day.trace.stored_wh.sum(axis=0) / capacity_wh.sum()
    return FleetSeries(
        committed_kwh=np.array([d.commitment_wh for d in day.deliveries]) / 1000,
        delivered_kwh=np.array([d.delivered_wh for d in day.deliveries]) / 1000,
        forecast_kwh=(forecast.production_wh - forecast.demand_wh) / 1000,
        surplus_kwh=slot_energy_wh(own_w, grid) / 1000,
        target_percent=target_percent(day),
        steered=np.array(day.promise.schedule.steered)
        & np.array([not d.commitment_wh for d in day.deliveries]),
        soc_percent=100 * fleet_soc,
        low_percent=100 * low,
        high_percent=100 * high,
    )


def target_percent(day: FleetDay) -> FloatArray:
    """Return the planned SoC^A at the day's start and at each slot's end. [%]"""
    return 100 * np.array([day.rules.soc_start, *day.promise.replan.soc])


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeSeries:
    """One home's day by the minute."""

    home: int
    """Its index in the fleet."""
    why: str
    """Why it is shown."""
    ratio: float
    """Production over load of the day."""
    load_kw: FloatArray
    """Load, shape (minutes,). [kW]"""
    pv_kw: FloatArray
    """Production, shape (minutes,). [kW]"""
    grid_kw: FloatArray
    """Meter, > 0 imports, shape (minutes,). [kW]"""
    soc_percent: FloatArray
    """State of charge, shape (minutes + 1,). [%]"""


def telling_homes(day: FleetDay) -> tuple[HomeSeries, ...]:
    """Return the homes with the highest, median and lowest production over load.

    Notes
    -----
    Of equals the first; a fleet of fewer than three homes shows each once.
    """
    ratio = _pv_over_load(day)
    order = np.argsort(-ratio, kind="stable")
    chosen: dict[int, str] = {}
    for place, why in ((0, "highest"), (len(order) // 2, "median"), (len(order) - 1, "lowest")):
        chosen.setdefault(int(order[place]), why)
    return tuple(_home(day, home, why, float(ratio[home])) for home, why in chosen.items())


def _pv_over_load(day: FleetDay) -> FloatArray:
    """Return each home's production over load of the day, shape (homes,)."""
    now = slice(day.data.day_start_minute, None)
    load_w = day.data.load_w[:, now].sum(axis=1)
    ratio: FloatArray = day.data.pv_w[:, now].sum(axis=1) / np.maximum(load_w, 1.0)
    return ratio


def _home(day: FleetDay, home: int, why: str, ratio: float) -> HomeSeries:
    now = slice(day.data.day_start_minute, None)
    return HomeSeries(
        home=home,
        why=why,
        ratio=ratio,
        load_kw=day.data.load_w[home, now] / 1000,
        pv_kw=day.data.pv_w[home, now] / 1000,
        grid_kw=day.trace.grid_power_w[home] / 1000,
        soc_percent=100 * day.trace.stored_wh[home] / day.fleet.bank.capacity_wh[home],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class EnergyBalance:
    """A day's energies, summed over homes and minutes. [Wh]

    Notes
    -----
    ``pv + imported = load + exported + lost + stored``, up to float rounding.
    """

    load_wh: float
    """Load of the homes. [Wh]"""
    pv_wh: float
    """Production of the homes. [Wh]"""
    imported_wh: float
    """Import at the homes' meters, minute by minute. [Wh]"""
    exported_wh: float
    """Export at the homes' meters, minute by minute. [Wh]"""
    charged_wh: float
    """Into the batteries, at their terminals. [Wh]"""
    discharged_wh: float
    """Out of the batteries, at their terminals. [Wh]"""
    stored_wh: float
    """Stored at the day's end less at its start. [Wh]"""
    plant_wh: float
    """Production of the aggregator's plant. [Wh]"""

    @property
    def lost_wh(self) -> float:
        """What the batteries turned into heat. [Wh]"""
        return self.charged_wh - self.discharged_wh - self.stored_wh

    @property
    def net_export_wh(self) -> float:
        """What left the fleet, homes and plant. [Wh]"""
        return self.exported_wh - self.imported_wh + self.plant_wh


def energy_balance(day: FleetDay) -> EnergyBalance:
    """Return the day's energies."""
    now = slice(day.data.day_start_minute, None)
    trace = day.trace

    def sum_wh(power_w: FloatArray) -> float:
        return float(power_w.sum()) * MINUTE_H

    return EnergyBalance(
        load_wh=sum_wh(day.data.load_w[:, now]),
        pv_wh=sum_wh(day.data.pv_w[:, now]),
        imported_wh=sum_wh(np.maximum(trace.grid_power_w, 0.0)),
        exported_wh=sum_wh(np.maximum(-trace.grid_power_w, 0.0)),
        charged_wh=sum_wh(np.maximum(trace.battery_power_w, 0.0)),
        discharged_wh=sum_wh(np.maximum(-trace.battery_power_w, 0.0)),
        stored_wh=float((trace.stored_wh[:, -1] - trace.stored_wh[:, 0]).sum()),
        plant_wh=sum_wh(trace.plant_w),
    )


def promised_runs(promised: BoolArray) -> list[tuple[int, int]]:
    """Return the first slot and the slot after the last of every run of promised slots."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], promised, [False]))))
    return [(int(first), int(end)) for first, end in zip(edges[::2], edges[1::2], strict=True)]
