"""What SunSpec's models hold: the alliance's own definitions, read as data and laid out flat."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from devices.errors import DeviceRefusedError


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One value of a model, at its place in a block of registers."""

    name: str
    """Its name; in a group that repeats ``Prt[0].DCW``, in one that does not ``PFWInj.PF``."""
    kind: str
    """SunSpec's type, such as ``uint16`` or ``string``."""
    offset: int
    """Registers from the model's identifier to it."""
    size: int
    """Its registers."""
    scale: str | int | None
    """Point that holds its power of ten, or the power itself; None where it is not scaled."""
    writable: bool
    """Whether the definition lets it be written."""


@cache
def definition(model_id: int) -> Mapping[str, Any]:
    """Return the outermost group of a model's definition.

    Raises
    ------
    DeviceRefusedError
        If no such model is published.
    """
    name = f"model_{model_id}.json"
    place = resources.files("sunspec2").joinpath("models", "json", name)
    try:
        group: Mapping[str, Any] = json.loads(place.read_text("utf-8"))["group"]
    except FileNotFoundError as error:
        msg = f"SunSpec model {model_id} has no published definition; read its registers instead"
        raise DeviceRefusedError(msg) from error
    return group


@cache
def counting_offsets(model_id: int) -> tuple[tuple[str, int], ...]:
    """Return name and offset of the points that say how often a model's groups repeat."""
    group = definition(model_id)
    wanted = {str(each["count"]) for each in _groups(group) if isinstance(each.get("count"), str)}
    offset, found = 0, []
    for point in group["points"]:
        if point["name"] in wanted:
            found.append((str(point["name"]), offset))
        offset += int(point["size"])
    return tuple(found)


def points_of(model_id: int, *, size: int, counts: Mapping[str, int]) -> tuple[Point, ...]:
    """Return a model's points in their order, as far as ``size`` registers hold them.

    Parameters
    ----------
    model_id : int
        The model.
    size : int
        Registers of the block, identifier and length included.
    counts : Mapping[str, int]
        How often groups repeat, by the point that says so.
    """
    found: list[Point] = []
    _lay(definition(model_id), found, _Room(size=size, counts=counts), prefix="", scales={})
    return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Room:
    """What bounds the laying out of a model."""

    size: int
    counts: Mapping[str, int]

    def times(self, group: Mapping[str, Any]) -> int:
        """Return how often a group stands in the block at most; no count means once."""
        count = group.get("count", 1)
        if isinstance(count, str):
            return self.counts.get(count, 0)
        return int(count) or self.size  # 0 in a definition: as often as there is room


def _lay(
    group: Mapping[str, Any],
    found: list[Point],
    room: _Room,
    *,
    prefix: str,
    scales: Mapping[str, str],
) -> bool:
    """Append a group's points, then those of the groups inside; False when the room is used up."""
    own = {point["name"]: prefix + point["name"] for point in group["points"]}
    known = {**scales, **own}
    for point in group["points"]:
        offset = found[-1].offset + found[-1].size if found else 0
        size = int(point["size"])
        if offset + size > room.size:
            return False
        scale = point.get("sf")
        found.append(
            Point(
                name=prefix + point["name"],
                kind=point["type"],
                offset=offset,
                size=size,
                scale=known.get(scale) if isinstance(scale, str) else scale,
                writable=point.get("access") == "RW",
            )
        )
    return all(
        _lay_inner(inner, found, room, prefix=prefix, scales=known)
        for inner in group.get("groups", ())
    )


def _lay_inner(
    group: Mapping[str, Any],
    found: list[Point],
    room: _Room,
    *,
    prefix: str,
    scales: Mapping[str, str],
) -> bool:
    """Append a group as often as it repeats; False when the room is used up."""
    repeats = "count" in group
    for index in range(room.times(group)):
        place = f"{prefix}{group['name']}[{index}]." if repeats else f"{prefix}{group['name']}."
        if not _lay(group, found, room, prefix=place, scales=scales):
            return False
    return True


def _groups(group: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the groups inside a group, at any depth."""
    for inner in group.get("groups", ()):
        yield inner
        yield from _groups(inner)
