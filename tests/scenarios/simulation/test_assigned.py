"""Homes of one fleet under different controllers, and homes that leave the grid."""

import hashlib
import json
from dataclasses import replace
from datetime import date

import numpy as np
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from devices.battery_bank import BatteryBank
from hems.controller import Decision, Observation
from hems.fuzzy.habib import HabibFuzzy
from hems.self_consumption import SelfConsumption
from scenarios.errors import ScenarioInputError
from scenarios.simulation.arrangement import Arrangement
from scenarios.simulation.assigned import Assigned, assigned, members_named, of_part
from scenarios.simulation.controllers import PerHome, controller_named
from scenarios.simulation.day_prices import knowing
from scenarios.simulation.disturbances import Disturbances
from scenarios.simulation.fleet import Rules
from scenarios.simulation.fleet_run import FleetRun, run_fleet
from scenarios.simulation.fleet_run_command import fleet
from scenarios.simulation.islands import live_minute

RUN = FleetRun(
    first_day=date(2021, 6, 15),
    days=2,
    homes=4,
    rules=Rules(report_s=900, decide_s=600, seed=3),
    controller="self-consumption",
    controllers={"hh_01": "fuzzy", "hh_03": "soc-rules"},
    watch=(1, 3),
)


class Killed(Exception):  # noqa: N818 -- it is no error
    """The process ends here."""


