"""The optimum that a prosumer's rules are measured by."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from devices.battery_bank import BatteryBank
from hems.errors import ControlError
from hems.prosumer import Prospect, course
from hems.prosumer_rules import FirstHour, RuleBased
from scenarios.prosumer.milp import KEPT_MAX, Milp
from scenarios.prosumer.milp_program import Numbers, Program


def prospect(net_wh, imports, exports, *, efficiency=1.0, homes=1, **fields):
    """Return homes of 3 kWh and 3 kW that know the hours ahead."""
    net = np.array([net_wh] * homes, dtype=np.float64)
    stored_wh = fields.pop("stored_wh", 0.0)
    return Prospect(
        bank=BatteryBank.uniform(
            homes, capacity_wh=3000.0, power_max_w=3000.0, efficiency=efficiency
        ),
        stored_wh=np.full(homes, stored_wh),
        load_wh=np.maximum(-net, 0.0),
        pv_wh=np.maximum(net, 0.0),
        import_price_per_mwh=np.array([imports], dtype=np.float64),
        export_price_per_mwh=np.array([exports], dtype=np.float64),
        day=np.zeros(net.shape[1], dtype=np.int64),
        shortfall_wh=np.zeros(homes),
        **fields,
    )


def test_it_buys_cheap_and_covers_the_dear_hour():
    found = Milp().plan(prospect([0, -2000], [100, 300], [50, 50]))

    assert found.battery_wh.tolist() == [[2000.0, -2000.0]]
    assert found.cost_micro.tolist() == [2000 * 100.0]
    assert found.proved


def test_ageing_that_costs_more_than_the_spread_keeps_it_idle():
    found = Milp().plan(prospect([0, -2000], [100, 300], [50, 50], wear_price_per_mwh=110.0))

    assert found.battery_wh.tolist() == [[0.0, 0.0]]


def test_losses_count_on_both_ways():
    found = Milp().plan(prospect([0, -1600], [100, 300], [50, 50], efficiency=0.8))

    assert found.battery_wh == pytest.approx(np.array([[2500.0, -1600.0]]))


@pytest.mark.parametrize("seed", range(6))
def test_at_negative_prices_nothing_is_burnt_by_both_flows_at_once(seed):
    rng = np.random.default_rng(seed)
    net_wh = rng.choice([-500, 500], 3)
    seen = prospect(
        net_wh, rng.choice([-80, -20, 60], 3), rng.choice([-90, 70], 3), efficiency=0.75
    )
    seen.stored_wh[:] = 1500.0

    found = Milp().plan(seen)

    # every plan whose hours move a multiple of 187.5 Wh at the cells
    cells = np.arange(-16, 17) * 187.5
    tried = np.array(list(product(cells, repeat=3)))
    stored = 1500 + np.cumsum(tried, axis=1)
    tried = tried[np.all((stored >= 0) & (stored <= 3000), axis=1)]
    terminals = np.where(tried >= 0, tried / 0.75, tried * 0.75)
    grid = terminals - np.array(net_wh)
    price = np.where(grid > 0, seen.import_price_per_mwh, seen.export_price_per_mwh)
    assert found.cost_micro[0] <= (grid * price).sum(axis=1).min() + 1e-6
    assert course(seen, found.battery_wh).cost_micro == pytest.approx(found.cost_micro)


def test_a_battery_found_below_its_window_is_planned_from_where_it_is():
    seen = prospect([-500, 2000], [300, 300], [100, 100], stored_wh=100.0)
    seen.bank.soc_min[:] = 0.2

    found = Milp().plan(seen)

    assert found.stored_wh[0, 0] == 100.0


@pytest.mark.parametrize("price", [100.0, -30.0])
def test_with_binaries_from_the_start_it_costs_the_same(price):
    seen = prospect([500, -700, 900, -2000], [150, 200, price + 9, 300], [90, 80, price, 60])

    short, long = Milp().plan(seen), Milp(relax_first=False).plan(seen)

    assert long.cost_micro == pytest.approx(short.cost_micro)


@pytest.mark.parametrize("relax_first", [True, False])
def test_without_trade_it_takes_from_the_surplus_and_gives_to_the_house_only(relax_first):
    seen = prospect([0, 800, -2000, 0], [10, 100, 300, 50], [5, 50, 50, 400])

    found = Milp(trade=False, relax_first=relax_first).plan(seen)

    # buying at 10 and selling at 400 would pay
    assert found.battery_wh == pytest.approx(np.array([[0.0, 800.0, -800.0, 0.0]]))
    assert Milp(relax_first=relax_first).plan(seen).cost_micro[0] < found.cost_micro[0]


def test_without_trade_a_plan_that_does_not_come_true_trades_neither():
    sunny = Milp(trade=False).plan(prospect([900, -2000], [100, 300], [50, 50]))

    assert (sunny.leave.low_wh.tolist(), sunny.leave.high_wh.tolist()) == ([0.0], [900.0])


def test_a_program_without_a_solution_is_told():
    seen = prospect([0, -2000], [100, 300], [50, 50])
    numbers = Numbers.of(seen, 0)
    short = replace(numbers, high=np.zeros(numbers.high.size))

    with pytest.raises(ControlError, match="milp: HiGHS ended with Infeasible; check the prospect"):
        Program(seen.bank, seen.hours).solve(short)


def test_more_kinds_of_battery_than_programs_are_kept_are_planned_all_the_same():
    milp = Milp()
    for efficiency in np.linspace(0.7, 0.9, KEPT_MAX + 2):
        found = milp.plan(prospect([0, -1000], [10, 300], [5, 5], efficiency=float(efficiency)))
        assert found.battery_wh[0, 1] == pytest.approx(-1000)

    assert len(milp._kept) == KEPT_MAX


@pytest.mark.parametrize("seed", range(8))
def test_hour_by_hour_the_worth_of_what_is_stored_comes_to_the_optimum(seed):
    rng = np.random.default_rng(seed)
    hours, homes = 30, 3
    exports = rng.uniform(5, 300, hours)
    soc_min = rng.uniform(0, 0.3, homes)
    bank = BatteryBank(
        capacity_wh=rng.uniform(2_000, 15_000, homes),
        power_max_w=rng.uniform(500, 6_000, homes),
        charge_efficiency=rng.uniform(0.7, 1, homes),
        discharge_efficiency=rng.uniform(0.7, 1, homes),
        soc_min=soc_min,
        soc_max=rng.uniform(0.6, 1, homes),
    )
    seen = Prospect(
        bank=bank,
        stored_wh=rng.uniform(soc_min, bank.soc_max) * bank.capacity_wh,
        load_wh=rng.exponential(600, (homes, hours)),
        pv_wh=np.maximum(rng.normal(0, 2_000, (homes, hours)), 0),
        import_price_per_mwh=(exports * rng.uniform(1, 2))[None],
        export_price_per_mwh=exports[None],
        day=np.arange(hours) // 24,
        shortfall_wh=np.zeros(homes),
        wear_price_per_mwh=float(rng.choice([0.0, 15.0])),
    )
    optimum = Milp().plan(seen)
    planner = RuleBased(first_hour=FirstHour.TRADE)
    wanted_wh, ahead = np.empty((homes, hours)), seen

    for hour in range(hours):
        planned = planner.plan(ahead)
        wanted_wh[:, hour] = planned.battery_wh[:, 0]
        if hour + 1 < hours:
            ahead = ahead.later(planned.stored_wh[:, 0])

    lived = course(seen, wanted_wh)
    assert lived.cost_micro + lived.wear_micro == pytest.approx(
        optimum.cost_micro + optimum.wear_micro, abs=1.0
    )
