"""Charging sessions: recorded, drawn, queued at chargers, and charged without a plan."""

import gzip
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from scenarios.data.files.campus import CHARGING_FILE
from scenarios.dispatch.ev_sessions import (
    Car,
    ChargingSessions,
    drawn_sessions,
    first_come,
    plain_charging_w,
    recorded_sessions,
)
from scenarios.errors import DataUnavailableError, ScenarioInputError

HOUR_S = 3600.0
HEADER = (
    "Session,ChargingStation,UserID,Power,Energy,"
    "ConnectionStartDateTime,ConnectionEndDateTime,ChargingEndDateTime\n"
)


def sessions(*rows):
    """Sessions of (arrival [h], departure [h], energy [kWh], power [kW])."""
    arrive, depart, energy, power = np.array(rows, dtype=float).T
    return ChargingSessions(
        arrive_s=arrive * HOUR_S,
        depart_s=depart * HOUR_S,
        energy_wh=energy * 1000,
        power_max_w=power * 1000,
    )


@pytest.fixture(scope="module")
def drawn():
    return drawn_sessions(0)


def test_drawn_sessions_have_the_recorded_statistics(drawn):
    stay_h = (drawn.depart_s - drawn.arrive_s) / HOUR_S

    assert drawn.count / 261 == pytest.approx(61, rel=0.03)
    assert drawn.energy_wh.mean() == pytest.approx(14_700, rel=0.03)
    assert np.median(drawn.energy_wh) == pytest.approx(11_650, rel=0.03)
    assert stay_h.mean() == pytest.approx(6.9, rel=0.03)
    assert drawn.short_wh().max() < 1e-3


