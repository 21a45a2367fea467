"""Who keeps what of a day that homes live through; nobody keeps more than a caller asked for."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from devices.arrays import FloatArray
from devices.battery_bank import BatteryBank


@dataclass(frozen=True, slots=True, kw_only=True)
class Lived:
    """A market interval that some homes lived through; arrays have shape (homes, minutes)."""

    slot: int
    """Number of the interval in its day."""
    load_w: FloatArray
    """Load. [W]"""
    pv_w: FloatArray
    """Production. [W]"""
    battery_power_w: FloatArray
    """Terminal power, > 0 charges. [W]"""
    grid_power_w: FloatArray
    """Power at the meter, > 0 imports. [W]"""
    stored_wh: FloatArray
    """Energy in the cells at each minute's beginning and at the end, (homes, minutes + 1). [Wh]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What a recorder is made for."""

    part: range
    """Numbers of the homes in their fleet."""
    bank: BatteryBank
    """Their batteries."""
    slots: int
    """Market intervals of the day."""
    per_slot: int
    """Minutes of each."""


class Recorder(Protocol):
    """Is shown every interval of a day, in order, and keeps of it what it is for."""

    def add(self, lived: Lived) -> None:
        """Take note of an interval; its arrays are not kept."""
        ...


Maker = Callable[[Setting], Recorder]
"""What makes a recorder for some homes and a day; classes are, where shards are processes."""
