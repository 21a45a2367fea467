"""Tuned words: complete rules, never worse on their own days, blind to those held out."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from contracts.timegrid import TimeGrid
from hems.fuzzy.rule_file import packaged
from hems.fuzzy.variables import Ramps
from scenarios.data.calendar import local_midnight
from scenarios.fuzzy.tune import Score, _peaks_at, _places, peaks, shaped, tuned
from scenarios.fuzzy.tune_study import (
    HELD_OUT,
    TRAINED,
    Gain,
    cut,
    fuzzy,
    lived,
    study,
    week_begins,
)
from scenarios.habib.data import YEAR, Buildings
from scenarios.microgrid.model import Surroundings
from scenarios.microgrid.plant import Microgrid
from scenarios.scenario_command import run_scenario

PAPER = packaged("habib2023")
DAY_MIN = 1_440


@pytest.fixture(scope="module")
def buildings():
    """Return a made-up building over eight days, with sun, evenings and two prices."""
    minutes = 8 * DAY_MIN
    hour = np.arange(minutes) / 60 % 24
    rng = np.random.default_rng(0)
    sun = np.maximum(np.sin((hour - 6) / 12 * np.pi), 0.0)
    pv_w = 5_000 * sun * np.repeat(rng.uniform(0.2, 1.0, 8), DAY_MIN)
    load_w = 800 + 2_000 * (np.abs(hour - 19) < 2) + rng.uniform(0, 300, minutes)
    level = 0.5 - 0.5 * np.cos((hour - 5) / 12 * np.pi)
    return Buildings(
        around=Surroundings(
            grid=TimeGrid(start=datetime(2019, 5, 1, tzinfo=UTC), step_s=60, count=minutes),
            load_w=load_w[None],
            pv_w=pv_w[None],
            price_level=level[None],
            deviation_hz=np.zeros((1, minutes)),
        ),
        price_per_mwh=20 + 60 * level[None],
        charges_per_mwh=190.0,
        source="generated",
        provenance=("made up",),
    )


@pytest.fixture(scope="module")
def halves(buildings):
    """Return four days to tune on, and four that are held out."""
    days = np.arange(8) * DAY_MIN
    return cut(buildings, days[::2], DAY_MIN), cut(buildings, days[1::2], DAY_MIN)


@pytest.fixture(scope="module")
def found(halves):
    return study(*halves, evaluations=24, population=8, seed=1)


def test_words_with_the_peaks_of_the_paper_are_those_of_the_paper():
    assert peaks(PAPER) == {
        "power_balance": (-1.0, -0.5, 0.0, 0.5, 1.0),
        "soc": (0.5, 0.7, 0.9),
        "price": (0.25, 0.5, 0.75),
    }
    assert shaped(PAPER, peaks(PAPER)) == PAPER


@given(
    places=st.lists(st.floats(0, 1), min_size=3, max_size=3),
    variable=st.sampled_from(PAPER.inputs[1:]),
)
def test_any_places_make_words_that_share_every_value_out(places, variable):
    at = _peaks_at(variable, np.array(places))
    base = shaped(PAPER, {**peaks(PAPER), variable.name: at})

    changed = next(each for each in base.inputs if each.name == variable.name)
    values = np.linspace(variable.low, variable.high, 57)
    assert np.abs(Ramps(changed).degrees(values).sum(axis=0) - 1.0).max() <= 1e-9
    np.testing.assert_allclose(_places(variable, at), np.sort(places), atol=1e-9)
    assert base.rules == PAPER.rules


def test_a_search_keeps_what_must_not_grow_and_finds_less_cost():
    def judge(base):
        low, medium, high = peaks(base)["soc"]
        # less is better, but the highest peak must not sink
        return Score(cost=low + medium + high, held=(-high,))

    best = peaks(tuned(PAPER, judge, evaluations=400, population=16, seed=0))["soc"]

    assert best[2] >= 0.9
    assert sum(best) < 0.5 + 0.7 + 0.9


def test_the_same_seed_finds_the_same_words_and_counts_its_tries():
    def judge(base):
        return Score(cost=abs(peaks(base)["price"][1] - 0.3), held=())

    told = []
    one, other = (
        tuned(PAPER, judge, evaluations=48, population=8, seed=5, tell=told.append)
        for _ in range(2)
    )

    assert one == other
    assert told == [*range(1, 49)] * 2


def test_tuned_words_cost_no_more_and_hold_no_less_on_their_own_days(found):
    printed, best = found.trained["printed"], found.trained["tuned"]

    assert best["cost"] <= printed["cost"]
    for name in ("outside_share", "overload_share", "soc_step", "switchings"):
        assert best[name] <= printed[name]


def test_what_is_held_out_is_not_looked_at(found, halves):
    trained, held_out = halves
    other = cut_prices(held_out)

    again = study(trained, other, evaluations=24, population=8, seed=1)

    assert again.tuned == found.tuned
    assert again.trained == found.trained
    assert again.held_out != found.held_out


def cut_prices(weeks):
    """Return days whose energy costs half."""
    half = replace(
        weeks.tariff,
        import_per_mwh=weeks.tariff.import_per_mwh / 2,
        export_per_mwh=weeks.tariff.export_per_mwh / 2,
    )
    return replace(weeks, tariff=half)


def test_a_saving_is_told_with_its_error_and_real_only_beyond_it(found):
    lines = found.lines()

    assert [gain.weeks for gain in found.gains.values()] == [4, 4, 4]
    assert [line.split(":")[0] for line in lines[-3:]] == [
        f"held out, tuned against {name}" for name in ("printed", "SoC rules", "on grid")
    ]
    assert [line for line in lines if line.startswith("soc: peaks 0.50 0.70 0.90 became ")]
    gain = Gain(per_day=1.0, error_per_day=0.4, better_weeks=3, weeks=4)
    assert [
        gain.verdict,
        replace(gain, error_per_day=0.5).verdict,
        replace(gain, per_day=-1.0).verdict,
    ] == ["a real gain", "no difference that stands out from the weeks' spread", "a real loss"]


def test_a_saving_is_the_mean_of_its_weeks_with_the_error_of_that(halves):
    grid = Microgrid.of_homes(halves[1].around.homes)
    one = lived(halves[1], fuzzy(PAPER, grid), grid)
    other = replace(one, cost=one.cost + np.array([1.0, 2.0, 3.0, -2.0]))

    # one day each: mean 1, standard deviation √(14/3), error half of that
    assert Gain.of(other, one) == Gain(
        per_day=pytest.approx(1.0),
        error_per_day=pytest.approx((14 / 3) ** 0.5 / 2),
        better_weeks=3,
        weeks=4,
    )


def test_weeks_of_months_begin_with_them_and_leave_none_to_both():
    start = local_midnight(date(YEAR, 1, 1))
    grid = TimeGrid(start=start, step_s=60, count=365 * DAY_MIN)

    begins = [
        [start + timedelta(minutes=int(minute)) for minute in week_begins(grid, months)]
        for months in (TRAINED, HELD_OUT)
    ]

    assert [len(each) for each in begins] == [32, 16]
    in_order = sorted(begins[0] + begins[1])
    assert all(after - before >= timedelta(days=7) for before, after in pairwise(in_order))
    assert begins[1][:5] == [
        *(datetime(2019, 2, day, tzinfo=UTC) for day in (1, 8, 15, 22)),
        datetime(2019, 4, 30, 23, tzinfo=UTC),
    ]


def test_stretches_stand_side_by_side_building_by_building(buildings):
    days = cut(buildings, np.array([0, DAY_MIN]), DAY_MIN)

    assert days.around.homes == 2
    assert days.around.pv_w[1].tolist() == buildings.around.pv_w[0, DAY_MIN : 2 * DAY_MIN].tolist()
    assert days.tariff.import_per_mwh[1].tolist() == (
        buildings.tariff.import_per_mwh[0, DAY_MIN : 2 * DAY_MIN].tolist()
    )


def test_fewer_tries_than_a_generation_are_wrong_use():
    told = CliRunner().invoke(run_scenario, ["habib-tune", "--evaluations", "23"])

    assert told.exit_code == 2
    assert "23 is not in the range x>=24" in told.stderr