def test_recorded_sessions_have_the_statistics_that_are_drawn_from(real_folder):
    recorded = recorded_sessions(real_folder)
    stay_h = (recorded.depart_s - recorded.arrive_s) / HOUR_S
    day = (recorded.arrive_s // 86_400).astype(int)

    assert recorded.count == 16_568
    assert np.mean(day % 7 < 5) > 0.97
    assert recorded.energy_wh.mean() == pytest.approx(15_000, rel=0.01)
    assert stay_h.mean() == pytest.approx(7.2, rel=0.01)
    assert np.count_nonzero(recorded.short_wh() > 1) == 2


def test_drawn_cars_come_on_working_days_and_leave_on_the_same_day(drawn):
    day = drawn.arrive_s // 86_400

    assert np.all(day % 7 < 5)
    assert np.all(drawn.depart_s <= (day + 1) * 86_400)


def test_the_same_seed_draws_the_same_cars(drawn):
    assert np.array_equal(drawn.energy_wh, drawn_sessions(0).energy_wh)
    assert drawn_sessions(0, cars_per_day=0).count == 0


def test_a_zoe_is_charged_from_no_less_than_20_to_80_percent():
    few = drawn_sessions(1, cars_per_day=8, power_max_w=22_000, car=Car())

    assert few.energy_wh.min() >= 0
    assert few.energy_wh.max() == pytest.approx(0.6 * 22_000)
    assert few.energy_wh.mean() == pytest.approx(6_600, rel=0.05)


def test_the_recorded_year_begins_on_its_first_monday_by_the_local_clock(tmp_path):
    # Midnight in California is 8 h UTC in winter; 7 h UTC in summer.
    rows = (
        "1,A,7,3.3,6.6,2019-01-07 16:00:00,2019-01-07 18:30:00,2019-01-07 18:00:00\n"
        "2,A,7,9.9,6.6,2019-07-08 15:00:00,2019-07-08 18:00:00,2019-07-08 16:00:00\n"
        "3,A,7,3.3,6.6,2020-02-03 16:00:00,2020-02-03 18:00:00,2020-02-03 18:00:00\n"
    )
    with gzip.open(tmp_path / CHARGING_FILE, "wt") as file:
        file.write(HEADER + rows)

    recorded = recorded_sessions(tmp_path)

    assert recorded.arrive_s.tolist() == [8 * HOUR_S, 182 * 86_400 + 8 * HOUR_S]
    assert (recorded.depart_s - recorded.arrive_s).tolist() == [2.5 * HOUR_S, 3 * HOUR_S]
    assert recorded.power_max_w.tolist() == [6_600, 9_900]


def test_a_folder_without_sessions_is_told(tmp_path):
    with pytest.raises(DataUnavailableError, match=CHARGING_FILE):
        recorded_sessions(tmp_path)


def test_who_finds_no_free_charger_waits_for_it_or_leaves():
    served = first_come(
        sessions((8, 12, 5, 10), (9, 14, 5, 10), (9.5, 13, 5, 10), (9.6, 11, 5, 10)), 2
    )

    assert (served.sessions.arrive_s / HOUR_S).tolist() == [8, 9, 12]
    assert (served.waited_s / HOUR_S).tolist() == [0, 0, 2.5]
    assert served.turned_away == 1


def test_enough_chargers_let_nobody_wait(drawn):
    served = first_come(drawn, 200)

    assert served.turned_away == 0
    assert served.waited_s.max() == 0


def test_no_more_cars_are_plugged_in_than_there_are_chargers(drawn):
    served = first_come(drawn, 20)
    plugged = served.sessions
    turns = Counter()
    for at in plugged.arrive_s:
        turns[at] += 1
    for at in plugged.depart_s:
        turns[at] -= 1

    assert np.cumsum([turns[at] for at in sorted(turns)]).max() <= 20
    assert served.turned_away + plugged.count == drawn.count


def test_a_car_without_a_plan_charges_at_full_power_from_its_arrival():
    load_w = plain_charging_w(sessions((9.25, 17, 15, 10), (10, 11, 100, 4)), 1800)

    assert_allclose(load_w[18:23] / 1000, [5, 10, 14, 9, 0])
    assert load_w.sum() / 2 == pytest.approx(19_000)


@pytest.mark.parametrize("step_s", [3600, 300])
def test_charging_without_a_plan_gives_each_its_energy(drawn, step_s):
    load_w = plain_charging_w(drawn, step_s)

    assert load_w.sum() * step_s / 3600 == pytest.approx(drawn.energy_wh.sum(), rel=1e-9)


def test_no_sessions_are_no_load():
    none = np.zeros(0)
    nobody = ChargingSessions(arrive_s=none, depart_s=none, energy_wh=none, power_max_w=none)

    assert plain_charging_w(nobody, 3600).sum() == 0


@given(st.floats(0, 50), st.floats(0.1, 20), st.floats(0.1, 30))
def test_what_a_stay_cannot_give_is_told(energy_kwh, stay_h, power_kw):
    one = sessions((0, stay_h, energy_kwh, power_kw))

    missing_kwh = float(one.short_wh()[0]) / 1000
    assert missing_kwh == pytest.approx(max(energy_kwh - stay_h * power_kw, 0), abs=1e-9)


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ((9, 9, 1, 1), "charging session 1: depart_s is 32400; give a time after its arrival"),
        ((9, 10, -1, 1), "energy_wh is -1000; give 0 or more"),
        ((9, 10, 1, 0), "power_max_w is 0; give more than 0"),
        ((9, 10, float("nan"), 1), "energy_wh is nan"),
    ],
)
def test_a_session_that_cannot_be_is_refused(row, says):
    with pytest.raises(ScenarioInputError, match=says):
        sessions(row)


def test_no_charger_and_fewer_than_no_cars_are_refused(drawn):
    with pytest.raises(ScenarioInputError, match="chargers is 0; give 1 or more"):
        first_come(drawn, 0)
    with pytest.raises(ScenarioInputError, match="cars_per_day is -1; give 0 or more"):
        drawn_sessions(0, cars_per_day=-1)
    with pytest.raises(ScenarioInputError, match=r"energy_wh has shape \(2,\); give \(1,\)"):
        ChargingSessions(
            arrive_s=np.zeros(1),
            depart_s=np.ones(1),
            energy_wh=np.ones(2),
            power_max_w=np.ones(1),
        )


def test_a_car_that_cannot_be_is_refused():
    with pytest.raises(ScenarioInputError, match=r"soc_arrives 0\.9 in 0\.2 to 0\.8; give 0 <="):
        Car(soc_arrives=0.9)
    with pytest.raises(ScenarioInputError, match="battery_wh is -1; give 0 or more"):
        Car(battery_wh=-1.0)
