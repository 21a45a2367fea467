"""Server-sent events: one client's view of the hub."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

import anyio
from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from aggregator.service.errors import StoreUnavailableError
from aggregator.service.rest.hub import EventHub, Watcher

PING_S: Final = 15.0
"""After so long without an event a line keeps the connection up. [s]"""
SEND_S: Final = 30.0
"""How long a client may take to read what was sent. [s]"""
ADMITTED_S: Final = 2.0
"""How often it is looked whether the client's token still holds. [s]"""
RETRY_MS: Final = 2_000
"""When a client that lost the stream tries again. [ms]"""


class EventStream(Response):
    """Tells a client what happens until it leaves or reads too slowly, or its token or we end.

    Parameters
    ----------
    hub : EventHub
        What tells.
    watcher : Watcher
        This client's queue.
        Where something that it missed is lost, the first event is ``reset`` rather than
        ``hello``, and the client reads everything again.
    admitted : callable
        Returns whether who asked may still ask: a stream may go on for weeks.
    """

    media_type = "text/event-stream"

    def __init__(
        self, hub: EventHub, watcher: Watcher, admitted: Callable[[], Awaitable[bool]]
    ) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._hub = hub
        self._watcher = watcher
        self._admitted = admitted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        del scope
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(self._until_it_leaves, receive, group.cancel_scope)
                group.start_soon(self._until_refused)
                await self._tell(send)
                group.cancel_scope.cancel()
        finally:
            self._hub.leave(self._watcher)

    async def _until_it_leaves(self, receive: Receive, scope: anyio.CancelScope) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        scope.cancel()

    async def _until_refused(self) -> None:
        while await self._still_admitted():  # noqa: ASYNC110 -- the store's word
            await anyio.sleep(ADMITTED_S)
        self._hub.release(self._watcher)

    async def _still_admitted(self) -> bool:
        try:
            return await self._admitted()
        except (StoreUnavailableError, PoolTimeoutError):
            return True  # nothing is told either until the store is back

    async def _tell(self, send: Send) -> None:
        head = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        await send(head)
        async for chunk in self._chunks():
            # who does not read would hold the last chunk for ever
            with anyio.move_on_after(SEND_S) as patience:
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            if patience.cancelled_caught:
                return
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _chunks(self) -> AsyncIterator[bytes]:
        first = "reset" if self._watcher.lost else "hello"
        # with an id, so that a client that comes back before anything happened misses nothing
        number = self._hub.event_id(self._watcher.since)
        yield format_sse_event(retry=RETRY_MS, event=first, id=number, data_str="{}")
        while (came := await self._watcher.next(PING_S)) is not None:
            told = [
                format_sse_event(
                    data_str=body.decode(), event=event.kind, id=self._hub.event_id(event.number)
                )
                for event in came
                if (body := event.told_to(self._watcher.home)) is not None
            ]
            yield b"".join(told) or KEEPALIVE_COMMENT
