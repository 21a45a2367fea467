"""Smart charging within the stays: level, least peak, least cost, and what no plan can give."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.optimize import linprog

from scenarios.dispatch.ev_program import least_cost
from scenarios.dispatch.ev_sessions import Car, ChargingSessions, drawn_sessions
from scenarios.dispatch.ev_valleys import fill_valleys
from scenarios.dispatch.optimum import Prices
from scenarios.errors import ScenarioInputError

HOUR_S = 3600
STEPS = 24
PEAK_ALONE = Prices(import_price_per_mwh=0.0, peak_price_per_kw=1.0)


def sessions(*rows):
    """Sessions of (arrival [h], departure [h], energy [kWh], power [kW])."""
    arrive, depart, energy, power = np.array(rows, dtype=float).T
    return ChargingSessions(
        arrive_s=arrive * HOUR_S,
        depart_s=depart * HOUR_S,
        energy_wh=energy * 1000,
        power_max_w=power * 1000,
    )


stays = st.tuples(st.floats(0, 22), st.floats(0.2, 12), st.floats(0, 40), st.floats(0.5, 22)).map(
    lambda s: (s[0], min(s[0] + s[1], 24.0), s[2], s[3])
)
fleets = st.lists(stays, min_size=1, max_size=6).map(lambda rows: sessions(*rows))
bases = st.lists(st.floats(-30_000, 60_000), min_size=STEPS, max_size=STEPS).map(np.array)


def least_peak_by_linprog(base_w, fleet, stays_of):
    """The least peak of base and cars by SciPy's HiGHS, of a program written another way. [W]"""
    places = stays_of.step.size
    above = np.zeros((STEPS, places + 1))
    above[stays_of.step, np.arange(places)] = 1.0
    above[:, -1] = -1.0
    energy = np.zeros((fleet.count, places + 1))
    energy[stays_of.owner, np.arange(places)] = 1.0
    # An energy that just fits may exceed the sum of the limits by a rounding.
    found = linprog(
        np.append(np.zeros(places), 1.0),
        A_ub=above,
        b_ub=-base_w / 1000,
        A_eq=energy,
        b_eq=stays_of.energy_wh / 1000 * (1 - 1e-12),
        bounds=[*((0, limit) for limit in stays_of.limit_w / 1000 * (1 + 1e-12)), (None, None)],
        method="highs",
    )
    assert found.status == 0
    return found.fun * 1000


def require_kept(charge, fleet):
    """Every promise of a plan: energy by departure, power, presence."""
    assert_allclose(charge.energy_wh, fleet.energy_wh - fleet.short_wh(), atol=1e-3)
    assert np.all(charge.power_w >= 0)
    assert np.all(charge.power_w <= charge.stays.limit_w + 1e-9)
    begins_s, ends_s = charge.stays.step * HOUR_S, (charge.stays.step + 1) * HOUR_S
    owner = charge.stays.owner
    assert np.all(begins_s < fleet.depart_s[owner])
    assert np.all(ends_s > fleet.arrive_s[owner])


@settings(max_examples=25)
@given(bases, fleets)
def test_valleys_are_filled_to_the_least_peak_that_highs_finds(base_w, fleet):
    charge = fill_valleys(base_w, fleet, step_s=HOUR_S)

    require_kept(charge, fleet)
    assert charge.above_best_w < 5
    least_w = least_peak_by_linprog(base_w, fleet, charge.stays)
    assert float((base_w + charge.load_w).max()) == pytest.approx(least_w, abs=0.1)


@settings(max_examples=15)
@given(bases, fleets)
def test_the_program_with_the_peaks_price_alone_finds_the_least_import(base_w, fleet):
    charge = least_cost(base_w, fleet, step_s=HOUR_S, prices=PEAK_ALONE)
    level = fill_valleys(base_w, fleet, step_s=HOUR_S)

    require_kept(charge, fleet)
    peak_w = max(float((base_w + charge.load_w).max()), 0.0)
    assert peak_w == pytest.approx(max(float((base_w + level.load_w).max()), 0.0), abs=0.1)


def test_a_year_of_cars_is_charged_at_the_least_peak_of_each_day():
    fleet = drawn_sessions(3, cars_per_day=6, power_max_w=22_000, car=Car())
    base_w = 30_000 + 20_000 * np.sin(np.arange(8760) * 2 * np.pi / 24)

    charge = fill_valleys(base_w, fleet, step_s=HOUR_S)

    require_kept(charge, fleet)
    assert charge.above_best_w < 1
    program = least_cost(
        base_w, fleet, step_s=HOUR_S, prices=PEAK_ALONE, period=np.arange(8760) // 24
    )
    peaks_w = [(base_w + plan.load_w).reshape(365, 24).max(axis=1) for plan in (charge, program)]
    assert_allclose(peaks_w[0], peaks_w[1], atol=0.1)


