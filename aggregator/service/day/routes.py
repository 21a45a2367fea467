"""What the REST interface tells of market days, and runs of them."""

from datetime import date
from enum import StrEnum
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from sqlalchemy import select

from aggregator.service.day.desk import Desk
from aggregator.service.day.errors import StepConflictError, StepInputError
from aggregator.service.day.made import FLEET, find_paper
from aggregator.service.day.shapes import Earned, ForecastScore, ResultBody, Scored, ShownRun
from aggregator.service.day.steps import STEPS, run_step, runs_of
from aggregator.service.registry.audit import Deed, Outcome, record
from aggregator.service.registry.writing import home_number
from aggregator.service.rest.access import Access
from aggregator.service.rest.guard import guarded_router, needs
from aggregator.service.rest.inputs import PAGE, PAGE_MOST, HomeId
from aggregator.service.rest.parts import Asker
from aggregator.service.rest.problem import RefusedError
from aggregator.service.store.tables import forecast_scores, homes, reliability, revenues

StepName = StrEnum("StepName", {name: name for name in STEPS})  # type: ignore[misc] # names from data
"""What can be run."""
Kind = Literal[
    "forecast", "plan", "offer", "result", "award", "replan", "schedule", "published", "deliveries"
]
"""What papers there are of a day."""
OfDay = Annotated[
    date, Path(ge=date(2000, 1, 1), le=date(2100, 1, 1), description="A local market day.")
]
"""A path's market day."""
Days = Annotated[int, Query(ge=1, le=PAGE_MOST, description="Days at most.")]
"""How many days a page has."""


def day_router(desk: Desk) -> APIRouter:
    """Return the routes of market days.

    Parameters
    ----------
    desk : Desk
        What the steps work with.
    """
    router = guarded_router()
    _add_result(router, desk)  # before the steps: it is under the same path
    _add_runs(router, desk)
    _add_papers(router, desk)
    _add_accounts(router, desk)
    _add_reliability(router, desk)
    return router


def _add_result(router: APIRouter, desk: Desk) -> None:
    @router.post("/api/day/{day}/result", **needs(Access.OPERATOR))
    def enter_day_result(asker: Asker, day: OfDay, result: ResultBody) -> ShownRun:
        """Enter what the market took of a day's offer; the step award goes by it."""
        from aggregator.service.day.result import Accepted, enter_result  # noqa: PLC0415 -- loads the solver

        accepted = [Accepted(**each.model_dump()) for each in result.accepted]
        try:
            run = enter_result(desk, day, accepted, who=asker.token_id)
        except StepConflictError as error:
            raise RefusedError(409, str(error), headers={"Retry-After": "60"}) from error
        except StepInputError as error:
            _note(desk, asker.token_id, "enter result", str(day), outcome="refused")
            raise RefusedError(422, str(error)) from error
        _note(desk, asker.token_id, "enter result", str(day))
        return ShownRun.model_validate(run, from_attributes=True)


def _add_runs(router: APIRouter, desk: Desk) -> None:
    @router.post("/api/day/{day}/{step}", **needs(Access.OPERATOR))
    def run_day_step(asker: Asker, day: OfDay, step: StepName) -> ShownRun:
        """Run a step of a day, again if it was run before; the answer comes when it has ended."""
        _note(desk, asker.token_id, "run step", f"{day} {step.value}")
        try:
            run = run_step(desk, step.value, day, who=asker.token_id)
        except StepConflictError as error:
            raise RefusedError(409, str(error), headers={"Retry-After": "60"}) from error
        return ShownRun.model_validate(run, from_attributes=True)

    @router.get("/api/day/{day}/runs", **needs(Access.VIEWER))
    def list_runs(day: OfDay) -> list[ShownRun]:
        """Return every run of a day's steps, oldest first."""
        return [ShownRun.model_validate(run, from_attributes=True) for run in runs_of(desk, day)]


def _note(desk: Desk, who: str, action: str, target: str, *, outcome: Outcome = "done") -> None:
    """Write into the audit log who asked for something."""
    deed = Deed(at_ms=desk.now_ms(), who=who, action=action, target=target, outcome=outcome)
    with desk.store.write() as connection:
        record(connection, deed)


def _add_papers(router: APIRouter, desk: Desk) -> None:
    @router.get("/api/day/{day}/papers/{kind}", **needs(Access.VIEWER))
    def show_paper(day: OfDay, kind: Kind) -> dict[str, object]:
        """Return what a step made of a day, the latest of it."""
        with desk.store.read() as connection:
            found = find_paper(connection, kind, day)
        if found is None:
            raise RefusedError(404, f"there is no {kind} of {day}; run its step first")
        return found

    @router.get("/api/day/{day}/scores", **needs(Access.VIEWER))
    def list_scores(day: OfDay) -> list[ForecastScore]:
        """Return how far off the forecasts of a day were."""
        columns = forecast_scores.c
        query = select(forecast_scores).where(columns.day == day.isoformat())
        with desk.store.read() as connection:
            rows = connection.execute(query.order_by(columns.quantity, columns.source)).mappings()
            return [ForecastScore.model_validate({**row}) for row in rows]


def _add_accounts(router: APIRouter, desk: Desk) -> None:
    earned = select(revenues, homes.c.id.label("home")).outerjoin(
        homes, homes.c.number == revenues.c.home_number
    )

    @router.get("/api/day/{day}/revenue", **needs(Access.VIEWER))
    def list_revenue(day: OfDay) -> list[Earned]:
        """Return what the fleet, first, and each home earned and paid on a day."""
        of_day = earned.where(revenues.c.day == day.isoformat())
        with desk.store.read() as connection:
            rows = connection.execute(of_day.order_by(revenues.c.home_number)).mappings()
            return [Earned.model_validate({**row}) for row in rows]

    @router.get("/api/revenue", **needs(Access.VIEWER))
    def list_fleet_revenue(limit: Days = PAGE) -> list[Earned]:
        """Return what the fleet earned and paid, a line a day, newest first."""
        of_fleet = earned.where(revenues.c.home_number == FLEET)
        with desk.store.read() as connection:
            rows = connection.execute(of_fleet.order_by(revenues.c.day.desc()).limit(limit))
            return [Earned.model_validate({**row}) for row in rows.mappings()]

    @router.get("/api/homes/{home}/revenue", **needs(Access.HOME))
    def list_home_revenue(home: HomeId, limit: Days = PAGE) -> list[Earned]:
        """Return what a home earned and paid, a line a day, newest first."""
        with desk.store.read() as connection:
            number = home_number(connection, home)
            of_home = earned.where(revenues.c.home_number == number)
            rows = connection.execute(of_home.order_by(revenues.c.day.desc()).limit(limit))
            return [Earned.model_validate({**row}) for row in rows.mappings()]


def _add_reliability(router: APIRouter, desk: Desk) -> None:
    @router.get("/api/day/{day}/reliability", **needs(Access.VIEWER))
    def list_reliability(day: OfDay) -> list[Scored]:
        """Return how far batteries can be counted on, least reliable first."""
        columns = reliability.c
        query = (
            select(reliability, homes.c.id.label("home"))
            .join(homes, homes.c.number == columns.home_number)
            .where(columns.day == day.isoformat())
            .order_by(columns.score, columns.home_number)
        )
        with desk.store.read() as connection:
            rows = connection.execute(query).mappings()
            return [Scored.model_validate({**row}) for row in rows]
