"""What a scenario came to, from the files that its run left."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from devices.arrays import FloatArray
from scenarios.couraud.cases import CASES
from scenarios.simulation.arrangement import Arrangement
from scenarios.simulation.fleet_records import HOMES, INTERVALS

MINUTES_PER_SLOT = 30
BOUGHT_NOTHING_WH = 0.5
"""A portfolio that buys less than this per home in a half-hour supplies itself. [Wh]"""
HOME_COLUMNS = (
    "load_wh",
    "pv_wh",
    "import_wh",
    "export_wh",
    "self_wh",
    "covered_wh",
    "supplied_minutes",
    "covered_minutes",
    "import_peak_w",
)
SLOT_COLUMNS = ("start_s", "homes_net_import_wh", "plant_wh")
Columns = dict[str, npt.NDArray[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Supply:
    """How much of the homes' consumption came from where; fractions of 1."""

    production_ratio: float
    """Production of the homes' panels over the homes' consumption."""
    own_rate: float
    """Energy that own panels and battery gave to the load, over consumption: the paper's
    self-consumption rate."""
    own_time: float
    """Home-minutes in which they gave all of it: the paper's self-supplied time."""
    no_import_rate: float
    """The same, but energy that a meter imports meanwhile, even into the battery, counts against
    it."""
    no_import_time: float
    """Home-minutes without import."""
    fleet_rate: float
    """Consumption that the portfolio as a whole did not buy from outside in that half-hour, over
    consumption: what its own sources supplied, at home or over the private wire."""
    fleet_time: float
    """Home-minutes that the home itself covers, or in half-hours in which the portfolio buys
    nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One scenario's figures over all its days; money in the data's currency."""

    number: int
    """The paper's number."""
    days: int
    """Days of the run."""
    homes: int
    """Homes."""
    baseline: float
    """What they would pay for it at retail."""
    bill: float
    """What they pay."""
    site_bill: float
    """What a central site pays for its own draw, < 0 when that earns."""
    market_revenue: float
    """Of commitments, at the day-ahead price."""
    imbalance_cost: float
    """Of deviations from them."""
    plant_value: float
    """What the plant's production alone would have fetched at the day-ahead price."""
    export_error: float | None
    """Σ|delivered − E_c| / ΣE_c; None where nothing was promised."""
    supply: Supply
    """Where the homes' energy came from."""
    peak_to_average: FloatArray
    """Greatest minute of import over its mean, of each home that has a meter in it, (homes,)."""
    credits_micro: int
    """What the contract paid the members. [micro]"""
    fee_micro: int
    """What it paid the aggregator. [micro]"""
    dust_micro: int
    """What rounding left. [micro]"""
    revenue_micro: int
    """What it had to share. [micro]"""
    energy_balance_error_wh: float
    """The largest gap in any member's balance over a minute. [Wh]"""

    @property
    def bill_reduction(self) -> float:
        """Baseline less bill."""
        return self.baseline - self.bill

    @property
    def market_net(self) -> float:
        """Market revenue less imbalance and what a central site draws."""
        return self.market_revenue - self.imbalance_cost - self.site_bill

    @property
    def total(self) -> float:
        """Bill reduction and market, the paper's total revenue."""
        return self.bill_reduction + self.market_net


def read_result(folder: Path, number: int) -> Result:
    """Return a scenario's figures.

    Parameters
    ----------
    folder : Path
        Where its run left its files.
    number : int
        The paper's number.
    """
    summary = json.loads((folder / "summary.json").read_text())
    bills = pq.read_table(folder / "bills.parquet")
    homes, days = int(summary["asked"]["homes"]), int(summary["asked"]["days"])
    bill, baseline = bills["bill"].to_numpy(), bills["baseline"].to_numpy()
    arrangement = CASES[number].arrangement
    supply, peaks = _measured(folder, arrangement, homes)
    return Result(
        number=number,
        days=days,
        homes=homes,
        baseline=float(baseline[:homes].sum()),
        bill=float(bill[:homes].sum()),
        site_bill=float(bill[homes:].sum()),
        market_revenue=summary["market_revenue"],
        imbalance_cost=summary["imbalance_cost"],
        plant_value=_plant_value(folder),
        export_error=summary["mean_export_error"],
        supply=supply,
        peak_to_average=peaks,
        credits_micro=summary["credits_micro"],
        fee_micro=summary["fee_micro"],
        dust_micro=summary["dust_micro"],
        revenue_micro=summary["revenue_micro"],
        energy_balance_error_wh=summary["energy_balance_error_wh"],
    )


