"""GET from a public service over HTTP: bounded, once, and without a word of its key.

Unlike a device in the home (`devices.drivers.http_link`), such a service says things with its
refusals too, wants its key in the query, and may ask for a pause of an hour.
"""

import asyncio
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import aiohttp
from yarl import URL

from devices.clock import Clock
from devices.drivers.http_link import retry_after_s, send_once
from devices.errors import (
    DeviceConfigError,
    DeviceReplyError,
    DeviceUnauthorisedError,
    DeviceUnavailableError,
)

MOST_BYTES: Final = 16 * 1024 * 1024
"""A year of quarter-hours in XML is a fifth of this."""
LONGEST_PAUSE_S: Final = 6 * 3600.0
"""Longest pause that a service may ask for and get. [s]"""
_BUSY_STATUSES: Final = frozenset({408, 425, 429})


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedRequest:
    """What is asked for."""

    path: str
    """Path under the service's address."""
    query: Mapping[str, str] = field(default_factory=dict)
    """Query without the key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedReply:
    """What came back, whatever its status below 500."""

    status: int
    """HTTP status: 2xx, or a refusal that the service explains in the body."""
    body: bytes
    """Body."""


class FeedLink:
    """Ask one service; each request is a connection of its own.

    Parameters
    ----------
    name : str
        What messages call it.
    base : str
        Scheme, host, and path that all requests begin with.
    timeout_s : float
        Bounds each request, from connecting to the last byte, in real time. [s]
    clock : Clock
        Measures the pauses that the service asks for.
    key : Mapping[str, str], optional
        What is added to each query and shown nowhere.
    busy_s : float
        Pause after "too many requests", at least. [s]

    Raises
    ------
    DeviceConfigError
        If ``base`` is no address.
    """

    def __init__(
        self,
        *,
        name: str,
        base: str,
        timeout_s: float,
        clock: Clock,
        key: Mapping[str, str] | None = None,
        busy_s: float = 60.0,
    ) -> None:
        try:
            self._base = URL(base.rstrip("/"))
            usable = self._base.scheme in {"http", "https"} and bool(self._base.host)
        except ValueError:
            usable = False
        if not usable or self._base.user or self._base.query_string:
            msg = f"{name}: url is no address; give https://HOST/PATH without a query"
            raise DeviceConfigError(msg)
        self.name = name
        self._timeout_s = timeout_s
        self._clock = clock
        self._key = dict(key or {})
        self._busy_s = busy_s
        self._quiet_until_s = -math.inf

    async def get(self, request: FeedRequest) -> FeedReply:
        """Return the answer to a request that is sent once.

        Raises
        ------
        DeviceUnavailableError
            Without an answer in time, for 408, 425, 429 and 5xx, and, unsent, within the pause that
            the service asked for.
        DeviceReplyError
            If the answer is damaged, endless or a redirection, which could carry the key away.
        DeviceUnauthorisedError
            For 401 and 403.
        """
        place = f"{self.name} GET {request.path}"
        left_s = self._quiet_until_s - self._clock.monotonic_s()
        if left_s > 0:
            msg = f"{place}: it asked to be left alone for {left_s:.0f} s more; not sent"
            raise DeviceUnavailableError(msg, retry_after_s=left_s)
        status, headers, body = await self._bounded(request, place)
        self._judge(status, headers, place)
        return FeedReply(status=status, body=body)

    def following(self, address: str) -> FeedRequest:
        """Return the request that a link to the next page stands for.

        Raises
        ------
        DeviceReplyError
            If it leads to another server or out of the service's path.
        """
        try:
            found = URL(address)
            inside = found.origin() == self._base.origin()
        except ValueError:
            inside = False
        root = self._base.path.rstrip("/")
        if not inside or not found.path.startswith(f"{root}/"):
            msg = f"{self.name}: the next page is elsewhere ({address[:80]!r}); ask again"
            raise DeviceReplyError(msg)
        return FeedRequest(path=found.path.removeprefix(root), query=dict(found.query))

    async def _bounded(
        self, request: FeedRequest, place: str
    ) -> tuple[int, Mapping[str, str], bytes]:
        # `from None`: the library's errors carry the whole address, and so the key
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._exchange(request)
        except TimeoutError:
            msg = f"{place}: no answer within {self._timeout_s:g} s; see the network, or try later"
            raise DeviceUnavailableError(msg) from None
        except (aiohttp.ClientPayloadError, aiohttp.ClientResponseError, ValueError) as error:
            msg = f"{place}: damaged answer ({type(error).__name__}); ask again"
            raise DeviceReplyError(msg) from None
        except (aiohttp.ClientError, OSError) as error:
            msg = f"{place}: no connection ({type(error).__name__}); see network and url"
            raise DeviceUnavailableError(msg) from None

    async def _exchange(self, request: FeedRequest) -> tuple[int, Mapping[str, str], bytes]:
        url = self._base.with_path(self._base.path.rstrip("/") + request.path)
        async with (
            aiohttp.ClientSession(
                cookie_jar=aiohttp.DummyCookieJar(),
                middlewares=(send_once,),
                timeout=aiohttp.ClientTimeout(total=None),
            ) as session,
            session.get(
                url.with_query({**request.query, **self._key}), allow_redirects=False
            ) as response,
        ):
            body = bytearray()
            async for chunk in response.content.iter_any():
                body += chunk
                if len(body) > MOST_BYTES:
                    msg = f"more than {MOST_BYTES} bytes"
                    raise aiohttp.ClientPayloadError(msg)
            headers = {key.lower(): value for key, value in response.headers.items()}
            return response.status, headers, bytes(body)

    def _judge(self, status: int, headers: Mapping[str, str], place: str) -> None:
        """Raise what a status means that no service explains."""
        what = f"{place}: HTTP {status}"
        if status >= 500 or status in _BUSY_STATUSES:
            pause_s = retry_after_s(
                headers.get("retry-after"), self._clock.utc(), longest_s=LONGEST_PAUSE_S
            )
            if status == 429:
                pause_s = max(pause_s or 0.0, self._busy_s)
            if pause_s is not None:
                self._quiet_until_s = self._clock.monotonic_s() + pause_s
            msg = f"{what}; ask again later"
            raise DeviceUnavailableError(msg, retry_after_s=pause_s)
        if status in {401, 403}:
            msg = f"{what}, it does not let us in; mend the key in key_file"
            raise DeviceUnauthorisedError(msg)
        if 300 <= status < 400:
            msg = f"{what}, it points elsewhere; mend url"
            raise DeviceReplyError(msg)
