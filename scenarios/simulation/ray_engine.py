"""Shards in the workers of a Ray cluster: `gridpact[cluster]`.

A worker holds the shards of consecutive homes and all that they need; what passes at each exchange
is what `scenarios.simulation.correspondence` names. Ray is imported when it is asked for, and told
to phone nobody: no usage statistics, no dashboard.
"""

import logging
import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from itertools import pairwise
from typing import Any, Final

from scenarios.errors import ScenarioInputError, WorkerLostError
from scenarios.simulation.shard import ShardHomes
from scenarios.simulation.shards import LocalShards, Shards

QUIET: Final = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_USAGE_STATS_PROMPT_ENABLED": "0",
    # What Ray would do in future about processors it does not find: nothing that concerns us.
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}
"""What a Ray that is started here finds in its environment."""
STORE_BYTES: Final = 512 * 2**20
"""Shared memory of a Ray that is started here; what does not fit waits on disk. [bytes]"""
CONNECT_S: Final = 10.0
"""How long the head of a cluster may take to answer. [s]"""
START_S: Final = 300.0
"""How long workers may take to start. [s]"""


class Worker(LocalShards):
    """Some shards of a fleet in a process of Ray's."""

    def version(self) -> str:
        """Return the version of Gridpact here."""
        return version("gridpact")


@dataclass(frozen=True, slots=True)
class RayEngine:
    """See `scenarios.simulation.shards.Engine`; puts shards into Ray workers.

    It joins the cluster that ``RAY_ADDRESS`` names; without one it starts a Ray on this machine and
    ends it with the run.
    """

    workers: int
    """Processes, each of which takes one processor."""

    def __call__(self, homes: Sequence[ShardHomes]) -> Shards:
        """Put the shards of a fleet into workers.

        Raises
        ------
        ScenarioInputError
            If Ray is not installed or not there, or a worker has another version of Gridpact.
        """
        return RayShards(homes, workers=min(self.workers, len(homes)))


class RayShards:
    """See `scenarios.simulation.shards.Shards`.

    Parameters
    ----------
    homes : Sequence[ShardHomes]
        Who lives in each shard.
    workers : int
        Processes, at most one a shard.
    """

    def __init__(self, homes: Sequence[ShardHomes], *, workers: int) -> None:
        self.parts: Sequence[range] = [each.part for each in homes]
        """See `scenarios.simulation.shards.Shards`."""
        self._ray = _ray()
        self._mine = _join(self._ray, workers)
        self.actors: list[Any] = []
        """Ray's handles of the workers."""
        try:
            self._put(homes, workers)
        except BaseException:
            self.close()
            raise

    def _put(self, homes: Sequence[ShardHomes], workers: int) -> None:
        """Give every worker its shards."""
        processors = int(self._ray.cluster_resources().get("CPU", 0))
        if workers > processors:
            msg = (
                f"{workers} workers on a Ray cluster of {processors} processors: ask for fewer, "
                "or let more machines join"
            )
            raise ScenarioInputError(msg)
        edges = [len(homes) * number // workers for number in range(workers + 1)]
        self._groups = [slice(first, end) for first, end in pairwise(edges)]
        make = self._ray.remote(num_cpus=1, max_restarts=0)(Worker)
        self.actors = [make.remote(homes[group]) for group in self._groups]
        self._require_same_version()

    def each(self, task: str, *arguments: Sequence[object]) -> list[Any]:
        """See `scenarios.simulation.shards.Shards`."""
        answers = self._answers(
            [
                worker.each.remote(task, *(values[group] for values in arguments))
                for worker, group in zip(self.actors, self._groups, strict=True)
            ]
        )
        return [answer for of_worker in answers for answer in of_worker]

    def one(self, number: int, task: str, *arguments: object) -> Any:  # noqa: ANN401 - any task's
        """See `scenarios.simulation.shards.Shards`."""
        place = next(i for i, group in enumerate(self._groups) if number < group.stop)
        worker, first = self.actors[place], self._groups[place].start
        return self._answers([worker.one.remote(number - first, task, *arguments)])[0]

    def close(self) -> None:
        """See `scenarios.simulation.shards.Shards`; a Ray that was started here ends."""
        for worker in self.actors:
            self._ray.kill(worker)
        self.actors = []
        if self._mine:
            self._ray.shutdown()

    def _answers(self, asked: Sequence[object], *, within_s: float | None = None) -> list[Any]:
        """Wait for answers; what a worker raises is raised here, as it was."""
        errors = self._ray.exceptions
        try:
            answers: list[Any] = self._ray.get(list(asked), timeout=within_s)
        except errors.RayTaskError as error:
            raise error.cause from error
        except errors.GetTimeoutError as error:
            msg = f"Ray gave no worker within {within_s:g} s: other runs have its processors; wait"
            raise WorkerLostError(msg) from error
        except errors.RayError as error:
            msg = (
                "a Ray worker was lost, out of memory or stopped; the checkpoint of the last whole "
                "day stands, and the same command goes on from it"
            )
            raise WorkerLostError(msg) from error
        return answers

    def _require_same_version(self) -> None:
        here = version("gridpact")
        asked = [worker.version.remote() for worker in self.actors]
        for there in self._answers(asked, within_s=START_S):
            if there != here:
                msg = (
                    f"a Ray worker has Gridpact {there}, this machine {here}; install the same "
                    "version on all machines of the cluster"
                )
                raise ScenarioInputError(msg)


def _ray() -> Any:  # noqa: ANN401 - a module
    """Import Ray, quietly."""
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    try:
        import ray  # noqa: PLC0415 - a cluster's, of which most runs have none
    except ModuleNotFoundError as error:
        msg = "--engine ray needs Ray, which is not installed; install gridpact[cluster]"
        raise ScenarioInputError(msg) from error
    return ray


def _join(ray: Any, workers: int) -> bool:  # noqa: ANN401 - a module
    """Join a cluster, or start one here; return whether it was started."""
    if ray.is_initialized():
        return False
    quiet = {"log_to_driver": False, "logging_level": logging.ERROR}
    address = os.environ.get("RAY_ADDRESS")
    if address:
        _require_answer(address)
        try:
            ray.init(address=address, **quiet)
        except (ConnectionError, ray.exceptions.RayError) as error:
            msg = (
                f"the Ray cluster at RAY_ADDRESS={address} does not let this run in: set "
                "RAY_AUTH_MODE=token, and have the cluster's token in ~/.ray/auth_token"
            )
            raise ScenarioInputError(msg) from error
        return True
    ray.init(
        address="local",
        num_cpus=workers,
        include_dashboard=False,
        object_store_memory=STORE_BYTES,
        **quiet,
    )
    return True


def _require_answer(address: str) -> None:
    """Raise unless somebody listens at an address; Ray itself would try for minutes."""
    host, _, port = address.rpartition(":")
    if not port.isdigit():
        return
    try:
        socket.create_connection((host, int(port)), timeout=CONNECT_S).close()
    except OSError as error:
        msg = f"nobody answers at RAY_ADDRESS={address}: start the cluster there, or unset that"
        raise ScenarioInputError(msg) from error