def test_two_cars_share_a_valley_evenly():
    base_w = np.array([10.0, 4.0, 4.0, 10.0]) * 1000

    charge = fill_valleys(base_w, sessions((0, 4, 4, 10), (1, 3, 4, 10)), step_s=HOUR_S)

    assert_allclose(base_w + charge.load_w, [10_000, 8_000, 8_000, 10_000])


def test_part_of_a_step_is_used_for_that_part():
    charge = fill_valleys(np.zeros(4), sessions((0.5, 2, 15, 10)), step_s=HOUR_S)

    assert_allclose(charge.power_w, [5_000, 10_000])
    assert_allclose(charge.short_wh, [0.0])


def test_a_car_that_leaves_too_early_gets_all_that_fits_and_is_told():
    fleet = sessions((1, 3, 50, 10), (0, 4, 8, 10))

    for charge in (
        fill_valleys(np.zeros(4), fleet, step_s=HOUR_S),
        least_cost(np.zeros(4), fleet, step_s=HOUR_S, prices=PEAK_ALONE),
    ):
        assert_allclose(charge.short_wh, [30_000, 0])
        assert_allclose(charge.energy_wh, [20_000, 8_000], atol=1e-6)


def test_least_cost_takes_the_cheapest_hours_of_the_stay():
    prices = Prices(import_price_per_mwh=np.array([50.0, 300.0, 100.0, 200.0]))

    charge = least_cost(np.zeros(4), sessions((1, 4, 15, 10)), step_s=HOUR_S, prices=prices)

    assert_allclose(charge.load_w, [0, 0, 10_000, 5_000], atol=1e-6)


def test_least_cost_takes_surplus_before_import():
    base_w = np.array([1_000.0, -6_000.0, 1_000.0])
    prices = Prices(import_price_per_mwh=200.0, export_price_per_mwh=50.0)

    charge = least_cost(base_w, sessions((0, 3, 6, 10)), step_s=HOUR_S, prices=prices)

    assert_allclose(charge.load_w, [0, 6_000, 0], atol=1e-6)


def test_the_connection_bounds_what_cars_draw_at_once():
    prices = Prices(import_price_per_mwh=np.array([10.0, 20.0, 30.0]))
    fleet = sessions((0, 3, 10, 10), (0, 3, 5, 10))

    charge = least_cost(np.zeros(3), fleet, step_s=HOUR_S, prices=prices, import_max_w=6_000)

    assert_allclose(charge.load_w, [6_000, 6_000, 3_000], atol=1e-6)
    with pytest.raises(ScenarioInputError, match="import_max_w of 4000 W leaves no plan: raise it"):
        least_cost(np.zeros(3), fleet, step_s=HOUR_S, prices=prices, import_max_w=4_000)


def test_each_billing_period_has_a_peak_of_its_own():
    prices = Prices(import_price_per_mwh=0.0, peak_price_per_kw=np.array([1.0, 10.0]))

    charge = least_cost(
        np.zeros(4),
        sessions((0, 4, 10, 10)),
        step_s=HOUR_S,
        prices=prices,
        period=np.array([0, 0, 1, 1]),
    )

    assert_allclose(charge.load_w, [5_000, 5_000, 0, 0], atol=1e-6)


def test_sessions_beyond_the_base_and_a_base_with_a_hole_are_refused():
    with pytest.raises(ScenarioInputError, match="charging session 2 stays from 3600 s to 18000 s"):
        fill_valleys(np.zeros(4), sessions((0, 4, 1, 1), (1, 5, 1, 1)), step_s=HOUR_S)
    with pytest.raises(ScenarioInputError, match="base load at step 2 is nan; give finite watts"):
        fill_valleys(np.array([0.0, np.nan]), sessions((0, 2, 1, 1)), step_s=HOUR_S)


def test_nobody_to_charge_is_no_load():
    none = np.zeros(0)
    nobody = ChargingSessions(arrive_s=none, depart_s=none, energy_wh=none, power_max_w=none)

    assert fill_valleys(np.ones(3), nobody, step_s=HOUR_S).load_w.tolist() == [0, 0, 0]
    plan = least_cost(np.ones(3), nobody, step_s=HOUR_S, prices=PEAK_ALONE)
    assert plan.load_w.tolist() == [0, 0, 0]
