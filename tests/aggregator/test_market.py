from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.award import Award
from aggregator.errors import PlanInputError
from aggregator.market import Bid, PriceTakerMarket, bids
from aggregator.plan import plan_day


@pytest.fixture
def grid(day):
    return day(count=3).grid


def bid(grid, slot, quantity_wh, limit_price_per_mwh=0.0):
    return Bid(
        interval=grid.first_interval + slot,
        quantity_wh=quantity_wh,
        limit_price_per_mwh=limit_price_per_mwh,
    )


def test_a_plans_exports_are_bid_in_whole_lots_rounded_down(battery, day):
    plan = plan_day(battery(), day(production_wh=[1_234.5, 0.0, 99.0], export_price=50.0))
    plan = replace(plan, export_wh=np.array([1_234.5, 0.0, 99.0]))

    assert bids(plan) == (bid(plan.grid, 0, 1_234), bid(plan.grid, 2, 99))
    assert bids(plan, lot_wh=100, limit_price_per_mwh=5.0) == (bid(plan.grid, 0, 1_200, 5.0),)


def test_a_bid_at_or_below_the_price_is_awarded_and_one_above_it_is_not(grid):
    market = PriceTakerMarket(grid=grid, clearing_price_per_mwh=np.array([50.0, 50.0, -1.0]))

    award = market.clear([bid(grid, 0, 900, 50.0), bid(grid, 1, 900, 50.1), bid(grid, 2, 900)])

    assert award == Award(grid=grid, quantity_wh=(900, 0, 0), price_per_mwh=(50.0, 50.0, -1.0))


def test_shares_award_all_part_or_none_of_an_interval(grid):
    market = PriceTakerMarket(
        grid=grid,
        clearing_price_per_mwh=np.full(3, 40.0),
        award_share=np.array([1.0, 0.5, 0.0]),
    )

    award = market.clear([bid(grid, slot, 1_001) for slot in range(3)])

    assert award.quantity_wh == (1_001, 500, 0)


def test_bids_of_one_interval_add_up(grid):
    market = PriceTakerMarket(grid=grid, clearing_price_per_mwh=np.full(3, 40.0), award_share=0.5)

    award = market.clear([bid(grid, 1, 501), bid(grid, 1, 502)])

    assert award.quantity_wh == (0, 501, 0)


@given(wh=st.integers(1, 2**32 - 1), share=st.floats(0, 1))
def test_no_share_awards_more_than_was_bid(day, wh, share):
    grid = day(count=1).grid
    market = PriceTakerMarket(grid=grid, clearing_price_per_mwh=np.zeros(1), award_share=share)

    (awarded_wh,) = market.clear([bid(grid, 0, wh)]).quantity_wh

    assert 0 <= awarded_wh <= wh


def test_a_price_goes_to_the_contract_in_micro_units(grid):
    award = Award(grid=grid, quantity_wh=(0, 0, 0), price_per_mwh=(42.5, -3.0, 0.0000014))

    assert award.price_micro_per_mwh == (42_500_000, -3_000_000, 1)


def test_a_bid_outside_the_market_is_refused(grid):
    market = PriceTakerMarket(grid=grid, clearing_price_per_mwh=np.zeros(3))

    with pytest.raises(PlanInputError, match="is outside"):
        market.clear([bid(grid, 3, 1)])


def test_bad_numbers_are_refused(grid, battery, day):
    with pytest.raises(PlanInputError, match="leave it out"):
        bid(grid, 0, 0)
    with pytest.raises(PlanInputError, match="limit_price"):
        bid(grid, 0, 1, float("nan"))
    with pytest.raises(PlanInputError, match="clearing price is nan in slot 2"):
        PriceTakerMarket(grid=grid, clearing_price_per_mwh=np.array([0.0, 0.0, np.nan]))
    with pytest.raises(PlanInputError, match="award share"):
        PriceTakerMarket(grid=grid, clearing_price_per_mwh=np.zeros(3), award_share=1.5)
    with pytest.raises(PlanInputError, match="award quantity_wh is -1 in slot 0"):
        Award(grid=grid, quantity_wh=(-1, 0, 0), price_per_mwh=(0.0, 0.0, 0.0))
    with pytest.raises(PlanInputError, match="lot_wh"):
        bids(plan_day(battery(), day()), lot_wh=0)
