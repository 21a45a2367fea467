"""Requests for the fuzz: as Schemathesis draws them, and put together from what it drew.

A draw costs several times what sending it does, so a part of the requests is drawn and the others
take their path from one draw, their query from a second and their body from a third. What is there
(a home's id, the version that was told last) is woven in, else nearly all would end at 404 or 428.
"""

import random
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from hypothesis.errors import Unsatisfiable
from requests.structures import CaseInsensitiveDict
from schemathesis import Case, GenerationMode

_SETTINGS: Final = settings(
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
_OTHER: Final = re.compile(rb"is of version ([0-9]+), not|is there already")
_THERE: Final = 0.5
"""Part of the requests put together that name something that is there."""
_VERSIONED: Final = 0.7
"""Part of those with a precondition that could hold."""
_STRANGE: Final = 0.1
"""Part that keeps what was drawn instead of a token."""
_SCRATCHED: Final = 0.15
"""Part of the bodies of which some bytes are others."""


@dataclass(slots=True)
class Known:
    """What is there, as far as the requests know."""

    names: Mapping[str, tuple[str, ...]]
    """Values of a path's parameters, by their names."""
    etags: dict[str, str] = field(default_factory=dict)
    """The version that was told last, by path."""

    def learn(self, path: str, etag: str | None, body: bytes) -> None:
        """Remember the version of what is at a path, as an answer tells it.

        Parameters
        ----------
        path : str
            What was asked for.
        etag : str or None
            The answer's.
        body : bytes
            The answer's; a refusal names the version that it should have been.
        """
        named = _OTHER.search(body)
        if etag is not None:
            self.etags[path] = etag
        elif named is not None:
            self.etags[path] = f'"{int(named[1] or 1)}"'


def drawn(operation: Any, count: int, seed: int) -> list[Case[Any]]:  # noqa: ANN401 -- Schemathesis'
    """Return requests of an operation, half of them as described; fewer where there are no more.

    Parameters
    ----------
    operation : APIOperation
        What is asked.
    count : int
        How many.
    seed : int
        Draws them.
    """
    found: list[Case[Any]] = []

    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):

        @seeded(seed)
        @settings(_SETTINGS, max_examples=max(1, count // 2))
        @given(case=operation.as_strategy(generation_mode=mode))
        def keep(case: Case[Any]) -> None:
            found.append(case)

        # what takes nothing cannot be asked for wrongly
        with suppress(Unsatisfiable):
            keep()
    return found


def put_together(cases: list[Case[Any]], known: Known, draw: random.Random) -> Iterator[Case[Any]]:
    """Yield requests of one operation, without end, from parts of drawn ones.

    Parameters
    ----------
    cases : list of Case
        Drawn; at least one.
    known : Known
        What is there.
    draw : random.Random
        Chooses.
    """
    while True:
        path, query, headers, body = (draw.choice(cases) for _ in range(4))
        asked = headers.operation.Case(
            path_parameters=dict(path.path_parameters),
            query=dict(query.query),
            headers=CaseInsensitiveDict(headers.headers),
            cookies=dict(headers.cookies),
            body=body.body,
            media_type=body.media_type,
        )
        if draw.random() > _STRANGE:
            asked.headers.pop("Authorization", None)
        if draw.random() < _THERE:
            _lead_somewhere(asked, known, draw)
        yield asked


def scratched(body: bytes, draw: random.Random) -> bytes:
    """Return a body, some bytes of which may be changed, left out, doubled or cut off.

    Parameters
    ----------
    body : bytes
        As it was drawn.
    draw : random.Random
        Chooses.
    """
    found = bytearray(body)
    if not found or draw.random() > _SCRATCHED:
        return body
    for _ in range(draw.randrange(1, 5)):
        at = draw.randrange(len(found) + 1)
        piece = found[at : at + draw.randrange(1, 9)]
        put = draw.choice((b"", bytes(piece * 2), draw.randbytes(len(piece))))
        found[at : at + len(piece)] = put
    return bytes(found[: draw.randrange(len(found) + 1)] if draw.random() < 0.1 else found)


def _lead_somewhere(asked: Case[Any], known: Known, draw: random.Random) -> None:
    """Let a request name what is there, in the version that it has."""
    for name in asked.path_parameters:
        if name in known.names:
            asked.path_parameters[name] = draw.choice(known.names[name])
    if asked.method not in {"PUT", "DELETE"} or draw.random() > _VERSIONED:
        return
    for name in ("If-Match", "If-None-Match"):
        asked.headers.pop(name, None)
    etag = known.etags.get(asked.formatted_path)
    if etag is None:
        asked.headers["If-None-Match"] = "*"
    else:
        asked.headers["If-Match"] = etag
