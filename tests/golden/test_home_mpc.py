"""Couraud 2021, eq. (5)-(9), solved by hand.

The home of every case: 10 kWh, 5 kW at the cells, η 0.9 each way, half full, caps of 10 kW, retail
150 and market 50 per MWh. A weight of 1/capacity on the state of charge is 1e6/10,000 = 100 per MWh
in the cells; a weight of 1/(10 kW × 60 s) on the owed export is 6000 per MWh: above every price.
"""

import numpy as np
import pytest

from devices.battery_bank import BatteryBank
from hems.controller import Decision, Observation, set_point_w
from hems.mpc import Mpc
from hems.mpc_program import EXPORT, IMPORT

EMPTY, HALF, FULL = 0.0, 5_000.0, 10_000.0
HALF_HOUR = (60.0, 840.0, 900.0)


def seen_by_home(
    *,
    block_s=(60.0,),
    stored_wh=HALF,
    load_w=500.0,
    pv_w=0.0,
    import_price=150.0,
    export_price=50.0,
    export_limit_w=10_000.0,
    owed_wh=0.0,
    steered=False,
    soc_target=0.5,
    soc_max=1.0,
):
    return Observation(
        bank=BatteryBank.uniform(
            1, capacity_wh=10_000, power_max_w=5_000, efficiency=0.9, soc_max=soc_max
        ),
        stored_wh=np.array([stored_wh]),
        block_s=np.array(block_s),
        load_w=np.full((1, len(block_s)), load_w),
        pv_w=np.full((1, len(block_s)), pv_w),
        import_price_per_mwh=import_price,
        export_price_per_mwh=export_price,
        import_limit_w=np.array([10_000.0]),
        export_limit_w=np.array([export_limit_w]),
        remaining_export_wh=np.array([owed_wh]),
        steered=np.array([steered]),
        soc_target=np.array([soc_target]),
    )


def decided(seen):
    """Return follow, set-point at the terminals, whether proved, and excess of caps."""
    decision = Mpc().decide(seen)
    return (
        bool(decision.follow[0]),
        round(float(decision.battery_power_w[0]), 4) + 0.0,
        bool(decision.proved[0]),
        round(float(decision.cap_excess_wh[0]), 6) + 0.0,
    )


def test_home_with_a_surplus_and_no_contract_follows_it():
    # 2500 W into the battery: neither export (50) nor import (150) is paid for
    assert decided(seen_by_home(pv_w=3_000.0)) == (True, 2_500.0, True, 0.0)


def test_home_with_a_deficit_and_no_contract_follows_it():
    assert decided(seen_by_home(load_w=1_800.0)) == (True, -1_800.0, True, 0.0)


def test_contract_home_exports_its_share_exactly():
    seen = seen_by_home(owed_wh=100.0, block_s=HALF_HOUR)

    energy, _ = Mpc().plan(seen)
    net_export_wh = energy[0, EXPORT].sum() - energy[0, IMPORT].sum()

    assert net_export_wh == pytest.approx(100.0, abs=1e-6)
    # 500 W of load and, at an even pace, 100 Wh in half an hour: 700 W from the first minute on
    assert decided(seen) == (False, pytest.approx(-700.0, abs=1e-3), True, 0.0)


def test_contract_home_with_one_minute_left_exports_at_the_rate_of_its_share():
    # 40 Wh in a minute are 2400 W, and 500 W of load
    assert decided(seen_by_home(owed_wh=40.0)) == (False, -2_900.0, True, 0.0)


def test_contract_home_with_surplus_exports_its_share_and_charges_the_rest():
    # 3600 W of surplus are 60 Wh in the minute; 20 Wh are owed, 40 Wh are 2400 W for the battery
    assert decided(seen_by_home(pv_w=4_100.0, owed_wh=20.0)) == (False, 2_400.0, True, 0.0)


def test_debt_out_of_reach_is_met_as_far_as_the_battery_goes():
    assert decided(seen_by_home(owed_wh=5_000.0)) == (False, -4_500.0, True, 0.0)


def test_home_whose_fleet_exported_too_much_takes_energy():
    # 50 Wh in a minute are 3000 W of import: 500 W of load and 2500 W into the battery
    assert decided(seen_by_home(owed_wh=-50.0)) == (False, 2_500.0, True, 0.0)


@pytest.mark.parametrize(
    ("import_price", "follow", "battery_w"),
    [
        # 1 Wh in the cells costs π_i/0.9 and is worth 100: bought below 90. 500 Wh are missing:
        # in a quarter-hour 2000 W into the cells, 2222.2 W at the terminals
        (80.0, False, 2_000 / 0.9),
        (89.0, False, 2_000 / 0.9),
        # 1 Wh from the cells saves 0.9 π_i and is worth 100 there: sold above 111.1, held below
        (91.0, False, 0.0),
        (110.0, False, 0.0),
        (112.0, True, -500.0),
        (150.0, True, -500.0),
    ],
)
def test_steered_home_charges_towards_its_target_when_import_costs_less_than_the_weight(
    import_price, follow, battery_w
):
    seen = seen_by_home(block_s=(900.0,), steered=True, soc_target=0.55, import_price=import_price)

    assert decided(seen) == (follow, round(battery_w, 4), True, 0.0)


