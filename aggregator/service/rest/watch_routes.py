"""What machines watch: health, readiness, metrics, live values, the description of it all."""

from functools import partial
from typing import Annotated, Literal

from fastapi import Header, Request, Response
from msgspec.json import encode
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel

from aggregator.service.rest.access import Access, Scope
from aggregator.service.rest.guard import Guard, guarded_router, needs
from aggregator.service.rest.hub import EventHub, Watcher
from aggregator.service.rest.inputs import HomeId
from aggregator.service.rest.parts import Asker, Parts
from aggregator.service.rest.problem import RefusedError
from aggregator.service.rest.readiness import Readiness, Ready
from aggregator.service.rest.stream import EventStream

router = guarded_router()
"""These routes."""

LastEventId = Annotated[
    str | None, Header(max_length=100, description="Id of the last event that was seen.")
]
"""Where a stream goes on."""
_STREAM = {"text/event-stream": {"schema": {"type": "string"}}}
_TEXT = {"text/plain": {"schema": {"type": "string"}}}


class Healthy(BaseModel):
    """The process answers."""

    status: Literal["ok"] = "ok"
    """Always this."""


class Me(BaseModel):
    """Whom a token stands for."""

    token_id: str
    """Its public name."""
    name: str
    """What the operator called it."""
    scope: Scope
    """What it is for."""
    home: str | None
    """The home of a home's token."""


@router.get("/health", **needs(Access.PUBLIC))
async def show_health() -> Healthy:
    """Return that the process answers."""
    return Healthy()


@router.get(
    "/ready",
    responses={503: {"model": Ready, "description": "A part fails"}},
    **needs(Access.PUBLIC),
)
async def show_readiness(request: Request, response: Response) -> Ready:
    """Return whether store, broker and chain can be reached."""
    readiness: Readiness = request.app.state.readiness
    found = await readiness.look()
    response.status_code = 200 if found.ready else 503
    return found


@router.get("/openapi.json", response_model=dict[str, object], **needs(Access.PUBLIC))
async def show_openapi(request: Request) -> Response:
    """Return this description."""
    # anybody may ask, and to write it out takes as long as dozens of other answers
    if (written := getattr(request.app.state, "written_openapi", None)) is None:
        written = request.app.state.written_openapi = encode(request.app.openapi())
    return Response(written, 200, None, "application/json")


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": _TEXT, "description": "Prometheus' text format"}},
    **needs(Access.VIEWER),
)
def show_metrics(parts: Parts) -> Response:
    """Return what is counted, for Prometheus."""
    return Response(generate_latest(parts.metrics.registry), 200, None, CONTENT_TYPE_LATEST)


@router.get("/api/me", **needs(Access.TOKEN))
async def show_me(asker: Asker) -> Me:
    """Return whom the token stands for."""
    return Me.model_validate(asker, from_attributes=True)


@router.get(
    "/api/events",
    response_class=Response,
    responses={200: {"content": _STREAM, "description": "Server-sent events"}},
    **needs(Access.VIEWER),
)
async def watch_fleet(
    request: Request, parts: Parts, asker: Asker, last_event_id: LastEventId = None
) -> Response:
    """Tell what happens in the fleet, until the client leaves or its token ends."""
    return _stream(request, parts.hub, parts.hub.watch(None, last_event_id, who=asker.token_id))


@router.get(
    "/api/homes/{home}/events",
    response_class=Response,
    responses={200: {"content": _STREAM, "description": "Server-sent events"}},
    **needs(Access.HOME),
)
async def watch_home(
    *,
    request: Request,
    parts: Parts,
    asker: Asker,
    home: HomeId,
    last_event_id: LastEventId = None,
) -> Response:
    """Tell what happens in a home, until the client leaves or its token ends."""
    return _stream(request, parts.hub, parts.hub.watch(home, last_event_id, who=asker.token_id))


def _stream(request: Request, hub: EventHub, watcher: Watcher | None) -> EventStream:
    if watcher is None:
        msg = f"{hub.most} clients watch already, or {hub.each} with this token; try again later"
        raise RefusedError(503, msg, headers={"Retry-After": "30"})
    guard: Guard = request.app.state.guard
    return EventStream(hub, watcher, partial(guard.knows, request))
