"""What every battery and its meter do for a caller: new drivers join `RIGS` with an emulator."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from devices.battery_bank import BatteryBank
from devices.errors import DeviceRefusedError
from devices.simulated import SimulatedHome

CAPACITY_WH, POWER_W, EFFICIENCY = 10_000.0, 5_000.0, 0.9


@dataclass
class Rig:
    """A device under test, with the hands on its clock and on its house."""

    battery: Any
    meter: Any
    wait: Callable[[float], None]
    """Let seconds pass."""
    house: Callable[[float, float], None]
    """Set load and production. [W]"""

    def read(self):
        return asyncio.run(self.battery.read())

    def read_meter(self):
        return asyncio.run(self.meter.read_meter())

    def set_power(self, battery_power_w, *, valid_s):
        asyncio.run(self.battery.set_power(battery_power_w, valid_s=valid_s))

    def follow(self):
        asyncio.run(self.battery.follow())


def simulated(soc):
    now_s, demand_w = [1_000.0], [(500.0, 0.0)]
    home = SimulatedHome(
        BatteryBank.uniform(1, capacity_wh=CAPACITY_WH, power_max_w=POWER_W, efficiency=EFFICIENCY),
        soc=soc,
        clock=lambda: now_s[0],
        demand=lambda _: demand_w[0],
    )

    def wait(seconds):
        now_s[0] += seconds

    def house(load_w, pv_w):
        demand_w[0] = (load_w, pv_w)

    return Rig(battery=home, meter=home, wait=wait, house=house)


RIGS = [simulated]
EVERY = pytest.mark.parametrize("rig", RIGS, ids=lambda one: one.__name__)


@EVERY
def test_battery_that_nobody_told_anything_follows_residual_demand(rig):
    home = rig(0.5)

    state, meter = home.read(), home.read_meter()

    assert state.following
    assert state.soc == 0.5
    assert state.battery_power_w == pytest.approx(-500.0)
    assert (meter.load_w, meter.pv_w) == (500.0, 0.0)
    assert meter.grid_power_w == pytest.approx(0.0, abs=1e-6)


@EVERY
@pytest.mark.parametrize("set_point_w", [2_000.0, -2_000.0, 0.0])
def test_set_point_holds_while_it_is_valid_whatever_the_house_does(rig, set_point_w):
    home = rig(0.5)

    home.set_power(set_point_w, valid_s=60.0)
    home.wait(30)
    home.house(900.0, 4_000.0)
    home.wait(29)

    state = home.read()
    assert not state.following
    assert state.battery_power_w == pytest.approx(set_point_w, abs=1e-6)
    cells_wh = set_point_w * (EFFICIENCY if set_point_w > 0 else 1 / EFFICIENCY) * 59 / 3600
    assert state.soc == pytest.approx(0.5 + cells_wh / CAPACITY_WH, abs=1e-9)


@EVERY
def test_set_point_that_ran_out_gives_way_to_self_consumption(rig):
    home = rig(0.5)

    home.set_power(2_000.0, valid_s=60.0)
    home.wait(60)
    at_the_end = home.read()
    home.wait(60)

    later = home.read()
    assert at_the_end.following
    assert at_the_end.battery_power_w == pytest.approx(-500.0)
    # 2000 W in for a minute, then 500 W out for a minute, though nobody asked in between
    gained_wh = 2_000 * EFFICIENCY / 60 - 500 / EFFICIENCY / 60
    assert later.soc == pytest.approx(0.5 + gained_wh / CAPACITY_WH, abs=1e-9)


@EVERY
def test_set_point_that_ran_out_unseen_held_for_its_time_only(rig):
    seen, unseen = rig(0.5), rig(0.5)

    for home in (seen, unseen):
        home.set_power(2_000.0, valid_s=61.5)
    for _ in range(120):
        seen.wait(1)
        seen.read()
    unseen.wait(120)

    assert unseen.read().soc == pytest.approx(seen.read().soc, abs=1e-9)


@EVERY
def test_later_set_point_replaces_an_earlier_one(rig):
    home = rig(0.5)

    home.set_power(2_000.0, valid_s=600.0)
    home.wait(10)
    home.set_power(-1_000.0, valid_s=60.0)

    assert home.read().battery_power_w == pytest.approx(-1_000.0)
    home.wait(60)
    assert home.read().following


@EVERY
def test_battery_told_to_follow_drops_its_set_point(rig):
    home = rig(0.5)

    home.set_power(2_000.0, valid_s=600.0)
    home.follow()

    state = home.read()
    assert state.following
    assert state.battery_power_w == pytest.approx(-500.0)


@EVERY
@pytest.mark.parametrize(
    ("battery_power_w", "valid_s"),
    [
        (float("nan"), 60.0),
        (float("inf"), 60.0),
        (1_000.0, 0.0),
        (1_000.0, -1.0),
        (1_000.0, float("nan")),
        (1_000.0, float("inf")),
    ],
)
def test_refused_request_changes_nothing(rig, battery_power_w, valid_s):
    home = rig(0.5)
    home.set_power(2_000.0, valid_s=60.0)
    before = home.read(), home.read_meter()

    with pytest.raises(DeviceRefusedError, match="cannot hold"):
        home.set_power(battery_power_w, valid_s=valid_s)

    assert (home.read(), home.read_meter()) == before
    home.wait(60)
    assert home.read().following


@EVERY
@pytest.mark.parametrize("house_w", [(500.0, 0.0), (0.0, 8_000.0), (9_000.0, 0.0)])
@pytest.mark.parametrize("soc", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("set_point_w", [None, 3_000.0, -3_000.0, 50_000.0])
def test_meter_closes_the_balance_and_the_battery_keeps_its_limits(rig, house_w, soc, set_point_w):
    home = rig(soc)
    home.house(*house_w)
    if set_point_w is not None:
        home.set_power(set_point_w, valid_s=60.0)
    home.wait(20)

    state, meter = home.read(), home.read_meter()

    assert (meter.load_w, meter.pv_w) == house_w
    assert meter.grid_power_w == pytest.approx(meter.load_w + state.battery_power_w - meter.pv_w)
    assert 0 <= state.soc <= 1
    most_in_w, most_out_w = POWER_W / EFFICIENCY, POWER_W * EFFICIENCY
    assert -most_out_w - 1e-6 <= state.battery_power_w <= most_in_w + 1e-6
    if soc == 0:
        assert state.battery_power_w >= -1e-6
    if soc == 1:
        assert state.battery_power_w <= 1e-6


@EVERY
def test_clock_that_stands_still_changes_nothing(rig):
    home = rig(0.5)
    home.set_power(2_000.0, valid_s=60.0)

    assert home.read() == home.read()
    assert home.read_meter() == home.read_meter()


@EVERY
def test_hours_of_set_points_leave_what_the_bank_computes(rig):
    """Differential: minute by minute against the physics of the fleet's simulation."""
    rng = np.random.default_rng(5)
    bank = BatteryBank.uniform(
        1, capacity_wh=CAPACITY_WH, power_max_w=POWER_W, efficiency=EFFICIENCY
    )
    home, stored_wh = rig(0.5), np.array([0.5 * CAPACITY_WH])
    for _ in range(240):
        load_w, pv_w = (float(power_w) for power_w in rng.uniform(0, 6_000, 2))
        set_point_w = float(rng.uniform(-8_000, 8_000)) if rng.random() < 0.5 else None
        home.house(load_w, pv_w)
        if set_point_w is None:
            home.follow()
        else:
            home.set_power(set_point_w, valid_s=60.0)
        wanted_w = pv_w - load_w if set_point_w is None else set_point_w

        home.wait(60)
        stored_wh, _ = bank.advance(stored_wh, np.array([wanted_w]), 60.0)

        assert home.read().soc * CAPACITY_WH == pytest.approx(stored_wh[0], abs=1e-6)
