"""The substitute for Brescia's load keeps what the paper tells of it."""

import gzip

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from scenarios.data.files.campus import CAMPUS_FILE
from scenarios.dispatch.campus import (
    MONTHLY_DARK_PEAK_W,
    MONTHLY_PEAK_W,
    SOURCE_BEGIN,
    YEAR_WH,
    campus_load,
    monthly_mean_w,
)
from scenarios.dispatch.campus_year import (
    YEAR_BEGIN,
    hour_of_step,
    month_of_step,
    step_means,
    weekday_of_step,
)
from scenarios.errors import DataGapError, DataUnavailableError, ScenarioInputError

CAMPUS_FILE_TEXT = "campus.csv"
MONTH = month_of_step(3600)
WORKING = weekday_of_step(3600) < 5
HOUR = hour_of_step(3600)


@pytest.fixture(scope="module")
def drawn():
    return campus_load(3600, 0)


@pytest.fixture(scope="module")
def source_folder(tmp_path_factory):
    """A recorded year in miniature: halls with a canteen, a school, and noise."""
    folder = tmp_path_factory.mktemp("campus")
    times = pd.date_range(SOURCE_BEGIN, periods=365 * 144, freq="10min")
    local = times.tz_convert("Indian/Reunion")
    hour, working = local.hour.to_numpy(), local.day_of_week.to_numpy() < 5
    noise = 2 * np.random.default_rng(0).random(times.size)
    halls = 35 + 20 * ((hour >= 18) & (hour < 22)) + 30 * (working & (hour >= 6) & (hour < 15))
    school = 28 + 20 * (working & (hour >= 8) & (hour < 16)) + noise
    frame = pd.DataFrame(
        {
            "utc": times.strftime("%Y-%m-%d %H:%M:%S+00:00"),
            "crous_load_kW": halls,
            "esiroi_seasoi_load_kW": school,
            "iut_total_kW": 60.0,
            "enerpos_pv46kWp_kW": 0.0,
        }
    )
    frame.to_csv(folder / CAMPUS_FILE_TEXT, index=False, float_format="%.1f")
    text = (folder / CAMPUS_FILE_TEXT).read_bytes()
    (folder / CAMPUS_FILE).write_bytes(gzip.compress(text, compresslevel=1))
    return folder


def peaks_w(load_w, steps):
    return np.array([load_w[steps & (month == MONTH)].max() for month in range(12)])


def require_the_papers_figures(load_w):
    late = WORKING & (HOUR > 16) & (HOUR < 18)
    means_w = [load_w[month == MONTH].mean() for month in range(12)]
    assert load_w.shape == (8760,)
    assert load_w.min() >= 0
    assert_allclose(load_w.sum(), YEAR_WH, rtol=1e-9)
    assert_allclose(means_w, monthly_mean_w(), rtol=1e-9)
    assert_allclose(peaks_w(load_w, MONTH >= 0), MONTHLY_PEAK_W, rtol=1e-9)
    assert_allclose(peaks_w(load_w, ~late)[2:10], np.array(MONTHLY_DARK_PEAK_W)[2:10], rtol=1e-9)


def test_the_papers_peaks_of_scenario_1_are_those_of_the_months():
    assert max(MONTHLY_PEAK_W) == 64_100
    assert np.mean(MONTHLY_PEAK_W) == pytest.approx(55_100, abs=20)
    assert max(MONTHLY_DARK_PEAK_W) == 59_200
    assert np.mean(MONTHLY_DARK_PEAK_W) == pytest.approx(50_600, abs=1)


@pytest.mark.parametrize("seed", [0, 1, 7])
def test_a_drawn_year_has_the_energy_and_the_peaks_of_the_paper(seed):
    require_the_papers_figures(campus_load(3600, seed))


def test_a_recorded_year_has_the_energy_and_the_peaks_of_the_paper(source_folder):
    require_the_papers_figures(campus_load(3600, 0, source_folder))


def test_the_real_campus_gives_the_energy_and_the_peaks_of_the_paper(real_folder):
    require_the_papers_figures(campus_load(3600, 0, real_folder))


def test_the_canteen_of_the_recorded_halls_is_gone(source_folder):
    load_w = campus_load(3600, 0, source_folder)

    # At 7 h nothing but the canteen runs that does not at 4 h.
    january = WORKING & (MONTH == 0)
    night_w, morning_w = (load_w[january & (hour == HOUR)].mean() for hour in (4.5, 7.5))
    assert morning_w == pytest.approx(night_w, rel=0.02)


def test_finer_steps_have_the_same_hours(drawn):
    for step_s in (1800, 900, 300, 60):
        fine = campus_load(step_s, 0)
        assert_allclose(fine.reshape(8760, -1).mean(axis=1), drawn, rtol=1e-9)


def test_the_same_seed_draws_the_same_year_and_another_another(drawn):
    assert np.array_equal(drawn, campus_load(3600, 0))
    assert not np.array_equal(drawn, campus_load(3600, 1))


def test_working_days_peak_in_the_evening_in_winter_and_other_days_are_flat(drawn):
    winter = np.isin(MONTH, (0, 1, 10, 11))
    by_hour = [drawn[winter & WORKING & (h + 0.5 == HOUR)].mean() for h in range(24)]
    other = [drawn[winter & ~WORKING & (h + 0.5 == HOUR)].mean() for h in range(24)]

    assert int(np.argmax(by_hour)) in (18, 19)
    assert by_hour[9] > 1.2 * by_hour[8]
    assert max(other) < 1.1 * min(other)


def test_the_year_begins_on_a_monday():
    assert YEAR_BEGIN.weekday() == 0
    assert np.bincount(month_of_step(86_400 // 24))[:2].tolist() == [744, 672]


def test_means_over_other_steps_keep_the_energy():
    hours = np.random.default_rng(1).random(8760)

    for step_s in (3600, 1200, 720):
        means = step_means(hours, step_s)
        assert_allclose(means.sum() * step_s / 3600, hours.sum(), rtol=1e-12)


@pytest.mark.parametrize("step_s", [0, 7, 30, 7200])
def test_a_step_that_fills_no_hour_is_refused(step_s):
    with pytest.raises(ScenarioInputError, match=rf"step_s is {step_s}; give a divisor of 3600"):
        campus_load(step_s, 0)


def test_a_folder_without_the_file_is_told(tmp_path):
    with pytest.raises(DataUnavailableError, match=CAMPUS_FILE):
        campus_load(3600, 0, tmp_path)


def test_a_gap_in_the_recorded_year_is_told(source_folder, tmp_path):
    lines = (source_folder / CAMPUS_FILE_TEXT).read_text().splitlines(keepends=True)
    fields = lines[101].split(",")
    lines[101] = ",".join([fields[0], "", *fields[2:]])
    with gzip.open(tmp_path / CAMPUS_FILE, "wt", compresslevel=1) as file:
        file.writelines(lines)

    with pytest.raises(DataGapError, match="crous_load_w is missing"):
        campus_load(3600, 0, tmp_path)
