"""Prices that make the contract settle by the single price, though it knows the paper's rule."""

from datetime import date

import numpy as np
import pytest

from aggregator.settle import revenue_micro, settle_market
from contracts.promise import Clearing, Delivery
from scenarios.simulation.fleet import Rules
from scenarios.simulation.fleet_run import FleetRun, run_fleet
from scenarios.simulation.venue import posted

CLEARINGS = tuple(
    Clearing(interval=n, price_micro_per_mwh=40_000_000, imbalance_price_micro_per_mwh=price)
    for n, price in enumerate((60_000_000, 60_000_000, -20_000_000, 60_000_000))
)
DELIVERED_WH = (900, 1100, 1200, 1000)
DELIVERIES = tuple(
    Delivery(interval=n, commitment_wh=1000, delivered_wh=wh, exported_wh=wh)
    for n, wh in enumerate(DELIVERED_WH)
)


@pytest.mark.parametrize("rule", ["paper", "single_price"])
def test_the_contracts_revenue_with_posted_prices_is_the_markets_by_the_rule(rule):
    market = settle_market(
        committed_wh=np.full(4, 1000.0),
        delivered_wh=np.array(DELIVERED_WH, dtype=float),
        price_per_mwh=np.full(4, 40.0),
        imbalance_price_per_mwh=np.array([60.0, 60.0, -20.0, 60.0]),
        rule=rule,
    )

    on_chain = [
        revenue_micro(
            commitment_wh=delivery.commitment_wh,
            delivered_wh=delivery.delivered_wh,
            price_micro_per_mwh=each.price_micro_per_mwh,
            imbalance_price_micro_per_mwh=each.imbalance_price_micro_per_mwh,
        )
        for each, delivery in zip(posted(CLEARINGS, DELIVERIES, rule=rule), DELIVERIES, strict=True)
    ]

    assert on_chain == np.rint(1e6 * (market.revenue - market.imbalance_cost)).astype(int).tolist()


@pytest.mark.parametrize("rule", ["paper", "single_price"])
def test_a_runs_money_on_the_contract_is_the_markets_by_the_rule(needs_pyrevm, tmp_path, rule):
    run = FleetRun(
        first_day=date(2021, 6, 16),
        days=1,
        homes=3,
        rules=Rules(report_s=900, decide_s=900, forecast_error=0.5),
        imbalance=rule,
        controller="realtime-rules",
    )

    figures = run_fleet(run, tmp_path)

    on_chain = figures["revenue_micro"] - figures["loss_micro"]
    market = 1e6 * (figures["market_revenue"] - figures["imbalance_cost"])
    # prices and revenues are rounded to the micro-unit, once an interval
    assert abs(on_chain - market) <= 48 * 2
    assert (figures["imbalance_cost"] >= 0) or rule == "single_price"
    shared = figures["credits_micro"] + figures["fee_micro"] + figures["dust_micro"]
    assert shared == figures["revenue_micro"]
