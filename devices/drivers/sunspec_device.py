"""A SunSpec device's models: found once, then read and written by the names of their points."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from devices.drivers.modbus_link import MOST_REGISTERS, IllegalAddressError, ModbusLink
from devices.drivers.sunspec_codec import Block, Layout, Scalar, layout_of
from devices.errors import DeviceRefusedError, DeviceReplyError

BASES: Final = (40_000, 0, 50_000)
"""Where a chain of models may begin, in the order in which they are tried."""
_SIGN: Final = (0x5375, 0x6E53)
_END: Final = 0xFFFF
_MOST_MODELS: Final = 100
_UNSEEN: Final = 99
"""No scale factor: they go from -10 to 10."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelPlace:
    """Where a model stands in a device's registers."""

    model_id: int
    """Its number."""
    address: int
    """Register of its identifier."""
    length: int
    """Registers of its body, as the device says."""

    @property
    def end(self) -> int:
        """First register behind it."""
        return self.address + 2 + self.length


async def find_chain(link: ModbusLink) -> tuple[ModelPlace, ...]:
    """Return the models of a device, from the first base address that has SunSpec's sign.

    Raises
    ------
    DeviceRefusedError
        If no base address has the sign.
    DeviceReplyError
        If the chain makes no sense.
    DeviceUnavailableError
        If the device does not answer.
    """
    for base in BASES:
        try:
            sign = await link.read(base, 2)
        except DeviceRefusedError:
            continue
        if sign == _SIGN:
            return await _walk(link, base + 2)
    msg = f"{link.name}: no SunSpec models at {', '.join(map(str, BASES))}; enable SunSpec on it"
    raise DeviceRefusedError(msg)


async def _walk(link: ModbusLink, address: int) -> tuple[ModelPlace, ...]:
    """Follow a chain from its first model to its end."""
    found: list[ModelPlace] = []
    for _ in range(_MOST_MODELS):
        try:
            model_id, length = await link.read(address, 2)
        except IllegalAddressError:
            if found:  # some devices leave the end out
                return tuple(found)
            raise
        if model_id == _END and found:
            return tuple(found)
        place = ModelPlace(model_id=model_id, address=address, length=length)
        if model_id in (0, _END) or length in (0, _END) or place.end > 0xFFFF:
            break
        found.append(place)
        address = place.end
    msg = f"{link.name}: its chain of SunSpec models breaks off at register {address}; look again"
    raise DeviceReplyError(msg)


def merged(
    spans: Iterable[tuple[int, int]], *, most: int = MOST_REGISTERS
) -> list[tuple[int, int]]:
    """Return the fewest spans of at most ``most`` registers that cover all of ``spans``.

    Parameters
    ----------
    spans : iterable of (first, end)
        Registers wanted, each span at most ``most`` long; what lies between may be read as well.
    most : int
        Registers that one request may ask for.
    """
    found: list[tuple[int, int]] = []
    for first, end in sorted(spans):
        if found and end - found[-1][0] <= most:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((first, end))
    return found


