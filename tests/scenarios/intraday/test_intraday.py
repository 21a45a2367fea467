"""Forecasts that firm up and prices that move: what is seen before an interval is over."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from scenarios.data.generate import generate_fleet_data
from scenarios.errors import ScenarioInputError
from scenarios.intraday.firming import (
    Firming,
    Intraday,
    firmed_forecast,
    intraday_price_per_mwh,
    quotes,
    rest_of,
)
from scenarios.simulation.day_ahead import fleet_energy_wh
from scenarios.simulation.fleet import Rules, made_up_accounts, paper_fleet
from scenarios.simulation.fleet_day import promise_day

RULES = Rules(seed=4)
STREAM = (7,)
HALF_HOUR_S = 1800


@pytest.fixture(scope="module")
def data():
    return generate_fleet_data(day=date(2021, 6, 16), homes=3, seed=4)


def seen(data, slot, **law):
    return firmed_forecast(data, RULES, Firming(**law), slot=slot, stream=STREAM)


def test_the_share_of_the_variance_grows_with_the_lead_to_that_of_the_day_before():
    law = Firming(full_lead_s=4 * HALF_HOUR_S, left=0.2)

    assert law.shares(HALF_HOUR_S).tolist() == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0])
    assert Firming(full_lead_s=5000).shares(HALF_HOUR_S)[-1] == 1.0


def test_beyond_the_full_lead_the_forecast_is_the_one_of_the_day_before(data):
    fleet = paper_fleet(3, tuple(made_up_accounts(4)))
    ahead = promise_day(data, fleet, RULES, stream=STREAM).forecast

    now = seen(data, 10, full_lead_s=HALF_HOUR_S)

    assert now.grid == rest_of(data.market_grid, 10)
    # One step of lead is the interval's own length: every interval is as the day before.
    np.testing.assert_allclose(now.demand_wh, ahead.demand_wh[10:], rtol=1e-12)
    np.testing.assert_allclose(now.production_wh, ahead.production_wh[10:], rtol=1e-12)
    assert now.import_price_per_mwh.tolist() == data.import_price_per_mwh[10:].tolist()


def test_an_interval_about_to_end_is_known_but_for_its_own_half_hour(data):
    demand_wh, _ = fleet_energy_wh(data)

    errors = [
        abs(seen(data, slot, full_lead_s=48 * HALF_HOUR_S).demand_wh[0] - demand_wh[slot])
        for slot in range(48)
    ]
    ahead = [
        abs(seen(data, slot, full_lead_s=HALF_HOUR_S).demand_wh[0] - demand_wh[slot])
        for slot in range(48)
    ]

    assert sum(errors) < 0.35 * sum(ahead)


def test_newer_forecasts_are_better_on_average_and_the_error_is_root_of_the_share():
    law, rng = Firming(full_lead_s=16 * HALF_HOUR_S), np.random.default_rng(1)
    end = rng.standard_normal(40_000)

    errors = law.errors(end, HALF_HOUR_S, rng)

    assert errors[:, -1].tolist() == pytest.approx(end.tolist())
    assert errors[:, 0] == pytest.approx(0.0)
    expected = np.sqrt(law.shares(HALF_HOUR_S))
    assert errors.std(axis=0) == pytest.approx(expected, abs=0.02)


def test_what_changed_last_says_nothing_about_what_changes_next():
    rng = np.random.default_rng(2)
    errors = Firming().errors(rng.standard_normal(40_000), HALF_HOUR_S, rng)

    changes = np.diff(errors, axis=1)

    together = np.corrcoef(changes.T)
    assert np.abs(together - np.eye(changes.shape[1])).max() < 0.03


def test_a_forecast_is_the_same_whenever_else_one_was_made(data):
    alone = seen(data, 20)
    for slot in (2, 8, 31):
        seen(data, slot)

    again = seen(data, 20)

    assert alone.demand_wh.tobytes() == again.demand_wh.tobytes()
    assert alone.production_wh.tobytes() == again.production_wh.tobytes()
    other_day = firmed_forecast(data, RULES, Firming(), slot=20, stream=(8,))
    assert other_day.demand_wh.tobytes() != alone.demand_wh.tobytes()


def test_the_price_begins_at_the_day_ahead_price_and_ends_at_the_imbalance_price(data):
    known = Intraday(price=Firming(full_lead_s=24 * HALF_HOUR_S))
    far = intraday_price_per_mwh(data, RULES, known, slot=0, stream=STREAM)
    all_known = Intraday(price=Firming(full_lead_s=24 * HALF_HOUR_S), price_sd_per_mwh=0.0)
    near = [
        intraday_price_per_mwh(data, RULES, all_known, slot=slot, stream=STREAM)[0]
        for slot in range(48)
    ]

    assert far[23:] == pytest.approx(data.day_ahead_price_per_mwh[23:])
    surprise = data.imbalance_price_per_mwh - data.day_ahead_price_per_mwh
    # One step of 24 is left.
    assert near == pytest.approx(data.imbalance_price_per_mwh - surprise / 24)


def test_the_price_tells_no_more_than_itself_of_what_is_to_come():
    law, rng = Firming(left=0.5), np.random.default_rng(3)
    surprise = rng.standard_normal(40_000)

    left = law.errors(surprise, HALF_HOUR_S, rng)

    # What is still to come is not foretold by what the price did since the day before.
    for lead in (1, 3, 9):
        moved = surprise - left[:, lead]
        assert abs(np.corrcoef(moved, left[:, lead])[0, 1]) < 0.03
    assert left[:, 0].std() == pytest.approx(np.sqrt(0.5), abs=0.02)


def test_quotes_are_half_the_spread_around_the_price_and_deviations_never_earn():
    price, settings = np.array([-30.0, 1.0, 40.0]), Intraday()

    paper = quotes(price, settings, rule="paper")
    single = quotes(price, settings, rule="single_price")

    assert paper.bid_per_mwh.tolist() == [-32.0, -1.0, 38.0]
    assert paper.ask_per_mwh.tolist() == [-28.0, 3.0, 42.0]
    assert paper.short_per_mwh.tolist() == paper.over_per_mwh.tolist() == [5.0, 6.0, 45.0]
    assert single.short_per_mwh.tolist() == [5.0, 6.0, 45.0]
    assert single.over_per_mwh.tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("minute", "due"), [(0, False), (60, False), (119, False), (120, True), (240, True)]
)
def test_the_day_is_planned_again_at_the_end_of_each_span(minute, due):
    assert Intraday(every_s=7200).is_due(minute, HALF_HOUR_S) is due


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"every_s": 0}, "every 0 s"),
        ({"gate_closure_s": -1}, "gate -1 s"),
        ({"spread_per_mwh": -1.0}, "spread_per_mwh of -1"),
        ({"price_sd_per_mwh": float("nan")}, "price_sd_per_mwh of nan"),
        ({"spread_per_mwh": 11.0}, "at least half the spread"),
    ],
)
def test_settings_that_cannot_be_are_refused(wrong, message):
    with pytest.raises(ScenarioInputError, match=message):
        replace(Intraday(), **wrong)


@pytest.mark.parametrize("wrong", [{"full_lead_s": 0}, {"left": 1.1}, {"left": -0.1}])
def test_laws_that_cannot_be_are_refused(wrong):
    with pytest.raises(ScenarioInputError, match="choose a time above 0 s and a share"):
        Firming(**wrong)
