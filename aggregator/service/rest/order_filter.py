"""Which commands are asked for: those behind a line of the diagnosis."""

from typing import Annotated, Literal

from fastapi import Depends, Query
from sqlalchemy import ColumnElement, and_, func, select, true

from aggregator.service.commands.diagnosis import KIND, batteries_by_home
from aggregator.service.commands.states import FAILED
from aggregator.service.registry.bodies import Line
from aggregator.service.rest.inputs import TimeMs
from aggregator.service.store.tables import commands

State = Literal[
    "waiting", "sent", "accepted", "done", "aborted", "refused", "expired", "unanswered"
]
"""What a command can be."""
Kind = Literal["charge", "discharge", "profile", "stop", "power reference", "release", "read"]
"""What can be asked of a gateway."""
_Code = Annotated[str, Query(pattern=r"^[\x21-\x7e]{1,64}$", description="Those with this code.")]


def _ended(
    state: Annotated[State | None, Query(description="Those in this state.")] = None,
    code: _Code | None = None,
    *,
    failed: Annotated[bool, Query(description="Those that came to nothing.")] = False,
) -> ColumnElement[bool]:
    own = commands.c
    return and_(
        true(),
        *([] if state is None else [own.state == state]),
        *([] if code is None else [own.code == code]),
        *([own.state.in_(FAILED)] if failed else []),
    )


def _asked(
    kind: Annotated[Kind | None, Query(description="Those of this kind.")] = None,
    model: Annotated[Line | None, Query(description="Those to batteries of this model.")] = None,
    from_ms: TimeMs | None = None,
    to_ms: TimeMs | None = None,
) -> ColumnElement[bool]:
    own = commands.c
    if model is not None:
        batteries = batteries_by_home().subquery()
        found = select(func.coalesce(batteries.c.model, ""))
        found = found.where(batteries.c.home_number == own.home_number)
        its_model = func.coalesce(found.scalar_subquery(), "")
    return and_(
        true(),
        *([] if kind is None else [KIND.in_([kind])]),
        *([] if model is None else [its_model == model]),
        *([] if from_ms is None else [own.asked_ms >= from_ms]),
        *([] if to_ms is None else [own.asked_ms < to_ms]),
    )


def _wanted(
    ended: Annotated[ColumnElement[bool], Depends(_ended)],
    asked: Annotated[ColumnElement[bool], Depends(_asked)],
) -> ColumnElement[bool]:
    return and_(ended, asked)


Wanted = Annotated[ColumnElement[bool], Depends(_wanted)]
"""Which commands; all where nothing is said."""
