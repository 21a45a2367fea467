"""Files of Ausgrid's 300 solar homes."""

from datetime import date, timedelta

import pytest

from scenarios.errors import DataFormatError, DataGapError
from scenarios.prosumer.own_series import Reading
from scenarios.prosumer.own_series_ausgrid import read_any, read_ausgrid

TIMES = [f"{n // 2}:{30 * (n % 2):02d}" for n in range(1, 48)] + ["0:00"]
HEADER = "Customer,Generator Capacity,Postcode,Consumption Category,date," + ",".join(TIMES)
PREAMBLE = "Solar home half-hour data" + "," * 52


def line(customer, category, day, kwh, *, form="{0.day}/{0.month:02d}/{0.year}"):
    """Return a row; ``kwh`` is one value or 48."""
    cells = [kwh] * 48 if isinstance(kwh, float) else kwh
    return f"{customer},3.78,2076,{category},{form.format(day)}," + ",".join(map(str, cells))


@pytest.fixture
def write(tmp_path):
    """Return a function that writes rows under the header, a preamble before it or not."""

    def write(lines, *, preamble=""):
        path = tmp_path / "solar.csv"
        path.write_text("\n".join([*([preamble] if preamble else []), HEADER, *lines]))
        return path

    return write


@pytest.mark.parametrize("preamble", ["", PREAMBLE])
def test_a_customers_load_is_general_and_controlled_and_its_pv_is_gross(write, preamble):
    day = date(2011, 7, 1)
    path = write(
        [
            line(1, "GC", day, 0.2),
            line(1, "CL", day, [0.5] * 4 + [0.0] * 44),
            line(1, "GG", day, 0.1),
            line(2, "GC", day, 9.9),
        ],
        preamble=preamble,
    )

    load = read_ausgrid(path, "load", 1)
    pv = read_ausgrid(path, "pv", 1)

    assert load.first_hour * 3600 == 1309442400  # midnight of Sydney is 14:00 UTC
    assert load.values == pytest.approx([1400.0] * 2 + [400.0] * 22)
    assert pv.values == pytest.approx([200.0] * 24)
    assert "GC+CL of customer 1 of solar.csv" in load.told[0]


@pytest.mark.parametrize("form", ["{0:%d-%b-%y}", "{0:%d/%m/%Y}", "{0.day}/{0.month:02d}/{0.year}"])
def test_dates_are_read_as_the_three_years_write_them(write, form):
    days = [date(2011, 7, 1) + timedelta(days=n) for n in range(2)]
    path = write([line(1, "GC", day, 0.2, form=form) for day in days])

    assert read_ausgrid(path, "load", 1).values.size == 48


def test_the_hour_that_clocks_skip_is_dropped_and_the_one_that_repeats_shared(write):
    spring, autumn = date(2011, 10, 2), date(2012, 4, 1)
    values = [0.2] * 4 + [0.6, 0.6] + [0.2] * 42
    one = read_ausgrid(write([line(1, "GC", spring, values)]), "load", 1)
    two = read_ausgrid(write([line(1, "GC", autumn, values)]), "load", 1)

    assert one.values == pytest.approx([400.0] * 23)
    assert two.values == pytest.approx([400.0] * 2 + [600.0] * 2 + [400.0] * 21)


def test_another_file_is_read_as_one_home(tmp_path):
    path = tmp_path / "load.csv"
    path.write_text("time,load_w\n2022-01-01T00:00Z,100\n2022-01-01T01:00Z,101")

    assert read_any(path, "load", Reading(), customer=None).values.tolist() == [100.0, 101.0]


DAY = date(2011, 7, 1)
REFUSED = {
    "customer": ([line(7, "GC", DAY, 0.2)], DataFormatError, "has no customer 1; give --customer"),
    "no panels": ([line(1, "GG", DAY, 0.2)], DataFormatError, "no load of customer 1, only GG"),
    "negative": (
        [line(1, "GC", DAY, -0.2)],
        DataFormatError,
        "line 2: 0:30 is -0.2, must be >= 0",
    ),
    "date": (
        [line(1, "GC", DAY, 0.2, form="2011")],
        DataFormatError,
        "line 2: date '2011' cannot be read",
    ),
    "missing day": (
        [line(1, "GC", DAY, 0.2), line(1, "GC", DAY + timedelta(days=2), 0.2)],
        DataGapError,
        "no load of customer 1 on 2011-07-02; name another with --customer",
    ),
    "empty cell": (
        [line(1, "GC", DAY, [""] + [0.2] * 47)],
        DataGapError,
        "customer 1 at 2011-06-30",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_a_customer_lacks_is_refused_in_one_line(write, case):
    lines, kind, message = REFUSED[case]

    with pytest.raises(kind, match=message):
        read_ausgrid(write(lines), "load", 1)


def test_a_customer_must_be_named(write):
    path = write([line(1, "GC", DAY, 0.2)])

    with pytest.raises(DataFormatError, match="many homes of Ausgrid; name one with --customer"):
        read_any(path, "load", Reading(), customer=None)
