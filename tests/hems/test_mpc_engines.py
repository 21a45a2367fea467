"""Differential: the compiled engine of the home MPC against its reference, HiGHS."""

import numpy as np
import pytest

from hems.mpc import Mpc
from hems.mpc_compiled import CompiledEngine
from hems.mpc_engine import HighsEngine
from hems.mpc_program import (
    CHARGE,
    DISCHARGE,
    EXPORT,
    EXPORT_OVER,
    IMPORT,
    IMPORT_OVER,
    program,
)

MICRO = 1e6
HOMES = 50
COMPILED, REFERENCE = CompiledEngine(), HighsEngine()


def solved(engine, seen):
    """Return the cost of every home's plan [currency], the plans, and whether they are proved."""
    numbers = program(seen, export_penalty_min_per_mwh=1.0)
    values, proved = engine.solve(seen, numbers)
    return (numbers.cost * values).sum(axis=1) / MICRO, numbers.energy_wh(values), proved


@pytest.mark.parametrize("seed", range(60))
def test_both_engines_find_plans_of_the_same_cost(random_homes, seed):
    seen = random_homes(seed, homes=HOMES)

    reference, _, _ = solved(REFERENCE, seen)
    found, _, proved = solved(COMPILED, seen)

    gaps = np.abs(found - reference) / np.maximum(1.0, np.abs(reference))
    assert proved.all()
    assert gaps.max() <= 1e-6


@pytest.mark.parametrize("seed", range(60))
def test_compiled_plans_break_no_hard_rule(random_homes, seed):
    seen = random_homes(seed, homes=HOMES)
    bank, step_h = seen.bank, seen.block_s / 3600

    _, energy, _ = solved(COMPILED, seen)

    imports = energy[:, IMPORT] + energy[:, IMPORT_OVER]
    exports = energy[:, EXPORT] + energy[:, EXPORT_OVER]
    charge, discharge = energy[:, CHARGE], energy[:, DISCHARGE]
    terminal = charge / bank.charge_efficiency[:, None]
    terminal = terminal - discharge * bank.discharge_efficiency[:, None]
    surplus = (seen.pv_w - seen.load_w) * step_h
    stored = seen.stored_wh[:, None] + np.cumsum(charge - discharge, axis=1)
    low, high = bank.window_wh(seen.stored_wh)
    cells = bank.power_max_w[:, None] * step_h
    import_most = np.maximum(-surplus, seen.import_limit_w[:, None] * step_h)
    export_most = np.maximum(surplus, seen.export_limit_w[:, None] * step_h)
    flaws_wh = {
        "balance": np.abs(imports - exports - terminal + surplus).max(),
        "negative": -energy.min(),
        "power": (np.maximum(charge, discharge) - cells).max(),
        "window": max((stored - high[:, None]).max(), (low[:, None] - stored).max()),
        "import": (imports - import_most).max(),
        "export": (exports - export_most).max(),
        "both ways through the meter": np.minimum(imports, exports).max(),
        "charges and discharges": np.minimum(charge, discharge).max(),
    }
    assert {rule: flaw for rule, flaw in flaws_wh.items() if flaw > 1e-6} == {}


@pytest.mark.parametrize("blocks", [1, 2, 3, 4])
def test_a_home_alone_is_planned_as_among_others(random_homes, homes_of, blocks):
    seen = random_homes(blocks, homes=20, blocks=blocks)
    numbers = program(seen, export_penalty_min_per_mwh=1.0)

    together, _ = COMPILED.solve(seen, numbers)
    again, _ = COMPILED.solve(seen, numbers)

    assert together.tobytes() == again.tobytes()
    for home in range(20):
        chosen = np.array([home])
        alone = homes_of(seen, chosen)
        (row,), _ = COMPILED.solve(alone, numbers.pick(chosen))
        assert row.tobytes() == together[home].tobytes()


def test_decisions_of_both_engines_are_the_same_where_the_optimum_is_one(observe):
    seen = observe(homes=3, soc=[0.2, 0.5, 0.9], remaining_export_wh=[300.0, -200.0, 0.0])

    reference, found = Mpc().decide(seen), Mpc(engine=COMPILED).decide(seen)

    assert found.battery_power_w == pytest.approx(reference.battery_power_w, abs=1e-3)
    assert (found.follow == reference.follow).all()
    assert found.proved.all()
