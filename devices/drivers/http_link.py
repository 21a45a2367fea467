"""HTTP to a device: one request at a time, bounded in time, every failure one of our errors."""

import asyncio
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final, Protocol

import aiohttp
from yarl import URL

from devices.clock import Clock
from devices.errors import (
    DeviceConfigError,
    DeviceRefusedError,
    DeviceReplyError,
    DeviceUnauthorisedError,
    DeviceUnavailableError,
)

MOST_BYTES: Final = 4 * 1024 * 1024
"""No device has more to say in one answer."""
LONGEST_PAUSE_S: Final = 60.0
"""Longest pause that a device may ask for and get. [s]"""
_BUSY_STATUSES: Final = frozenset({408, 425, 429})


class Authentication(Protocol):
    """Proves to a device who asks."""

    def headers(self, method: str, path: str) -> Mapping[str, str]:
        """Return what is sent with a request."""
        ...

    def challenged(self, headers: Mapping[str, str]) -> bool:
        """Take the headers of a 401; return whether the request is worth repeating."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedHeaders:
    """A proof that is the same each time: a token, or name and password."""

    values: Mapping[str, str] = field(default_factory=dict, repr=False)
    """What is sent; never shown."""

    def headers(self, method: str, path: str) -> Mapping[str, str]:
        """See `Authentication`."""
        return self.values

    def challenged(self, headers: Mapping[str, str]) -> bool:
        """See `Authentication`: the same would be refused again."""
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    method: str
    path: str
    json: object
    form: Mapping[str, str] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reply:
    status: int
    headers: Mapping[str, str]
    body: bytes


class HttpLink:
    """Ask one device over HTTP; a lost connection is made anew with the next request.

    Parameters
    ----------
    name : str
        What messages call the device.
    base : str
        Scheme, host and port, such as ``http://192.168.1.20:8080``; see `base_url`.
    timeout_s : float
        Bounds each request, from connecting to the last byte, in real time. [s]
    clock : Clock
        Measures the pauses that a device asks for.
    authentication : Authentication, optional
        Proves who asks; None sends nothing.

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
        authentication: Authentication | None = None,
    ) -> None:
        try:
            self._base = URL(base)
            usable = self._base.scheme in {"http", "https"} and bool(self._base.host)
        except ValueError:
            usable = False
        if not usable:
            msg = f"{name}: {base!r} is no address; give a host name or an IP address"
            raise DeviceConfigError(msg)
        self.name = name
        self._timeout_s = timeout_s
        self._clock = clock
        self._authentication = authentication or FixedHeaders()
        self._session: aiohttp.ClientSession | None = None
        self._one_at_a_time = asyncio.Lock()
        self._quiet_until_s = -math.inf
        self._closed = False

    async def ask(
        self,
        method: str,
        path: str,
        *,
        json: object = None,
        form: Mapping[str, str] | None = None,
    ) -> bytes:
        """Send a request and return the body of its answer, of any status 2xx.

        Raises
        ------
        DeviceUnavailableError
            Without an answer in time, for 408, 425, 429 and 5xx, and, unsent, within the pause that
            the device asked for, or once the link is closed.
        DeviceReplyError
            If the answer is damaged, endless or a redirection: those are not followed, for they
            may lead the credentials elsewhere.
        DeviceUnauthorisedError, DeviceRefusedError
            For 401, and for any other 4xx.
        """
        request = _Request(method=method, path=path, json=json, form=form)
        place = f"{self.name} {method} {path}"
        async with self._one_at_a_time:
            self._require_open(place)
            reply = await self._bounded(request, place)
            if reply.status == 401 and self._authentication.challenged(reply.headers):
                reply = await self._bounded(request, place)
        self._judge(reply, place)
        return reply.body

    async def close(self) -> None:
        """Drop the connection for good."""
        self._closed = True
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _bounded(self, request: _Request, place: str) -> _Reply:
        """Exchange request and answer, every failure turned into one of ours."""
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._exchange(request)
        except TimeoutError as error:
            msg = f"{place}: no answer within {self._timeout_s:g} s; see whether it is switched on"
            raise DeviceUnavailableError(msg) from error
        except (aiohttp.ClientPayloadError, aiohttp.ClientResponseError, ValueError) as error:
            msg = f"{place}: damaged answer ({type(error).__name__}); ask again"
            raise DeviceReplyError(msg) from error
        except (aiohttp.ClientError, OSError) as error:
            msg = f"{place}: no connection ({_reason(error)}); see host, port and network"
            raise DeviceUnavailableError(msg) from error

    async def _exchange(self, request: _Request) -> _Reply:
        if self._session is None:
            # small devices keep few connections and forget idle ones: a fresh one each time
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(force_close=True),
                cookie_jar=aiohttp.DummyCookieJar(),
                middlewares=(send_once,),
                timeout=aiohttp.ClientTimeout(total=None),
            )
        async with self._session.request(
            request.method,
            self._base.join(URL(request.path)),
            json=request.json,
            data=request.form,
            headers=self._authentication.headers(request.method, request.path),
            allow_redirects=False,
        ) as response:
            body = bytearray()
            async for chunk in response.content.iter_any():
                body += chunk
                if len(body) > MOST_BYTES:
                    msg = f"more than {MOST_BYTES} bytes"
                    raise aiohttp.ClientPayloadError(msg)
            headers = {key.lower(): value for key, value in response.headers.items()}
            return _Reply(status=response.status, headers=headers, body=bytes(body))

    def _judge(self, reply: _Reply, place: str) -> None:
        """Raise what the status means, unless it is 2xx."""
        status = reply.status
        if 200 <= status < 300:
            return
        what = f"{place}: HTTP {status}"
        if status >= 500 or status in _BUSY_STATUSES:
            pause_s = retry_after_s(reply.headers.get("retry-after"), self._clock.utc())
            if pause_s is not None:
                self._quiet_until_s = self._clock.monotonic_s() + pause_s
            msg = f"{what}; ask again later"
            raise DeviceUnavailableError(msg, retry_after_s=pause_s)
        if status == 401:
            msg = f"{what}, it does not know us; mend the token, or name and password"
            raise DeviceUnauthorisedError(msg)
        if status < 400:
            msg = f"{what}, it points elsewhere; mend scheme, host or port"
            raise DeviceReplyError(msg)
        msg = f"{what}, it refuses; see whether it allows this and offers this path"
        raise DeviceRefusedError(msg)

    def _require_open(self, place: str) -> None:
        """Raise unless a request may be sent now."""
        if self._closed:
            msg = f"{place}: the connection was closed; open the device again"
            raise DeviceUnavailableError(msg)
        left_s = self._quiet_until_s - self._clock.monotonic_s()
        if left_s > 0:
            msg = f"{place}: it asked to be left alone for {left_s:g} s more; not sent"
            raise DeviceUnavailableError(msg, retry_after_s=left_s)