def files(folder):
    """Return the digest of every result of a run by its path."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "checkpoint.npz"
    }


@pytest.fixture(scope="module")
def whole(tmp_path_factory, needs_pyrevm):
    """Return the folder and figures of a run in one go."""
    out = tmp_path_factory.mktemp("whole")
    return out, run_fleet(RUN, out, shards=1)


def homes_of(folder, names, home):
    """Return columns of one home over all days."""
    tables = [pq.read_table(path) for path in sorted((folder / "homes").glob("*.parquet"))]
    return {
        name: np.concatenate([t[name].to_numpy()[t["home"].to_numpy() == home] for t in tables])
        for name in names
    }


def test_balances_of_a_mixed_fleet_close(whole):
    out, figures = whole

    assert figures["energy_balance_error_wh"] <= 1e-6
    for home in range(RUN.homes):
        rows = homes_of(out, ("load_wh", "pv_wh", "import_wh", "export_wh", "charge_wh",
                              "discharge_wh", "stored_wh"), home)  # fmt: skip
        net_wh = rows["import_wh"] - rows["export_wh"]
        battery_wh = rows["charge_wh"] - rows["discharge_wh"]
        assert np.abs(rows["load_wh"] - rows["pv_wh"] + battery_wh - net_wh).max() <= 1e-6
        stored_wh = np.concatenate([[0.5 * 10_300.0], rows["stored_wh"]])
        cells_wh = 0.9 * rows["charge_wh"] - rows["discharge_wh"] / 0.9
        assert np.abs(np.diff(stored_wh) - cells_wh).max() <= 1e-6


def test_islands_take_exactly_nothing_from_the_grid(whole):
    minutes = pq.read_table(whole[0] / "minutes" / "2021-06-16.parquet")

    for home in (1, 3):
        grid_w, load_w, pv_w, battery_w = (
            minutes[f"home{home}_{name}"].to_numpy()
            for name in ("grid_w", "load_w", "pv_w", "battery_w")
        )
        island = grid_w == 0.0
        assert island.sum() > 200
        assert np.abs(battery_w - (pv_w - load_w))[island].max() <= 1e-2


def test_homes_of_others_live_as_if_all_were_theirs(whole, tmp_path):
    run_fleet(replace(RUN, controllers={}), tmp_path, shards=1)

    names = ("import_wh", "export_wh", "stored_wh")
    same = [
        all(np.array_equal(a, b) for a, b in zip(
            homes_of(whole[0], names, home).values(), homes_of(tmp_path, names, home).values(),
            strict=True))
        for home in range(4)
    ]  # fmt: skip
    assert same == [True, False, True, False]


def test_a_mixed_fleet_is_the_same_in_shards_and_after_a_stop(whole, tmp_path):
    def progress(done, _):
        if done == 1_600:
            raise Killed

    with pytest.raises(Killed):
        run_fleet(RUN, tmp_path, shards=3, progress=progress)
    run_fleet(RUN, tmp_path, shards=2)

    assert files(tmp_path) == files(whole[0])


def test_a_run_with_other_homes_of_their_own_is_another_run(whole):
    with pytest.raises(ScenarioInputError, match=r"controllers\.hh_01 fuzzy, not soc-rules"):
        run_fleet(replace(RUN, controllers={"hh_01": "soc-rules", "hh_03": "soc-rules"}), whole[0])


def test_of_each_part_decide_those_who_are_in_it():
    usual = SelfConsumption()
    controller = assigned(usual, {3: "fuzzy"})

    assert isinstance(controller, Assigned)
    assert of_part(controller, range(3)) is usual
    assert list(of_part(controller, range(2, 5)).own) == [1]
    assert assigned(usual, {}) is usual
    assert of_part(usual, range(2)) is usual


def test_each_home_decides_by_its_own_at_the_days_prices():
    rng = np.random.default_rng(5)
    bank = BatteryBank.uniform(4)
    seen = Observation(
        bank=bank,
        stored_wh=rng.uniform(0, 1, 4) * bank.capacity_wh,
        block_s=np.array([600.0, 1_200.0]),
        load_w=rng.uniform(0, 4_000, (4, 2)),
        pv_w=rng.uniform(0, 4_000, (4, 2)),
        import_price_per_mwh=120.0,
        export_price_per_mwh=40.0,
        import_limit_w=np.full(4, 9_000.0),
        export_limit_w=np.full(4, 9_000.0),
        remaining_export_wh=np.zeros(4),
        steered=np.zeros(4, dtype=bool),
        soc_target=np.full(4, 0.5),
    )
    prices = np.array([100.0, 200.0])

    together = knowing(assigned(SelfConsumption(), {1: "fuzzy", 2: "fuzzy"}), prices).decide(seen)
    fuzzy = HabibFuzzy().knowing(prices).decide(seen)

    assert together.battery_power_w[1:3].tolist() == fuzzy.battery_power_w[1:3].tolist()
    assert together.relay_closed.tolist() == [True, *fuzzy.relay_closed[1:3].tolist(), True]
    assert together.follow.tolist() == [True, *fuzzy.follow[1:3].tolist(), True]


def test_a_site_of_many_homes_knows_the_days_prices_too():
    prices = np.array([1.0, 3.0])

    assert knowing(PerHome(HabibFuzzy(), 5), prices) == PerHome(HabibFuzzy().knowing(prices), 5)
    assert [type(controller_named(name)).__name__ for name in ("fuzzy", "soc-rules")] == [
        "HabibFuzzy",
        "SocRules",
    ]


def minute(bank, decision_fields, load_w, pv_w, *, soc=0.5, limits=None):
    """Return what a minute at one home leaves, in Wh and W."""
    decision = Decision(
        **{
            "follow": np.array([True]),
            "battery_power_w": np.zeros(1),
            "proved": np.zeros(1, dtype=bool),
            "cap_excess_wh": np.zeros(1),
            "relay_closed": np.array([False]),
            **decision_fields,
        }
    )
    found = live_minute(
        bank, soc * bank.capacity_wh, decision,
        limits=limits or Disturbances(), load_w=np.array([load_w]), pv_w=np.array([pv_w]),
    )  # fmt: skip
    return [round(float(each[0]), 9) for each in found]


BANK = BatteryBank.uniform(1, capacity_wh=6_000.0, power_max_w=3_000.0, efficiency=1.0)


@pytest.mark.parametrize(
    ("load_w", "pv_w", "soc", "after"),
    [
        (600.0, 0.0, 0.5, [2_990.0, -600.0, 0.0]),
        (0.0, 1_200.0, 0.5, [3_020.0, 1_200.0, 0.0]),
        # overloaded, empty, full: the relay stays closed, the grid takes the rest
        (3_600.0, 0.0, 0.5, [2_950.0, -3_000.0, 600.0]),
        (600.0, 0.0, 0.001, [0.0, -360.0, 240.0]),
        (0.0, 600.0, 1.0, [6_000.0, 0.0, -600.0]),
    ],
)
def test_an_island_is_one_as_long_as_its_battery_carries_it(load_w, pv_w, soc, after):
    assert minute(BANK, {}, load_w, pv_w, soc=soc) == after


def test_limits_of_set_points_do_not_hold_in_an_island_but_those_of_power_do():
    coarse = Disturbances(deadband_w=100.0, quantum_w=500.0)

    assert minute(BANK, {}, 60.0, 0.0, limits=coarse) == [2_999.0, -60.0, 0.0]
    # as a home that the grid carries: the battery idles in its dead band
    closed = {"relay_closed": np.array([True])}
    assert minute(BANK, closed, 60.0, 0.0, limits=coarse) == [3_000.0, 0.0, 60.0]
    capped = Disturbances(power_cap_w=600.0)
    assert minute(BANK, {}, 1_200.0, 0.0, limits=capped) == [2_990.0, -600.0, 600.0]


@pytest.mark.parametrize(
    ("controllers", "message"),
    [
        ({"hh_04": "fuzzy"}, "controller of 'hh_04': name each of hh_00 to hh_03 at most once"),
        ({"home 1": "fuzzy"}, "controller of 'home 1': name"),
        ({"hh_1": "fuzzy", "hh_01": "mpc"}, "controller of 'hh_01': name"),
        ({"hh_01": "luck"}, "controller 'luck' of hh_01: choose one of mpc, self-consumption"),
    ],
)
def test_homes_and_controllers_that_are_none_are_refused(controllers, message):
    with pytest.raises(ScenarioInputError, match=message):
        replace(RUN, controllers=controllers)
    with pytest.raises(ScenarioInputError, match=message):
        members_named(controllers, 4)


def test_a_central_site_has_no_homes_that_decide():
    central = Arrangement(panels="central", batteries="central")

    with pytest.raises(ScenarioInputError, match="no home decides; name one for the run"):
        replace(RUN, arrangement=central)


def test_the_command_names_a_controller_and_those_of_single_homes(tmp_path, needs_pyrevm):
    few = ("--homes", "2", "--days", "1", "--t-sc", "15", "--t-j", "15", "--json", "--out")

    told = CliRunner().invoke(
        fleet, [*few, str(tmp_path / "run"), "--controller", "soc-rules", "--controller-of",
                "hh_01=fuzzy"], env={"GRIDPACT_DATA": None},
    )  # fmt: skip
    wrong = CliRunner().invoke(fleet, [*few, str(tmp_path / "no"), "--controller-of", "hh_02=mpc"])

    asked = json.loads(told.stdout)["asked"]
    assert (asked["controller"], asked["controllers"]) == ("soc-rules", {"hh_01": "fuzzy"})
    assert wrong.exit_code == 2
    assert "name each of hh_00 to hh_01 at most once" in wrong.stderr
    assert not (tmp_path / "no").exists()
