"""A renewable energy community: what is shared, what it earns, and what knowing it changes."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from devices.battery_bank import BatteryBank
from hems.prosumer import Prospect
from hems.prosumer_rules import FirstHour, RuleBased
from scenarios.errors import ScenarioInputError
from scenarios.prosumer.community import CommunityAware, Incentive, account, shared_wh
from scenarios.prosumer.community_study import gather, study
from scenarios.scenario_command import scenario

pytestmark = pytest.mark.xdist_group("community")


def prospect(load_wh, pv_wh, *, imports=250.0, exports=100.0, stored_wh=0.0):
    """Return homes of 4 kWh that know the hours ahead."""
    load, pv = np.array(load_wh, dtype=np.float64), np.array(pv_wh, dtype=np.float64)
    homes, hours = load.shape
    return Prospect(
        bank=BatteryBank.uniform(homes, capacity_wh=4000.0, power_max_w=2000.0, efficiency=1.0),
        stored_wh=np.full(homes, stored_wh),
        load_wh=load,
        pv_wh=pv,
        import_price_per_mwh=np.full((1, hours), imports),
        export_price_per_mwh=np.full((1, hours), exports),
        day=np.zeros(hours, dtype=np.int64),
        shortfall_wh=np.zeros(homes),
    )


def test_what_is_shared_is_the_lesser_of_all_exports_and_all_imports():
    grid_wh = np.array([[-500.0, -500.0, 300.0, 0.0], [200.0, 800.0, 100.0, -50.0]])

    assert shared_wh(grid_wh).tolist() == [200.0, 500.0, 0.0, 0.0]


@given(st.integers(0, 2**32 - 1))
def test_sharing_is_within_bounds_and_never_grows_by_leaving_somebody_out(seed):
    grid_wh = np.random.default_rng(seed).uniform(-1000, 1000, (5, 8))
    shared = shared_wh(grid_wh)

    assert (shared <= np.abs(grid_wh).sum(axis=0) / 2 + 1e-9).all()
    assert (shared_wh(grid_wh[:4]) <= shared + 1e-9).all()


def test_the_incentive_of_2023_rises_as_the_market_falls_up_to_a_cap():
    italy = Incentive.named("2023")

    per_mwh = italy.per_mwh(np.array([300.0, 180.0, 170.0, 140.0, 20.0, -50.0]))

    assert per_mwh.tolist() == [80.0, 80.0, 90.0, 120.0, 120.0, 120.0]


def test_a_flat_incentive_does_not_look_at_the_market():
    assert Incentive.flat(110.0).per_mwh(np.array([0.0, 300.0])).tolist() == [110.0, 110.0]
    assert Incentive.named("2020").per_mwh(np.array([0.0, 300.0])).tolist() == [110.0, 110.0]


def test_unknown_and_impossible_incentives_are_refused():
    with pytest.raises(ScenarioInputError, match="'2019' is unknown; choose one of 2020, 2023"):
        Incentive.named("2019")
    with pytest.raises(ScenarioInputError, match="give a base >= 0 and a cap not below it"):
        Incentive(name="mine", base_per_mwh=100.0, cap_per_mwh=50.0)


def test_an_account_is_what_one_reckons_by_hand():
    grid_wh = np.array([[-1000.0, 500.0], [400.0, 500.0]])
    load_wh, pv_wh = np.array([[500.0, 500.0], [400.0, 500.0]]), np.array([[1500.0, 0], [0, 0]])
    prices = np.full((1, 2), 200.0), np.full((1, 2), 100.0)

    of = account(grid_wh, load_wh, pv_wh, prices=prices, incentive_per_mwh=np.full(2, 110.0))

    assert of.bills == pytest.approx((1400 * 200 - 1000 * 100) / 1e6)
    assert of.shared_kwh == pytest.approx(0.4)
    assert of.incentive == pytest.approx(400 * 110 / 1e6)
    assert of.collective_self_consumption == pytest.approx(1 - 600 / 1500)
    assert of.collective_self_supply == pytest.approx(1 - 1000 / 1900)
    assert (of.peak_import_w, of.peak_export_w) == (1000.0, 600.0)


@pytest.mark.parametrize("first_hour", FirstHour)
def test_knowing_of_no_incentive_changes_nothing(first_hour):
    rng = np.random.default_rng(1)
    seen = prospect(rng.uniform(0, 900, (4, 48)), rng.uniform(0, 1500, (4, 48)))
    rules = RuleBased(first_hour=first_hour)

    own = rules.plan(seen)
    aware = CommunityAware(planner=rules, incentive=Incentive.flat(0.0)).plan(seen)

    assert aware.battery_wh.tolist() == own.battery_wh.tolist()
    assert aware.leave.low_wh.tolist() == own.leave.low_wh.tolist()
    assert aware.cost_micro == pytest.approx(own.cost_micro)


@pytest.mark.parametrize("first_hour", FirstHour)
@pytest.mark.parametrize("seed", range(4))
def test_an_aware_plan_never_costs_the_community_more_than_each_for_itself(first_hour, seed):
    rng = np.random.default_rng(seed)
    seen = prospect(
        rng.uniform(0, 900, (6, 72)), rng.uniform(0, 1500, (6, 72)) * (rng.random((6, 1)) < 0.6)
    )
    seen = replace(seen, export_price_per_mwh=rng.uniform(50, 200, (1, 72)))
    rules, incentive = RuleBased(first_hour=first_hour), Incentive.flat(110.0)

    def cost(found):
        return float(found.cost_micro.sum() - 110.0 * shared_wh(found.grid_wh).sum())

    own = rules.plan(seen)
    aware = CommunityAware(planner=rules, incentive=incentive).plan(seen)

    assert cost(aware) <= cost(own) + 1e-6


def test_a_battery_waits_for_the_hour_in_which_nobody_needs_its_surplus():
    # both hours of sun sell alike; in the first a neighbour lacks as much as there is to share
    seen = prospect(
        [[0, 0, 1500, 0], [1500, 0, 0, 0]], [[1500, 1500, 0, 0], [0, 0, 0, 0]], exports=100.0
    )
    rules = RuleBased(first_hour=FirstHour.WORTH)

    own = rules.plan(seen)
    aware = CommunityAware(planner=rules, incentive=Incentive.flat(110.0)).plan(seen)

    assert shared_wh(aware.grid_wh)[0] >= shared_wh(own.grid_wh)[0]
    assert aware.battery_wh[0, 0] == 0.0
    assert aware.battery_wh[0, 1] == 1500.0


@pytest.fixture(scope="module")
def week():
    """Return six generated homes over five days."""
    return gather(None, last_day=date(2022, 6, 5), days=5, homes=6, seed=2)


def test_a_community_has_who_it_was_asked_for(week):
    assert week.series.homes == 6
    assert int((week.series.pv_wh.sum(axis=1) > 0).sum()) == 4
    assert int(week.has_battery.sum()) == 2
    assert (week.bank.power_max_w > 0).tolist() == week.has_battery.tolist()
    assert (week.series.pv_wh[week.has_battery].sum(axis=1) > 0).all()


def test_a_study_balances_and_batteries_of_none_do_nothing(week):
    told = []
    found = study(week, horizon_h=24, progress=told.append)

    of = {case.name: case for case in found.cases}
    load_kwh = week.series.load_wh[:, 24:].sum() / 1e3
    pv_kwh = week.series.pv_wh[:, 24:].sum() / 1e3
    bare = of["no batteries"].account
    assert bare.import_kwh - bare.export_kwh == pytest.approx(load_kwh - pv_kwh)
    assert all(case.account.shared_kwh <= case.account.export_kwh for case in found.cases)
    assert of["self-consumption"].account.import_kwh < bare.import_kwh
    assert told == list(range(1, 7 * found.hours + 1))
    assert len(found.lines()) > len(found.cases)


def test_the_command_prints_the_same_twice():
    arguments = ["run", "community", "--homes", "4", "--days", "4", "--incentive", "0.11/kWh"]

    def told():
        run = CliRunner().invoke(
            scenario, [*arguments, "--forecast", "persistence"], catch_exceptions=False
        )
        assert run.exit_code == 0
        # but for the time, whose width is not always the same
        return [line.rstrip().rpartition(" ")[0].rstrip() for line in run.output.splitlines()]

    first = told()

    assert first == told()
    assert any("worth, aware" in line for line in first)
