"""Becchi's rules on cases that fit on a sheet of paper (Becchi 2024, §II.B).

One home: 6 kWh of which 600 Wh stay, 3 kW, no losses unless said, so that each Wh can be followed.
"""

from dataclasses import replace

import numpy as np
import pytest

from devices.battery_bank import BatteryBank
from hems.prosumer import Prospect, carry_out
from hems.prosumer_rules import CounterMeasures, FirstHour, RuleBased

PLAIN = RuleBased(measures=CounterMeasures.none())


def prospect(net_wh, imports=None, exports=None, *, stored_wh=600.0, efficiency=1.0, **fields):
    """Return what one home knows; prices are flat unless given."""
    net = np.array([net_wh], dtype=np.float64)
    hours = net.shape[1]
    return Prospect(
        bank=BatteryBank.uniform(
            1, capacity_wh=6000.0, power_max_w=3000.0, efficiency=efficiency, soc_min=0.1
        ),
        stored_wh=np.array([stored_wh]),
        load_wh=np.maximum(-net, 0.0),
        pv_wh=np.maximum(net, 0.0),
        import_price_per_mwh=np.array([imports or [300.0] * hours], dtype=np.float64),
        export_price_per_mwh=np.array([exports or [100.0] * hours], dtype=np.float64),
        day=fields.pop("day", np.zeros(hours, dtype=np.int64)),
        shortfall_wh=np.array([fields.pop("shortfall_wh", 0.0)]),
        **fields,
    )


def actions(planner, *args, **fields):
    """Return what the battery is planned to do."""
    return planner.plan(prospect(*args, **fields)).battery_wh[0].tolist()


def leave(measure, *args, **fields):
    """Return the bounds of the first hour with one counter-measure, and with none."""
    found = []
    for measures in (
        CounterMeasures.none(),
        replace(CounterMeasures.none(), **{measure: True}),
    ):
        bounds = RuleBased(measures=measures).plan(prospect(*args, **fields)).leave
        found.append((float(bounds.low_wh[0]), float(bounds.high_wh[0])))
    return found


def test_rule_1_what_is_stored_goes_to_the_dearest_hours_of_the_negative_slot():
    net_wh = [-500, -500, -500, -500]

    found = actions(PLAIN, net_wh, imports=[200, 400, 100, 300], stored_wh=600 + 700)

    assert found == [0, -500, 0, -200]


def test_rule_1_each_negative_slot_has_its_own_dearest_hours():
    net_wh = [-500, -500, 400, -500, -500]

    found = actions(PLAIN, net_wh, imports=[100, 200, 9, 300, 400], stored_wh=600 + 500)

    # the first slot spends all; the second has what the surplus brought
    assert found == [0, -500, 400, 0, -400]


def test_rule_2_the_target_is_reached_in_the_hours_in_which_selling_earns_least():
    net_wh = [1000, 1000, 1000, 1000, -1750, -1750]

    found = actions(PLAIN, net_wh, exports=[90, 60, 80, 70, 1, 1])

    # 3500 wanted at the end; the dearest hour gets what is left over
    assert found == [500, 1000, 1000, 1000, -1750, -1750]


def test_rule_3_the_target_is_the_demand_of_the_hours_that_follow():
    net_wh = [2000, 2000, -800, -1200, 2000, -100]

    found = PLAIN.plan(prospect(net_wh, exports=[2, 1, 1, 1, 1, 1]))

    # 600 + 2000 for the next slot, from the cheaper hour; half of 6000 in the day's last slot
    assert found.battery_wh[0].tolist() == [0, 2000, -800, -1200, 2000, -100]
    assert found.stored_wh[0].tolist() == [600, 2600, 1800, 600, 2600, 2500]


