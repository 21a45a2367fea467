"""Homes made up for tests (Simu): registered in a service's store, with the telemetry of some days.

Load and sun come from the project's generator (`scenarios.data.generate`); batteries follow their
home's residual demand, or give what was promised. What is written is what the service's ingest
would have written.
"""

from dataclasses import dataclass
from datetime import date

import numpy as np

from aggregator.service.registry.bodies import DeviceBody, HomeBody
from aggregator.service.registry.errors import RegistryConflictError
from aggregator.service.registry.registry import Registry
from aggregator.service.registry.writing import Edit
from aggregator.service.store.channels import BATTERY_POWER, GRID, LOAD, PV, SOC
from aggregator.service.store.store import Store
from aggregator.service.store.telemetry import numbers_of, write_measurements
from contracts.timegrid import TimeGrid
from devices.arrays import FloatArray
from devices.battery_bank import BatteryBank
from scenarios.data.fleet_data import MINUTE_S
from scenarios.data.generate import generate_fleet_data

WHO = "simu"
"""Who the registry says it was."""
LATITUDE_DEG, LONGITUDE_DEG = 51.5, -0.1
"""Where the homes stand. [deg]"""
_AT_ONCE = 50_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which homes, and which days of them."""

    homes: int
    """Number of homes."""
    first: date
    """First local day."""
    last: date
    """Last local day."""
    seed: int = 0
    """Seeds every draw: the same homes on the same days."""
    period_s: int = 900
    """Length of a period of telemetry, whole minutes that divide an hour. [s]"""
    prefix: str = "simu"
    """What the homes' ids begin with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lived:
    """What homes did; arrays of shape (homes, periods)."""

    grid: TimeGrid
    """The periods."""
    load_w: FloatArray
    """Consumption. [W]"""
    pv_w: FloatArray
    """Production. [W]"""
    battery_power_w: FloatArray
    """Of the batteries, > 0 charges. [W]"""
    soc: FloatArray
    """State of charge at each period's end, 0..1."""

    @property
    def grid_power_w(self) -> FloatArray:
        """At the grid connection, > 0 imports. [W]"""
        return self.load_w + self.battery_power_w - self.pv_w


def enter_homes(store: Store, asked: Asked, bank: BatteryBank, *, at_ms: int) -> tuple[int, ...]:
    """Register homes and their batteries, those that are there left as they are; return numbers."""
    registry = Registry(store)
    ids = [f"{asked.prefix}-{number + 1}" for number in range(asked.homes)]
    edit = Edit(who=WHO, at_ms=at_ms, version=None, comment="made up for tests")
    for place, each in enumerate(ids):
        home = HomeBody(latitude_deg=LATITUDE_DEG, longitude_deg=LONGITUDE_DEG)
        battery = DeviceBody(
            kind="battery",
            model="made up",
            capacity_wh=float(bank.capacity_wh[place]),
            power_max_w=float(bank.power_max_w[place]),
            charge_efficiency=float(bank.charge_efficiency[place]),
            discharge_efficiency=float(bank.discharge_efficiency[place]),
            soc_min=float(bank.soc_min[place]),
            soc_max=float(bank.soc_max[place]),
        )
        try:
            registry.put(each, home, edit)
            registry.put(f"{each}/storage", battery, edit)
        except RegistryConflictError:
            continue
    with store.write() as connection:
        found = numbers_of(connection, ids, now_ms=at_ms, admit=False)
    return tuple(found[each] for each in ids)


def live(
    asked: Asked, bank: BatteryBank, *, stored_wh: FloatArray, promised_w: FloatArray | None = None
) -> Lived:
    """Return what the homes do on the days asked for.

    Parameters
    ----------
    asked : Asked
        Which.
    bank : BatteryBank
        Their batteries.
    stored_wh : FloatArray, shape (homes,)
        Energy in the cells at the start. [Wh]
    promised_w : FloatArray, shape (periods,), optional
        Net export of all homes that was promised, NaN where nothing was: there, and without it,
        batteries follow their home's residual demand. [W]
    """
    days = (asked.last - asked.first).days
    data = generate_fleet_data(
        day=asked.last, homes=asked.homes, seed=asked.seed, history_days=max(days, 1)
    )
    begin = TimeGrid.local_day(asked.first).start
    skipped = round((begin - data.minute_grid.start).total_seconds()) // MINUTE_S
    per_period = asked.period_s // MINUTE_S
    load_w, pv_w = (
        minutes_w[:, skipped:].reshape(asked.homes, -1, per_period).mean(axis=2)
        for minutes_w in (data.load_w, data.pv_w)
    )
    periods = load_w.shape[1]
    battery_w, soc = np.zeros_like(load_w), np.zeros_like(load_w)
    share = bank.capacity_wh / bank.capacity_wh.sum()
    for period in range(periods):
        surplus_w = pv_w[:, period] - load_w[:, period]
        export_w = np.nan if promised_w is None else promised_w[period]
        wanted_w = surplus_w if np.isnan(export_w) else surplus_w - export_w * share
        stored_wh, battery_w[:, period] = bank.advance(stored_wh, wanted_w, asked.period_s)
        soc[:, period] = stored_wh / bank.capacity_wh
    return Lived(
        grid=TimeGrid(start=begin, step_s=asked.period_s, count=periods),
        load_w=load_w,
        pv_w=pv_w,
        battery_power_w=battery_w,
        soc=soc,
    )


def write_lived(store: Store, numbers: tuple[int, ...], lived: Lived) -> int:
    """Write what homes did as their telemetry; return how many rows were new."""
    period_ms = lived.grid.step_s * 1000
    ends = [round(start.timestamp() * 1000) + period_ms for start in lived.grid.starts()]
    series = {
        LOAD: lived.load_w,
        PV: lived.pv_w,
        GRID: lived.grid_power_w,
        BATTERY_POWER: lived.battery_power_w,
        SOC: lived.soc * 100,
    }
    rows = [
        (number, end_ms, channel, period_ms, value, value, value, value)
        for place, number in enumerate(numbers)
        for channel, values in series.items()
        for end_ms, value in zip(ends, values[place].tolist(), strict=True)
    ]
    new = 0
    for first in range(0, len(rows), _AT_ONCE):
        with store.write() as connection:
            new += write_measurements(connection, rows[first : first + _AT_ONCE])
    return new
