"""The steps of a market day by their names, and how one is run and written down."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from threading import Lock
from typing import Any, Final

from sqlalchemy import insert, select, update

from aggregator.errors import PlanError
from aggregator.service.day import (
    forecast,
    offer,
    plan,
    prices,
    promise,
    reliability,
    revenue,
    weather,
)
from aggregator.service.day.desk import Desk
from aggregator.service.day.errors import StepInputError
from aggregator.service.day.ledger import Session, session
from aggregator.service.day.made import Made, input_hash, write_made
from aggregator.service.store.tables import runs
from contracts.errors import LedgerError
from devices.errors import DeviceError


class When(StrEnum):
    """On which day a step of a market day is run."""

    BEFORE = "the day before"
    DURING = "on the day"
    AFTER = "the day after"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step: what it reads, and what it makes of that and nothing else."""

    when: When
    """When it is due."""
    gather: Callable[[Desk, date], Any]
    """Reads what it is made from, out of the store and from outside."""
    make: Callable[[Any], Made] | None = None
    """Makes rows of it: the same of the same."""
    act: Callable[[Any, Session], Made] | None = None
    """Likewise, with the ledger."""
    needs: tuple[str, ...] = ()
    """Steps that must be done before the scheduler runs it."""


STEPS: Final[Mapping[str, Step]] = {
    "weather": Step(when=When.BEFORE, gather=weather.gather_weather, make=weather.make_weather),
    "prices": Step(when=When.BEFORE, gather=prices.gather_day_ahead, make=prices.make_prices),
    "forecast": Step(
        when=When.BEFORE, gather=forecast.gather_forecast, make=forecast.make_forecast
    ),
    "plan": Step(
        needs=("forecast",), when=When.BEFORE, gather=plan.gather_plan, make=plan.make_plan
    ),
    "offer": Step(
        needs=("plan",), when=When.BEFORE, gather=offer.gather_offer, make=offer.make_offer
    ),
    "award": Step(
        needs=("offer",), when=When.BEFORE, gather=plan.gather_award, make=plan.make_award
    ),
    "publish": Step(
        needs=("award",), when=When.BEFORE, gather=promise.gather_publish, act=promise.make_publish
    ),
    "watch": Step(
        needs=("publish",), when=When.DURING, gather=promise.gather_watch, act=promise.make_watch
    ),
    "imbalance": Step(when=When.AFTER, gather=prices.gather_imbalance, make=prices.make_prices),
    "settle": Step(
        needs=("publish",), when=When.AFTER, gather=promise.gather_settle, act=promise.make_settle
    ),
    "revenue": Step(
        needs=("settle",), when=When.AFTER, gather=revenue.gather_revenue, act=revenue.make_revenue
    ),
    "reliability": Step(
        when=When.AFTER,
        gather=reliability.gather_reliability,
        make=reliability.make_reliability,
    ),
    "score": Step(
        needs=("forecast",),
        when=When.AFTER,
        gather=forecast.gather_score,
        make=forecast.make_scores,
    ),
}
"""In the order of the day."""
RUNNING, DONE, UNFINISHED, FAILED = "running", "done", "unfinished", "failed"
"""States of a run; what is unfinished was written and is to be run again."""
_EXPECTED: Final = (PlanError, LedgerError, DeviceError)
_TURN: Final = Lock()
"""One step at a time in a process: they go on from each other's rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One time that a step was run."""

    number: int
    """Its number."""
    step: str
    """Which step."""
    day: str
    """Of which local day."""
    state: str
    """running, done, unfinished or failed."""
    began_ms: int
    """When it began. [ms]"""
    ended_ms: int | None
    """When it ended. [ms]"""
    asked_by: str
    """Who asked for it: a token's id, ``operator@HOST`` or ``schedule``."""
    line: str
    """What happened."""
    input_hash: str | None
    """Of all that it was made from; None where that could not be read."""


def run_step(desk: Desk, name: str, day: date, *, who: str) -> Run:
    """Run a step of a day and write down how it went; what it makes is kept whole or not at all.

    Parameters
    ----------
    desk : Desk
        What it works with.
    name : str
        One of `STEPS`.
    day : date
        The local market day.
    who : str
        Who asked for it.

    Returns
    -------
    Run
        Done, unfinished, or failed with the reason.

    Raises
    ------
    StepInputError
        If there is no such step.
    StoreUnavailableError
        If the database does not answer; nothing was kept.
    """
    if name not in STEPS:
        msg = f"{name} is no step; give one of {', '.join(STEPS)}"
        raise StepInputError(msg)
    with _TURN:
        number = _begin(desk, name, day, who)
        try:
            _carry_out(desk, STEPS[name], day, number)
        except _EXPECTED as error:
            line = " ".join(str(error).split())
            _end(desk, number, state=FAILED, line=line)
    return read_run(desk, number)


def _begin(desk: Desk, name: str, day: date, who: str) -> int:
    """Write that a run begins; one that was killed before is seen to have failed."""
    columns = runs.c
    with desk.store.write() as connection:
        cut_short = (
            update(runs)
            .where(columns.day == day.isoformat(), columns.step == name, columns.state == RUNNING)
            .values(state=FAILED, line="ended in the middle; nothing of it was kept")
        )
        connection.execute(cut_short)
        row = {
            "step": name,
            "day": day.isoformat(),
            "state": RUNNING,
            "began_ms": desk.now_ms(),
            "asked_by": who,
        }
        return int(
            connection.execute(insert(runs).values(row).returning(columns.number)).scalar_one()
        )


def _carry_out(desk: Desk, step: Step, day: date, number: int) -> None:
    """Run a step and write all that it makes in one transaction."""
    inputs = step.gather(desk, day)
    hashed = input_hash(inputs)
    if step.act is not None:
        with session(desk) as reached:
            _keep(desk, step.act(inputs, reached), day, number, hashed, reached)
    elif step.make is not None:
        _keep(desk, step.make(inputs), day, number, hashed, None)


def _keep(  # noqa: PLR0917 - one value each of what a run leaves
    desk: Desk, made: Made, day: date, number: int, hashed: str, reached: Session | None
) -> None:
    with desk.store.write() as connection:
        if reached is not None:
            reached.keep(connection)
        write_made(connection, made, day=day, run_number=number)
        ended = update(runs).where(runs.c.number == number)
        connection.execute(
            ended.values(
                state=DONE if made.finished else UNFINISHED,
                line=made.line,
                input_hash=hashed,
                ended_ms=desk.now_ms(),
            )
        )


def _end(desk: Desk, number: int, *, state: str, line: str) -> None:
    with desk.store.write() as connection:
        ended = update(runs).where(runs.c.number == number)
        connection.execute(ended.values(state=state, line=line, ended_ms=desk.now_ms()))


def read_run(desk: Desk, number: int) -> Run:
    """Return a run by its number."""
    with desk.store.read() as connection:
        row = connection.execute(select(runs).where(runs.c.number == number)).mappings().one()
    return Run(**row)


def runs_of(desk: Desk, day: date) -> list[Run]:
    """Return all runs of a day, oldest first."""
    query = select(runs).where(runs.c.day == day.isoformat()).order_by(runs.c.number)
    with desk.store.read() as connection:
        return [Run(**row) for row in connection.execute(query).mappings()]
