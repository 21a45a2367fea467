"""The application: routes behind the guard, refusals in one form, one description."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException

from aggregator.service.errors import ServiceError, StoreUnavailableError
from aggregator.service.registry.errors import (
    RegistryAbsentError,
    RegistryConflictError,
    RegistryInputError,
)
from aggregator.service.rest import fleet_routes, order_routes, registry_routes, watch_routes
from aggregator.service.rest.guard import Guard
from aggregator.service.rest.live import LiveValues
from aggregator.service.rest.metrics import IngestCollector, StoreCollector
from aggregator.service.rest.middleware import Outermost
from aggregator.service.rest.parts import RestParts
from aggregator.service.rest.problem import MEDIA_TYPE, Problem, RefusedError, problem_response
from aggregator.service.rest.readiness import Readiness

_REFUSALS: Final = (400, 401, 403, 404, 405, 409, 412, 413, 415, 422, 428, 429, 500, 503)
_STATUS_OF: Final[dict[type[Exception], int]] = {
    RegistryAbsentError: 404,
    RegistryConflictError: 412,
    RegistryInputError: 422,
    StoreUnavailableError: 503,
    PoolTimeoutError: 503,
}


def create_app(parts: RestParts) -> FastAPI:
    """Return the application; it begins to tell live values when it is started.

    Parameters
    ----------
    parts : RestParts
        What it answers from.
    """
    app = FastAPI(
        title="Gridpact",
        description="The aggregator's service: a fleet of home batteries.",
        version="1",
        openapi_url=None,  # served by a route behind the guard
        redirect_slashes=False,  # it would send people wherever the request's Host says
        # /metrics counts requests; to look for another telemetry costs an eighth of a request
        telemetry={"tracing": False, "metrics": False, "logs": False},
        lifespan=_telling,
        responses={status: _refusal(status) for status in _REFUSALS},
    )
    app.state.parts = parts
    app.state.guard = Guard(parts)
    app.state.readiness = Readiness(parts.checks)
    parts.metrics.registry.register(StoreCollector(parts.store, parts.hub))
    if parts.counts is not None:
        parts.metrics.registry.register(IngestCollector(parts.counts))
    app.add_middleware(Outermost, metrics=parts.metrics)
    for module in (fleet_routes, order_routes, registry_routes, watch_routes):
        app.include_router(module.router)
    for router in parts.routers:
        app.include_router(router)
    _handle_refusals(app)
    _describe_tokens(app)
    return app


@asynccontextmanager
async def _telling(app: FastAPI) -> AsyncIterator[None]:
    """Tell live values as long as the application runs."""
    parts: RestParts = app.state.parts
    live = LiveValues(parts.store, parts.hub, parts.clock_ms, parts.news)
    telling = asyncio.create_task(live.run())
    try:
        yield
    finally:
        parts.hub.close()
        telling.cancel()
        with suppress(asyncio.CancelledError):
            await telling


def _refusal(status: int) -> dict[str, Any]:
    """Return how a refusal is described."""
    content = {MEDIA_TYPE: {"schema": Problem.model_json_schema()}}
    return {"description": HTTPStatus(status).phrase, "content": content}


def _handle_refusals(app: FastAPI) -> None:
    """Answer every refusal in one form."""

    async def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101 -- by its registration
        ours = isinstance(error, RefusedError)
        asked = "" if ours else f"{request.method} {request.url.path[:200]}: "
        return problem_response(error.status_code, f"{asked}{error.detail}", error.headers)

    async def malformed(_: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)  # noqa: S101 -- by its registration
        return problem_response(422, _one_line(error))

    async def by_service(_: Request, error: Exception) -> Response:
        status = next((code for kind, code in _STATUS_OF.items() if isinstance(error, kind)), 500)
        if status != 503:
            return problem_response(status, str(error))
        # why the store fails names hosts and files
        detail = "the store does not answer; try again"
        return problem_response(503, detail, {"Retry-After": "5"})

    async def failed(_: Request, __: Exception) -> Response:
        return problem_response(500, "the service failed; its log says why")

    app.add_exception_handler(HTTPException, refused)
    app.add_exception_handler(RequestValidationError, malformed)
    app.add_exception_handler(ServiceError, by_service)
    app.add_exception_handler(PoolTimeoutError, by_service)
    app.add_exception_handler(Exception, failed)


def _one_line(error: RequestValidationError) -> str:
    """Return the first thing that is wrong with a request."""
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    given = repr(first.get("input"))[:80].encode("ascii", "backslashreplace").decode()
    return f"{where} is {given}: {first['msg']}"


def _describe_tokens(app: FastAPI) -> None:
    """Say in the description how a token is sent."""
    plain = app.openapi

    def described() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = plain()
            scheme = {"type": "http", "scheme": "bearer", "description": "gridpact serve token new"}
            schema.setdefault("components", {})["securitySchemes"] = {"token": scheme}
        return app.openapi_schema or {}

    app.openapi = described  # type: ignore[method-assign] # the way that FastAPI documents
