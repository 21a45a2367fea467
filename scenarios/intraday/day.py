"""A simulated day's trading: planned again every few hours, dealt, published, and written down.

Whose money it is: the contract settles the position that stands at delivery, at the day-ahead
price, as it settles any commitment. What the deals' own prices differ from that is settled with
the market outside of the contract, Σ quantity · (price − day-ahead price), and is the aggregator's.
Together that is the day-ahead award at its price and every deal at its own.
"""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from aggregator.award import Award
from aggregator.files import write_text
from aggregator.intraday import Trade, not_begun, plan_intraday, remaining, tradable
from aggregator.plan import Plan
from aggregator.problem import PlanOptions
from aggregator.publish import schedule
from aggregator.settle import ImbalanceRule
from aggregator.virtual_battery import aggregate
from contracts.promise import Schedule
from devices.arrays import FloatArray
from scenarios.data.fleet_data import MINUTE_S, FleetData
from scenarios.intraday.firming import (
    Intraday,
    firmed_forecast,
    intraday_price_per_mwh,
    quotes,
    rest_of,
)
from scenarios.report.clock import local_date
from scenarios.simulation.fleet import Fleet, Rules
from scenarios.simulation.fleet_day import Promise

TRADES: Final = "trades"
"""Folder of a run's deals: a table and figures per day."""
SUMS: Final = (
    *("replans", "proved_replans", "trades", "sold_wh", "bought_wh"),
    *("trade_revenue", "trade_margin"),
)
"""Figures of a day's trading that add up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deal:
    """A trade, and when it was made."""

    slot: int
    """Interval of the day at whose beginning it was made."""
    trade: Trade
    """What was dealt."""


class TradingDay:
    """One day of an aggregator that trades; see `Intraday`.

    Parameters
    ----------
    settings : Intraday
        When it plans again, and on what terms it trades.
    data : FleetData
        The day as it will be.
    fleet : Fleet
        Whose batteries.
    rules : Rules
        How the day is run.
    rule : ImbalanceRule
        How deviations are priced.
    promise : Promise
        What was promised the day before.
    """

    def __init__(
        self,
        settings: Intraday,
        *,
        data: FleetData,
        fleet: Fleet,
        rules: Rules,
        rule: ImbalanceRule,
        promise: Promise,
    ) -> None:
        self._settings, self._data, self._fleet = settings, data, fleet
        self._rules, self._rule = rules, rule
        # What the next day's promise counts on is in the cells at the end of this one.
        self._end_soc = float(promise.replan.soc[-1])
        self._stream = (local_date(data.market_grid).toordinal(),)
        self.promise = promise
        """What stands now: the whole day's plan and schedule, what has begun as it was."""
        self.deals: list[Deal] = []
        """What was dealt, in its order."""
        self.plans: list[Plan] = []
        """Every plan of the rest of the day."""

    def is_due(self, minute: int) -> bool:
        """Tell whether to plan again after so many minutes of the day."""
        last = minute >= self._data.market_grid.count * self._rules.interval_s // MINUTE_S
        return not last and self._settings.is_due(minute, self._rules.interval_s)

    def plan_again(self, minute: int, stored_wh: FloatArray) -> Schedule | None:
        """Plan the rest of the day from what is known now, trade, and return what to publish.

        Parameters
        ----------
        minute : int
            Minutes of the day that are over, a multiple of the market interval.
        stored_wh : FloatArray, shape (homes,)
            Energy in the cells now. [Wh]

        Returns
        -------
        Schedule or None
            The intervals that have not begun; None where there is none.
        """
        slot = minute * MINUTE_S // self._rules.interval_s
        data, rules, settings = self._data, self._rules, self._settings
        grid = data.market_grid
        now = grid.starts()[slot]
        price = intraday_price_per_mwh(data, rules, settings, slot=slot, stream=self._stream)
        planned = plan_intraday(
            aggregate(self._fleet.bank, stored_wh),
            firmed_forecast(data, rules, settings.energy, slot=slot, stream=self._stream),
            position=remaining(self._position(), rest_of(grid, slot)),
            open_slots=tradable(
                rest_of(grid, slot), now=now, gate_closure_s=settings.gate_closure_s
            ),
            quotes=quotes(price, settings, rule=self._rule),
            keep_closed=settings.keep_closed,
            options=PlanOptions(end_soc=self._end_soc),
        )
        self.plans.append(planned.plan)
        self.deals += [Deal(slot=slot, trade=trade) for trade in planned.trades]
        whole = schedule(planned.plan, planned.position, soc_margin=rules.soc_margin)
        published = not_begun(whole, now=now)
        if published is not None:
            self.promise = replace(
                self.promise,
                replan=_then(self.promise.replan, planned.plan),
                schedule=_followed_by(self.promise.schedule, published),
            )
        return published

    def _position(self) -> Award:
        """Return what is sold now, at the day-ahead prices."""
        return replace(self.promise.award, quantity_wh=self.promise.schedule.commitment_wh)