def test_rule_3_looks_as_far_as_the_sun_will_not_bring_enough():
    net_wh = [3000, 3000, -1000, 500, -2500]

    near = actions(PLAIN, net_wh[:3], exports=[1, 2, 1])
    far = actions(PLAIN, net_wh, exports=[1, 2, 1, 1, 1], day=np.array([0, 0, 0, 1, 1]))

    # alone: half the capacity by rule 4; the dark day after next wants 3000 beside the 600
    assert near == [2400, 0, -1000]
    assert far == [3000, 0, -1000, 500, -2500]


def test_rule_4_the_last_positive_slot_of_each_day_aims_at_half_the_capacity():
    net_wh = [1500, -100, 1500, -100, 3000, -100]

    found = PLAIN.plan(prospect(net_wh, day=np.array([0, 0, 0, 0, 1, 1])))

    assert found.stored_wh[0].tolist() == [700, 600, 2100, 2000, 3000, 2900]


def test_losses_and_power_bound_what_an_hour_can_do():
    found = PLAIN.plan(prospect([5000, -5000], stored_wh=600.0, efficiency=0.8))

    # 3 kW at the cells: 3750 taken, 2400 given
    assert found.battery_wh[0] == pytest.approx([3750, -2400])
    assert found.stored_wh[0] == pytest.approx([3600, 600])


def test_without_counter_measures_the_first_hour_is_limited_to_the_plan():
    negative = PLAIN.plan(prospect([-500, -500], imports=[100, 200], stored_wh=600 + 700)).leave
    positive = PLAIN.plan(prospect([1500, 1500, -900], exports=[1, 2, 1])).leave

    assert (negative.low_wh[0], negative.high_wh[0]) == (-200, 0)
    assert (positive.low_wh[0], positive.high_wh[0]) == (0, 1500)


def test_measure_1_past_errors_of_negative_slots_raise_the_target():
    corrected = RuleBased(measures=replace(CounterMeasures.none(), correct_target=True))
    case = {"net_wh": [3000, 3000, -3000], "exports": [1, 2, 1], "efficiency": 1.0}

    assert actions(PLAIN, **case, shortfall_wh=400.0) == [3000, 0, -3000]
    assert actions(corrected, **case, shortfall_wh=400.0) == [3000, 400, -3000]
    assert actions(corrected, **case, shortfall_wh=-400.0) == [2600, 0, -2600]


def test_measure_1_counts_what_the_cells_lose():
    corrected = RuleBased(measures=replace(CounterMeasures.none(), correct_target=True))

    found = corrected.plan(
        prospect([5000, 5000, -2000], efficiency=0.8, shortfall_wh=400.0)
    ).stored_wh

    assert found[0, 1] == pytest.approx(600 + (2000 + 400) / 0.8)


def test_measure_2_all_is_covered_in_the_two_dearest_hours_of_the_slot():
    case = {"net_wh": [-500, -500, -500, 10], "stored_wh": 600.0}

    assert leave("cover_dearest", **case, imports=[300, 400, 200, 900]) == [
        (0, 0),
        (-np.inf, 0),
    ]
    assert leave("cover_dearest", **case, imports=[300, 400, 350, 1]) == [(0, 0), (0, 0)]


def test_measure_3_all_is_stored_in_the_two_hours_in_which_selling_earns_least():
    case = {"net_wh": [500, 500, 500, -500], "stored_wh": 5000.0}

    assert leave("store_cheapest", **case, exports=[20, 10, 30, 1]) == [(0, 0), (0, np.inf)]
    assert leave("store_cheapest", **case, exports=[30, 10, 20, 99]) == [(0, 0), (0, 0)]


def test_measure_4_a_surplus_that_does_not_come_is_made_up_for():
    case = {"net_wh": [500, -500]}

    assert leave("cover_missing_surplus", **case) == [(0, 500), (-np.inf, 500)]
    assert leave("cover_missing_surplus", net_wh=[-500, 500]) == [(0, 0), (0, 0)]


