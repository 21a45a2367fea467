"""Why a peak is what it is, from years made by hand."""

from dataclasses import replace

import numpy as np
import pytest

from scenarios.marchi.study import Found, Study, Year
from scenarios.marchi.why import why_peak

HOURS = 48
PEAK_HOUR = 43


@pytest.fixture
def found():
    load_w = np.full(HOURS, 20_000.0)
    load_w[PEAK_HOUR] = 60_000.0
    study = Study(load_w=load_w, pv_w=np.zeros(HOURS))
    return Found(
        study=study,
        matrix={},
        wishes={},
        best={},
        peaks={},
        best_peaks={},
        cars={},
        with_cars={},
        bills={},
        best_year=None,
    )


def lived(found, *, given_w=0.0, soc=0.2, charged_w=0.0):
    zero = np.zeros(HOURS)
    delivered_w, charged = zero.copy(), zero.copy()
    delivered_w[PEAK_HOUR], charged[PEAK_HOUR] = given_w, charged_w
    return Year(
        import_w=found.study.load_w - delivered_w,
        export_w=zero,
        charged_w=charged,
        delivered_w=delivered_w,
        soc=np.full(HOURS, soc),
        peaks_kw=(60.0,) * 12,
        round_trip=0.9,
        cycles=1.0,
        left=(1.0,),
    )


def test_an_empty_battery_is_told_with_the_hour_since_when(found):
    year = lived(found)
    soc = year.soc.copy()
    soc[:40] = 0.6

    told = why_peak(found, 4, replace(year, soc=soc))

    assert told == (
        "Highest on Tuesday 2 January, 19 h: 60.0 kW, the battery empty since Tuesday 2 January, "
        "16 h."
    )


def test_a_full_battery_that_was_not_asked_is_told_so(found):
    told = why_peak(found, 2, lived(found, soc=0.9))

    assert told.endswith("with 90 % in the battery: nothing was asked of it, going by yesterday.")


def test_a_battery_that_charges_at_the_peak_is_told_so(found):
    told = why_peak(found, 5, lived(found, soc=0.5, charged_w=2_000.0))

    assert told.endswith("while the battery took 2.0 kW of PV.")


def test_of_hours_of_equal_import_the_one_with_the_highest_load_is_told(found):
    year = lived(found, given_w=10_000.0)
    import_w = year.import_w.copy()
    import_w[9] = import_w[PEAK_HOUR]  # charged up to the target in the morning

    told = why_peak(found, 1, replace(year, import_w=import_w))

    assert told.startswith("Highest on Tuesday 2 January, 19 h: 50.0 kW, of 60.0 kW without")


@pytest.mark.parametrize(
    ("number", "given_w", "ends"),
    [
        (1, 13_700.0, "60.0 kW without battery: all that the battery's power allows."),
        (1, 5_000.0, "One full window covers all above the target that it sets at midnight."),
        (3, 5_000.0, "The month's target is 50.0 kW: the battery could not hold it."),
        (5, 1_000.0, "It gives 8 % of its window in an hour at most."),
    ],
)
def test_a_battery_that_gave_something_is_told_with_what_it_was_after(found, number, given_w, ends):
    assert why_peak(found, number, lived(found, given_w=given_w)).endswith(ends)
