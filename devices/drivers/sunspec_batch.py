"""Many SunSpec blocks of one layout at once, for fleets and recordings: numbers as arrays."""

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from devices.drivers.sunspec_codec import MARKERS, OCTETS, Layout
from devices.drivers.sunspec_models import Point
from devices.errors import DeviceRefusedError, DeviceReplyError

Columns = Mapping[str, NDArray[np.float64]]
"""Values of each point, scaled, shape (blocks,); NaN is "not implemented"."""

_TYPES: Final = {
    "int16": ">i2",
    "sunssf": ">i2",
    "int32": ">i4",
    "int64": ">i8",
    "float32": ">f4",
    "float64": ">f8",
}
_UNSIGNED: Final = {1: ">u2", 2: ">u4", 4: ">u8"}


def decode_many(layout: Layout, words: NDArray[np.uint16]) -> dict[str, NDArray[np.float64]]:
    """Return the numbers of many blocks.

    Parameters
    ----------
    layout : Layout
        Of each block.
    words : array, shape (blocks, registers)
        At least the layout's registers; texts among them are left out. Whole numbers beyond 2**53
        are rounded.

    Raises
    ------
    DeviceReplyError
        If registers are missing, or a scale factor is outside -10..10.
    """
    if words.ndim != 2 or words.shape[1] < layout.size:
        msg = f"SunSpec model {layout.model_id}: {words.shape} registers do not hold blocks of it"
        raise DeviceReplyError(msg)
    octets = np.ascontiguousarray(words[:, : layout.size], dtype=">u2").view(np.uint8)
    columns: dict[str, NDArray[np.float64]] = {}
    for point in layout.points.values():
        if point.kind not in OCTETS:
            part = np.ascontiguousarray(octets[:, _octets_of(point)])
            columns[point.name] = _numbers(part.view(_type_of(point))[:, 0], point.kind)
    scales = {name: _tens(layout, columns[name]) for name in _scales(layout)}
    for point in layout.points.values():
        if point.scale is not None and point.name in columns:
            columns[point.name] *= _factor(point, scales)
    return columns


def encode_many(layout: Layout, columns: Columns) -> NDArray[np.uint16]:
    """Return the registers of many blocks, shape (blocks, registers); NaN is "not implemented".

    Raises
    ------
    DeviceRefusedError
        If a value does not fit into its registers.
    """
    blocks = max((len(column) for column in columns.values()), default=0)
    octets = np.zeros((blocks, 2 * layout.size), dtype=np.uint8)
    nothing = np.full(blocks, np.nan)
    scales = {name: _tens(layout, columns.get(name, nothing)) for name in _scales(layout)}
    for point in layout.points.values():
        if point.kind in OCTETS:
            continue
        raw = columns.get(point.name, nothing)
        if point.scale is not None:
            raw = raw / _factor(point, scales)
        words = _raw(layout, point, raw)
        octets[:, _octets_of(point)] = words.view(np.uint8).reshape(blocks, -1)
    return octets.view(">u2").astype(np.uint16)


def _octets_of(point: Point) -> slice:
    return slice(2 * point.offset, 2 * (point.offset + point.size))


def _type_of(point: Point) -> str:
    return _TYPES.get(point.kind) or _UNSIGNED[point.size]


def _numbers(raw: NDArray[np.generic], kind: str) -> NDArray[np.float64]:
    """Return raw numbers with NaN for "not implemented"."""
    numbers = raw.astype(np.float64)
    marker = MARKERS.get(kind)
    if marker is not None:
        numbers[raw == marker] = np.nan
    return numbers


def _raw(layout: Layout, point: Point, numbers: NDArray[np.float64]) -> NDArray[np.generic]:
    """Return numbers as they stand in the registers."""
    kind = np.dtype(_type_of(point))
    missing = np.isnan(numbers)
    if kind.kind == "f":
        return numbers.astype(kind)
    whole = np.where(missing, 0.0, np.rint(numbers))
    bounds = np.iinfo(kind)
    if not bool(np.all((whole >= bounds.min) & (whole <= bounds.max))):
        msg = f"SunSpec model {layout.model_id}: a value of {point.name} does not fit its registers"
        raise DeviceRefusedError(msg)
    raw = whole.astype(kind)
    raw[missing] = MARKERS.get(point.kind, 0)
    return raw


def _scales(layout: Layout) -> set[str]:
    """Return the points that scale others."""
    named = {point.scale for point in layout.points.values() if isinstance(point.scale, str)}
    return named & layout.points.keys()


def _tens(layout: Layout, powers: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the factors of scale factors; what is not implemented scales by 1."""
    known = np.nan_to_num(powers)
    if not bool(np.all(np.abs(known) <= 10)):
        msg = f"SunSpec model {layout.model_id}: a scale factor is not in -10..10; reread"
        raise DeviceReplyError(msg)
    return np.power(10.0, known)


def _factor(point: Point, scales: Mapping[str, NDArray[np.float64]]) -> NDArray[np.float64] | float:
    if isinstance(point.scale, int):
        return 10.0**point.scale
    return scales.get(point.scale or "", 1.0)
