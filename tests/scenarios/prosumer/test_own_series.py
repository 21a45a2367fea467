"""A user's CSV files: everything that they may look like, and what is refused by name."""

import gzip

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scenarios.data.files.prices import ITALY_FILE, italy_day_ahead
from scenarios.errors import DataError, DataFormatError, DataGapError, DataUnavailableError
from scenarios.prosumer.own_series import Reading, read_powers, read_prices, read_weather
from scenarios.prosumer.own_series_units import ENERGY_UNITS, price, quantity

ROME = Reading(zone="Europe/Rome")


@pytest.fixture
def write(tmp_path):
    """Return a function that writes a file and returns its path."""

    def write(text, *, name="load.csv", encoding="utf-8"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
        return path

    return write


def rows(start, count, *, step="1h", zone="UTC", form="%Y-%m-%dT%H:%M:%S%z", value="{}", sign=","):
    """Return lines of a time and a value, 100, 101, ..."""
    times = pd.date_range(start, periods=count, freq=step, tz="UTC").tz_convert(zone)
    return "\n".join(
        f"{time.strftime(form)}{sign}{value.format(100 + n)}" for n, time in enumerate(times)
    )


def test_times_with_their_offset_are_read_as_they_are(write):
    path = write("time,load_w\n" + rows("2022-01-01 05:00", 3))

    read = read_powers(path, "load", Reading())

    assert read.first_hour == 455_832 + 5
    assert read.values.tolist() == [100.0, 101.0, 102.0]
    assert read.told == ("load: load_w of load.csv in w, a row every 60 min",)


@pytest.mark.parametrize(("unit", "value"), [("W", 400), ("kW", 0.4), ("Wh", 100), ("kWh", 0.1)])
@pytest.mark.parametrize("header", ["load_{}", "Load [{}]", "Load ({})", "load {}"])
def test_a_unit_in_the_header_counts_energies_by_the_row(write, unit, value, header):
    times = pd.date_range("2022-01-01", periods=8, freq="15min", tz="UTC")
    text = "\n".join(f"{time.isoformat()},{value}" for time in times)
    path = write(f"time,{header.format(unit)}\n{text}")

    assert read_powers(path, "load", Reading()).values.tolist() == [400.0, 400.0]


def test_a_unit_may_be_told(write):
    path = write("time,consumption\n" + rows("2022-01-01", 2, value="0.{}"))

    assert read_powers(path, "load", Reading(unit="kWh")).values == pytest.approx([100.0, 101.0])


@pytest.mark.parametrize("step_min", [1, 5, 10, 15, 20, 30, 60])
def test_every_step_makes_the_same_hours(write, step_min):
    times = pd.date_range("2022-01-01", periods=120 // step_min, freq=f"{step_min}min", tz="UTC")
    text = "\n".join(f"{t.isoformat()},{300 if t.hour else 200}" for t in times)
    path = write(f"time,load_w\n{text}")

    assert read_powers(path, "load", Reading()).values.tolist() == [200.0, 300.0]


def test_a_european_export_is_read(write):
    text = rows("2022-06-01", 24, zone="Europe/Rome", form="%d.%m.%Y %H:%M", value="0,{}", sign=";")
    path = write(f"\ufeffZeit;Last [kW]\r\n{text}".replace("\n", "\r\n"))

    read = read_powers(path, "load", ROME)

    assert read.first_hour == 455_832 + 24 * 151
    assert read.values == pytest.approx(np.arange(100.0, 124.0))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_any_usual_encoding_is_read(write, encoding):
    path = write("Zeit;Größe [W]\n" + rows("2022-01-01", 2, sign=";"), encoding=encoding)

    assert read_powers(path, "load", Reading()).values.tolist() == [100.0, 101.0]


def test_a_gzipped_file_with_a_preamble_is_read(write):
    text = "# made by my meter\nSerial 12345\n\ntime,load_w\n" + rows("2022-01-01", 2)
    path = write(gzip.compress(text.encode()), name="load.csv.gz")

    assert read_powers(path, "load", Reading()).values.tolist() == [100.0, 101.0]


@pytest.mark.parametrize("per_s", [1, 1000])
def test_seconds_since_1970_are_times(write, per_s):
    path = write(f"timestamp,load_w\n{1640995200 * per_s},5\n{1640998800 * per_s},6")

    read = read_powers(path, "load", Reading())

    assert read.first_hour == 455_832
    assert read.values.tolist() == [5.0, 6.0]


def test_days_of_23_and_25_hours_keep_their_hours(write):
    for start, name in (("2022-03-26 23:00", "spring"), ("2022-10-29 22:00", "autumn")):
        hours = 23 if name == "spring" else 25
        text = rows(start, hours, zone="Europe/Rome", form="%Y-%m-%d %H:%M")
        path = write(f"time,load_w\n{text}")

        read = read_powers(path, "load", ROME)

        assert read.values.tolist() == [100.0 + n for n in range(hours)]
        assert read.first_hour * 3600 == pd.Timestamp(start, tz="UTC").timestamp()


def test_ordinal_hours_of_days_of_23_and_25_hours_are_read(write):
    text = ["Data;Ora;PUN"]
    for day, hours in (("20220327", 23), ("20220328", 24), ("20221030", 25)):
        text += [f"{day};{hour};{hour},5" for hour in range(1, hours + 1)]
    path = write("\n".join(text[:48]), name="prices.csv")

    read = read_prices(path, Reading(zone="Europe/Rome", unit="EUR/MWh"))

    assert read.exported is None
    assert read.imported.first_hour * 3600 == pd.Timestamp("2022-03-26 23:00Z").timestamp()
    assert read.imported.values.tolist() == [h + 0.5 for h in [*range(1, 24), *range(1, 25)]]


def test_a_zone_half_an_hour_off_makes_whole_utc_hours(write):
    text = rows("2022-01-01 18:30", 3, zone="Asia/Kolkata", form="%Y-%m-%d %H:%M")
    path = write(f"time,load_w\n{text}")

    read = read_powers(path, "load", Reading(zone="Asia/Kolkata"))

    assert read.values.tolist() == [100.5, 101.5]
    assert read.first_hour == 455_832 + 19


def test_a_short_hole_is_filled_and_said(write):
    lines = rows("2022-01-01", 12, step="30min").split("\n")
    del lines[4:6]
    path = write("time,load_w\n" + "\n".join(lines))

    read = read_powers(path, "load", Reading())

    assert read.values.tolist() == [100.5, 102.5, 104.5, 106.5, 108.5, 110.5]
    assert read.told[1] == "load: 2 rows were missing and are straight lines here"


def test_an_inverter_that_takes_a_little_at_night_makes_nothing(write):
    path = write("time,pv_w\n2022-01-01T00:00Z,-4\n2022-01-01T01:00Z,500", name="pv.csv")

    assert read_powers(path, "pv", Reading()).values.tolist() == [0.0, 500.0]


def test_two_prices_are_told_apart(write):
    path = write(
        "time,buy_ct_per_kwh,feed_in_eur_per_mwh\n2022-01-01T00:00Z,30,80\n2022-01-01T01:00Z,31,-5"
    )

    read = read_prices(path, Reading())

    assert read.imported.values.tolist() == [300.0, 310.0]
    assert read.exported is not None
    assert read.exported.values.tolist() == [80.0, -5.0]


def test_weather_is_read_by_its_names(write):
    path = write("time,GHI,temperature\n2022-01-01T00:00Z,500,15\n2022-01-01T01:00Z,250,-3")

    ghi, temperature = read_weather(path, Reading())

    assert ghi.values.tolist() == [0.5, 0.25]
    assert temperature.values == pytest.approx([0.5, -0.1])


GOOD = "2022-01-01T00:00Z,100\n2022-01-01T01:00Z,101\n"
LOCAL = "time,load_w\n{}"
REFUSED = {
    "no unit": ("time,load\n" + GOOD, r"load 'load' of load.csv bears no unit; give --load-unit"),
    "which column": (
        "time,a_w,b_w\n2022-01-01T00:00Z,1,2\n2022-01-01T01:00Z,1,2",
        "which column is the load.*a_w, b_w",
    ),
    "no time column": ("a,load_w\nx,1\ny,2", "has no column of times but a, load_w; name it time"),
    "word": ("time,load_w\n" + GOOD + "2022-01-01T02:00Z,many", "line 4: load_w is 'many'; write"),
    "time": ("time,load_w\n" + GOOD + "noon,5", "line 4: time without the offset that others"),
    "no such day": ("time,load_w\n" + GOOD + "2022-02-30T00:00Z,5", "line 4: time '2022-02-30T00"),
    "24:00": (LOCAL.format("01.01.2022 23:00,1\n01.01.2022 24:00,2"), "line 3: time '01.01.2022 2"),
    "negative": ("time,load_w\n" + GOOD + "2022-01-01T02:00Z,-5", "line 4: load_w is -5, must be"),
    "twice": ("time,load_w\n" + GOOD + "2022-01-01T01:00Z,5", "line 4: the same time as the row"),
    "back": ("time,load_w\n" + GOOD + "2022-01-01T00:30Z,5", "line 4: a time that goes back"),
    "odd step": (
        "time,load_w\n" + GOOD + "2022-01-01T02:00Z,5\n2022-01-01T03:20Z,5",
        "line 5: 4800 s after the row before, others 3600 s",
    ),
    "step": ("time,load_w\n2022-01-01T00:00Z,1\n2022-01-01T02:00Z,1", "a row every 7200 s; export"),
    "one row": ("time,load_w\n2022-01-01T00:00Z,1", "has one row, too few to tell its step"),
    "decimal comma": (
        "time,load_w\n2022-01-01T00:00Z,1,5",
        "line 2: 3 cells, the header has 2; with decimal commas, separate columns by ;",
    ),
    "thousands": (
        "time;load_w\n2022-01-01T00:00Z;1.234,5\n2022-01-01T01:00Z;2",
        "line 2: load_w is '1.234,5'; write no",
    ),
    "kW for W": (
        "time,load_w\n2022-01-01T00:00Z,0.2\n2022-01-01T01:00Z,0.3",
        "the median of load_w",
    ),
    "no header": ("2022-01-01", "has no header of two columns or more"),
    "no rows": ("time,load_w\n\n", "has no header|has a header and no rows"),
    "infinite": (
        "time,load_w\n" + GOOD + "2022-01-01T02:00Z,inf",
        "line 4: load_w is 'inf'; write a",
    ),
    "no zone": (
        LOCAL.format("2022-01-01 00:00,1\n2022-01-01 01:00,2"),
        "give --tz|--tz, as Europe",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_broken_file_is_refused_in_one_line_with_its_remedy(write, case):
    text, message = REFUSED[case]
    reading = ROME if case == "24:00" else Reading()

    with pytest.raises(DataFormatError, match=message) as caught:
        read_powers(write(text), "load", reading)

    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(("load.csv", "load '"))


DST = {
    "an hour that clocks skip": (
        "2022-03-27 01:00,1\n2022-03-27 02:00,2\n2022-03-27 03:00,3",
        "line 3: 2022-03-27 02:00:00 does not exist in Europe/Rome",
    ),
    "one passage of two": (
        "2022-10-30 01:00,1\n2022-10-30 02:00,2\n2022-10-30 03:00,3",
        "line 3: 2022-10-30 02:00:00 comes twice in Europe/Rome, here once",
    ),
    "days or months": ("03/04/2022 01:00,1\n03/04/2022 02:00,2", "may be day or month first"),
}


@pytest.mark.parametrize("case", DST)
def test_local_times_that_mean_two_things_or_nothing_are_refused(write, case):
    text, message = DST[case]

    with pytest.raises(DataFormatError, match=message):
        read_powers(write(LOCAL.format(text)), "load", ROME)


def test_a_long_hole_is_refused_with_its_line_and_length(write):
    lines = rows("2022-01-01", 12).split("\n")
    del lines[4:7]

    with pytest.raises(DataGapError, match=r"line 6: 180 min from 2022-01-01T04:00:00Z on have no"):
        read_powers(write("time,load_w\n" + "\n".join(lines)), "load", Reading())


def test_prices_are_never_filled(write):
    text = "time,price_eur_per_kwh\n2022-01-01T00:00Z,1\n2022-01-01T01:00Z,\n2022-01-01T02:00Z,1"

    with pytest.raises(DataGapError, match="line 3: 60 min from 2022-01-01T01:00:00Z on have no"):
        read_prices(write(text), Reading())


def test_a_counter_is_refused(write):
    times = pd.date_range("2022-01-01", periods=60, freq="1h", tz="UTC")
    text = "\n".join(f"{t.isoformat()},{20000 + n}" for n, t in enumerate(times))

    with pytest.raises(DataFormatError, match="line 2: meter_kwh never falls: a counter"):
        read_powers(write(f"time,meter_kwh\n{text}"), "load", Reading())


@pytest.mark.parametrize(
    "content", [b"PK\x03\x04rest", b"\x00\x01\xfe\x80\x00", b"\x1f\x8b\x08bad"]
)
def test_what_is_no_text_is_refused(write, content):
    with pytest.raises(DataError, match=r"load.csv"):
        read_powers(write(content), "load", Reading())


def test_a_file_that_is_not_there_is_said(tmp_path):
    with pytest.raises(DataUnavailableError, match="does not exist; check the path"):
        read_powers(tmp_path / "none.csv", "load", Reading())


def test_an_unknown_zone_is_said(write):
    text = LOCAL.format("2022-01-01 00:00,1\n2022-01-01 01:00,2")

    with pytest.raises(DataFormatError, match="time zone 'Rome' is unknown"):
        read_powers(write(text), "load", Reading(zone="Rome"))


@pytest.mark.parametrize(
    ("text", "per_mwh"),
    [("0.08/kWh", 80.0), ("8 ct/kWh", 80.0), ("80 EUR/MWh", 80.0), ("-0,01/kWh", -10.0)],
)
def test_prices_are_written_with_their_unit(text, per_mwh):
    assert price(text, name="--feed-in") == pytest.approx(per_mwh)


@pytest.mark.parametrize("text", ["0.08", "cheap", "8 ct", "0.08/day"])
def test_a_price_without_a_unit_is_refused(text):
    with pytest.raises(DataFormatError):
        price(text, name="--feed-in")


@pytest.mark.parametrize(("text", "wh"), [("6kWh", 6000.0), ("6,5 kwh", 6500.0), ("500Wh", 500.0)])
def test_energies_are_written_with_their_unit(text, wh):
    assert quantity(text, ENERGY_UNITS, name="--battery") == wh


@pytest.mark.parametrize("text", ["6", "6kW", "-6kWh", "kWh"])
def test_an_energy_without_a_unit_is_refused(text):
    with pytest.raises(
        DataFormatError, match=r"--battery is '.*'; write a number >= 0 and its unit"
    ):
        quantity(text, ENERGY_UNITS, name="--battery")


@given(
    zone=st.sampled_from(
        ["Europe/Rome", "America/New_York", "Australia/Sydney", "Asia/Kolkata", "UTC"]
    ),
    # days before clocks change are tried more often than others
    day=st.integers(0, 364) | st.sampled_from([70, 84, 91, 273, 301, 308]),
    step_min=st.sampled_from([5, 15, 30, 60]),
    sign=st.sampled_from([",", ";", "\t"]),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_a_local_clock_writes_comes_back_on_every_day_of_a_year(
    write, zone, day, step_min, sign
):
    start = pd.Timestamp("2022-01-01T12:00Z") + pd.Timedelta(days=day)
    count = 36 * 60 // step_min
    text = rows(start, count, step=f"{step_min}min", zone=zone, form="%Y-%m-%d %H:%M", sign=sign)

    read = read_powers(write(f"time{sign}load_w\n{text}"), "load", Reading(zone=zone))

    per_hour = 60 // step_min
    means = (100.0 + np.arange(count)).reshape(-1, per_hour).mean(axis=1)
    assert read.first_hour * 3600 == start.timestamp()
    assert read.values == pytest.approx(means)


def test_the_italian_prices_are_read_as_the_projects_own_reader_does(real_folder):
    reading = Reading(zone="Europe/Rome", unit="EUR/MWh", column="PUN")
    known = italy_day_ahead(real_folder)

    read = read_prices(real_folder / ITALY_FILE, reading).imported

    assert read.first_hour * 3600 == known.index[0].timestamp()
    assert read.values == pytest.approx(known.to_numpy())