@dataclass(slots=True)
class _Sums:
    """What adds up over the days."""

    arrangement: Arrangement
    homes: int
    load_wh: float = 0.0
    pv_wh: float = 0.0
    covered_wh: float = 0.0
    self_wh: float = 0.0
    bought_wh: float = 0.0
    home_minutes: int = 0
    covered: int = 0
    supplied: int = 0
    fleet: int = 0


def _measured(folder: Path, arrangement: Arrangement, homes: int) -> tuple[Supply, FloatArray]:
    """Return where the energy came from, and the homes' ratios of peak to average."""
    if arrangement.central and not arrangement.households_in_portfolio:
        nothing = dict.fromkeys((field.name for field in fields(Supply)), 0.0)
        return Supply(**nothing), np.empty(0)
    sums, members = _Sums(arrangement, homes), arrangement.members(homes)
    peak_w, import_wh, hours = np.zeros(members), np.zeros(members), 0.0
    for rows, slots in _days(folder):
        _add(sums, rows, slots)
        peak_w = np.maximum(peak_w, rows["import_peak_w"].reshape(members, -1).max(axis=1))
        import_wh += rows["import_wh"].reshape(members, -1).sum(axis=1)
        hours += slots["start_s"].shape[0] * MINUTES_PER_SLOT / 60
    own = 0.0 if arrangement.central else 1.0  # homes without assets supply nothing themselves
    supply = Supply(
        production_ratio=sums.pv_wh / sums.load_wh,
        own_rate=own * sums.covered_wh / sums.load_wh,
        own_time=own * sums.covered / sums.home_minutes,
        no_import_rate=own * sums.self_wh / sums.load_wh,
        no_import_time=own * sums.supplied / sums.home_minutes,
        fleet_rate=max(1 - sums.bought_wh / sums.load_wh, 0.0),
        fleet_time=sums.fleet / sums.home_minutes,
    )
    if arrangement.central:
        return supply, np.empty(0)
    mean_w = import_wh / hours
    return supply, np.divide(peak_w, mean_w, out=np.zeros(members), where=mean_w > 0)


def _add(sums: _Sums, rows: Columns, slots: Columns) -> None:
    """Add a day."""
    arrangement, homes = sums.arrangement, sums.homes
    count = slots["start_s"].shape[0]
    load_wh = rows["load_wh"].reshape(-1, count)
    if arrangement.market:
        bought_wh = np.maximum(slots["homes_net_import_wh"] - slots["plant_wh"], 0.0)
        # What is bought beyond the consumption goes into batteries.
        sums.bought_wh += float(np.minimum(bought_wh, load_wh.sum(axis=0)).sum())
    else:  # no wire: what one home exports is not another's
        net_wh = (rows["import_wh"] - rows["export_wh"]).reshape(-1, count)
        bought_wh = np.clip(net_wh, 0.0, load_wh).sum(axis=0)
        sums.bought_wh += float(bought_wh.sum())
    covered = rows["covered_minutes"].reshape(-1, count)
    if arrangement.central:
        covered = np.zeros((homes, count), dtype=np.int64)
    whole = arrangement.market & (bought_wh <= BOUGHT_NOTHING_WH * homes)
    sums.load_wh += float(load_wh.sum())
    sums.pv_wh += float(rows["pv_wh"].sum())
    sums.covered_wh += float(rows["covered_wh"].sum())
    sums.self_wh += float(rows["self_wh"].sum())
    sums.home_minutes += homes * count * MINUTES_PER_SLOT
    sums.covered += int(covered.sum())
    sums.supplied += int(rows["supplied_minutes"].sum())
    sums.fleet += int(np.where(whole, MINUTES_PER_SLOT, covered).sum())


def _plant_value(folder: Path) -> float:
    paths = sorted((folder / INTERVALS).glob("*.parquet"))
    tables = [
        pq.read_table(path, columns=["plant_wh", "day_ahead_price_per_mwh"]) for path in paths
    ]
    return float(sum(each[0].to_numpy() @ each[1].to_numpy() for each in tables)) / 1e6


def _days(folder: Path) -> Iterator[tuple[Columns, Columns]]:
    """Yield the homes' and the fleet's columns of each day."""
    for path in sorted((folder / INTERVALS).glob("*.parquet")):
        homes, slots = pq.read_table(folder / HOMES / path.name), pq.read_table(path)
        yield (
            {name: homes[name].to_numpy() for name in HOME_COLUMNS},
            {name: slots[name].to_numpy() for name in SLOT_COLUMNS},
        )
