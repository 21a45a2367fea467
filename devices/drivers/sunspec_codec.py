"""Blocks of SunSpec registers and their values, both ways: pure, compiled once for each layout."""

import struct
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from math import isnan
from typing import Any, Final

from devices.drivers.sunspec_models import Point, counting_offsets, points_of
from devices.errors import DeviceRefusedError, DeviceReplyError

Scalar = int | float | str | None
"""A value; None is SunSpec's "not implemented"."""
Block = Mapping[str, Scalar]
"""A model's values by the names of its points, scaled."""

_CODES: Final = {
    "int16": "h",
    "sunssf": "h",
    "int32": "i",
    "int64": "q",
    "uint32": "I",
    "acc32": "I",
    "enum32": "I",
    "bitfield32": "I",
    "ipaddr": "I",
    "uint64": "Q",
    "acc64": "Q",
    "bitfield64": "Q",
    "float32": "f",
    "float64": "d",
}
MARKERS: Final = {
    "int16": -(2**15),
    "sunssf": -(2**15),
    "int32": -(2**31),
    "int64": -(2**63),
    "uint16": 2**16 - 1,
    "enum16": 2**16 - 1,
    "bitfield16": 2**16 - 1,
    "count": 2**16 - 1,
    "pad": 2**15,
    "uint32": 2**32 - 1,
    "enum32": 2**32 - 1,
    "bitfield32": 2**32 - 1,
    "uint64": 2**64 - 1,
    "bitfield64": 2**64 - 1,
    "acc16": 0,
    "acc32": 0,
    "acc64": 0,
    "ipaddr": 0,
}
"""What stands for "not implemented", by the type of a point."""
OCTETS: Final = frozenset({"string", "ipv6addr", "eui48"})
"""Types that are no numbers."""
_FLOATS: Final = frozenset({"float32", "float64"})
_SCALE_MOST: Final = 10
_TENS: Final = tuple(10**power for power in range(_SCALE_MOST + 1))