async def send_once(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Send a request once: unasked, the library repeats those that a lost connection ended."""
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise ConnectionResetError from error


def _reason(error: Exception) -> str:
    """Return in plain words why there is no connection."""
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "no such host"
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    if isinstance(cause, ConnectionRefusedError):
        return "refused"
    if isinstance(cause, ConnectionError):
        return "cut off"
    number = cause.errno if isinstance(cause, OSError) else None
    return os.strerror(number).lower() if number is not None and number > 0 else "it failed"


def base_url(host: str, port: int) -> str:
    """Return the plain-HTTP address of a device in the home.

    Raises
    ------
    ValueError
        If the host is empty or more than a host, or the port none.
    """
    if not host or any(sign in host for sign in "/@?#\\ ") or not 0 < port < 65_536:
        msg = f"host {host!r} and port {port} are no address; give a host name or IP and a port"
        raise ValueError(msg)
    shown = f"[{host}]" if ":" in host and not host.startswith("[") else host
    return f"http://{shown}:{port}"


def retry_after_s(
    value: str | None, now: datetime, *, longest_s: float = LONGEST_PAUSE_S
) -> float | None:
    """Return the pause that a Retry-After header asks for, in seconds or until a date. [s]

    Parameters
    ----------
    value : str, optional
        The header; None, or what cannot be read, asks for none.
    now : datetime
        Present time, aware.
    longest_s : float
        Longest pause that may be asked for. [s]
    """
    if value is None:
        return None
    try:
        pause_s = float(value)
    except ValueError:
        try:
            until = parsedate_to_datetime(value)
        except (ValueError, TypeError):
            return None
        until = until if until.tzinfo else until.replace(tzinfo=UTC)
        pause_s = (until - now).total_seconds()
    return min(max(pause_s, 0.0), longest_s) if math.isfinite(pause_s) else None


def require_timeout(timeout_s: float) -> None:
    """Raise ``ValueError`` unless a setting can bound a request. [s]"""
    if not (math.isfinite(timeout_s) and timeout_s > 0):
        msg = f"timeout_s is {timeout_s:g}; give a positive number of seconds"
        raise ValueError(msg)
