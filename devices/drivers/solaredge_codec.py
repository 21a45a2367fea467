"""SolarEdge StorEdge registers and their meaning: pure.

Values of 32 bits come with the low word first. SolarEdge shows charging as > 0 and a meter's export
as > 0; the first is our sign, the second is turned where the SunSpec meter is translated.
"""

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from devices.battery import BatteryLimits, BatteryState
from devices.errors import DeviceRefusedError, DeviceReplyError

STORAGE_MODE: Final = 0xE004
AC_CHARGE_POLICY: Final = 0xE005
DEFAULT_MODE: Final = 0xE00A
COMMAND_TIMEOUT: Final = 0xE00B
COMMAND_MODE: Final = 0xE00D
CHARGE_LIMIT: Final = 0xE00E
DISCHARGE_LIMIT: Final = 0xE010
CONTROL_FIRST: Final = STORAGE_MODE
CONTROL_COUNT: Final = 14
"""Registers of the control block that are read, from `CONTROL_FIRST`."""

BATTERY_BASES: Final = {1: 0xE100, 2: 0xE200, 3: 0xE400}
"""First register of each battery."""
RATING_OFFSET: Final = 0x42
RATING_COUNT: Final = 6
READING_OFFSET: Final = 0x6C
READING_COUNT: Final = 0x88 + 2 - READING_OFFSET

AC_CHARGE_ALWAYS: Final = 1
_NOTHING: Final = 0xFFFF
_OVERLOAD: Final = 1.5
_LAST_STATUS: Final = 0xFF
_SOE_MOST: Final = 100.5
"""A full battery may show a little more than 100 %: it is rounded where it is counted."""
_LEAST: Final = 1e-3
_LEAST_RATING: Final = 100.0
"""No battery of a house is rated at less: 5000 W with its words in the other order reads 2 W."""
_MOST: Final = 1e9


class StorageMode(IntEnum):
    """Who controls the storage (E004)."""

    OFF = 0
    SELF_CONSUMPTION = 1
    TIME_OF_USE = 2
    BACKUP = 3
    REMOTE = 4


class CommandMode(IntEnum):
    """What remote control asks of the storage (E00D), and what it does without (E00A)."""

    OFF = 0
    CHARGE_EXCESS_PV = 1
    CHARGE_PV_FIRST = 2
    CHARGE_PV_AND_AC = 3
    MAXIMISE_EXPORT = 4
    DISCHARGE_TO_LOAD = 5
    SELF_CONSUMPTION = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class SolarEdgeRating:
    """What a battery is rated at, in SolarEdge's words."""

    rated_energy_wh: float
    """Rated energy. [Wh]"""
    max_charge_continuous_w: float
    """Greatest continuous charge power. [W]"""
    max_discharge_continuous_w: float
    """Greatest continuous discharge power. [W]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SolarEdgeReading:
    """What a battery shows, in SolarEdge's words and signs; None is "not a number"."""

    temperature_average_c: float | None
    """Average temperature. [°C]"""
    power_w: float | None
    """Power at its terminals, > 0 charges. [W]"""
    soh_percent: float | None
    """State of health. [%]"""
    soe_percent: float | None
    """State of energy. [%]"""
    status: int
    """0 off, 1 standby, 2 starts, 3 charges, 4 discharges, 5 fault, 6 holds, 7 idle, 10 saves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SolarEdgeControl:
    """The registers of storage control."""

    storage_mode: int
    """See `StorageMode`."""
    ac_charge_policy: int
    """0 off, 1 always, 2 and 3 limited."""
    default_mode: int
    """See `CommandMode`: what it does when the command's time is over."""
    command_timeout_s: int
    """How long a command holds. [s]"""
    command_mode: int | None
    """See `CommandMode`; None while remote control is off."""
    charge_limit_w: float | None
    """Greatest charge power. [W]"""
    discharge_limit_w: float | None
    """Greatest discharge power. [W]"""


def float_of(low: int, high: int) -> float | None:
    """Return a float of two registers, low word first; None for not a number."""
    value: float = struct.unpack(">f", struct.pack(">HH", high, low))[0]
    return value if math.isfinite(value) else None


def float_words(value: float) -> tuple[int, int]:
    """Return the registers of a float, low word first.

    Raises
    ------
    DeviceRefusedError
        If it is not finite or too great.
    """
    try:
        high, low = struct.unpack(">HH", struct.pack(">f", value))
    except OverflowError:
        value = math.nan
    if not math.isfinite(value):
        msg = f"SolarEdge: {value} is no number for a register; nothing written"
        raise DeviceRefusedError(msg)
    return low, high


def long_of(low: int, high: int) -> int:
    """Return an unsigned number of two registers, low word first."""
    return high << 16 | low


def long_words(value: int) -> tuple[int, int]:
    """Return the registers of an unsigned number, low word first."""
    return value & 0xFFFF, value >> 16 & 0xFFFF


