"""A site's tariff: what is refused, what is billed, and the paper's nine combinations."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from scenarios.dispatch.campus_year import YEAR_BEGIN, month_of_step
from scenarios.dispatch.tariff import (
    SiteCharges,
    SiteTariff,
    SiteWindow,
    TariffPeriod,
    TariffTier,
    period_table,
)
from scenarios.dispatch.tariff_bill import BillItem, cost
from scenarios.dispatch.tariff_file import read_tariff
from scenarios.dispatch.tariff_marchi import COMBINATIONS, MarchiPrices, annual_cost
from scenarios.errors import DataFormatError, DataUnavailableError, ScenarioInputError

HOUR_S = 3600
WORKING = "mon tue wed thu fri"
FLAT = TariffPeriod(name="all", import_price_per_mwh=200.0)
DAY = TariffPeriod(name="day", import_price_per_mwh=300.0, export_price_per_mwh=60.0)
NIGHT = TariffPeriod(name="night", import_price_per_mwh=100.0, demand_price_per_kw_month=1.0)
TWO = SiteTariff(
    periods=(DAY, NIGHT),
    windows=(
        SiteWindow(period="day", begin="08:00", end="20:00", days=WORKING),
        SiteWindow(period="night", begin="20:00", end="08:00", days=WORKING),
        SiteWindow(period="night", begin="08:00", end="08:00", days="sat sun"),
    ),
)

TOML = """
[tariff]
demand_price_per_kw_month = 5
fixed_price_per_month = 10.0
demand_step_s = 900
currency = "EUR"

[[period]]
name = "day"
import_price_per_mwh = 300

[[period]]
name = "night"
import_price_per_mwh = 100
export_price_per_mwh = 40

[[window]]
period = "day"
begin = "08:00"
end = "20:00"

[[window]]
period = "night"
begin = "20:00"
end = "08:00"

