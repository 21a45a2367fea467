"""The buildings' days, real and generated, and the choice of two of them."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from contracts.timegrid import TimeGrid
from scenarios.errors import DataRequestError, DataUnavailableError, ScenarioInputError
from scenarios.habib.data import Asked, Buildings, month
from scenarios.habib.eight_hours import sky, trials, two_days
from scenarios.microgrid.model import Surroundings

NOON = 12 * 60


def buildings(pv_by_day_w, load_w: float = 2000.0) -> Buildings:
    """Return buildings of whole days that each make what a function of the minute says."""
    pv_w = np.array([[make(np.arange(1440)) for make in days] for days in pv_by_day_w])
    pv_w = np.maximum(pv_w.reshape(len(pv_by_day_w), -1), 0.0)
    # in London's winter local time is UTC
    start = datetime(2020, 1, 6, tzinfo=UTC)
    return Buildings(
        around=Surroundings(
            grid=TimeGrid(start=start, step_s=60, count=pv_w.shape[1]),
            load_w=np.full(pv_w.shape, load_w),
            pv_w=pv_w,
            price_level=np.full(pv_w.shape, 0.5),
            deviation_hz=np.zeros(pv_w.shape),
        ),
        price_per_mwh=np.full(pv_w.shape, 40.0),
        charges_per_mwh=100.0,
        source="generated",
        provenance=("drawn for a test",),
    )


def clear(minute):
    return 5000 * np.sin((minute - 360) / 720 * np.pi)


def dull(minute):
    return 0.15 * clear(minute)


def half(minute):
    return 0.5 * clear(minute)


def broken(minute):
    return np.where(minute // 20 % 3 == 0, clear(minute), 0.1 * clear(minute))


def test_the_two_days_are_chosen_by_rule():
    held = trials(buildings([[dull, clear, half, broken, half], [clear] * 5]))

    pair = two_days(held)

    assert (pair.sunny, pair.cloudy, pair.met) == (1, 3, True)
    found = sky(held)
    assert found.clearness[1] == found.clearness[:5].max()
    assert found.variability[3] > 5 > found.variability[2]
    assert found.below_share[0] == 1.0


def test_without_a_partly_cloudy_day_the_nearest_is_shown_and_said_so():
    pair = two_days(trials(buildings([[clear, dull, clear]], load_w=0.0)))

    assert (pair.sunny, pair.cloudy, pair.met) == (0, 1, False)


def test_a_test_begins_at_ten_local_and_lasts_eight_hours():
    held = trials(buildings([[clear, dull]]))

    one = held.one(1)

    assert one.grid == TimeGrid(start=datetime(2020, 1, 7, 10, tzinfo=UTC), step_s=60, count=480)
    assert one.around.pv_w[0].tolist() == dull(np.arange(600, 1080)).tolist()
    assert held.buildings.around.pv_w[1].tolist() == one.around.pv_w[0].tolist()
    assert held.day.tolist() == [0, 1]


def test_too_few_minutes_for_a_test_are_told():
    short = buildings([[clear]])
    around = short.around
    cut = Surroundings(
        grid=TimeGrid(start=around.grid.start, step_s=60, count=NOON),
        load_w=around.load_w[:, :NOON],
        pv_w=around.pv_w[:, :NOON],
        price_level=around.price_level[:, :NOON],
        deviation_hz=around.deviation_hz[:, :NOON],
    )

    with pytest.raises(DataRequestError, match="ask for whole days"):
        trials(replace(short, around=cut, price_per_mwh=short.price_per_mwh[:, :NOON]))


def test_generated_days_are_told_apart_and_come_again_with_their_seed(days):
    again = month(Asked(folder=None, buildings=2, days=4, seed=2))
    other = month(Asked(folder=None, buildings=2, days=4, seed=3))

    assert days.around.load_w.tolist() == again.around.load_w.tolist()
    assert days.around.deviation_hz.tolist() == again.around.deviation_hz.tolist()
    assert days.around.load_w.tolist() != other.around.load_w.tolist()
    assert days.source == "generated"
    assert "nothing there was measured" in days.provenance[0]
    assert days.around.load_w.max() <= 3 * 3600
    assert days.around.deviation_hz.std() == pytest.approx(0.02, rel=0.2)


def test_the_price_level_spans_each_day_of_the_market(days):
    # four local days of London touch five of Berlin; the three in the middle are whole
    level = days.around.price_level[0]
    berlin = (np.arange(level.size) + 60) // 1440

    for day in (1, 2, 3):
        assert (level[berlin == day].min(), level[berlin == day].max()) == (0.0, 1.0)
    assert days.tariff.import_per_mwh[0, 0] == pytest.approx(
        (days.price_per_mwh[0, 0] + 190) * 1.19
    )


def test_real_days_have_the_real_load_sun_and_price(real_folder):
    found = month(Asked(folder=real_folder, buildings=2, days=3))

    assert found.source == "real"
    assert found.grid.start == datetime(2020, 5, 10, 23, tzinfo=UTC)
    assert found.grid.count == 3 * 1440
    assert found.around.pv_w.max() == pytest.approx(6300, rel=0.2)
    # each hour's price holds for its sixty minutes
    assert np.ptp(found.price_per_mwh.reshape(2, -1, 60), axis=2).max() == 0.0
    assert any("Germany day-ahead" in line for line in found.provenance)


@pytest.mark.parametrize(("wrong", "told"), [({"buildings": 12}, "1..11"), ({"days": 0}, "1..30")])
def test_days_that_cannot_be_are_told(wrong, told):
    with pytest.raises(ScenarioInputError, match=told):
        Asked(folder=None, **wrong)


def test_a_folder_without_files_is_told(tmp_path):
    with pytest.raises(DataUnavailableError, match="has no file"):
        month(Asked(folder=tmp_path, days=1))
