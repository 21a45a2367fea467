"""Scenarios 0 to 5 lived through: energy closes, money is shared, bills are as solved."""

import json

import numpy as np
import pyarrow.parquet as pq
import pytest

from scenarios.couraud.cases import CASES
from scenarios.couraud.results import read_result
from scenarios.couraud.run import live
from scenarios.simulation.day_source import DaySource

pytestmark = pytest.mark.xdist_group("couraud")


def columns(folder, kind):
    """Return all days' columns of a run."""
    tables = [pq.read_table(path) for path in sorted((folder / kind).glob("*.parquet"))]
    return {
        name: np.concatenate([table[name].to_numpy() for table in tables])
        for name in tables[0].column_names
    }


def retail(study):
    """Return load and sun of all homes and minutes, and the retail price of all half-hours."""
    source = DaySource(homes=study.homes, seed=study.rules.seed)
    days = [source.day(study.first_day.replace(day=16 + n)) for n in range(study.days)]
    return (
        np.concatenate([day.load_w for day in days], axis=1),
        np.concatenate([day.pv_w for day in days], axis=1),
        np.concatenate([day.import_price_per_mwh for day in days]),
    )


@pytest.mark.parametrize("number", CASES)
def test_energy_closes_in_every_minute_and_over_all_days(lived, number):
    _, _, folders = lived
    figures = json.loads((folders[number] / "summary.json").read_text())
    rows = columns(folders[number], "homes")

    assert figures["energy_balance_error_wh"] <= 1e-6
    moved_wh = rows["charge_wh"] - rows["discharge_wh"]
    net_wh = rows["import_wh"] - rows["export_wh"]
    assert np.abs(rows["load_wh"] - rows["pv_wh"] + moved_wh - net_wh).max() <= 1e-6


@pytest.mark.parametrize("number", CASES)
def test_what_the_contract_had_to_share_is_what_it_paid(lived, number):
    _, _, folders = lived
    found = read_result(folders[number], number)

    shared = found.credits_micro + found.fee_micro + found.dust_micro
    assert shared == found.revenue_micro
    assert (found.revenue_micro > 0) == CASES[number].arrangement.market


@pytest.mark.parametrize("number", CASES)
def test_scenarios_that_sell_report_and_others_have_no_ledger(lived, number):
    study, _, folders = lived
    figures = json.loads((folders[number] / "summary.json").read_text())
    members = CASES[number].arrangement.members(study.homes) + 1

    # at the start, at every t_sc of two days, and at each day's end
    expected = 2 * 97 * members if CASES[number].arrangement.market else 0
    assert (figures["reports"], figures["refused_reports"]) == (expected, 0)


def test_demand_alone_pays_for_the_load_and_nothing_else(lived):
    study, _, folders = lived
    load_w, _, price = retail(study)
    load_wh = load_w.reshape(study.homes, -1, 30).sum(axis=2) / 60
    bills = pq.read_table(folders[0] / "bills.parquet")

    np.testing.assert_allclose(bills["bill"].to_numpy(), load_wh @ price / 1e6, rtol=1e-12)
    assert bills["wire_wh"].to_pylist() == [0.0] * study.homes


def test_panels_alone_pay_for_the_net_of_each_half_hour(lived):
    study, _, folders = lived
    load_w, pv_w, price = retail(study)
    net_wh = (load_w - pv_w).reshape(study.homes, -1, 30).sum(axis=2) / 60
    bills = pq.read_table(folders[5] / "bills.parquet")["bill"].to_numpy()

    np.testing.assert_allclose(bills, np.maximum(net_wh, 0.0) @ price / 1e6, rtol=1e-12)


def test_batteries_alone_import_only_when_they_cannot_give_more(lived):
    _, _, folders = lived
    one, five = (read_result(folders[number], number) for number in (1, 5))

    assert one.total > five.total > 0
    assert one.supply.own_rate > five.supply.own_rate > 0
    # such a battery never charges from the grid: both ways of counting are one
    assert one.supply.own_rate == pytest.approx(one.supply.no_import_rate, rel=1e-9)
    assert one.supply.own_time == one.supply.no_import_time


def test_homes_by_wire_pay_48_percent_of_what_the_portfolio_delivers(lived):
    study, _, folders = lived
    load_w, _, price = retail(study)
    load_wh = load_w.reshape(study.homes, -1, 30).sum(axis=2) / 60
    slots, site = columns(folders[3], "intervals"), columns(folders[3], "homes")
    # the site's own meter: what the portfolio's shows, less the homes' load
    site_wh = site["import_wh"] - site["export_wh"] - site["load_wh"]
    imported_wh = load_wh.sum(axis=0) + np.maximum(site_wh, 0.0)
    matched_wh = np.minimum(imported_wh, np.maximum(-site_wh, 0.0) + slots["plant_wh"])
    part = 1 - 0.52 * matched_wh / imported_wh
    bills = pq.read_table(folders[3] / "bills.parquet")["bill"].to_numpy()

    np.testing.assert_allclose(bills[:-1], (load_wh * part) @ price / 1e6, rtol=1e-9)
    own = (np.maximum(site_wh, 0.0) * part) @ price / 1e6
    np.testing.assert_allclose(bills[-1], own, rtol=1e-9, atol=1e-12)


def test_homes_outside_the_portfolio_pay_as_if_nothing_had_been_built(lived):
    study, _, folders = lived
    bills = pq.read_table(folders[2] / "bills.parquet")
    nothing = pq.read_table(folders[0] / "bills.parquet")["bill"].to_numpy()

    np.testing.assert_allclose(bills["bill"].to_numpy()[: study.homes], nothing, rtol=1e-12)
    assert bills["credit_micro"].to_pylist()[: study.homes] == [0] * study.homes


def test_lived_scenarios_are_not_lived_again(lived):
    study, out, folders = lived
    before = {path: path.read_bytes() for path in out.rglob("*.parquet")}
    ticks = []

    again = live(study, out, progress=lambda number, done: ticks.append((number, done)))

    assert again == folders
    assert ticks == [(number, 2) for number in CASES]
    assert {path: path.read_bytes() for path in out.rglob("*.parquet")} == before
