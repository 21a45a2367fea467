"""What a prosumer's controllers cost in time, and what they bring, on this machine."""

from pathlib import Path
from time import perf_counter
from typing import Final

import numpy as np

from devices.ageing import sequence_loss
from devices.arrays import FloatArray
from scenarios.bench.progress import Tell
from scenarios.prosumer.becchi_data import becchi_series, year_begin, year_hours
from scenarios.prosumer.evolved import Budget
from scenarios.prosumer.foreseen import imperfect
from scenarios.prosumer.speed import speed
from scenarios.prosumer.study import (
    DAY_H,
    FORECASTS,
    Case,
    Outcomes,
    Stretch,
    Study,
    run,
    yearly_gain,
)
from scenarios.prosumer.tell import plain_speed

SPRING_H: Final = 90 * DAY_H
"""Hours of the year before the searches' days: they are in April. [h]"""
YEARLY: Final = (
    "rules",
    "rules_no_countermeasures",
    "rules_worth",
    "rules_trade",
    "milp_no_trade",
    "milp",
)
SEARCHES: Final = ("ga", "pso")
MINUTES: Final = 60
QUICK_DAYS: Final = 30
"""Days of a quick measurement; GA and PSO plan for one."""


def prosumer_figures(
    *, quick: bool = False, folder: Path | None = None, tell: Tell = lambda *_: None
) -> dict[str, object]:
    """Return times and gains.

    Parameters
    ----------
    quick : bool
        Live through 30 days and let GA and PSO plan for one, on a fifth of their budget; gains are
        then of those days.
    folder : Path | None
        Folder of real series; None generates.
    tell : Tell
        Told how far it is.
    """
    study = _study(folder, quick=quick)
    cases = _cases()
    hours: dict[Stretch, int] = {"year": study.hours, "month": study.month_hours}
    total, done = sum(hours[case.stretch] for case in cases), 0

    def count(case: Case, _hours: int) -> None:
        nonlocal done
        done += 1
        tell(case.name, done, total)

    year_s, lived_wh = _year(study)
    outcomes = run(study, cases, count)
    tell("how long a plan takes", total, total)
    times = plain_speed(speed(study))
    return {
        **times,
        "year_s": year_s,
        "year_hours": study.hours,
        "ageing_year_minutes_s": _ageing_s(study, lived_wh),
        "gain": _gains(outcomes),
        "rules_share_of_milp": _share(outcomes, "rules", "milp"),
        "rules_share_of_milp_no_trade": _share(outcomes, "rules", "milp_no_trade"),
        "rules_worth_share_of_milp_no_trade": _share(outcomes, "rules_worth", "milp_no_trade"),
        "rules_trade_share_of_milp": _share(outcomes, "rules_trade", "milp"),
        "search_evaluations": study.budget.evaluations,
        "search_hours": study.month_hours,
        "currency": study.series.currency,
        "data": study.series.source,
    }


def _study(folder: Path | None, *, quick: bool) -> Study:
    series = becchi_series(folder)
    begin, hours = year_begin(series), year_hours(series)
    return Study(
        series=series,
        imperfect=imperfect(series, "linear"),
        begin=begin,
        hours=QUICK_DAYS * DAY_H if quick else hours,
        month_begin=begin + SPRING_H,
        month_hours=(1 if quick else 30) * DAY_H,
        budget=Budget(evaluations=200) if quick else Budget(),
    )


def _cases() -> list[Case]:
    found = [Case(method="none"), Case(method="none", stretch="month")]
    for forecast in FORECASTS:
        found += [Case(method=method, forecast=forecast) for method in YEARLY]
        found += [
            Case(method=method, forecast=forecast, stretch="month")
            for method in ("milp", *SEARCHES)
        ]
    return found


def _year(study: Study) -> tuple[float, FloatArray]:
    """Return the time of the year of hourly plans by rules [s], and what was stored [Wh]."""
    case = Case(method="rules")
    study.live(case)  # compiles what is not compiled yet
    begun_s = perf_counter()
    lived = study.live(case)
    return perf_counter() - begun_s, lived.stored_wh


def _ageing_s(study: Study, stored_wh: FloatArray) -> float:
    """Return the time in which a year of minutes ages a battery. [s]

    The minutes go from hour to hour of the year that was lived, the faster the more unevenly.
    """
    soc = stored_wh[0] / study.battery.bank.capacity_wh[0]
    steps = np.repeat(np.diff(soc) / MINUTES, MINUTES).reshape(-1, MINUTES)
    uneven = np.random.default_rng(0).standard_normal(steps.shape)
    uneven -= uneven.mean(axis=1, keepdims=True)
    steps = steps + 1.5 * np.abs(steps) * uneven
    minutes = np.clip(np.concatenate([soc[:1], soc[0] + np.cumsum(steps.ravel())]), 0.0, 1.0)
    taken_s = []
    for _ in range(3):
        begun_s = perf_counter()
        sequence_loss(study.battery.law, minutes[None], step_s=60.0)
        taken_s.append(perf_counter() - begun_s)
    return min(taken_s)


def _gains(outcomes: Outcomes) -> dict[str, dict[str, float | None]]:
    """Return what each controller brings beyond none, by forecast. [currency/year]"""
    return {
        forecast: {
            "none": 0.0,
            **{
                method: yearly_gain(outcomes, Case(method=method, forecast=forecast))
                for method in YEARLY
            },
            **{
                method: yearly_gain(
                    outcomes, Case(method=method, forecast=forecast, stretch="month")
                )
                for method in SEARCHES
            },
        }
        for forecast in FORECASTS
    }


def _share(outcomes: Outcomes, method: str, best: str) -> float | None:
    """Return a gain over another's with perfect forecasts."""
    ours, most = (yearly_gain(outcomes, Case(method=each)) for each in (method, best))
    return None if ours is None or not most or most < 0 else ours / most