def decode_rating(registers: Sequence[int]) -> SolarEdgeRating | None:
    """Return a battery's rating from `RATING_COUNT` registers; None where there is no battery.

    Raises
    ------
    DeviceReplyError
        If registers are missing or a power cannot be.
    """
    _require(registers, RATING_COUNT, "rating")
    rated_wh, charge_w, discharge_w = (float_of(*registers[i : i + 2]) for i in (0, 2, 4))
    if rated_wh is None or rated_wh <= 0:
        return None
    for what, value in (("Wh", rated_wh), ("W to charge", charge_w), ("W to give", discharge_w)):
        if value is None or not _LEAST_RATING <= value < _MOST:
            msg = f"SolarEdge battery: a rating of {value} {what} cannot be; ask again"
            raise DeviceReplyError(msg)
    return SolarEdgeRating(
        rated_energy_wh=rated_wh,
        max_charge_continuous_w=charge_w or 0.0,
        max_discharge_continuous_w=discharge_w or 0.0,
    )


def decode_reading(registers: Sequence[int]) -> SolarEdgeReading:
    """Return what a battery shows from `READING_COUNT` registers.

    Raises
    ------
    DeviceReplyError
        If registers are missing, or the status is none: the words come in the other order.
    """
    _require(registers, READING_COUNT, "reading")

    def at(offset: int) -> tuple[int, int]:
        start = offset - READING_OFFSET
        return registers[start], registers[start + 1]

    status = long_of(*at(0x86))
    if status > _LAST_STATUS:  # the floats beside it could pass for others
        msg = f"SolarEdge battery: {status:#x} is no status of a battery; ask again"
        raise DeviceReplyError(msg)
    return SolarEdgeReading(
        temperature_average_c=float_of(*at(0x6C)),
        power_w=float_of(*at(0x74)),
        soh_percent=float_of(*at(0x82)),
        soe_percent=float_of(*at(0x84)),
        status=status,
    )


def decode_control(registers: Sequence[int]) -> SolarEdgeControl:
    """Return storage control from `CONTROL_COUNT` registers.

    Raises
    ------
    DeviceReplyError
        If registers are missing.
    """
    _require(registers, CONTROL_COUNT, "control")
    command = registers[COMMAND_MODE - CONTROL_FIRST]
    return SolarEdgeControl(
        storage_mode=registers[0],
        ac_charge_policy=registers[1],
        default_mode=registers[DEFAULT_MODE - CONTROL_FIRST],
        command_timeout_s=long_of(*registers[7:9]),
        command_mode=None if command == _NOTHING else command,
        charge_limit_w=float_of(*registers[10:12]),
        discharge_limit_w=float_of(*registers[12:14]),
    )


def state_of(
    reading: SolarEdgeReading, control: SolarEdgeControl, limits: BatteryLimits, *, name: str
) -> BatteryState:
    """Return the battery's state; SolarEdge's sign of a battery's power is ours.

    Raises
    ------
    DeviceReplyError
        If a value is missing or cannot be.
    """
    soe, power_w = reading.soe_percent, reading.power_w
    if soe is None or not 0 <= soe <= _SOE_MOST or _tiny(soe):
        msg = f"{name}: a state of energy of {soe} % cannot be; ask again"
        raise DeviceReplyError(msg)
    soh, temperature_c = reading.soh_percent, reading.temperature_average_c
    return BatteryState(
        soc=min(soe / 100, 1.0),
        battery_power_w=power_of(power_w, limits, name=name),
        following=follows(control),
        soh=None if soh is None or not 1 <= soh <= 100 else soh / 100,
        temperature_c=(
            None if temperature_c is None or not -60 <= temperature_c <= 120 else temperature_c
        ),
    )


def power_of(power_w: float | None, limits: BatteryLimits, *, name: str) -> float:
    """Return a battery's power if it can be. [W]

    Raises
    ------
    DeviceReplyError
        If it cannot.
    """
    least_w, most_w = -_OVERLOAD * limits.discharge_max_w, _OVERLOAD * limits.charge_max_w
    if power_w is None or not least_w <= power_w <= most_w or _tiny(power_w):
        msg = f"{name}: a power of {power_w} W cannot be; ask again"
        raise DeviceReplyError(msg)
    return power_w


def follows(control: SolarEdgeControl) -> bool:
    """Return whether the storage follows residual demand by itself."""
    if control.storage_mode == StorageMode.REMOTE:
        return control.command_mode == CommandMode.SELF_CONSUMPTION
    return control.storage_mode == StorageMode.SELF_CONSUMPTION


def command_for(
    battery_power_w: float, *, from_grid: bool, to_grid: bool
) -> tuple[CommandMode, int, float]:
    """Return the mode that holds a power, the register of its limit, and the limit. [W]

    Resting is exporting at most nothing: in that mode the battery does not charge either.
    """
    if battery_power_w > 0:
        mode = CommandMode.CHARGE_PV_AND_AC if from_grid else CommandMode.CHARGE_EXCESS_PV
        return mode, CHARGE_LIMIT, battery_power_w
    exports = to_grid or battery_power_w == 0
    mode = CommandMode.MAXIMISE_EXPORT if exports else CommandMode.DISCHARGE_TO_LOAD
    return mode, DISCHARGE_LIMIT, abs(battery_power_w)


def _tiny(value: float) -> bool:
    """Return whether a float is so small that its words came in the other order."""
    return 0 < abs(value) < _LEAST


def _require(registers: Sequence[int], count: int, what: str) -> None:
    if len(registers) != count:
        msg = f"SolarEdge {what}: {len(registers)} registers instead of {count}; ask again"
        raise DeviceReplyError(msg)
