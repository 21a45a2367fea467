"""What a run of a plant owes whatever the series: balances, limits, ageing, its own oracle."""

from dataclasses import replace
from datetime import datetime

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devices.ageing_sam import SamLaw, SamState, advance
from hems.dispatch.day_target import NO_PEAK_W, shave_target_w
from hems.dispatch.paper import grid_target, input_dispatch, manual_dispatch
from hems.dispatch.policies import GridTarget, InputDispatch, ManualDispatch, PeakShaving, Period
from scenarios.dispatch.ageing_kernel import PAST, POINTS_MAX, table_of, turn, unworn
from scenarios.dispatch.plant import DispatchBattery
from scenarios.dispatch.policy_kernel import day_target_w
from scenarios.dispatch.run import dispatch, months
from scenarios.errors import ScenarioInputError

BATTERY = DispatchBattery(capacity_wh=25_200, power_max_w=13_800)
DAYS = 10
HOURS = np.ones((12, 24), dtype=np.int64)
BOTH = Period(charge_from_pv=True, charge_from_grid=True, discharge=True)
POLICIES = [
    PeakShaving(look="ahead"),
    PeakShaving(look="behind"),
    GridTarget(target_w=np.full(12, 9e3)),
    InputDispatch(power_w=np.tile([20e3] * 8 + [-20e3] * 16, DAYS)),
    ManualDispatch(periods=(BOTH,), weekday=HOURS, weekend=HOURS),
    replace(manual_dispatch()),
]


@given(
    seed=st.integers(0, 2**32 - 1),
    policy=st.sampled_from(POLICIES),
    coupling=st.sampled_from(["ac", "dc"]),
    generation=st.sampled_from(["2025", "2020"]),
    grid=st.booleans(),
    limits=st.sampled_from(["power", "current", "both"]),
    window=st.sampled_from([(0.0, 1.0), (0.15, 0.95), (0.4, 0.5)]),
)
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
def test_energy_balances_close_at_every_step_and_no_limit_is_broken(
    seed, policy, coupling, generation, grid, limits, window
):
    rng = np.random.default_rng(seed)
    load_w = rng.uniform(0, 40e3, 24 * DAYS) * rng.integers(0, 2, 24 * DAYS)
    pv_w = rng.uniform(0, 60e3, 24 * DAYS) * rng.integers(0, 2, 24 * DAYS)
    battery = DispatchBattery(
        capacity_wh=25_200,
        power_max_w=13_800,
        soc_min=window[0],
        soc_max=window[1],
        soc_begin=window[1] * 0.5,
        coupling=coupling,
        generation=generation,
        charge_from_grid=grid,
        limits=limits,
    )

    ran = dispatch(load_w, pv_w, step_s=3600, battery=battery, policy=policy, years=2)

    for left, right in (
        (ran.load_w, ran.pv_to_load_w + ran.battery_to_load_w + ran.grid_to_load_w),
        (ran.pv_w, ran.pv_to_load_w + ran.pv_to_battery_w + ran.pv_to_grid_w),
        (ran.grid_import_w, ran.grid_to_load_w + ran.grid_to_battery_w),
        (ran.grid_export_w, ran.pv_to_grid_w + ran.battery_to_grid_w),
        (
            ran.grid_import_w + ran.pv_w + ran.spared_w,
            ran.load_w + ran.grid_export_w + ran.cell_power_w + ran.loss_w,
        ),
    ):
        np.testing.assert_allclose(left, right, rtol=0, atol=1e-6)
    flows = np.stack([getattr(ran, name) for name in (
        "grid_import_w", "grid_export_w", "pv_to_load_w", "pv_to_battery_w", "pv_to_grid_w",
        "grid_to_load_w", "grid_to_battery_w", "battery_to_load_w",
    )])  # fmt: skip
    assert flows.min() >= -1e-9
    assert ran.loss_w.min() >= -1e-6
    assert (ran.spared_w.max() > 0) == (coupling == "dc" and ran.pv_to_battery_w.max() > 0)
    into_w = np.maximum(ran.cell_power_w, 0)
    # a charge passes one converter from PV (two from the grid to the DC side), a discharge the same
    best = 0.99 if coupling == "dc" else 0.96
    assert np.all(into_w <= best * (ran.pv_to_battery_w + ran.spared_w + ran.grid_to_battery_w) + 1)
    assert np.all(ran.battery_to_load_w <= 0.96 * np.maximum(-ran.cell_power_w, 0) + 1e-6)
    assert not np.any((ran.grid_to_battery_w > 1e-6) & ~(grid | (policy is POLICIES[4])))
    assert np.all(ran.soc <= window[1] + 1e-4)
    assert np.all(np.diff(ran.capacity_left) <= 0)
    if limits != "current":
        assert np.abs(ran.cell_power_w).max() <= 13_800 * 1.01 + 1e-6


