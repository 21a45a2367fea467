"""Bids and flexibility of a plan."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aggregator.forecast import Forecast
from aggregator.plan import plan_day
from aggregator.service.day.offer import flexibility
from aggregator.virtual_battery import VirtualBattery
from contracts.timegrid import TimeGrid

START = TimeGrid.local_day(date(2026, 1, 5), step_s=3600).start
BATTERY = VirtualBattery(
    capacity_wh=10_000.0,
    power_max_w=4_000.0,
    charge_efficiency=0.9,
    discharge_efficiency=0.8,
    stored_min_wh=1_000.0,
    stored_max_wh=9_000.0,
    stored_wh=5_000.0,
)


def planned(surplus_wh, export_price, import_price):
    grid = TimeGrid(start=START, step_s=3600, count=len(surplus_wh))
    surplus = np.array(surplus_wh, dtype=float)
    prices = [np.array(each, dtype=float) for each in (import_price, export_price)]
    expected = Forecast(
        grid=grid,
        demand_wh=np.maximum(-surplus, 0),
        production_wh=np.maximum(surplus, 0),
        import_price_per_mwh=prices[0],
        export_price_per_mwh=prices[1],
    )
    plan = plan_day(BATTERY, expected)
    offered = flexibility(
        plan,
        BATTERY,
        import_price_per_mwh=prices[0],
        export_price_per_mwh=prices[1],
        margin_per_mwh=5.0,
    )
    return plan, offered


hours = st.lists(st.tuples(st.integers(-5_000, 5_000), st.integers(0, 200)), min_size=2, max_size=5)


@settings(max_examples=15, deadline=None)
@given(hours=hours)
def test_either_offer_of_any_interval_can_be_kept_to_the_end_of_the_day(hours):
    plan, offered = planned(
        [surplus for surplus, _ in hours],
        [price for _, price in hours],
        [price + 100 for _, price in hours],
    )
    cell_wh = plan.charge_wh - plan.discharge_wh
    terminal_wh = BATTERY.terminal_wh(cell_wh)

    for more, power_w in ((-1, offered.up_w), (1, offered.down_w)):
        for slot, each_w in enumerate(power_w):
            wanted = terminal_wh[slot] + more * each_w
            moved = wanted * (0.9 if wanted > 0 else 1 / 0.8)
            assert abs(moved) <= 4_000 + 1e-3
            stored = BATTERY.stored_wh + np.cumsum(cell_wh)
            stored[slot:] += moved - cell_wh[slot]
            # no further out than the plan itself goes
            assert stored.min() >= min(1_000, (plan.soc * 10_000).min()) - 1e-3
            assert stored.max() <= max(9_000, (plan.soc * 10_000).max()) + 1e-3


def test_flexibility_costs_what_the_energy_is_worth_later():
    plan, offered = planned([3_000, 0], [20, 100], [300, 300])

    assert plan.export_wh[1] > 0
    # 1 MWh more now takes 1.25 MWh out of the cells, each worth 0.8 x 100 an hour later
    assert offered.up_price_per_mwh[0] == pytest.approx(100 + 5)
    assert offered.down_price_per_mwh[0] == pytest.approx(0.9 * 80 - 5)


def test_the_step_offers_the_planned_export_at_the_limit_price(world):
    world.done("prices", "forecast", "plan", "offer")

    plan, offer = world.paper("plan"), world.paper("offer")

    first = world.desk.grid(date(2026, 3, 29)).first_interval
    expected = [
        {"interval": first + slot, "quantity_wh": int(wh), "limit_price_per_mwh": 0.0}
        for slot, wh in enumerate(plan["export_wh"])
        if wh >= 1
    ]
    assert offer["bids"] == expected
    assert len(offer["flexibility"]) == 46
    assert max(each["up_w"] for each in offer["flexibility"]) > 0
