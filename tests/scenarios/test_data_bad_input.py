"""Every way the real set can be broken ends in one line that names file, row and remedy.

The files here are made by the test itself, in the format of the real ones.
"""

import shutil
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from scenarios.data.files.homes import HOME_FILES
from scenarios.data.files.prices import GB_AGILE_FILE, GB_DAY_AHEAD_FILE, GB_IMBALANCE_FILE
from scenarios.data.files.pv import PV_FILE
from scenarios.data.files.wind import WIND_FILE
from scenarios.data.real import load_fleet_data
from scenarios.errors import DataFormatError, DataGapError, DataRequestError, DataUnavailableError

HOMES_FILE = HOME_FILES["bootstrap"]
DAY = date(2020, 5, 20)
HOURS = pd.date_range("2020-05-10 22:00", "2020-06-10", freq="h", tz="UTC")
HALF_HOURS = pd.date_range("2020-05-10 22:00", "2020-06-10", freq="30min", tz="UTC")


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    """Return a folder with a small whole set: two homes, constant but for the sun."""
    folder = tmp_path_factory.mktemp("whole")
    minutes = pd.date_range("2019-05-13", periods=30 * 1440, freq="min", name="local_time")
    homes = pd.DataFrame({"hh_00_W": 200.0, "hh_01_W": 300.0}, index=minutes)
    homes.to_parquet(folder / HOMES_FILE)
    homes.assign(ghi_W_per_m2=500.0).to_parquet(folder / HOME_FILES["crest"])
    day_minute = pd.MultiIndex.from_product([range(1, 32), range(1440)])
    sun = np.tile(np.clip(np.sin((np.arange(1440) - 240) / 960 * np.pi), 0, None), 31)
    pd.DataFrame({f"pv_pu_{i}": sun for i in range(6)}, index=day_minute).to_parquet(
        folder / PV_FILE
    )
    year = pd.date_range("2021-01-01", periods=525_600, freq="min", name="time")
    pd.DataFrame({"generated_power": 2_500.0}, index=year).to_parquet(folder / WIND_FILE)
    write_prices(folder, GB_DAY_AHEAD_FILE, HOURS, price_GBP_per_MWh=30.0)
    write_prices(folder, GB_AGILE_FILE, HALF_HOURS, agile_import_p_per_kWh_incVAT_regionA=6.6)
    write_prices(
        folder,
        GB_IMBALANCE_FILE,
        HALF_HOURS,
        system_sell_GBP_per_MWh=40.0,
        system_buy_GBP_per_MWh=40.0,
        net_imbalance_volume_MWh=-10.0,
    )
    return folder


def write_prices(folder: Path, name: str, index: pd.DatetimeIndex, **columns: float) -> None:
    frame = pd.DataFrame(columns, index=index.rename("utc_start"))
    frame.to_csv(folder / name)


@pytest.fixture
def folder(whole, tmp_path) -> Path:
    """Return a copy of the whole set that a test may break; the files are links."""
    shutil.copytree(whole, tmp_path / "data", copy_function=lambda a, b: Path(b).symlink_to(a))
    return tmp_path / "data"


def rewrite(folder: Path, name: str, change) -> None:
    """Replace a file by what ``change`` makes of its table."""
    path = folder / name
    table = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
    path.unlink()
    changed = change(table)
    if path.suffix == ".parquet":
        changed.to_parquet(path)
    else:
        changed.to_csv(path, index=False)


def put(table: pd.DataFrame, row: int, column: str, value: object) -> pd.DataFrame:
    """Return the table with one value replaced."""
    if isinstance(value, str):
        table = table.astype({column: object})
    table.iloc[row, table.columns.get_loc(column)] = value
    return table


def test_the_whole_set_loads_in_watts_and_pounds_per_mwh(folder):
    data = load_fleet_data(folder, day=DAY, homes=2)

    assert data.load_w[:, 0].tolist() == [200.0, 300.0]
    assert data.plant_wind_w[0] == pytest.approx(0.5 * 130_000 * 2 / 70)
    assert data.plant_pv_w.max() == pytest.approx(105_000 * 2 / 70)
    assert np.array_equal(data.import_price_per_mwh, np.full(48, 66.0))
    assert np.array_equal(data.day_ahead_price_per_mwh, np.full(48, 30.0))
    assert np.array_equal(data.imbalance_price_per_mwh, np.full(48, 40.0))


