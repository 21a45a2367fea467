"""Trades of a day's rest, small enough to be solved by hand beside the test."""

from datetime import UTC, datetime

import numpy as np
import pytest

from aggregator.award import Award
from aggregator.forecast import Forecast
from aggregator.intraday import Trade, plan_intraday, tradable
from aggregator.intraday_terms import Quotes
from aggregator.problem import Limit, PlanOptions
from aggregator.virtual_battery import VirtualBattery
from contracts.timegrid import TimeGrid

NOON = datetime(2020, 5, 20, 12, tzinfo=UTC)
EXACT_MONEY = 1e-7
UNDECIDED = PlanOptions(end_soc=None, smoothing_per_mwh=0.0)
"""Nothing but energy and money: no end target, no tie-break."""


def battery(*, stored_wh=0.0, power_max_w=10_000.0):
    return VirtualBattery(
        capacity_wh=10_000.0,
        power_max_w=power_max_w,
        charge_efficiency=0.9,
        discharge_efficiency=0.9,
        stored_min_wh=0.0,
        stored_max_wh=10_000.0,
        stored_wh=stored_wh,
    )


def rest(
    sold_wh, *, demand_wh=0.0, production_wh=0.0, import_price=100.0, gate_closure_s=0, **paid
):
    """Return the inputs of a plan of whole hours from noon; a number stands for every hour."""
    count = len(sold_wh)

    def series(values):
        return np.broadcast_to(np.asarray(values, dtype=np.float64), (count,)).copy()

    prices = {"bid": 40.0, "ask": 44.0, "short": 50.0, "over": 50.0} | paid
    grid = TimeGrid(start=NOON, step_s=3600, count=count)
    return {
        "forecast": Forecast(
            grid=grid,
            demand_wh=series(demand_wh),
            production_wh=series(production_wh),
            import_price_per_mwh=series(import_price),
            export_price_per_mwh=series(0.0),
        ),
        "position": Award(grid=grid, quantity_wh=tuple(sold_wh), price_per_mwh=(30.0,) * count),
        "open_slots": tradable(grid, now=NOON, gate_closure_s=gate_closure_s),
        "quotes": Quotes(**{f"{name}_per_mwh": series(price) for name, price in prices.items()}),
        "options": UNDECIDED,
    }


def deal(number, quantity_wh, price_per_mwh):
    """Return a trade in the hour that begins ``number`` hours after noon."""
    first = int(NOON.timestamp()) // 3600
    return Trade(interval=first + number, quantity_wh=quantity_wh, price_per_mwh=price_per_mwh)


def test_what_the_sun_will_not_give_is_bought_back_where_that_is_cheaper_than_to_be_short():
    planned = plan_intraday(battery(), **rest([0, 5_000], production_wh=[0, 3_000]))

    # 2 kWh are missing: 2 × 0.044 to buy back, 2 × 0.050 to owe, 2 / 0.81 × 0.100 to buy at retail.
    assert planned.trades == (deal(1, -2_000, 44.0),)
    assert planned.position.quantity_wh == (0, 3_000)
    assert planned.plan.objective == pytest.approx(0.088, abs=EXACT_MONEY)
    assert (str(planned.plan.status), planned.plan.broken) == ("proved", ())


def test_a_spread_that_costs_more_than_to_be_short_leaves_the_position():
    planned = plan_intraday(
        battery(), **rest([0, 5_000], production_wh=[0, 3_000], bid=20.0, ask=60.0)
    )

    # 2 × 0.060 to buy back, 2 × 0.050 to owe.
    assert planned.trades == ()
    assert planned.position.quantity_wh == (0, 5_000)
    assert planned.plan.objective == pytest.approx(0.1, abs=EXACT_MONEY)
    assert [(b.limit, round(b.amount_wh)) for b in planned.plan.broken] == [
        (Limit.COMMITMENT_SHORT, 2_000)
    ]


def test_what_comes_on_top_is_sold_for_the_bid():
    planned = plan_intraday(battery(power_max_w=0.0), **rest([0, 3_000], production_wh=[0, 5_000]))

    # No battery can take it: 2 × 0.040 earned, and no 2 × 0.050 for delivering too much.
    assert planned.trades == (deal(1, 2_000, 40.0),)
    assert planned.position.quantity_wh == (0, 5_000)
    assert planned.plan.objective == pytest.approx(-0.08, abs=EXACT_MONEY)


def test_energy_that_is_worth_more_at_home_is_bought_back_and_kept():
    planned = plan_intraday(
        battery(stored_wh=5_000.0),
        **rest([0, 4_500, 0], demand_wh=[0, 0, 4_500], import_price=[300, 300, 200]),
    )

    # Charging first is too dear. The cells give 4.5 kWh once: to the market, and 4.5 × 0.200 is
    # paid at retail an hour later; or to the homes, and 4.5 × 0.044 is paid for the promise.
    assert planned.trades == (deal(1, -4_500, 44.0),)
    assert planned.plan.discharge_wh == pytest.approx([0, 0, 5_000], abs=1e-3)
    assert planned.plan.objective == pytest.approx(0.198, abs=EXACT_MONEY)


@pytest.mark.parametrize(
    ("keep_closed", "discharge_wh", "objective"),
    [
        # The promise is kept, and 4.5 × 0.200 is paid at retail an hour later.
        (True, [0, 5_000, 0], 0.9),
        # Breaking it costs 4.5 × 0.050.
        (False, [0, 0, 5_000], 0.225),
    ],
)
def test_after_gate_closure_nothing_is_traded_and_a_promise_is_kept_or_priced(
    keep_closed, discharge_wh, objective
):
    late = {"demand_wh": [0, 0, 4_500], "import_price": [300, 300, 200], "gate_closure_s": 7_200}

    planned = plan_intraday(
        battery(stored_wh=5_000.0), keep_closed=keep_closed, **rest([0, 4_500, 0], **late)
    )

    # The third hour is open, but nothing is sold in it; the second is closed.
    assert planned.trades == ()
    assert planned.position.quantity_wh == (0, 4_500, 0)
    assert planned.plan.discharge_wh == pytest.approx(discharge_wh, abs=1e-3)
    assert planned.plan.objective == pytest.approx(objective, abs=EXACT_MONEY)


def test_an_hour_without_a_position_is_not_settled_whatever_the_fleet_imports():
    planned = plan_intraday(battery(), **rest([0, 1_000], demand_wh=[0, 3_000]))

    # Owing 4 kWh costs 0.2, buying the promised one back 0.044; the 3 kWh are bought at retail.
    assert planned.trades == (deal(1, -1_000, 44.0),)
    assert planned.plan.objective == pytest.approx(0.344, abs=EXACT_MONEY)
