"""The study's figures: what must be true of them whatever the data, and what the paper prints."""

import csv
import json

import numpy as np
import pytest

from scenarios.dispatch.campus_year import YEAR_BEGIN
from scenarios.dispatch.optimum import Prices
from scenarios.dispatch.tariff_marchi import COMBINATIONS, annual_cost
from scenarios.marchi import cases, paper
from scenarios.marchi.study import MIDDLE, PAIRS, make_study, prices_of


def runs(told, generation="2020"):
    return {
        (row["configuration"], row["policy"]): row
        for row in told.results["policies"]
        if row["generation"] == generation
    }


def test_what_is_printed_is_what_is_written(told):
    assert json.loads(told.printed) == told.results
    rows = list(csv.DictReader((told.out / "policies.csv").read_text().splitlines()))
    assert [float(row["peak_kw"]) for row in rows] == [
        row["peak_kw"] for row in told.results["policies"]
    ]
    assert len(rows) == 2 * 4 * 5


@pytest.mark.parametrize("generation", ["2020", "2025"])
def test_no_policy_goes_below_the_lowest_possible_peak_or_above_the_bound_on_energy(
    told, generation
):
    best = told.results["best"][str(cases.SHOWN_WINDOW)]

    for number in paper.POLICIES:
        row = runs(told, generation)[cases.SHOWN_WINDOW, number]
        assert row["peak_kw"] >= best["peak_kw"] - 1e-3  # as it is rounded
        assert row["battery_to_load_mwh"] <= best["delivered_mwh"] + 1e-4


def test_no_policy_and_no_daily_plan_costs_less_than_the_optimum(told):
    (bill,) = told.results["bills"]

    costs = [*bill["by_policy"]["2020"].values(), *bill["by_policy"]["2025"].values()]
    others = [bill[name] for name in ("tuned", "rolling", "carried", "best_carried")]
    assert min(*costs, *others) >= bill["best"]
    assert bill["best"] < bill["pv"] < bill["grid"]
    assert bill["share_of_optimum"]["rolling"] == pytest.approx(
        (bill["pv"] - bill["rolling"]) / (bill["pv"] - bill["best"])
    )


def test_the_load_is_the_paper_s_in_what_the_paper_prints(told):
    building, net = (
        next(
            row
            for row in told.results["table_4"]
            if (row["generation"], row["scenario"]) == ("2020", number)
        )
        for number in (1, 2)
    )

    assert building["highest_kw"] == pytest.approx(paper.TABLE_4_KW[1].highest)
    assert building["mean_kw"] == pytest.approx(paper.TABLE_4_KW[1].mean)
    assert net["mean_kw"] < building["mean_kw"]


def test_the_papers_order_of_policies_comes_out(told):
    rows = [runs(told)[cases.SHOWN_WINDOW, number] for number in paper.POLICIES]
    peaks, energies = ([row[name] for row in rows] for name in ("peak_kw", "battery_to_load_mwh"))

    assert min(peaks) == peaks[0]  # look-ahead
    assert max(energies) == energies[3]  # input dispatch
    assert min(energies) == energies[1]  # look-behind


def test_a_wider_window_lets_more_through(told):
    for number in paper.POLICIES:
        by_window = [runs(told)[window, number]["battery_to_load_mwh"] for window in (3, 2, 4, 1)]
        assert by_window == sorted(by_window)


def test_the_cost_is_the_bill_of_the_paper_s_tariff():
    rng = np.random.default_rng(2)
    import_w, none_w = 50_000 * rng.random(8760), np.zeros(8760)
    month = make_study(None, seed=0).month

    for pair, prices in zip(PAIRS, COMBINATIONS, strict=True):
        ours = prices_of(pair).cost(import_w, none_w, step_s=3600, period=month)
        billed = annual_cost(import_w, 3600, YEAR_BEGIN, prices, reading="monthly")
        assert ours == pytest.approx(billed)
    assert prices_of(MIDDLE) == Prices(import_price_per_mwh=150.0, peak_price_per_kw=50 / 12)


def test_the_data_decide_the_load_and_the_reading_the_cars():
    curve, soc = (make_study(None, seed=0, reading=reading) for reading in ("curve", "soc"))

    four = curve.with_cars_w(cases.SHOWN_CARS) - curve.load_w
    assert four.sum() == pytest.approx(365 * 4 * 18_229, rel=1e-4)
    assert soc.with_cars_w(1).sum() - soc.load_w.sum() == pytest.approx(365 * 6_600)
