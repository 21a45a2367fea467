"""A sweep's runs, each in a folder and a process of its own; what is done is not done again."""

import json
import multiprocessing
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scenarios.errors import DataError, ScenarioInputError
from scenarios.simulation.fleet_run import FleetRun, run_fleet
from scenarios.sweep.sweeps import Point

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess
    from multiprocessing.sharedctypes import Synchronized
    from multiprocessing.synchronize import Event

POINTS = "points"
"""Folder of a sweep's runs."""
LOOK_S = 0.5
"""How often the progress is looked at. [s]"""
Figures = dict[str, Any]

Progress = Callable[[int, int], None]
"""Told the simulated minutes done and those in all."""


class _StoppedError(Exception):
    """The sweep was stopped; the run goes on from its last whole day when it is started again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shared:
    """What a worker and the sweep share."""

    minutes: "Synchronized[int]"
    """Simulated minutes that all workers lived through."""
    stop: "Event"
    """Set when the sweep is over before its runs are."""


_SHARED: list[_Shared] = []
"""A worker's own, set when it starts; empty elsewhere."""


def run_points(
    points: Sequence[Point],
    out: Path,
    *,
    jobs: int,
    progress: Progress = lambda *_: None,
) -> list[Figures]:
    """Live through a sweep's runs, or through what is left of them.

    Parameters
    ----------
    points : Sequence[Point]
        The runs.
    out : Path
        Folder of the sweep.
    jobs : int
        Processes at once, >= 1.
    progress : Progress
        Told now and then how far it is.

    Returns
    -------
    list of Figures
        What each run's `summary.json` holds, in the order of the points.

    Raises
    ------
    ScenarioInputError
        If a folder holds another run, or there is no job.
    """
    if jobs < 1:
        msg = f"{jobs} jobs: a sweep needs one or more"
        raise ScenarioInputError(msg)
    found = {number: _done(point, out) for number, point in enumerate(points)}
    left = [number for number, figures in found.items() if figures is None]
    total = sum(1440 * point.run.days for point in points)
    if left:
        before = total - sum(1440 * points[number].run.days for number in left)
        todo = [points[number] for number in left]
        lived = _live_all(
            todo, out, jobs=jobs, look=lambda done: progress(min(before + done, total), total)
        )
        found |= dict(zip(left, lived, strict=True))
    progress(total, total)
    return [figures for _, figures in sorted(found.items()) if figures is not None]


def _live_all(
    points: Sequence[Point], out: Path, *, jobs: int, look: Callable[[int], None]
) -> list[Figures]:
    """Live through runs in processes of their own."""
    spawn = multiprocessing.get_context("spawn")
    shared = _Shared(minutes=spawn.Value("q", 0), stop=spawn.Event())
    with ProcessPoolExecutor(
        max_workers=min(jobs, len(points)),
        mp_context=spawn,
        initializer=_begin,
        initargs=(shared.minutes, shared.stop),
    ) as pool:
        futures = [pool.submit(_live, point.run, out / POINTS / point.folder) for point in points]
        try:
            _watch(futures, lambda: look(shared.minutes.value))
        except BaseException:
            shared.stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
        return [future.result() for future in futures]


def _watch(futures: list[Future[Figures]], look: Callable[[], None]) -> None:
    """Wait for all runs, or for the first that fails."""
    while True:
        ended, open_ = wait(futures, timeout=LOOK_S, return_when=FIRST_EXCEPTION)
        look()
        for future in ended:
            future.result()
        if not open_:
            return


def _done(point: Point, out: Path) -> Figures | None:
    """Return the figures of a run that is done, None where it is not."""
    path = out / POINTS / point.folder / "summary.json"
    if not path.exists():
        return None
    figures: Figures = json.loads(path.read_text())
    return figures if figures.get("asked") == point.run.asked() else None


def _begin(minutes: "Synchronized[int]", stop: "Event") -> None:
    """Take what is shared into a worker, and let the worker not outlive the sweep."""
    _SHARED.append(_Shared(minutes=minutes, stop=stop))
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: "BaseProcess") -> None:
    """End this process when its parent does: nobody else may write into its folders then."""
    parent.join()
    os._exit(1)


def _live(run: FleetRun, out: Path) -> Figures:
    """Live through a run in a worker."""
    last = 0

    def tell(done: int, _: int) -> None:
        nonlocal last
        for shared in _SHARED:
            with shared.minutes.get_lock():
                shared.minutes.value += done - last
            if shared.stop.is_set():
                raise _StoppedError
        last = done

    try:
        return run_fleet(run, out, progress=tell)
    except DataError as error:
        # Errors of data carry more than a message, and would not come back from a worker.
        raise ScenarioInputError(str(error)) from None
