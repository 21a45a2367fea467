"""What a run of many days leaves of each: tables as Parquet, figures as JSON."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from aggregator.files import write_text
from contracts.promise import SOC_BP_MAX
from devices.arrays import FloatArray
from scenarios.data.fleet_data import MINUTE_S
from scenarios.report.clock import local_date
from scenarios.simulation.fleet_day import LivedDay

HOMES, INTERVALS, DAYS, MINUTES = "homes", "intervals", "days", "minutes"
"""Folders of a run; each holds a file per day, named by its date."""
GROUP_HOMES: Final = 10_000
"""Homes of a Parquet row group: a city's table is written without being put together."""
HOME_COLUMNS: Final = (
    "load_wh",
    "pv_wh",
    "import_wh",
    "export_wh",
    "charge_wh",
    "discharge_wh",
    "self_wh",
    "covered_wh",
    "supplied_minutes",
    "covered_minutes",
    "import_peak_w",
    "stored_wh",
)
"""Columns of a home's market interval; see `scenarios.simulation.half_hours`."""
Columns = Mapping[str, npt.NDArray[Any]]
Figures = dict[str, object]


def write_day(folder: Path, lived: LivedDay) -> None:
    """Write what a day left, the same bytes for the same day."""
    name = str(local_date(lived.data.market_grid))
    for part in (HOMES, INTERVALS, DAYS, MINUTES):
        (folder / part).mkdir(parents=True, exist_ok=True)
    _write_homes(folder / HOMES / f"{name}.parquet", lived)
    _write_table(folder / INTERVALS / f"{name}.parquet", interval_columns(lived))
    _write_table(folder / MINUTES / f"{name}.parquet", minute_columns(lived))
    text = json.dumps(day_figures(lived), indent=2) + "\n"
    write_text(folder / DAYS / f"{name}.json", text)


def write_bills(path: Path, columns: Columns) -> None:
    """Write what the homes pay and are paid over all days."""
    _write_table(path, columns)


def read_days(folder: Path) -> list[Figures]:
    """Return the figures of all days, in their order."""
    return [json.loads(path.read_text()) for path in sorted((folder / DAYS).glob("*.json"))]


def _write_homes(path: Path, lived: LivedDay) -> None:
    """Write a row per home and market interval, home by home.

    Energies are sums of minutes: ``import_wh`` and ``export_wh`` count each minute in its own
    direction, as two registers do; bills net them (`aggregator.bills`). ``self_wh`` is load that
    did not come from the grid at its minute; ``covered_wh`` load that the home's own panels and
    battery could meet, whatever the battery took from the grid besides.
    """
    starts, slots, writer = _starts(lived), lived.record.slots, None
    try:
        for number, group in enumerate(lived.record.row_groups(HOME_COLUMNS, GROUP_HOMES)):
            first, homes = number * GROUP_HOMES, group["load_wh"].shape[0] // slots
            table = pa.table(
                {
                    "home": np.repeat(np.arange(first, first + homes, dtype=np.int32), slots),
                    "start_s": np.tile(starts, homes),
                    **group,
                }
            )
            writer = writer or pq.ParquetWriter(path, table.schema, compression="zstd")
            writer.write_table(table)
    finally:
        if writer is not None:
            writer.close()


def interval_columns(lived: LivedDay) -> Columns:
    """Return a row per market interval of the fleet."""
    data, record, promise = lived.data, lived.record, lived.promise
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
        "homes_net_import_wh": record.by_slot("net_wh"),
        "plant_wh": _energy(record.outcome.plant_w, data.market_grid.step_s // MINUTE_S),
        "planned_soc": promise.replan.soc,
        "published_soc": np.array(promise.schedule.soc_bp) / SOC_BP_MAX,
        "soc": record.by_slot("stored_wh") / lived.fleet.bank.capacity_wh.sum(),
        "steered": np.array(promise.schedule.steered, dtype=np.bool_),
        "revenue": lived.market.revenue,
        "imbalance_cost": lived.market.imbalance_cost,
    }


def minute_columns(lived: LivedDay) -> Columns:
    """Return a row per minute of the fleet and of watched homes; see `fleet_minutes`."""
    outcome = lived.record.outcome
    first_s = int(lived.data.market_grid.start.timestamp())
    return {
        "minute_s": first_s + MINUTE_S * np.arange(outcome.plant_w.shape[0], dtype=np.int64),
        **lived.record.minutes,
        "plant_w": outcome.plant_w,
    }


def day_figures(lived: LivedDay) -> Figures:
    """Return a day's figures; most of them add up over days."""
    record, outcome = lived.record, lived.record.outcome
    promised = [delivery for delivery in lived.deliveries if delivery.commitment_wh]
    sums = ("load_wh", "pv_wh", "import_wh", "self_wh", "covered_wh")
    return {
        "day": str(local_date(lived.data.market_grid)),
        "plan_status": str(lived.promise.replan.status),
        "plan_broken": len(lived.promise.replan.broken),
        "committed_wh": sum(each.commitment_wh for each in promised),
        "delivered_wh": sum(each.delivered_wh for each in promised),
        "missed_wh": sum(abs(each.delivered_wh - each.commitment_wh) for each in promised),
        **{name: float(record.column(name).sum()) for name in sums},
        "plant_wh": float(outcome.plant_w.sum() / 60),
        "supplied_minutes": int(record.column("supplied_minutes").sum()),
        "covered_minutes": int(record.column("covered_minutes").sum()),
        "home_minutes": record.homes * outcome.plant_w.shape[0],
        "stored_change_wh": record.stored_change_wh,
        "energy_balance_error_wh": record.balance_error_wh,
        "uncommitted_export_wh": float(lived.market.unpaid_export_wh.sum()),
        "reports": outcome.reports,
        "refused_reports": len(outcome.refusals),
        "lost_reports": outcome.lost_reports,
        "offline_homes": outcome.offline_homes,
        "decisions": outcome.decisions,
        "proved_decisions": outcome.proved_decisions,
        "cap_excess_wh": outcome.cap_excess_wh,
        "bill_baseline": float(lived.bills.baseline.sum()),
        "bill_panels_alone": bill_panels_alone(lived),
        "bill": float(lived.bills.bill.sum()),
        "market_revenue": float(lived.market.revenue.sum()),
        "imbalance_cost": float(lived.market.imbalance_cost.sum()),
    }


def bill_panels_alone(lived: LivedDay) -> float:
    """Return what the homes would pay with their panels alone; see `summary`. [currency]

    Homes whose assets stand elsewhere have no panels: theirs is the baseline.
    """
    if lived.arrangement.central:
        return float(lived.bills.baseline.sum())
    import_wh = lived.record.panels_alone_import_wh
    return float(import_wh @ lived.data.import_price_per_mwh / 1e6)


def _starts(lived: LivedDay) -> npt.NDArray[np.int64]:
    """Return the beginnings of the market's intervals. [s since 1970]"""
    grid = lived.data.market_grid
    return int(grid.start.timestamp()) + grid.step_s * np.arange(grid.count, dtype=np.int64)


def _energy(minutes_w: FloatArray, per_slot: int) -> FloatArray:
    """Return the energy of each slot. [Wh]"""
    energy_wh: FloatArray = minutes_w.reshape(-1, per_slot).sum(axis=1) / 60
    return energy_wh


def _write_table(path: Path, columns: Columns) -> None:
    pq.write_table(pa.table(dict(columns)), path, compression="zstd")