[[tier]]
period = "day"
above_kwh_per_month = 1000
import_price_per_mwh = 350
"""


def flat(*tiers, **charges):
    return SiteTariff(
        periods=(FLAT,),
        tiers=tuple(
            TariffTier(period="all", above_kwh_per_month=above, import_price_per_mwh=price)
            for above, price in tiers
        ),
        charges=SiteCharges(**charges),
    )


def lines(bill):
    return [(item.name, item.quantity, item.unit, item.amount) for item in bill.months[0].items]


def billed(import_w, tariff, *, export_w=None, step_s=HOUR_S, start=YEAR_BEGIN):
    import_w = np.asarray(import_w, dtype=float)
    export_w = np.zeros_like(import_w) if export_w is None else np.asarray(export_w, dtype=float)
    return cost(import_w, export_w, step_s=step_s, start=start, tariff=tariff)


def test_a_flat_tariff_bills_energy_alone():
    assert billed([1000.0] * 10, flat()).months[0].items == (
        BillItem(name="energy all", quantity=10.0, unit="kWh", amount=2.0),
    )


def test_energy_is_billed_by_the_windows_of_day_and_week():
    # Monday 7 h to 9 h, then Saturday noon
    monday = billed([1000.0, 2000.0], TWO, start=datetime(2018, 1, 1, 7, tzinfo=UTC))
    saturday = billed([1000.0], TWO, start=datetime(2018, 1, 6, 12, tzinfo=UTC))

    assert lines(monday) == [
        ("energy day", 2.0, "kWh", 0.6),
        ("energy night", 1.0, "kWh", 0.1),
        ("demand night", 1.0, "kW", 1.0),
    ]
    assert [name for name, *_ in lines(saturday)] == ["energy night", "demand night"]


def test_a_window_over_midnight_belongs_to_the_day_on_which_it_begins():
    table = period_table(TWO)

    # Saturday 0 to 8 h is still Friday's night, Monday 0 to 8 h Sunday's.
    assert table[0, 5, 0] == 1
    assert table[0, 0, 7 * 60 + 59] == 1
    assert table[0, 0, 8 * 60] == 0


def test_periods_may_hang_on_the_month():
    tariff = SiteTariff(
        periods=(DAY, NIGHT),
        windows=(
            SiteWindow(period="day", months="1 2 3 10 11 12"),
            SiteWindow(period="night", months="4 5 6 7 8 9"),
        ),
    )

    bill = billed(np.full(8760, 1000.0), tariff)

    assert [month.items[0].name for month in bill.months] == (
        ["energy day"] * 3 + ["energy night"] * 6 + ["energy day"] * 3
    )
    assert [(month.year, month.month) for month in bill.months] == [
        (2018, month) for month in range(1, 13)
    ]


def test_tiers_price_what_lies_beyond_them_and_begin_anew_each_month():
    tariff = flat((100.0, 300.0), (150.0, 400.0))
    import_w = np.zeros(31 * 24 + 24)
    import_w[:20], import_w[31 * 24 :] = 10_000.0, 5_000.0

    january, february = billed(import_w, tariff).months

    assert [(item.name, item.quantity, item.amount) for item in january.items] == [
        ("energy all tier 1", 100.0, 20.0),
        ("energy all tier 2", 50.0, 15.0),
        ("energy all tier 3", 50.0, 20.0),
    ]
    assert [item.quantity for item in february.items] == [100.0, 20.0]


def test_export_is_credited_by_its_period():
    bill = billed([0.0, 0.0], TWO, export_w=[5000.0] * 2, start=datetime(2018, 1, 1, 7, tzinfo=UTC))

    assert ("export day", 5.0, "kWh", -0.3) in lines(bill)
    assert bill.amount("export") == -0.3
    assert bill.total == pytest.approx(-0.3)


def test_demand_is_the_highest_mean_of_the_demand_step():
    four = [0.0, 8000.0, 4000.0, 4000.0, 1000.0, 1000.0]
    per_step = billed(four, flat(demand_price_per_kw_month=10.0), step_s=900)
    per_half_hour = billed(
        four, flat(demand_price_per_kw_month=10.0, demand_step_s=1800), step_s=900
    )

    assert per_step.amount("demand") == 80.0
    assert per_half_hour.amount("demand") == 40.0


def test_fixed_charges_come_each_month():
    assert billed(np.zeros(8760), flat(fixed_price_per_month=12.0)).total == 12 * 12.0


def test_the_clock_is_that_of_the_starts_zone():
    rome = datetime(2018, 7, 2, 7, 30, tzinfo=ZoneInfo("Europe/Rome"))

    assert [name for name, *_ in lines(billed([1000.0] * 4, TWO, step_s=900, start=rome))] == [
        "energy day",
        "energy night",
        "demand night",
    ]
    in_utc = billed([1000.0] * 4, TWO, step_s=900, start=rome.astimezone(UTC))
    assert [name for name, *_ in lines(in_utc)] == ["energy night", "demand night"]


@settings(max_examples=25)
@given(arrays(np.float64, 500, elements=st.floats(0, 1e5)))
def test_the_lines_of_energy_come_to_the_energy_whatever_the_windows_and_tiers(import_w):
    tiered = SiteTariff(
        periods=TWO.periods,
        windows=TWO.windows,
        tiers=(TariffTier(period="day", above_kwh_per_month=50, import_price_per_mwh=400),),
    )
    bill = billed(import_w, tiered, start=datetime(2018, 1, 20, tzinfo=UTC))

    kwh = sum(
        item.quantity
        for month in bill.months
        for item in month.items
        if item.name.startswith("energy")
    )
    assert kwh == pytest.approx(import_w.sum() / 1000)


def test_the_paper_has_nine_combinations():
    pairs = {(each.energy_price_per_mwh, each.peak_price_per_kw_year) for each in COMBINATIONS}

    assert pairs == {(e, p) for e in (100.0, 150.0, 200.0) for p in (20.0, 50.0, 100.0)}


def test_the_papers_cost_is_paid_as_printed_or_monthly():
    import_w = np.full(8760, 10_000.0)
    import_w[5] = 64_000.0
    prices = MarchiPrices(energy_price_per_mwh=100.0, peak_price_per_kw_year=60.0)
    energy = import_w.sum() / 1e6 * 100

    printed, monthly = (
        annual_cost(import_w, HOUR_S, YEAR_BEGIN, prices, reading=reading)
        for reading in ("printed", "monthly")
    )

    assert printed == pytest.approx(energy + 64 * 60 / 12)
    assert monthly == pytest.approx(energy + (64 + 11 * 10) * 60 / 12)


def test_months_of_a_bill_are_those_of_the_year():
    month = month_of_step(HOUR_S)
    bill = billed(1000.0 * (month + 1), flat(demand_price_per_kw_month=1.0))

    assert [each.items[1].quantity for each in bill.months] == list(range(1, 13))


@pytest.mark.parametrize(
    ("windows", "says"),
    [
        (
            (SiteWindow(period="day", begin="08:00", end="20:00"),),
            "tariff: no window holds on mon at 00:00 in month 1; add one",
        ),
        (
            (SiteWindow(period="day"), SiteWindow(period="night", begin="22:00", end="23:30")),
            "windows of day and night both hold on mon at 22:00 in month 1; shorten one",
        ),
        (
            (SiteWindow(period="day", months="1 2 3 4 5 6 7 8 9 10 11"),),
            "no window holds on mon at 00:00 in month 12",
        ),
        ((SiteWindow(period="noon"),), "no period is called 'noon'; give one of"),
        ((), "windows of day and night both hold"),
    ],
)
def test_windows_that_leave_a_gap_or_overlap_are_refused_in_one_line(windows, says):
    with pytest.raises(ScenarioInputError, match="tariff: ") as told:
        SiteTariff(periods=(DAY, NIGHT), windows=windows)
    assert says in str(told.value)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (lambda: flat((100.0, 1.0), (100.0, 2.0)), "tiers of all begin above [100.0, 100.0] kWh"),
        (lambda: flat((0.0, 1.0)), "let them rise from above 0"),
        (lambda: SiteTariff(periods=()), "its periods are []; give at least one"),
        (lambda: SiteTariff(periods=(FLAT, FLAT)), "each name once"),
        (lambda: SiteCharges(demand_price_per_kw_month=-1.0), "give 0 or more"),
        (lambda: SiteCharges(demand_step_s=-1), "demand_step_s is -1; give seconds, or 0"),
        (lambda: TariffPeriod(name="x", import_price_per_mwh=float("nan")), "give a price"),
        (lambda: SiteWindow(period="x", months="13"), "months is '13'; give some of 1 2 3"),
        (lambda: SiteWindow(period="x", begin="8"), "window of x: begin is '8'"),
        (lambda: SiteWindow(period="x", days="fun"), "window of x: days is 'fun'"),
    ],
)
def test_a_tariff_that_cannot_be_is_refused(made, says):
    with pytest.raises(ScenarioInputError) as told:
        made()
    assert says in str(told.value)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"import_w": [1.0, -1.0]}, "grid_import_w at step 2 is -1; give watts, 0 or more"),
        ({"import_w": []}, "give two alike"),
        ({"export_w": [1.0]}, "give two alike"),
        ({"start": datetime(2018, 1, 1)}, "give an aware time"),  # noqa: DTZ001 -- the fault
        ({"tariff": flat(demand_step_s=5000)}, "give a multiple of the step, 3600 s"),
    ],
)
def test_a_series_that_cannot_be_billed_is_refused(changed, says):
    given = {"import_w": [1.0, 2.0], "tariff": flat()} | changed

    with pytest.raises(ScenarioInputError) as told:
        billed(given.pop("import_w"), given.pop("tariff"), **given)
    assert says in str(told.value)


def test_a_tariff_is_read_from_toml(tmp_path):
    (tmp_path / "tariff.toml").write_text(TOML)

    assert read_tariff(tmp_path / "tariff.toml") == SiteTariff(
        periods=(
            TariffPeriod(name="day", import_price_per_mwh=300.0),
            TariffPeriod(name="night", import_price_per_mwh=100.0, export_price_per_mwh=40.0),
        ),
        windows=(
            SiteWindow(period="day", begin="08:00", end="20:00"),
            SiteWindow(period="night", begin="20:00", end="08:00"),
        ),
        tiers=(TariffTier(period="day", above_kwh_per_month=1000.0, import_price_per_mwh=350.0),),
        charges=SiteCharges(
            demand_price_per_kw_month=5.0, fixed_price_per_month=10.0, demand_step_s=900
        ),
    )


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('end = "20:00"', 'end = "19:00"', "no window holds on mon at 19:00 in month 1"),
        ("above_kwh_per_month = 1000", "above_kwh_per_month = 0", "let them rise from above 0"),
        ("currency", "money", "[tariff]: money is no setting here"),
        ("import_price_per_mwh = 350", "", "[[tier]] 1: import_price_per_mwh is missing"),
        ("import_price_per_mwh = 100", 'import_price_per_mwh = "x"', "[[period]] 2: import_price"),
        ('begin = "20:00"', 'begin = "20"', "[[window]] 2: window of night: begin is '20'"),
        ("[tariff]", "[tarif]", "tarif is no table of a tariff"),
        ("[[tier]]", "[tier]", "write [[tier]] above each"),
        ("[tariff]", "[tariff", "is no TOML"),
    ],
)
def test_a_broken_file_is_told_in_one_line_with_its_path(tmp_path, old, new, says):
    path = tmp_path / "tariff.toml"
    path.write_text(TOML.replace(old, new, 1))

    with pytest.raises(DataFormatError) as told:
        read_tariff(path)
    text = str(told.value)
    assert says in text
    assert text.count(str(path)) == 1
    assert "\n" not in text


def test_a_tariff_that_is_no_table_is_told(tmp_path):
    (tmp_path / "tariff.toml").write_text("tariff = 1")

    with pytest.raises(DataFormatError, match=r"tariff is 1; write \[tariff\] above its settings"):
        read_tariff(tmp_path / "tariff.toml")


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(DataUnavailableError, match="name a readable file"):
        read_tariff(tmp_path / "none.toml")
