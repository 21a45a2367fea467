"""The rest of a day planned again: what newer forecasts say is sold, or bought back.

The day-ahead promise rests on a forecast of 12 to 36 hours. As the day goes on the forecast firms
up, and until an interval's gate closes the difference can be traded.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np

from aggregator.award import Award
from aggregator.errors import PlanInputError
from aggregator.forecast import Forecast
from aggregator.intraday_terms import Quotes, Trading
from aggregator.plan import Plan, best_plan
from aggregator.problem import Limit, PlanOptions, Problem
from aggregator.virtual_battery import VirtualBattery
from contracts.promise import Schedule
from contracts.timegrid import TimeGrid
from devices.arrays import BoolArray, FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    """One deal on the intraday market."""

    interval: int
    """Number of the interval on the ledger (§4)."""
    quantity_wh: int
    """What is sold, < 0 when bought back. [Wh]"""
    price_per_mwh: float
    """At what price. [currency/MWh]"""

    @property
    def revenue(self) -> float:
        """What it brings, < 0 when it costs. [currency]"""
        return self.quantity_wh * self.price_per_mwh / 1e6


@dataclass(frozen=True, slots=True, kw_only=True)
class IntradayPlan:
    """The rest of a day, planned again."""

    plan: Plan
    """What the fleet is to do."""
    trades: tuple[Trade, ...]
    """What is dealt for that, at most one deal an interval."""
    position: Award
    """E_c after these trades, at the prices of the award before."""


def tradable(grid: TimeGrid, *, now: datetime, gate_closure_s: int) -> BoolArray:
    """Return which intervals can still be traded, shape (slots,).

    Parameters
    ----------
    grid : TimeGrid
        The market's intervals.
    now : datetime
        The time, aware.
    gate_closure_s : int
        Trade ends this long before an interval begins, >= 0. [s]
    """
    if gate_closure_s < 0:
        msg = (
            f"gate_closure_s is {gate_closure_s}; what has begun cannot be traded, choose 0 or more"
        )
        raise PlanInputError(msg)
    last = now + timedelta(seconds=gate_closure_s)
    # What begins this moment counts as begun, as it does on the ledger.
    return np.array([start >= last and start > now for start in grid.starts()], dtype=np.bool_)


def plan_intraday(
    battery: VirtualBattery,
    forecast: Forecast,
    *,
    position: Award,
    open_slots: BoolArray,
    quotes: Quotes,
    keep_closed: bool = False,
    options: PlanOptions | None = None,
    time_limit_s: float = 20.0,
) -> IntradayPlan:
    """Plan what is left of a day, and the trades that make the best of it.

    Parameters
    ----------
    battery : VirtualBattery
        The fleet's battery, as it is now.
    forecast : Forecast
        Newest forecast of the intervals that are left; its export prices are not used.
    position : Award
        What is sold so far, on the forecast's grid.
    open_slots : BoolArray, shape (slots,)
        Which intervals can still be traded: see `tradable`.
    quotes : Quotes
        Prices of trades and expected prices of deviations.
    keep_closed : bool
        Whether a promise whose gate is closed is kept as far as physics goes, as
        `aggregator.plan.replan` keeps it; else breaking it costs what it is expected to cost.
    options : PlanOptions, optional
        End target, limits, tie-break.
    time_limit_s : float
        Time for the solver; the best plan found by then is returned. [s]

    Returns
    -------
    IntradayPlan
        A plan whose status says how good it is, as `aggregator.plan.plan_day`'s does.

    Notes
    -----
    Couraud 2021 leaves this as future work. Its eq. (1), (2), (4) hold as before; E_c is no longer
    given but E_c = position + sold − bought back in open intervals. A deviation costs what it
    is expected to cost, so a trade is made only where it pays more than standing by the
    position. Trades are whole Wh, rounded towards none.
    """
    _require_same_day(forecast, position, quotes)
    options = options or PlanOptions()
    held_wh = np.array(position.quantity_wh, dtype=np.float64)
    unpriced = Problem(
        battery=battery,
        forecast=replace(forecast, export_price_per_mwh=np.zeros(forecast.grid.count)),
        options=options,
        committed_wh=held_wh,
        bidding=False,
    )
    if keep_closed:
        broken_price = unpriced.breach_price_per_mwh(Limit.COMMITMENT_SHORT)
        quotes = _kept(quotes, open_slots, broken_price)
    trading = Trading(position_wh=held_wh, tradable=open_slots, quotes=quotes)
    plan = best_plan(replace(unpriced, trading=trading), time_limit_s)
    return _dealt(plan, trading, position)


def remaining(award: Award, grid: TimeGrid) -> Award:
    """Return an award's intervals on ``grid``, which lies within its own."""
    first = grid.first_interval - award.grid.first_interval
    cut = slice(first, first + grid.count)
    return Award(
        grid=grid, quantity_wh=award.quantity_wh[cut], price_per_mwh=award.price_per_mwh[cut]
    )


def not_begun(schedule: Schedule, *, now: datetime) -> Schedule | None:
    """Return the part of a schedule that the ledger still takes, None when all has begun."""
    starts = schedule.grid.starts()
    first = next((slot for slot, start in enumerate(starts) if start > now), None)
    if first is None:
        return None
    grid = schedule.grid
    return Schedule(
        grid=TimeGrid(start=starts[first], step_s=grid.step_s, count=grid.count - first),
        soc_bp=schedule.soc_bp[first:],
        commitment_wh=schedule.commitment_wh[first:],
        steered=schedule.steered[first:],
    )


def _require_same_day(forecast: Forecast, position: Award, quotes: Quotes) -> None:
    """Raise unless all that is given is of the same intervals."""
    if position.grid != forecast.grid:
        msg = f"position is on {position.grid}, the forecast on {forecast.grid}; cut both alike"
        raise PlanInputError(msg)
    if quotes.bid_per_mwh.shape != (forecast.grid.count,):
        msg = f"quotes have {quotes.bid_per_mwh.shape[0]} slots, the forecast {forecast.grid.count}"
        raise PlanInputError(msg)


def _kept(quotes: Quotes, open_slots: BoolArray, broken_price: float) -> Quotes:
    """Return the quotes with the price of a broken promise where the gate is closed."""

    def kept(price: FloatArray) -> FloatArray:
        return np.where(open_slots, price, np.maximum(price, broken_price))

    return replace(
        quotes, short_per_mwh=kept(quotes.short_per_mwh), over_per_mwh=kept(quotes.over_per_mwh)
    )


def _dealt(plan: Plan, trading: Trading, position: Award) -> IntradayPlan:
    """Return a plan with its trades in whole Wh."""
    best_wh = trading.best_wh(plan.export_wh - plan.import_wh)
    traded_wh = np.trunc(best_wh - trading.position_wh).astype(int)
    price = np.where(traded_wh > 0, trading.quotes.bid_per_mwh, trading.quotes.ask_per_mwh)
    trades = tuple(
        Trade(interval=interval, quantity_wh=wh, price_per_mwh=each)
        for interval, wh, each in zip(
            plan.grid.intervals, traded_wh.tolist(), price.tolist(), strict=True
        )
        if wh
    )
    quantity_wh = np.array(position.quantity_wh) + traded_wh
    return IntradayPlan(
        plan=plan,
        trades=trades,
        position=replace(position, quantity_wh=tuple(quantity_wh.tolist())),
    )
