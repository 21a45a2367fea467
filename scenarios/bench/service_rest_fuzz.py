"""Requests that the description of the service allows, and such as it does not, by thousands."""

import gzip
import http.client
import random
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Any, Final
from urllib.parse import urlsplit

import requests
import schemathesis
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.core.transport import Response
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from scenarios.bench.service_rest_draws import Known, drawn, put_together, scratched

_CHECKS: Final = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
_DRAWN: Final = 0.2
"""Part of the requests that is as it was drawn."""
_NOTHING_TO_VARY: Final = 0.1
"""Part of the requests of an operation that takes nothing, as against one that does."""
_FAILURES_MOST: Final = 20
"""Failures that are told in full."""
_STREAM: Final = "text/event-stream"
_TIMEOUT_S: Final = 60.0


@dataclass(kw_only=True, slots=True)
class Fuzzed:
    """What became of the requests."""

    drawn: int = 0
    """How many were as Schemathesis drew them; the others were put together from these."""
    statuses: dict[str, Counter[int]] = field(default_factory=dict)
    """How often each status was answered, by operation."""
    failures: list[str] = field(default_factory=list)
    """Server errors, and answers that are not as described: what was asked and what came."""

    @property
    def requests(self) -> int:
        """How many requests were made."""
        return sum(each.total() for each in self.statuses.values())

    def __add__(self, other: "Fuzzed") -> "Fuzzed":
        """Return both together; they are of different operations."""
        return Fuzzed(
            drawn=self.drawn + other.drawn,
            statuses=self.statuses | other.statuses,
            failures=self.failures + other.failures,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Fuzz:
    """What is asked of whom."""

    base_url: str
    """Where the service is."""
    description: Mapping[str, Any]
    """Its OpenAPI."""
    secret: str
    """An operator's token."""
    requests: int
    """How many requests of all operations."""
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What is there: values of a path's parameters, by their names."""
    seed: int = 0
    """Draws them."""


def fuzz_rest(fuzz: Fuzz, *, part: int = 0, parts: int = 1) -> Fuzzed:
    """Ask for everything in every way, and look at each answer.

    Parameters
    ----------
    fuzz : Fuzz
        What is asked of whom.
    part : int
        Which of the operations: every ``parts``-th, from this one on.
    parts : int
        How many processes ask.
    """
    schema = schemathesis.openapi.from_dict(dict(fuzz.description))
    operations = [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]
    weights = [_weight(operation) for operation in operations]
    each = fuzz.requests / sum(weights)
    draw = random.Random(fuzz.seed)  # noqa: S311 -- no secret
    found, known = Fuzzed(), Known(fuzz.names)
    caller = _Caller(fuzz.base_url, fuzz.secret, draw)
    for operation, weight in islice(zip(operations, weights, strict=True), part, None, parts):
        count = max(2, round(each * weight))
        cases = drawn(operation, max(2, round(count * _DRAWN)), fuzz.seed)[:count]
        found.drawn += len(cases)
        mixed = islice(put_together(cases, known, draw), count - len(cases))
        found.statuses[operation.label] = Counter(
            _asked(case, caller, known, found.failures) for case in chain(cases, mixed)
        )
    caller.close()
    return found


def _weight(operation: Any) -> float:  # noqa: ANN401 -- Schemathesis'
    takes = [*operation.iter_parameters(), *operation.body]
    return 1.0 if any(each.name != "Authorization" for each in takes) else _NOTHING_TO_VARY


def _asked(case: Case[Any], caller: "_Caller", known: Known, failures: list[str]) -> int:
    """Ask, look at the answer and return its status; 0 where there is none."""
    try:
        answer = caller.ask(case)
        if answer.stream_cut_short:
            return answer.status_code
        known.learn(case.formatted_path, answer.headers.get("etag", [None])[0], answer.content)
        case.validate_response(answer, checks=_CHECKS)
    except FailureGroup as error:
        _keep(failures, "\n".join(str(each) for each in (error, *error.exceptions)))
    except (OSError, http.client.HTTPException) as error:
        _keep(failures, f"{case.operation.label} {case!r}: no answer ({error!r})")
        caller.close()
        return 0
    return answer.status_code


def _keep(failures: list[str], told: str) -> None:
    """Keep a failure, in full as long as there are few."""
    failures.append(told if len(failures) < _FAILURES_MOST else told[:200])


class _Caller:
    """Sends requests over one connection, as `requests` prepares them."""

    def __init__(self, base_url: str, secret: str, draw: random.Random) -> None:
        place = urlsplit(base_url)
        self._base_url = base_url
        self._connection = http.client.HTTPConnection(
            place.hostname or "", place.port, timeout=_TIMEOUT_S
        )
        self._token = f"Bearer {secret}"
        self._draw = draw

    def ask(self, case: Case[Any]) -> Response:
        """Return the answer; of events, which never end, how they begin."""
        given: dict[str, Any] = case.as_transport_kwargs(base_url=self._base_url)
        given["headers"].setdefault("Authorization", self._token)
        prepared = requests.Request(**given).prepare()
        if isinstance(prepared.body, bytes):
            prepared.body = scratched(prepared.body, self._draw)
            prepared.headers["Content-Length"] = str(len(prepared.body))
        began_s = time.perf_counter()
        answer = self._answer(prepared)
        endless = answer.status == 200 and answer.headers["Content-Type"].startswith(_STREAM)
        return Response(
            status_code=answer.status,
            headers={name: [value] for name, value in answer.headers.items()},
            content=self._begun(answer) if endless else _whole(answer),
            request=prepared,
            elapsed=time.perf_counter() - began_s,
            verify=False,
            message=answer.reason,
            encoding="utf-8",
            stream_cut_short=endless,
        )

    def _answer(self, prepared: requests.PreparedRequest) -> http.client.HTTPResponse:
        """Send a request, once more where the service had let go of an idle connection."""
        fresh = self._connection.sock is None
        body = prepared.body
        assert body is None or isinstance(body, bytes | str)  # noqa: S101 -- no file is sent
        try:
            self._connection.request(
                prepared.method or "", prepared.path_url, body, dict(prepared.headers)
            )
            return self._connection.getresponse()
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
            self.close()
            if fresh:
                raise
            return self._answer(prepared)

    def close(self) -> None:
        """Let go of the connection; the next request opens another."""
        self._connection.close()

    def _begun(self, answer: http.client.HTTPResponse) -> bytes:
        """Read how events begin, and leave: they never end."""
        first = answer.read1(200)
        answer.close()
        self.close()
        if not first.startswith((b"event: hello\n", b"event: reset\n")):
            msg = f"events begin with {first!r}"
            raise http.client.HTTPException(msg)
        return first


def _whole(answer: http.client.HTTPResponse) -> bytes:
    body = answer.read()
    return gzip.decompress(body) if answer.headers["Content-Encoding"] == "gzip" else body
