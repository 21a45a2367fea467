"""The one door: every route is made by `GuardedRoute`, which lets in who is permitted."""

import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.types import Message, Receive

from aggregator.service.registry.audit import Deed, record
from aggregator.service.registry.tokens import secret_hash
from aggregator.service.rest.access import Access, Principal, Scope, permitted
from aggregator.service.rest.limiter import RateLimiter, counted_address
from aggregator.service.rest.parts import RestParts
from aggregator.service.rest.problem import RefusedError

ACCESS_KEY: Final = "x-access"
"""Where the OpenAPI says whom a route is for."""
BODY_MOST: Final = 65_536
"""Bytes of a request's body at most."""
REMEMBERED_S: Final = 1.0
"""How long a token is not looked up again: so long may a revoked one still act. [s]"""
_REMEMBERED_MOST: Final = 10_000


def needs(access: Access) -> dict[str, Any]:
    """Return what a route's decorator is given to say whom it is for.

    Parameters
    ----------
    access : Access
        Whom.
    """
    security: list[dict[str, list[str]]] = [] if access is Access.PUBLIC else [{"token": []}]
    return {"openapi_extra": {ACCESS_KEY: access.value, "security": security}}


@dataclass(slots=True)
class Guard:
    """Finds out who asks, how often, and whether they may."""

    parts: RestParts
    """Tokens, limits, the store for the audit log."""
    limiter: RateLimiter = field(default_factory=RateLimiter)
    """Counts."""
    _known: dict[str, tuple[float, Principal]] = field(default_factory=dict, repr=False)

    async def admit(self, request: Request, access: Access) -> Principal | None:
        """Return who asks, None for a stranger at a public route, or raise `RefusedError`.

        Parameters
        ----------
        request : Request
            With the path's parameters, its body unread.
        access : Access
            Whom the route is for.
        """
        principal = await self._principal(request)
        address = counted_address(request.client.host) if request.client else "unknown"
        limits = self.parts.limits
        if principal is not None:
            limit = limits.home if principal.scope is Scope.HOME else limits.member
            self._count(limit, f"token {principal.token_id}")
        elif access is Access.PUBLIC:
            self._count(limits.stranger, f"stranger {address}")
        if permitted(access, principal, request.path_params.get("home")):
            return principal
        self._count(limits.refused, f"refused {principal.token_id if principal else address}")
        await run_in_threadpool(self._note, request, access, principal, address)
        if principal is None:
            raise RefusedError(
                401,
                "no valid token; send the header 'Authorization: Bearer TOKEN'",
                headers={"WWW-Authenticate": "Bearer"},
            )
        msg = f"token {principal.token_id} ({principal.scope}) may not do this; ask the operator"
        raise RefusedError(403, msg)

    async def knows(self, request: Request) -> bool:
        """Return whether the request's token still holds.

        Parameters
        ----------
        request : Request
            One that was admitted, perhaps long ago.
        """
        return await self._principal(request) is not None

    async def _principal(self, request: Request) -> Principal | None:
        """Return whom the request's token stands for."""
        kind, _, secret = request.headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer" or not secret:
            return None
        hashed = secret_hash(secret)
        seen_s, principal = self._known.get(hashed, (0.0, None))
        if principal is not None and time.monotonic() - seen_s < REMEMBERED_S:
            return principal
        self._known.pop(hashed, None)
        token = await run_in_threadpool(self.parts.tokens.find, secret)
        if token is None or not token.valid(self.parts.clock_ms()):
            return None
        principal = Principal(
            token_id=token.id, name=token.name, scope=Scope(token.scope), home=token.home
        )
        if len(self._known) >= _REMEMBERED_MOST:
            self._known.clear()
        self._known[hashed] = (time.monotonic(), principal)
        return principal

    def _count(self, limit: str, who: str) -> None:
        """Count a request, or raise where it is one too many."""
        wait_s = self.limiter.wait_s(limit, who)
        if wait_s:
            msg = f"more than {limit} requests; wait {wait_s} s"
            raise RefusedError(429, msg, headers={"Retry-After": str(wait_s)})

    def _note(
        self, request: Request, access: Access, principal: Principal | None, address: str
    ) -> None:
        """Write the refusal into the audit log."""
        deed = Deed(
            at_ms=self.parts.clock_ms(),
            who=principal.token_id if principal else "unknown",
            action=request.method,
            target=request.url.path[:200],
            outcome="refused",
            detail={"address": address, "needs": access.value},
        )
        with self.parts.store.write() as connection:
            record(connection, deed)


class GuardedRoute(APIRoute):
    """A route that says whom it is for, and lets in nobody else; not even their body is read."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return what answers, behind the guard."""
        access = Access(str((self.openapi_extra or {}).get(ACCESS_KEY)))
        if access is Access.HOME and "{home}" not in self.path:
            msg = f"route {self.path} is for a home and names none; put {{home}} into its path"
            raise ValueError(msg)
        answer = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            guard: Guard = request.app.state.guard
            request.state.principal = await guard.admit(request, access)
            return await answer(Request(request.scope, _bounded(request.receive)))

        return guarded


def _bounded(receive: Receive) -> Receive:
    """Return what reads no more than `BODY_MOST` of a body."""
    taken = 0

    async def receive_some() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > BODY_MOST:
            raise RefusedError(413, f"the body has more than {BODY_MOST} bytes; send less at once")
        return message

    return receive_some


def guarded_router() -> APIRouter:
    """Return a router whose routes must each say whom they are for, by `needs`."""
    return APIRouter(route_class=GuardedRoute)
