"""Homes in workers of Ray: the results of one process, and one clear line when a worker dies."""

import hashlib
import os
import socket
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import date
from importlib import import_module
from importlib.util import find_spec

import pytest
from click.testing import CliRunner

from scenarios.errors import ScenarioInputError, WorkerLostError
from scenarios.simulation.checkpoint import load
from scenarios.simulation.disturbances import Disturbances
from scenarios.simulation.fleet import Rules
from scenarios.simulation.fleet_run import FleetRun, run_fleet
from scenarios.simulation.fleet_run_command import fleet
from scenarios.simulation.ray_engine import RayEngine

WRONG = Disturbances(latency_s=90, lost_share=0.1, offline_share=0.25)
RUN = FleetRun(
    first_day=date(2021, 3, 27),
    days=2,
    homes=3,
    rules=Rules(report_s=900, decide_s=900, seed=3, disturbances=WRONG),
)


def files(folder):
    """Return the digest of every result of a run by its path."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "checkpoint.npz"
    }


@pytest.fixture
def ray(left_out, needs_pyrevm, monkeypatch):
    """Return Ray, which joins no cluster of anybody's; leave the test out where it is missing."""
    if find_spec("ray") is None:
        left_out("Ray is needed: install gridpact[cluster]")
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    return import_module("ray")


@dataclass
class Seen:
    """An engine whose shards a test can reach."""

    workers: int
    put: list = field(default_factory=list)

    def __call__(self, homes):
        self.put.append(RayEngine(self.workers)(homes))
        return self.put[-1]


@pytest.mark.xdist_group("ray")
def test_two_workers_leave_the_bytes_of_one_process_although_one_dies(tmp_path, ray):
    engine = Seen(workers=2)

    def lose_a_worker(done, _):
        if done == 1900:
            ray.kill(engine.put[0].actors[1])

    with pytest.raises(WorkerLostError, match="the same command goes on") as lost:
        run_fleet(RUN, tmp_path / "ray", engine=engine, progress=lose_a_worker)

    assert "\n" not in str(lost.value)
    assert not ray.is_initialized()
    assert load(tmp_path / "ray", RUN.asked()).days_done == 1
    run_fleet(RUN, tmp_path / "local", shards=1)
    of_first_day = {name for name in files(tmp_path / "local") if "2021-03-27" in name}
    there = files(tmp_path / "ray")
    assert there == {name: files(tmp_path / "local")[name] for name in of_first_day}
    # what Ray left goes on in this process
    run_fleet(RUN, tmp_path / "ray")
    assert files(tmp_path / "ray") == files(tmp_path / "local")


def test_without_ray_it_says_in_one_line_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)  # as Python marks what cannot be imported

    asked = ("--homes", "2", "--days", "1", "--engine", "ray", "--out", str(tmp_path / "run"))
    refused = CliRunner().invoke(fleet, asked)

    assert isinstance(refused.exception, ScenarioInputError)
    assert str(refused.exception) == (
        "--engine ray needs Ray, which is not installed; install gridpact[cluster]"
    )


def test_cluster_that_does_not_answer_is_named_in_one_line(tmp_path, ray, monkeypatch):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # taken, but nobody listens
        address = f"127.0.0.1:{closed.getsockname()[1]}"
        monkeypatch.setenv("RAY_ADDRESS", address)

        with pytest.raises(ScenarioInputError) as refused:
            run_fleet(RUN, tmp_path, engine=RayEngine(2))

    assert str(refused.value) == (
        f"nobody answers at RAY_ADDRESS={address}: start the cluster there, or unset that"
    )


def test_ray_is_imported_only_when_it_is_asked_for():
    modules = "scenarios.simulation.fleet_run, scenarios.simulation.ray_engine"
    code = f"import {modules}, sys; print('ray' in sys.modules)"

    printed = subprocess.run(
        [sys.executable, "-c", code], env=os.environ, capture_output=True, text=True, check=True
    )

    assert printed.stdout == "False\n"