def test_measure_5_what_outlasts_the_slot_may_be_used():
    case = {"net_wh": [-500, -500, 9000]}

    assert leave("release_plenty", **case, stored_wh=1601.0) == [(-500, 0), (-np.inf, 0)]
    assert leave("release_plenty", **case, stored_wh=1600.0) == [(-500, 0), (-500, 0)]


def test_a_released_battery_covers_a_load_that_was_not_foreseen():
    seen = prospect([-500, -500, 9000], stored_wh=4000.0)

    plain, measured = PLAIN.plan(seen), RuleBased().plan(seen)

    real_wh = np.array([-1300.0])
    assert carry_out(seen.bank, seen.stored_wh, plain.leave, real_wh)[1].tolist() == [-500]
    assert carry_out(seen.bank, seen.stored_wh, measured.leave, real_wh)[1].tolist() == [-1300]


def by_worth(first_hour, *args, **fields):
    """Return the first action and its bounds when the worth of stored energy decides it."""
    planned = RuleBased(first_hour=first_hour).plan(prospect(*args, **fields))
    bounds = float(planned.leave.low_wh[0]), float(planned.leave.high_wh[0])
    return float(planned.battery_wh[0, 0]), *bounds


def test_beyond_the_paper_energy_is_kept_for_dearer_hours_of_later_slots():
    case = {"net_wh": [-500, 100, -500, -500], "imports": [200, 150, 400, 300], "exports": [9] * 4}

    # 900 stored, 100 to come, 1000 wanted by dearer hours: nothing is spare
    assert actions(PLAIN, **case, stored_wh=1500.0) == [-500, 100, -500, 0]
    assert by_worth(FirstHour.WORTH, **case, stored_wh=1500.0) == (0, 0, 100)
    assert by_worth(FirstHour.WORTH, **case, stored_wh=1700.0) == (-200, -200, 0)


def test_beyond_the_paper_a_surplus_that_was_not_foreseen_is_stored_as_far_as_it_is_wanted():
    found = by_worth(FirstHour.WORTH, [-100, -900], imports=[100, 300], exports=[50, 50])

    assert found == (0, 0, 900)


def test_beyond_the_paper_surplus_is_sold_where_that_pays_more_than_what_it_would_replace():
    case = {"net_wh": [1000, -1000], "imports": [300, 100]}

    assert by_worth(FirstHour.WORTH, **case, exports=[90, 1]) == (1000, 0, 1000)
    assert by_worth(FirstHour.WORTH, **case, exports=[110, 1]) == (0, 0, 0)


def test_a_battery_that_trades_buys_for_the_dear_hour_and_sells_what_nobody_needs():
    buys = by_worth(FirstHour.TRADE, [0, -1000], imports=[100, 300], exports=[50, 50])
    sells = by_worth(
        FirstHour.TRADE, [0, -1000], imports=[300, 300], exports=[200, 50], stored_wh=4600.0
    )

    assert buys == (1000, 1000, 1000)
    # 1000 of 4000 stay for the house, the power allows for the rest
    assert sells == (-3000, -3000, -3000)


def test_wear_and_losses_count_before_a_battery_trades():
    case = {"net_wh": [0, -1000], "imports": [200, 300], "exports": [50, 50]}

    assert by_worth(FirstHour.TRADE, **case, wear_price_per_mwh=49.0)[0] == 1000
    assert by_worth(FirstHour.TRADE, **case, wear_price_per_mwh=51.0)[0] == 0
    assert by_worth(FirstHour.TRADE, **case, efficiency=0.85)[0] == pytest.approx(1000 / 0.85**2)
    assert by_worth(FirstHour.TRADE, **case, efficiency=0.8)[0] == 0


def test_by_worth_the_last_hour_ahead_is_decided_too():
    assert by_worth(FirstHour.TRADE, [-700], stored_wh=3000.0)[0] == -2400
    assert by_worth(FirstHour.WORTH, [-700], stored_wh=3000.0)[0] == -700