def test_target_of_the_day_is_the_same_compiled_and_not():
    rng = np.random.default_rng(3)
    for _ in range(200):
        net_w = rng.uniform(-20e3, 60e3, int(rng.choice([24, 96])))
        numbers = (24 / net_w.size, rng.uniform(100, 60e3), rng.choice([NO_PEAK_W, 30e3]), 0.96)
        margin = float(rng.choice([0.0, 0.03]))

        assert day_target_w(net_w, *numbers, margin) == shave_target_w(net_w, *numbers, margin)


def test_life_that_a_run_takes_is_what_the_ageing_law_says(campus_year):
    load_w, pv_w = campus_year
    law = SamLaw.lfp()

    ran = dispatch(load_w, pv_w, step_s=3600, battery=BATTERY, policy=manual_dispatch(), years=3)
    aged = advance(law, SamState.new(0.5), ran.soc, step_h=1)

    # a capacity that shrinks moves the state of charge without a current, which the law takes for
    # cycles of no depth
    assert ran.capacity_left[-1] == pytest.approx(aged.capacity, abs=0.005)


def test_cycles_are_counted_as_the_ageing_law_counts_them():
    rng = np.random.default_rng(5)
    for own_depth in (True, False):
        law = SamLaw.lfp(own_depth=own_depth)
        soc = rng.uniform(0, 1, 400)
        past, points = np.zeros(PAST), np.zeros(POINTS_MAX)
        unworn(past)
        state = SamState.new(soc[0])
        aged = advance(law, state, soc[1:], step_h=1)

        turns = 1 + np.flatnonzero(np.diff(np.sign(np.diff(soc))))
        for depth in (1 - soc[[0, *turns]]) * 100:
            turn(table_of(law), past, points, depth)

        assert past[0] == aged.cycles
        assert past[1] == pytest.approx(aged.depth_sum)
        assert past[2] == pytest.approx(aged.cycle_capacity, abs=1e-12)


def test_peak_shaving_of_2020_leaves_a_margin_and_replays_yesterday():
    base = np.linspace(5e3, 10e3, 24)
    day = np.where((np.arange(24) == 18) | (np.arange(24) == 19), 30e3, base)
    load_w = np.concatenate([day, base, day])
    old = replace(BATTERY, generation="2020", charge_from_grid=True)

    ahead = dispatch(load_w, 0 * load_w, step_s=3600, battery=old, policy=PeakShaving())
    behind = dispatch(
        load_w, 0 * load_w, step_s=3600, battery=old, policy=PeakShaving(look="behind")
    )
    new = replace(BATTERY, charge_from_grid=True)
    today = dispatch(load_w, 0 * load_w, step_s=3600, battery=new, policy=PeakShaving())

    margin = ahead.grid_import_w[18] / today.grid_import_w[18]
    assert margin == pytest.approx(1.03, abs=0.005)
    # on the second day, which has no peak, the battery pays out the first day's peak once more
    assert behind.battery_to_load_w[42] > 5_000
    assert behind.battery_to_load_w[66] == 0


