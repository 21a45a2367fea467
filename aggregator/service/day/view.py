"""A market day as the page draws it, out of the day's papers; see `rest.day.DayView`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import Connection, select

from aggregator.service.day.desk import Desk
from aggregator.service.day.made import find_paper, ms
from aggregator.service.day.prices import DAY_AHEAD, IMBALANCE, prices_to_go_by
from aggregator.service.rest.day import FleetDay
from aggregator.service.store.tables import settlements
from contracts.promise import SOC_BP_MAX
from contracts.timegrid import TimeGrid

if TYPE_CHECKING:
    from aggregator.files import Json


@dataclass(frozen=True, slots=True)
class MarketDay:
    """See `aggregator.service.rest.day.DayView`."""

    desk: Desk
    """The store and the market's day."""

    def day(self, day: date) -> FleetDay:
        """See `DayView`."""
        grid, zone = self.desk.grid(day), self.desk.settings.zone
        with self.desk.store.read() as connection:
            kinds = ("award", "schedule", "deliveries")
            found = {kind: find_paper(connection, kind, day) for kind in kinds}
            plan = find_paper(connection, "replan", day) or find_paper(connection, "plan", day)
            prices, imbalance = (
                _published(connection, quantity, grid, zone) for quantity in (DAY_AHEAD, IMBALANCE)
            )
            settled = _settled(connection, grid)
        if plan is None and not settled and all(each is None for each in prices):
            empty: dict[str, Any] = {name: [] for name in _LISTS}
            return FleetDay(**empty, day=day, zone=zone)
        rows = [settled.get(interval) for interval in grid.intervals]
        delivered = _deliveries(found["deliveries"], grid)
        promised: Json = found["schedule"] or {}
        return FleetDay(
            day=day,
            zone=zone,
            start_ms=[ms(start) for start in grid.starts()],
            price_per_mwh=_first(_of(found["award"], "price_per_mwh", grid), prices),
            imbalance_price_per_mwh=_first(
                [row["imbalance_price_micro_per_mwh"] / 1e6 if row else None for row in rows],
                imbalance,
            ),
            planned_export_wh=_net_export(plan, grid),
            committed_wh=_first(
                _of(promised, "commitment_wh", grid),
                [row["commitment_wh"] if row else None for row in rows],
            ),
            delivered_wh=_first(
                [row["delivered_wh"] if row else None for row in rows],
                [each["delivered_wh"] if each else None for each in delivered],
            ),
            soc=[each["soc"] if each else None for each in delivered],
            soc_planned=[
                None if soc is None else soc / SOC_BP_MAX for soc in _of(promised, "soc_bp", grid)
            ],
            revenue_micro=[row["revenue_micro"] if row else None for row in rows],
        )


_LISTS = tuple(name for name in FleetDay.model_fields if name not in {"day", "zone"})


def _settled(connection: Connection, grid: TimeGrid) -> dict[int, dict[str, Any]]:
    columns = settlements.c
    query = select(settlements).where(columns.interval_number.in_(grid.intervals))
    return {row["interval_number"]: {**row} for row in connection.execute(query).mappings()}


def _of(paper: "Json | None", name: str, grid: TimeGrid) -> list[Any]:
    """Return a paper's series; nothing of it where it is missing or of other intervals."""
    values = (paper or {}).get(name, [])
    return list(values) if len(values) == grid.count else [None] * grid.count


def _net_export(plan: "Json | None", grid: TimeGrid) -> list[float | None]:
    pairs = zip(_of(plan, "export_wh", grid), _of(plan, "import_wh", grid), strict=True)
    return [None if sold is None else sold - bought for sold, bought in pairs]


def _deliveries(paper: "Json | None", grid: TimeGrid) -> list[dict[str, Any] | None]:
    by_interval = {each["interval"]: each for each in (paper or {}).get("deliveries", [])}
    return [by_interval.get(interval) for interval in grid.intervals]


def _published(
    connection: Connection, quantity: str, grid: TimeGrid, zone: str
) -> list[float | None]:
    """Return prices that are published, and none that stands in."""
    found = prices_to_go_by(connection, quantity, grid, zone=zone, days_back=0)
    return [None if np.isnan(each) else each for each in found.price_per_mwh.tolist()]


def _first(one: Sequence[Any], other: Sequence[Any]) -> list[Any]:
    """Return one series with the other's values where it has none."""
    return [b if a is None else a for a, b in zip(one, other, strict=True)]
