"""What every answer gets: headers for browsers, and a place in the counts."""

import time
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aggregator.service.rest.metrics import Metrics

SECURITY_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
}
"""Unless the route says otherwise; the page names its own files in a policy of its own."""


class Outermost:
    """Counts requests and adds headers.

    Parameters
    ----------
    app : ASGIApp
        What answers.
    metrics : Metrics
        What counts.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began_s = time.perf_counter()

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
                # a route that is not ours has no template, and any path is a new label
                route = getattr(scope.get("route"), "path", "other")
                took_s = time.perf_counter() - began_s
                self.metrics.answered(scope["method"], route, message["status"], took_s)
            await send(message)

        await self.app(scope, receive, send_with_headers)
