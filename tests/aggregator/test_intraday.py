"""Trading through the day: gates, what has begun, and what holds whatever the prices."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aggregator.award import Award
from aggregator.errors import PlanInputError
from aggregator.intraday import not_begun, plan_intraday, remaining, tradable
from aggregator.intraday_terms import Quotes, Trading, deviation_wh
from aggregator.plan import PROVED_GAP
from aggregator.problem import PlanOptions
from aggregator.publish import schedule
from contracts.timegrid import TimeGrid

START = datetime(2020, 5, 20, tzinfo=UTC)
GRID = TimeGrid(start=START, step_s=1800, count=6)
SLOTS = 5
WH = st.integers(0, 12).map(lambda kwh: 1000.0 * kwh)
PRICE = st.integers(-60, 120).map(float)


def at(minutes):
    return START + timedelta(minutes=minutes)


def lists(values):
    return st.lists(values, min_size=SLOTS, max_size=SLOTS).map(lambda v: np.array(v, dtype=float))


@st.composite
def quotes(draw):
    bid = draw(lists(PRICE))
    return Quotes(
        bid_per_mwh=bid,
        ask_per_mwh=bid + draw(lists(st.integers(0, 40).map(float))),
        short_per_mwh=np.maximum(bid, 0.0) + draw(lists(st.integers(0, 60).map(float))),
        over_per_mwh=draw(lists(st.integers(0, 60).map(float))),
    )


OPEN = lists(st.booleans()).map(lambda v: v.astype(bool))


@pytest.mark.parametrize(
    ("minutes", "gate_closure_s", "open_slots"),
    [
        (0, 0, [False, True, True, True, True, True]),
        (-1, 0, [True, True, True, True, True, True]),
        (0, 3600, [False, False, True, True, True, True]),
        (30, 3600, [False, False, False, True, True, True]),
        (31, 3600, [False, False, False, False, True, True]),
        (400, 0, [False] * 6),
    ],
)
def test_an_interval_is_open_until_its_gate_closes_and_never_once_it_begins(
    minutes, gate_closure_s, open_slots
):
    found = tradable(GRID, now=at(minutes), gate_closure_s=gate_closure_s)

    assert found.tolist() == open_slots


def test_a_gate_that_closes_after_the_interval_begins_is_refused():
    with pytest.raises(PlanInputError, match="what has begun cannot be traded"):
        tradable(GRID, now=START, gate_closure_s=-1)


@pytest.mark.parametrize(("minutes", "first"), [(-1, 0), (0, 1), (29, 1), (30, 2), (149, 5)])
def test_only_intervals_that_have_not_begun_are_published_again(battery, day, minutes, first):
    sold = Award(grid=GRID, quantity_wh=(0,) * 6, price_per_mwh=(50.0,) * 6)
    planned = plan_intraday(
        battery(),
        day(count=6, step_s=1800),
        position=sold,
        open_slots=np.zeros(6, dtype=bool),
        quotes=flat(6),
    )
    whole = schedule(planned.plan, planned.position)

    left = not_begun(whole, now=at(minutes))

    assert left.grid == TimeGrid(start=at(30 * first), step_s=1800, count=6 - first)
    assert left.soc_bp == whole.soc_bp[first:]
    assert left.steered == whole.steered[first:]
    assert not_begun(whole, now=at(150)) is None


def flat(count, *, bid=40.0, ask=44.0, short=50.0, over=50.0):
    return Quotes(
        bid_per_mwh=np.full(count, bid),
        ask_per_mwh=np.full(count, ask),
        short_per_mwh=np.full(count, short),
        over_per_mwh=np.full(count, over),
    )


def test_the_rest_of_an_award_is_its_last_intervals():
    sold = Award(grid=GRID, quantity_wh=(1, 2, 3, 4, 5, 6), price_per_mwh=(50.0,) * 6)
    late = TimeGrid(start=at(120), step_s=1800, count=2)

    assert remaining(sold, late) == Award(grid=late, quantity_wh=(5, 6), price_per_mwh=(50.0,) * 2)


@pytest.mark.parametrize(
    ("prices", "message"),
    [
        ({"ask": 39.0}, "gives money away"),
        ({"short": 39.0}, "sell what it does not have"),
        ({"bid": -9.0, "ask": 1.0, "short": -1.0}, "short_per_mwh"),
        ({"over": -1.0}, "over_per_mwh"),
        ({"bid": float("nan")}, "bid_per_mwh"),
    ],
)
def test_prices_that_would_make_a_plan_run_wild_are_refused(prices, message):
    with pytest.raises(PlanInputError, match=message):
        flat(3, **prices)


def test_position_quotes_and_forecast_are_of_the_same_intervals(battery, day):
    forecast = day(count=6, step_s=1800)
    sold = Award(grid=forecast.grid, quantity_wh=(0,) * 6, price_per_mwh=(50.0,) * 6)
    given = {"position": sold, "open_slots": np.ones(6, dtype=bool), "quotes": flat(6)}

    for wrong in ({"quotes": flat(5)}, {"position": replace(sold, grid=GRID.shifted(1800))}):
        with pytest.raises(PlanInputError):
            plan_intraday(battery(), forecast, **(given | wrong))


@given(position=lists(WH), net=lists(st.integers(-12, 12).map(lambda k: 1000.0 * k)),
       quotes=quotes(), open_slots=OPEN)  # fmt: skip
def test_no_position_of_whole_kwh_costs_less_than_the_best(position, net, quotes, open_slots):
    trading = Trading(position_wh=position, tradable=open_slots, quotes=quotes)

    best_micro = trading.micro(trading.best_wh(net), net)

    for kwh in range(13):
        other = np.where(open_slots, 1000.0 * kwh, position)
        assert (best_micro <= trading.micro(other, net) + 1e-3).all()


@given(
    stored=st.floats(0.0, 1.0), demand=lists(WH), production=lists(WH), position=lists(WH),
    retail=lists(st.integers(-50, 250).map(float)), quotes=quotes(), open_slots=OPEN,
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_trading_is_never_worse_in_expectation_and_never_touches_what_is_closed(
    battery, day, stored, demand, production, position, retail, quotes, open_slots
):
    forecast = day(
        demand_wh=demand.tolist(),
        production_wh=production.tolist(),
        import_price=retail.tolist(),
        export_price=0.0,
    )
    sold = Award(
        grid=forecast.grid,
        quantity_wh=tuple(position.astype(int).tolist()),
        price_per_mwh=(50.0,) * SLOTS,
    )
    # The end target's price must not follow the ask, or the two plans would not be comparable.
    given = {"position": sold, "open_slots": open_slots, "options": PlanOptions(end_soc=None)}
    here = battery(stored_wh=10_000.0 * stored)
    nobody = replace(quotes, bid_per_mwh=np.full(SLOTS, -1e5), ask_per_mwh=np.full(SLOTS, 1e5))

    traded = plan_intraday(here, forecast, quotes=quotes, **given)
    alone = plan_intraday(here, forecast, quotes=nobody, **given)

    assert traded.plan.objective <= alone.plan.objective + PROVED_GAP
    assert alone.trades == ()
    assert traded.plan.status.kind == alone.plan.status.kind == "proved"
    moved = dict.fromkeys(forecast.grid.intervals, 0)
    for trade in traded.trades:
        moved[trade.interval] = trade.quantity_wh
        assert open_slots[trade.interval - forecast.grid.first_interval]
    held = np.array(sold.quantity_wh) + np.array(list(moved.values()))
    assert traded.position.quantity_wh == tuple(held.tolist())
    assert held.min() >= 0
    # What is published fits the plan: deviations are either listed or below a Wh.
    schedule(traded.plan, traded.position)


def test_without_time_there_is_a_plan_all_the_same_and_it_says_so(battery, day):
    forecast = day(demand_wh=[0.0, 0.0, 3000.0], production_wh=[4000.0, 1000.0, 0.0], count=3)
    sold = Award(grid=forecast.grid, quantity_wh=(0, 3000, 0), price_per_mwh=(50.0,) * 3)

    planned = plan_intraday(
        battery(),
        forecast,
        position=sold,
        open_slots=np.ones(3, dtype=bool),
        quotes=flat(3),
        time_limit_s=0.0,
    )

    assert planned.plan.status.kind == "fallback"
    assert planned.plan.reason
    # It follows and keeps the promise: 4 kWh charge 3.6, of which 2 kWh at the terminals go out.
    assert planned.plan.charge_wh.tolist() == pytest.approx([3600.0, 0.0, 0.0])
    assert planned.position.quantity_wh == (0, 3000, 0)


def test_without_a_position_nothing_deviates():
    short_wh, over_wh = deviation_wh(np.array([0.0, 5.0, 5.0]), np.array([-9.0, 3.0, 6.0]))

    assert (short_wh.tolist(), over_wh.tolist()) == ([0, 2, 0], [0, 0, 1])
