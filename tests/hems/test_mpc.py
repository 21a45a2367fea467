"""The home MPC: pure, the same for a home alone and among others, honest about its proofs."""

from dataclasses import fields, replace

import numpy as np
import pytest

import hems.mpc_engine
from devices.battery_bank import BatteryBank
from hems.controller import Observation
from hems.mpc import Mpc
from hems.mpc_engine import KEPT_MAX
from hems.mpc_relaxation import Relaxation


def bytes_of(decision):
    values = (getattr(decision, field.name) for field in fields(decision))
    return [each if each is None else each.tobytes() for each in values]


@pytest.mark.parametrize("seed", range(12))
def test_home_among_others_is_decided_as_if_alone(random_homes, homes_of, seed):
    seen = random_homes(seed, homes=25)

    together = Mpc().decide(seen)
    alone = [Mpc().decide(homes_of(seen, np.array([home]))) for home in range(25)]

    assert [one.follow[0] for one in alone] == together.follow.tolist()
    assert [one.proved[0] for one in alone] == together.proved.tolist()
    for name in ("battery_power_w", "cap_excess_wh"):
        single = [getattr(one, name)[0] for one in alone]
        np.testing.assert_allclose(single, getattr(together, name), rtol=0, atol=1e-6)


@pytest.mark.parametrize("seed", range(12))
def test_homes_in_another_order_get_the_same_decisions_in_that_order(random_homes, homes_of, seed):
    seen = random_homes(100 + seed, homes=40)
    order = np.random.default_rng(seed).permutation(40)

    straight, shuffled = Mpc().decide(seen), Mpc().decide(homes_of(seen, order))

    assert shuffled.follow.tolist() == straight.follow[order].tolist()
    np.testing.assert_allclose(
        shuffled.battery_power_w, straight.battery_power_w[order], rtol=0, atol=1e-6
    )


def test_deciding_twice_and_after_other_observations_gives_the_same_bytes(random_homes):
    mpc = Mpc()
    seen = random_homes(1, homes=30, blocks=4)
    others = [
        replace(random_homes(seed, homes=30, blocks=4), bank=seen.bank, stored_wh=seen.stored_wh)
        for seed in range(2, 10)
    ]

    first = bytes_of(mpc.decide(seen))

    assert bytes_of(mpc.decide(seen)) == first
    for other in others:  # the same bank and blocks: the kept model is changed, not rebuilt
        assert bytes_of(mpc.decide(other)) == bytes_of(Mpc().decide(other))
        assert bytes_of(mpc.decide(seen)) == first
    mpc.decide(random_homes(10, homes=7, blocks=4))  # another bank
    mpc.decide(random_homes(11, homes=30, blocks=2))  # another number of blocks
    assert bytes_of(mpc.decide(seen)) == first
    assert bytes_of(Mpc().decide(seen)) == first


def test_homes_that_would_burn_energy_are_settled_by_branching_and_proved(
    random_homes, monkeypatch
):
    open_homes = []
    branch = hems.mpc_engine.branch

    def counted(seen, numbers, relaxed, netted):
        open_homes.extend(np.flatnonzero(~netted.proved))
        return branch(seen, numbers, relaxed, netted)

    monkeypatch.setattr(hems.mpc_engine, "branch", counted)
    decisions = [Mpc().decide(random_homes(seed)) for seed in range(60)]

    assert len(open_homes) >= 5  # the random homes do reach this path
    assert all(decision.proved.all() for decision in decisions)


def test_first_step_of_the_plan_is_the_set_point_at_the_terminals(random_homes):
    seen = random_homes(7, homes=40)
    mpc = Mpc()

    energy, _ = mpc.plan(seen)
    decision = mpc.decide(seen)

    cells_w = (energy[:, 4, 0] - energy[:, 5, 0]) / (seen.block_s[0] / 3600)
    np.testing.assert_allclose(seen.bank.cell_power_w(decision.battery_power_w), cells_w, atol=1e-9)


def stumbling_home() -> Observation:
    """Return a home that HiGHS 1.15 without presolve leaves in doubt."""
    one = np.ones(1)
    bank = BatteryBank(
        capacity_wh=10_300 * one,
        power_max_w=5_300 * one,
        charge_efficiency=0.95 * one,
        discharge_efficiency=0.9 * one,
        soc_min=0.1 * one,
        soc_max=0.9 * one,
    )
    return Observation(
        bank=bank,
        stored_wh=10_300 * one,
        block_s=np.array([60.0, 1.0, 900.0]),
        load_w=np.array([[6_548.22427888, 4_866.96508075, 0.0]]),
        pv_w=np.array([[34.93042461, 0.0, 1_858.43431925]]),
        import_price_per_mwh=-80.0,
        export_price_per_mwh=50.0,
        import_limit_w=23_000 * one,
        export_limit_w=23_000 * one,
        remaining_export_wh=np.zeros(1),
        steered=np.ones(1, dtype=bool),
        soc_target=0.90472904 * one,
    )


def test_home_that_the_solver_stumbles_over_is_decided_and_proved():
    decision = Mpc().decide(stumbling_home())

    assert decision.proved.all()


def test_home_without_a_solution_follows_and_costs_no_other_its_decision(random_homes, monkeypatch):
    seen = random_homes(3, homes=5, blocks=2)
    optimal = Relaxation._optimal

    def doubtful(self, presolve):
        # as if HiGHS gave up on every program that holds home 2
        holds = np.isin(seen.bank.capacity_wh[2], self.bank.capacity_wh)
        return False if holds else optimal(self, presolve)

    whole = Mpc().decide(seen)
    monkeypatch.setattr(Relaxation, "_optimal", doubtful)
    decision = Mpc().decide(seen)

    others = [0, 1, 3, 4]
    assert (decision.follow[2], decision.proved[2]) == (True, False)
    assert decision.battery_power_w[2] == 0.0
    assert decision.follow[others].tolist() == whole.follow[others].tolist()
    assert decision.proved[others].all()
    assert decision.battery_power_w[others] == pytest.approx(
        whole.battery_power_w[others], abs=1e-6
    )


def test_kept_models_are_bounded(random_homes):
    mpc, seen = Mpc(), random_homes(1, homes=2, blocks=1)

    for second in range(1, 100):
        mpc.decide(replace(seen, block_s=np.array([float(second)])))

    assert len(mpc.engine._kept) == KEPT_MAX
