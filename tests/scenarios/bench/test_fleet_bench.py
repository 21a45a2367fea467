"""`gridpact bench fleet`: what it measures is what it says."""

import numpy as np

from hems.mpc import Mpc
from hems.mpc_compiled import CompiledEngine
from scenarios.bench.command import BENCHES
from scenarios.bench.fleet_bench import lived, mpc_oracle, mpc_us_per_home, plan_ms
from scenarios.bench.fleet_bench_command import TARGETS, fleet
from scenarios.bench.mpc_instances import random_homes


def test_it_is_among_the_benches_with_its_options():
    assert BENCHES["fleet"].load() is fleet
    assert {parameter.name for parameter in fleet.params} == {"as_json", "quick", "data"}


def test_compiled_decisions_cost_what_those_of_highs_do():
    told = []

    found = mpc_oracle(400, tell=lambda *at: told.append(at))

    assert found["instances"] == 400
    assert found["worst_gap"] <= 1e-6
    assert found["unproved"] == 0
    assert told[-1] == ("MPC against HiGHS", 400, 400)


def test_instances_hold_what_is_rare():
    seen = [random_homes(seed, 200) for seed in range(20)]
    stored = np.concatenate([each.stored_wh / each.bank.capacity_wh for each in seen])
    debts = np.concatenate([each.remaining_export_wh for each in seen])
    caps_w = np.concatenate([each.export_limit_w for each in seen])

    assert {0.0, 1.0} <= set(stored.tolist())
    assert (debts == 0).any()
    assert (np.abs(debts) > 10_000).any()
    assert (caps_w == 0).any()
    assert min(each.import_price_per_mwh for each in seen) < 0
    assert min(each.export_price_per_mwh for each in seen) < 0
    assert any(each.export_price_per_mwh > each.import_price_per_mwh for each in seen)
    # one step before the interval ends, and nearly all of it
    assert {each.block_s.shape[0] for each in seen} >= {2, 3}
    assert np.array_equal(random_homes(3, 5).load_w, random_homes(3, 5).load_w)


def test_instances_are_decided_for_without_a_doubt():
    decision = Mpc(engine=CompiledEngine()).decide(random_homes(1, 300, import_price=-80.0))

    assert decision.proved.all()


def test_times_are_times():
    assert mpc_us_per_home(import_price=150.0, export_price=50.0, repeats=3) > 0
    assert plan_ms(flat=False) > 0
    assert set(TARGETS) >= {"mpc_us_per_home", "plan_ms", "month_s", "day_10k_s"}


def test_day_is_lived_in_a_process_of_its_own(needs_pyrevm):
    day = lived(2, 1)

    assert day.reports == 3 * 289
    assert day.wall_s > 0
    assert day.rss_mb > 50
