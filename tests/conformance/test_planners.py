"""What every planner of a prosumer's hours owes: physics, honesty, and no memory."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.battery_bank import BatteryBank
from hems.prosumer import Prospect, course
from hems.prosumer_rules import CounterMeasures, FirstHour, RuleBased
from hems.prosumer_unplanned import Unplanned
from scenarios.prosumer.milp import Milp
from scenarios.prosumer.rules_compiled import CompiledRules

PLANNERS = {
    "rules": RuleBased(),
    "rules alone": RuleBased(measures=CounterMeasures.none()),
    "by worth": RuleBased(first_hour=FirstHour.WORTH),
    "by trade": RuleBased(first_hour=FirstHour.TRADE),
    "compiled rules": CompiledRules(),
    "unplanned": Unplanned(),
    "milp": Milp(),
}
EVERY = pytest.mark.parametrize("planner", PLANNERS.values(), ids=PLANNERS)
seeds = st.integers(0, 10_000)


def days(seed, *, homes=3, hours=24):
    """Return homes of all sizes on days with and without sun, prices of both signs among them."""
    rng = np.random.default_rng(seed)
    hour = np.arange(hours) % 24
    sun = np.maximum(np.sin((hour - 6) / 12 * np.pi), 0)
    price = rng.normal(120, 90, (1 if seed % 2 else homes, hours))
    soc_min = rng.uniform(0, 0.3, homes)
    bank = BatteryBank(
        capacity_wh=rng.uniform(2_000, 15_000, homes),
        power_max_w=rng.uniform(0, 6_000, homes),
        charge_efficiency=rng.uniform(0.7, 1, homes),
        discharge_efficiency=rng.uniform(0.7, 1, homes),
        soc_min=soc_min,
        soc_max=rng.uniform(0.6, 1, homes),
    )
    return Prospect(
        bank=bank,
        stored_wh=rng.uniform(0, 1, homes) * bank.capacity_wh,
        load_wh=rng.exponential(400, (homes, hours)),
        pv_wh=sun * rng.uniform(0, 4_000, (homes, 1)) * rng.uniform(0.2, 1, (homes, hours)),
        import_price_per_mwh=price * rng.uniform(1, 2),
        export_price_per_mwh=price,
        day=np.arange(hours) // 24,
        shortfall_wh=rng.normal(0, 500, homes),
        wear_price_per_mwh=float(rng.choice([0.0, 20.0])),
    )


def one_of(seen, home):
    """Return the prospect of a single home."""
    row = slice(home, home + 1)
    shared = seen.import_price_per_mwh.shape[0] == 1
    return Prospect(
        bank=seen.bank.pick(np.array([home])),
        stored_wh=seen.stored_wh[row],
        load_wh=seen.load_wh[row],
        pv_wh=seen.pv_wh[row],
        import_price_per_mwh=seen.import_price_per_mwh[slice(0, 1) if shared else row],
        export_price_per_mwh=seen.export_price_per_mwh[slice(0, 1) if shared else row],
        day=seen.day,
        shortfall_wh=seen.shortfall_wh[row],
        wear_price_per_mwh=seen.wear_price_per_mwh,
    )


@EVERY
@given(seed=seeds)
@settings(max_examples=20)
def test_a_course_is_feasible_and_comes_to_what_it_says(planner, seed):
    seen = days(seed)

    found = planner.plan(seen)

    again = course(seen, found.battery_wh)
    for name in ("battery_wh", "stored_wh", "grid_wh", "soc"):
        assert getattr(again, name) == pytest.approx(getattr(found, name), abs=1e-4)
    assert found.grid_wh == pytest.approx(found.battery_wh - seen.net_wh, abs=1e-6)
    assert np.all(found.leave.low_wh <= found.leave.high_wh)


@EVERY
@given(seed=seeds)
@settings(max_examples=10)
def test_homes_are_planned_together_as_each_alone_and_again_the_same(planner, seed):
    seen = days(seed)

    together = planner.plan(seen)

    for home in range(seen.bank.homes):
        alone = planner.plan(one_of(seen, home))
        assert together.battery_wh[home] == pytest.approx(alone.battery_wh[0], abs=1e-6)
        assert together.leave.low_wh[home] == pytest.approx(alone.leave.low_wh[0], abs=1e-6)
        assert together.leave.high_wh[home] == pytest.approx(alone.leave.high_wh[0], abs=1e-6)
    assert planner.plan(seen).battery_wh.tolist() == together.battery_wh.tolist()


@pytest.mark.parametrize("name", ["rules", "rules alone", "by worth"])
@given(seed=seeds)
@settings(max_examples=20)
def test_rules_take_only_surplus_and_give_only_what_the_house_wants(name, seed):
    seen = days(seed, hours=72)
    found = PLANNERS[name].plan(seen)

    assert np.all(found.battery_wh <= np.maximum(seen.net_wh, 0) + 1e-6)
    assert np.all(found.battery_wh >= np.minimum(seen.net_wh, 0) - 1e-6)


@pytest.mark.parametrize("name", [name for name in PLANNERS if name != "milp"])
@given(seed=seeds)
@settings(max_examples=10)
def test_nobody_beats_the_milp(name, seed):
    seen = days(seed)

    found, best = PLANNERS[name].plan(seen), PLANNERS["milp"].plan(seen)

    least = best.cost_micro + best.wear_micro
    assert np.all(found.cost_micro + found.wear_micro >= least - 1e-3 * np.abs(least) - 1.0)


def test_only_the_milp_claims_a_proof():
    proved = {name: planner.plan(days(1)).proved for name, planner in PLANNERS.items()}

    assert proved == {name: name == "milp" for name in PLANNERS}
