"""Several nodes of one chain behind one connection: the first that can be used is asked.

A node that is dead, answers something else than JSON-RPC, serves another chain or lags behind rests
for a while and is then tried again. A submission is passed on to the next node only where it surely
did not reach the first: who may have it must be asked again with the same bytes.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any, TypeVar
from urllib.parse import urlsplit

from requests.exceptions import ConnectTimeout, HTTPError, RequestException
from urllib3.exceptions import MaxRetryError, NewConnectionError
from web3 import HTTPProvider, Web3
from web3.exceptions import BadResponseFormat, TimeExhausted
from web3.providers.base import JSONBaseProvider
from web3.types import RPCEndpoint, RPCResponse

from contracts.errors import ChainMismatchError, LedgerUnavailableError
from contracts.errors_connection import EndpointsDownError

Answer = TypeVar("Answer")

REST_S = 30.0
"""How long a node that failed is left alone. [s]"""
LOOK_S = 15.0
"""How often the nodes' heights are compared. [s]"""
LAG_BLOCKS = 10
"""By how many blocks a node may be behind the best."""
PROBE_TIMEOUT_S = 5.0
"""How long a node may take to say which chain it serves, at most. [s]"""

_SENDS = frozenset({"eth_sendRawTransaction", "eth_sendTransaction"})
_FAILURES = (RequestException, BadResponseFormat, TimeExhausted, ValueError, LedgerUnavailableError)
"""ValueError is what JSON and UTF-8 that cannot be read raise."""


@dataclass(slots=True)
class Endpoint:
    """Hold one node and what is known of it."""

    where: str
    """What messages call it: its URL without what may be secret."""
    provider: HTTPProvider
    """The connection."""
    probe: HTTPProvider
    """The same, of less patience."""
    examined: bool = False
    """Whether its chain and height were looked at since it last rested."""
    height: int = 0
    """Its latest block when last looked at."""
    looked_at: float = -1e9
    """When that was, by the clock. [s]"""
    rests_until: float = -1e9
    """When it may be used again, by the clock. [s]"""


