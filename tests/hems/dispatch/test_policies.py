"""The policies' values, the target of a day, and what a controller makes of both."""

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.battery_bank import BatteryBank
from hems.dispatch.controllers import (
    HoldGrid,
    HoldPower,
    InPeriod,
    controller_now,
    controller_of_day,
    peak_shaving_day,
)
from hems.dispatch.day_target import NO_PEAK_W, holdable_w, shave_target_w
from hems.dispatch.paper import grid_target, input_dispatch, manual_dispatch
from hems.dispatch.policies import (
    GridTarget,
    InputDispatch,
    ManualDispatch,
    PeakShaving,
    Period,
)
from hems.errors import ControlInputError

near = pytest.approx
HOURS = np.ones((12, 24), dtype=np.int64)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: GridTarget(target_w=np.ones(11)), r"values of shape \(11,\); give 12 in a row"),
        (lambda: GridTarget(target_w=np.arange(12.0) - 2), r"month 1 is -2 W; give 0 or more"),
        (lambda: InputDispatch(power_w=np.array([0, np.nan])), r"value 2 is nan; give finite"),
        (lambda: InputDispatch(power_w=np.zeros(0)), r"shape \(0,\); give some in a row"),
        (lambda: Period(discharge_percent_per_h=101), r"is 101; give 0 to 100"),
        (
            lambda: ManualDispatch(periods=(), weekday=HOURS, weekend=HOURS),
            r"0 periods; give 1 to 6",
        ),
        (
            lambda: ManualDispatch(periods=(Period(),), weekday=HOURS, weekend=HOURS[:, :23]),
            r"weekend has shape \(12, 23\); give 12 rows of 24",
        ),
        (
            lambda: ManualDispatch(periods=(Period(),), weekday=HOURS * 2, weekend=HOURS),
            r"weekday, month 1, hour 0 names period 2; there are 1 to 1",
        ),
    ],
)
def test_policy_that_cannot_be_run_is_refused_with_its_value_and_the_remedy(build, message):
    with pytest.raises(ControlInputError, match=message):
        build()


def test_settings_are_those_that_the_paper_prints():
    manual, day = manual_dispatch(), input_dispatch(charge_w=10_000, discharge_w=2_000, days=2)

    assert grid_target().target_w.tolist() == [
        50e3, 45e3, 45e3, 45e3, 40e3, 30e3, 25e3, 20e3, 25e3, 30e3, 45e3, 50e3,
    ]  # fmt: skip
    assert manual.weekday[0].tolist() == [1] * 6 + [3] * 2 + [2] * 4 + [3] * 11 + [1]
    assert [period.discharge_percent_per_h for period in manual.periods] == [8.0, 100.0, 8.0]
    assert day.power_w.tolist() == ([-2000.0] * 7 + [10_000.0] * 12 + [-2000.0] * 5) * 2


def test_target_of_a_day_cuts_one_window_off_its_peak():
    net_w = np.array([10e3, 30e3, 50e3, 40e3] + [10e3] * 20)

    # 50 → 40 is 10 kWh, both → 35 another 10: 20 kWh in all
    assert shave_target_w(net_w, 1.0, 20e3, NO_PEAK_W, 0.96, 0.0) == 35e3
    # SAM of 2020 left 3 %
    assert shave_target_w(net_w, 1.0, 20e3, NO_PEAK_W, 1.0, 0.03) == 35e3 * 1.03
    # the month has seen more already
    assert shave_target_w(net_w, 1.0, 20e3, 42e3, 0.96, 0.0) == 42e3
    assert shave_target_w(net_w, 1.0, 20e3, 60e3, 0.96, 0.0) == 60e3


def test_target_of_a_day_stops_where_what_is_cut_cannot_be_charged():
    net_w = np.array([20e3] * 23 + [30e3])

    # below 20 kW nothing can be charged: the 10 kWh cut to there less the 9.6 · 23 above
    assert shave_target_w(net_w, 1.0, 50e3, NO_PEAK_W, 0.96, 0.0) == 20e3 + 10e3 - 0.96 * 230e3


@given(
    net_kw=st.lists(st.floats(0, 100), min_size=24, max_size=24),
    useful_kwh=st.floats(0.1, 100),
)
def test_energy_above_the_target_never_exceeds_the_window(net_kw, useful_kwh):
    net_w = np.array(net_kw) * 1000

    target_w = shave_target_w(net_w, 1.0, useful_kwh * 1000, NO_PEAK_W, 0.96, 0.0)

    cut_wh = np.maximum(net_w - target_w, 0).sum()
    assert cut_wh <= useful_kwh * 1000 + 1e-6 or target_w < np.sort(net_w)[-2]


def test_day_of_peak_shaving_sets_each_home_a_target_of_its_own():
    bank = BatteryBank.uniform(2, capacity_wh=4_000, soc_min=0.2, soc_max=0.7, efficiency=0.96)
    net_w = np.tile(np.array([1e3] * 20 + [6e3, 12e3, 6e3, 1e3]), (2, 1)) * [[1], [0.5]]

    first = peak_shaving_day(bank, net_w, 3600, np.full(2, NO_PEAK_W))
    second = peak_shaving_day(bank, net_w, 3600, np.array([11e3, 0.0]))

    assert first.target_w.tolist() == [10e3, 4e3]
    assert second.target_w.tolist() == [11e3, 4e3]