def test_the_crest_set_takes_its_own_sun(folder):
    data = load_fleet_data(folder, day=DAY, homes=2, home_set="crest")

    assert data.pv_w[:, 0] == pytest.approx(0.85 * 0.5 * data.pv_rating_w)


def test_history_is_shorter_where_the_files_begin(folder):
    days = [date(2020, 5, 11), date(2020, 5, 12), date(2020, 5, 13)]

    minutes = [load_fleet_data(folder, day=day, homes=2).day_start_minute for day in days]

    assert minutes == [0, 1440, 2880]


def test_the_hour_before_the_sun_data_is_night(folder):
    data = load_fleet_data(folder, day=date(2020, 5, 11), homes=2)

    assert not data.pv_w[:, :60].any()


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(DataUnavailableError, match=r"data folder .*nowhere does not exist; fetch"):
        load_fleet_data(tmp_path / "nowhere", day=DAY)


@pytest.mark.parametrize(
    "name",
    [HOMES_FILE, PV_FILE, WIND_FILE, GB_DAY_AHEAD_FILE, GB_AGILE_FILE, GB_IMBALANCE_FILE],
)
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()

    with pytest.raises(DataUnavailableError, match=f"has no file {name}; fetch it"):
        load_fleet_data(folder, day=DAY, homes=2)


@pytest.mark.parametrize("name", [HOMES_FILE, GB_AGILE_FILE])
def test_a_file_that_is_not_what_its_name_says_cannot_be_read(folder, name):
    (folder / name).unlink()
    (folder / name).write_bytes(b"<html>404</html>")

    with pytest.raises(DataFormatError, match=f"{name} cannot be read .*; fetch it again"):
        load_fleet_data(folder, day=DAY, homes=2)


@pytest.mark.parametrize("day", [date(2020, 5, 10), date(2020, 6, 10), date(2024, 1, 1)])
def test_a_day_outside_the_window_is_refused(folder, day):
    with pytest.raises(DataRequestError, match=r"2020-05-11 to 2020-06-09, not .*; choose a day"):
        load_fleet_data(folder, day=day, homes=2)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"homes": 71}, "homes is 71, the real sets have 1..70; or use the generator"),
        ({"homes": 0}, "homes is 0, must be >= 1"),
        ({"seed": -1}, "seed is -1, must be >= 0"),
        ({"history_days": -1}, "history_days is -1, must be >= 0"),
    ],
)
def test_a_fleet_that_cannot_be_is_refused(folder, asked, message):
    with pytest.raises(DataRequestError, match=message):
        load_fleet_data(folder, day=DAY, **asked)