class SunSpecDevice:
    """Read and write the points of a device's models.

    Parameters
    ----------
    link : ModbusLink
        The connection; the caller closes it.
    """

    def __init__(self, link: ModbusLink) -> None:
        self._link = link
        self._places: dict[int, list[ModelPlace]] = {}
        self._layouts: dict[int, Layout] = {}
        self._scales: dict[tuple[int, str], Scalar] = {}
        self._apart = False

    @property
    def name(self) -> str:
        """What messages call the device."""
        return self._link.name

    @property
    def places(self) -> Mapping[int, Sequence[ModelPlace]]:
        """The models found by the last `scan`, by number."""
        return self._places

    async def scan(self) -> None:
        """Find the models; see `find_chain`."""
        found: dict[int, list[ModelPlace]] = {}
        for place in await find_chain(self._link):
            found.setdefault(place.model_id, []).append(place)
        self._places = found

    def forget(self) -> None:
        """Take no model for known any more: the device may be another one."""
        self._places = {}
        self._scales = {}

    async def read(self, model_id: int, index: int = 0) -> Block:
        """Return the values of the ``index``-th model of a number; None is "not implemented".

        Raises
        ------
        DeviceRefusedError
            If the device has no such model, or the model no published definition.
        DeviceReplyError, DeviceUnavailableError
            See `devices.errors`.
        """
        place = await self._place(model_id, index)
        return self._decoded(await self._link.read(place.address, place.length + 2), place)

    async def read_many(self, model_ids: Sequence[int]) -> dict[int, Block]:
        """Return the first model of each number, merged into as few requests as hold them.

        Of a model longer than a request, what one request holds is read: values and the scale
        factors beside them come in one transaction.
        """
        places = [await self._place(model_id, 0) for model_id in model_ids]
        spans = {p.model_id: (p.address, min(p.end, p.address + MOST_REGISTERS)) for p in places}
        registers: dict[int, int] = {}
        for first, end in merged(spans.values(), most=0 if self._apart else MOST_REGISTERS):
            try:
                found = await self._link.read(first, end - first)
            except IllegalAddressError:
                if self._apart:
                    raise
                self._apart = True  # it refuses reads across the border of two models
                return await self.read_many(model_ids)
            registers.update(zip(range(first, end), found, strict=True))
        return {
            p.model_id: self._decoded([registers[at] for at in range(*spans[p.model_id])], p)
            for p in places
        }

    async def read_steady(self, model_ids: Sequence[int]) -> dict[int, Block]:
        """Return models as `read_many`, their scale factors those known or the same twice.

        A device may change its scale factors; one answer with a wrong one must not become a value.
        So where a read shows others than the last, it is repeated, and counts only if they stay.

        Raises
        ------
        DeviceReplyError
            If they differ from one read to the next.
        """
        blocks = await self.read_many(model_ids)
        scales = _scales_of(blocks)
        if self._knows(scales):
            return blocks
        again = await self.read_many(model_ids)
        second = _scales_of(again)
        if second != scales and not self._knows(second):
            msg = f"{self.name}: scale factors differ from one read to the next; ask again"
            raise DeviceReplyError(msg)
        self._scales |= second
        return again

    def _knows(self, scales: Mapping[tuple[int, str], Scalar]) -> bool:
        """Return whether every scale factor is the one last seen."""
        return all(self._scales.get(key, _UNSEEN) == value for key, value in scales.items())

    async def write(self, model_id: int, values: Mapping[str, float]) -> None:
        """Write points of the first model of a number, scaled as its scale factors say now.

        Points that stand side by side go in one request, in their order in the model; call again
        for an order of your own.

        Raises
        ------
        DeviceRefusedError
            If a point does not exist, cannot be written, or does not hold the value; nothing sent.
        """
        await self.put(model_id, values, await self.read(model_id))

    async def put(self, model_id: int, values: Mapping[str, float], block: Block) -> None:
        """Write points as `write` does, scaled as ``block``, which was read before, says.

        Raises
        ------
        DeviceRefusedError
            See `write`.
        """
        place = await self._place(model_id, 0)
        layout = self._layouts[place.address]
        wanted: dict[int, int] = {}
        for name, value in values.items():
            point = layout.points.get(name)
            if point is None or not point.writable or block.get(name) is None:
                msg = f"{self.name}: SunSpec {model_id}.{name} cannot be written here; nothing sent"
                raise DeviceRefusedError(msg)
            for i, word in enumerate(layout.encode_point(name, value, block)):
                wanted[place.address + point.offset + i] = word
        for address, words in runs(wanted):
            await self._link.write(address, words)

    def step(self, model_id: int, name: str, block: Block) -> float:
        """Return what one raw count of a point is worth, as ``block`` scales it."""
        point = self._layouts[self._places[model_id][0].address].points[name]
        scale = block.get(point.scale) if isinstance(point.scale, str) else point.scale
        return 10.0 ** int(scale or 0)

    async def _place(self, model_id: int, index: int) -> ModelPlace:
        if not self._places:
            await self.scan()
        try:
            return self._places[model_id][index]
        except LookupError as error:
            have = ", ".join(map(str, self._places))
            msg = f"{self.name}: no SunSpec model {model_id} ({index + 1}.); it has {have}"
            raise DeviceRefusedError(msg) from error

    def _decoded(self, registers: Sequence[int], place: ModelPlace) -> dict[str, Scalar]:
        """Return a block's values, after a look at whose block it is."""
        if tuple(registers[:2]) != (place.model_id, place.length):
            self.forget()
            msg = (
                f"{self.name}: SunSpec model {place.model_id} is no longer at {place.address}; "
                "the chain is walked anew at the next request"
            )
            raise DeviceReplyError(msg)
        try:
            layout = self._layouts[place.address] = layout_of(registers)
            return layout.decode(registers)
        except DeviceReplyError as error:
            msg = f"{self.name}: {error}"
            raise DeviceReplyError(msg) from error


def runs(wanted: Mapping[int, int]) -> list[tuple[int, list[int]]]:
    """Return registers by address as runs without a gap, each with its first address."""
    found: list[tuple[int, list[int]]] = []
    for address in sorted(wanted):
        if found and address == found[-1][0] + len(found[-1][1]):
            found[-1][1].append(wanted[address])
        else:
            found.append((address, [wanted[address]]))
    return found


def _scales_of(blocks: Mapping[int, Block]) -> dict[tuple[int, str], Scalar]:
    """Return the scale factors of what was read."""
    return {
        (model_id, name): value
        for model_id, block in blocks.items()
        for name, value in block.items()
        if name.endswith("_SF")
    }
