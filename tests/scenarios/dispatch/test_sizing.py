"""Batteries of other sizes: what must be true of the sweep, and its pictures."""

import struct

import numpy as np
import pytest

from hems.dispatch.policies import GridTarget, PeakShaving
from scenarios.dispatch.optimum import Prices
from scenarios.dispatch.plant import DispatchBattery
from scenarios.dispatch.sizing import OPTIMUM, Site, sweep
from scenarios.dispatch.sizing_picture import heat_chart, heats, sizing_picture
from scenarios.errors import ScenarioInputError

DAYS = 20
CAPACITIES_WH, POWERS_W = (20_000.0, 5_000.0, 10_000.0), (2_000.0, 10_000.0)


@pytest.fixture(scope="module")
def site():
    hour = np.arange(24 * DAYS) % 24
    rng = np.random.default_rng(4)
    return Site(
        load_w=8_000 + 6_000 * (hour >= 18) * rng.random(24 * DAYS) + 3_000.0,
        pv_w=20_000 * np.maximum(np.sin((hour - 6) / 12 * np.pi), 0) * rng.random(24 * DAYS),
        step_s=3600,
        period=np.zeros(24 * DAYS, dtype=np.int64),
        prices=Prices(import_price_per_mwh=150.0, peak_price_per_kw=5.0),
        battery=DispatchBattery(capacity_wh=1.0, power_max_w=1.0),
    )


@pytest.fixture(scope="module")
def sizing(site):
    told = []
    policies = {"1 ahead": PeakShaving(), "3 target": GridTarget(target_w=np.full(12, 11_000.0))}
    found = sweep(
        site, policies, capacities_wh=CAPACITIES_WH, powers_w=POWERS_W, progress=told.append
    )
    assert told == [1, 2, 3, 4, 5, 6]
    return found


def test_sizes_rise_and_every_one_is_run(sizing):
    assert sizing.capacities_wh == (5_000.0, 10_000.0, 20_000.0)
    assert sizing.powers_w == (2_000.0, 10_000.0)
    assert {each.shape for each in sizing.saving.values()} == {(2, 3)}
    assert sizing.policies == ("1 ahead", "3 target")


def test_the_optimum_saves_no_less_with_a_greater_battery_and_more_than_any_policy(sizing):
    best = sizing.saving[OPTIMUM]

    assert np.all(np.diff(best, axis=0) >= -1e-9)
    assert np.all(np.diff(best, axis=1) >= -1e-9)
    assert np.all(best >= sizing.best_saving)
    assert sizing.best_policy[0][0] in sizing.policies


def test_the_heat_maps_are_drawn_on_the_page_and_as_a_picture(sizing):
    maps = heats(sizing, "EUR")
    chart = heat_chart(maps[1], sizing)

    assert [heat.name for heat in maps] == ["sizing-policy", "sizing-optimum", "sizing-per-kwh"]
    assert chart.traces[0]["z"] == np.round(sizing.saving[OPTIMUM], 2).tolist()
    assert chart.layout["xaxis"]["ticktext"] == ["5", "10", "20"]
    assert np.all(maps[2].values == sizing.best_saving / np.array([5, 10, 20]))
    picture = sizing_picture(sizing, maps, "about")
    assert struct.unpack(">I", picture[16:20]) == (1600,)
    assert picture == sizing_picture(sizing, maps, "about")


def test_no_size_is_refused(site):
    with pytest.raises(ScenarioInputError, match="no capacity or no power"):
        sweep(site, {}, capacities_wh=(), powers_w=POWERS_W)
