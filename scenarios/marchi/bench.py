"""How long dispatch and the study around it take, on one core."""

from collections.abc import Callable
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time
from typing import Final

from hems.dispatch.paper import input_dispatch
from hems.dispatch.policies import Policy
from scenarios.bench.progress import Tell
from scenarios.dispatch.campus import campus_load
from scenarios.dispatch.plant import DispatchBattery
from scenarios.dispatch.run import dispatch
from scenarios.dispatch.sun import production
from scenarios.marchi import cases, paper
from scenarios.marchi.run import run, steps
from scenarios.marchi.study import Study, make_study
from scenarios.marchi.tell import tell as write

Count = Callable[[str], None]
"""Told what is measured next."""
NAMES: Final = {1: "look-ahead", 2: "look-behind", 3: "grid-target", 4: "input", 5: "manual"}
"""The policies as `gridpact dispatch` calls them, by the paper's number."""
HOUR_S, FIVE_MINUTES_S = 3600, 300
TRIES: Final = 5
"""Runs of which the fastest counts: what else the machine does is no part of it."""
COUNTED: Final = 3 * len(NAMES)
"""How often `dispatch_figures` tells before the study does."""


def dispatch_figures(
    *, folder: Path | None = None, quick: bool = False, tell: Tell = lambda *_: None
) -> dict[str, object]:
    """Return times of a year by hours and by five minutes, of 25 years, and of the study.

    Parameters
    ----------
    folder : Path or None
        Folder of real series for the study; None draws.
    quick : bool
        The quick study, and each time from one run.
    tell : Tell
        Told what is measured next.
    """
    study = make_study(folder, seed=0, quick=quick)
    total = COUNTED + steps(study)

    done = count()

    def told(what: str) -> None:
        tell(what, next(done), total)

    return year_figures(tries=1 if quick else TRIES, tell=told) | _study_figures(study, told)


def year_figures(*, tries: int = TRIES, tell: Count = lambda _: None) -> dict[str, object]:
    """Return times of a year by hours and by five minutes, and of 25 years.

    Parameters
    ----------
    tries : int
        Runs of which the fastest counts.
    tell : Callable[[str], None]
        Told what is measured next.
    """
    lives_ms = _years_ms(HOUR_S, tell, years=paper.YEARS, tries=tries)
    return {
        "year_hourly_ms": _years_ms(HOUR_S, tell, tries=tries),
        "year_5min_ms": _years_ms(FIVE_MINUTES_S, tell, tries=tries),
        "lifetime_25y_s": max(lives_ms.values()) / 1000,
    }


def _study_figures(study: Study, tell: Count) -> dict[str, object]:
    """Return the time of the study with its report, by the clock and by the processor."""
    begun_s, busy_s = perf_counter(), process_time()
    found = run(study, tell)
    with TemporaryDirectory() as place:
        write(found, Path(place), sizing=None, command="")
    return {"study_s": perf_counter() - begun_s, "study_cpu_s": process_time() - busy_s}


def _years_ms(step_s: int, tell: Count, *, tries: int, years: int = 1) -> dict[str, float]:
    """Return the time of some years under each policy, compiled before. [ms]"""
    low, high = cases.WINDOWS[cases.SHOWN_WINDOW]
    battery = DispatchBattery(
        capacity_wh=cases.CAPACITY_WH, power_max_w=cases.POWER_W, soc_min=low, soc_max=high
    )
    load_w, pv_w = campus_load(step_s, 0), production(step_s, 0)
    found = {}
    for number, policy in _policies(step_s).items():
        tell(f"{years} years of {step_s} s, policy {number}")
        taken_s = []
        for _ in range(tries + 1):
            begun_s = perf_counter()
            dispatch(load_w, pv_w, step_s=step_s, battery=battery, policy=policy, years=years)
            taken_s.append(perf_counter() - begun_s)
        found[NAMES[number]] = 1000 * min(taken_s[1:])
    return found


def _policies(step_s: int) -> dict[int, Policy]:
    """Return the paper's policies; policy 4 names a power for each step."""
    return cases.policies() | {4: input_dispatch(step_s=step_s)}