def test_evening_above_a_flat_day_is_held_though_sam_would_let_its_target_drop():
    bank = BatteryBank.uniform(1, capacity_wh=20_000, soc_min=0.0, soc_max=1.0, efficiency=0.96)
    net_w = np.array([[30e3] * 18 + [62e3, 58e3] + [30e3] * 4])

    day = peak_shaving_day(bank, net_w, 3600, np.full(1, NO_PEAK_W))

    assert shave_target_w(net_w[0], 1.0, 20e3, NO_PEAK_W, 0.96, 0.0) < 0
    # 12 and 8 kWh above 50 kW are the whole window
    assert day.target_w.tolist() == near([50e3])


@given(
    net_w=st.lists(st.floats(-20e3, 80e3), min_size=2, max_size=24).map(np.array),
    useful_wh=st.floats(100, 100e3),
)
def test_level_that_a_day_can_be_held_at_is_the_least_with_window_and_charge_for_it(
    net_w, useful_wh
):
    level_w = holdable_w(net_w, 1.0, useful_wh, 0.9)

    def spare_wh(at_w):
        cut_wh = np.maximum(net_w - at_w, 0).sum()
        return min(useful_wh, 0.9 * np.maximum(at_w - net_w, 0).sum()) - cut_wh

    assert spare_wh(level_w + 0.01) >= -1e-6
    assert spare_wh(level_w - 0.01) < 0


def test_look_behind_knows_the_first_step_of_today_and_the_rest_of_yesterday():
    bank = BatteryBank.uniform(1, capacity_wh=1e-3)
    days_w = np.stack([np.arange(24.0), 50 - np.arange(24.0)])[None] * 1000
    reached_w = np.full(1, NO_PEAK_W)

    ahead = controller_of_day(PeakShaving(look="ahead"), bank, days_w, reached_w)
    behind = controller_of_day(PeakShaving(look="behind"), bank, days_w, reached_w)
    days_w[0, 1, 0] = 0
    blind = controller_of_day(PeakShaving(look="behind"), bank, days_w, reached_w)

    found = [one.target_w[0] for one in (ahead, behind, blind)]
    assert found == near([50e3, 50e3, 23e3], abs=0.01)


def test_target_is_held_from_pv_and_from_the_grid_only_where_it_may(observe):
    seen = observe(homes=4, load_w=[[9e3] * 3, [1e3] * 3, [1e3] * 3, [500.0] * 3], pv_w=[
        [0.0] * 3, [0.0] * 3, [400.0] * 3, [2e3] * 3,
    ])  # fmt: skip
    target_w = np.array([6e3, 2e3, 2e3, 0.0])

    alone = HoldGrid(target_w=target_w).decide(seen).battery_power_w
    helped = HoldGrid(target_w=target_w, charge_from_grid=True).decide(seen).battery_power_w

    assert alone.tolist() == near([-3e3, 0, 400, 1500])
    assert helped.tolist() == near([-3e3, 1e3, 1400, 1500])


def test_power_that_is_asked_for_never_feeds_the_grid(observe):
    seen = observe(homes=3, load_w=[[1e3] * 3, [1e3] * 3, [0.0] * 3], pv_w=[
        [0.0] * 3, [1500.0] * 3, [800.0] * 3,
    ])  # fmt: skip

    out = HoldPower(power_w=np.array([-2e3])).decide(seen).battery_power_w
    into = HoldPower(power_w=np.array([2e3])).decide(seen).battery_power_w

    assert out.tolist() == near([-1e3, 0, 0])
    assert into.tolist() == near([0, 1500, 800])


def test_period_discharges_before_it_charges_and_by_its_percentage(observe):
    bank = BatteryBank.uniform(2, capacity_wh=10_000, efficiency=1.0, soc_min=0.1, soc_max=0.9)
    seen = observe(bank=bank, load_w=[[5e3] * 3, [0.0] * 3], pv_w=[[1e3] * 3, [2e3] * 3])
    both = Period(charge_from_pv=True, discharge=True, discharge_percent_per_h=10)
    grid = Period(charge_from_grid=True, grid_charge_percent_per_h=25)

    assert InPeriod(period=both).decide(seen).battery_power_w.tolist() == near([-800, 2e3])
    assert InPeriod(period=grid).decide(seen).battery_power_w.tolist() == near([2e3, 2e3])
    assert InPeriod(period=Period()).decide(seen).battery_power_w.tolist() == near([0, 0])


def test_policy_at_a_moment_is_that_of_its_month_day_and_hour():
    weekend = np.full((12, 24), 2)
    manual = ManualDispatch(
        periods=(Period(discharge=True), Period()), weekday=HOURS, weekend=weekend
    )
    saturday = datetime(2024, 3, 2, 5, tzinfo=UTC)

    assert controller_now(grid_target(), saturday).target_w.tolist() == [45e3]
    assert controller_now(input_dispatch(), saturday).power_w.tolist() == [-5e3]
    assert controller_now(manual, saturday) == InPeriod(period=Period())
    assert controller_now(manual, saturday.replace(day=1)) == InPeriod(
        period=Period(discharge=True)
    )
    with pytest.raises(ControlInputError, match="25 values are no year of whole steps"):
        controller_now(InputDispatch(power_w=np.zeros(25)), saturday)