class EndpointsProvider(JSONBaseProvider):
    """Answer what Web3 asks, from the first of several nodes that can."""

    def __init__(
        self,
        urls: Sequence[str],
        *,
        timeout_s: float,
        chain_id: int | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prefer ``urls`` in their order.

        Parameters
        ----------
        urls : sequence of str
            Addresses of their JSON-RPC services.
        timeout_s : float
            How long an answer may take. [s]
        chain_id : int, optional
            Number that each must have; None takes that of the first that answers.
        clock : callable
            Seconds since some moment. [s]
        """
        super().__init__()
        self._chain_id = chain_id
        self._clock = clock
        self._looking = Lock()
        self._endpoints = [
            Endpoint(shown(url), _http(url, timeout_s), _http(url, min(timeout_s, PROBE_TIMEOUT_S)))
            for url in urls
        ]

    def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:  # noqa: ANN401 -- web3's
        """Ask the nodes in turn; see `web3.providers.base.BaseProvider`.

        Raises
        ------
        EndpointsDownError
            With each node's reason, if none answers.
        """
        return self._first(
            lambda provider: _checked(provider.make_request(method, params)), sends=method in _SENDS
        )

    def make_batch_request(
        self, requests: list[tuple[RPCEndpoint, Any]]
    ) -> list[RPCResponse] | RPCResponse:
        """Ask the nodes in turn many questions at once, none of which may send; see `make_request`.

        Raises
        ------
        EndpointsDownError
            With each node's reason, if none answers.
        """
        return self._first(
            lambda provider: _checked_all(provider.make_batch_request(requests)), sends=False
        )

    def _first(self, ask: Callable[[HTTPProvider], Answer], *, sends: bool) -> Answer:
        """Return what the first node that can be used answers."""
        self._look()
        reasons: dict[str, str] = {}
        for endpoint in self._in_order():
            try:
                if not endpoint.examined:
                    self._examine(endpoint)
                return ask(endpoint.provider)
            except _FAILURES as error:
                asked, endpoint.examined = endpoint.examined, False
                self._rest(endpoint)
                if sends and asked and not _undelivered(error):
                    raise
                reasons[endpoint.where] = _in_words(error)
        raise EndpointsDownError(reasons)

    def _in_order(self) -> list[Endpoint]:
        """Return those that can be used by preference, then those that rest, as a last resort."""
        now = self._clock()
        return sorted(self._endpoints, key=lambda endpoint: endpoint.rests_until > now)

    def _rest(self, endpoint: Endpoint) -> None:
        endpoint.rests_until = self._clock() + REST_S

    def _look(self) -> None:
        """Compare the heights of those that do not rest, now and then, in one thread."""
        now = self._clock()
        due = [
            endpoint
            for endpoint in self._endpoints
            if endpoint.rests_until <= now and now - endpoint.looked_at >= LOOK_S
        ]
        if not due or not self._looking.acquire(blocking=False):
            return
        try:
            for endpoint in due:
                self._measure(endpoint)
            for endpoint in due:
                if endpoint.examined and self._lag(endpoint) > LAG_BLOCKS:
                    self._rest(endpoint)
                    endpoint.examined = False
        finally:
            self._looking.release()

    def _measure(self, endpoint: Endpoint) -> None:
        """Look at the chain and the height of ``endpoint``; let it rest if it does not tell."""
        try:
            self._ask_chain(endpoint)
        except _FAILURES:
            self._rest(endpoint)
            endpoint.examined = False

    def _examine(self, endpoint: Endpoint) -> None:
        """Raise unless ``endpoint`` serves our chain and keeps up with it."""
        self._ask_chain(endpoint)
        lag = self._lag(endpoint)
        if lag > LAG_BLOCKS:
            endpoint.examined = False
            msg = f"is {lag} blocks behind"
            raise LedgerUnavailableError(msg)

    def _ask_chain(self, endpoint: Endpoint) -> None:
        endpoint.looked_at = self._clock()
        serves = _number(endpoint.probe, "eth_chainId")
        if self._chain_id is None:
            self._chain_id = serves
        if serves != self._chain_id:
            msg = f"serves chain {serves}, not {self._chain_id}"
            raise LedgerUnavailableError(msg)
        endpoint.height = _number(endpoint.probe, "eth_blockNumber")
        endpoint.examined = True

    def _lag(self, endpoint: Endpoint) -> int:
        """Return how many blocks ``endpoint`` is behind the best that was seen lately."""
        since = self._clock() - REST_S - LOOK_S
        seen = [each.height for each in self._endpoints if each.looked_at >= since]
        return max(seen, default=endpoint.height) - endpoint.height


def connection(url: str | Sequence[str], timeout_s: float, *, chain_id: int | None = None) -> Web3:
    """Return a connection to the node at the URL, or to the first of several that can be used.

    Nothing is repeated by itself: who sends knows what may be repeated.
    """
    urls = [url] if isinstance(url, str) else list(url)
    if len(urls) == 1:
        return Web3(_http(urls[0], timeout_s))
    if not urls:
        msg = "no URL of a node is given; name one"
        raise ChainMismatchError(msg)
    return Web3(EndpointsProvider(urls, timeout_s=timeout_s, chain_id=chain_id))


def shown(url: str) -> str:
    """Return a URL as messages show it: without user, path and query, which may hold a secret."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}" if host else url


def _http(url: str, timeout_s: float) -> HTTPProvider:
    return HTTPProvider(
        url, request_kwargs={"timeout": timeout_s}, exception_retry_configuration=None
    )


def _number(provider: HTTPProvider, method: str) -> int:
    """Return what a node answers to a question for a number."""
    answer = _checked(provider.make_request(RPCEndpoint(method), []))
    try:
        return int(str(answer["result"]), 16)
    except (KeyError, ValueError) as error:
        msg = f"answers {method} without a number"
        raise LedgerUnavailableError(msg) from error


def _checked(answer: object) -> RPCResponse:
    """Return a node's answer, or raise where it is none of JSON-RPC."""
    if isinstance(answer, dict) and ("result" in answer or "error" in answer):
        return answer  # type: ignore[return-value] # a TypedDict, as far as it can be seen
    msg = "does not answer as a JSON-RPC node"
    raise LedgerUnavailableError(msg)


def _checked_all(answer: object) -> list[RPCResponse] | RPCResponse:
    """Return a node's answer to a batch, or that it takes none, or raise where it is neither."""
    return answer if isinstance(answer, list) else _checked(answer)


def _undelivered(error: Exception) -> bool:
    """Return whether a request surely reached no node."""
    if isinstance(error, ConnectTimeout):
        return True
    cause = error.args[0] if error.args else None
    return isinstance(cause, MaxRetryError) and isinstance(cause.reason, NewConnectionError)


def _in_words(error: Exception) -> str:
    """Return why a node could not be used, without its address."""
    if isinstance(error, LedgerUnavailableError):
        return str(error)
    if isinstance(error, HTTPError) and error.response is not None:
        return f"HTTP {error.response.status_code}"
    if isinstance(error, (BadResponseFormat, ValueError)) and not isinstance(
        error, RequestException
    ):
        return "does not answer as a JSON-RPC node"
    return type(error).__name__
