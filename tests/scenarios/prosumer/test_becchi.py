"""The paper's prosumer, generated and real, and the two commands."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from scenarios.bench.command import bench
from scenarios.data.files.homes import AUSGRID_FILE
from scenarios.data.files.prices import ITALY_FILE
from scenarios.errors import DataUnavailableError
from scenarios.prosumer.becchi_data import becchi_grid, becchi_series, year_begin, year_hours
from scenarios.prosumer.tell import REPORT
from scenarios.scenario_command import scenario

pytestmark = pytest.mark.xdist_group("becchi")
SHORT = ("--days", "1", "--month-days", "1", "--evaluations", "40")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Return a folder of files of the real set's form: every hour tells which it is."""
    place = tmp_path_factory.mktemp("data")
    days = pd.date_range("2021-10-01", "2023-01-10", freq="D")
    rows = [
        {"local_start": day + timedelta(hours=hour), "hour": hour + 1, "PUN": 200.0 + hour}
        for day in days
        for hour in range(_hours(day))
    ]
    pd.DataFrame(rows).to_csv(place / ITALY_FILE, index=False)
    index = pd.date_range("2011-07-01", "2012-06-30 23:30", freq="30min")
    noon = np.abs(index.hour + index.minute / 60 - 12)
    pd.DataFrame(
        {"GC_kW": 0.2 + 0.1 * (index.day_of_week == 5), "GG_kW": np.maximum(1 - noon / 4, 0)},
        index=index,
    ).to_csv(place / AUSGRID_FILE)
    return place


def _hours(day: pd.Timestamp) -> int:
    """Return the hours of an Italian day."""
    begin, end = (each.tz_localize("Europe/Rome") for each in (day, day + timedelta(days=1)))
    return int((end - begin) / timedelta(hours=1))


@pytest.fixture(scope="module")
def generated():
    return becchi_series(None, seed=3)


@pytest.mark.parametrize("source", ["real", "generated"])
def test_the_year_is_the_papers(source, folder, generated):
    found = generated if source == "generated" else becchi_series(folder)
    year = slice(year_begin(found), year_begin(found) + year_hours(found))

    assert found.grid == becchi_grid()
    assert found.source == source
    assert year_hours(found) == 8760
    assert found.load_wh[:, year].sum() == pytest.approx(3e6)
    assert found.pv_wh[:, year].sum() == pytest.approx(3.3e6)
    assert found.import_price_per_mwh == pytest.approx(found.export_price_per_mwh / 0.55)
    assert found.grid.starts()[year.start] == datetime(2021, 12, 31, 23, tzinfo=UTC)
    assert "charges of 45% of the bill" in found.provenance[-1]
    assert ("nothing here was measured" in found.provenance[0]) == (source == "generated")


def test_flat_charges_are_their_share_of_the_bill(folder):
    found = becchi_series(folder, charges="flat", charges_share=0.4)
    year = slice(year_begin(found), year_begin(found) + year_hours(found))
    load_wh = found.load_wh[0, year]

    bill, energy = (
        float(load_wh @ price[0, year])
        for price in (found.import_price_per_mwh, found.export_price_per_mwh)
    )

    assert 1 - energy / bill == pytest.approx(0.4)
    assert np.ptp(found.import_price_per_mwh - found.export_price_per_mwh) < 1e-9


def test_a_southern_home_stands_on_its_head_and_keeps_its_weekdays(folder):
    found = becchi_series(folder)
    begin = year_begin(found)

    # 1 January 2022 was a Saturday: more is used on it, and on each seventh day
    by_day_wh = found.load_wh[0, begin : begin + 24 * 14].reshape(14, 24).sum(axis=1)
    assert (by_day_wh > by_day_wh.min() * 1.4).tolist() == [day % 7 == 0 for day in range(14)]
    # the sun is highest at noon of standard time in winter, before the clocks change
    assert np.argmax(found.pv_wh[0, begin : begin + 24]) in {11, 12}


def test_a_folder_without_files_is_told(tmp_path):
    with pytest.raises(DataUnavailableError, match="has no file"):
        becchi_series(tmp_path)


def test_the_command_leaves_its_files_and_prints_them(folder, tmp_path):
    out = tmp_path / "becchi"

    done = CliRunner().invoke(
        scenario,
        ["run", "becchi2024", *SHORT, "--data", str(folder), "--out", str(out), "--json"],
    )

    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told == json.loads((out / "results.json").read_text())
    assert {run["method"] for run in told["runs"]} >= {"none", "rules", "milp", "ga", "pso", "mpc"}
    assert "--evaluations 40" in (out / REPORT).read_text()
    assert "--data YOUR_DATA" in (out / REPORT).read_text()
    assert str(folder) not in (out / REPORT).read_text()


def test_the_command_tells_runs_and_claims_in_lines(folder, tmp_path):
    done = CliRunner().invoke(
        scenario,
        [
            "run",
            "becchi2024",
            *("--days", "1", "--month-days", "0", "--prices", "published"),
            *("--data", str(folder), "--out", str(tmp_path)),
        ],
    )

    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert lines[0].startswith("controller   ")
    assert sum("The rules are around twenty times faster" in line for line in lines) == 1
    assert lines[-1] == f"report: {tmp_path / REPORT}"


@pytest.mark.parametrize(
    "wrong",
    [
        ("--days", "366"),
        ("--month-from", "2022-12-15"),
        ("--month-from", "2021-12-31"),
        ("--forecast", "stars"),
        ("--budget-s", "0"),
    ],
)
def test_wrong_use_writes_nothing(folder, tmp_path, wrong):
    out = tmp_path / "out"
    asked = ["run", "becchi2024", *wrong, "--data", str(folder), "--out", str(out)]

    assert CliRunner().invoke(scenario, asked).exit_code == 2
    assert not out.exists()


def test_the_bench_gives_times_and_gains(folder, monkeypatch):
    # plans of a search are what takes time
    monkeypatch.setattr("scenarios.prosumer.bench.QUICK_DAYS", 2)

    done = CliRunner().invoke(bench, ["prosumer", "--quick", "--json", "--data", str(folder)])

    assert done.exit_code == 0, done.output
    figures = json.loads(done.stdout)
    keys = {"rules_ms", "rules_batch_us", "milp_ms", "ga_ms", "pso_ms", "speedup_rules_milp"}
    assert keys | {"year_s", "ageing_year_minutes_s"} <= set(figures)
    methods = {"none", "rules", "rules_no_countermeasures", "milp", "ga", "pso"}
    assert all(methods <= set(figures["gain"][of]) for of in ("perfect", "imperfect"))
    assert figures["gain"]["perfect"]["none"] == 0.0
