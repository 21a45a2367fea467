"""The compiled rules beside the originals."""

from dataclasses import fields, replace

import numpy as np
import pytest

from devices.battery_bank import BatteryBank
from hems.prosumer import Course, Prospect
from hems.prosumer_rules import CounterMeasures, FirstHour, RuleBased
from scenarios.prosumer.rules_compiled import CompiledRules

MEASURES = [field.name for field in fields(CounterMeasures)]


def prospect(seed, *, homes=40, hours=72, own_prices=False):
    """Return homes of all kinds, some outside their window, some without power, ties in prices."""
    rng = np.random.default_rng(seed)
    rows = homes if own_prices else 1
    exports = np.round(rng.normal(100, 80, (rows, hours)), -1)
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
        load_wh=rng.exponential(500, (homes, hours)),
        pv_wh=np.maximum(rng.normal(0, 1_500, (homes, hours)), 0),
        import_price_per_mwh=exports * 1.8,
        export_price_per_mwh=exports,
        day=(np.arange(hours) + seed) // 24,
        shortfall_wh=rng.normal(0, 500, homes),
        wear_price_per_mwh=float(rng.choice([0.0, 12.5])),
    )


def assert_same(one, other):
    """Compare courses: sums are taken in another order."""
    for field in fields(Course):
        if field.name not in {"leave", "proved"}:
            found, wanted = getattr(one, field.name), getattr(other, field.name)
            np.testing.assert_allclose(found, wanted, rtol=1e-7, atol=1e-4)
    for bound in ("low_wh", "high_wh"):
        np.testing.assert_allclose(
            getattr(one.leave, bound), getattr(other.leave, bound), rtol=1e-9, atol=1e-6
        )
    assert one.proved == other.proved


@pytest.mark.parametrize("first_hour", FirstHour)
@pytest.mark.parametrize("own_prices", [False, True])
@pytest.mark.parametrize("hours", [1, 2, 24, 72])
def test_it_plans_as_the_original(first_hour, own_prices, hours):
    rules = RuleBased(first_hour=first_hour)
    for seed in range(8):
        seen = prospect(seed, hours=hours, own_prices=own_prices)

        assert_same(CompiledRules(rules=rules).plan(seen), rules.plan(seen))


@pytest.mark.parametrize("measure", MEASURES)
def test_each_counter_measure_is_the_originals(measure):
    rules = RuleBased(measures=replace(CounterMeasures.none(), **{measure: True}))
    for seed in range(8):
        seen = prospect(seed)

        assert_same(CompiledRules(rules=rules).plan(seen), rules.plan(seen))


def test_arrays_of_any_layout_are_planned():
    seen = prospect(3)
    turned = replace(
        seen,
        load_wh=np.asfortranarray(seen.load_wh),
        pv_wh=np.asfortranarray(seen.pv_wh),
        day=np.repeat(seen.day, 2)[::2],
    )

    assert_same(CompiledRules().plan(turned), CompiledRules().plan(seen))
