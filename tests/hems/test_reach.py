"""What a battery can reach: against programs that push export and stored energy to the ends."""

from dataclasses import replace

import highspy
import numpy as np
import pytest

from devices.battery_bank import BatteryBank
from hems.reach import cap_excess_wh, followed_wh, reach

FIELDS = ("export_low_wh", "export_high_wh", "stored_low_wh", "stored_high_wh")


def ends_of(seen, *, soft=False, gives=True):
    """Return the true ends within the caps; ``soft``: with the least excess over them. [Wh]"""
    hours = seen.block_s / 3600
    eta_c, eta_d = float(seen.bank.charge_efficiency[0]), float(seen.bank.discharge_efficiency[0])
    stored = float(seen.stored_wh[0])
    low = min(float(seen.bank.soc_min[0] * seen.bank.capacity_wh[0]), stored)
    high = max(float(seen.bank.soc_max[0] * seen.bank.capacity_wh[0]), stored)
    model = highspy.Highs()
    model.setOptionValue("output_flag", False)
    model.setOptionValue("mip_rel_gap", 0.0)
    exports, level, excess = 0, stored, 0
    for b, step_h in enumerate(hours):
        cells = float(seen.bank.power_max_w[0] * step_h)
        charge, discharge = model.addVariable(0, cells), model.addVariable(0, cells * gives)
        after, charging = model.addVariable(low, high), model.addBinary()
        model.addConstr(charge <= cells * charging)
        model.addConstr(discharge <= cells - cells * charging)
        model.addConstr(after == charge - discharge + level)
        surplus = float((seen.pv_w[0, b] - seen.load_w[0, b]) * step_h)
        import_cap = float(seen.import_limit_w[0] * step_h)
        export_cap = float(seen.export_limit_w[0] * step_h)
        over = model.addVariable(0, highspy.kHighsInf if soft else 0)
        model.addConstr(eta_d * discharge - charge / eta_c - over <= export_cap - surplus)
        model.addConstr(eta_d * discharge - charge / eta_c + over >= -import_cap - surplus)
        exports += eta_d * discharge - charge / eta_c + surplus
        excess += over
        level = after
    if soft:
        model.minimize(excess)
        model.addConstr(excess <= model.getObjectiveValue() + 1e-4)
    ends = []
    for quantity in (exports, level):
        for optimise in (model.minimize, model.maximize):
            optimise(1 * quantity)
            assert model.getModelStatus() == highspy.HighsModelStatus.kOptimal
            ends.append(model.getObjectiveValue())
    return np.array(ends)


def said_of(seen):
    can = reach(seen)
    return np.array([getattr(can, field)[0] for field in FIELDS])


def within_caps(seen):
    """Return the same home with caps that its own surplus and deficit never exceed."""
    surplus_w = seen.pv_w - seen.load_w
    return replace(
        seen,
        import_limit_w=np.maximum(seen.import_limit_w, -surplus_w.min(axis=1)),
        export_limit_w=np.maximum(seen.export_limit_w, surplus_w.max(axis=1)),
    )


@pytest.mark.parametrize("seed", range(100))
def test_home_within_its_caps_reaches_exactly_what_is_said(random_homes, seed):
    seen = within_caps(random_homes(seed))

    _, export_high, stored_low, stored_high = ends_of(seen)
    export_low, *_ = ends_of(seen, gives=False)  # without cycles that only burn energy

    truth = [export_low, export_high, stored_low, stored_high]
    np.testing.assert_allclose(said_of(seen), truth, rtol=0, atol=1e-6)


@pytest.mark.parametrize("seed", range(100))
def test_range_of_a_home_pressed_by_its_caps_errs_only_to_the_sides_that_are_documented(
    random_homes, seed
):
    seen = random_homes(seed)
    _, export_high, stored_low, stored_high = ends_of(seen, soft=True)
    _, said_high, said_stored_low, said_stored_high = said_of(seen)

    assert said_stored_low <= stored_low + 1e-3
    assert said_stored_high >= stored_high - 1e-3
    if np.all(seen.load_w - seen.pv_w <= seen.import_limit_w[:, None]):
        assert said_high <= export_high + 1e-3


def test_energy_burnt_in_a_cycle_is_not_counted_as_reach(observe):
    bank = BatteryBank.uniform(1, capacity_wh=10_000, power_max_w=6_000, efficiency=0.9)
    seen = observe(bank=bank, block_s=(1800.0, 1800.0), load_w=0.0, soc=1.0)

    # a full battery takes nothing; but giving 3000 Wh of the cells (2700 Wh out of the house) and
    # taking them back (3333.3 Wh into it) would lower net export by 633.3 Wh
    assert said_of(seen)[0] == 0.0
    assert ends_of(seen)[0] == pytest.approx(2_700 - 3_000 / 0.9)


def test_surplus_that_a_cap_forces_into_the_cells_is_not_counted_as_export_of_later(observe):
    bank = BatteryBank.uniform(1, capacity_wh=10_000, power_max_w=5_000, efficiency=1.0)
    seen = observe(
        bank=bank,
        block_s=(3600.0, 3600.0),
        load_w=0.0,
        pv_w=[3_000.0, 0.0],
        export_limit_w=1_000.0,
        soc=0.0,
    )

    # 2000 Wh go into the cells in the first hour, of which 1000 Wh could leave in the second
    assert said_of(seen).tolist() == [-7_000.0, 1_000.0, 0.0, 10_000.0]
    assert ends_of(seen).tolist() == pytest.approx([-7_000.0, 2_000.0, 1_000.0, 10_000.0])


@pytest.mark.parametrize(
    ("soc", "surplus_w", "followed"),
    [
        (0.5, 3_000.0, 45.0),  # 50 Wh in a minute, 0.9 of it into the cells
        (0.5, -1_800.0, -100 / 3),  # 30 Wh out of the terminals, 33.3 Wh out of the cells
        (0.5, 9_000.0, 5_000 / 60),  # no more than the cells' power
        (0.5, -9_000.0, -5_000 / 60),
        (1.0, 3_000.0, 0.0),  # full
        (0.0, -1_800.0, 0.0),  # empty
        (0.999, 3_000.0, 10.0),  # room for 10 Wh
    ],
)
def test_following_moves_the_surplus_through_the_cells_as_far_as_they_allow(
    observe, soc, surplus_w, followed
):
    bank = BatteryBank.uniform(1, capacity_wh=10_000, power_max_w=5_000, efficiency=0.9)
    seen = observe(
        bank=bank, soc=soc, load_w=max(-surplus_w, 0.0), pv_w=max(surplus_w, 0.0), block_s=(60.0,)
    )

    assert followed_wh(seen) == pytest.approx([followed])


@pytest.mark.parametrize(
    ("soc", "surplus_w", "excess"),
    [
        (1.0, 3_000.0, 50 - 1_000 / 60),  # full: 3000 W leave, 1000 W may
        (0.5, 3_000.0, 0.0),  # the battery takes it all
        (0.0, -3_000.0, 50 - 2_000 / 60),  # empty: 3000 W come in, 2000 W may
        (0.5, -3_000.0, 0.0),
    ],
)
def test_following_home_exceeds_a_cap_by_what_its_battery_cannot_move(
    observe, soc, surplus_w, excess
):
    seen = observe(
        soc=soc,
        load_w=max(-surplus_w, 0.0),
        pv_w=max(surplus_w, 0.0),
        block_s=(60.0,),
        import_limit_w=2_000.0,
        export_limit_w=1_000.0,
    )

    assert cap_excess_wh(seen) == pytest.approx([excess])
