"""The rows that trading adds to the day-ahead problem of `aggregator.model`; energy in kWh."""

import pyomo.environ as pyo

from aggregator.intraday_terms import Trading
from aggregator.problem import Limit


def add_positions(m: pyo.ConcreteModel, trading: Trading) -> None:
    """Let positions move by trades, and settle net export against them where there is one.

    Notes
    -----
    E_e − E_i = position − short + over where ``committed`` is 1; where it is 0 the position is 0
    and the net export is free. The relaxation lets ``committed`` lie between.
    """
    position_kwh = (trading.position_wh / 1000).tolist()
    tradable = trading.tradable.tolist()
    most_kwh = [max(position_kwh[t], float(m.export_kwh[t].ub)) for t in m.slots]
    m.sold_kwh = pyo.Var(m.slots, bounds=lambda _, t: (0, most_kwh[t] if tradable[t] else 0))
    m.bought_kwh = pyo.Var(m.slots, bounds=lambda _, t: (0, position_kwh[t] if tradable[t] else 0))
    m.committed = pyo.Var(m.slots, bounds=lambda _, t: _range(position_kwh[t], free=tradable[t]))
    m.free_kwh = pyo.Var(
        m.slots, bounds=lambda _, t: (-float(m.import_kwh[t].ub), float(m.export_kwh[t].ub))
    )

    def final_kwh(t: int) -> object:
        return position_kwh[t] + m.sold_kwh[t] - m.bought_kwh[t]

    def settled(_: object, t: int) -> object:
        slack_kwh = m.excess_kwh[Limit.COMMITMENT_OVER, t] - m.excess_kwh[Limit.COMMITMENT_SHORT, t]
        net_kwh = m.export_kwh[t] - m.import_kwh[t]
        return net_kwh == final_kwh(t) + slack_kwh + m.free_kwh[t]

    m.settled = pyo.Constraint(m.slots, rule=settled)
    m.position = pyo.Constraint(
        m.slots, rule=lambda _, t: final_kwh(t) <= most_kwh[t] * m.committed[t]
    )
    m.free_high = pyo.Constraint(
        m.slots, rule=lambda _, t: m.free_kwh[t] <= m.export_kwh[t].ub * (1 - m.committed[t])
    )
    m.free_low = pyo.Constraint(
        m.slots, rule=lambda _, t: m.free_kwh[t] >= -m.import_kwh[t].ub * (1 - m.committed[t])
    )


def trading_cost(m: pyo.ConcreteModel, trading: Trading) -> pyo.Expression:
    """Return what trades and expected deviations cost. [currency / 1000]"""
    quotes = trading.quotes

    def cost(t: int) -> object:
        return (
            float(quotes.ask_per_mwh[t]) * m.bought_kwh[t]
            - float(quotes.bid_per_mwh[t]) * m.sold_kwh[t]
            + float(quotes.short_per_mwh[t]) * m.excess_kwh[Limit.COMMITMENT_SHORT, t]
            + float(quotes.over_per_mwh[t]) * m.excess_kwh[Limit.COMMITMENT_OVER, t]
        )

    return pyo.quicksum(cost(t) for t in m.slots)


def _range(position_kwh: float, *, free: bool) -> tuple[float, float]:
    """Return the bounds of ``committed``: what it is, once the gate is closed."""
    if free:
        return 0.0, 1.0
    return (1.0, 1.0) if position_kwh > 0 else (0.0, 0.0)
