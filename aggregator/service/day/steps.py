"""The steps of a market day by their names, and how one is run and written down."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import insert, select, update

from aggregator.errors import PlanError
from aggregator.service.day.desk import Desk
from aggregator.service.day.errors import StepInputError
from aggregator.service.day.made import Made, input_hash, write_made
from aggregator.service.day.turn import turn
from aggregator.service.store.tables import runs
from contracts.errors import LedgerError
from devices.errors import DeviceError

if TYPE_CHECKING:
    from aggregator.service.day.ledger import Session

_PACKAGE: Final = "aggregator.service.day"


class When(StrEnum):
    """On which day a step of a market day is run."""

    BEFORE = "the day before"
    DURING = "on the day"
    AFTER = "the day after"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step: what it reads, and what it makes of that and nothing else.

    Its module is loaded when it is run: planning loads a solver, which a service can wait for.
    """

    when: When
    """When it is due."""
    place: str
    """Its module in this package."""
    gather: str
    """Function there that reads what it is made from, out of the store and from outside."""
    make: str
    """Function there that makes rows of it: the same of the same."""
    on_ledger: bool = False
    """Whether ``make`` is given the ledger too."""
    needs: tuple[str, ...] = ()
    """Steps that must be done before the scheduler runs it."""
    of_told: bool = False
    """Whether it is made of what homes told of the whole day; see `Desk.told_until_ms`."""

    def functions(self) -> tuple[Callable[[Desk, date], Any], Callable[..., Made]]:
        """Return what gathers and what makes."""
        module = import_module(f"{_PACKAGE}.{self.place}")
        return getattr(module, self.gather), getattr(module, self.make)


def _before(place: str, gather: str, make: str, *needs: str) -> Step:
    return Step(when=When.BEFORE, place=place, gather=gather, make=make, needs=needs)


def _after(place: str, gather: str, make: str, *needs: str, of_told: bool = False) -> Step:
    return Step(
        when=When.AFTER, place=place, gather=gather, make=make, needs=needs, of_told=of_told
    )


STEPS: Final[Mapping[str, Step]] = {
    "weather": _before("weather", "gather_weather", "make_weather"),
    "prices": _before("prices", "gather_day_ahead", "make_prices"),
    "forecast": _before("forecast", "gather_forecast", "make_forecast"),
    "plan": _before("plan", "gather_plan", "make_plan", "forecast"),
    "offer": _before("offer", "gather_offer", "make_offer", "plan"),
    "award": _before("award", "gather_award", "make_award", "offer"),
    "publish": Step(
        when=When.BEFORE,
        place="promise",
        gather="gather_publish",
        make="make_publish",
        on_ledger=True,
        needs=("award",),
    ),
    "watch": Step(
        when=When.DURING,
        place="promise",
        gather="gather_watch",
        make="make_watch",
        on_ledger=True,
        needs=("publish",),
    ),
    "imbalance": _after("prices", "gather_imbalance", "make_prices", "publish"),
    "settle": Step(
        when=When.AFTER,
        place="settlement",
        gather="gather_settle",
        make="make_settle",
        on_ledger=True,
        needs=("publish",),
        of_told=True,
    ),
    "revenue": Step(
        when=When.AFTER,
        place="revenue",
        gather="gather_revenue",
        make="make_revenue",
        on_ledger=True,
        needs=("settle",),
        of_told=True,
    ),
    "reliability": _after("reliability", "gather_reliability", "make_reliability", of_told=True),
    "score": _after("forecast", "gather_score", "make_scores", "forecast", of_told=True),
}
"""In the order of the day."""
RESULT: Final = "result"
"""Paper, and run, of what somebody entered that the market took; see `result.enter_result`."""
RUNNING, DONE, UNFINISHED, FAILED = "running", "done", "unfinished", "failed"
"""States of a run; what is unfinished was written and is to be run again."""
_EXPECTED: Final = (PlanError, LedgerError, DeviceError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One time that a step was run."""

    number: int
    """Its number."""
    step: str
    """Which step, or ``result`` where the market's was entered."""
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
    StepConflictError
        If others ran steps all the time that this one could wait.
    StoreUnavailableError
        If the database does not answer; nothing was kept.
    """
    if name not in STEPS:
        msg = f"{name} is no step; give one of {', '.join(STEPS)}"
        raise StepInputError(msg)
    with turn(desk.store):
        return run_in_turn(desk, name, day, who=who)


def run_in_turn(desk: Desk, name: str, day: date, *, who: str) -> Run:
    """Run a step as `run_step` does, for who holds the `turn` already."""
    number = _begin(desk, name, day, who)
    try:
        _carry_out(desk, STEPS[name], day, number)
    except _EXPECTED as error:
        _end(desk, number, line=" ".join(str(error).split()))
    except Exception as error:
        _end(desk, number, line=f"broke, tell us of it: {error!r}"[:500])
        raise
    return read_run(desk, number)


def write_down(desk: Desk, name: str, day: date, *, who: str, inputs: object, made: Made) -> Run:
    """Write down what somebody enters of a day as a run; for who holds the `turn`."""
    number = _begin(desk, name, day, who)
    _keep(desk, made, day, number, input_hash(inputs), None)
    return read_run(desk, number)


def _begin(desk: Desk, name: str, day: date, who: str) -> int:
    """Write that a run begins; who was under way before us was killed, for the turn is ours."""
    columns = runs.c
    with desk.store.write() as connection:
        cut_short = (
            update(runs)
            .where(columns.state == RUNNING)
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
    gather, make = step.functions()
    inputs = gather(desk, day)
    hashed = input_hash(inputs)
    if not step.on_ledger:
        _keep(desk, make(inputs), day, number, hashed, None)
        return
    from aggregator.service.day.ledger import session  # noqa: PLC0415 -- loads the contracts

    with session(desk) as reached:
        _keep(desk, make(inputs, reached), day, number, hashed, reached)


def _keep(  # noqa: PLR0917 - one value each of what a run leaves
    desk: Desk, made: Made, day: date, number: int, hashed: str, reached: "Session | None"
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


def _end(desk: Desk, number: int, *, line: str) -> None:
    """Write that a run failed."""
    with desk.store.write() as connection:
        ended = update(runs).where(runs.c.number == number)
        connection.execute(ended.values(state=FAILED, line=line, ended_ms=desk.now_ms()))


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
