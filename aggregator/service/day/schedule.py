"""What is due of the market days around the present, from the runs so far."""

from collections.abc import Mapping
from datetime import date, timedelta
from threading import Event
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from aggregator.service.day.desk import Desk
from aggregator.service.day.errors import StepConflictError
from aggregator.service.day.made import ms
from aggregator.service.day.steps import DONE, RESULT, STEPS, Run, Step, When, run_in_turn
from aggregator.service.day.turn import turn
from aggregator.service.errors import StoreUnavailableError
from aggregator.service.ingest.subscriber import Tell
from aggregator.service.store.tables import runs

SCHEDULE: Final = "schedule"
"""Who asked for what the scheduler runs."""
AFTER_DAYS: Final = 3
"""For so many days what comes after a day is tried."""


def run_due(desk: Desk, *, tell: Tell, ending: Event) -> None:
    """Run all that is due, each step once, in order; what one makes may be what another needs.

    Parameters
    ----------
    desk : Desk
        What steps work with.
    tell : callable
        Takes a line for each step that was not done, once while it says the same.
    ending : Event
        Once it is set no further step is begun.

    Raises
    ------
    StoreUnavailableError
        If the database does not answer; what is due stays due.
    """
    tried: set[tuple[str, date]] = set()
    more = True
    while more and not ending.is_set():
        try:
            more = _run_next(desk, tried, tell)
        except StepConflictError:
            return  # whoever has the turn runs what is due


def _run_next(desk: Desk, tried: set[tuple[str, date]], tell: Tell) -> bool:
    """Run the first step that is due and was not tried; return whether there was one."""
    with turn(desk.store):  # what is due is looked for in it: another may just have done it
        left = [each for each in due(desk) if each not in tried]
        if not left:
            return False
        name, day = left[0]
        tried.add((name, day))
        before = _latest(desk, [day]).get(day.isoformat(), {}).get(name)
        try:
            run = run_in_turn(desk, name, day, who=SCHEDULE)
        except StoreUnavailableError:
            raise
        except Exception as error:  # a broken step must not take the ingest with it
            tell(f"{name} of {day} broke, tell us of it: {error!r}")
            return True
    known = before is not None and (before.state, before.line) == (run.state, run.line)
    if run.state != DONE and not known and STEPS[name].when is not When.DURING:
        tell(f"{name} of {day} {run.state}: {run.line}")
    return True


def due(desk: Desk) -> list[tuple[str, date]]:
    """Return the steps that are due now, in the order in which they are to be run.

    What failed or was not finished is due again after ``retry_min``, what was watched after
    ``watch_each_min``; what is done is not. A day that has begun is not planned any more, and one
    is not accounted before what homes told of it is here.
    """
    now = desk.clock.utc().astimezone(ZoneInfo(desk.settings.zone))
    today = now.date()
    days = [today + timedelta(days=ahead) for ahead in range(-AFTER_DAYS, 2)]
    latest = _latest(desk, days)
    told_ms = desk.told_until_ms()
    found: list[tuple[str, date]] = []
    for day in days:
        known = latest.get(day.isoformat(), {})
        told = told_ms >= ms(desk.grid(day).end)
        for name, step in STEPS.items():
            if step.of_told and not told:
                continue
            if _in_time(desk, name, step, day=day) and _ready(desk, name, step, known):
                found.append((name, day))
    return found


def _in_time(desk: Desk, name: str, step: Step, *, day: date) -> bool:
    """Return whether the time has come for a step of a day, and is not over."""
    settings = desk.settings
    if (name == "weather" and desk.weather.source == "none") or (
        name == "imbalance" and desk.imbalance is None
    ):
        return False
    now = desk.clock.utc().astimezone(ZoneInfo(settings.zone))
    if step.when is When.DURING:
        return now.date() - timedelta(days=1) <= day <= now.date()
    on = day + timedelta(days=-1 if step.when is When.BEFORE else 1)
    begun = now.date() > on or (now.date() == on and now.time() >= settings.at(name))
    return begun and (step.when is When.AFTER or now.date() < day)


def _ready(desk: Desk, name: str, step: Step, known: Mapping[str, Run]) -> bool:
    """Return whether what a step needs is done, and the step itself is not."""
    if any(needed not in known or known[needed].state != DONE for needed in step.needs):
        return False
    last = known.get(name)
    if name in {"award", "publish"} and _result_is_unheard(known):
        return name == "award"
    if last is None:
        return True
    if last.state == DONE:
        return False
    settings = desk.settings
    pause_min = settings.watch_each_min if step.when is When.DURING else settings.retry_min
    return desk.now_ms() - (last.ended_ms or last.began_ms) >= pause_min * 60_000


def _result_is_unheard(known: Mapping[str, Run]) -> bool:
    """Return whether a result was entered after the award was taken, and before it is promised."""
    award, result, published = (known.get(each) for each in ("award", RESULT, "publish"))
    return (
        award is not None
        and result is not None
        and result.state == DONE
        and result.number > award.number
        and (published is None or published.state != DONE)
    )


def _latest(desk: Desk, days: list[date]) -> dict[str, dict[str, Run]]:
    """Return the latest run of each step by day."""
    columns = runs.c
    last = (
        select(func.max(columns.number))
        .where(columns.day.in_([day.isoformat() for day in days]))
        .group_by(columns.day, columns.step)
    )
    with desk.store.read() as connection:
        rows = connection.execute(select(runs).where(columns.number.in_(last))).mappings().all()
    found: dict[str, dict[str, Run]] = {}
    for row in rows:
        found.setdefault(row["day"], {})[row["step"]] = Run(**row)
    return found