def test_worn_battery_is_replaced_where_asked(campus_year):
    load_w, pv_w = campus_year
    policy = input_dispatch()

    kept = dispatch(load_w, pv_w, step_s=3600, battery=BATTERY, policy=policy, years=20)
    new = dispatch(
        load_w, pv_w, step_s=3600, battery=replace(BATTERY, replace_at=0.8), policy=policy, years=20
    )

    assert kept.capacity_left[-1] < 0.75
    assert 0.799 < new.capacity_left.min() <= 0.8
    assert np.count_nonzero(np.diff(new.capacity_left) > 0) == 1


def test_years_lose_pv_and_battery_but_no_energy(campus_year):
    load_w, pv_w = campus_year

    ran = dispatch(
        load_w,
        pv_w,
        step_s=3600,
        battery=BATTERY,
        policy=grid_target(),
        years=3,
        pv_loss_per_year=0.008,
    )
    told = ran.summary()

    assert ran.pv_w.reshape(3, -1).sum(axis=1) == pytest.approx(
        pv_w.sum() * np.array([1, 0.992, 0.992**2])
    )
    assert len(told.demand_peak_kw) == len(told.cycles) == 3
    assert list(told.capacity_left) == sorted(told.capacity_left, reverse=True)
    assert told.demand_peak_kw[0].annual == max(told.demand_peak_kw[0].by_month)


def test_a_year_in_quarters_of_an_hour_is_near_the_same_in_hours(campus_year):
    load_w, pv_w = campus_year

    hourly = dispatch(load_w, pv_w, step_s=3600, battery=BATTERY, policy=manual_dispatch())
    fine = dispatch(
        np.repeat(load_w, 4), np.repeat(pv_w, 4), step_s=900, battery=BATTERY,
        policy=manual_dispatch(),
    )  # fmt: skip

    assert fine.summary().battery_to_load_kwh[0] == pytest.approx(
        hourly.summary().battery_to_load_kwh[0], rel=0.03
    )


def test_leap_year_that_begins_on_a_date_has_its_months():
    month = months(datetime(2024, 1, 1), 1800, 366 * 48)  # noqa: DTZ001 -- the plant's own clock

    assert np.bincount(month).tolist() == [
        days * 48 for days in (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
    ]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"load_w": np.array([np.nan] * 24)}, r"load: value 1 is nan W; give finite values >= 0"),
        ({"pv_w": np.full(24, -1.0)}, r"PV: value 1 is -1 W"),
        ({"pv_w": np.zeros(48)}, r"load has 24 values, PV 48; give as many of each"),
        ({"step_s": 7200}, r"step of 7200 s; give one of which a whole number makes an hour"),
        ({"step_s": 1800.0}, r"series of 24 steps of 1800 s; give whole days"),
        ({"years": 0}, r"0 years with a yearly loss of 0 of PV; give 1 year or more"),
        (
            {"policy": InputDispatch(power_w=np.zeros(7))},
            r"input dispatch: 7 values, 24 steps; give one for each",
        ),
    ],
)
def test_what_cannot_be_run_is_refused_with_the_remedy(change, message):
    asked = {
        "load_w": np.zeros(24),
        "pv_w": np.zeros(24),
        "step_s": 3600,
        "battery": BATTERY,
        "policy": PeakShaving(),
        **change,
    }
    with pytest.raises(ScenarioInputError, match=message):
        dispatch(asked.pop("load_w"), asked.pop("pv_w"), **asked)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"capacity_wh": 0}, r"battery: capacity_wh is 0; give more than 0"),
        ({"power_max_w": -1}, r"battery: power_max_w is -1; give more than 0"),
        ({"dc_efficiency": 1.5}, r"dc_efficiency is 1.5; give a share in \(0, 1\]"),
        ({"soc_min": 0.96}, r"soc_min is 0.96; give 0 <= soc_min < soc_max \(0.95\) <= 1"),
        ({"soc_begin": 2}, r"soc_begin is 2; give 0 to 1"),
        ({"replace_at": 1.0}, r"replace_at is 1; give a share of capacity in \(0, 1\)"),
    ],
)
def test_battery_that_cannot_be_is_refused(change, message):
    with pytest.raises(ScenarioInputError, match=message):
        replace(BATTERY, **change)
