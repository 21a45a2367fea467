"""What requests give besides bodies, each checked the same everywhere."""

import re
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Final

from fastapi import Depends, Header, Path, Query

from aggregator.service.registry.bodies import NAME_PATTERN, Line
from aggregator.service.rest.problem import RefusedError

PAGE: Final = 100
"""Items of a page unless told."""
PAGE_MOST: Final = 1000
"""Items of a page at most."""
_INTEGER_MOST: Final = 2**53
_TIME_MOST_MS: Final = 4_102_444_800_000
"""The year 2100: nothing of a fleet is later. [ms]"""

HomeId = Annotated[str, Path(pattern=NAME_PATTERN, description="The home: its gateway's id.")]
"""A path's home."""
DeviceId = Annotated[str, Path(pattern=NAME_PATTERN, description="The home's device.")]
"""A path's device."""
TariffId = Annotated[str, Path(pattern=NAME_PATTERN, description="The tariff.")]
"""A path's tariff."""
Number = Annotated[int, Path(ge=1, le=_INTEGER_MOST, description="Its number.")]
"""A path's number."""
Limit = Annotated[int, Query(ge=1, le=PAGE_MOST, description="Items at most.")]
"""How many items a page has."""
NameCursor = Annotated[
    str,
    Query(pattern=r"^[A-Za-z0-9_.-]{0,64}$", description="`next` of the page before."),
]
"""Where a page of names goes on."""
NumberCursor = Annotated[
    int | None, Query(ge=0, le=_INTEGER_MOST, description="`next` of the page before.")
]
"""Where a page of numbered things goes on."""
TimeMs = Annotated[int, Query(ge=0, le=_TIME_MOST_MS, description="Unix time in milliseconds.")]
"""A time. [ms]"""
AtMs = Annotated[
    int | None,
    Query(ge=0, le=_TIME_MOST_MS, description="As of then: the first is what was in force."),
]
"""A time in the past. [ms]"""
Day = Annotated[
    date, Query(ge=date(2000, 1, 1), le=date(2100, 1, 1), description="A local market day.")
]
"""A market day."""
Comment = Annotated[Line, Query(description="Why, for the history.")]
"""Why something is changed."""


@dataclass(frozen=True, slots=True)
class Precondition:
    """Which version a change is for."""

    version: int | None
    """The version; None where nothing may be there yet."""


async def _precondition(
    if_match: Annotated[str | None, Header(description='The version, such as `"3"`.')] = None,
    if_none_match: Annotated[str | None, Header(description="`*` for what is new.")] = None,
) -> Precondition:
    if if_match is None and if_none_match == "*":
        return Precondition(None)
    if if_match is None or if_none_match is not None:
        msg = (
            "a change names the version it is for; send If-Match with the ETag, or If-None-Match: *"
        )
        raise RefusedError(428, msg)
    version = re.fullmatch(r'"([0-9]{1,9})"', if_match, re.ASCII)
    if version is None:
        msg = f'If-Match is {if_match[:40]!r}; send the ETag as it was given, such as "3"'
        raise RefusedError(412, msg)
    return Precondition(int(version[1]))


async def _existing(for_version: Annotated[Precondition, Depends(_precondition)]) -> Precondition:
    if for_version.version is None:
        raise RefusedError(428, "only what is there can be retired; send If-Match with the ETag")
    return for_version


ForVersion = Annotated[Precondition, Depends(_precondition)]
"""Which version a change is for, or that it is new."""
ForExisting = Annotated[Precondition, Depends(_existing)]
"""Which version a change is for."""
