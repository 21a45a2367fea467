"""Refusals as problem+json (RFC 9457): one line that says who, what, value and remedy."""

from collections.abc import Mapping
from http import HTTPStatus

from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.responses import Response

MEDIA_TYPE = "application/problem+json"
"""Of every answer that is a refusal."""


class Problem(BaseModel):
    """A refusal."""

    type: str = "about:blank"
    """Always this: the status says the kind."""
    title: str
    """The status in words."""
    status: int
    """The HTTP status."""
    detail: str
    """One line: what is wrong, and what to do about it."""


class RefusedError(HTTPException):
    """A request that is answered with a `Problem`.

    Parameters
    ----------
    status : int
        HTTP status.
    detail : str
        One line.
    headers : Mapping[str, str], optional
        What the status wants said in headers.
    """

    def __init__(
        self, status: int, detail: str, *, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(status, detail, headers)


def problem_response(
    status: int, detail: str, headers: Mapping[str, str] | None = None
) -> Response:
    """Return a refusal as an answer.

    Parameters
    ----------
    status : int
        HTTP status.
    detail : str
        One line.
    headers : Mapping[str, str], optional
        More headers.
    """
    told = Problem(title=HTTPStatus(status).phrase, status=status, detail=" ".join(detail.split()))
    return Response(told.model_dump_json(), status, dict(headers or {}), MEDIA_TYPE)