def write_trades(folder: Path, day: TradingDay, data: FleetData) -> None:
    """Write a day's deals and their figures, the same bytes for the same day."""
    name, grid = str(local_date(data.market_grid)), data.market_grid
    (folder / TRADES).mkdir(parents=True, exist_ok=True)
    begins_s, first = int(grid.start.timestamp()), grid.first_interval
    trades = [deal.trade for deal in day.deals]
    slots = np.array([trade.interval - first for trade in trades], dtype=np.int64)
    decided = np.array([deal.slot for deal in day.deals], dtype=np.int64)
    columns = {
        "decided_s": begins_s + decided * grid.step_s,
        "start_s": begins_s + slots * grid.step_s,
        "quantity_wh": np.array([trade.quantity_wh for trade in trades], dtype=np.int64),
        "price_per_mwh": np.array([trade.price_per_mwh for trade in trades], dtype=np.float64),
        "day_ahead_price_per_mwh": data.day_ahead_price_per_mwh[slots],
        "imbalance_price_per_mwh": data.imbalance_price_per_mwh[slots],
    }
    pq.write_table(pa.table(columns), folder / TRADES / f"{name}.parquet", compression="zstd")
    quantity_wh = columns["quantity_wh"]
    figures = {
        "day": name,
        "replans": len(day.plans),
        "proved_replans": sum(plan.status.kind == "proved" for plan in day.plans),
        "trades": len(trades),
        "sold_wh": int(np.maximum(quantity_wh, 0).sum()),
        "bought_wh": int(np.maximum(-quantity_wh, 0).sum()),
        "trade_revenue": float((quantity_wh * columns["price_per_mwh"]).sum() / 1e6),
        "trade_margin": float(
            (quantity_wh * (columns["price_per_mwh"] - columns["day_ahead_price_per_mwh"])).sum()
            / 1e6
        ),
    }
    write_text(folder / TRADES / f"{name}.json", json.dumps(figures, indent=2) + "\n")


def with_trades(figures: dict[str, object], folder: Path) -> dict[str, object]:
    """Return a run's figures with what its trading brought.

    Notes
    -----
    ``market_revenue`` is that of the final positions at day-ahead prices, ``trade_margin`` what the
    deals add to it, and ``total`` has both. ``day_ahead_revenue`` + ``trade_revenue`` is the same
    sum cut the other way: the award at its price, and each deal at its own.
    """
    days = [json.loads(path.read_text()) for path in sorted((folder / TRADES).glob("*.json"))]
    sums = {name: sum(day[name] for day in days) for name in SUMS}
    revenue, total = figures["market_revenue"], figures["total"]
    if not isinstance(revenue, float | int) or not isinstance(total, float | int):
        msg = f"market_revenue {revenue!r} and total {total!r} of {folder} are no numbers"
        raise TypeError(msg)
    return {
        **figures,
        "total": total + sums["trade_margin"],
        **sums,
        "day_ahead_revenue": revenue + sums["trade_margin"] - sums["trade_revenue"],
    }


def _then(plan: Plan, rest: Plan) -> Plan:
    """Return a day's plan whose last intervals are those of a newer one.

    Its cost, objective and status stay those of the day before: they are of the day as a whole.
    """
    until = plan.grid.count - rest.grid.count

    def joined(name: str) -> FloatArray:
        whole: FloatArray = np.concatenate([getattr(plan, name)[:until], getattr(rest, name)])
        return whole

    return replace(
        plan,
        charge_wh=joined("charge_wh"),
        discharge_wh=joined("discharge_wh"),
        import_wh=joined("import_wh"),
        export_wh=joined("export_wh"),
        soc=joined("soc"),
        follows=np.concatenate([plan.follows[:until], rest.follows]),
    )


def _followed_by(published: Schedule, newer: Schedule) -> Schedule:
    """Return a schedule whose last intervals are those of a newer one, as the ledger has it."""
    until = published.grid.count - newer.grid.count
    return Schedule(
        grid=published.grid,
        soc_bp=published.soc_bp[:until] + newer.soc_bp,
        commitment_wh=published.commitment_wh[:until] + newer.commitment_wh,
        steered=published.steered[:until] + newer.steered,
    )
