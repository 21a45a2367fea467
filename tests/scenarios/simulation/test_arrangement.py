"""Where assets stand: data as the members see them, and bills solved by hand."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from aggregator.bills import registers
from contracts.timegrid import TimeGrid
from hems.mpc import Mpc
from scenarios.bench.mpc_instances import random_homes
from scenarios.couraud.cases import CASES
from scenarios.data.fleet_data import FleetData
from scenarios.errors import ScenarioInputError
from scenarios.simulation.arrangement import (
    ALONE,
    FRAMEWORK,
    Arrangement,
    arranged,
    bills,
    volatile,
)
from scenarios.simulation.controllers import PerHome, controller_named
from scenarios.simulation.day_ahead import slot_energy_wh

START = datetime(2020, 5, 19, 23, tzinfo=UTC)
RETAIL = np.array([100.0, 200.0])
"""Of two half-hours. [currency/MWh]"""


@pytest.fixture
def data() -> FleetData:
    """Return an hour of two homes: 1 kW of load under 2 kW of sun, and 3 kW under none."""
    minutes = np.ones(60)
    return FleetData(
        minute_grid=TimeGrid(start=START, step_s=60, count=60),
        market_grid=TimeGrid(start=START, step_s=1800, count=2),
        load_w=np.array([[1000.0], [3000.0]]) * minutes,
        pv_w=np.array([[2000.0], [0.0]]) * minutes,
        plant_pv_w=400.0 * minutes,
        plant_wind_w=0.0 * minutes,
        day_ahead_price_per_mwh=np.array([30.0, 50.0]),
        import_price_per_mwh=RETAIL,
        imbalance_price_per_mwh=np.array([40.0, 40.0]),
        pv_rating_w=np.array([2000.0, 2500.0]),
        source="generated",
        provenance=("by hand",),
    )


def billed(arrangement: Arrangement, data: FleetData, battery_w: float = 0.0):
    """Return the bills of members whose batteries all take ``battery_w``."""
    seen = arranged(data, arrangement)
    grid_w = seen.load_w + battery_w - seen.pv_w
    return bills(
        arrangement,
        seen,
        registers(grid_w, step_s=60, period_s=1800),
        load_wh=slot_energy_wh(seen.load_w, seen.market_grid),
        wire_share=0.48,
    )


def test_demand_alone_pays_retail_for_all_of_it(data):
    found = billed(CASES[0].arrangement, data)

    # half a kWh at 0.10 and at 0.20; three times that
    np.testing.assert_allclose(found.bill, [0.15, 0.45], rtol=1e-12)
    np.testing.assert_allclose(found.baseline, [0.15, 0.45], rtol=1e-12)
    assert found.wire_wh.tolist() == [0.0, 0.0]


def test_panels_alone_save_what_they_cover_and_their_export_helps_nobody(data):
    found = billed(CASES[5].arrangement, data)

    np.testing.assert_allclose(found.bill, [0.0, 0.45], atol=1e-12)
    np.testing.assert_allclose(found.reduction, [0.15, 0.0], atol=1e-12)
    assert found.wire_wh.tolist() == [0.0, 0.0]


def test_in_the_framework_a_neighbours_export_costs_48_percent(data):
    found = billed(FRAMEWORK, data)

    # of its 1.5 kWh a half-hour, 0.5 are the neighbour's and 0.2 the plant's
    matched, bought = 0.7, 0.8
    second = sum((0.48 * matched + bought) * price for price in (0.1, 0.2))
    np.testing.assert_allclose(found.bill, [0.0, second], atol=1e-12)
    np.testing.assert_allclose(found.wire_wh, [0.0, 1400.0], rtol=1e-12)


def test_homes_by_wire_share_a_central_sites_export_in_proportion(data):
    found = billed(CASES[3].arrangement, data)

    # 2 kWh of load a half-hour; the site exports 1 and the plant 0.2: 60 % is matched
    part = 0.48 * 0.6 + 0.4
    np.testing.assert_allclose(found.bill, [0.15 * part, 0.45 * part, 0.0], rtol=1e-12)
    np.testing.assert_allclose(found.baseline, [0.15, 0.45, 0.0], rtol=1e-12)
    np.testing.assert_allclose(found.wire_wh, [600.0, 1800.0, 0.0], rtol=1e-12)


def test_a_central_site_pays_for_what_it_draws_and_the_homes_buy_elsewhere(data):
    # 2.6 kW into the battery, 2 kW of them from the panels, 0.4 of the rest from the plant
    found = billed(CASES[2].arrangement, data, battery_w=2600.0)

    site = sum((0.48 * 0.2 + 0.1) * price for price in (0.1, 0.2))
    np.testing.assert_allclose(found.bill, [0.15, 0.45, site], rtol=1e-12)
    np.testing.assert_allclose(found.wire_wh, [0.0, 0.0, 400.0], rtol=1e-12)


def test_a_central_site_is_all_panels_and_sees_its_portfolios_load(data):
    outside, inside = (arranged(data, CASES[number].arrangement) for number in (2, 3))

    assert outside.homes == inside.homes == 1
    assert inside.pv_w.tolist() == [[2000.0] * 60]
    assert (inside.load_w[0, 0], outside.load_w[0, 0]) == (4000.0, 0.0)
    assert inside.households_wh.tolist() == [[500.0, 500.0], [1500.0, 1500.0]]
    assert inside.pv_rating_w.tolist() == [4500.0]


def test_what_an_arrangement_lacks_is_zero_and_the_rest_untouched(data):
    bare, alone = arranged(data, CASES[0].arrangement), arranged(data, ALONE)

    assert not bare.pv_w.any()
    assert not bare.plant_pv_w.any()
    assert alone.pv_w is data.pv_w
    assert arranged(data, FRAMEWORK) is data


def test_volatility_scales_deviations_and_keeps_the_mean(data):
    assert volatile(data, 2.0).day_ahead_price_per_mwh.tolist() == [20.0, 60.0]
    assert volatile(data, 0.0).day_ahead_price_per_mwh.tolist() == [40.0, 40.0]
    assert volatile(data, 1.0) is data


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"panels": "roof"}, "panels at 'roof': choose one of homes, central, none"),
        ({"panels": "central"}, "central is for both or none"),
        ({"batteries": "none"}, "a market without batteries"),
        ({"market": False}, "a portfolio without a market"),
        ({"households_in_portfolio": False}, "homes outside the portfolio"),
    ],
)
def test_arrangements_that_cannot_be_are_refused(wrong, message):
    with pytest.raises(ScenarioInputError, match=message):
        replace(FRAMEWORK, **wrong)


def test_a_site_of_many_homes_decides_as_each_of_them():
    seen = random_homes(40, 3)
    site = replace(
        seen,
        bank=replace(
            seen.bank,
            capacity_wh=8 * seen.bank.capacity_wh,
            power_max_w=8 * seen.bank.power_max_w,
        ),
        **{
            name: 8 * getattr(seen, name)
            for name in (
                "stored_wh",
                "load_w",
                "pv_w",
                "import_limit_w",
                "export_limit_w",
                "remaining_export_wh",
            )
        },
    )
    home = Mpc().decide(seen)

    together = PerHome(Mpc(), 8).decide(site)

    np.testing.assert_array_equal(together.battery_power_w, 8 * home.battery_power_w)
    np.testing.assert_array_equal(together.follow, home.follow)
    np.testing.assert_array_equal(together.cap_excess_wh, 8 * home.cap_excess_wh)


def test_controllers_go_by_name():
    seen = random_homes(3, 1)

    assert controller_named("self-consumption").decide(seen).follow.all()
    assert controller_named("mpc").decide(seen).proved.all()
    assert not controller_named("realtime-rules").decide(seen).proved.any()
