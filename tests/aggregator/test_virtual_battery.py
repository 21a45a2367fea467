import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.errors import PlanInputError
from aggregator.virtual_battery import aggregate
from devices.battery_bank import BatteryBank


def test_a_uniform_bank_aggregates_to_its_own_ratings_times_homes():
    found = aggregate(BatteryBank.uniform(70, soc_min=0.1), np.full(70, 5_150.0))

    assert found.capacity_wh == pytest.approx(721_000.0)
    assert found.power_max_w == pytest.approx(371_000.0)
    assert found.charge_efficiency == pytest.approx(0.9)
    assert found.stored_min_wh == pytest.approx(72_100.0)
    assert found.stored_wh == pytest.approx(360_500.0)


def test_an_empty_bank_is_refused():
    with pytest.raises(PlanInputError, match="no battery"):
        aggregate(BatteryBank.uniform(0), np.array([]))


def test_stored_energy_that_is_not_a_number_names_the_home():
    with pytest.raises(PlanInputError, match="stored_wh is nan in slot 1"):
        aggregate(BatteryBank.uniform(2), np.array([0.0, np.nan]))


@pytest.mark.parametrize(
    ("rating", "value"),
    [
        ("capacity_wh", 0.0),
        ("capacity_wh", np.nan),
        ("power_max_w", -1.0),
        ("charge_efficiency", 1.1),
        ("discharge_efficiency", 0.0),
        ("stored_min_wh", 20_000.0),
        ("stored_max_wh", 20_000.0),
        ("stored_wh", -1.0),
    ],
)
def test_a_rating_out_of_range_is_named(battery, rating, value):
    with pytest.raises(PlanInputError, match=f"battery {rating}"):
        battery(**{rating: value})


def test_a_step_longer_than_the_battery_lasts_moves_its_capacity_at_most(battery):
    assert battery(power_max_w=10_000.0).cell_max_wh(1800) == 5_000.0
    assert battery(power_max_w=10_000.0).cell_max_wh(7200) == 10_000.0


def test_following_a_surplus_stores_it_less_losses_and_a_deficit_costs_more(battery):
    half = battery()

    assert half.followed_wh(5_000.0, 1_000.0, 3600) == pytest.approx(900.0)
    assert half.followed_wh(5_000.0, -900.0, 3600) == pytest.approx(-1_000.0)


def test_a_battery_below_its_window_does_not_follow_further_down(battery):
    low = battery(stored_min_wh=2_000.0)

    assert low.followed_wh(1_000.0, -500.0, 3600) == 0.0
    assert low.followed_wh(1_000.0, 500.0, 3600) == pytest.approx(450.0)


@given(
    stored=st.floats(0, 1),
    surplus_wh=st.floats(-50_000, 50_000),
    step_s=st.sampled_from([60, 900, 3600]),
)
def test_following_stays_within_power_and_capacity(battery, stored, surplus_wh, step_s):
    small = battery(power_max_w=4_000.0, stored_min_wh=1_000.0, stored_max_wh=9_000.0)
    stored_wh = stored * small.capacity_wh

    moved_wh = small.followed_wh(stored_wh, surplus_wh, step_s)

    assert abs(moved_wh) <= small.cell_max_wh(step_s) + 1e-9
    assert 0 <= stored_wh + moved_wh <= small.capacity_wh
    assert moved_wh * surplus_wh >= 0
