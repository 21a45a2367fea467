"""A chain of SunSpec models as registers: built from values, spoiled as faults say."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from devices.drivers.sunspec_codec import Layout, Scalar, compiled
from devices.emulators.faults import Fault
from devices.emulators.house import HomeState
from devices.emulators.modbus_frames import ILLEGAL_ADDRESS, RefusalError

Values = Mapping[str, Scalar]

_NOT_IMPLEMENTED: Final = {
    "int16": (0x8000,),
    "sunssf": (0x8000,),
    "uint16": (0xFFFF,),
    "enum16": (0xFFFF,),
    "bitfield16": (0xFFFF,),
    "int32": (0x8000, 0),
    "uint32": (0xFFFF, 0xFFFF),
    "float32": (0x7FC0, 0),
}
_HEAD: Final = ("ID", "L")


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One model of a chain."""

    model_id: int
    """Its number."""
    address: int
    """Register of its identifier."""
    layout: Layout
    """Where its values stand."""
    measured: Callable[[HomeState], Values] | None
    """Returns its values of a moment; None where only a client changes them."""

    @property
    def end(self) -> int:
        """First register behind it."""
        return self.address + self.layout.size


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """What a chain is built of."""

    model_id: int
    """Its number."""
    values: Values
    """Its values at the start, without identifier and length."""
    length: int
    """Registers of its body."""
    measured: Callable[[HomeState], Values] | None = None
    """Returns the values that change by themselves."""
    counts: tuple[tuple[str, int], ...] = ()
    """How often its groups repeat."""


class Image:
    """The registers of a chain.

    Parameters
    ----------
    models : Sequence[Model]
        The chain, in its order.
    base : int
        Register of its sign.
    """

    def __init__(self, models: Sequence[Model], *, base: int = 40_000) -> None:
        self._shown: dict[int, HomeState] = {}
        self._words: dict[int, int] = {base: 0x5375, base + 1: 0x6E53}
        self.sections: list[Section] = []
        address = base + 2
        for model in models:
            layout = compiled(model.model_id, model.length + 2, model.counts)
            section = Section(
                model_id=model.model_id, address=address, layout=layout, measured=model.measured
            )
            self.sections.append(section)
            self.put(section, {**model.values, "ID": model.model_id, "L": model.length})
            address = section.end
        self._words.update({address: 0xFFFF, address + 1: 0})

    def copy(self) -> "Image":
        """Return the same registers, to be tried on."""
        twin = Image([])
        twin._words, twin.sections = dict(self._words), self.sections
        twin._shown = dict(self._shown)
        return twin

    def section(self, model_id: int) -> Section | None:
        """Return the first model of a number, None where there is none."""
        return next((each for each in self.sections if each.model_id == model_id), None)

    def values(self, section: Section) -> dict[str, Scalar]:
        """Return a model's values as they stand."""
        return section.layout.decode(self._range(section.address, section.end))

    def put(self, section: Section, values: Values) -> None:
        """Replace a model's values; what is missing becomes "not implemented"."""
        words = section.layout.encode(values)
        self._words.update(zip(range(section.address, section.end), words, strict=True))

    def merge(self, section: Section, values: Values) -> None:
        """Change some of a model's values."""
        self.put(section, {**self.values(section), **values})

    def read(
        self, address: int, count: int, fault: Fault | None, sample: Callable[[], HomeState]
    ) -> tuple[int, ...]:
        """Return registers, measured anew unless the sensor is stuck, spoiled as faults say."""
        end = address + count
        if address not in self._words or end - 1 not in self._words:
            raise RefusalError(ILLEGAL_ADDRESS)
        touched = [each for each in self.sections if each.address < end and address < each.end]
        if fault is not Fault.STUCK_SENSOR:
            self._measure(touched, sample)
        found = self._range(address, end)
        if fault is None:
            return found
        words = dict(zip(range(address, end), found, strict=True))
        for section in touched:
            spoil(words, section, fault)
        return tuple(words.values())

    def _measure(self, sections: Sequence[Section], sample: Callable[[], HomeState]) -> None:
        """Bring readings to the present sample, those that do not show it yet."""
        for section in sections:
            if section.measured is None:
                continue
            state = sample()
            if self._shown.get(section.address) is not state:
                self._shown[section.address] = state
                self.merge(section, section.measured(state))

    def write(self, address: int, values: Sequence[int]) -> None:
        """Put registers as a client writes them."""
        self._words.update(zip(range(address, address + len(values)), values, strict=True))

    def named(self, address: int, count: int) -> list[tuple[Section, str]] | None:
        """Return the points that fill a range of registers, None where it cuts one in two."""
        found = [
            (section, point.name)
            for section in self.sections
            for point in section.layout.points.values()
            if address <= section.address + point.offset < address + count
        ]
        sizes = sum(section.layout.points[name].size for section, name in found)
        starts = found and found[0][0].address + found[0][0].layout.points[found[0][1]].offset
        return found if sizes == count and starts == address else None

    def _range(self, first: int, end: int) -> tuple[int, ...]:
        try:
            return tuple([self._words[address] for address in range(first, end)])
        except KeyError as error:
            raise RefusalError(ILLEGAL_ADDRESS) from error


def spoil(words: dict[int, int], section: Section, fault: Fault) -> None:
    """Spoil a model's values among registers, in place; identifier and length stay."""
    for point in section.layout.points.values():
        places = range(section.address + point.offset, section.address + point.offset + point.size)
        if point.name in _HEAD or places[0] not in words or places[-1] not in words:
            continue
        if fault is Fault.NOT_IMPLEMENTED_VALUE:
            words.update(zip(places, _NOT_IMPLEMENTED.get(point.kind, ()), strict=False))
        elif fault is Fault.WRONG_SCALE_FACTOR and point.kind == "sunssf":
            words[places[0]] = (words[places[0]] + 1) & 0xFFFF
        elif fault is Fault.WORDS_SWAPPED and point.size > 1 and point.kind != "string":
            words.update(zip(places, [words[at] for at in reversed(places)], strict=True))
