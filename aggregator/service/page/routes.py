"""The page's routes: the document, its files, and what it has to know before it asks further."""

from typing import Annotated

from fastapi import APIRouter, Header, Path, Response
from pydantic import BaseModel

from aggregator.service.page.day_routes import add_day_routes, market_day
from aggregator.service.page.files import IMMUTABLE, POLICY, read_page
from aggregator.service.page.settings import PageSettings
from aggregator.service.rest.access import Access, Scope
from aggregator.service.rest.fleet import SILENT_MS
from aggregator.service.rest.guard import guarded_router, needs
from aggregator.service.rest.parts import Asker, Parts
from aggregator.service.rest.problem import RefusedError

_NAME = Annotated[str, Path(pattern=r"^[a-z0-9_.]{1,64}$", description="A file of the page.")]
_VERSION = Annotated[str, Path(pattern=r"^[0-9a-f]{16}$", description="The page's version.")]
_Encodings = Annotated[str, Header()]
_DOCUMENT = {"text/html": {"schema": {"type": "string"}}}
_FILE = {"*/*": {"schema": {"type": "string"}}}


class PageStart(BaseModel):
    """What the page has to know first."""

    scope: Scope
    """What the token is for."""
    name: str
    """What the operator called it."""
    home: str | None
    """The home of a home's token."""
    now_ms: int
    """The service's time, by which the page counts. [ms]"""
    silent_ms: int
    """After so long without a word a gateway is silent. [ms]"""
    zone: str
    """The market's time zone."""
    currency: str
    """The fleet's currency, by its three letters."""
    explorer_url: str
    """Where a transaction is shown, ``{transaction}`` being its hash; empty for nowhere."""
    runs_days: bool
    """Whether this process runs market days, and tells of them."""


def page_router(settings: PageSettings, *, zone: str) -> APIRouter:
    """Return the page's routes.

    Parameters
    ----------
    settings : PageSettings
        What the page is told.
    zone : str
        The market's time zone.
    """
    router = guarded_router()
    page = read_page()

    @router.get(
        "/",
        response_class=Response,
        responses={200: {"content": _DOCUMENT, "description": "The page"}},
        **needs(Access.PUBLIC),
    )
    async def show_page(accept_encoding: _Encodings = "") -> Response:
        """Return the page; it signs in by itself."""
        headers = {"Content-Security-Policy": POLICY, "Cache-Control": "no-cache"}
        return page.index.answer(accept_encoding, headers)

    @router.get(
        "/page/{version}/{name}",
        response_class=Response,
        responses={200: {"content": _FILE, "description": "The file"}},
        **needs(Access.PUBLIC),
    )
    async def show_file(
        version: _VERSION, name: _NAME, accept_encoding: _Encodings = ""
    ) -> Response:
        """Return a file that the page loads."""
        found = page.named.get(name) if version == page.version else None
        if found is None:
            raise RefusedError(404, f"page file {version}/{name} is unknown; load the page again")
        return found.answer(accept_encoding, {"Cache-Control": IMMUTABLE})

    @router.get("/api/page", **needs(Access.TOKEN))
    async def start_page(parts: Parts, asker: Asker) -> PageStart:
        """Return what the page has to know before it asks further."""
        return PageStart(
            scope=asker.scope,
            name=asker.name,
            home=asker.home,
            now_ms=parts.clock_ms(),
            silent_ms=SILENT_MS,
            zone=zone,
            currency=settings.currency,
            explorer_url=settings.explorer_url,
            runs_days=market_day(parts) is not None,
        )

    add_day_routes(router)

    return router
