"""SolarEdge's own registers: storage control and the first battery, low word first."""

import math
import struct
from dataclasses import dataclass
from typing import Final

from devices.drivers.sunspec_codec import Scalar
from devices.emulators.faults import Fault
from devices.emulators.house import HomeState
from devices.emulators.sunspec_image import Model

Words = dict[int, int]

_BATTERY: Final = 0xE100
_FLOATS: Final = (
    0x42,
    0x44,
    0x46,
    0x48,
    0x4A,
    0x6C,
    0x6E,
    0x70,
    0x72,
    0x74,
    0x7E,
    0x80,
    0x82,
    0x84,
)
_LONGS: Final = (0x86, 0x88)
_VOLTAGE_V: Final = 230.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlPoint:
    """A register, or a pair, that can be written."""

    kind: str
    """``u16``, ``u32`` or ``f32``."""
    least: float
    """Least value that is taken."""
    most: float
    """Greatest value that is taken."""
    start: float
    """Value when it leaves the factory."""
    missing: tuple[int, ...] = ()
    """Values between that are not taken."""

    @property
    def size(self) -> int:
        """Its registers; both of a pair are to be written at once."""
        return 1 if self.kind == "u16" else 2

    def takes(self, words: tuple[int, ...]) -> bool:
        """Return whether the value of ``words`` is taken."""
        value = _value(self.kind, words)
        return self.least <= value <= self.most and value not in self.missing


CONTROL: Final = {
    0xE000: ControlPoint(kind="u16", least=0, most=0xFFFF, start=0),
    0xE001: ControlPoint(kind="u16", least=0, most=1, start=0),
    0xE002: ControlPoint(kind="f32", least=0, most=1e7, start=0),
    0xE004: ControlPoint(kind="u16", least=0, most=5, start=1),
    0xE005: ControlPoint(kind="u16", least=0, most=3, start=0),
    0xE006: ControlPoint(kind="f32", least=0, most=1e7, start=0),
    0xE008: ControlPoint(kind="f32", least=0, most=100, start=0),
    0xE00A: ControlPoint(kind="u16", least=0, most=7, start=1, missing=(6,)),
    0xE00B: ControlPoint(kind="u32", least=0, most=86_400, start=3_600),
    0xE00D: ControlPoint(kind="u16", least=0, most=7, start=7, missing=(6,)),
    0xE00E: ControlPoint(kind="f32", least=0, most=1e6, start=math.inf),
    0xE010: ControlPoint(kind="f32", least=0, most=1e6, start=math.inf),
    0xE012: ControlPoint(kind="f32", least=0, most=1e7, start=0),
}
"""Storage control, by the first register; an infinite start is the battery's rated power."""


def control_block(power_max_w: float) -> Words:
    """Return storage control as it leaves the factory."""
    words: Words = {}
    for address, point in CONTROL.items():
        value = power_max_w if math.isinf(point.start) else point.start
        words.update(zip((address, address + 1), _words(point.kind, value), strict=False))
    return words


def battery_block(state: HomeState, capacity_wh: float, power_max_w: float) -> Words:
    """Return the first battery's block; SolarEdge's sign of its power: > 0 charges."""
    words: Words = dict.fromkeys(range(_BATTERY, _BATTERY + 0x9A), 0)
    texts = {0x00: "Gridpact", 0x10: "Emulated", 0x20: "1.0", 0x30: "E-0001"}
    for offset, text in texts.items():
        padded = text.encode().ljust(32, b"\0")
        words.update(
            zip(range(_BATTERY + offset, _BATTERY + offset + 16), _shorts(padded), strict=True)
        )
    words[_BATTERY + 0x40] = 112
    powers = dict.fromkeys((0x44, 0x46, 0x48, 0x4A), power_max_w)
    shown = {
        0x42: capacity_wh,
        **powers,
        0x6C: state.cell_temperature_c,
        0x6E: 0.0,
        0x70: state.dc_voltage_v,
        0x72: state.dc_current_a,
        0x74: state.battery_power_w,
        0x7E: capacity_wh,
        0x80: capacity_wh * state.estimated_soc,
        0x82: 98.0,
        0x84: 100 * state.estimated_soc,
    }
    for offset, value in shown.items():
        words[_BATTERY + offset], words[_BATTERY + offset + 1] = _words("f32", value)
    counters = {0x76: state.discharged_wh, 0x7A: state.charged_wh}
    for offset, energy_wh in counters.items():
        four = struct.unpack(">4H", struct.pack(">Q", round(energy_wh)))
        words.update(
            zip(range(_BATTERY + offset, _BATTERY + offset + 4), reversed(four), strict=True)
        )
    words[_BATTERY + 0x86] = _status(state)
    return words


def spoil_block(words: Words, fault: Fault) -> None:
    """Spoil the battery's values, in place."""
    for offset in (*_FLOATS, *_LONGS):
        low, high = _BATTERY + offset, _BATTERY + offset + 1
        if fault is Fault.NOT_IMPLEMENTED_VALUE:
            words[low], words[high] = (0, 0x7FC0) if offset in _FLOATS else (0xFFFF, 0xFFFF)
        elif fault is Fault.WORDS_SWAPPED:
            words[low], words[high] = words[high], words[low]


def sunspec_chain() -> list[Model]:
    """Return the SunSpec part: common blocks one register short of the standard, 103 and 203."""

    def inverter(state: HomeState) -> dict[str, Scalar]:
        power_w = state.pv_w - state.battery_power_w
        return {"W": power_w, "A": abs(power_w) / _VOLTAGE_V, "PhVphA": _VOLTAGE_V, "Hz": 50.0}

    def meter(state: HomeState) -> dict[str, Scalar]:
        return {"W": -state.grid_power_w, "PhV": _VOLTAGE_V, "Hz": 50.0}  # > 0 exports

    names: dict[str, Scalar] = {"Mn": "Gridpact", "Vr": "1.0", "SN": "E-0001", "DA": 1}
    scales: dict[str, Scalar] = {"A_SF": -2, "V_SF": -1, "W_SF": -1, "Hz_SF": -2}
    return [
        Model(model_id=1, length=65, values={**names, "Md": "Emulated StorEdge"}),
        Model(model_id=103, length=50, values={**scales, "St": 4}, measured=inverter),
        Model(model_id=1, length=65, values={**names, "Md": "Emulated meter"}),
        Model(model_id=203, length=105, values={**scales, "W_SF": 0}, measured=meter),
    ]


def _status(state: HomeState) -> int:
    """Return 3 charging, 4 discharging, 7 idle."""
    if abs(state.battery_power_w) < 1:
        return 7
    return 3 if state.battery_power_w > 0 else 4


def _value(kind: str, words: tuple[int, ...]) -> float:
    if kind == "u16":
        return words[0]
    code = "I" if kind == "u32" else "f"
    value: float = struct.unpack(f">{code}", struct.pack(">HH", words[1], words[0]))[0]
    return value


def _words(kind: str, value: float) -> tuple[int, ...]:
    if kind == "u16":
        return (int(value),)
    octets = struct.pack(">I", int(value)) if kind == "u32" else struct.pack(">f", value)
    return _shorts(octets)[::-1]


def _shorts(octets: bytes) -> tuple[int, ...]:
    return struct.unpack(f">{len(octets) // 2}H", octets)
