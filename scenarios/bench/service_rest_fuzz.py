"""Requests that the description of the service allows, and such as it does not, by thousands."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

ENDLESS: Final = "/events$"
"""Paths that never stop answering."""
_CHECKS: Final = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
_TIMEOUT_S: Final = 30.0
_SETTINGS: Final = settings(
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fuzzed:
    """What became of the requests."""

    operations: int
    """Operations of the description."""
    statuses: dict[int, int]
    """How often each status was answered."""

    @property
    def requests(self) -> int:
        """How many requests were made."""
        return sum(self.statuses.values())


def fuzz_rest(
    base_url: str, description: Mapping[str, Any], secret: str, *, examples: int, seed: int = 0
) -> Fuzzed:
    """Ask for everything in every way, and raise on the first answer that should not be.

    Parameters
    ----------
    base_url : str
        Where the service is.
    description : Mapping
        Its OpenAPI.
    secret : str
        An operator's token.
    examples : int
        Requests of each operation, half of them as described.
    seed : int
        Draws them.

    Raises
    ------
    schemathesis.core.failures.FailureGroup
        On a server error, an answer that is not as described, or a status that is not.
    """
    schema = schemathesis.openapi.from_dict(dict(description)).exclude(path_regex=ENDLESS)
    statuses: dict[int, int] = {}
    operations = [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {secret}"
        for operation in operations:
            for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
                asked = _asked(base_url, session, statuses)
                drawn = seeded(seed)(settings(_SETTINGS, max_examples=max(1, examples // 2))(asked))
                # what takes nothing cannot be asked for wrongly
                with suppress(Unsatisfiable):
                    given(case=operation.as_strategy(generation_mode=mode))(drawn)()
    return Fuzzed(operations=len(operations), statuses=statuses)


def _asked(
    base_url: str, session: requests.Session, statuses: dict[int, int]
) -> Callable[..., None]:
    """Return what makes one request and looks at its answer."""

    def ask(case: Case[Any]) -> None:
        answer = case.call(base_url=base_url, session=session, timeout=_TIMEOUT_S)
        statuses[answer.status_code] = statuses.get(answer.status_code, 0) + 1
        case.validate_response(answer, checks=_CHECKS)

    return ask