class Layout:
    """Where the values of one model stand, ready to decode and encode blocks of it.

    Parameters
    ----------
    model_id : int
        The model.
    size : int
        Registers of a block, identifier and length included; points beyond are left out.
    counts : tuple
        How often groups repeat, by the point that says so.
    """

    def __init__(self, model_id: int, size: int, counts: tuple[tuple[str, int], ...] = ()) -> None:
        points = points_of(model_id, size=size, counts=dict(counts))
        index = {point.name: i for i, point in enumerate(points)}
        self.model_id = model_id
        self.points: Mapping[str, Point] = {point.name: point for point in points}
        self.size = points[-1].offset + points[-1].size if points else 0
        """Registers that its points take."""
        self._names = tuple(index)
        self._body = struct.Struct(">" + "".join(_code(point) for point in points))
        self._words = struct.Struct(f">{self.size}H")
        self._markers: tuple[int | None, ...] = tuple(MARKERS.get(p.kind) for p in points)
        self._blanks = tuple(_blank(point) for point in points)
        self._octets = tuple(i for i, p in enumerate(points) if p.kind in OCTETS)
        self._floats = tuple(i for i, p in enumerate(points) if p.kind in _FLOATS)
        scaled = [(i, p.scale) for i, p in enumerate(points) if p.scale is not None]
        self._scaled = tuple((i, index[s]) for i, s in scaled if isinstance(s, str) and s in index)
        self._fixed = tuple((i, s) for i, s in scaled if isinstance(s, int))
        self._named = tuple((i, self._names[i], self._names[j]) for i, j in self._scaled)

    def decode(self, registers: Sequence[int]) -> dict[str, Scalar]:
        """Return the values of a block, scaled; None for what is not implemented.

        Parameters
        ----------
        registers : Sequence[int], length >= `size`
            The block from its identifier on; more is left alone.

        Raises
        ------
        DeviceReplyError
            If registers are missing, or a scale factor is outside -10..10.
        """
        try:
            raw = self._body.unpack(self._words.pack(*registers[: self.size]))
        except struct.error as error:
            msg = (
                f"SunSpec model {self.model_id}: {len(registers)} registers do not hold it; reread"
            )
            raise DeviceReplyError(msg) from error
        values: list[Scalar] = [
            None if value == marker else value
            for value, marker in zip(raw, self._markers, strict=True)
        ]
        for i in self._octets:
            values[i] = _text(raw[i])
        for i in self._floats:
            if isnan(raw[i]):
                values[i] = None
        self._scale(values)
        return dict(zip(self._names, values, strict=True))

    def encode(self, values: Mapping[str, Scalar]) -> tuple[int, ...]:
        """Return the registers of a block; what is missing or None becomes "not implemented".

        Raises
        ------
        DeviceRefusedError
            If a value does not fit into its registers.
        """
        given: Callable[[str], Any] = values.get  # whatever does not fit is refused below
        names = self._names
        raw = [
            blank if (value := given(name)) is None else value
            for name, blank in zip(names, self._blanks, strict=True)
        ]
        try:
            for i, name, scale in self._named:
                value = given(name)
                if value is not None:
                    power = given(scale)
                    raw[i] = round(_unscaled(value, power) if power else value)
            for i, power in self._fixed:
                value = given(names[i])
                if value is not None:
                    raw[i] = round(value * _TENS[-power])
            for i in self._octets:
                value = given(names[i])
                if value is not None:
                    raw[i] = str(value).encode("utf-8")
            return self._words.unpack(self._body.pack(*raw))
        except (struct.error, TypeError, ValueError, OverflowError, IndexError) as error:
            msg = f"SunSpec model {self.model_id}: a value does not fit its registers ({error})"
            raise DeviceRefusedError(msg) from error

    def encode_point(self, name: str, value: float, block: Block) -> tuple[int, ...]:
        """Return the registers of one number, scaled as ``block`` says.

        Raises
        ------
        DeviceRefusedError
            If the model has no such number or it does not fit.
        """
        point = self.points.get(name)
        if point is None or point.kind in OCTETS:
            msg = f"SunSpec model {self.model_id} has no number {name} here; nothing written"
            raise DeviceRefusedError(msg)
        scale = point.scale
        power = int((block.get(scale) if isinstance(scale, str) else scale) or 0)
        try:
            raw: float = value
            if point.kind not in _FLOATS:
                raw = round(value * 10.0**-power)
            if raw == MARKERS.get(point.kind):
                raise OverflowError  # noqa: TRY301 -- as if it did not fit: it means "nothing here"
            octets = struct.pack(">" + _code(point), raw)
        except (struct.error, OverflowError, ValueError) as error:
            msg = f"SunSpec model {self.model_id}: {name} cannot hold {value}; nothing written"
            raise DeviceRefusedError(msg) from error
        words: tuple[int, ...] = struct.unpack(f">{point.size}H", octets)
        return words

    def _scale(self, values: list[Any]) -> None:
        """Multiply scaled values by their powers of ten, the nearest to what their digits say."""
        for i, j in self._scaled:
            value = values[i]
            if value is not None:
                power = values[j]
                if power:  # most are 0 or not implemented
                    values[i] = self._times(value, power, i)
        for i, power in self._fixed:
            if values[i] is not None:
                values[i] = self._times(values[i], power, i)

    def _times(self, value: float, power: int, i: int) -> float:
        """Return a value times a power of ten."""
        if not -_SCALE_MOST <= power <= _SCALE_MOST:
            name = self._names[i]
            msg = f"SunSpec model {self.model_id}: scale factor of {name} is {power}, not -10..10"
            raise DeviceReplyError(msg)
        scaled: float = value / _TENS[-power] if power < 0 else value * _TENS[power]
        return scaled


def _unscaled(value: float, power: int) -> float:
    """Return a value over a power of ten."""
    found: float = value / _TENS[power] if power > 0 else value * _TENS[-power]
    return found


def layout_of(registers: Sequence[int]) -> Layout:
    """Return the layout of the block that begins with these registers.

    Raises
    ------
    DeviceReplyError
        If there are fewer than two registers.
    DeviceRefusedError
        If the model is not a published one.
    """
    if len(registers) < 2:
        msg = f"SunSpec block of {len(registers)} registers has no identifier and length; reread"
        raise DeviceReplyError(msg)
    model_id, length = registers[0], registers[1]
    size = min(length + 2, len(registers))
    counts = tuple(
        (name, registers[offset]) for name, offset in counting_offsets(model_id) if offset < size
    )
    return compiled(model_id, size, counts)


def decode_block(registers: Sequence[int]) -> dict[str, Scalar]:
    """Return the values of the block that begins with these registers; see `Layout.decode`."""
    return layout_of(registers).decode(registers)


@lru_cache(maxsize=256)
def compiled(model_id: int, size: int, counts: tuple[tuple[str, int], ...] = ()) -> Layout:
    """Return the one `Layout` of a model, size and counts."""
    return Layout(model_id, size, counts)


def _code(point: Point) -> str:
    return f"{2 * point.size}s" if point.kind in OCTETS else _CODES.get(point.kind, "H")


def _blank(point: Point) -> int | float | bytes:
    """Return what stands for "not implemented" in a point's registers."""
    if point.kind in OCTETS:
        return b""
    return float("nan") if point.kind in _FLOATS else MARKERS.get(point.kind, 0)


def _text(octets: bytes) -> str | None:
    """Return the text before the first NUL, however it is coded; None for no text."""
    head = octets.split(b"\0", 1)[0]
    try:
        return head.decode("utf-8").strip() or None
    except UnicodeDecodeError:
        return head.decode("latin-1").strip() or None