BROKEN = [
    pytest.param(
        HOMES_FILE,
        lambda table: table.drop(columns="hh_01_W"),
        DataFormatError,
        "has no column 'hh_01_W' but hh_00_W, .*; rename it",
        id="column missing",
    ),
    pytest.param(
        HOMES_FILE,
        lambda table: put(table, 12_970, "hh_01_W", np.nan),
        DataGapError,
        r"row 12971 \(2019-05-22 00:10:00\): hh_01_W is missing; fill it",
        id="load missing",
    ),
    pytest.param(
        HOMES_FILE,
        lambda table: put(table, 12_970, "hh_01_W", -40.0),
        DataFormatError,
        r"row 12971 \(2019-05-22 00:10:00\): hh_01_W is -40, must be >= 0; turn its sign",
        id="load negative",
    ),
    pytest.param(
        HOMES_FILE,
        lambda table: table / 1000,
        DataFormatError,
        r"row 1 on: median load 0.25 is not in 5..20000 W; .* multiply it by 1000",
        id="load in kW",
    ),
    pytest.param(
        HOMES_FILE,
        lambda table: table.iloc[: 5 * 1440],
        DataRequestError,
        "holds 2019-05-13 .* is needed; choose a day inside",
        id="homes short",
    ),
    pytest.param(
        HOMES_FILE,
        lambda table: table.drop(table.index[100]),
        DataGapError,
        r"row 101 \(2019-05-13 01:41:00\) is 120 s after the one before, must be 60 s",
        id="minute left out",
    ),
    pytest.param(
        HOMES_FILE,
        lambda table: table.tz_localize("UTC"),
        DataFormatError,
        "row 1: time .* carries a zone; this file's times are naive",
        id="homes aware",
    ),
    pytest.param(
        PV_FILE,
        lambda table: table * 3_000,
        DataFormatError,
        "per unit; divide the file by the ratings",
        id="PV in W",
    ),
    pytest.param(
        PV_FILE,
        lambda table: table.iloc[: 5 * 1440],
        DataFormatError,
        "ends at row 7200, needs .*; complete the file",
        id="PV short",
    ),
    pytest.param(
        WIND_FILE,
        lambda table: table * 1000,
        DataFormatError,
        r"row \d+: 2.5e\+06 kW of 5000; write it in kW",
        id="wind in W",
    ),
    pytest.param(
        WIND_FILE,
        lambda table: table.iloc[:1440],
        DataRequestError,
        "holds 2021-01-01 .*; complete it",
        id="wind short",
    ),
    pytest.param(
        GB_DAY_AHEAD_FILE,
        lambda table: put(table, 230, "price_GBP_per_MWh", np.nan),
        DataGapError,
        r"row 231 \(2020-05-20 12:00:00\+00:00\): day_ahead_gbp_per_mwh is missing; choose",
        id="price missing",
    ),
    pytest.param(
        GB_DAY_AHEAD_FILE,
        lambda table: table.drop(index=230),
        DataGapError,
        r"gz \(2020-05-20 12:00:00\+00:00\): day_ahead_gbp_per_mwh is missing; choose",
        id="price row left out",
    ),
    pytest.param(
        GB_IMBALANCE_FILE,
        lambda table: table.iloc[:100],
        DataGapError,
        "system_sell_gbp_per_mwh is missing; choose another day",
        id="imbalance short",
    ),
    pytest.param(
        GB_IMBALANCE_FILE,
        lambda table: table.iloc[:1],
        DataFormatError,
        "has 1 rows, too few to tell its step",
        id="imbalance of one row",
    ),
    pytest.param(
        GB_DAY_AHEAD_FILE,
        lambda table: pd.concat([table.iloc[:300], table.iloc[299:]]),
        DataFormatError,
        r"time 2020-05-23 09:00:00\+00:00 comes twice; drop one row",
        id="price twice",
    ),
    pytest.param(
        GB_AGILE_FILE,
        lambda table: table.assign(utc_start=table["utc_start"].str[:19]),
        DataFormatError,
        "row 1: time '2020-05-10 22:00:00' must carry its offset from UTC",
        id="price naive",
    ),
    pytest.param(
        GB_AGILE_FILE,
        lambda table: put(table, 3, "utc_start", "2020-05-10 23:30:00"),
        DataFormatError,
        "row 4: time '2020-05-10 23:30:00' must carry its offset from UTC",
        id="one price naive",
    ),
    pytest.param(
        GB_AGILE_FILE,
        lambda table: table.assign(agile_import_p_per_kWh_incVAT_regionA=150.0),
        DataFormatError,
        "is 150 p/kWh, above 100; if it is GBP/MWh, divide the file by 10",
        id="tariff in GBP/MWh",
    ),
]


@pytest.mark.parametrize(("name", "change", "error", "message"), BROKEN)
def test_a_broken_file_is_refused_in_one_line(folder, name, change, error, message):
    rewrite(folder, name, change)

    with pytest.raises(error, match=message) as caught:
        load_fleet_data(folder, day=DAY, homes=2)

    assert type(caught.value) is error
    assert str(caught.value).startswith(name)
    assert "\n" not in str(caught.value)