@pytest.mark.parametrize(
    ("export_price", "follow", "battery_w"),
    [
        # 500 Wh too many. 125 Wh of load and 325 Wh of export at the terminals in a quarter-hour
        # are 500 Wh of the cells: 1800 W. 1 Wh less is worth 100, its export costs 0.9 π_e
        (110.0, False, -1_800.0),
        (112.0, True, -500.0),
    ],
)
def test_steered_home_empties_towards_its_target_when_the_penalty_of_export_is_below_the_weight(
    export_price, follow, battery_w
):
    seen = seen_by_home(block_s=(900.0,), steered=True, soc_target=0.45, export_price=export_price)

    assert decided(seen) == (follow, battery_w, True, 0.0)


@pytest.mark.parametrize(
    ("stored_wh", "load_w"),
    [
        (EMPTY, 500.0),  # cannot cover its load: bound to import
        (HALF, 6_000.0),  # a load above the battery's power: bound to import
    ],
)
def test_steered_home_bound_to_import_charges_when_nothing_is_owed(stored_wh, load_w):
    seen = seen_by_home(
        stored_wh=stored_wh, load_w=load_w, steered=True, soc_target=0.9, import_price=20.0
    )

    # 10 kW of import leave room for 4 kW and more: at 6 kW of load 4000 W, else full power
    assert decided(seen) == (False, round(min(5_000 / 0.9, 10_000 - load_w), 4), True, 0.0)


def test_steered_home_bound_to_export_keeps_its_target_when_nothing_is_owed():
    # 8 kW of surplus cannot be taken whole; at its target the home takes none, as 1 Wh off the
    # target costs 100 and export only 50
    assert decided(seen_by_home(load_w=0.0, pv_w=8_000.0, steered=True)) == (False, 0.0, True, 0.0)


@pytest.mark.parametrize("owed_wh", [-300.0, 0.0, 300.0])
def test_full_home_that_may_not_export_reports_its_surplus_as_excess(owed_wh):
    seen = seen_by_home(
        stored_wh=FULL, pv_w=3_000.0, export_limit_w=0.0, owed_wh=owed_wh, block_s=HALF_HOUR
    )

    # 2500 W for the first minute; emptying the battery first, to burn some in a cycle, would export
    # more at once and is no way out
    assert decided(seen) == (True, 0.0, True, pytest.approx(2_500 / 60))


def test_home_that_may_not_export_charges_its_surplus_even_off_its_target():
    seen = seen_by_home(pv_w=3_000.0, export_limit_w=0.0, steered=True, soc_target=0.2)

    assert decided(seen) == (True, 2_500.0, True, 0.0)


def test_contract_home_exports_no_more_than_its_cap():
    # 2000 W of export and 500 W of load
    assert decided(seen_by_home(owed_wh=100.0, export_limit_w=2_000.0)) == (
        False,
        -2_500.0,
        True,
        0.0,
    )


def test_home_paid_to_import_charges_at_full_power():
    assert decided(seen_by_home(import_price=-80.0)) == (False, round(5_000 / 0.9, 4), True, 0.0)


def test_full_home_paid_to_import_does_not_wheel_energy_through_its_meter():
    seen = seen_by_home(import_price=-80.0, export_price=-60.0, stored_wh=FULL)

    assert decided(seen) == (False, 0.0, True, 0.0)


def test_home_without_a_contract_does_not_export_at_a_market_price_above_retail():
    assert decided(seen_by_home(export_price=500.0)) == (True, -500.0, True, 0.0)


def test_battery_above_its_window_follows_nothing_further_out():
    assert decided(seen_by_home(stored_wh=9_500.0, soc_max=0.9, pv_w=3_000.0)) == (
        True,
        0.0,
        True,
        0.0,
    )


def test_set_point_follows_the_meter_or_holds_the_plan():
    # eq. (8)-(9): at the cells 0.9 × 2500 when charging, 1800 / 0.9 when discharging
    bank = BatteryBank.uniform(3, efficiency=0.9)
    decision = Decision(
        follow=np.array([True, True, False]),
        battery_power_w=np.array([9.0, 9.0, -450.0]),
        proved=np.ones(3, dtype=bool),
        cap_excess_wh=np.zeros(3),
    )

    asked_w = set_point_w(decision, np.array([500.0, 1_800.0, 700.0]), np.array([3_000.0, 0, 0]))

    assert asked_w.tolist() == [2_500.0, -1_800.0, -450.0]
    assert bank.cell_power_w(asked_w).tolist() == pytest.approx([2_250.0, -2_000.0, -500.0])
    assert bank.terminal_power_w(bank.cell_power_w(asked_w)).tolist() == pytest.approx(
        [2_500.0, -1_800.0, -450.0]
    )
