"""The genetic algorithm and the particle swarm as planners."""

import numpy as np
import pytest

from devices.battery_bank import BatteryBank
from hems.errors import ControlInputError
from hems.prosumer import Course, Prospect, course
from hems.prosumer_unplanned import Unplanned
from scenarios.prosumer.evolved import Budget
from scenarios.prosumer.genetic import Genetic
from scenarios.prosumer.milp import Milp
from scenarios.prosumer.swarm import Swarm

BOTH = pytest.mark.parametrize("search", [Genetic, Swarm])
SMALL = Budget(evaluations=400, population=20)


def prospect(seed=0, homes=2, hours=12):
    rng = np.random.default_rng(seed)
    exports = rng.uniform(50, 300, (1, hours))
    return Prospect(
        bank=BatteryBank.uniform(
            homes, capacity_wh=6000.0, power_max_w=3000.0, efficiency=0.9, soc_min=0.1
        ),
        stored_wh=rng.uniform(600, 6000, homes),
        load_wh=rng.exponential(600, (homes, hours)),
        pv_wh=np.maximum(rng.normal(0, 1500, (homes, hours)), 0),
        import_price_per_mwh=exports * 1.8,
        export_price_per_mwh=exports,
        day=np.zeros(hours, dtype=np.int64),
        shortfall_wh=np.zeros(homes),
        wear_price_per_mwh=10.0,
    )


def cost(found: Course):
    return found.cost_micro + found.wear_micro


@BOTH
@pytest.mark.parametrize("trade", [False, True])
def test_it_is_no_worse_than_self_consumption_and_no_better_than_the_optimum(search, trade):
    for seed in range(3):
        seen = prospect(seed)

        found = search(budget=SMALL, trade=trade).plan(seen)

        assert (cost(found) <= cost(Unplanned().plan(seen)) + 1e-3).all()
        assert (cost(found) >= cost(Milp(trade=trade).plan(seen)) - 1e-3).all()
        assert not found.proved


@BOTH
def test_more_candidates_come_closer(search):
    seen = prospect(1)
    best = cost(Milp().plan(seen))

    few, many = (
        cost(search(budget=Budget(evaluations=evaluations, population=20)).plan(seen))
        for evaluations in (40, 4000)
    )

    assert (many - best < 0.7 * (few - best)).all()


@BOTH
def test_the_same_seed_is_the_same_course(search):
    seen = prospect(2)

    one, other = (search(budget=SMALL, seed=7).plan(seen) for _ in range(2))

    assert (one.battery_wh == other.battery_wh).all()
    assert (search(budget=SMALL, seed=8).plan(seen).battery_wh != one.battery_wh).any()


@BOTH
def test_what_it_says_is_what_comes_of_its_actions(search):
    seen = prospect(3)

    found = search(budget=SMALL).plan(seen)

    told = course(seen, found.battery_wh)
    np.testing.assert_allclose(told.stored_wh, found.stored_wh, atol=1e-6)
    np.testing.assert_allclose(told.cost_micro, found.cost_micro, rtol=1e-9)


@BOTH
def test_without_trade_nothing_is_bought_for_the_battery_nor_sold_from_it(search):
    seen = prospect(4)

    found = search(budget=SMALL, trade=False).plan(seen)

    surplus_wh, demand_wh = np.maximum(seen.net_wh, 0), np.maximum(-seen.net_wh, 0)
    assert (found.battery_wh <= surplus_wh + 1e-6).all()
    assert (found.battery_wh >= -demand_wh - 1e-6).all()
    assert (found.leave.low_wh <= 0).all()
    assert (found.leave.high_wh >= 0).all()


@BOTH
def test_a_battery_without_power_rests(search):
    seen = prospect(5)
    seen.bank.power_max_w[:] = 0.0

    assert (search(budget=SMALL).plan(seen).battery_wh == 0).all()


@BOTH
def test_a_budget_of_seconds_ends(search):
    found = search(budget=Budget(seconds=0.05, population=20)).plan(prospect(6, homes=1))

    assert (cost(found) <= cost(Unplanned().plan(prospect(6, homes=1))) + 1e-3).all()


@pytest.mark.parametrize("wrong", [{"evaluations": 0}, {"population": 3}, {"seconds": 0.0}])
def test_a_budget_of_nothing_is_refused(wrong):
    with pytest.raises(ControlInputError, match="leaves no room"):
        Budget(**wrong)
