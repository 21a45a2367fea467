"""Marchi's nine hypotheses of charging, by both readings of what a car takes."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from scenarios.dispatch.ev_profiles import (
    HYPOTHESES,
    car_energy_wh,
    curve_energy_wh,
    ev_load,
)
from scenarios.errors import ScenarioInputError

CARS = {1: 1, 2: 1, 3: 1, 4: 2, 5: 4, 6: 4, 7: 8, 8: 8, 9: 4}


def test_a_car_takes_six_or_eighteen_kilowatt_hours_as_the_paper_is_read():
    assert car_energy_wh("soc") == pytest.approx(6_600)
    # 20 kW for 35 min, and 11.25 kW in the mean of the next 35
    assert car_energy_wh("curve") == pytest.approx(20_000 * 35 / 60 + 11_250 * 35 / 60)


def test_the_curve_is_flat_then_falls_to_its_last_power():
    minutes = np.arange(0, 81) * 60.0
    power_w = np.diff(curve_energy_wh(minutes)) * 60

    assert_allclose(power_w[:35], 20_000)
    assert np.all(np.diff(power_w[34:70]) < 0)
    assert power_w[69] == pytest.approx(2_750)
    assert_allclose(power_w[70:], 0, atol=1e-6)


@pytest.mark.parametrize("reading", ["curve", "soc"])
@pytest.mark.parametrize("step_s", [3600, 900, 300])
@pytest.mark.parametrize("hypothesis", HYPOTHESES)
def test_every_day_all_cars_get_their_energy(hypothesis, step_s, reading):
    load_w = ev_load(hypothesis, step_s, reading=reading)

    days_wh = load_w.reshape(365, -1).sum(axis=1) * step_s / 3600
    assert_allclose(days_wh, CARS[hypothesis] * car_energy_wh(reading), rtol=1e-12)


@pytest.mark.parametrize(
    ("hypothesis", "hours"),
    [
        (1, range(9, 10)),
        (2, range(12, 14)),
        (3, range(9, 16)),
        (4, range(9, 10)),
        (5, range(12, 14)),
        (6, (9, 13)),
        (7, range(9, 16)),
        (8, range(9, 10)),
        (9, range(12, 15)),
    ],
)
def test_cars_charge_in_the_papers_hours(hypothesis, hours):
    day_w = ev_load(hypothesis, 3600)[:24]

    assert np.flatnonzero(day_w).tolist() == list(hours)


def test_flat_hypotheses_spread_the_energy_evenly():
    day_w = ev_load(5, 3600)[:24]

    assert_allclose(day_w[12:14], 4 * car_energy_wh("curve") / 2)


def test_the_ninth_hypothesis_charges_two_cars_then_two():
    day_w = ev_load(9, 300)[:288]

    assert day_w.max() == pytest.approx(40_000)
    assert_allclose(day_w[144 : 144 + 14], day_w[144 + 14 : 144 + 28])


def test_on_working_days_alone_there_are_none_at_the_weekend():
    days_w = ev_load(1, 3600, days="working").reshape(365, 24).sum(axis=1)

    assert np.flatnonzero(days_w[:14] == 0).tolist() == [5, 6, 12, 13]
    assert_allclose(ev_load(1, 3600).reshape(365, 24).sum(axis=1)[0], days_w[0])


@pytest.mark.parametrize("hypothesis", [0, 10])
def test_another_hypothesis_is_refused(hypothesis):
    with pytest.raises(ScenarioInputError, match=f"EV hypothesis is {hypothesis}; give 1 to 9"):
        ev_load(hypothesis, 3600)
