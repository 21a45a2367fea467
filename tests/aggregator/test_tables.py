from datetime import UTC, date, datetime

import numpy as np
import pytest

from aggregator.errors import FileError
from aggregator.tables import read_forecast, read_series, write_forecast, write_series
from contracts.timegrid import TimeGrid

HEADER = "start,demand_wh,production_wh,import_price_per_mwh,export_price_per_mwh\n"
ROWS = (
    "2020-05-20T00:00:00+01:00,100,0,152.3,31.8\n"
    "2020-05-20T00:30:00+01:00,110,0,150.1,-2.5\n"
    "2020-05-20T01:00:00+01:00,90,5,149.0,30\n"
)


@pytest.fixture
def written(tmp_path):
    """Return a writer of a forecast file from text."""

    def write(text):
        path = tmp_path / "day.csv"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_a_forecast_with_local_times_is_read_in_utc(written):
    forecast = read_forecast(written(HEADER + ROWS))

    assert forecast.grid == TimeGrid(
        start=datetime(2020, 5, 19, 23, tzinfo=UTC), step_s=1800, count=3
    )
    assert forecast.export_price_per_mwh.tolist() == [31.8, -2.5, 30.0]


def test_a_spreadsheets_byte_order_mark_and_extra_columns_do_no_harm(written):
    text = "\ufeff" + HEADER.replace("\n", ",note\n") + ROWS.replace("\n", ",x\n")

    assert read_forecast(written(text)).demand_wh.tolist() == [100.0, 110.0, 90.0]


@pytest.mark.parametrize("local_day", [date(2020, 3, 29), date(2020, 10, 25)])
def test_what_is_written_is_read_back_on_days_of_23_and_25_hours(tmp_path, local_day):
    grid = TimeGrid.local_day(local_day)
    series = {"clearing_price_per_mwh": np.random.default_rng(0).normal(40, 30, grid.count)}

    write_series(tmp_path / "prices.csv", grid, series)
    found, read = read_series(tmp_path / "prices.csv", ("clearing_price_per_mwh",))

    assert found == grid
    assert np.array_equal(read["clearing_price_per_mwh"], series["clearing_price_per_mwh"])


def test_a_forecast_is_read_back_as_written(tmp_path, day):
    forecast = day(demand_wh=[0.1, 1 / 3], production_wh=[1e-9, 7.0])

    write_forecast(tmp_path / "day.csv", forecast)
    found = read_forecast(tmp_path / "day.csv")

    assert found.grid == forecast.grid
    assert np.array_equal(found.demand_wh, forecast.demand_wh)
    assert np.array_equal(found.production_wh, forecast.production_wh)


def test_a_day_is_taken_out_of_a_longer_file(written):
    grid = TimeGrid(start=datetime(2020, 5, 19, 23, 30, tzinfo=UTC), step_s=1800, count=2)

    forecast = read_forecast(written(HEADER + ROWS), grid=grid)

    assert forecast.grid == grid
    assert forecast.demand_wh.tolist() == [110.0, 90.0]


def test_a_file_that_does_not_cover_the_day_says_what_it_covers(written):
    grid = TimeGrid.local_day(date(2020, 5, 20))

    with pytest.raises(FileError, match=r"covers .* it must cover 2020-05-19T23:00"):
        read_forecast(written(HEADER + ROWS), grid=grid)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HEADER.replace("demand_wh", "demand_kwh") + ROWS, "row 1: no column demand_wh among"),
        ("", "row 1: no column start among none"),
        (HEADER, "has 0 rows of data; give at least two"),
        (HEADER + ROWS.replace("110", "nan"), "row 3: demand_wh is nan; give one number"),
        (HEADER + ROWS.replace("110", ""), "row 3: demand_wh is ''; give one number"),
        (HEADER + ROWS.replace("110", "-110"), "row 3: demand_wh is -110; energy is a magnitude"),
        (HEADER + ROWS.replace(",30\n", "\n"), "row 4: export_price_per_mwh is None"),
        (HEADER + ROWS.replace("+01:00", ""), "row 2: start .* has no zone; write it like 2020"),
        (HEADER + ROWS.replace("2020-05-20T00:30", "noon"), "row 3: start .* is not a time"),
        (HEADER + ROWS.replace("T01:00:00", "T01:30:00"), "row 4: start is .*00:30.*, expected"),
        (HEADER + ROWS.replace("T01:00:00", "T00:30:00"), "row 4: .* without gap or repetition"),
        (HEADER + ROWS.replace("T00:30:00", "T00:00:00"), "row 2: .* without gap or repetition"),
        (
            HEADER + ROWS.replace(":00:00+", ":10:00+").replace(":30:", ":40:"),
            "row 2: .*1800 s step",
        ),
    ],
)
def test_bad_input_is_one_line_that_names_file_row_and_remedy(written, text, message):
    with pytest.raises(FileError, match=message) as caught:
        read_forecast(written(text))

    assert "day.csv" in str(caught.value)
    assert "\n" not in str(caught.value)
