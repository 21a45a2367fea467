"""Homes in shards: it does not matter how a fleet is cut, and nobody holds a city's minutes."""

import hashlib
import tracemalloc
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hems.self_consumption import SelfConsumption
from scenarios.data.generate import (
    BLOCK_HOMES,
    generate_fleet_data,
    generated_homes,
    generated_surroundings,
)
from scenarios.data.home_minutes import HomeMinutes
from scenarios.simulation.checkpoint import load
from scenarios.simulation.disturbances import Disturbances
from scenarios.simulation.fleet import Rules, made_up_accounts, paper_fleet
from scenarios.simulation.fleet_homes import FleetHomes
from scenarios.simulation.fleet_run import FleetRun, run_fleet
from scenarios.simulation.fleet_state import ContractSide
from scenarios.simulation.shards import SHARD_HOMES, parts_of

DAY = date(2021, 6, 16)
WRONG = Disturbances(
    latency_s=90,
    lost_share=0.1,
    offline_share=0.25,
    power_cap_w=2000.0,
    deadband_w=30.0,
    quantum_w=25.0,
)
RUN = FleetRun(
    first_day=date(2021, 3, 27),
    days=2,
    homes=7,
    rules=Rules(report_s=900, decide_s=900, seed=3, disturbances=WRONG),
    watch=(0, 5),
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
    """Return the folder of a run of one shard."""
    out = tmp_path_factory.mktemp("whole")
    run_fleet(RUN, out, shards=1)
    return out


@pytest.mark.parametrize(("shards", "sizes"), [(3, [2, 2, 3]), (5, [1, 1, 2, 1, 2])])
def test_shards_of_unequal_size_leave_the_bytes_of_one(tmp_path, whole, shards, sizes):
    run_fleet(RUN, tmp_path, shards=shards)

    assert [len(part) for part in parts_of(RUN.homes, shards)] == sizes
    assert files(tmp_path) == files(whole)
    ours, theirs = load(tmp_path, RUN.asked()), load(whole, RUN.asked())
    assert ours.chain == theirs.chain
    assert ours.state.homes.past.pv_w.tobytes() == theirs.state.homes.past.pv_w.tobytes()
    assert ours.state.homes.stored_wh.tobytes() == theirs.state.homes.stored_wh.tobytes()


@pytest.mark.parametrize("latency_s", [0, 61, 890])
def test_answers_reach_every_shard_however_late_they_are(tmp_path, latency_s, needs_pyrevm):
    # 890 s: they arrive as the next report is made
    rules = replace(RUN.rules, disturbances=Disturbances(latency_s=latency_s, lost_share=0.3))
    run = replace(RUN, days=1, homes=4, rules=rules)

    run_fleet(run, tmp_path / "one", shards=1)
    run_fleet(run, tmp_path / "three", shards=3)

    assert files(tmp_path / "three") == files(tmp_path / "one")


def test_killed_run_goes_on_in_other_shards(tmp_path, whole):
    def progress(done, _):
        if done == 2000:
            raise Killed

    with pytest.raises(Killed):
        run_fleet(RUN, tmp_path, shards=3, progress=progress)
    assert load(tmp_path, RUN.asked()).days_done == 1
    run_fleet(RUN, tmp_path, shards=2)

    assert files(tmp_path) == files(whole)


def test_minutes_are_the_fleet_and_those_who_are_watched(whole):
    minutes = pq.read_table(whole / "minutes" / "2021-03-28.parquet")
    homes = pq.read_table(whole / "homes" / "2021-03-28.parquet")
    of_home_5 = homes.filter(np.equal(homes["home"].to_numpy(), 5))

    assert minutes.num_rows == 23 * 60
    assert np.unique(np.diff(minutes["minute_s"].to_numpy())).tolist() == [60]
    assert [name for name in minutes.column_names if name.startswith("home")] == [
        f"home{home}_{series}"
        for home in (0, 5)
        for series in ("load_w", "pv_w", "battery_w", "grid_w", "stored_wh")
    ]
    for series, column in (("load_w", "load_wh"), ("pv_w", "pv_wh")):
        fleet_wh = minutes[series].to_numpy().sum() / 60
        assert fleet_wh == pytest.approx(homes[column].to_numpy().sum(), abs=1e-3)
        home_wh = minutes[f"home5_{series}"].to_numpy().sum() / 60
        assert home_wh == pytest.approx(of_home_5[column].to_numpy().sum(), abs=1e-6)
    house_w = minutes["load_w"].to_numpy() + minutes["battery_w"].to_numpy()
    meters_w = house_w - minutes["pv_w"].to_numpy()
    # seven homes, each rounded to a microwatt
    assert np.abs(minutes["grid_w"].to_numpy() - meters_w).max() <= 4 * 7e-6
    stored_wh = of_home_5["stored_wh"].to_numpy()
    assert minutes["home5_stored_wh"].to_numpy()[30::30].tolist() == stored_wh[:-1].tolist()


@given(
    homes=st.integers(1, 30_000), shards=st.none() | st.integers(1, 64), workers=st.integers(1, 9)
)
def test_parts_hold_every_home_once_and_none_is_empty(homes, shards, workers):
    parts = parts_of(homes, shards, workers=workers)

    assert parts[0].start == 0
    assert parts[-1].stop == homes
    assert [part.stop for part in parts[:-1]] == [part.start for part in parts[1:]]
    assert all(parts)
    assert len(parts) >= min(shards or workers, homes)
    if shards is None:
        assert max(len(part) for part in parts) <= SHARD_HOMES + BLOCK_HOMES
    if homes >= BLOCK_HOMES * len(parts):
        assert all(part.start % BLOCK_HOMES == 0 for part in parts)


def test_homes_of_a_part_are_those_of_the_fleet():
    homes, part = BLOCK_HOMES + 40, range(BLOCK_HOMES - 7, BLOCK_HOMES + 3)
    fleet = generate_fleet_data(day=DAY, homes=homes, seed=2, history_days=0)

    blocks = list(generated_homes(day=DAY, homes=homes, part=part, seed=2, history_days=0))
    around = generated_surroundings(day=DAY, homes=homes, seed=2, history_days=0)

    assert [block.load_w.shape[0] for block in blocks] == [7, 3]
    rows = slice(part.start, part.stop)
    load_w = np.concatenate([block.load_w for block in blocks])
    pv_w = np.concatenate([block.pv_w for block in blocks])
    assert load_w.tobytes() == fleet.load_w[rows].tobytes()
    assert pv_w.tobytes() == fleet.pv_w[rows].tobytes()
    assert around.plant_pv_w.tobytes() == fleet.plant_pv_w.tobytes()
    assert around.plant_wind_w.tobytes() == fleet.plant_wind_w.tobytes()
    assert around.provenance == fleet.provenance
    assert np.array_equal(around.import_price_per_mwh, fleet.import_price_per_mwh)


@dataclass(frozen=True)
class Plain:
    """A source of many homes that are all alike, which costs no memory to speak of."""

    def surroundings(self, day, *, history_days=0):
        return generate_fleet_data(day=day, homes=1, history_days=0)

    def minutes(self, day, part, *, history_days):
        minutes = 1440 * (1 + history_days)
        for first in range(part.start, part.stop, 50):
            rows = min(50, part.stop - first)
            load_w = np.tile(np.arange(minutes) % 700 + 100.0, (rows, 1))
            yield HomeMinutes(load_w=load_w, pv_w=900.0 - load_w)


def peak_bytes(homes):
    """Return the most memory that a day of a fleet takes in shards of 100, its record included."""
    fleet = paper_fleet(homes, tuple(made_up_accounts(homes + 1)))
    tracemalloc.start()
    try:
        with FleetHomes(
            source=Plain(),
            fleet=fleet,
            rules=Rules(decide_s=900),
            controller=SelfConsumption(),
            shards=homes // 100,
        ) as lived:
            data = lived.first(DAY, 0.5 * fleet.bank.capacity_wh)
            loop = lived.loop(data, ledger=None, clock=None, state=ContractSide.fresh(homes))
            record = lived.record(loop.run())
        assert record.homes == homes
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_home_takes_less_memory_than_the_minutes_of_its_day():
    # load, production, battery, meter and cells of a day's minutes would be 58 kB
    minute_series_bytes = 1440 * 8

    per_home = (peak_bytes(400) - peak_bytes(100)) / 300

    assert per_home < 1.5 * minute_series_bytes
