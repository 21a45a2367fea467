"""What a run of many days leaves of each: tables as Parquet, figures as JSON."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from aggregator.files import write_text
from contracts.promise import SOC_BP_MAX
from devices.arrays import FloatArray
from scenarios.data.fleet_data import MINUTE_S
from scenarios.fleet_day import LivedDay
from scenarios.report.clock import local_date
from scenarios.summary import (
    SELF_SUPPLIED_W,
    bill_panels_alone,
    blocks_of_homes,
    energy_balance_error_wh,
)

HOMES, INTERVALS, DAYS = "homes", "intervals", "days"
"""Folders of a run; each holds a file per day, named by its date."""
Columns = dict[str, npt.NDArray[Any]]
Figures = dict[str, object]


def write_day(folder: Path, lived: LivedDay) -> None:
    """Write what a day left, the same bytes for the same day."""
    name = str(local_date(lived.data.market_grid))
    for part in (HOMES, INTERVALS, DAYS):
        (folder / part).mkdir(parents=True, exist_ok=True)
    homes = home_columns(lived)
    _write_table(folder / HOMES / f"{name}.parquet", homes)
    _write_table(folder / INTERVALS / f"{name}.parquet", interval_columns(lived))
    text = json.dumps(day_figures(lived, homes), indent=2) + "\n"
    write_text(folder / DAYS / f"{name}.json", text)


def write_bills(path: Path, columns: Columns) -> None:
    """Write what the homes pay and are paid over all days."""
    _write_table(path, columns)


def read_days(folder: Path) -> list[Figures]:
    """Return the figures of all days, in their order."""
    return [json.loads(path.read_text()) for path in sorted((folder / DAYS).glob("*.json"))]


def home_columns(lived: LivedDay) -> Columns:
    """Return a row per home and market interval, home by home.

    Notes
    -----
    Energies are sums of minutes: ``import_wh`` and ``export_wh`` count each minute in its own
    direction, as two registers do; bills net them (`aggregator.bills`). ``self_wh`` is load that
    did not come from the grid at its minute.
    """
    homes, slots = lived.data.homes, lived.data.market_grid.count
    blocks = [_energies(lived, block) for block in blocks_of_homes(homes)]
    return {
        "home": np.repeat(np.arange(homes, dtype=np.int32), slots),
        "start_s": np.tile(_starts(lived), homes),
        **{name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]},
    }


def _energies(lived: LivedDay, homes: slice) -> Columns:
    """Return what some homes did in each market interval."""
    data, trace, day = lived.data, lived.trace, slice(lived.data.day_start_minute, None)
    per_slot = data.market_grid.step_s // MINUTE_S
    load_w, grid_w = data.load_w[homes, day], trace.grid_power_w[homes]
    battery_w, import_w = trace.battery_power_w[homes], np.maximum(grid_w, 0.0)
    return {
        "load_wh": _energy(load_w, per_slot),
        "pv_wh": _energy(data.pv_w[homes, day], per_slot),
        "import_wh": _energy(import_w, per_slot),
        "export_wh": _energy(np.maximum(-grid_w, 0.0), per_slot),
        "charge_wh": _energy(np.maximum(battery_w, 0.0), per_slot),
        "discharge_wh": _energy(np.maximum(-battery_w, 0.0), per_slot),
        "self_wh": _energy(np.maximum(load_w - import_w, 0.0), per_slot),
        "supplied_minutes": _per_slot(import_w <= SELF_SUPPLIED_W, per_slot)
        .sum(axis=2, dtype=np.int16)
        .ravel(),
        "import_peak_w": _per_slot(import_w, per_slot).max(axis=2).ravel(),
        "stored_wh": trace.stored_wh[homes, per_slot::per_slot].ravel(),
    }


def interval_columns(lived: LivedDay) -> Columns:
    """Return a row per market interval of the fleet."""
    data, trace, promise = lived.data, lived.trace, lived.promise
    per_slot = data.market_grid.step_s // MINUTE_S
    fleet_w = trace.grid_power_w.sum(axis=0)
    stored_wh = trace.stored_wh[:, per_slot::per_slot].sum(axis=0)
    return {
        "start_s": _starts(lived),
        "day_ahead_price_per_mwh": data.day_ahead_price_per_mwh,
        "import_price_per_mwh": data.import_price_per_mwh,
        "imbalance_price_per_mwh": data.imbalance_price_per_mwh,
        "forecast_demand_wh": promise.forecast.demand_wh,
        "forecast_production_wh": promise.forecast.production_wh,
        "commitment_wh": np.array(promise.schedule.commitment_wh, dtype=np.int64),
        "delivered_wh": np.array([d.delivered_wh for d in lived.deliveries], dtype=np.int64),
        "exported_wh": np.array([d.exported_wh for d in lived.deliveries], dtype=np.int64),
        "homes_net_import_wh": _energy(fleet_w[np.newaxis], per_slot),
        "plant_wh": _energy(trace.plant_w[np.newaxis], per_slot),
        "planned_soc": promise.replan.soc,
        "published_soc": np.array(promise.schedule.soc_bp) / SOC_BP_MAX,
        "soc": stored_wh / lived.fleet.bank.capacity_wh.sum(),
        "steered": np.array(promise.schedule.steered, dtype=np.bool_),
        "revenue": lived.market.revenue,
        "imbalance_cost": lived.market.imbalance_cost,
    }


def day_figures(lived: LivedDay, homes: Columns) -> Figures:
    """Return a day's figures; most of them add up over days.

    Parameters
    ----------
    lived : LivedDay
        The day.
    homes : Columns
        Its `home_columns`.
    """
    data, trace = lived.data, lived.trace
    promised = [delivery for delivery in lived.deliveries if delivery.commitment_wh]
    sums = {name: float(homes[name].sum()) for name in ("load_wh", "pv_wh", "import_wh", "self_wh")}
    return {
        "day": str(local_date(data.market_grid)),
        "plan_status": str(lived.promise.replan.status),
        "plan_broken": len(lived.promise.replan.broken),
        "committed_wh": sum(each.commitment_wh for each in promised),
        "delivered_wh": sum(each.delivered_wh for each in promised),
        "missed_wh": sum(abs(each.delivered_wh - each.commitment_wh) for each in promised),
        **sums,
        "plant_wh": float(trace.plant_w.sum() / 60),
        "supplied_minutes": int(homes["supplied_minutes"].sum()),
        "home_minutes": trace.grid_power_w.size,
        "stored_change_wh": float((trace.stored_wh[:, -1] - trace.stored_wh[:, 0]).sum()),
        "energy_balance_error_wh": energy_balance_error_wh(lived),
        "uncommitted_export_wh": float(lived.market.unpaid_export_wh.sum()),
        "reports": trace.reports,
        "refused_reports": len(trace.refusals),
        "lost_reports": trace.lost_reports,
        "offline_homes": trace.offline_homes,
        "decisions": trace.decisions,
        "proved_decisions": trace.proved_decisions,
        "cap_excess_wh": trace.cap_excess_wh,
        "bill_baseline": float(lived.bills.baseline.sum()),
        "bill_panels_alone": bill_panels_alone(lived),
        "bill": float(lived.bills.bill.sum()),
        "market_revenue": float(lived.market.revenue.sum()),
        "imbalance_cost": float(lived.market.imbalance_cost.sum()),
    }


def _starts(lived: LivedDay) -> npt.NDArray[np.int64]:
    """Return the beginnings of the market's intervals. [s since 1970]"""
    grid = lived.data.market_grid
    return int(grid.start.timestamp()) + grid.step_s * np.arange(grid.count, dtype=np.int64)


def _per_slot(minutes: npt.NDArray[Any], per_slot: int) -> npt.NDArray[Any]:
    return minutes.reshape(minutes.shape[0], -1, per_slot)


def _energy(minutes_w: FloatArray, per_slot: int) -> FloatArray:
    """Return energy per row and slot, row by row. [Wh]"""
    energy_wh: FloatArray = minutes_w.reshape(minutes_w.shape[0], -1, per_slot).sum(axis=2) / 60
    return energy_wh.ravel()


def _write_table(path: Path, columns: Columns) -> None:
    pq.write_table(pa.table(columns), path, compression="zstd")
